"""What a lender's month of contract loans came to, from its book: the rows of its report and their totals.

Counted as at the end of the month, so that whoever asks later gets the same, unless the book was corrected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from market import reporting
from market.lending_vocabulary import Account, LoanEventKind
from models.loan import Loan, Movement
from services import loan_book
from services.loans import AGREED_LOANS

Figures = dict[str, Any]


def read(session: Session, zone_id: int, lender_id: int, month: str) -> Figures:
    """Return ``rows`` and ``totals`` of a month as JSON values: fen, ISO days, rates as text.

    A row is a deal on a contract that was paid out in the month, whole or in a tranche: ``amount`` is what
    the month brought, ``returned`` the principal that came back by its end. ``totals`` has the number, firms
    and sums of the rows, and of all contract loans what ``came_back`` in the month and was ``outstanding`` at
    its end. Four questions, and those of the deals' parts. Raises ``Invalid`` for what is no month.
    """
    first, last = reporting.read_month(month), reporting.find_end(month)
    loans = session.scalars(
        select(Loan)
        .where(
            Loan.zone_id == zone_id,
            Loan.lender_id == lender_id,
            Loan.contract_id.is_not(None),
            Loan.state.in_(AGREED_LOANS),
            Loan.drawn_on <= last,
        )
        .options(
            joinedload(Loan.contract),
            joinedload(Loan.borrower),
            selectinload(Loan.events),
            selectinload(Loan.repayments),
            selectinload(Loan.instalments),
        )
        .order_by(Loan.drawn_on, Loan.id)
    ).all()
    rows = [row for loan in loans if (row := _make_row(loan, first, last)) is not None]
    owed = _sum_outstanding(session, zone_id, lender_id, last)
    came_back = sum(
        receipt.principal for loan in loans for receipt in loan.repayments if first <= receipt.paid_on <= last
    )
    return {
        "rows": rows,
        "totals": {
            "deals": len(rows),
            "firms": len({row["supplier_code"] for row in rows}),
            "amount": sum(row["amount"] for row in rows),
            "returned": sum(row["returned"] for row in rows),
            "came_back": came_back,
            "running": sum(1 for loan in loans if owed.get(loan.id, 0) > 0),
            "outstanding": sum(owed.get(loan.id, 0) for loan in loans),
        },
    }


def seal(figures: Mapping[str, Any]) -> str:
    """Return the SHA-256 of figures: what was checked is what is handed in."""
    text = json.dumps(figures, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _make_row(loan: Loan, first: date, last: date) -> dict[str, Any] | None:
    paid_out = [
        event
        for event in loan_book.list_standing(loan)
        if event.kind is LoanEventKind.DRAWDOWN and first <= event.effective_on <= last
    ]
    if not paid_out:
        return None
    contract = loan.contract
    assert contract is not None
    receipts = [receipt for receipt in loan.repayments if receipt.paid_on <= last]
    return {
        "loan_id": loan.id,
        "contract_number": contract.number,
        "supplier_name": contract.supplier_name or loan.borrower.name_zh,
        "supplier_code": contract.supplier_code or loan.borrower.credit_code,
        "purchaser_name": contract.purchaser_name,
        "financed_on": min(event.effective_on for event in paid_out).isoformat(),
        "amount": sum(event.amount or 0 for event in paid_out),
        "ends_on": _write_day(line.due_on for line in loan.instalments),
        "rate": loan.terms.get("rate"),
        "effective": f"{loan.effective:f}" if loan.effective is not None else None,
        "returned": sum(receipt.principal for receipt in receipts),
        "last_paid_on": _write_day(receipt.paid_on for receipt in receipts),
    }


def _write_day(days: Any) -> str | None:
    known: Sequence[date] = [day for day in days if day is not None]
    return max(known).isoformat() if known else None


def _sum_outstanding(session: Session, zone_id: int, lender_id: int, last: date) -> dict[int, int]:
    """Return the principal that each contract loan of a lender owed at the end of a day, in fen."""
    signed = case(
        (Movement.target == Account.PRINCIPAL, Movement.amount),
        (Movement.source == Account.PRINCIPAL, -Movement.amount),
        else_=0,
    )
    rows = session.execute(
        select(Movement.loan_id, func.sum(signed))
        .join(Loan, Movement.loan_id == Loan.id)
        .where(
            Loan.zone_id == zone_id,
            Loan.lender_id == lender_id,
            Loan.contract_id.is_not(None),
            Movement.booked_on <= last,
        )
        .group_by(Movement.loan_id)
    )
    return {loan_id: int(amount) for loan_id, amount in rows}
