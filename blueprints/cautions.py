"""What a reader must know beside a figure: an old LPR, a calendar not published yet, a forbidden fee."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints import access, formats, messages
from market import reference
from market.calendar import CalendarStatus, local_date
from market.errors import Fault
from market.lpr import is_old
from services import lpr

#: Days of the yearly notices; a day given for one that fell on a weekend carries ``_IN_LIEU`` at its end.
HOLIDAYS: dict[str, Any] = {
    "元旦": lazy_gettext("New Year's Day"),
    "农历除夕": lazy_gettext("Lunar New Year's Eve"),
    "春节": lazy_gettext("Spring Festival"),
    "春节延长假期": lazy_gettext("Spring Festival, extended"),
    "清明节": lazy_gettext("Tomb-Sweeping Day"),
    "劳动节": lazy_gettext("Labour Day"),
    "端午节": lazy_gettext("Dragon Boat Festival"),
    "中秋节": lazy_gettext("Mid-Autumn Festival"),
    "国庆节": lazy_gettext("National Day"),
    "调休休息": lazy_gettext("off in exchange"),
    "调休上班": lazy_gettext("worked in exchange"),
}
_IN_LIEU = "补假"


def lpr_day(published_on: date | None, on: date | datetime | None = None) -> str:
    """Return the day of an LPR; where a later one must exist on the day ``on`` (today), say its age."""
    if published_on is None:
        return formats.ABSENT
    day = _day(on)
    if not is_old(published_on, day):
        return formats.day(published_on)
    return gettext(
        "%(day)s, the newest on record (%(count)s days old)",
        day=formats.day(published_on),
        count=(day - published_on).days,
    )


def lpr_note() -> str:
    """Return a sentence for lists of floating prices; empty while the newest LPR on record is fresh."""
    today = _day(None)
    rows = lpr.read_table().rows
    known = [row.published_on for row in rows if row.published_on <= today]
    if not known or not is_old(known[-1], today):
        return ""
    return gettext("Floating prices rest on the LPR of %(day)s.", day=lpr_day(known[-1], today))


def calendar_note(deadline: date | datetime | None) -> str:
    """Return a sentence for a deadline counted in working days; empty where its year is final."""
    if deadline is None:
        return ""
    day = _day(deadline)
    if reference.calendar().status(day) is CalendarStatus.FINAL:
        return ""
    return gettext(
        "Counted on a provisional calendar: the days off of %(year)s are not all published yet.",
        year=day.year,
    )


def holiday(name: str) -> str:
    """Return the word of a day off; a name that is not known stays as the notice has it."""
    plain = name.removesuffix(_IN_LIEU)
    if plain != name and plain in HOLIDAYS:
        return gettext("%(holiday)s, in lieu", holiday=HOLIDAYS[plain])
    return str(HOLIDAYS.get(name, name))


def fees(warnings: Iterable[Fault]) -> list[str]:
    """Return one sentence per forbidden fee (``services.fees``)."""
    return [messages.reason(fault) for fault in warnings]


def _day(moment: date | datetime | None) -> date:
    if moment is None:
        return local_date(access.now())
    return local_date(moment) if isinstance(moment, datetime) else moment
