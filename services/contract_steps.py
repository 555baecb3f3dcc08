"""Steps on the ladder of the contract loan: recorded with evidence, confirmed by a second person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan, step_details
from market.calendar import local_date
from market.errors import Code, Fault, Forbidden, MarketError, conflict, invalid, not_found
from market.ladder_vocabulary import PledgeEnd
from market.party import Party
from market.step_details import StepDetails
from market.vocabulary import LIVE_LOANS, Capability, ContractStage
from models.base import db, transaction
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.loan import Loan
from services import audit, collateral

#: Steps that people record; the others follow from awards, drawdowns and payments.
BY_HAND = frozenset(
    {
        ContractStage.SIGNED,
        ContractStage.FILED,
        ContractStage.ACCOUNT_LOCKED,
        ContractStage.PLEDGE_REGISTERED,
        ContractStage.PLEDGE_CANCELLED,
        ContractStage.UNLOCKED,
    }
)
_BY_LENDER = frozenset(
    {
        ContractStage.ACCOUNT_LOCKED,
        ContractStage.PLEDGE_REGISTERED,
        ContractStage.PLEDGE_CANCELLED,
        ContractStage.UNLOCKED,
    }
)


def record(
    contract_id: int,
    stage: ContractStage,
    happened_on: date,
    *,
    by: Party,
    now: datetime,
    evidence: str = "",
    payee_account: str | None = None,
    payee_bank: str | None = None,
    pledge_number: str | None = None,
    pledge_expires_on: date | None = None,
    published_on: date | None = None,
) -> ContractStep:
    """Record one step of a contract with its evidence (``contract_loan.EVIDENCE``).

    The lender records lock, pledge and their release; the supplier or an officer signing and filing, the
    latter with the day the contract was published, even after a higher rung. An account lock counts only
    after another person confirmed it (``confirm``). No step is dated before those under it.
    """
    if stage not in BY_HAND:
        raise invalid(Code.NOT_A_CHOICE, "stage", value=stage.value, choices=sorted(BY_HAND))
    given = StepDetails(
        evidence.strip(),
        (payee_account or "").strip(),
        payee_bank,
        (pledge_number or "").strip(),
        pledge_expires_on,
        published_on,
    )
    step_details.check(stage, given, happened_on, local_date(now))
    with transaction() as session:
        contract = lock(session, contract_id, by)
        _check_actor(session, contract, stage, by)
        climbed = _list_standing(session, contract.id)
        catches_up = contract_loan.may_catch_up(contract.stage, stage, [step.stage for step in climbed])
        if not catches_up:
            contract_loan.check_step(contract.stage, stage)
            if _pending(session, contract.id) is not None:
                raise conflict(Code.NOT_LOCKED)
        contract_loan.check_day(
            stage, happened_on, [(step.stage, step.happened_on) for step in climbed], contract.signed_on
        )
        if stage is ContractStage.PLEDGE_CANCELLED and has_live_loan(session, contract.id):
            raise conflict(Code.ILLEGAL_MOVE, "stage", state=contract.stage.value, move=stage.value)
        waits = stage in contract_loan.CONFIRMED_BY_TWO
        step = ContractStep(
            contract_id=contract.id,
            stage=stage,
            happened_on=happened_on,
            evidence=given.evidence,
            details=step_details.write(stage, given),
            needs_confirmation=waits,
            recorded_by=by.user_id,
            recorded_at=now,
        )
        session.add(step)
        _take_effect(session, contract, step, given, by, now)
        if not waits and not catches_up:
            contract.stage = stage
        contract.updated_at = now
        audit.record(session, f"contract.{stage.value}", contract, by=by, now=now)
    return step


def confirm(step_id: int, *, by: Party, now: datetime) -> ContractStep:
    """Confirm an account lock as a second person: the purchaser, the lender's approver or an officer."""
    seen = db.session.get(ContractStep, step_id)
    if seen is None:
        raise not_found("step", step_id)
    contract_id = seen.contract_id
    with transaction() as session:
        contract = lock(session, contract_id, by)
        step = _waiting(session, step_id, "confirm")
        if step.recorded_by == by.user_id:
            raise Forbidden(Fault(Code.SAME_PERSON))
        if not may_confirm(contract, step, by):
            by.require(Capability.OFFICER)
        contract_loan.check_step(contract.stage, step.stage)
        step.confirmed_by, step.confirmed_at = by.user_id, now
        contract.payee_account = step.details.get("payee_account")
        contract.payee_bank = step.details.get("payee_bank")
        contract.stage, contract.updated_at = step.stage, now
        audit.record(session, f"contract.{step.stage.value}.confirm", contract, by=by, now=now)
    return step


