"""Drawdowns: paid out in one sum or in tranches; on a contract only once a second person has agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market.calendar import local_date
from market.errors import Code, Fault, Forbidden, conflict, invalid, not_found
from market.ledger.events import Event
from market.lending_vocabulary import DealKind, DrawdownState, LoanEventKind
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, ContractStage, LoanState
from models.base import db, transaction
from models.contract import Contract
from models.loan import DrawdownRequest, Loan
from services import audit, claims, contract_loans, contract_steps, exposures, loan_book, loans, renewals
from services.refused_financings import telling

_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
_MOST_EVIDENCE = 300


def ask(
    loan_id: int,
    drawn_on: date,
    *,
    by: Party,
    now: datetime,
    amount: int | None = None,
    evidence: str = "",
    payee_account: str = "",
) -> Loan:
    """Record that the lender pays out ``amount`` fen of a loan, or all that is left of it.

    A bridge loan names the account it is paid to: the maturing loan's, and no other (``renewals``).

    Where the loan leans on a contract it only waits then for a second person (``confirm``). Raises
    ``Invalid`` for a day that has not come or lies before the approval, ``Conflict`` for a deal of which
    nothing can be drawn.
    """
    by.require(*_LENDER)
    seen = loans.find_own(loan_id, by)
    evidence = read_remark(evidence, "evidence", _MOST_EVIDENCE, required=False)
    contract_id = seen.contract_id
    with telling(by=by, now=now), transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        contract = contract_steps.lock(session, contract_id, by) if contract_id is not None else None
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        asked = count_left(loan) if amount is None else amount
        _check(session, loan, contract, asked, drawn_on, now)
        if loan.kind is DealKind.BRIDGE:
            renewals.check_drawdown(session, loan, asked, drawn_on, payee_account)
        if contract is None:
            _pay_out(session, loan, None, asked, drawn_on, evidence, by=by, now=now)
            return loan
        if find_waiting(loan.id) is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=DrawdownState.REQUESTED.value, move="draw")
        assert by.user_id is not None
        request = DrawdownRequest(
            loan_id=loan.id,
            amount=asked,
            drawn_on=drawn_on,
            evidence=evidence,
            requested_by=by.user_id,
            requested_at=now,
        )
        session.add(request)
        audit.record(session, "drawdown.request", request, by=by, now=now, amount=asked)
    return loan


def confirm(request_id: int, *, by: Party, now: datetime) -> Loan:
    """Agree, as another person of the lender, that a drawdown on a contract is paid out."""
    by.require(Capability.INSTITUTION_APPROVER)
    seen = find(request_id, by=by)
    loan_id, contract_id = seen.loan_id, seen.loan.contract_id
    with telling(by=by, now=now), transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        contract = contract_steps.lock(session, contract_id, by) if contract_id is not None else None
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        request = _waiting(session, request_id, "confirm")
        if request.requested_by == by.user_id:
            raise Forbidden(Fault(Code.SAME_PERSON))
        # What held when it was asked for may not hold any more.
        _check(session, loan, contract, request.amount, request.drawn_on, now)
        request.state, request.decided_by, request.decided_at = DrawdownState.PAID_OUT, by.user_id, now
        _pay_out(
            session,
            loan,
            contract,
            request.amount,
            request.drawn_on,
            request.evidence,
            by=by,
            now=now,
            requested_by=request.requested_by,
        )
    return loan


def refuse(request_id: int, why: str, *, by: Party, now: datetime) -> DrawdownRequest:
    """Turn a waiting drawdown down, saying why, or take back one's own; it can be asked for anew."""
    by.require(*_LENDER)
    why = read_remark(why, "why", _MOST_EVIDENCE)
    seen = find(request_id, by=by)
    if seen.requested_by != by.user_id:
        by.require(Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        request = _waiting(session, request_id, "refuse")
        # Whoever takes back the own request decided nothing: the second person did not speak.
        request.decided_by = by.user_id if request.requested_by != by.user_id else None
        request.state, request.decided_at, request.why = DrawdownState.REFUSED, now, why
        audit.record(session, "drawdown.refuse", request, by=by, now=now, why=why)
    return request


def release(loan_id: int, *, by: Party, now: datetime, evidence: str = "") -> Loan:
    """Give up what was approved and will not be drawn any more, and close a revolving line to new draws.

    Raises ``Conflict`` where nothing is left to draw, or where nothing was drawn yet: that is a cancellation.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    seen = loans.find_own(loan_id, by)
    evidence = read_remark(evidence, "evidence", _MOST_EVIDENCE, required=False)
    contract_id = seen.contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        left = count_left(loan)
        if loan.state is not LoanState.DRAWN or left == 0 or find_waiting(loan.id) is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="release")
        event = Event(number=0, kind=LoanEventKind.RELEASE, on=local_date(now), amount=left)
        cause = loan_book.note(session, loan, event, by=by, now=now, evidence=evidence)
        loans.follow(session, loan, by=by, now=now, cause=cause)
        audit.record(session, "loan.release", loan, by=by, now=now, amount=left)
    return loan


def count_left(loan: Loan) -> int:
    """Return the fen of a deal that can still be drawn: none of one that is over."""
    if loan.state is LoanState.APPROVED:
        return loan.principal
    return max(loan.bound - loan.outstanding, 0) if loan.state is LoanState.DRAWN else 0


def find(request_id: int, *, by: Party) -> DrawdownRequest:
    """Return a drawdown that was asked for to its lender; raises ``NotFound`` to everybody else."""
    request = db.session.get(DrawdownRequest, request_id)
    if request is None or (request.loan.zone_id, request.loan.lender_id) != (by.zone_id, by.organisation_id):
        raise not_found("drawdown", request_id)
    return request


def find_waiting(loan_id: int) -> DrawdownRequest | None:
    """Return the drawdown of a loan that waits for its second person, or None."""
    return db.session.scalar(
        select(DrawdownRequest).where(
            DrawdownRequest.loan_id == loan_id, DrawdownRequest.state == DrawdownState.REQUESTED
        )
    )


def may_confirm(request: DrawdownRequest, by: Party) -> bool:
    """Say whether the party is the second person that a waiting drawdown asks for."""
    return (
        request.loan.lender_id == by.organisation_id
        and request.requested_by != by.user_id
        and by.may(Capability.INSTITUTION_APPROVER)
    )


def list_waiting(by: Party) -> Sequence[DrawdownRequest]:
    """Return the drawdowns of the party's institution that wait for a second person, oldest first."""
    return list(
        db.session.scalars(
            select(DrawdownRequest)
            .join(DrawdownRequest.loan)
            .where(
                Loan.zone_id == by.zone_id,
                Loan.lender_id == by.organisation_id,
                DrawdownRequest.state == DrawdownState.REQUESTED,
            )
            .options(joinedload(DrawdownRequest.loan).joinedload(Loan.borrower))
            .order_by(DrawdownRequest.id)
        )
    )


def _check(
    session: Session, loan: Loan, contract: Contract | None, amount: int, drawn_on: date, now: datetime
) -> None:
    today, approved_on = local_date(now), local_date(loan.approved_at)
    left = count_left(loan)
    if left == 0:
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="draw")
    if drawn_on > today:
        raise invalid(Code.TOO_LARGE, "drawn_on", value=str(drawn_on), most=str(today))
    if drawn_on < approved_on:
        raise invalid(Code.OUT_OF_ORDER, "drawn_on", value=str(drawn_on), after=str(approved_on))
    if amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=amount, least=1)
    if amount > left:
        raise invalid(Code.TOO_LARGE, "amount", value=amount, most=left)
    claims.check_drawdown(session, loan, contract, drawn_on)


