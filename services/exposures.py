"""Exposures: what an award puts out in the name of its lender and its guarantor, and what comes back.

All run inside the caller's transaction. Lender and guarantor are held together: one lock over all limits that
a deal touches, in one order, before the first check.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.bid import Bid
from models.loan import Guarantee, Loan
from models.need import Need
from models.product import Product
from services import guarantees, limits
from services.limits import Exposure


def describe(need: Need, organisation_id: int, amount: int = 0) -> Exposure:
    """Return what an institution would have out if it answered a need with ``amount`` fen."""
    return Exposure(
        organisation_id=organisation_id,
        firm_id=need.organisation_id,
        sector=need.organisation.industry,
        purchaser_id=need.contract.purchaser_id if need.contract is not None else None,
        amount=amount,
    )


def take(session: Session, need: Need, parts: Iterable[tuple[Bid, int]]) -> None:
    """Consume what so many fen of bids on a need take of their lenders' and guarantors' limits, all at once.

    Raises ``Conflict`` (limit_exceeded). The guarantors' leverage is locked here too, but taken by weight
    once there is a loan to guarantee: see ``guarantees.give``.
    """
    taken = []
    for bid, amount in parts:
        taken.append(describe(need, bid.organisation_id, amount))
        if bid.guarantee_product_id is not None:
            guarantor_id = session.get_one(Product, bid.guarantee_product_id).organisation_id
            taken.append(describe(need, guarantor_id, guarantees.part_of(bid, amount)))
    limits.consume(session, taken)


def lock(session: Session, *which: ColumnElement[bool]) -> None:
    """Lock the limits of lenders and guarantors that loans, by conditions on their rows, lean on."""
    rows = session.execute(
        select(Loan.lender_id, Loan.borrower_id, Loan.sector, Loan.purchaser_id, Guarantee.guarantor_id)
        .select_from(Loan)
        .outerjoin(Guarantee, Guarantee.loan_id == Loan.id)
        .where(*which)
        .distinct()
    ).all()
    leaning = [
        Exposure(organisation_id, firm_id, sector, purchaser_id)
        for lender_id, firm_id, sector, purchaser_id, guarantor_id in rows
        for organisation_id in (lender_id, guarantor_id)
        if organisation_id is not None
    ]
    limits.lock(session, leaning)


def give_back(session: Session, loan: Loan, amount: int, *, now: datetime) -> None:
    """Release ``amount`` fen of a loan's principal, with the part of its guarantee that goes with them.

    What the loan binds (``Loan.bound``) says already how it stands afterwards.
    """
    row = guarantees.find(session, loan.id)
    limits.release(session, _moved(loan, row, amount, loan.bound + amount))
    if row is not None and row.ended_at is None:
        guarantees.follow(session, row, now)


def take_again(session: Session, loan: Loan, amount: int, *, now: datetime) -> None:
    """Count ``amount`` fen of a loan's principal once more, with their part of its guarantee.

    A repayment was taken back: it is owed again whatever the limits say by now.
    """
    row = guarantees.find(session, loan.id)
    if row is not None:
        row.ended_at = None
        session.flush()
    limits.restore(session, _moved(loan, row, amount, loan.bound - amount))
    if row is not None:
        guarantees.follow(session, row, now, grows=True)


def _moved(loan: Loan, row: Guarantee | None, amount: int, before: int) -> list[Exposure]:
    """Return what ``amount`` fen of a loan, which bound ``before``, are to its lender and its guarantor."""

    def out(organisation_id: int, moved: int) -> Exposure:
        return Exposure(organisation_id, loan.borrower_id, loan.sector, loan.purchaser_id, moved)

    moved = [out(loan.lender_id, amount)]
    # A guarantee that is itself the deal is its lender's own: it was counted just now.
    if row is not None and row.ended_at is None and row.guarantor_id != loan.lender_id:
        in_force = [guarantees.count_in_force(row, bound) for bound in (before, loan.bound)]
        moved.append(out(row.guarantor_id, abs(in_force[0] - in_force[1])))
    return moved
