"""The proof of an annual cost: every flow with its time, so that anybody can work the figures out again.

A proof is plain data: amounts are decimal yuan strings, rates decimal strings per year, times exact
fractions of a year (``"7/12"``, ``"31/365"``) counted from the first one. Its hash is the SHA-256 of its
canonical JSON form (RFC 8785). ``compose`` writes one, ``recompute`` reads one without looking at the terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import rfc8785

from market import cashflow, disclosure
from market.cost import Cost, price
from market.errors import Code, Fault
from market.money import LONGEST, rate_text, round_half_up, yuan
from market.schedule import Unit
from market.terms import LENDER, FlowTerms, LeaseTerms, LoanTerms, Period

SCHEMA = "cuohe-proof/1"
#: Units of time in a year, for all but bare periods.
_PER_YEAR = {Unit.MONTH: 12, Unit.DAY: 365, Unit.DATE: 365}
#: Enough digits that what is left over of a discounted sum is the rate's rounding and not ours.
_PRECISE = Context(prec=60)
#: Enough digits that no sum of amounts is rounded.
_EXACT = Context(prec=4 * LONGEST)


@dataclass(frozen=True, slots=True)
class TimedFlow:
    """One sum of money of a proof: ``years`` after the first time, in yuan, + received."""

    when: int | str
    years: Fraction
    amount: Decimal
    payee: str = LENDER
    part: str = ""
    name: str = ""


def compose(cost: Cost, terms: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proof of a cost: ``terms`` as they are exchanged, ``about`` what offer it is.

    Rates are None where the cost has none; ``note`` then says why.
    """
    schedule, flows = cost.schedule, list_flows(cost)
    months = cashflow.term_months(cost.terms) if isinstance(cost.terms, (LoanTerms, LeaseTerms)) else None
    average, each = cost.average_monthly_payment, cost.cost_per_yuan
    return {
        "about": dict(about),
        "terms": dict(terms),
        "convention": cost.convention,
        "unit": schedule.unit.value,
        "months": months,
        "flows": [
            {
                "when": flow.when,
                "t": write_time(flow.years, schedule.unit),
                "amount": f"{flow.amount:f}",
                "payee": flow.payee,
                "part": flow.part,
                "name": flow.name,
            }
            for flow in flows
        ],
        "net": [
            {"when": flow.when, "t": write_time(flow.years, schedule.unit), "amount": f"{flow.amount:f}"}
            for flow in net(flows)
        ],
        "effective": None if cost.effective is None else f"{cost.effective:f}",
        "simple": None if cost.simple is None else f"{cost.simple:f}",
        "note": cost.note,
        "residue": None if cost.effective is None else write_residue(discount(flows, cost.effective)),
        "total_cost": yuan(cost.total_cost),
        "net_received": yuan(cost.net_received),
        "average_monthly_payment": None if average is None else yuan(average),
        "cost_per_yuan": None if each is None else rate_text(each),
        "breakdown": [{"payee": payee, "amount": yuan(amount)} for payee, amount in cost.breakdown],
        "costs": [_write_cost(row) for row in disclosure.list_parts(cost)],
    }


