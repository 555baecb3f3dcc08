"""The ladder of a contract as a story: what was done, on which evidence, what waits, what comes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import gettext

from blueprints import formats, labels
from market import contract_loan
from market.calendar import local_date
from market.ladder_vocabulary import AccountChangeState, Deadline
from market.party import Party
from market.vocabulary import ContractStage
from models.account_change import AccountChange
from models.contract import Contract, ContractStep
from models.termination import Termination
from services import account_changes, contract_steps, side_states, terminations, users

Item = dict[str, Any]


def tell(contract: Contract, *, by: Party) -> list[Item]:
    """Return every rung for the timeline: climbed ones with evidence, the waiting one, those to come.

    Changes of the account and an early end stand between them by their day, as far as the party may know.
    """
    dated: list[tuple[date, int, int, Item]] = []
    waiting: list[Item] = []
    deadlines = {mark.deadline: mark for mark in side_states.list_deadlines(contract)}
    late = deadlines.get(Deadline.FILING)
    for step in contract.steps:
        if step.needs_confirmation and step.confirmed_by is None:
            waiting.append(_tell_step(step))
            continue
        item = _tell_step(step)
        if step.stage is ContractStage.FILED and late is not None and late.is_late:
            item["text"] = _join(item["text"], gettext("late: due by %(day)s", day=formats.day(late.due_on)))
        dated.append((step.happened_on, contract_loan.LADDER.index(step.stage), 0, item))
    for change in account_changes.list_all(contract, by=by):
        if change.state is AccountChangeState.DONE and change.published_at is not None:
            place = _find_place(contract, change.published_at)
            dated.append((local_date(change.published_at), place, 1, _tell_change(change)))
    ended = terminations.find(contract.id)
    if ended is not None:
        dated.append((ended.terminated_on, _find_place(contract, ended.recorded_at), 1, _tell_end(ended)))
    told = [item for *_, item in sorted(dated, key=lambda entry: entry[:3])]
    if not any(step.stage is ContractStage.AWARDED for step in contract.steps):
        told.insert(0, {"title": str(labels.label(ContractStage.AWARDED)), "state": "done"})
    return told + waiting + _tell_next(contract, {step.stage for step in contract.steps})


def tell_undone(contract: Contract) -> list[Item]:
    """Return the steps that no longer count, for a timeline of their own."""
    return [
        {
            "title": str(labels.label(step.stage)),
            "when": step.undone_at,
            "by": _name(step.undone_by),
            "text": step.undone_why,
            "state": "danger",
        }
        for step in contract_steps.list_undone(contract.id)
    ]


def _tell_next(contract: Contract, told: set[ContractStage]) -> list[Item]:
    """Return the rungs to come, the nearest with who climbs it; none where a contract ended undrawn."""
    is_over = contract.terminated_on is not None and not contract_loan.has_reached(
        contract.stage, ContractStage.DRAWN
    )
    items: list[Item] = []
    for stage in contract_loan.LADDER:
        if is_over or stage in told or contract_loan.has_reached(contract.stage, stage):
            continue
        item: Item = {"title": str(labels.label(stage)), "state": "next"}
        if not items:
            item["text"] = _say_who(stage)
        items.append(item)
    return items


def _say_who(stage: ContractStage) -> str:
    s = ContractStage
    words = {
        s.SIGNED: gettext("Next: recorded by the supplier or an officer."),
        s.FILED: gettext("Next: recorded by the supplier or an officer, with the number of the filing."),
        s.INTENT: gettext("Next: the supplier posts a need against this contract."),
        s.CREDITED: gettext("Next: the supplier accepts an offer."),
        s.ACCOUNT_LOCKED: gettext("Next: recorded by the lender, confirmed by a second person."),
        s.PLEDGE_REGISTERED: gettext("Next: recorded by the lender, with number and expiry."),
        s.DRAWN: gettext("Next: asked for by the lender, confirmed by another person of it."),
        s.PURCHASER_PAID: gettext("Next: the purchaser pays into the locked account."),
        s.REPAID: gettext("Next: follows from the payments."),
        s.PLEDGE_CANCELLED: gettext("Next: recorded by the lender once everything is repaid."),
        s.UNLOCKED: gettext("Next: recorded by the lender."),
    }
    return words.get(stage, "")


def _find_place(contract: Contract, moment: datetime) -> int:
    """Return the highest rung that was on record at a moment: what happened then follows it on its day."""
    known = [step.stage for step in contract.steps if step.recorded_at <= moment]
    return max(map(contract_loan.LADDER.index, known), default=0)


def _tell_step(step: ContractStep) -> Item:
    waiting = step.needs_confirmation and step.confirmed_by is None
    people = [name for name in (_name(step.recorded_by), _name(step.confirmed_by)) if name]
    return {
        "title": str(labels.label(step.stage))
        + (" · " + gettext("waits for a second person") if waiting else ""),
        "when": step.happened_on,
        "by": gettext(" and ").join(people),
        "text": _describe(step),
        "state": "now" if waiting else "done",
    }


def _tell_change(change: AccountChange) -> Item:
    people = (change.requested_by, change.purchaser_agreed_by, change.lender_agreed_by)
    return {
        "title": gettext("Payee account changed"),
        "when": change.published_at,
        "by": gettext(", ").join(name for name in map(_name, people) if name),
        "text": _join(
            change.evidence,
            gettext("From %(old)s to %(new)s", old=change.old_account, new=change.new_account),
            change.reason,
        ),
        "state": "done",
    }


def _tell_end(ended: Termination) -> Item:
    return {
        "title": gettext("Contract terminated"),
        "when": ended.terminated_on,
        "by": _name(ended.recorded_by),
        "text": _join(ended.evidence, ended.reason),
        "state": "danger",
    }


def _describe(step: ContractStep) -> str:
    details = step.details
    said = [step.evidence]
    if details.get("payee_account"):
        said.append(
            gettext(
                "Account %(account)s, %(bank)s",
                account=details["payee_account"],
                bank=details.get("payee_bank") or formats.ABSENT,
            )
        )
    if details.get("pledge_number"):
        said.append(
            gettext(
                "Registration %(number)s, valid until %(day)s",
                number=details["pledge_number"],
                day=details.get("expires_on") or formats.ABSENT,
            )
        )
    if details.get("published_on"):
        said.append(gettext("Published on %(day)s", day=details["published_on"]))
    if details.get("amount"):
        said.append(formats.money_text(int(details["amount"])))
    return _join(*said)


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _name(user_id: int | None) -> str | None:
    user = users.find(user_id) if user_id is not None else None
    return user.name if user is not None else None
