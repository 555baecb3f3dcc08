"""Bills, factoring, bridge loans and covers as JSON; the first three are counted in days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from market.calendar import roll
from market.errors import Code
from market.money import yuan
from market.reference import calendar
from market.terms import BillTerms, BridgeTerms, CoverTerms, FactoringTerms
from market.vocabulary import FeeBasis, FeeTiming, Rolling
from services.exchange.charges import LONGEST_TERM, Frame, list_fees, list_subsidies, write_charges
from services.exchange.fields import Fields
from services.exchange.payment_days import check_room
from services.exchange.regular import read_steps

#: What is counted in days runs for ten years at most.
MOST_DAYS = 3660
BASES = (360, 365)
#: Less than this of a receivable is no advance.
LEAST_ADVANCE = Decimal("0.01")
#: What falls due in one sum has no rents of which a fee could be a share, and it has no second month.
_DAYS = Frame(1, bases=(FeeBasis.PRINCIPAL, FeeBasis.OUTSTANDING, FeeBasis.INTEREST))
#: A cover by itself bears no interest.
_COVER_BASES = (FeeBasis.PRINCIPAL, FeeBasis.OUTSTANDING)


def read_bill(fields: Fields, *, stored: bool = False) -> tuple[BillTerms, tuple[date, ...]]:
    """Read a discounted bill, and the days whose place the working-day calendar decided."""
    face = fields.yuan("face", least=1)
    days, rolled = _read_days(fields)
    terms = BillTerms(
        face=face,
        days=days,
        rate=fields.rate("rate"),
        fee_rate=fields.rate("fee_rate", Decimal(0)),
        basis=fields.step("basis", BASES, BillTerms(1, 1, Decimal(0)).basis),
        fees=list_fees(fields, replace(_DAYS, stored=stored)),
    )
    return terms, rolled


def read_factoring(fields: Fields, *, stored: bool = False) -> FactoringTerms:
    """Read a factored receivable."""
    face = fields.yuan("face", least=1)
    advance = fields.rate("advance", Decimal(1), most=Decimal(1))
    if fields.sound("advance") and advance < LEAST_ADVANCE:
        fields.note(Code.TOO_SMALL, "advance", value=f"{advance:f}", least=f"{LEAST_ADVANCE:f}")
    when = fields.choice("interest_when", FeeTiming, FeeTiming.END)
    if when not in (FeeTiming.UPFRONT, FeeTiming.END):
        choices = [FeeTiming.UPFRONT.value, FeeTiming.END.value]
        fields.note(Code.NOT_A_CHOICE, "interest_when", value=when.value, choices=choices)
    return FactoringTerms(
        face=face,
        days=fields.whole("days", least=1, most=MOST_DAYS),
        rate=fields.rate("rate"),
        advance=advance,
        interest_when=when,
        basis=fields.step("basis", BASES, FactoringTerms(1, 1, Decimal(0)).basis),
        fees=list_fees(fields, replace(_DAYS, stored=stored)),
    )


def read_bridge(fields: Fields, *, stored: bool = False) -> BridgeTerms:
    """Read a bridge loan."""
    principal = fields.yuan("principal", least=1)
    days = fields.whole("days", least=1, most=MOST_DAYS)
    most_day = days if fields.sound("days") and not stored else MOST_DAYS
    return BridgeTerms(
        principal=principal,
        days=days,
        daily_rate=fields.rate("daily_rate", most=Decimal(1)),
        fees=list_fees(fields, replace(_DAYS, stored=stored)),
        steps=read_steps(fields, "steps", most=most_day, most_rate=Decimal(1)),
    )


def read_cover(fields: Fields, *, stored: bool = False) -> CoverTerms:
    """Read a guarantee or credit insurance; a fee that names nobody goes to its provider."""
    amount = fields.yuan("amount", least=1)
    months = fields.whole("months", least=1, most=LONGEST_TERM)
    provider = fields.text("provider", "guarantor")
    term = months if fields.sound("months") else LONGEST_TERM
    frame = Frame(term, provider, _COVER_BASES, stored)
    fees, subsidies = list_fees(fields, frame), list_subsidies(fields, frame)
    if not (fees or stored or isinstance(fields.data.get("fees"), (str, dict))):
        # A cover is nothing but its price.
        fields.note(Code.REQUIRED, "fees")
    start = fields.day("start", None)
    if fields.sound("start") and fields.sound("months"):
        check_room(fields, start, term)
    return CoverTerms(
        amount=amount,
        months=months,
        fees=fees,
        deposit=fields.rate("deposit", Decimal(0), most=Decimal(1)),
        provider=provider,
        subsidies=subsidies,
        start=start,
    )


def write_short(terms: BillTerms | FactoringTerms | BridgeTerms | CoverTerms) -> dict[str, Any]:
    """Return the terms as JSON values that are read back to the same terms."""
    written: dict[str, Any]
    if isinstance(terms, BillTerms):
        written = {
            "kind": "bill",
            "face": yuan(terms.face),
            "days": terms.days,
            "rate": f"{terms.rate:f}",
            "fee_rate": f"{terms.fee_rate:f}",
            "basis": terms.basis,
        }
    elif isinstance(terms, FactoringTerms):
        written = {
            "kind": "factoring",
            "face": yuan(terms.face),
            "advance": f"{terms.advance:f}",
            "days": terms.days,
            "rate": f"{terms.rate:f}",
            "interest_when": terms.interest_when.value,
            "basis": terms.basis,
        }
    elif isinstance(terms, BridgeTerms):
        written = {
            "kind": "bridge",
            "principal": yuan(terms.principal),
            "days": terms.days,
            "daily_rate": f"{terms.daily_rate:f}",
        }
        if terms.steps:
            written["steps"] = [[day, f"{rate:f}"] for day, rate in terms.steps]
    else:
        written = {
            "kind": "cover",
            "amount": yuan(terms.amount),
            "months": terms.months,
            "deposit": f"{terms.deposit:f}",
            "provider": terms.provider,
            **({} if terms.start is None else {"start": terms.start.isoformat()}),
        }
    return {**written, **write_charges(terms.fees, terms.subsidies if isinstance(terms, CoverTerms) else ())}


def _read_days(fields: Fields) -> tuple[int, tuple[date, ...]]:
    """Read how many days a bill runs: given, or from its issue to its maturity, rolled off holidays."""
    dated = [name for name in ("issued", "matures", "rolling") if fields.has(name)]
    if not dated:
        return fields.whole("days", least=1, most=MOST_DAYS), ()
    if fields.has("days"):
        fields.note(Code.ONE_OF, "days", choices=["days", "matures"])
        return 1, ()
    issued, matures = fields.day("issued"), fields.day("matures")
    rolling = fields.choice("rolling", Rolling, Rolling.NONE)
    if not fields.sound("issued") or not fields.sound("matures"):
        return 1, ()
    # The last day there is, is a Friday: nothing rolls beyond it.
    paid = roll(matures, rolling, calendar())
    days = (paid - issued).days
    if days < 1:
        fields.note(Code.OUT_OF_ORDER, "matures", value=paid.isoformat(), after=issued.isoformat())
    elif days > MOST_DAYS:
        fields.note(Code.TOO_LARGE, "matures", value=days, most=MOST_DAYS)
    return days, () if rolling is Rolling.NONE else (matures, paid)
