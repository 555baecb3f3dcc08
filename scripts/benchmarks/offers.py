"""The offers that are measured: loans and leases as a zone's lenders make them, the same for every seed.

Terms are 6, 12, 18, 24 or 36 months equally; one offer in five is a lease, the others are in the four
loan styles equally; each has none to three fees, three in ten have a subsidy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal

import numpy as np

from market.blocks import blocks
from market.book import BASES, NONE, RATE_UNIT, WHENS, Book, Charges
from market.calendar import add_months
from market.dated import Flows
from market.layouts import Ints
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, RentTiming, Repayment

MONTHS = (6, 12, 18, 24, 36)
LOANS = (
    Repayment.EQUAL_INSTALLMENT,
    Repayment.EQUAL_PRINCIPAL,
    Repayment.INTEREST_MONTHLY,
    Repayment.BULLET,
)
STYLES = (*LOANS, *RentTiming)
#: Drawdowns of the dated flows fall on these days and the following ones.
FIRST_DAY, DAYS = date(2025, 1, 1), 730


@dataclass(frozen=True, slots=True)
class Kind:
    """A fee or subsidy: when, of what, the least and the most of its rate (basis points) or amount (yuan)."""

    when: FeeTiming
    basis: FeeBasis | None
    least: int
    most: int


FEES = (
    Kind(FeeTiming.UPFRONT, FeeBasis.PRINCIPAL, 10, 100),
    Kind(FeeTiming.UPFRONT, None, 200, 5000),
    Kind(FeeTiming.YEARLY, FeeBasis.PRINCIPAL, 30, 120),
    Kind(FeeTiming.YEARLY, FeeBasis.OUTSTANDING, 30, 150),
    Kind(FeeTiming.MONTHLY, FeeBasis.OUTSTANDING, 1, 6),
    Kind(FeeTiming.MONTHLY, None, 20, 200),
    Kind(FeeTiming.END, FeeBasis.PRINCIPAL, 5, 30),
    Kind(FeeTiming.END, None, 200, 2000),
)
SUBSIDIES = (
    Kind(FeeTiming.YEARLY, FeeBasis.INTEREST, 1000, 5000),
    Kind(FeeTiming.END, FeeBasis.INTEREST, 1000, 5000),
    Kind(FeeTiming.UPFRONT, FeeBasis.PRINCIPAL, 20, 80),
    Kind(FeeTiming.END, FeeBasis.PRINCIPAL, 30, 150),
)
#: One subsidy in three is capped, at this many yuan.
CAPS = (20_000, 300_000)


def book(count: int, seed: int) -> Book:
    """Return offers as columns, all drawn from one seed."""
    random = np.random.default_rng(seed)
    lease = random.random(count) < 0.2
    style = np.where(lease, len(LOANS) + random.integers(0, 2, count), random.integers(0, len(LOANS), count))
    # From a hundred thousand to ten million yuan, small offers as many as large ones, in whole thousands.
    principal = (10 ** random.uniform(2, 4, count)).astype(np.int64) * 100_000
    rate = random.integers(250, 800, count) * (RATE_UNIT // 10_000)
    charged = charges(random, count)
    return Book.by_month(
        [STYLES[code] for code in style.tolist()],
        np.array(MONTHS)[random.integers(0, len(MONTHS), count)],
        principal,
        rate,
        np.where(lease, random.integers(0, 11, count) * (RATE_UNIT // 100), 0),
        np.where(lease, 10_000, 0),
        charged,
    )


def charges(random: np.random.Generator, count: int) -> Charges:
    """Return the fees and subsidies of offers."""
    fees = np.repeat(np.arange(count), random.integers(0, 4, count))
    subsidised = np.flatnonzero(random.random(count) < 0.3)
    parts = [_charges(random, fees, -1, FEES), _charges(random, subsidised, 1, SUBSIDIES)]
    columns = [np.concatenate(pair) for pair in zip(*parts, strict=True)]
    by_offer = np.argsort(columns[0], kind="stable")
    return Charges(*(column[by_offer] for column in columns))


def part(offers: Book, count: int) -> Book:
    """Return the first offers of a book."""
    table = offers.charges
    own = table.offer < count
    charged = Charges(*(getattr(table, column.name)[own] for column in fields(Charges)))
    columns = {
        name: getattr(offers, name)[:count]
        for name in ("shape", "principal", "rate", "later", "prelease", "deposit", "buyout")
    }
    return replace(offers, **columns, charges=charged)


def terms(offers: Book, rows: Sequence[int]) -> list[LoanTerms | LeaseTerms]:
    """Return offers of a book as terms, without a start date: months count."""
    own: dict[int, tuple[list[Fee], list[Subsidy]]] = {row: ([], []) for row in rows}
    table = offers.charges
    for charge in np.flatnonzero(np.isin(table.offer, rows)).tolist():
        flat = table.rate[charge] == NONE
        values = {
            "name": "subsidy" if table.sign[charge] > 0 else "fee",
            "when": WHENS[table.when[charge]],
            "basis": BASES[table.basis[charge]],
            "rate": None if flat else _rate(table.rate[charge]),
            "amount": int(table.amount[charge]) if flat else None,
        }
        fees, subsidies = own[int(table.offer[charge])]
        if table.sign[charge] < 0:
            fees.append(Fee(**values))
        else:
            bound = int(table.bound[charge])
            subsidies.append(Subsidy(**values, cap=None if bound == NONE else bound))
    listed: list[LoanTerms | LeaseTerms] = []
    for row in rows:
        shape = offers.shapes[offers.shape[row]]
        common = {
            "principal": int(offers.principal[row]),
            "months": shape.months,
            "rate": _rate(offers.rate[row]),
            "fees": tuple(own[row][0]),
            "subsidies": tuple(own[row][1]),
        }
        if isinstance(shape.style, Repayment):
            listed.append(LoanTerms(**common, repayment=shape.style))
        else:
            deposit, buyout = _rate(offers.deposit[row]), int(offers.buyout[row])
            listed.append(LeaseTerms(**common, rent=shape.style, deposit=deposit, buyout=buyout))
    return listed


def flows(offers: Book, seed: int) -> Flows:
    """Return the flows of a book on dates, each offer drawn on a day of its own, without zeros."""
    table, starts = calendar(), start_days(len(offers), seed)
    length = np.zeros(len(offers), dtype=np.int64)
    for block in blocks(offers):
        length[block.places] = np.count_nonzero(block.net, axis=0)
    first = np.concatenate([[0], np.cumsum(length)])
    times, amounts = np.empty(first[-1], dtype=np.int64), np.empty(first[-1], dtype=np.int64)
    for block in blocks(offers):
        net, counts = block.net.T, length[block.places]
        moved = net != 0
        skipped = first[block.places] - (np.cumsum(counts) - counts)
        where = np.arange(int(counts.sum())) + np.repeat(skipped, counts)
        times[where] = table[starts[block.places], : net.shape[1]][moved]
        amounts[where] = net[moved]
    return Flows(first, times, amounts)


def calendar() -> Ints:
    """Return the ordinals of the days k months after each first day, a row per first day."""
    begin = FIRST_DAY.toordinal()
    return np.array(
        [
            [add_months(date.fromordinal(day), k).toordinal() for k in range(max(MONTHS) + 1)]
            for day in range(begin, begin + DAYS)
        ]
    )


def start_days(count: int, seed: int) -> Ints:
    """Return on which of the first days each offer of a book is drawn."""
    return np.random.default_rng([seed, 1]).integers(0, DAYS, count)


def _charges(random: np.random.Generator, offer: Ints, sign: int, kinds: Sequence[Kind]) -> list[Ints]:
    """Return the columns of `Charges`, one kind drawn for each row of `offer`."""
    count = len(offer)
    kind = random.integers(0, len(kinds), count)

    def column(values: Sequence[int]) -> Ints:
        return np.array(values, dtype=np.int64)[kind]

    size = random.integers(column([one.least for one in kinds]), column([one.most for one in kinds]) + 1)
    flat = column([one.basis is None for one in kinds]) > 0
    bases = [BASES.index(one.basis or FeeBasis.PRINCIPAL) for one in kinds]
    capped = random.random(count) < 1 / 3 if sign > 0 else np.zeros(count, dtype=np.bool_)
    nought = np.zeros(count, dtype=np.int64)
    return [
        offer,
        nought + sign,
        column([WHENS.index(one.when) for one in kinds]),
        column(bases),
        np.where(flat, NONE, size * (RATE_UNIT // 10_000)),
        np.where(flat, size * 100, 0),
        nought,
        np.where(capped, random.integers(CAPS[0], CAPS[1], count) * 100, NONE),
        nought + RATE_UNIT,
        nought,
    ]


def _rate(units: int) -> Decimal:
    return Decimal(int(units)) / RATE_UNIT
