"""The ladder of a contract as a story: what was done, on which evidence, what waits, what comes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask_babel import gettext

from blueprints import formats, labels
from market import contract_loan
from market.vocabulary import ContractStage
from models.contract import Contract, ContractStep
from services import contract_steps, users


def tell(contract: Contract) -> list[dict[str, Any]]:
    """Return every rung for the timeline: climbed ones with evidence, the waiting one, those to come.

    A contract that nobody lends on ends its story where it stands.
    """
    by_stage: dict[ContractStage, list[ContractStep]] = defaultdict(list)
    for step in contract.steps:
        by_stage[step.stage].append(step)
    told: list[dict[str, Any]] = []
    for stage in contract_loan.LADDER:
        steps = by_stage[stage]
        if steps:
            told.extend(_tell_step(step) for step in steps)
        elif stage is ContractStage.AWARDED:
            told.append({"title": str(labels.label(stage)), "state": "done"})
        elif not contract_loan.has_reached(contract.stage, stage):
            told.append({"title": str(labels.label(stage)), "state": "next"})
    return told


def tell_undone(contract: Contract) -> list[dict[str, Any]]:
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


def _tell_step(step: ContractStep) -> dict[str, Any]:
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


def _describe(step: ContractStep) -> str:
    details = step.details
    said = [step.evidence] if step.evidence else []
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
    if details.get("amount"):
        said.append(formats.money_text(int(details["amount"])))
    return " · ".join(said)


def _name(user_id: int | None) -> str | None:
    user = users.find(user_id) if user_id is not None else None
    return user.name if user is not None else None