def reject(step_id: int, why: str, *, by: Party, now: datetime) -> ContractStep:
    """Turn down a waiting step, saying why, or take back one's own; it stays on record and can be done anew.

    Whoever may confirm may turn down; nothing is deleted, and the contract stays on its rung.
    """
    why = why.strip()
    if not why:
        raise invalid(Code.REQUIRED, "why")
    seen = db.session.get(ContractStep, step_id)
    if seen is None:
        raise not_found("step", step_id)
    contract_id = seen.contract_id
    with transaction() as session:
        contract = lock(session, contract_id, by)
        step = _waiting(session, step_id, "reject")
        if not may_reject(contract, step, by):
            by.require(Capability.OFFICER)
        step.undone_by, step.undone_at, step.undone_why = by.user_id, now, why
        contract.updated_at = now
        audit.record(session, f"contract.{step.stage.value}.reject", contract, by=by, now=now, step=step.id)
    return step


def list_undone(contract_id: int) -> list[ContractStep]:
    """Return the steps of a contract that no longer count, oldest first: turned down, or gone with a loan."""
    return list(
        db.session.scalars(
            select(ContractStep)
            .where(ContractStep.contract_id == contract_id, ContractStep.undone_at.is_not(None))
            .order_by(ContractStep.id)
        )
    )


def list_possible(contract: Contract, by: Party) -> list[ContractStage]:
    """Return the steps that the party may record on a contract now, in the order of the ladder.

    While a step waits for its second person nothing can be recorded but what was passed over.
    """
    session = db.session()
    climbed = [step.stage for step in contract.steps]
    nexts = [] if _pending(session, contract.id) is not None else contract_loan.following(contract.stage)
    possible = []
    for stage in contract_loan.LADDER:
        if stage not in BY_HAND or not (
            stage in nexts or contract_loan.may_catch_up(contract.stage, stage, climbed)
        ):
            continue
        try:
            _check_actor(session, contract, stage, by)
        except MarketError:
            continue
        possible.append(stage)
    return possible


def find_pending(contract_id: int) -> ContractStep | None:
    """Return the step of a contract that waits for a second person, or None."""
    return _pending(db.session(), contract_id)


def may_confirm(contract: Contract, step: ContractStep, by: Party) -> bool:
    """Say whether the party is the second person that a waiting step asks for."""
    if step.recorded_by == by.user_id:
        return False
    if contract.purchaser_id == by.organisation_id and by.may(Capability.PURCHASER):
        return True
    if find_lender(db.session(), contract.id) == by.organisation_id and by.may(
        Capability.INSTITUTION_APPROVER
    ):
        return True
    return by.may(Capability.OFFICER)


def may_reject(contract: Contract, step: ContractStep, by: Party) -> bool:
    """Say whether the party may turn a waiting step down: its second person, or whoever recorded it."""
    return step.recorded_by == by.user_id or may_confirm(contract, step, by)


def step_back(session: Session, contract: Contract, *, why: str, by: Party | None, now: datetime) -> None:
    """Undo what a lender did on a contract that it no longer lends on, inside the caller's transaction.

    Another lender must not draw on the account and pledge of this one. Steps stay on record as undone;
    only what stood before the credit counts on.
    """
    kept = [ContractStage.AWARDED]
    for step in _list_standing(session, contract.id):
        if contract_loan.has_reached(step.stage, ContractStage.CREDITED):
            step.undone_by, step.undone_at = by.user_id if by is not None else None, now
            step.undone_why = why
        else:
            kept.append(step.stage)
    contract.stage, contract.updated_at = max(kept, key=contract_loan.LADDER.index), now
    contract.payee_account = contract.payee_bank = None
    contract.pledge_number = contract.pledge_expires_on = None
    collateral.end_pledge(session, contract, PledgeEnd.LOAN_CANCELLED, now)
    collateral.drop_change(session, contract, why, now)
    session.flush()


def reopen(session: Session, contract: Contract, *, why: str, by: Party | None, now: datetime) -> None:
    """Take back that everything was repaid, inside the caller's transaction: something is owed again."""
    step = session.scalar(
        select(ContractStep)
        .where(
            ContractStep.contract_id == contract.id,
            ContractStep.stage == ContractStage.REPAID,
            ContractStep.undone_at.is_(None),
        )
        .order_by(ContractStep.id.desc())
    )
    if step is not None:
        step.undone_by, step.undone_at = by.user_id if by is not None else None, now
        step.undone_why = why
    session.flush()
    standing = [step.stage for step in _list_standing(session, contract.id)]
    reached = [stage for stage in standing if stage is not ContractStage.REPAID]
    contract.stage, contract.updated_at = max(reached, key=contract_loan.LADDER.index), now
    session.flush()


