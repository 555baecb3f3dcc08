"""Many offers as columns: the layout in which a million of them are priced.

One row per offer; fees and subsidies lie in a table of their own, one row each. Rates are whole
hundred-millionths, so that columns hold exact 64-bit numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market.amortisation import YEAR, Style, amortise
from market.calendar import add_months
from market.cashflow import counted
from market.charges import occurrences
from market.errors import Code, invalid
from market.money import RATE_PLACES, Whole, fits, share
from market.terms import LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, RentTiming, Repayment

Ints = NDArray[np.int64]

#: The codes of the columns ``style``, ``day_count`` and ``when`` are places in these lists.
STYLES: tuple[Style, ...] = (*Repayment, *RentTiming)
DAY_COUNTS = tuple(DayCount)
WHENS = tuple(FeeTiming)
RATE_UNIT = 10**RATE_PLACES
NO_START = -1

#: Offers worked on at a time: their schedules fit into the processor's cache.
CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Charges:
    """Fees (sign -1) and the firm's subsidies (sign +1), one row per charge of an offer.

    ``rate`` is in hundred-millionths of ``principal``, or of the outstanding balance where
    ``outstanding``; where it is -1 the flat ``amount`` fen applies.
    """

    offer: Ints
    sign: Ints
    when: Ints
    outstanding: NDArray[np.bool_]
    rate: Ints
    amount: Ints


@dataclass(frozen=True, slots=True)
class Book:
    """Loans and leases as columns of equal length; ``start`` is a day number or ``NO_START``."""

    style: Ints
    months: Ints
    principal: Ints
    rate: Ints
    day_count: Ints
    start: Ints
    deposit: Ints
    buyout: Ints
    charges: Charges

    @classmethod
    def of(cls, offers: Sequence[LoanTerms | LeaseTerms]) -> Book:
        """Return the columns of offers; refuse a missing start date. A draw list does not fit in columns."""
        rows, charged = [], []
        for place, terms in enumerate(offers):
            if isinstance(terms, LoanTerms):
                if terms.draws:
                    raise ValueError("offers with a draw list are priced one by one")
                own = (STYLES.index(terms.repayment), 0, 0)
            else:
                own = (STYLES.index(terms.rent), _units(terms.deposit), terms.buyout)
            if terms.start is None and terms.day_count is not DayCount.THIRTY_360:
                raise invalid(Code.REQUIRED, "start")
            rows.append(
                (
                    *own,
                    terms.months,
                    terms.principal,
                    _units(terms.rate),
                    DAY_COUNTS.index(terms.day_count),
                    NO_START if terms.start is None else terms.start.toordinal(),
                )
            )
            for item in counted(terms):
                charged.append(
                    (
                        place,
                        1 if isinstance(item, Subsidy) else -1,
                        WHENS.index(item.when),
                        item.basis is FeeBasis.OUTSTANDING,
                        -1 if item.rate is None else _units(item.rate),
                        item.amount or 0,
                    )
                )
        columns = np.array(rows, dtype=np.int64).reshape(-1, 8).T.copy()
        extra = np.array(charged, dtype=np.int64).reshape(-1, 6).T.copy()
        charges = Charges(extra[0], extra[1], extra[2], extra[3] > 0, extra[4], extra[5])
        style, deposit, buyout, months, principal, rate, day_count, start = columns
        return cls(style, months, principal, rate, day_count, start, deposit, buyout, charges)


@dataclass(frozen=True, slots=True)
class Block:
    """Net flows of offers alike in style, months and day count: fen, one row per month 0 … n.

    ``places`` are the offers' rows in the book; ``days`` the days since the start of each flow, None
    where the months count.
    """

    places: Ints
    months: int
    net: Ints
    days: Ints | None


def blocks(book: Book) -> Iterator[Block]:
    """Yield the net flows of the whole book, block by block, exact to the fen."""
    order = np.lexsort((book.months, book.style, book.day_count))
    keys = np.stack([column[order] for column in (book.day_count, book.style, book.months)])
    edges = np.flatnonzero(np.any(keys[:, 1:] != keys[:, :-1], axis=0)) + 1
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    where = position[book.charges.offer]
    charge_order = np.argsort(where, kind="stable")
    where = where[charge_order]
    for group_start, group_end in zip([0, *edges], [*edges, len(order)], strict=True):
        for low in range(int(group_start), int(group_end), CHUNK):
            high = min(low + CHUNK, int(group_end))
            first, last = np.searchsorted(where, [low, high])
            yield _block(book, order[low:high], charge_order[first:last], where[first:last] - low)


def _block(book: Book, places: Ints, charge_rows: Ints, columns: Ints) -> Block:
    sample = places[0]
    style, months = STYLES[book.style[sample]], int(book.months[sample])
    day_count = DAY_COUNTS[book.day_count[sample]]
    days = _days(book.start[places], months) if day_count is not DayCount.THIRTY_360 else None
    weights: list[Whole] | None = None
    longest = months if style is Repayment.BULLET else 1
    if days is not None:
        weights = [0, *np.diff(days, axis=0)]
        longest = int(days[-1].max()) if style is Repayment.BULLET else 31
    principal: NDArray[Any] = book.principal[places]
    rate: NDArray[Any] = book.rate[places]
    common = int(np.gcd.reduce(rate, initial=RATE_UNIT))
    rate, denominator = rate // common, RATE_UNIT // common * YEAR[day_count]
    if not fits(int(principal.max()), int(rate.max()) * longest, denominator):
        principal, rate = principal.astype(object), rate.astype(object)
        if weights is not None:
            weights = [0, *(length.astype(object) for length in weights[1:])]
    plan = amortise(style, principal, months, rate, denominator, weights)
    net = np.empty((months + 1, len(places)), dtype=np.int64)
    for month in range(months + 1):
        net[month] = -(plan.principal[month] + plan.interest[month])
    deposit = share(book.principal[places], book.deposit[places], RATE_UNIT)
    net[0] += book.principal[places] - deposit
    net[months] += deposit - book.buyout[places]
    _charge(book, net, plan.before, charge_rows, columns)
    return Block(places, months, net, days)


def _charge(book: Book, net: Ints, before: Sequence[Whole], rows: Ints, columns: Ints) -> None:
    """Add the block's fees and subsidies to its net flows."""
    charges, months = book.charges, len(net) - 1
    steady = ~charges.outstanding[rows] | (charges.rate[rows] < 0)
    for code in np.unique(charges.when[rows]):
        due = occurrences(WHENS[code], months)
        chosen = (charges.when[rows] == code) & steady
        if chosen.any():
            own, column = rows[chosen], columns[chosen]
            rate = charges.rate[own]
            of_principal = share(book.principal[charges.offer[own]], np.maximum(rate, 0), RATE_UNIT)
            each = np.zeros(net.shape[1], dtype=np.int64)
            np.add.at(each, column, charges.sign[own] * np.where(rate < 0, charges.amount[own], of_principal))
            net[due.start : due.stop : due.step] += each
        chosen = (charges.when[rows] == code) & ~steady
        if chosen.any():
            own, column = rows[chosen], columns[chosen]
            for month in due:
                balance = np.asarray(before[month][column], dtype=np.int64)
                amount = share(balance, charges.rate[own], RATE_UNIT)
                np.add.at(net[month], column, charges.sign[own] * amount)


def _days(starts: Ints, months: int) -> Ints:
    """Return the days from each start to the dates k months after it, one row per k."""
    known, places = np.unique(starts, return_inverse=True)
    table = np.array(
        [
            [add_months(date.fromordinal(int(day)), k).toordinal() - int(day) for day in known]
            for k in range(months + 1)
        ],
        dtype=np.int64,
    )
    return table[:, places]


def _units(rate: Decimal) -> int:
    scaled = rate.scaleb(RATE_PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError("columns hold rates of at most eight places")
    return whole


def fits_columns(terms: object) -> bool:
    """Say whether an offer can stand in a book: a loan or lease, its rates within eight places, no draws."""
    if not isinstance(terms, (LoanTerms, LeaseTerms)) or (isinstance(terms, LoanTerms) and terms.draws):
        return False
    rates = [terms.rate, *(item.rate for item in counted(terms) if item.rate is not None)]
    if isinstance(terms, LeaseTerms):
        rates.append(terms.deposit)
    return all(rate * RATE_UNIT % 1 == 0 for rate in rates)
