"""The definition of pricing once more, slowly and plainly, for the engine to agree with to the fen.

Everything is a ``Decimal`` with 120 digits and a loop; nothing is shared with ``market`` but the terms.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy

ONE = Decimal(1)


@dataclass
class Month:
    """What happens in one month, in fen."""

    principal: Decimal = Decimal(0)
    interest: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    subsidy: Decimal = Decimal(0)
    deposit: Decimal = Decimal(0)
    before: Decimal = Decimal(0)


@dataclass
class Priced:
    months: list[Month]
    received: Decimal
    net: list[Decimal]
    years: list[Decimal]
    payees: dict[str, Decimal] = field(default_factory=dict)


def fen(value: Decimal) -> Decimal:
    return value.quantize(ONE, ROUND_HALF_UP)


def price(terms: LoanTerms | LeaseTerms) -> Priced:
    with localcontext() as context:
        context.prec = 120
        return _price(terms)


def _price(terms: LoanTerms | LeaseTerms) -> Priced:
    n, principal = terms.months, Decimal(terms.principal)
    style = terms.repayment.value if isinstance(terms, LoanTerms) else terms.rent.value
    basis = terms.day_count.value
    dates = [_later(terms.start, k) for k in range(n + 1)] if terms.start else []
    if basis == "30/360":
        rates = [Decimal(0)] + [terms.rate / 12] * n
        years = [Decimal(k) / 12 for k in range(n + 1)]
    else:
        days = [(dates[k] - dates[k - 1]).days for k in range(1, n + 1)]
        rates = [Decimal(0)] + [terms.rate * d / int(basis[-3:]) for d in days]
        years = [Decimal((day - dates[0]).days) / 365 for day in dates]
    months = [Month() for _ in range(n + 1)]
    _repay(months, principal, n, style, rates)
    if style == "bullet":
        total = (dates[n] - dates[0]).days if basis != "30/360" else n
        months[n].interest = fen(
            principal * terms.rate * total / (12 if basis == "30/360" else int(basis[-3:]))
        )
    payees = {"lender": sum((m.interest for m in months), Decimal(0))}
    for charge in [*terms.fees, *(s for s in terms.subsidies if s.recipient.value == "firm")]:
        for k in _when(charge, n):
            if charge.rate is None:
                amount = Decimal(charge.amount)
            else:
                amount = fen(
                    (principal if charge.basis.value == "principal" else months[k].before) * charge.rate
                )
            if isinstance(charge, Fee):
                months[k].fees += amount
                payees[charge.payee] = payees.get(charge.payee, Decimal(0)) + amount
            else:
                months[k].subsidy += amount
                payees["subsidy"] = payees.get("subsidy", Decimal(0)) - amount
    if isinstance(terms, LeaseTerms):
        deposit = fen(principal * terms.deposit)
        months[0].deposit += deposit
        months[n].deposit -= deposit
        months[n].fees += terms.buyout
        payees["lender"] += terms.buyout
    net = [m.subsidy - m.principal - m.interest - m.fees - m.deposit for m in months]
    net[0] += principal
    return Priced(months, principal, net, years, payees)


def _repay(months: list[Month], principal: Decimal, n: int, style: str, rates: list[Decimal]) -> None:
    left = principal
    first, last = (0, n - 1) if style == "advance" else (1, n)
    payment = None
    if style in ("equal_installment", "arrears", "advance"):
        value, annuity = ONE, ONE if first == 0 else Decimal(0)
        for k in range(1, last + 1):
            value /= 1 + rates[k]
            annuity += value
        payment = fen(principal / annuity)
    for k in range(n + 1):
        months[k].before = left
        if k < first or k > last:
            continue
        if style != "bullet":
            months[k].interest = fen(left * rates[k])
        if k == last:
            months[k].principal = left
        elif payment is not None:
            months[k].principal = max(min(payment - months[k].interest, left), Decimal(0))
        elif style == "equal_principal":
            months[k].principal = min(fen(principal / n), left)
        left -= months[k].principal


def _when(charge: Fee | Subsidy, n: int) -> list[int]:
    return {
        "upfront": [0],
        "yearly": [k for k in range(n) if k % 12 == 0],
        "monthly": list(range(1, n + 1)),
        "end": [n],
    }[charge.when.value]


def _later(start: date, months: int) -> date:
    year, month = start.year, start.month + months
    while month > 12:
        year, month = year + 1, month - 12
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def present_value(priced: Priced, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Return the sum of all flows discounted at an annual rate, and the sum of their sizes."""
    with localcontext() as context:
        context.prec = 60
        force = (1 + rate).ln()
        parts = [flow * (-force * years).exp() for flow, years in zip(priced.net, priced.years, strict=True)]
        return sum(parts, Decimal(0)), sum((abs(part) for part in parts), Decimal(0))
