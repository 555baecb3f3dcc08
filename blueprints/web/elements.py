"""What every template may use: filters for figures, icons, versioned static files, addresses, states."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from blueprints import access, cautions, explanations, formats, labels
from blueprints.web import navigation
from market import vocabulary
from market.admission import AdmissionState
from market.ladder_vocabulary import AccountNoticeKind, SideState
from market.payment_vocabulary import PaymentState
from market.procurement_vocabulary import DepositState
from market.receivable_vocabulary import ReceivableState, ReceivableUse
from market.vocabulary import (
    AlertKind,
    AwardState,
    BidState,
    Capability,
    LoanState,
    NeedState,
    OrganisationKind,
    ProposalState,
    RoundState,
)

STATIC = Path(__file__).parent / "static"

#: How a state looks: tone and icon. Red is kept for danger; the word always stands beside the colour.
TONES: dict[StrEnum, tuple[str, str]] = {
    AdmissionState.NOT_ADMITTED: ("quiet", "circle-dashed"),
    AdmissionState.ADMITTED: ("done", "circle-check"),
    AdmissionState.ENDING: ("attention", "hourglass"),
    AdmissionState.ENDED: ("attention", "circle-x"),
    AdmissionState.SUSPENDED: ("danger", "ban"),
    PaymentState.EARLY: ("done", "circle-check"),
    PaymentState.ON_TIME: ("done", "circle-check"),
    PaymentState.LATE: ("attention", "clock"),
    PaymentState.PARTIAL: ("action", "hourglass"),
    PaymentState.OVER: ("attention", "alert-circle"),
    PaymentState.UNDATED: ("attention", "alert-circle"),
    PaymentState.FUTURE: ("attention", "alert-circle"),
    PaymentState.WRONG_ACCOUNT: ("danger", "alert-triangle"),
    PaymentState.REVERSED: ("quiet", "ban"),
    NeedState.DRAFT: ("quiet", "pencil"),
    NeedState.OPEN: ("action", "circle-dot"),
    NeedState.CLOSED: ("attention", "hourglass"),
    NeedState.AWARDED: ("done", "circle-check"),
    NeedState.UNSUCCESSFUL: ("quiet", "circle-x"),
    NeedState.WITHDRAWN: ("quiet", "ban"),
    BidState.SEALED: ("action", "lock"),
    BidState.POSTED: ("action", "circle-dot"),
    BidState.LIVE: ("action", "lock-open"),
    BidState.HELD: ("attention", "hourglass"),
    BidState.WON: ("done", "award"),
    BidState.LOST: ("quiet", "circle-dashed"),
    BidState.WITHDRAWN: ("quiet", "ban"),
    BidState.EXPIRED: ("quiet", "hourglass"),
    BidState.REFUSED: ("attention", "circle-x"),
    BidState.REPLACED: ("quiet", "refresh"),
    BidState.VOIDED: ("attention", "ban"),
    BidState.DECLINED: ("attention", "circle-x"),
    RoundState.OPENED: ("action", "refresh"),
    RoundState.SETTLED: ("done", "circle-check"),
    RoundState.ABANDONED: ("quiet", "ban"),
    ProposalState.PROPOSED: ("action", "bulb"),
    ProposalState.UNPLACED: ("attention", "circle-dashed"),
    ProposalState.ACCEPTED: ("done", "circle-check"),
    ProposalState.LAPSED: ("quiet", "hourglass"),
    AwardState.AWAITING_CONFIRMATION: ("attention", "users"),
    AwardState.CONFIRMED: ("done", "circle-check"),
    AwardState.REJECTED: ("quiet", "circle-x"),
    AwardState.DECLINED: ("attention", "circle-x"),
    LoanState.UNDER_REVIEW: ("attention", "hourglass"),
    LoanState.UNCONFIRMED: ("attention", "hourglass"),
    LoanState.APPROVED: ("attention", "hourglass"),
    LoanState.DRAWN: ("action", "cash"),
    LoanState.REPAID: ("done", "checks"),
    LoanState.WRITTEN_OFF: ("danger", "ban"),
    LoanState.CANCELLED: ("quiet", "ban"),
    AlertKind.WRONG_ACCOUNT: ("danger", "alert-triangle"),
    AlertKind.PURCHASER_OVERDUE: ("attention", "clock"),
    AlertKind.LOAN_OVERDUE: ("danger", "alert-triangle"),
    AlertKind.OVERPAID: ("attention", "alert-circle"),
    AlertKind.UNDATED_PAYMENT: ("attention", "calendar"),
    AlertKind.LOW_BID: ("attention", "alert-circle"),
    AlertKind.REVIEW_OVERDUE: ("attention", "clock"),
    AlertKind.CLOCK_GAP: ("danger", "clock"),
    AlertKind.WORK_MISSED: ("danger", "alert-triangle"),
    AlertKind.UNMATCHED_PAYMENT: ("attention", "alert-circle"),
    AlertKind.PLEDGE_EXPIRING: ("attention", "clock"),
    AlertKind.RIGHT_UNCONFIRMED: ("attention", "clock"),
    AlertKind.CONTRACT_AMENDED: ("danger", "alert-triangle"),
    AlertKind.CONTRACT_TERMINATED: ("danger", "alert-triangle"),
    AlertKind.FINANCING_REFUSED: ("danger", "alert-triangle"),
    AlertKind.FRAMEWORK_ENDING: ("attention", "calendar"),
    AlertKind.REPORT_MISSING: ("attention", "calendar"),
    AlertKind.RENEWAL_MISSING: ("danger", "alert-triangle"),
    SideState.ACCOUNT_CHANGE_REQUESTED: ("attention", "users"),
    SideState.PURCHASER_OVERDUE: ("attention", "clock"),
    SideState.LOAN_OVERDUE: ("danger", "alert-triangle"),
    SideState.PLEDGE_EXPIRING: ("attention", "clock"),
    SideState.PLEDGE_EXPIRED: ("danger", "alert-triangle"),
    SideState.TERMINATED: ("danger", "ban"),
    AccountNoticeKind.LOCKED: ("action", "lock"),
    AccountNoticeKind.CHANGED: ("attention", "refresh"),
    AccountNoticeKind.RELEASED: ("done", "circle-check"),
    DepositState.DEMANDED: ("attention", "hourglass"),
    DepositState.PAID: ("done", "coins"),
    DepositState.ASKED: ("action", "hourglass"),
    DepositState.GUARANTEED: ("done", "shield-check"),
    DepositState.EXPIRED: ("danger", "alert-triangle"),
    DepositState.RELEASED: ("quiet", "circle-check"),
    ReceivableState.ENTERED: ("quiet", "file-text"),
    ReceivableState.REQUESTED: ("attention", "hourglass"),
    ReceivableState.CONFIRMED: ("done", "circle-check"),
    ReceivableState.REFUSED: ("attention", "circle-x"),
    ReceivableState.WITHDRAWN: ("quiet", "ban"),
    ReceivableUse.FREE: ("quiet", "circle-dashed"),
    ReceivableUse.PROMISED: ("attention", "hourglass"),
    ReceivableUse.FINANCED: ("action", "cash"),
    ReceivableUse.PAID: ("done", "checks"),
    OrganisationKind.ENTERPRISE: ("quiet", "building-factory-2"),
    OrganisationKind.BANK: ("quiet", "building-bank"),
    OrganisationKind.GUARANTOR: ("quiet", "shield-check"),
    OrganisationKind.LESSOR: ("quiet", "package"),
    OrganisationKind.INSURER: ("quiet", "shield-check"),
    OrganisationKind.FUND: ("quiet", "coins"),
    OrganisationKind.BRIDGE_PLATFORM: ("quiet", "route"),
    OrganisationKind.PURCHASER: ("quiet", "building"),
    OrganisationKind.ZONE_AUTHORITY: ("quiet", "flag"),
    OrganisationKind.AGENCY: ("quiet", "users"),
}


def init(app: Flask) -> None:
    """Give the templates their filters and globals."""
    filters: dict[str, Callable[..., Any]] = {
        "money": formats.money,
        "money_text": formats.money_text,
        "exact": formats.exact,
        "plain": formats.plain,
        "rate": formats.rate,
        "points": formats.points,
        "share": formats.share,
        "count": formats.count,
        "months": formats.months,
        "day": formats.day,
        "moment": formats.moment,
        "moment_text": formats.moment_text,
        "span": formats.span,
        "countdown": countdown,
        "label": labels.label,
        "payee": labels.payee,
        "condition": explanations.condition,
        "named": named,
        "lpr_day": cautions.lpr_day,
        "calendar_note": cautions.calendar_note,
    }
    app.jinja_env.filters.update({name: spoken(words) for name, words in filters.items()})
    app.jinja_env.globals.update(
        icon=icon,
        asset=asset,
        address=address,
        tone=tone,
        now=access.now,
        Capability=Capability,
        vocabulary=vocabulary,
        explain=explanations,
        lpr_note=cautions.lpr_note,
        chart_series=chart_series,
        chart_cell=chart_cell,
        footer_links=navigation.footer_links,
        home_address=navigation.home_address,
        known_pages=_known_pages,
        speaks_chinese=formats.speaks_chinese,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_frame)


def spoken(words: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that is never worked out ahead of a request.

    The compiler of templates words a plain filter on a constant once and for all, in the language of
    whoever came first; one that takes the context it leaves alone.
    """

    @pass_context
    @wraps(words)
    def speak(_context: Context, *args: Any, **kwargs: Any) -> Any:
        return words(*args, **kwargs)

    return speak


