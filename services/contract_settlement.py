"""What a purchaser's payments do to the loans on its contract: interest and principal first, the rest onward.

The payments that count are shared out over all loans of the contract from the beginning each time, in the
order of their days: whatever became known late, the loans end as if it had been known in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime

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

#: A loan, and a day on which purchasers paid.
_Place = tuple[int, date]


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
    standing = [
        (loan, event)
        for loan in loans
        for event in loan_book.list_standing(loan)
        if event.payment_id is not None
    ]
    wanted = _share(loans, payments, [event for _, event in standing])
    former: dict[_Place, list[LoanEvent]] = defaultdict(list)
    for loan, event in standing:
        former[loan.id, event.effective_on].append(event)
    latter: dict[_Place, list[tuple[int, int]]] = defaultdict(list)
    for (loan_id, payment_id), amount in wanted.items():
        paid_on = payments[str(payment_id)].paid_on
        assert paid_on is not None
        latter[loan_id, paid_on].append((payment_id, amount))
    written: dict[int, LoanEvent] = {}
    by_id = {loan.id: loan for loan in loans}
    afresh: list[tuple[Loan, date, int, int]] = []
    for place in sorted(former.keys() | latter.keys()):
        loan, on = by_id[place[0]], place[1]
        kept = _count_alike(former[place], latter[place])
        # Receipts of one day are split in the order of writing: behind a change all are written anew.
        for event in former[place][kept:]:
            undo = Event(number=0, kind=LoanEventKind.UNDO, on=on)
            written[loan.id] = loan_book.note(session, loan, undo, by=by, now=now, undoes=event)
        afresh += [(loan, on, payment_id, amount) for payment_id, amount in latter[place][kept:]]
    for loan, on, payment_id, amount in afresh:
        receipt = Event(number=0, kind=LoanEventKind.RECEIPT, on=on, amount=amount, source="purchaser")
        reference = f"payment:{payment_id}/{loan.id}"
        written[loan.id] = loan_book.note(
            session, loan, receipt, by=by, now=now, reference=reference, payment_id=payment_id
        )
    return written


def _count_alike(former: list[LoanEvent], latter: list[tuple[int, int]]) -> int:
    """Return how many receipts of a day, from its first, stay as they are written."""
    count = 0
    for event, wanted in zip(former, latter, strict=False):
        if (event.payment_id, event.amount) != wanted:
            break
        count += 1
    return count


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
