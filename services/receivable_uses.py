"""What becomes of receivables' money: free, promised to a lender, financed, paid; and by whom it is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.party import Party
from market.receivable_vocabulary import ReceivableState, ReceivableUse
from market.vocabulary import LoanState
from models.base import db
from models.financing import Financing, LoanReceivable
from models.loan import Loan
from models.receivable import Receivable
from services import financings, invoice_claims


def list_financeable(by: Party, today: date) -> dict[Receivable, int]:
    """Return what the party's firm can offer in a need now, with the fen each can still carry at most."""
    session = db.session()
    rows = [
        row
        for row in session.scalars(
            select(Receivable)
            .where(
                Receivable.zone_id == by.zone_id,
                Receivable.supplier_id == by.organisation_id,
                Receivable.state == ReceivableState.CONFIRMED,
            )
            .order_by(Receivable.due_on, Receivable.id)
        )
        if not invoice_claims.find_obstacles(row, today)
    ]
    room = invoice_claims.compute_room(session, rows, ratio=financings.WHOLE)
    whole = set(
        session.scalars(
            select(Financing.live_key).where(
                Financing.live_key.in_({row.contract_key for row in rows}), Financing.contract_id.is_not(None)
            )
        )
    )
    return {row: room.each[row.id] for row in rows if room.each[row.id] and row.contract_key not in whole}


def read_uses(rows: Sequence[Receivable]) -> Mapping[int, ReceivableUse]:
    """Return what becomes of each receivable's money: who lends stays untold."""
    live = db.session.execute(
        select(Financing.receivable_id, Loan.state)
        .join(LoanReceivable, LoanReceivable.financing_id == Financing.id)
        .join(Loan, LoanReceivable.loan_id == Loan.id)
        .where(Financing.receivable_id.in_([row.id for row in rows]), Financing.ended_at.is_(None))
    )
    uses = {row.id: ReceivableUse.PAID if row.paid == row.amount else ReceivableUse.FREE for row in rows}
    for receivable_id, state in live:
        assert receivable_id is not None, "asked for by number"
        if uses[receivable_id] is not ReceivableUse.PAID:
            drawn = state is LoanState.DRAWN or uses[receivable_id] is ReceivableUse.FINANCED
            uses[receivable_id] = ReceivableUse.FINANCED if drawn else ReceivableUse.PROMISED
    return uses


def find_claim(receivable_id: int) -> Financing | None:
    """Return the live claim on a receivable, or None."""
    return db.session.scalar(
        select(Financing).where(Financing.receivable_id == receivable_id, Financing.ended_at.is_(None))
    )


def find_lender(session: Session, receivable_id: int) -> int | None:
    """Return the organisation that finances a receivable now, or None."""
    return session.scalar(
        select(Financing.lender_id).where(
            Financing.receivable_id == receivable_id, Financing.ended_at.is_(None)
        )
    )