def _pay_out(
    session: Session,
    loan: Loan,
    contract: Contract | None,
    amount: int,
    drawn_on: date,
    evidence: str,
    *,
    by: Party,
    now: datetime,
    requested_by: int | None = None,
) -> None:
    event = Event(number=0, kind=LoanEventKind.DRAWDOWN, on=drawn_on, amount=amount)
    cause = loan_book.note(session, loan, event, by=by, now=now, evidence=evidence, asked_by=requested_by)
    if contract is not None:
        contract_steps.climb_to(
            session,
            contract,
            ContractStage.DRAWN,
            by=by,
            now=now,
            happened_on=drawn_on,
            loan=loan.id,
            amount=amount,
        )
    loans.follow(session, loan, by=by, now=now, cause=cause)
    if contract is not None:
        contract_loans.settle_waiting(session, contract, by=by, now=now)
    audit.record(session, "loan.draw", loan, by=by, now=now, on=drawn_on.isoformat(), amount=amount)


def _waiting(session: Session, request_id: int, move: str) -> DrawdownRequest:
    request = session.get_one(DrawdownRequest, request_id, with_for_update=True)
    if request.state is not DrawdownState.REQUESTED:
        raise conflict(Code.ILLEGAL_MOVE, state=request.state.value, move=move)
    return request
