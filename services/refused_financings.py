"""A second financing that was refused: the officers and the lender that holds the claim are told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.errors import Code, Conflict, MarketError
from market.party import Party
from market.vocabulary import LIVE_LOANS, AlertKind
from models.base import transaction
from models.contract import Contract
from models.financing import Financing, LoanReceivable
from models.loan import Loan
from services import alerts


@contextmanager
def telling(*, by: Party, now: datetime) -> Iterator[None]:
    """Tell of a refusal for double financing, if the verb inside ends in one, and let it go on its way.

    It stands around the verb's transaction: what was refused is rolled back, the alert has its own.
    """
    try:
        yield
    except MarketError as refusal:
        for fault in refusal.faults:
            if fault.code is Code.ALREADY_FINANCED and fault.values.get("key"):
                # Whoever was refused at the same moment may have told it first: the refusal is what counts.
                with suppress(Conflict):
                    tell(str(fault.values["key"]), zone_id=by.zone_id, now=now)
        raise


def tell(key: str, *, zone_id: int, now: datetime) -> None:
    """Raise the alert that a contract or invoice, known by its key, was to be financed a second time.

    Once per claim and zone: in the zone of the attempt to its officers, in that of the claim to the lender
    as well. Neither says who lends, and the firm is told nothing beyond the refusal.
    """
    with transaction() as session:
        found = select(Financing).where(
            (Financing.key == key) | (Financing.live_key == key), Financing.ended_at.is_(None)
        )
        claim = session.scalar(found.order_by(Financing.key != key, Financing.id).limit(1))
        if claim is None:
            # It ended meanwhile: nobody holds anything any more.
            return
        loan = _find_loan(session, claim)
        home = loan.zone_id if loan is not None else zone_id
        for place in sorted({zone_id, home}):
            alerts.raise_alert(
                session,
                place,
                AlertKind.FINANCING_REFUSED,
                f"financing:{claim.id}/{place}",
                now=now,
                # Only whoever is told of the loan in its own zone may be led to it.
                loan_id=loan.id if loan is not None and place == home else None,
                number=_read_number(session, claim),
            )


def _find_loan(session: Session, claim: Financing) -> Loan | None:
    leaning = select(LoanReceivable.loan_id).where(LoanReceivable.financing_id == claim.id)
    on_it = Loan.id.in_(leaning) if claim.contract_id is None else Loan.contract_id == claim.contract_id
    found = select(Loan).where(on_it, Loan.lender_id == claim.lender_id, Loan.state.in_(LIVE_LOANS))
    return session.scalar(found.order_by(Loan.id.desc()).limit(1))


def _read_number(session: Session, claim: Financing) -> str:
    if claim.receivable is not None:
        return claim.receivable.invoice_number
    return session.get_one(Contract, claim.contract_id).number