def _frame() -> dict[str, Any]:
    """Return what the layout shows around every page; read only when a template asks."""
    return {
        "current_party": access.current_party,
        "current_place": access.current_place,
        "current_zone": access.current_zone,
        "places": access.places,
        "may": _may,
        "menu": navigation.menu,
    }


def _known_pages() -> Collection[str]:
    return current_app.view_functions.keys()


def _may(*capabilities: Capability) -> bool:
    party = access.current_party()
    return party is not None and party.may(*capabilities)


def countdown(until: datetime | None, zone: bool = True) -> Markup:
    """Return a deadline with the time left; ``zone=False`` where a column is narrow."""
    return formats.countdown(until, access.now(), zone)


def tone(member: StrEnum) -> tuple[str, str]:
    """Return the tone (quiet, action, attention, done, danger) and icon of a state."""
    return TONES.get(member, ("quiet", "circle-dot"))


def named(thing: Any) -> str:
    """Return the name of an organisation or zone in the reader's language, or the Chinese one."""
    if thing is None:
        return formats.ABSENT
    english = getattr(thing, "name_en", None)
    return str(thing.name_zh if formats.speaks_chinese() or not english else english)


def icon(name: str, label: str = "") -> Markup:
    """Return a vendored icon inline, hidden from screen readers unless it has a label of its own."""
    drawing = _drawing(name)
    if not drawing:
        return Markup("")
    if label:
        return Markup('<span class="icon-box" role="img" aria-label="{}">{}</span>').format(
            label, Markup(drawing)
        )
    return Markup('<span class="icon-box" aria-hidden="true">{}</span>').format(Markup(drawing))


