"""Time in the demo market: office hours, and deeds played in the order in which they happened."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from market import lifecycle
from market.calendar import SHANGHAI, add_working_days, is_working_day
from market.reference import calendar

Deed = Callable[[datetime], None]


def shift(day: date, count: int) -> date:
    """Return the ``count``-th working day after a day, before it when negative."""
    return add_working_days(day, count, calendar())


def office_moment(day: date, rng: Random, first: int = 9, last: int = 17) -> datetime:
    """Return a minute of a day between two full hours, outside the lunch break."""
    minutes = [m for m in range(first * 60 + 5, last * 60 - 5) if not 12 * 60 <= m < 13 * 60 + 30]
    return at_minute(day, rng.choice(minutes))


def at_minute(day: date, minute: int) -> datetime:
    """Return a moment of a day in Shanghai, counted in minutes from midnight."""
    return datetime.combine(day, time(0), tzinfo=SHANGHAI) + timedelta(minutes=minute)


def working_days(start: date, end: date) -> list[date]:
    """Return the working days from ``start`` to the day before ``end``."""
    days = ((start + timedelta(days=n)) for n in range((end - start).days))
    return [day for day in days if is_working_day(day, calendar())]


class Timeline:
    """Deeds waiting for their moment, from the start of history to its end; later ones never happen.

    ``tick`` is what the clock does in a zone.
    """

    def __init__(self, end: datetime, slots: dict[int, str], tick: Callable[[int, datetime], None]) -> None:
        self.end = end
        self._slots = {zone_id: lifecycle.parse_times(times) for zone_id, times in slots.items()}
        self._tick = tick
        self._order = itertools.count()
        self._waiting: list[tuple[datetime, int, Deed]] = []
        self._ticks: set[tuple[int, datetime]] = set()
        self._now: datetime | None = None

    def at(self, when: datetime, deed: Deed) -> None:
        """Let a deed happen at a moment; what lies after the end is left to the future."""
        if self._now is not None and when < self._now:
            raise ValueError("a deed cannot be planned for the past")
        if when < self.end:
            heapq.heappush(self._waiting, (when, next(self._order), deed))

    def tick_at(self, zone_id: int, when: datetime) -> None:
        """Let the clock look at a zone at a moment, once."""
        if (zone_id, when) not in self._ticks:
            self._ticks.add((zone_id, when))
            self.at(when, lambda now: self._tick(zone_id, now))

    def next_slot(self, zone_id: int, after: datetime) -> datetime | None:
        """Return when the next matching round of a zone falls due."""
        return lifecycle.next_slot(after, self._slots[zone_id], calendar())

    def tick_last(self, zone_id: int) -> None:
        """Let the clock look at a zone for its last matching round, and once more before the end."""
        slot = lifecycle.latest_slot(self.end, self._slots[zone_id], calendar())
        if slot is not None:
            self.tick_at(zone_id, slot)
        self.tick_at(zone_id, self.end - timedelta(minutes=1))

    def run(self) -> Iterator[datetime]:
        """Play everything; yields the moment after each deed, so that progress can be shown."""
        while self._waiting:
            when, _, deed = heapq.heappop(self._waiting)
            self._now = when
            deed(when)
            yield when
