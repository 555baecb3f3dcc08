"""The definition of pricing once more, slowly and plainly, for the engine to agree with to the fen.

Everything is a ``Decimal`` and a loop; nothing is shared with ``market`` but the terms and their words.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from market.terms import BillTerms, BridgeTerms, CoverTerms, FactoringTerms, LeaseTerms, LoanTerms
from tests.market.reference.charges import charge_all, share
from tests.market.reference.repayment import repay
from tests.market.reference.timetable import NOTHING, Point, Timetable, When, by_dates, by_months, fen
from tests.market.reference.timetable import later as _later

__all__ = ["LENDER", "Priced", "_later", "present_value", "price"]

Priceable = LoanTerms | LeaseTerms | BillTerms | FactoringTerms | BridgeTerms | CoverTerms

#: Digits. Sums of fourteen digits with the thirty places that ``fen`` looks at make 44, and an annuity of 360
#: divisions loses three of them. A present value needs fewer.
PRECISION, ROUGH = 60, 40
LENDER = "lender"


@dataclass
class Priced:
    """What falls due at each point, and the firm's net flow there (+ received) with its time in years.

    ``received`` is the money handed out at first, ``payees`` the cost by payee, ``average`` the average
    monthly payment (None where days are counted, or nothing is lent).
    """

    months: list[Point]
    received: Decimal
    net: list[Decimal]
    years: list[Decimal]
    payees: dict[str, Decimal]
    average: Decimal | None = None

    def flows(self) -> dict[tuple[When, str], Decimal]:
        """Return what each payee pays the firm at each time, zeros left out."""
        found = {
            (point.when, payee): -amount for point in self.months for payee, amount in point.payees.items()
        }
        return {key: amount for key, amount in found.items() if amount}

    def sums(self) -> dict[When, Decimal]:
        """Return the net flow at each time, zeros left out."""
        pairs = zip(self.months, self.net, strict=True)
        return {point.when: amount for point, amount in pairs if amount}


def price(terms: Priceable) -> Priced:
    with localcontext() as context:
        context.prec = PRECISION
        if isinstance(terms, LoanTerms | LeaseTerms):
            return _financing(terms)
        if isinstance(terms, CoverTerms):
            return _cover(terms)
        return _by_days(terms)


def _financing(terms: LoanTerms | LeaseTerms) -> Priced:
    principal = Decimal(terms.principal)
    lease = isinstance(terms, LeaseTerms)
    wait = terms.prelease_months if lease else 0
    draws = () if lease else terms.draws
    if terms.due:
        table = by_dates(terms.start, terms.due, terms.accrual, terms.day_count.value, terms.months)
    else:
        table = by_months(terms.months, terms.interval, terms.day_count.value, terms.start, wait)
    style = terms.rent.value if lease else terms.repayment.value
    if wait:
        rate = terms.rate if terms.prelease_rate is None else terms.prelease_rate
        units = sum(point.units for point in table.points[: wait + 1])
        table.points[wait].interest = fen(principal * rate * units / table.basis)
    paying = repay(table, principal, style, terms.rate, terms.rate_steps, draws)
    if wait and wait not in paying:
        paying = [wait, *paying]
    for point in table.points:
        point.payees[LENDER] += point.principal + point.interest
    if lease:
        table.points[table.end].charge(LENDER, Decimal(terms.buyout))
    _deposit(table, fen(principal * terms.deposit), terms.deposit_holder)
    charge_all(table, principal, paying, terms.fees, terms.subsidies)
    return _priced(table.points, table.points[0].before if draws else principal, wait + terms.months)


def _cover(terms: CoverTerms) -> Priced:
    """A cover hands out nothing: its amount comes and goes to make its fees an annual cost of something."""
    amount = Decimal(terms.amount)
    table = by_months(terms.months, 1)
    table.points[table.end].principal = amount
    table.points[table.end].payees[LENDER] += amount
    for point in table.points:
        point.before = amount
    _deposit(table, fen(amount * terms.deposit), terms.provider)
    charge_all(table, amount, [table.end], terms.fees, terms.subsidies, lent=False)
    return _priced(table.points, amount, None)


def _by_days(terms: BillTerms | FactoringTerms | BridgeTerms) -> Priced:
    first, last = Point(0, NOTHING), Point(terms.days, Decimal(terms.days) / 365)
    if isinstance(terms, BillTerms):
        amount = whole = Decimal(terms.face)
        first.interest = interest = fen(amount * terms.rate * terms.days / terms.basis)
        first.charge(LENDER, fen(amount * terms.fee_rate * terms.days / terms.basis))
    elif isinstance(terms, FactoringTerms):
        whole, amount = Decimal(terms.face), fen(terms.face * terms.advance)
        interest = fen(amount * terms.rate * terms.days / terms.basis)
        (first if terms.interest_when.value == "upfront" else last).interest = interest
    else:
        amount = whole = Decimal(terms.principal)
        total = NOTHING
        for day in range(1, terms.days + 1):
            total += [terms.daily_rate, *(rate for begin, rate in terms.steps if begin <= day)][-1]
        last.interest = interest = fen(amount * total)
    last.principal = first.before = last.before = amount
    for point in (first, last):
        point.payees[LENDER] += point.principal + point.interest
    bases = {"principal": whole, "outstanding": amount, "rent": interest, "interest": interest}
    for fee in terms.fees:
        # A yearly share of payments comes with them, any other yearly fee when the year begins.
        yearly = fee.when.value == "yearly" and fee.basis.value not in ("rent", "interest")
        early = yearly or fee.when.value == "upfront"
        (first if early else last).charge(fee.payee, share(fee, bases[fee.basis.value]))
    return _priced([first, last], amount, None)


def _deposit(table: Timetable, amount: Decimal, holder: str) -> None:
    table.points[0].hold(holder, amount)
    table.points[table.end].hold(holder, -amount)


def _priced(points: list[Point], received: Decimal, months: int | None) -> Priced:
    points = sorted(points, key=lambda point: point.when)
    points[0].payees[LENDER] -= received
    net = [point.net() for point in points]
    net[0] += received
    payees: dict[str, Decimal] = {LENDER: NOTHING}
    for point, amount in zip(points, net, strict=True):
        assert -amount == sum(point.payees.values()), "an amount without a payee"
        for payee, paid in point.payees.items():
            payees[payee] = payees.get(payee, NOTHING) + paid
    average = None if months is None else fen(-sum(net[1:], NOTHING) / months)
    return Priced(points, received, net, [point.years for point in points], payees, average)


def present_value(priced: Priced, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Return the sum of all flows discounted at an annual rate, and the sum of their sizes."""
    with localcontext() as context:
        context.prec = ROUGH
        force = (1 + rate).ln()
        parts = [flow * (-force * years).exp() for flow, years in zip(priced.net, priced.years, strict=True)]
        return sum(parts, NOTHING), sum((abs(part) for part in parts), NOTHING)
