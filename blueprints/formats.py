"""Figures as people say them: money, rates, days and moments, in the language of the request.

Money comes in as integer fen, rates as exact decimals per year, moments as aware UTC datetimes.
The short forms are for the eye only; the exact value always travels along (``title``, ``value``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import get_locale, gettext, ngettext
from markupsafe import Markup

from market.calendar import SHANGHAI

ABSENT = "—"

#: Steps of the short form: (least fen, fen in one unit, pattern), largest first. What two decimals of the
#: smaller unit would round up to a whole larger one is said in the larger: 9,999.999万 is 1亿.
_CHINESE = ((9_999_995_000, 10_000_000_000, "{}亿元"), (1_000_000, 1_000_000, "{}万元"))
_ENGLISH = ((99_999_500_000, 100_000_000_000, "¥{} billion"), (100_000_000, 100_000_000, "¥{} million"))


def speaks_chinese() -> bool:
    """Say whether the request is answered in Chinese (also the answer outside any request)."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def exact(fen: int | None) -> str:
    """Return fen as yuan with thousands separators and two decimals: ``2,400,000.00``."""
    if fen is None:
        return ABSENT
    whole, cents = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}{whole:,}.{cents:02d}"


def plain(fen: int) -> str:
    """Return fen as a bare decimal yuan string, as the API and form fields write it: ``2400000.00``."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d}"


def money_text(fen: int | None) -> str:
    """Return fen in the short form: ``240万元``, ``1.28亿元``, ``¥2.4 million``, ``¥850,000``."""
    if fen is None:
        return ABSENT
    chinese = speaks_chinese()
    sign, size = ("−" if fen < 0 else ""), abs(fen)
    for least, unit, pattern in _CHINESE if chinese else _ENGLISH:
        if size >= least:
            return sign + pattern.format(_trimmed(Decimal(size) / unit, 2))
    yuan = f"{size // 100:,}" if size % 100 == 0 else f"{size / Decimal(100):,.2f}"
    return f"{sign}{yuan}元" if chinese else f"{sign}¥{yuan}"


def money(fen: int | None) -> Markup:
    """Return the short form as HTML that carries the exact value in its title."""
    if fen is None:
        return Markup('<span class="absent">—</span>')
    title = f"{exact(fen)} 元" if speaks_chinese() else f"¥{exact(fen)}"
    return Markup('<data class="money" value="{}" title="{}">{}</data>').format(
        plain(fen), title, money_text(fen)
    )


def rate(value: Decimal | None, places: int = 2) -> str:
    """Return an annual rate as a percentage: ``Decimal("0.04777")`` is ``4.78%``."""
    if value is None:
        return ABSENT
    percent = (value * 100).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{'−' if percent < 0 else ''}{abs(percent):,f}%"


def points(value: Decimal | None) -> str:
    """Return a difference of rates in basis points, signed: ``+55 bp``."""
    if value is None:
        return ABSENT
    basis = (value * 10_000).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return f"{'−' if basis < 0 else '+'}{abs(basis)} bp"


def share(value: Decimal | float | None, places: int = 1) -> str:
    """Return a share as a percentage, trimmed: ``0.8`` is ``80%``."""
    if value is None:
        return ABSENT
    return _trimmed(Decimal(str(value)) * 100, places) + "%"


def count(number: int | None) -> str:
    """Return a whole number with thousands separators."""
    return ABSENT if number is None else f"{number:,}"


def months(number: int | None) -> str:
    """Return a tenor in words: ``12 个月``, ``12 months``."""
    return ABSENT if number is None else ngettext("%(num)s month", "%(num)s months", number)


def day(value: date | datetime | None) -> str:
    """Return a day as ``2026-11-20``; a moment counts as the day it is in Shanghai."""
    if value is None:
        return ABSENT
    return (local(value) if isinstance(value, datetime) else value).isoformat()[:10]


def local(value: datetime) -> datetime:
    """Return a stored moment in Shanghai time; a naive one is read as UTC."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(SHANGHAI)


def moment_text(value: datetime | None, zone: bool = False) -> str:
    """Return ``2026-11-20 15:00`` in Shanghai time, naming the time zone if asked."""
    if value is None:
        return ABSENT
    text = local(value).strftime("%Y-%m-%d %H:%M")
    return gettext("%(time)s (Beijing time)", time=text) if zone else text


def moment(value: datetime | None, zone: bool = False) -> Markup:
    """Return a moment as a ``<time>`` element; name the zone wherever a deadline hangs on it."""
    if value is None:
        return Markup('<span class="absent">—</span>')
    return Markup('<time datetime="{}" class="figure">{}</time>').format(
        local(value).isoformat(timespec="seconds"), moment_text(value, zone)
    )


def span(length: timedelta) -> str:
    """Return how long something takes in its two largest units: ``2 天 3 小时``."""
    minutes = int(abs(length).total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = []
    if days:
        parts.append(ngettext("%(num)s day", "%(num)s days", days))
    if hours:
        parts.append(ngettext("%(num)s hour", "%(num)s hours", hours))
    if minutes and not days:
        parts.append(ngettext("%(num)s minute", "%(num)s minutes", minutes))
    return " ".join(parts[:2]) or gettext("less than a minute")


def countdown(until: datetime | None, now: datetime, zone: bool = True) -> Markup:
    """Return a deadline, absolute and relative together; ``cuohe.js`` keeps the relative part true."""
    if until is None:
        return Markup('<span class="absent">—</span>')
    left = until - now
    said = (
        gettext("%(span)s left", span=span(left))
        if left > timedelta()
        else gettext("%(span)s ago", span=span(left))
    )
    near = " countdown-near" if timedelta() < left < timedelta(hours=24) else ""
    return Markup(
        '<span class="countdown{}" data-until="{}">{} <span class="countdown-left">{}</span></span>'
    ).format(near, local(until).isoformat(timespec="seconds"), moment(until, zone), said)


def _trimmed(value: Decimal, places: int) -> str:
    text = f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