@lru_cache(maxsize=512)
def _drawing(name: str) -> str:
    path = STATIC / "vendor" / "icons" / f"{name}.svg"
    if not path.is_file():
        return ""  # A page without built assets still works, just plainer.
    text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8")).strip()
    return re.sub(r' class="[^"]*"', ' class="icon"', text, count=1)


def asset(name: str) -> str:
    """Return the address of a static file, carrying a version that changes with its content."""
    path = STATIC / name
    if not path.is_file():
        return url_for("web.static", filename=name)
    return url_for("web.static", filename=name, v=_version(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _version(path: Path, _changed: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:10]


def address(**changes: Any) -> str:
    """Return the address of this page with some query arguments changed; None takes one away."""
    arguments = request.args.to_dict(flat=False)
    for name, value in changes.items():
        if value is None:
            arguments.pop(name, None)
        else:
            arguments[name] = [str(value)]
    query = urlencode(arguments, doseq=True)
    return request.path + (f"?{query}" if query else "")


def chart_series(series: Sequence[tuple[Any, Sequence[Any]]], unit: str) -> list[dict[str, Any]]:
    """Return the series of a chart as plain numbers for drawing: yuan, percent or counts.

    The drawing may round; the table beside it is exact.
    """
    factor = {"money": Decimal("0.01"), "rate": Decimal(100), "share": Decimal(100)}.get(unit, Decimal(1))
    return [
        {
            "name": str(words),
            "values": [None if value is None else float(Decimal(str(value)) * factor) for value in values],
        }
        for words, values in series
    ]


def chart_cell(value: Any, unit: str) -> str:
    """Return one figure of a chart exactly, for the table behind it."""
    if value is None:
        return formats.ABSENT
    if unit == "money":
        return formats.exact(value)
    if unit == "rate":
        return formats.rate(Decimal(str(value)))
    return formats.share(value) if unit == "share" else formats.count(value)
