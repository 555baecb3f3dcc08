"""Repayment reports (还款上报): what lenders report of contract loans, laid beside our own loan book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from market import repayment_report
from market.calendar import add_months, local_date
from market.errors import Code, Fault, Invalid, not_found
from market.party import Party
from market.repayment_report import Figures
from market.vocabulary import PAID_OUT_LOANS, Capability
from models.base import db, transaction
from models.bureau import RepaymentReport
from models.contract import Contract
from models.loan import Loan, Repayment
from services import audit, bureau, contract_steps

_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


@dataclass(frozen=True, slots=True)
class Entry:
    """A report as sent: the contract by number and supplier, days, and amounts in fen."""

    contract_number: str
    supplier_code: str
    financed_on: date
    ends_on: date
    amount: int
    returned: int
    last_paid_on: date | None = None
    bank_code: str | None = None


def report(entry: Entry, *, by: Party, now: datetime) -> RepaymentReport:
    """Keep what a lender reports of its financing on a contract, with its differences from our loan book.

    The same report sent again is the same row. Raises ``Invalid`` with every fault of the figures and
    ``NotFound`` for a contract that the lender may not read.
    """
    by.require(*_LENDER)
    check(entry, now)
    found = bureau.find_contracts(
        number=entry.contract_number, supplier_code=entry.supplier_code, by=by, now=now, most=1
    )
    if not found:
        raise not_found("contract", entry.contract_number[:40])
    figures = Figures(entry.financed_on, entry.ends_on, entry.amount, entry.returned, entry.last_paid_on)
    with transaction() as session:
        # The row's lock makes of two equal reports at once one after the other.
        contract = contract_steps.lock(session, found[0].id, by)
        last = session.scalar(
            select(RepaymentReport)
            .where(
                RepaymentReport.contract_id == contract.id, RepaymentReport.lender_id == by.organisation_id
            )
            .order_by(RepaymentReport.id.desc())
            .limit(1)
        )
        if last is not None and (_read(last), last.bank_code) == (figures, entry.bank_code):
            return last
        differences = repayment_report.compare(figures, _read_book(session, contract, by))
        row = RepaymentReport(
            zone_id=by.zone_id,
            contract_id=contract.id,
            lender_id=by.organisation_id,
            bank_code=entry.bank_code,
            **asdict(figures),
            differences=[
                {name: _as_json(value) for name, value in asdict(difference).items()}
                for difference in differences
            ],
            reported_by=by.user_id,
            reported_at=now,
        )
        session.add(row)
        audit.record(session, "repayment.report", row, by=by, now=now, differences=len(differences))
    return row


def check(entry: Entry, now: datetime) -> None:
    """Raise ``Invalid`` with everything that is impossible in a report by itself."""
    faults: list[Fault] = []
    today = local_date(now)
    if entry.amount <= 0:
        faults.append(Fault(Code.TOO_SMALL, "amount", {"value": entry.amount, "least": 1}))
    if entry.returned < 0:
        faults.append(Fault(Code.TOO_SMALL, "returned", {"value": entry.returned, "least": 0}))
    for field in ("financed_on", "last_paid_on"):
        day = getattr(entry, field)
        if day is not None and day > today:
            faults.append(Fault(Code.NOT_YET, field, {"value": str(day), "today": str(today)}))
    for field in ("ends_on", "last_paid_on"):
        day = getattr(entry, field)
        if day is not None and day < entry.financed_on:
            values = {"value": str(day), "after": str(entry.financed_on)}
            faults.append(Fault(Code.OUT_OF_ORDER, field, values))
    if entry.returned > 0 and entry.last_paid_on is None:
        # What came back came back on some day; a payment of interest alone returns nothing.
        faults.append(Fault(Code.REQUIRED, "last_paid_on"))
    if faults:
        raise Invalid(*faults)


def find_page(by: Party, *, before_id: int | None = None, most: int = 50) -> Sequence[RepaymentReport]:
    """Return the reports the party may see, newest first: a lender its own, officers and auditors all."""
    by.require(*_LENDER, Capability.OFFICER, Capability.AUDITOR)
    query = select(RepaymentReport).where(RepaymentReport.zone_id == by.zone_id)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(RepaymentReport.lender_id == by.organisation_id)
    if before_id is not None:
        query = query.where(RepaymentReport.id < before_id)
    return db.session.scalars(
        query.options(joinedload(RepaymentReport.contract), joinedload(RepaymentReport.lender))
        .order_by(RepaymentReport.id.desc())
        .limit(most)
    ).all()


def _read(row: RepaymentReport) -> Figures:
    return Figures(row.financed_on, row.ends_on, row.amount, row.returned, row.last_paid_on)


def _read_book(session: Session, contract: Contract, by: Party) -> list[Figures]:
    """Return the loans that the lender paid out on a contract, as our book has them."""
    booked = []
    for loan in session.scalars(
        select(Loan).where(
            Loan.contract_id == contract.id,
            Loan.lender_id == by.organisation_id,
            Loan.state.in_(PAID_OUT_LOANS),
        )
    ):
        assert loan.drawn_on is not None, "a loan that was paid out says when"
        returned, last_paid_on = session.execute(
            select(func.coalesce(func.sum(Repayment.principal), 0), func.max(Repayment.paid_on)).where(
                Repayment.loan_id == loan.id
            )
        ).one()
        ends_on = max((line.due_on for line in loan.instalments if line.due_on is not None), default=None)
        booked.append(
            Figures(
                loan.drawn_on,
                ends_on or add_months(loan.drawn_on, loan.months),
                loan.drawn or loan.principal,
                int(returned),
                last_paid_on,
            )
        )
    return booked


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
