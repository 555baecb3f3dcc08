"""The annual cost of many bare cash flows: the same definition as ``market.cost.price_flows``, in columns.

Flows of all offers lie one after another, signed from the firm's side. They may come in any order, repeat
a time, hold zeros and begin with a payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from market import newton
from market.calendar import add_months
from market.errors import Code, invalid
from market.layouts import Flags, Floats, Ints, Ragged, count
from market.money import yuan
from market.newton import NOTES
from market.root import NoRate
from market.terms import Period

__all__ = ["NOTES", "Flows", "Prices", "price"]

#: Flows whose sums stay below this are added up in 64 bits.
_ROOM = 2**62
_MOST_TIME = 10**9
#: Offers worked on at a time: their flows fit into the processor's cache.
_SLICE = 8192
#: Units in a year of what ``times`` count; dates are counted in days.
_PER_YEAR = {None: 365, Period.MONTH: 12, Period.YEAR: 1}
_NO_FLOWS = NOTES.index(NoRate.ALL_ZERO)


@dataclass(frozen=True, slots=True)
class Flows:
    """Ragged columns: offer i has the flows ``first[i]`` up to, not including, ``first[i + 1]``.

    ``times`` are days (``date.toordinal``) or, with a ``period``, whole numbers of it; ``amounts`` are fen.
    """

    first: Ints
    times: Ints
    amounts: Ints
    period: Period | None = None

    @classmethod
    def of(cls, offers: Sequence[Sequence[tuple[date | int, int]]], period: Period | None = None) -> Flows:
        """Return the columns of offers given as lists of (date or period number, fen)."""
        first = np.cumsum([0, *(len(flows) for flows in offers)])
        flat = [(t.toordinal() if isinstance(t, date) else t, fen) for flows in offers for t, fen in flows]
        times, amounts = np.array(flat, dtype=np.int64).reshape(-1, 2).T.copy()
        return cls(first, times, amounts, period)

    def __len__(self) -> int:
        """Return the number of offers."""
        return len(self.first) - 1


@dataclass(frozen=True, slots=True)
class Prices:
    """Columns in the order of the offers: rates, fen, and ``note``, a place in ``NOTES``.

    ``total_cost`` is what is paid beyond what is received, ``net_received`` what the first date
    brings. Where ``note`` is not 0 there is no rate: both rates are 0 there and must not be read.
    """

    effective: Floats
    simple: Floats
    total_cost: Ints
    net_received: Ints
    note: Ints


def price(flows: Flows) -> Prices:
    """Return the annual cost of every offer: dates count in actual days over 365.

    Raises ``Invalid`` where a time is not a date, or amounts are too large to be added up.
    """
    first, size = flows.first, len(flows)
    length = np.diff(first)
    if first[0] != 0 or not first[-1] == len(flows.times) == len(flows.amounts) or length.min(initial=0) < 0:
        raise ValueError("the first column ascends from 0 to the number of flows")
    most = (_ROOM - 1) // int(length.max(initial=1))
    edges = first[[*range(0, size, _SLICE), size]]
    room = np.empty((3, int(np.diff(edges).max(initial=0))))
    prices = Prices(np.zeros(size), np.zeros(size), *(np.zeros(size, dtype=np.int64) for _ in range(3)))
    for low in range(0, size, _SLICE):
        _price(flows, low, min(low + _SLICE, size), most, prices, room)
    return prices


def _check(times: Ints, amounts: Ints, period: Period | None, most: int) -> None:
    """Refuse times that are no dates, and times and amounts too large to be reckoned with."""
    for time in (int(times.min()), int(times.max())):
        if period is None and not 1 <= time <= date.max.toordinal():
            raise invalid(Code.NOT_A_DATE, "times", value=str(time))
        if abs(time) > _MOST_TIME:
            raise invalid(Code.TOO_LARGE, "times", value=str(time), most=str(_MOST_TIME))
    for amount in (int(amounts.min()), int(amounts.max())):
        if abs(amount) > most:
            raise invalid(Code.TOO_LARGE, "amounts", value=yuan(amount), most=yuan(most))


def _price(flows: Flows, low: int, high: int, most: int, prices: Prices, room: Floats) -> None:
    """Put the prices of the offers from ``low`` to ``high`` in their places."""
    first = flows.first[low : high + 1]
    own, length = slice(first[0], first[-1]), np.diff(first)
    prices.note[low:high] = _NO_FLOWS
    offers, length = low + np.flatnonzero(length), length[length > 0]
    if not len(offers):
        return
    start = np.cumsum(length) - length
    times, amounts = flows.times[own], flows.amounts[own]
    _check(times, amounts, flows.period, most)
    late = times[1:] <= times[:-1]
    late[start[1:] - 1] = False
    if late.any():
        times, amounts, length = _in_order(times, amounts, length, late)
        start = np.cumsum(length) - length
    prices.net_received[offers] = amounts[start]
    zero = amounts == 0
    if zero.any():
        length = length - count(start, zero)
        times, amounts = times[~zero], amounts[~zero]
        offers, length = offers[length > 0], length[length > 0]
        if not len(offers):
            return
    ragged = Ragged(times, amounts, length, room)
    found = newton.rates(ragged, _PER_YEAR[flows.period], _within_year(ragged, flows.period))
    prices.total_cost[offers] = -ragged.total
    prices.effective[offers] = found.effective
    prices.simple[offers] = found.simple
    prices.note[offers] = found.note


def _in_order(times: Ints, amounts: Ints, length: Ints, late: Flags) -> tuple[Ints, Ints, Ints]:
    """Return flows in order of time, those of one time summed, and how many each offer is left with.

    ``late`` flags the flows whose successor is not later; the offers without any are left alone.
    """
    start, offer = np.cumsum(length) - length, np.repeat(np.arange(len(length)), length)
    places = np.flatnonzero((count(start, late) > 0)[offer])
    order = places[np.lexsort((times[places], offer[places]))]
    times, amounts = times.copy(), amounts.copy()
    times[places], amounts[places] = times[order], amounts[order]
    begins = (np.diff(times, prepend=0) != 0) | (np.diff(offer, prepend=-1) != 0)
    begin = np.flatnonzero(begins)
    return times[begin], np.add.reduceat(amounts, begin), length - count(start, ~begins)


def _within_year(flows: Ragged, period: Period | None) -> Flags:
    """Say of which offers a year passes at most between the first and the last flow."""
    span = flows.span
    within: Flags = span <= _PER_YEAR[period]
    if period is None:
        # Across a 29 February, a year has 366 days.
        first = flows.times[flows.start]
        for day in np.unique(first[span == 366]).tolist():
            start = date.fromordinal(day)
            within[(first == day) & (span == (add_months(start, 12) - start).days)] = True
    return within