def climb_to(
    session: Session,
    contract: Contract,
    stage: ContractStage,
    *,
    by: Party | None,
    now: datetime,
    happened_on: date | None = None,
    **details: Any,
) -> None:
    """Climb to a rung that follows from a deed elsewhere, filling the early rungs it implies.

    Inside the caller's transaction. A contract that stands above the rung already stays there; a
    repeating rung is noted every time. ``happened_on`` is the day of the deed where it is not today.
    """
    if contract_loan.has_reached(contract.stage, stage) and stage not in contract_loan.REPEATING:
        return
    if (
        not contract_loan.has_reached(contract.stage, ContractStage.SIGNED)
        and stage is not ContractStage.SIGNED
    ):
        # Whoever lends on a contract has seen it signed.
        climb_to(session, contract, ContractStage.SIGNED, by=by, now=now)
    contract_loan.check_step(contract.stage, stage)
    session.add(
        ContractStep(
            contract_id=contract.id,
            stage=stage,
            happened_on=contract.signed_on
            if stage is ContractStage.SIGNED and contract.signed_on
            else happened_on or local_date(now),
            details=details,
            recorded_by=by.user_id if by is not None else None,
            recorded_at=now,
        )
    )
    contract.stage, contract.updated_at = stage, now


def lock(session: Session, contract_id: int, by: Party) -> Contract:
    """Return the contract under its row lock, if it is in the party's zone (else ``NotFound``)."""
    contract = session.get(Contract, contract_id, with_for_update=True)
    if contract is None or contract.zone_id != by.zone_id:
        raise not_found("contract", contract_id)
    return contract


def find_lender(session: Session, contract_id: int) -> int | None:
    """Return the organisation that finances a contract now, or None."""
    return session.scalar(
        select(Financing.lender_id).where(Financing.contract_id == contract_id, Financing.ended_at.is_(None))
    )


def has_live_loan(session: Session, contract_id: int, *, besides: int | None = None) -> bool:
    """Say whether a contract carries a loan that is not over, other than the one ``besides``."""
    query = select(Loan.id).where(Loan.contract_id == contract_id, Loan.state.in_(LIVE_LOANS))
    if besides is not None:
        query = query.where(Loan.id != besides)
    return session.scalar(query.limit(1)) is not None


def find_financing(session: Session, contract_id: int) -> Financing | None:
    """Return the live claim on a contract under its row lock, or None."""
    return session.scalar(
        select(Financing)
        .where(Financing.contract_id == contract_id, Financing.ended_at.is_(None))
        .with_for_update()
    )


def _check_actor(session: Session, contract: Contract, stage: ContractStage, by: Party) -> None:
    if stage in _BY_LENDER:
        by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        if find_lender(session, contract.id) != by.organisation_id:
            raise not_found("contract", contract.id)
        return
    if contract.supplier_id == by.organisation_id:
        by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
        return
    by.require(Capability.OFFICER)


def _take_effect(
    session: Session,
    contract: Contract,
    step: ContractStep,
    given: StepDetails,
    by: Party,
    now: datetime,
) -> None:
    """Do what a step brings about beside the rung itself."""
    if step.stage is ContractStage.SIGNED and contract.signed_on is None:
        contract.signed_on = step.happened_on
    elif step.stage is ContractStage.FILED and given.published_on is not None:
        if contract.signed_on is not None and given.published_on < contract.signed_on:
            values = {"value": str(given.published_on), "after": str(contract.signed_on)}
            raise invalid(Code.OUT_OF_ORDER, "published_on", **values)
        contract.published_on = given.published_on
    elif step.stage is ContractStage.PLEDGE_REGISTERED:
        assert given.pledge_number is not None and given.pledge_expires_on is not None, "evidence is checked"
        number, until = given.pledge_number, given.pledge_expires_on
        collateral.pledge(session, contract, number, step.happened_on, until, step.evidence, by=by, now=now)
    elif step.stage is ContractStage.PLEDGE_CANCELLED:
        collateral.end_pledge(session, contract, PledgeEnd.CANCELLED, now)
    elif step.stage is ContractStage.UNLOCKED:
        collateral.drop_change(session, contract, "released", now)
        financing = find_financing(session, contract.id)
        if financing is not None:
            financing.ended_at = now


def _list_standing(session: Session, contract_id: int) -> list[ContractStep]:
    return list(
        session.scalars(
            select(ContractStep)
            .where(ContractStep.contract_id == contract_id, ContractStep.undone_at.is_(None))
            .order_by(ContractStep.id)
        )
    )


def _pending(session: Session, contract_id: int) -> ContractStep | None:
    return session.scalar(
        select(ContractStep).where(
            ContractStep.contract_id == contract_id,
            ContractStep.needs_confirmation,
            ContractStep.confirmed_by.is_(None),
            ContractStep.undone_at.is_(None),
        )
    )


def _waiting(session: Session, step_id: int, move: str) -> ContractStep:
    step = session.get_one(ContractStep, step_id)
    if not step.needs_confirmation or step.confirmed_by is not None or step.undone_at is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=step.stage.value, move=move)
    return step
