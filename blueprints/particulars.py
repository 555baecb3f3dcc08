"""The particulars of a fault: its values in the reader's words, and as JSON for programs.

Faults carry what the services work with: amounts as integer fen, rates as decimals or their text, times in
ISO form, and words of our own vocabulary. Which is which follows from the code, the field and the name of
the value; what a person typed stays as typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext

from blueprints import explanations, formats, labels, payment_labels, procurement_labels
from market.errors import Code, Fault
from market.lending_vocabulary import DrawdownState, LoanEventKind
from market.payment_vocabulary import PaymentState
from market.vocabulary import Capability, ContractStage, OrganisationKind

#: Nouns for ``what``: tables, and things that the services name.
NOUNS: dict[str, Any] = {
    "account": lazy_gettext("Payee account"),
    "account_change": lazy_gettext("Change of the payee account"),
    "alert": lazy_gettext("Alert"),
    "award": lazy_gettext("Award"),
    "award_notice": lazy_gettext("Award notice"),
    "bid": lazy_gettext("Bid"),
    "bureau": lazy_gettext("Finance bureau"),
    "calendar": lazy_gettext("Calendar"),
    "claim": lazy_gettext("Compensation claim"),
    "contract": lazy_gettext("Contract"),
    "guarantee": lazy_gettext("Guarantee"),
    "consent": lazy_gettext("Data consent"),
    "deposit": lazy_gettext("Deposit"),
    "framework": lazy_gettext("Framework agreement"),
    "import": lazy_gettext("Import"),
    "institution": lazy_gettext("Institution"),
    "drawdown": lazy_gettext("Drawdown"),
    "early_opening": lazy_gettext("Request for an early opening"),
    "event": lazy_gettext("Event"),
    "intention": lazy_gettext("Procurement intention"),
    "justification": lazy_gettext("Justification"),
    "loan": lazy_gettext("Loan"),
    "membership": lazy_gettext("Membership"),
    "need": lazy_gettext("Need"),
    "notice": lazy_gettext("Notice"),
    "outage": lazy_gettext("Outage"),
    "organisation": lazy_gettext("Organisation"),
    "page": lazy_gettext("Page"),
    "payment": lazy_gettext("Payment"),
    "product": lazy_gettext("Product"),
    "proposal": lazy_gettext("Proposal"),
    "question": lazy_gettext("Question"),
    "recovery": lazy_gettext("Recovery"),
    "renewal": lazy_gettext("Renewal commitment"),
    "repayment": lazy_gettext("Repayment entry"),
    "report": lazy_gettext("Monthly report"),
    "receivable": lazy_gettext("Invoice"),
    "request": lazy_gettext("Request"),
    "review": lazy_gettext("Credit review"),
    "round": lazy_gettext("Matching round"),
    "share": lazy_gettext("Party of the list"),
    "standing_bid": lazy_gettext("Standing bid"),
    "step": lazy_gettext("Step"),
    "tag": lazy_gettext("Tag"),
    "token": lazy_gettext("API token"),
    "undo": lazy_gettext("Taking back of"),
    "user": lazy_gettext("User"),
    "zone": lazy_gettext("Zone"),
}

#: Reasons that travel as a word inside a fault (``reason``, ``note``, ``why``).
REASONS: dict[str, Any] = {
    **explanations.NO_RATE,
    **explanations.OBSTACLES,
    "bad_gzip": lazy_gettext("its compressed data is damaged"),
    "bad_workbook": lazy_gettext("it is no Excel workbook that can be opened"),
    "bad_zip": lazy_gettext("the zip package is damaged or locked with a password"),
    "zip_bomb": lazy_gettext("the zip package unpacks into far more than open data does"),
    "cut_short": lazy_gettext("it ends too early"),
    "empty": lazy_gettext("it is empty"),
    "not_json": lazy_gettext("it is not JSON"),
    "number_too_long": lazy_gettext("it holds a number of thousands of digits"),
    "not_utf8": lazy_gettext("it is not UTF-8 text"),
    "too_deep": lazy_gettext("it is nested too deeply"),
}

#: States as the refusal of a move names them, whatever the thing is.
STATES: dict[str, Any] = {
    "abandoned": lazy_pgettext("state", "abandoned"),
    "accepted": lazy_pgettext("state", "accepted"),
    "admitted": lazy_pgettext("state", "admitted"),
    "answered": lazy_pgettext("state", "answered"),
    "agreed": lazy_pgettext("state", "agreed by this side"),
    "approved": lazy_pgettext("state", "approved"),
    "awaiting_confirmation": lazy_pgettext("state", "waiting for the second person"),
    "awarded": lazy_pgettext("state", "awarded"),
    "cancelled": lazy_pgettext("state", "cancelled"),
    "change_done": lazy_pgettext("state", "changed"),
    "change_refused": lazy_pgettext("state", "change refused"),
    "change_requested": lazy_pgettext("state", "change asked for"),
    "change_withdrawn": lazy_pgettext("state", "change withdrawn"),
    "closed": lazy_pgettext("state", "closed"),
    "confirmed": lazy_pgettext("state", "confirmed"),
    "draft": lazy_pgettext("state", "draft"),
    "drawn": lazy_pgettext("state", "drawn"),
    "ended": lazy_pgettext("state", "agreement ended"),
    "ending": lazy_pgettext("state", "agreement ending"),
    "expired": lazy_pgettext("state", "expired"),
    "in_time": lazy_pgettext("state", "not late"),
    "lapsed": lazy_pgettext("state", "lapsed"),
    "live": lazy_pgettext("state", "live"),
    "lost": lazy_pgettext("state", "not chosen"),
    "not_admitted": lazy_pgettext("state", "not admitted"),
    "open": lazy_pgettext("state", "open for bids"),
    "opened": lazy_pgettext("state", "running"),
    "overdue": lazy_pgettext("state", "nothing left to lay out"),
    "proposed": lazy_pgettext("state", "proposed"),
    "real": lazy_pgettext("state", "a real zone"),
    "refused": lazy_pgettext("state", "refused"),
    "declined": lazy_pgettext("state", "declined"),
    "held": lazy_pgettext("state", "held for justification"),
    "paid": lazy_pgettext("state", "paid"),
    "posted": lazy_pgettext("state", "in bidding"),
    "rejected": lazy_pgettext("state", "rejected"),
    "replaced": lazy_pgettext("state", "replaced"),
    "decided": lazy_pgettext("state", "decided"),
    "undecided": lazy_pgettext("state", "waiting for its decision"),
    "unconfirmed": lazy_pgettext("state", "waiting for the borrower"),
    "under_review": lazy_pgettext("state", "under review"),
    "voided": lazy_pgettext("state", "void"),
    "repaid": lazy_pgettext("state", "repaid"),
    "resolved": lazy_pgettext("state", "resolved"),
    "sealed": lazy_pgettext("state", "sealed"),
    "settled": lazy_pgettext("state", "settled"),
    "stopped": lazy_pgettext("state", "stopped"),
    "suspended": lazy_pgettext("state", "suspended"),
    "terminated": lazy_pgettext("state", "terminated"),
    "unplaced": lazy_pgettext("state", "not placed"),
    "unsuccessful": lazy_pgettext("state", "unsuccessful"),
    "withdrawn": lazy_pgettext("state", "withdrawn"),
    "won": lazy_pgettext("state", "won"),
    "written_off": lazy_pgettext("state", "written off"),
}

STATES |= {state.value: words for state, words in payment_labels.LABELS[PaymentState].items()}

#: What somebody tried to do.
MOVES: dict[str, Any] = {
    "accept": lazy_pgettext("move", "accept"),
    "bring_back": lazy_pgettext("move", "let it wait again"),
    "correct": lazy_pgettext("move", "take back"),
    "date": lazy_pgettext("move", "put a date"),
    "matched": lazy_pgettext("move", "match"),
    "redirect": lazy_pgettext("move", "pass on"),
    "reopen": lazy_pgettext("move", "take back the word"),
    "return": lazy_pgettext("move", "return"),
    "admit": lazy_pgettext("move", "admit"),
    "agree": lazy_pgettext("move", "agree"),
    "answer": lazy_pgettext("move", "answer"),
    "award": lazy_pgettext("move", "award"),
    "cancel": lazy_pgettext("move", "cancel"),
    "change_account": lazy_pgettext("move", "change the account"),
    "claim": lazy_pgettext("move", "claim compensation"),
    "close": lazy_pgettext("move", "close"),
    "commit": lazy_pgettext("move", "record the commitment"),
    "confirm": lazy_pgettext("move", "confirm"),
    "draw": lazy_pgettext("move", "draw down"),
    "change": lazy_pgettext("move", "change"),
    "decide": lazy_pgettext("move", "decide"),
    "decline": lazy_pgettext("move", "decline"),
    "edit": lazy_pgettext("move", "edit"),
    "fail": lazy_pgettext("move", "end without success"),
    "fast_forward": lazy_pgettext("move", "move the clock"),
    "justify": lazy_pgettext("move", "explain"),
    "open_early": lazy_pgettext("move", "open the bids early"),
    "pay": lazy_pgettext("move", "record a payment"),
    "publish": lazy_pgettext("move", "publish"),
    "reconfirm": lazy_pgettext("move", "confirm again"),
    "recover": lazy_pgettext("move", "record a recovery"),
    "reinstate": lazy_pgettext("move", "reinstate"),
    "refuse": lazy_pgettext("move", "refuse"),
    "renew": lazy_pgettext("move", "renew"),
    "repay": lazy_pgettext("move", "repay"),
    "resolve": lazy_pgettext("move", "resolve"),
    "stop": lazy_pgettext("move", "stop"),
    "suspend": lazy_pgettext("move", "suspend"),
    "terminate": lazy_pgettext("move", "terminate"),
    "fetch": lazy_pgettext("move", "fetch"),
    "undo": lazy_pgettext("move", "take back"),
    "withdraw": lazy_pgettext("move", "withdraw"),
}

NOUNS.update(procurement_labels.NOUNS)
STATES.update(procurement_labels.STATES)
MOVES.update(procurement_labels.MOVES)

#: Values that are fen or rates whatever the field.
_FEN_OF_CODE: dict[Code, frozenset[str]] = {
    Code.LIMIT_EXCEEDED: frozenset({"limit", "used", "asked", "left"}),
    Code.ABOVE_FINANCEABLE: frozenset({"asked", "most"}),
    Code.AMOUNT_MISMATCH: frozenset({"given", "expected"}),
}
_RATES_OF_CODE: dict[Code, frozenset[str]] = {
    Code.ABOVE_CEILING: frozenset({"value", "most"}),
    Code.LOOKS_MISTYPED: frozenset({"value"}),
    Code.DECLARED_RATE_WRONG: frozenset({"declared", "computed"}),
    Code.NOT_IMPROVED: frozenset({"value", "most"}),
    Code.NOT_A_STEP: frozenset({"value", "step"}),
    Code.ON_RECORD: frozenset({"value", "known"}),
}
#: Fields in which a bound (value, least, most) is fen or a rate.
_BOUNDS = frozenset({"value", "least", "most"})
_FEN_FIELDS = frozenset(
    {
        *("amount", "amount_from", "amount_max", "amount_min", "amount_to", "annual_revenue"),
        *("budget", "buyout", "cap", "daily_budget", "price"),
        *("net_assets", "principal"),
        *("amount", "amount_max", "amount_min", "annual_revenue", "buyout", "cap", "daily_budget"),
        *("net_assets", "principal", "promised"),
        *("retention", "revenue"),
    }
)
_RATE_FIELDS = frozenset(
    {
        *(
            "declared_rate",
            "deposit",
            "five_year",
            "floor_rate",
            "one_year",
            "rate",
            "rate_from",
            "rate_to",
            "ratio",
        ),
        *("high", "low", "reserve_rate", "share"),
        *("loss_cap", "most_share", "penalty_rate", "reserve_rate", "risk_sharing", "share"),
    }
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
#: Longer than this a typed value is not repeated whole.
_LONGEST_ECHO = 60


def say(fault: Fault, name: str, value: Any) -> str:
    """Return one value of a fault in the reader's words."""
    if _is_fen(fault, name) and isinstance(value, int) and not isinstance(value, bool):
        return formats.money_text(value)
    if _is_rate(fault, name):
        number = _decimal(value)
        if number is not None:
            return formats.rate(number)
    if name == "conditions":
        return gettext(", ").join(explanations.condition(item) for item in value) or formats.ABSENT
    return _say(name, value)


