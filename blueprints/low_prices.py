"""Unusually low bids in words: how far below what they lie, and why one was refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints import formats

#: Why a bid that was held for its price left (the codes ``services.justifications`` stores).
REFUSALS: dict[str, Any] = {
    "low_price_refused": lazy_gettext("Refused: an officer did not accept the reasons for its low price."),
    "low_price_unexplained": lazy_gettext("Refused: nothing was said in time for its low price."),
}


def say(grounds: Mapping[str, Any]) -> str:
    """Return why a bid looks too low (the grounds that ``services.opening`` stored)."""
    return gettext(
        "At %(cost)s a year it lies %(below)s below %(what)s, %(against)s.",
        cost=formats.rate(_decimal(grounds.get("cost"))),
        below=formats.share(_decimal(grounds.get("below"))),
        what=_against(grounds.get("rule")),
        against=formats.rate(_decimal(grounds.get("against"))),
    )


def alert(details: Mapping[str, Any]) -> str:
    """Return what an officer is told of a bid that was held back (details of its alert)."""
    return gettext(
        "A bid on need %(need)s lies %(below)s below %(what)s and is held back.",
        need=details.get("need", formats.ABSENT),
        below=formats.share(_decimal(details.get("below"))),
        what=_against(details.get("rule")),
    )


def _against(rule: Any) -> str:
    return gettext("the mean of the other bids") if rule == "mean" else gettext("the next bid")


def _decimal(text: Any) -> Decimal | None:
    return None if text is None else Decimal(str(text))
