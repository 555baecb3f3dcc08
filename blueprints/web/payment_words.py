"""The payments of an offer in words."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_pgettext

from blueprints import formats
from market.vocabulary import Interval
from market.what_if import Payments

#: A payment and how often it is made.
_EACH: dict[Interval, Any] = {
    Interval.MONTHLY: lazy_pgettext("payment", "%(amount)s a month"),
    Interval.QUARTERLY: lazy_pgettext("payment", "%(amount)s a quarter"),
    Interval.HALF_YEARLY: lazy_pgettext("payment", "%(amount)s every half-year"),
    Interval.YEARLY: lazy_pgettext("payment", "%(amount)s a year"),
}


def say(paid: Payments, months: int, interval: Interval = Interval.MONTHLY) -> str:
    """Return the payments of a schedule in one line: a level rate, a falling one, or a large last one."""
    last = formats.money_text(paid.last)
    if not paid.usual and paid.last and months > 1:
        return gettext("nothing until %(last)s at the end", last=last)
    usual = str(_EACH[interval]) % {"amount": formats.money_text(paid.usual)}
    if months > 1 and paid.last > 2 * paid.usual:
        return gettext("%(usual)s, %(last)s at the end", usual=usual, last=last)
    if paid.first > paid.usual > paid.last and (paid.first - paid.usual) * 50 > paid.first:
        first = str(_EACH[interval]) % {"amount": formats.money_text(paid.first)}
        return gettext("%(first)s, falling to %(last)s", first=first, last=last)
    return usual