def for_programs(fault: Fault) -> dict[str, Any]:
    """Return a fault's values as JSON: amounts as yuan text, rates, days and moments as text."""
    return {
        name: formats.plain(value)
        if _is_fen(fault, name) and isinstance(value, int) and not isinstance(value, bool)
        else _as_json(value)
        for name, value in fault.values.items()
    }


def _is_fen(fault: Fault, name: str) -> bool:
    return name in _FEN_OF_CODE.get(fault.code, ()) or (name in _BOUNDS and _last(fault) in _FEN_FIELDS)


def _is_rate(fault: Fault, name: str) -> bool:
    if name in _RATES_OF_CODE.get(fault.code, ()):
        return True
    bounds = fault.code in {Code.TOO_SMALL, Code.TOO_LARGE}
    return bounds and name in _BOUNDS and _last(fault) in _RATE_FIELDS


def _last(fault: Fault) -> str:
    return (fault.field or "").rpartition(".")[2]


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**6 else None


def _say(name: str, value: Any) -> str:
    if value is None:
        return formats.ABSENT
    if isinstance(value, datetime):
        return formats.moment_text(value, zone=True)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, StrEnum) and type(value) in labels.LABELS:
        return str(labels.label(value))
    if isinstance(value, str):
        return _say_word(name, str(value))
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return gettext(", ").join(_say(name, inner) for inner in value) or formats.ABSENT
    return str(value)


def _say_word(name: str, text: str) -> str:
    """Return the words for a value that is a word of ours; what a person typed stays as typed."""
    if name == "what":
        return str(NOUNS.get(text, text))
    if name == "capability" and text in set(Capability):
        return str(labels.label(Capability(text)))
    if name in {"reason", "note", "why"}:
        return str(REASONS.get(text, text))
    if name == "rule":
        return str(explanations.FORBIDDEN_FEES.get(text, text))
    if name in {"kind", "expected"} and text in set(OrganisationKind):
        return str(labels.label(OrganisationKind(text)))
    if name in {"state", "move"}:
        return _say_state(name, text)
    if _MOMENT.match(text):
        try:
            return formats.moment_text(datetime.fromisoformat(text), zone=True)
        except ValueError:
            return text
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…"


def _say_state(name: str, text: str) -> str:
    words = STATES if name == "state" else MOVES
    if text in words:
        return str(words[text])
    for vocabulary in (ContractStage, LoanEventKind, DrawdownState):
        if text in set(vocabulary):
            return str(labels.label(vocabulary(text)))
    return text


def _as_json(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, Iterable):
        return [_as_json(inner) for inner in value]
    return str(value)
