"""What notices say, in words: one sentence per kind, from the details stored with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext, ngettext

from blueprints import formats, labels
from market.procurement_vocabulary import DepositKind, MatchReason, NoticeKind

Details = Mapping[str, Any]


def notice(kind: NoticeKind, details: Details) -> str:
    """Return what a notice says (the details that ``services.notices`` stored)."""
    return _SENTENCES[kind](details)


def _award_notice(details: Details) -> str:
    return gettext(
        "%(purchaser)s awarded you “%(title)s” for %(amount)s. Once the contract is signed, a need can "
        "be posted against it; until you post one, no institution learns your name here.",
        purchaser=_purchaser(details),
        title=_said(details, "title"),
        amount=_money(details),
    )


def _awards_of_day(details: Details) -> str:
    return gettext(
        "Firms of the zone were awarded public contracts by notices of %(day)s. Their needs stand "
        "among the opportunities once they post them.",
        day=_day(details, "published_on"),
    )


def _intention(details: Details) -> str:
    text = gettext(
        "%(purchaser)s intends to buy “%(title)s” around %(month)s, budget %(amount)s.",
        purchaser=_purchaser(details),
        title=_said(details, "title"),
        month=_said(details, "month"),
        amount=_money(details),
    )
    if details.get("reserved"):
        text = gettext("%(text)s Reserved for small and medium firms.", text=text)
    reasons = [str(labels.label(MatchReason(reason))) for reason in details.get("reasons") or ()]
    if reasons:
        text = gettext(
            "%(text)s It reaches you by %(reasons)s.", text=text, reasons=gettext(", ").join(reasons)
        )
    return text


def _framework_ending(details: Details) -> str:
    return ngettext(
        "Framework agreement %(number)s for contract loans ends on %(day)s, within %(num)s day. Bids "
        "placed and loans made before stay.",
        "Framework agreement %(number)s for contract loans ends on %(day)s, within %(num)s days. Bids "
        "placed and loans made before stay.",
        int(details.get("days") or 0),
        number=_said(details, "number"),
        day=_day(details, "due_on"),
    )


def _framework_ended(details: Details) -> str:
    return gettext(
        "Framework agreement %(number)s for contract loans was ended: %(why)s. Bids placed and loans "
        "made before stay.",
        number=_said(details, "number"),
        why=_said(details, "why"),
    )


def _deposit_demanded(details: Details) -> str:
    return gettext(
        "%(purchaser)s demands a deposit of %(amount)s (%(kind)s). A letter of guarantee can take its place.",
        **_deposit(details),
    )


def _guarantee_asked(details: Details) -> str:
    return gettext(
        "%(supplier)s asks you for a guarantee of %(amount)s (%(kind)s) towards %(purchaser)s.",
        **_deposit(details),
    )


def _guarantee_declined(details: Details) -> str:
    return gettext(
        "The guarantor declined to stand in for %(amount)s (%(kind)s): %(why)s. Another can be asked.",
        why=_said(details, "why"),
        **_deposit(details),
    )


def _guarantee_issued(details: Details) -> str:
    words = {**_deposit(details), "until": _day(details, "until")}
    if details.get("cash_due_back"):
        return gettext(
            "A guarantee of %(amount)s until %(until)s stands in for the deposit of %(supplier)s "
            "(%(kind)s). The cash paid before is due back.",
            **words,
        )
    return gettext(
        "A guarantee of %(amount)s until %(until)s stands in for the deposit of %(supplier)s (%(kind)s).",
        **words,
    )


def _guarantee_expired(details: Details) -> str:
    return gettext(
        "The guarantee of %(amount)s for %(supplier)s (%(kind)s) ended on %(until)s and nobody released it. "
        "A new one, or cash, has to take its place.",
        until=_day(details, "until"),
        **_deposit(details),
    )


def _deposit_released(details: Details) -> str:
    return gettext(
        "%(purchaser)s released the deposit of %(amount)s of %(supplier)s (%(kind)s).", **_deposit(details)
    )


_SENTENCES: dict[NoticeKind, Callable[[Details], str]] = {
    NoticeKind.AWARD_NOTICE: _award_notice,
    NoticeKind.AWARDS_OF_DAY: _awards_of_day,
    NoticeKind.INTENTION: _intention,
    NoticeKind.FRAMEWORK_ENDING: _framework_ending,
    NoticeKind.FRAMEWORK_ENDED: _framework_ended,
    NoticeKind.DEPOSIT_DEMANDED: _deposit_demanded,
    NoticeKind.GUARANTEE_ASKED: _guarantee_asked,
    NoticeKind.GUARANTEE_DECLINED: _guarantee_declined,
    NoticeKind.GUARANTEE_ISSUED: _guarantee_issued,
    NoticeKind.GUARANTEE_EXPIRED: _guarantee_expired,
    NoticeKind.DEPOSIT_RELEASED: _deposit_released,
}


def _deposit(details: Details) -> dict[str, str]:
    return {
        "purchaser": _purchaser(details),
        "supplier": _said(details, "supplier"),
        "amount": _money(details),
        "kind": str(labels.label(DepositKind(details["deposit_kind"]))),
    }


def _said(details: Details, name: str) -> str:
    return str(details.get(name) or formats.ABSENT)


def _purchaser(details: Details) -> str:
    return str(details.get("purchaser") or gettext("A purchaser"))


def _day(details: Details, name: str) -> str:
    found = details.get(name)
    return formats.ABSENT if found is None else formats.day(date.fromisoformat(str(found)))


def _money(details: Details) -> str:
    fen = details.get("amount")
    return formats.money_text(fen) if isinstance(fen, int) else formats.ABSENT
