"""What a firm has answered about a need so far: read from the draft, kept in the session, written back.

The first complete set of answers becomes a draft in the database; from then on each step is stored there.
Only what cannot be stored yet (a need without an amount, a step with a mistake in it) waits in the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import session

from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.vocabulary import OfferKind, Purpose, Repayment, Security
from models.need import Need
from services import visibility
from services.needs import Draft

_KEY = "need_answers"
#: A cookie holds about four thousand characters in all; a longer text is not kept aside.
_LONGEST_TYPED = 1200
#: Answers that a need cannot do without.
_ESSENTIAL = ("purpose", "amount", "months")

Answers = dict[str, Any]
#: What is assumed until the firm says otherwise.
USUAL: Answers = {
    "securities": [Security.UNSECURED.value],
    "accepts": [OfferKind.LOAN.value],
    "repayment": None,
    "reserve_rate": None,
    "minimum_bids": 3,
    "joins_matching": True,
    "shows_name": False,
    "description": "",
    "contract_id": None,
    "receivables": [],
    "bid_policy": BidPolicy.SEALED.value,
    "round_count": 1,
    "round_hours": 24,
    "few_bids": FewBids.OFFER.value,
    "visibility": Visibility.ALL.value,
    "audience": [],
    "syndicated": False,
}


def of_need(need: Need) -> Answers:
    """Return the answers a stored need holds, as JSON values."""
    return {
        "purpose": need.purpose.value,
        "amount": need.amount,
        "months": need.months,
        "repayment": need.repayment.value if need.repayment else None,
        "securities": list(need.securities),
        "accepts": list(need.accepts),
        "reserve_rate": str(need.reserve_rate) if need.reserve_rate is not None else None,
        "minimum_bids": need.minimum_bids,
        "joins_matching": need.joins_matching,
        "shows_name": need.shows_name,
        "description": need.description,
        "contract_id": need.contract_id,
        "receivables": [row.id for row in need.receivables],
        "bid_policy": need.bid_policy.value,
        "round_count": need.round_count,
        "round_hours": need.round_hours,
        "few_bids": need.few_bids.value,
        "visibility": need.visibility.value,
        "audience": visibility.list_ids(need.id),
        "syndicated": need.syndicated,
    }


def known(need: Need | None) -> Answers:
    """Return every answer so far: the usual ones, the draft's, and those that wait in the session."""
    return USUAL | (of_need(need) if need is not None else {}) | _slot(need).get("kept", {})


def is_complete(answers: Answers) -> bool:
    """Say whether a draft can be stored."""
    return all(answers.get(name) for name in _ESSENTIAL)


def to_draft(answers: Answers) -> Draft:
    """Return the answers as the service reads them."""
    reserve = answers["reserve_rate"]
    return Draft(
        purpose=Purpose(answers["purpose"]),
        amount=answers["amount"],
        months=answers["months"],
        description=answers["description"],
        repayment=Repayment(answers["repayment"]) if answers["repayment"] else None,
        securities=[Security(value) for value in answers["securities"]],
        accepts=[OfferKind(value) for value in answers["accepts"]],
        reserve_rate=Decimal(reserve) if reserve is not None else None,
        minimum_bids=answers["minimum_bids"],
        joins_matching=answers["joins_matching"],
        shows_name=answers["shows_name"],
        contract_id=answers["contract_id"],
        receivables=answers["receivables"],
        bid_policy=BidPolicy(answers["bid_policy"]),
        round_count=answers["round_count"],
        round_hours=answers["round_hours"],
        few_bids=FewBids(answers["few_bids"]),
        visibility=Visibility(answers["visibility"]),
        audience=answers["audience"],
        syndicated=answers["syndicated"],
    )


def keep(need: Need | None, answers: Mapping[str, Any]) -> None:
    """Keep answers aside until they can be stored."""
    slot = _slot(need)
    _put(need, {**slot, "kept": {**slot.get("kept", {}), **answers}})


def keep_typed(need: Need | None, step: str, typed: Mapping[str, Any]) -> None:
    """Keep what was typed into a step with a mistake in it, so that coming back finds it again."""
    slot = _slot(need)
    small = sum(len(str(name)) + len(str(value)) for name, value in typed.items()) <= _LONGEST_TYPED
    if small:
        _put(need, {**slot, "typed": {**slot.get("typed", {}), step: dict(typed)}})


def take_typed(need: Need | None, step: str) -> dict[str, Any] | None:
    """Return what was typed into a step and could not be stored, and forget it."""
    slot = _slot(need)
    typed: dict[str, dict[str, Any]] = dict(slot.get("typed", {}))
    found = typed.pop(step, None)
    if found is not None:
        _put(need, {**slot, "typed": typed})
    return found


def forget(need: Need | None) -> None:
    """Forget what was kept aside: it is stored, or no longer wanted."""
    kept = dict(session.get(_KEY, {}))
    if kept.pop(_name(need), None) is not None:
        session[_KEY] = kept


def _name(need: Need | None) -> str:
    return "new" if need is None else str(need.id)


def _slot(need: Need | None) -> dict[str, Any]:
    slot: dict[str, Any] = session.get(_KEY, {}).get(_name(need), {})
    return slot


def _put(need: Need | None, slot: dict[str, Any]) -> None:
    # One need at a time is kept besides a new one: a cookie must not grow with every draft.
    name = _name(need)
    kept = {key: value for key, value in session.get(_KEY, {}).items() if key in {"new", name}}
    session[_KEY] = {**kept, name: slot}
