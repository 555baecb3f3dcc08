"""What a purchaser's payments do to the loans on its contract: interest and principal first, the rest onward.

The payments that count are shared out over all loans of the contract from the beginning each time, in the
order of their days: whatever became known late, the loans end as if it had been known in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan
from market.errors import Code, conflict
from market.ledger.events import Event
from market.ledger.waterfall import share_out
from market.lending_vocabulary import LoanEventKind
from market.party import Party
from market.vocabulary import LIVE_LOANS, ContractStage, LoanState
from models.contract import Contract
from models.loan import Loan, LoanEvent
from models.payment import PurchaserPayment
from services import claims, contract_steps, loan_book

#: Loans that something may have happened to.
_OUT = (LoanState.APPROVED, LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)


def settle(
    session: Session,
    contract: Contract,
    *,
    by: Party | None,
    now: datetime,
    causes: Mapping[int, LoanEvent | None] | None = None,
) -> None:
    """Let every loan on a contract follow from its events and from the payments that count (``settled_at``).

    ``causes`` are events just written, by loan. The caller holds the locks of limits and contract. Raises
    ``Conflict`` where a loan would be owed again whose pledge is cancelled already.
    """
    causes = causes or {}
    loans = list(
        session.scalars(
            select(Loan)
            .where(Loan.contract_id == contract.id, Loan.state.in_(_OUT))
            .order_by(Loan.id)
            .with_for_update()
        )
    )
    loans = [loan for loan in loans if loan.events]
    changed: dict[int, LoanEvent | None] = {**causes, **_redirect(session, contract, loans, by=by, now=now)}
    for loan in loans:
        if loan.id in changed:
            loan_book.follow(session, loan, now=now, cause=changed[loan.id])
    _climb(session, contract, loans, by=by, now=now)


def _redirect(
    session: Session, contract: Contract, loans: list[Loan], *, by: Party | None, now: datetime
) -> dict[int, LoanEvent]:
    """Write down what each payment pays of each loan now; return the last event written, by loan."""
    payments = {
        str(row.id): row
        for row in session.scalars(
            select(PurchaserPayment).where(
                PurchaserPayment.contract_id == contract.id,
                PurchaserPayment.settled_at.is_not(None),
                PurchaserPayment.paid_on.is_not(None),
            )
        )
    }
    standing = {
        (loan.id, event.payment_id): event
        for loan in loans
        for event in loan_book.list_standing(loan)
        if event.payment_id is not None
    }
    wanted = _share(loans, payments, list(standing.values()))
    written: dict[int, LoanEvent] = {}
    by_id = {loan.id: loan for loan in loans}
    for (loan_id, payment_id), former in standing.items():
        if wanted.get((loan_id, payment_id)) != former.amount:
            undo = Event(number=0, kind=LoanEventKind.UNDO, on=former.effective_on)
            written[loan_id] = loan_book.note(session, by_id[loan_id], undo, by=by, now=now, undoes=former)
    for (loan_id, payment_id), amount in wanted.items():
        before = standing.get((loan_id, payment_id))
        if before is not None and before.amount == amount:
            continue
        payment = payments[str(payment_id)]
        assert payment.paid_on is not None
        receipt = Event(
            number=0, kind=LoanEventKind.RECEIPT, on=payment.paid_on, amount=amount, source="purchaser"
        )
        written[loan_id] = loan_book.note(
            session,
            by_id[loan_id],
            receipt,
            by=by,
            now=now,
            reference=f"payment:{payment_id}/{loan_id}",
            payment_id=payment_id,
        )
    return written


def _share(
    loans: list[Loan], payments: Mapping[str, PurchaserPayment], standing: list[LoanEvent]
) -> dict[tuple[int, int], int]:
    """Return how many fen each payment pays into each loan, what goes on to the supplier with the last."""
    ordered = sorted(payments, key=lambda key: (payments[key].paid_on, payments[key].transaction_id))
    deals = [(loan_book.read_deal(loan), loan_book.read_events(loan, standing)) for loan in loans]
    # The place in the order is the key: payments of one day go by what their sender called them.
    asked = [
        (f"{place:09d}", paid_on, payments[key].amount)
        for place, key in enumerate(ordered)
        if (paid_on := payments[key].paid_on) is not None
    ]
    shared = share_out(deals, asked)
    wanted: dict[tuple[int, int], int] = {}
    for place, key in enumerate(ordered):
        payment, parts = payments[key], shared.get(f"{place:09d}", [])
        left = payment.amount - sum(amount for _, amount in parts)
        for position, (index, amount) in enumerate(parts):
            is_last = position == len(parts) - 1
            wanted[loans[index].id, payment.id] = amount + (left if is_last else 0)
    return wanted


def _climb(
    session: Session, contract: Contract, loans: list[Loan], *, by: Party | None, now: datetime
) -> None:
    """Let the ladder stand where the loans stand."""
    live = [loan for loan in loans if loan.state in LIVE_LOANS]
    if live and contract_loan.has_reached(contract.stage, ContractStage.PLEDGE_CANCELLED):
        raise conflict(Code.ILLEGAL_MOVE, state=contract.stage.value, move="undo")
    if live and contract.stage is ContractStage.REPAID and any(loan.outstanding for loan in live):
        contract_steps.reopen(session, contract, why="owed_again", by=by, now=now)
    repaid = [loan for loan in loans if loan.state in (LoanState.REPAID, LoanState.WRITTEN_OFF)]
    if repaid and not live and contract_loan.has_reached(contract.stage, ContractStage.DRAWN):
        claims.finish(session, repaid[-1], by=by, now=now)
