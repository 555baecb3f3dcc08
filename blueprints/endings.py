"""Why a bid no longer competes, in words for its institution (``services.outcomes.explain``).

In figures and never in names: what won, at which place, and where one's own bid stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints import explanations, formats, labels, low_prices
from market.bidding_vocabulary import DeclineReason
from market.diligence import DeclineRate

#: Why a bid was refused at or after the opening.
REFUSALS: dict[str, Any] = {
    "seal_broken": lazy_gettext("Refused: its seal did not open."),
    "suspended": lazy_gettext("Refused: your institution was suspended at the opening."),
    **low_prices.REFUSALS,
}


def bid(why: Mapping[str, Any] | None) -> str:
    """Return what became of a bid; empty while it competes or has won."""
    if not why:
        return ""
    code = str(why.get("code"))
    match code:
        case "withdrawn":
            return gettext("Your institution withdrew it before the close.")
        case "need_withdrawn":
            return gettext("The firm took its need back.")
        case "replaced":
            return gettext("A later bid of yours with the same product took its place.")
        case "voided" if why.get("because") == "shut_out":
            return gettext("Void: the need is no longer shown to your institution.")
        case "voided":
            return gettext(
                "Void: the firm changed its need while it was open. Place the bid anew if it still holds."
            )
        case "low_price":
            return _say_held(why)
        case "refused":
            said = str(REFUSALS.get(str(why.get("because")), gettext("Refused at the opening.")))
            return gettext("%(said)s “%(note)s”", said=said, note=why["note"]) if why.get("note") else said
        case "expired":
            until = datetime.fromisoformat(str(why["valid_until"]))
            return gettext(
                "Nobody accepted it while it held, until %(time)s.", time=formats.moment_text(until)
            )
        case "declined":
            if why.get("reason") == DeclineReason.FIRM_WITHDREW:
                return gettext("The firm gave the award up during your review.")
            return gettext(
                "Your institution declined after its review: %(reason)s.", reason=reason(why.get("reason"))
            )
        case "another_won":
            return _say_lost(why)
        case "unsuccessful":
            return explanations.unsuccessful(why.get("because")) or gettext(
                "The need ended without an award."
            )
        case _:
            return code


def reason(word: Any) -> str:
    """Return why an institution declined, in words."""
    return str(labels.label(DeclineReason(word))) if word in set(DeclineReason) else formats.ABSENT


def decline_rate(found: DeclineRate | None) -> str:
    """Return how often an institution declined after the award; empty as long as too few say nothing."""
    if found is None or found.rate is None:
        return ""
    return gettext(
        "declined %(declined)s of %(reviewed)s reviews (%(rate)s)",
        declined=found.declined,
        reviewed=found.reviewed,
        rate=formats.share(found.rate),
    )


def _say_held(why: Mapping[str, Any]) -> str:
    if "against" not in why:
        return gettext("Held back: its price is unusually low.")
    below, against = formats.share(Decimal(str(why["below"]))), formats.rate(Decimal(str(why["against"])))
    if why.get("rule") == "mean":
        return gettext(
            "Held back: its annual cost is %(below)s below the mean of the others, %(against)s.",
            below=below,
            against=against,
        )
    return gettext(
        "Held back: its annual cost is %(below)s below the next bid, %(against)s.",
        below=below,
        against=against,
    )


def _say_lost(why: Mapping[str, Any]) -> str:
    winning = formats.rate(Decimal(str(why["winning"])))
    own, theirs = why.get("rank"), why.get("winning_rank")
    if own and theirs:
        return gettext(
            "Another bid was chosen: no. %(theirs)s at an annual cost of %(rate)s; yours was no. %(own)s.",
            theirs=theirs,
            own=own,
            rate=winning,
        )
    if theirs:
        return gettext(
            "Another bid was chosen: no. %(theirs)s at an annual cost of %(rate)s; yours was not ranked.",
            theirs=theirs,
            rate=winning,
        )
    return gettext(
        "Another bid was chosen at an annual cost of %(rate)s; it was not comparable with the others.",
        rate=winning,
    )
