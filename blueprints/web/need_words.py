"""What pages say of a need's bidding and of its changes, to its firm, its bidders and officers alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext, ngettext

from blueprints import formats, labels
from market import bidding
from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.vocabulary import NeedState, OfferKind, Purpose, Repayment, Security
from models.need import BidRound, Need
from services import need_changes, needs


class Difference(NamedTuple):
    """A changed field in words: before and after."""

    field: str
    before: str
    after: str


class Bidding(NamedTuple):
    """How bidding on a need runs: the ``number`` of the bid round that runs or ran last, of how many.

    ``last_close`` is when the last planned bid round ends; None where it is this one.
    """

    number: int
    planned: int
    closes_at: datetime | None
    last_close: datetime | None
    minimum: str
    policy: str


def describe_bidding(need: Need, rounds: Sequence[BidRound] | None = None) -> Bidding | None:
    """Return how bidding on a published need runs, in words; None for a draft."""
    rounds = needs.list_rounds(need.id) if rounds is None else rounds
    if not rounds or need.closes_at is None:
        return None
    number = rounds[-1].number
    planned = max(need.round_count, number)
    later = need.state is NeedState.OPEN and number < planned
    last = bidding.last_close(need.closes_at, number=number, planned=planned, hours=need.round_hours)
    return Bidding(
        number, planned, need.closes_at, last if later else None, say_minimum(need), say_policy(need)
    )


def say_policy(need: Need) -> str:
    """Return what bidders see while bidding runs."""
    if need.bid_policy is BidPolicy.ANONYMOUS:
        return gettext("the best annual cost and their own rank; never names")
    if need.round_count > 1:
        return gettext("nothing while a round runs; between two rounds the best cost and their own rank")
    return gettext("nothing before all bids are opened together")


def say_minimum(need: Need) -> str:
    """Return how many bids the firm wants, and what follows if fewer come."""
    wanted = ngettext("at least %(num)s", "at least %(num)s", need.minimum_bids)
    follows = {
        FewBids.OFFER: gettext("the firm may accept fewer"),
        FewBids.ANOTHER_ROUND: gettext("with fewer another bid round is held, of three at most"),
        FewBids.FAIL: gettext("with fewer the need ends without a result"),
    }
    return gettext("%(wanted)s; %(follows)s", wanted=wanted, follows=follows[need.few_bids])


def say_rounds(need: Need) -> str:
    """Return how many bid rounds are planned, and how long those after the first last."""
    if need.round_count == 1:
        return gettext("one")
    return ngettext(
        "%(count)s; those after the first last %(num)s hour",
        "%(count)s; those after the first last %(num)s hours",
        need.round_hours,
        count=need.round_count,
    )


def describe_changes(need_id: int) -> list[tuple[datetime, list[Difference]]]:
    """Return when an open need was changed, and in what, oldest first."""
    return [(one.changed_at, describe(one.differences)) for one in need_changes.list_changes(need_id)]


def describe(differences: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """Return the differences of a change in words, as ``services.need_changes`` keeps them."""
    return [
        Difference(
            labels.field_label(one["field"]),
            _say(one["field"], one["before"]),
            _say(one["field"], one["after"]),
        )
        for one in differences
    ]


_SAYINGS: dict[str, Callable[[Any], str]] = {
    "amount": formats.money_text,
    "months": formats.months,
    "purpose": lambda value: str(labels.label(Purpose(value))),
    "repayment": lambda value: str(labels.label(Repayment(value))),
    "securities": lambda value: labels.label_all(Security, value),
    "accepts": lambda value: labels.label_all(OfferKind, value),
    "contract_id": lambda value: gettext("No. %(number)s", number=value),
    "receivables": lambda value: ngettext("%(num)s invoice", "%(num)s invoices", len(value)),
    "bid_policy": lambda value: str(labels.label(BidPolicy(value))),
    "few_bids": lambda value: str(labels.label(FewBids(value))),
    "visibility": lambda value: str(labels.label(Visibility(value))),
}


def _say(field: str, value: Any) -> str:
    if value is None:
        return gettext("any way") if field == "repayment" else formats.ABSENT
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return _SAYINGS[field](value) if field in _SAYINGS else formats.count(value)