def seal(proof: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a proof's canonical JSON, in hexadecimal."""
    return sha256(rfc8785.dumps(dict(proof))).hexdigest()


def list_flows(cost: Cost) -> list[TimedFlow]:
    """Return every flow of a cost in order of time; bare flows keep the decimals they were given with."""
    terms, unit = cost.terms, cost.schedule.unit
    if isinstance(terms, FlowTerms):
        bare = sorted(terms.flows, key=lambda flow: flow[0])
        first = bare[0][0] if bare else 0
        return [TimedFlow(_write_when(when), _years(when, first, unit), amount) for when, amount in bare]
    # Everything is counted from the paying out, or from the start where days are named.
    start = getattr(terms, "start", None) if unit is Unit.DATE else 0
    return [
        TimedFlow(
            _write_when(flow.month),
            _years(flow.month, start, unit),
            Decimal(yuan(flow.amount)),
            flow.payee,
            flow.part.value,
            flow.name,
        )
        for flow in cost.schedule.flows
    ]


def net(flows: Iterable[TimedFlow]) -> list[TimedFlow]:
    """Return one flow for each time: the sum of all that falls on it."""
    sums: dict[Fraction, TimedFlow] = {}
    for flow in flows:
        before = sums.get(flow.years)
        amount = flow.amount if before is None else _EXACT.add(before.amount, flow.amount)
        sums[flow.years] = TimedFlow(flow.when, flow.years, amount)
    return [sums[years] for years in sorted(sums)]


def factor(rate: Decimal, years: Fraction) -> Decimal:
    """Return what one yuan after so many years is worth now: 1 ÷ (1 + rate) ^ years."""
    force = _PRECISE.ln(_PRECISE.add(1, rate))
    return _PRECISE.exp(
        _PRECISE.multiply(_PRECISE.minus(force), _PRECISE.divide(years.numerator, years.denominator))
    )


def discount(flows: Iterable[TimedFlow], rate: Decimal) -> Decimal:
    """Return Σ flow ÷ (1 + rate) ^ years in yuan; zero at the annual cost but for its rounding."""
    total = Decimal(0)
    for flow in net(flows):
        total = _PRECISE.add(total, _PRECISE.multiply(flow.amount, factor(rate, flow.years)))
    return total


def recompute(unit: Unit, flows: list[TimedFlow]) -> dict[str, Any]:
    """Return what follows from flows alone: the rate, the totals and their split, in the words of a proof."""
    summed = net(flows)
    priced = price(_bare(unit, summed))
    split: dict[str, Decimal] = {LENDER: Decimal(0)}
    for flow in flows:
        split[flow.payee] = _EXACT.subtract(split.get(flow.payee, Decimal(0)), flow.amount)
    total = Decimal(0)
    for paid in split.values():
        total = _EXACT.add(total, paid)
    received = next((flow.amount for flow in summed if not flow.years), Decimal(0))
    return {
        "net": [{"when": f.when, "t": write_time(f.years, unit), "amount": f"{f.amount:f}"} for f in summed],
        "effective": None if priced.effective is None else f"{priced.effective:f}",
        "note": priced.note,
        "residue": None if priced.effective is None else write_residue(discount(flows, priced.effective)),
        "total_cost": _write_yuan(total),
        "net_received": _write_yuan(received),
        "breakdown": [{"payee": payee, "amount": _write_yuan(amount)} for payee, amount in split.items()],
    }


def differences(stated: Mapping[str, Any], expected: Mapping[str, Any], path: str) -> list[Fault]:
    """Return a fault for each expected member that is stated otherwise, with its path."""
    faults: list[Fault] = []
    for name, value in expected.items():
        _compare(stated.get(name), value, f"{path}.{name}" if path else name, faults)
    return faults


def write_time(years: Fraction, unit: Unit) -> str:
    """Return a time as an exact fraction of a year, over 12 or 365 where months or days are counted."""
    per_year = _PER_YEAR.get(unit, years.denominator)
    counted = years * per_year
    if counted.denominator != 1:
        return f"{years.numerator}/{years.denominator}"
    return f"{counted.numerator}/{per_year}"


def write_residue(sum_: Decimal) -> str:
    """Return what a discounted sum is off zero, in yuan, with four digits."""
    return "0" if not sum_ else f"{sum_:.3e}"


def _compare(stated: Any, expected: Any, path: str, faults: list[Fault]) -> None:
    if isinstance(expected, Mapping) and isinstance(stated, Mapping):
        for name in dict.fromkeys([*expected, *stated]):
            _compare(stated.get(name), expected.get(name), f"{path}.{name}", faults)
    elif isinstance(expected, list) and isinstance(stated, list) and len(expected) == len(stated):
        for place, (one, other) in enumerate(zip(stated, expected, strict=True)):
            _compare(one, other, f"{path}[{place}]", faults)
    elif stated != expected:
        faults.append(
            Fault(Code.DOES_NOT_FOLLOW, path, {"value": _shown(stated), "computed": _shown(expected)})
        )


def _shown(value: Any) -> str:
    if isinstance(value, (list, Mapping)):
        return f"{len(value)} items"
    return "null" if value is None else str(value)


def _years(when: int | Fraction | date, first: Any, unit: Unit) -> Fraction:
    passed = (when - first).days if isinstance(when, date) else when - first
    return Fraction(passed) / _PER_YEAR.get(unit, 1)


def _bare(unit: Unit, summed: list[TimedFlow]) -> FlowTerms:
    if unit is Unit.MONTH:
        return FlowTerms(tuple((flow.years * 12, flow.amount) for flow in summed), Period.MONTH)
    return FlowTerms(tuple((flow.years, flow.amount) for flow in summed), Period.YEAR)


def _write_when(when: int | Fraction | date) -> int | str:
    if isinstance(when, date):
        return when.isoformat()
    whole = when if isinstance(when, int) else int(when) if when.denominator == 1 else None
    return str(when) if whole is None else whole


def _write_yuan(amount: Decimal) -> str:
    return yuan(round_half_up(_EXACT.multiply(amount, 100)))


def _write_cost(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: yuan(value) if name in {"total", "held"} else value for name, value in row.items()}
