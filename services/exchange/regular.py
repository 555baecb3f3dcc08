"""Loans and leases as JSON: ``{"kind": "loan", "principal": "1000000.00", "months": 12, …}``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

from market.errors import Code, Fault, Invalid
from market.lpr import LprTable, floating_rate
from market.money import parse_rate, parse_yuan, yuan
from market.terms import LENDER, LeaseTerms, LoanTerms, Terms
from market.vocabulary import DayCount, LprTenor, RentTiming, Repayment
from services.exchange.charges import LONGEST_TERM, Frame, list_fees, list_subsidies, write_charges
from services.exchange.fields import Fields, parse_whole, plain
from services.exchange.payment_days import PaymentDays, check_room, read_payment_days, write_payment_days

MOST_SPREAD = 10_000
#: Nobody waits longer than this for what they lease.
MOST_PRELEASE = 120

Draws = tuple[tuple[int, int], ...]
Steps = tuple[tuple[int, Decimal], ...]


def read_loan(
    fields: Fields, lpr: LprTable | None, *, stored: bool = False
) -> tuple[LoanTerms, tuple[date, ...]]:
    """Read a loan, and the days whose place the working-day calendar decided.

    Without ``lpr`` a floating rate is refused. What was ``stored`` is not judged again: values that say
    nothing, such as a fee that begins after the end, are then no fault.
    """
    principal = fields.yuan("principal", least=1)
    months = fields.whole("months", least=1, most=LONGEST_TERM)
    repayment = fields.choice("repayment", Repayment)
    draws = _read_draws(fields, repayment, _known_term(fields, months), principal)
    rivals = {"draws": bool(draws)}
    common, days = _read_common(fields, lpr, months, _known_term(fields, months), rivals, stored)
    return LoanTerms(principal=principal, repayment=repayment, draws=draws, **common), days.rolled


def read_lease(
    fields: Fields, lpr: LprTable | None, *, stored: bool = False
) -> tuple[LeaseTerms, tuple[date, ...]]:
    """Read a lease as ``read_loan`` reads a loan."""
    principal = fields.yuan("principal", least=1)
    months = fields.whole("months", least=1, most=LONGEST_TERM)
    prelease = fields.whole("prelease_months", 0, least=0, most=MOST_PRELEASE)
    rivals = {"prelease_months": prelease > 0}
    common, days = _read_common(fields, lpr, months, _known_term(fields, prelease + months), rivals, stored)
    prelease_rate = fields.rate("prelease_rate", None)
    if prelease_rate is not None and not fields.has("prelease_months"):
        fields.need("prelease_months")
    terms = LeaseTerms(
        principal=principal,
        rent=fields.choice("rent", RentTiming, RentTiming.ARREARS),
        buyout=fields.yuan("buyout", 0),
        prelease_months=prelease,
        prelease_rate=prelease_rate,
        **common,
    )
    return terms, days.rolled


def write_regular(terms: Terms) -> dict[str, Any]:
    """Return a loan or lease as JSON values that are read back to the same terms."""
    loan = isinstance(terms, LoanTerms)
    written: dict[str, Any] = {
        "kind": "loan" if loan else "lease",
        "principal": yuan(terms.principal),
        "months": terms.months,
        "rate": f"{terms.rate:f}",
        "day_count": terms.day_count.value,
    }
    if terms.start is not None:
        written["start"] = terms.start.isoformat()
    if isinstance(terms, LoanTerms):
        written["repayment"] = terms.repayment.value
        if terms.draws:
            written["draws"] = [[month, yuan(amount)] for month, amount in terms.draws]
    else:
        written |= {"rent": terms.rent.value, "buyout": yuan(terms.buyout)}
        if terms.prelease_months:
            written["prelease_months"] = terms.prelease_months
        if terms.prelease_rate is not None:
            written["prelease_rate"] = f"{terms.prelease_rate:f}"
    if terms.deposit or not loan:
        written["deposit"] = f"{terms.deposit:f}"
    if terms.deposit_holder != LENDER:
        written["deposit_holder"] = terms.deposit_holder
    if terms.rate_steps:
        written["rate_steps"] = [[month, f"{rate:f}"] for month, rate in terms.rate_steps]
    return {**written, **write_payment_days(terms), **write_charges(terms.fees, terms.subsidies)}


def read_rate_steps(data: Any, path: str = "rate_steps") -> Steps:
    """Return a list of (month, rate) pairs; raises ``Invalid`` with every fault."""
    faults: list[Fault] = []
    steps = read_steps(Fields({path: data}, "", faults), path, most=LONGEST_TERM - 1)
    if faults:
        raise Invalid(*faults)
    return steps


def read_steps(fields: Fields, name: str, *, most: int, most_rate: Decimal = Decimal(100)) -> Steps:
    """Read (month or day, rate) pairs in ascending order, from 1 up to ``most``."""
    steps = fields.pairs(
        name,
        lambda value, at: parse_whole(value, at, least=1, most=most),
        lambda value, at: parse_rate(plain(value), at, places=12, most=most_rate),
    )
    if fields.has(name) and not fields.sound(name):
        return ()
    for place, (before, (begin, _)) in enumerate(pairwise(steps), 1):
        if begin <= before[0]:
            fields.note(Code.OUT_OF_ORDER, f"{name}[{place}][0]", value=begin, after=before[0])
    return tuple(steps)


def _known_term(fields: Fields, term: int) -> int:
    """Return the term in months, or the longest where it is not known: one fault says enough."""
    return term if fields.sound("months") else LONGEST_TERM


def _read_common(
    fields: Fields, lpr: LprTable | None, months: int, term: int, rivals: dict[str, bool], stored: bool
) -> tuple[dict[str, Any], PaymentDays]:
    """Read what loans and leases share; ``term`` months lie between the money and the end."""
    day_count = fields.choice("day_count", DayCount, DayCount.THIRTY_360)
    start = fields.day("start", None)
    sound_start = start if fields.sound("start") else None
    rate = _read_price(fields, sound_start, lpr)
    frame = Frame(term, stored=stored)
    fees, subsidies = list_fees(fields, frame), list_subsidies(fields, frame)
    if day_count is not DayCount.THIRTY_360:
        fields.need("start")
    fits = sound_start is not None and fields.sound("months") and check_room(fields, sound_start, term)
    days = read_payment_days(fields, sound_start if fits else None, term, rivals, stored=stored)
    last_step = LONGEST_TERM + MOST_PRELEASE if stored else max(term - 1, 0)
    return {
        "months": months,
        "rate": rate,
        "day_count": day_count,
        "start": start,
        "fees": fees,
        "subsidies": subsidies,
        "interval": days.interval,
        "rate_steps": read_steps(fields, "rate_steps", most=last_step),
        "due": days.due,
        "accrual": days.accrual,
        "deposit": fields.rate("deposit", Decimal(0), most=Decimal(1)),
        "deposit_holder": fields.text("deposit_holder", LENDER),
    }, days


def _read_price(fields: Fields, start: date | None, lpr: LprTable | None) -> Decimal:
    """Return the fixed rate, or LPR + spread on the day of ``start``."""
    if not fields.has("lpr"):
        return cast(Decimal, fields.rate("rate"))
    if lpr is None:
        fields.note(Code.UNKNOWN_FIELD, "lpr", value="lpr")
        fields.has("rate")
        return Decimal(0)
    if fields.has("rate"):
        fields.note(Code.ONE_OF, "lpr", choices=["rate", "lpr"])
    floating = Fields(fields.data["lpr"], fields.at("lpr"), fields.faults)
    tenor = floating.choice("tenor", LprTenor)
    spread = floating.whole("spread_bp", 0, least=-MOST_SPREAD, most=MOST_SPREAD)
    floating.finish()
    fields.need("start")
    if start is None:
        return Decimal(0)
    try:
        rate = floating_rate(lpr, tenor, start, spread)
    except Invalid as error:
        fields.faults.extend(Fault(fault.code, fields.at("start"), fault.values) for fault in error.faults)
        return Decimal(0)
    if rate < 0:
        least = -int(floating_rate(lpr, tenor, start, 0) * 10_000)
        floating.note(Code.TOO_SMALL, "spread_bp", value=spread, least=least)
        return Decimal(0)
    return rate


def _read_draws(fields: Fields, repayment: Repayment, months: int, principal: int) -> Draws:
    """Read the draw list of a revolving loan: [month, yuan], + drawn and - repaid early."""
    if repayment is not Repayment.REVOLVING:
        # Of a style that could not be read nothing is known.
        if fields.has("draws") and fields.data["draws"] != [] and fields.sound("repayment"):
            fields.note(Code.UNKNOWN_FIELD, "draws", value="draws")
        return ()
    draws = fields.pairs(
        "draws",
        lambda value, at: parse_whole(value, at, least=0, most=months - 1),
        lambda value, at: parse_yuan(plain(value), at, least=None),
    )
    if not fields.sound("draws") or not fields.sound("principal"):
        return ()
    draws.sort(key=lambda draw: draw[0])
    outstanding = 0
    for place, (month, amount) in enumerate(draws):
        outstanding += amount
        settled = place + 1 == len(draws) or draws[place + 1][0] != month
        if settled and not 0 <= outstanding <= principal:
            if outstanding < 0:
                fields.note(Code.TOO_SMALL, "draws", value=yuan(outstanding), least=yuan(0))
            else:
                fields.note(Code.TOO_LARGE, "draws", value=yuan(outstanding), most=yuan(principal))
            return ()
    return tuple(draws)
