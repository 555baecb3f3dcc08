"""What alerts saw, in words: one sentence per kind, from the details stored with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from blueprints import formats, low_prices
from market.vocabulary import AlertKind

Details = Mapping[str, Any]

#: The clock's work, as ``services.workload`` counts it.
WORK: dict[str, Any] = {
    "rounds": lazy_gettext("Matching rounds"),
    "openings": lazy_gettext("Closes of bid rounds"),
    "lapses": lazy_gettext("Needs that lapse"),
}


#: How alerts ended whose cause went away; what somebody did about one is in that person's words.
RESOLUTIONS: dict[str, Any] = {
    "paid": lazy_gettext("The money arrived."),
    "dated": lazy_gettext("The payment has its date."),
    "matched": lazy_gettext("The contract was found."),
    "refunded": lazy_gettext("What was too much went back."),
    "corrected": lazy_gettext("The record was corrected."),
    "reopened": lazy_gettext("What was said of the payment was taken back."),
    "caught_up": lazy_gettext("What was late was paid."),
    "returned": lazy_gettext("The renewal came in."),
    "repaid": lazy_gettext("The bridge was repaid."),
    "handed_in": lazy_gettext("The report was handed in."),
    "accepted": lazy_gettext("The reasons were accepted."),
    "refused": lazy_gettext("The bid was refused."),
    "bid_ended": lazy_gettext("The bid ended before it was decided."),
    "awarded": lazy_gettext("Another bid was chosen."),
    "approved": lazy_gettext("The institution approved."),
    "declined": lazy_gettext("The institution declined."),
    "clock_moved": lazy_gettext("The firm answered; the time was moved."),
    "renewed": lazy_gettext("A new agreement follows."),
    "ended": lazy_gettext("The agreement was ended early."),
}


def resolution(said: str | None) -> str:
    """Return how an alert ended."""
    return str(RESOLUTIONS.get(said or "", said or ""))


def alert(kind: AlertKind, details: Details) -> str:
    """Return what an alert saw (the details that ``services.alerts.raise_alert`` stored)."""
    return _SENTENCES[kind](details)


def _wrong_account(details: Details) -> str:
    return gettext(
        "%(amount)s went to account %(paid_to)s, while %(locked)s is the locked one. Nothing was settled.",
        amount=_money(details.get("amount")),
        paid_to=details.get("paid_to") or formats.ABSENT,
        locked=details.get("locked") or formats.ABSENT,
    )


def _overpaid(details: Details) -> str:
    return gettext(
        "The purchaser paid %(paid)s on a contract of %(amount)s.",
        paid=_money(details.get("paid")),
        amount=_money(details.get("amount")),
    )


def _undated(details: Details) -> str:
    return gettext(
        "A payment of %(amount)s carries no date, so it settles nothing.",
        amount=_money(details.get("amount")),
    )


def _unmatched(details: Details) -> str:
    return gettext(
        "A payment of %(amount)s names contract %(number)s, which is not in the registry.",
        amount=_money(details.get("amount")),
        number=details.get("number") or formats.ABSENT,
    )


def _review_overdue(details: Details) -> str:
    return gettext(
        "The institution's review was due on %(day)s and is not decided.",
        day=formats.day(datetime.fromisoformat(str(details["due_at"]))),
    )


def _clock_gap(details: Details) -> str:
    return ngettext(
        "The market's clock did not run from %(started)s to %(ended)s. %(num)s deadline in that time "
        "was moved by its length.",
        "The market's clock did not run from %(started)s to %(ended)s. %(num)s deadlines in that time "
        "were moved by its length.",
        details.get("moved") or 0,
        started=_moment(details.get("started")),
        ended=_moment(details.get("ended")),
    )


def _work_missed(details: Details) -> str:
    if "round" in details:
        return gettext(
            "A matching round was opened %(count)s times and never settled.",
            count=details.get("attempts", formats.ABSENT),
        )
    work = details.get("work") or {}
    return gettext(
        "Due work of the clock was not done: %(work)s.",
        work=gettext(", ").join(f"{WORK.get(name, name)} ({count})" for name, count in work.items()),
    )


def _purchaser_overdue(details: Details) -> str:
    return gettext("What was due is not paid; late since %(day)s.", day=_day(details))


def _loan_overdue(details: Details) -> str:
    return gettext("An instalment was due on %(day)s and is not paid in full.", day=_day(details))


def _pledge_expiring(details: Details) -> str:
    return gettext("The pledge's registration ends on %(day)s and the loan is not repaid.", day=_day(details))


def _right_unconfirmed(details: Details) -> str:
    return gettext(
        "The purchaser was asked to confirm the receivable; its 30 days ended on %(day)s.",
        day=_day(details),
    )


def _contract_amended(details: Details) -> str:
    return gettext("A record changed what a live loan leans on: supplier, number or amount.")


def _contract_terminated(details: Details) -> str:
    return gettext(
        "The contract was terminated while a loan leans on it: %(why)s",
        why=details.get("why") or formats.ABSENT,
    )


def _financing_refused(details: Details) -> str:
    return gettext("Somebody tried to finance %(number)s a second time.", number=details.get("number"))


def _framework_ending(details: Details) -> str:
    return gettext(
        "The framework agreement of %(name)s for contract loans ends on %(day)s.",
        name=details.get("name") or formats.ABSENT,
        day=_day(details),
    )


def _report_missing(details: Details) -> str:
    return gettext(
        "%(name)s has not handed in its report on contract loans for %(month)s.",
        name=details.get("name") or formats.ABSENT,
        month=details.get("month") or formats.ABSENT,
    )


def _renewal_missing(details: Details) -> str:
    return gettext(
        "The bank's renewal was to repay the bridge loan by %(day)s and has not come in.", day=_day(details)
    )


_SENTENCES: dict[AlertKind, Callable[[Details], str]] = {
    AlertKind.WRONG_ACCOUNT: _wrong_account,
    AlertKind.PURCHASER_OVERDUE: _purchaser_overdue,
    AlertKind.LOAN_OVERDUE: _loan_overdue,
    AlertKind.OVERPAID: _overpaid,
    AlertKind.UNDATED_PAYMENT: _undated,
    AlertKind.UNMATCHED_PAYMENT: _unmatched,
    AlertKind.PLEDGE_EXPIRING: _pledge_expiring,
    AlertKind.RIGHT_UNCONFIRMED: _right_unconfirmed,
    AlertKind.CONTRACT_AMENDED: _contract_amended,
    AlertKind.CONTRACT_TERMINATED: _contract_terminated,
    AlertKind.FINANCING_REFUSED: _financing_refused,
    AlertKind.FRAMEWORK_ENDING: _framework_ending,
    AlertKind.REPORT_MISSING: _report_missing,
    AlertKind.RENEWAL_MISSING: _renewal_missing,
    AlertKind.LOW_BID: low_prices.alert,
    AlertKind.REVIEW_OVERDUE: _review_overdue,
    AlertKind.CLOCK_GAP: _clock_gap,
    AlertKind.WORK_MISSED: _work_missed,
}


def _day(details: Details) -> str:
    found = details.get("due_on") or details.get("since")
    return formats.ABSENT if found is None else str(date.fromisoformat(str(found)))


def _moment(text: Any) -> str:
    return formats.ABSENT if text is None else formats.moment_text(datetime.fromisoformat(str(text)))


def _money(fen: Any) -> str:
    return formats.money_text(fen) if isinstance(fen, int) else formats.ABSENT
