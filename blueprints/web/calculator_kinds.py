"""What the calculator prices: the kinds of financing, the words of their fields, their usual offers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints.web import charge_rows
from market.covers import Levy
from market.vocabulary import CoverKind, FeeBasis, FeeTiming, RentTiming, Repayment

#: How many rows the form has.
FEES, SUBSIDIES, STEPS = 3, 2, 2


class Kind(StrEnum):
    """What the calculator prices, as offers name it."""

    LOAN = "loan"
    LEASE = "lease"
    BILL = "bill"
    FACTORING = "factoring"
    BRIDGE = "bridge"
    COVER = "cover"


class Base(StrEnum):
    """What a rate stands on."""

    FIXED = "fixed"
    ONE_YEAR = "1y"
    FIVE_YEAR = "5y"


class Span(StrEnum):
    """How the time of a bill is given."""

    DAYS = "days"
    DATES = "dates"


KINDS: dict[Kind, Any] = {
    Kind.LOAN: lazy_gettext("Loan"),
    Kind.LEASE: lazy_gettext("Finance lease"),
    Kind.BILL: lazy_gettext("Bill discount"),
    Kind.FACTORING: lazy_gettext("Factoring"),
    Kind.BRIDGE: lazy_gettext("Bridge loan"),
    Kind.COVER: lazy_gettext("Guarantee or insurance"),
}

BASES: dict[Base, Any] = {
    Base.FIXED: lazy_gettext("Fixed rate"),
    Base.ONE_YEAR: lazy_gettext("1-year LPR plus points"),
    Base.FIVE_YEAR: lazy_gettext("5-year LPR plus points"),
}
SPANS: dict[Span, Any] = {
    Span.DAYS: lazy_gettext("Number of days"),
    Span.DATES: lazy_gettext("From day to day"),
}
#: Of a cover by itself no balance falls, so that a fee of the balance is one of the amount.
LEVIES: dict[Levy, Any] = {
    Levy.WHOLE_TERM: lazy_gettext("Once, at the start, for all months"),
    Levy.YEARLY: lazy_gettext("Each year, for a full year"),
}

#: What the fields with a choice hold that nobody touched.
USUAL = {"base": Base.FIXED.value, "interval": "1", "day_count": "30/360", "rolling": "none", "basis": "360"}

_UPFRONT = {"fees.0.when": FeeTiming.UPFRONT.value, "fees.0.basis": FeeBasis.PRINCIPAL.value}
#: Each kind opens on a usual offer, so that an answer shows before anything is typed.
OPENINGS: dict[Kind, dict[str, str]] = {
    Kind.LOAN: {
        **{"amount": "100", "months": "12", "rate": "3.65", "repayment": Repayment.INTEREST_MONTHLY.value},
        **{"fees.0.rate": "0.5", "fees.0.payee": "guarantor"},
        **_UPFRONT,
    },
    Kind.LEASE: {
        **{"amount": "100", "down.share": "20", "months": "36", "rate": "5.5"},
        **{"rent": RentTiming.ARREARS.value, "deposit": "5", "buyout": "100", "fees.0.rate": "1.5"},
        **_UPFRONT,
    },
    Kind.BILL: {"amount": "100", "days": "180", "rate": "2.4", "fee.rate": "0.3"},
    Kind.FACTORING: {
        **{"amount": "100", "advance.share": "80", "days": "90", "rate": "5.5"},
        **{"interest_when": FeeTiming.END.value, "fees.0.rate": "0.5"},
        **_UPFRONT,
    },
    Kind.BRIDGE: {"amount": "500", "days": "5", "rate": "0.04"},
    Kind.COVER: {
        **{"amount": "100", "months": "24", "cover": CoverKind.GUARANTEE.value},
        **{"rate": "1", "levy": Levy.WHOLE_TERM.value},
    },
}
_AMOUNTS: dict[Kind, Any] = {
    Kind.LOAN: lazy_gettext("Amount"),
    Kind.LEASE: lazy_gettext("Price of what is leased"),
    Kind.BILL: lazy_gettext("Face amount"),
    Kind.FACTORING: lazy_gettext("Receivable"),
    Kind.BRIDGE: lazy_gettext("Amount"),
    Kind.COVER: lazy_gettext("Amount covered"),
}
_RATES: dict[Kind, Any] = {
    Kind.LOAN: lazy_gettext("Nominal rate a year"),
    Kind.LEASE: lazy_gettext("Nominal rate a year"),
    Kind.BILL: lazy_gettext("Discount rate a year"),
    Kind.FACTORING: lazy_gettext("Nominal rate a year"),
    Kind.BRIDGE: lazy_gettext("Rate a day"),
    Kind.COVER: lazy_gettext("Fee rate a year"),
}


def open_with(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of the form: those given, or the usual offer of the kind where there are none."""
    kind = find_kind(values)
    typed = set(values) - {"kind", "lang"}
    return values if typed else {"kind": kind.value, **OPENINGS[kind]}


def find_kind(values: Mapping[str, Any]) -> Kind:
    """Return the kind that values ask for; a loan where they ask for none we know."""
    typed = str(values.get("kind", ""))
    return Kind(typed) if typed in set(Kind) else Kind.LOAN


def is_idle(name: str, values: Mapping[str, str]) -> bool:
    """Say whether a field says no more than if it were left out: a usual choice, or one of an empty row."""
    if USUAL.get(name) == values[name]:
        return True
    row, _, last = name.rpartition(".")
    return row.startswith(("fees.", "subsidies.")) and last != "rate" and not values.get(f"{row}.rate")


def list_words(kind: Kind) -> dict[str, Any]:
    """Return the words of the fields of a kind."""
    by_day = kind is Kind.BRIDGE
    words = {
        "amount": _AMOUNTS[kind],
        "months": gettext("Tenor"),
        "days": gettext("Days"),
        "rate": _RATES[kind],
        "base": gettext("Kind of rate"),
        "spread": gettext("Points over the LPR"),
        "repayment": gettext("Repayment"),
        "interval": gettext("Payments"),
        "start": gettext("Start"),
        "day_count": gettext("Day count"),
        "first_due": gettext("First payment"),
        "rolling": gettext("Where a payment day is no working day"),
        "deposit": gettext("Deposit, returned at the end"),
        "down.share": gettext("Down payment"),
        "rent": gettext("Rent"),
        "buyout": gettext("Buy-out price"),
        "prelease_months": gettext("Months before the first rental period"),
        "prelease.rate": gettext("Rate of that time"),
        "span": gettext("Time"),
        "issued": gettext("Day of discount"),
        "matures": gettext("Maturity"),
        "fee.rate": gettext("Fee a year"),
        "basis": gettext("Days in a year"),
        "advance.share": gettext("Share paid out"),
        "interest_when": gettext("Interest is taken"),
        "cover": gettext("Kind"),
        "levy": gettext("Fee is taken"),
    }
    since = gettext("From day") if by_day else gettext("From month")
    later = gettext("New rate a day") if by_day else gettext("New rate a year")
    for row in range(STEPS):
        words |= {f"steps.{row}.at": since, f"steps.{row}.rate": later}
    return words | charge_rows.list_labels(FEES, SUBSIDIES)
