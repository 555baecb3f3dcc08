"""Lives of things: which move leads from which state to which, and when the clock makes one.

A timed event is never stored as a job: it is derived from the stored state by ``due``. The clock
asks what is due by now, so that a late tick, a restart or a second clock changes nothing but the
delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from market.calendar import SHANGHAI, Calendar, is_working_day
from market.errors import Code, conflict
from market.vocabulary import NeedState


class NeedMove(StrEnum):
    """What can happen to a need."""

    EDIT = "edit"
    PUBLISH = "publish"
    CHANGE = "change"
    CLOSE = "close"
    FAIL = "fail"
    AWARD = "award"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


_NEED_MOVES: dict[NeedState, dict[NeedMove, NeedState]] = {
    NeedState.DRAFT: {
        NeedMove.EDIT: NeedState.DRAFT,
        NeedMove.PUBLISH: NeedState.OPEN,
        NeedMove.WITHDRAW: NeedState.WITHDRAWN,
    },
    NeedState.OPEN: {
        NeedMove.CHANGE: NeedState.OPEN,
        NeedMove.CLOSE: NeedState.CLOSED,
        NeedMove.WITHDRAW: NeedState.WITHDRAWN,
    },
    NeedState.CLOSED: {
        NeedMove.AWARD: NeedState.AWARDED,
        NeedMove.FAIL: NeedState.UNSUCCESSFUL,
        NeedMove.WITHDRAW: NeedState.WITHDRAWN,
    },
    # An institution that declines after its review gives the need back to its other offers.
    NeedState.AWARDED: {NeedMove.DECLINE: NeedState.CLOSED},
    NeedState.UNSUCCESSFUL: {},
    NeedState.WITHDRAWN: {},
}


def move(state: NeedState, wanted: NeedMove) -> NeedState:
    """Return the state after the move; raises ``Conflict`` (illegal_move) if it does not lead anywhere."""
    after = _NEED_MOVES[state].get(wanted)
    if after is None:
        raise conflict(Code.ILLEGAL_MOVE, state=state.value, move=wanted.value)
    return after


def may(state: NeedState, wanted: NeedMove) -> bool:
    """Say whether the move is legal from the state."""
    return wanted in _NEED_MOVES[state]


@dataclass(frozen=True, slots=True)
class NeedTimes:
    """All that the clock needs to know of a need."""

    state: NeedState
    closes_at: datetime | None
    accept_until: datetime | None
    awaits_confirmation: bool = False


def due(need: NeedTimes) -> Iterator[tuple[datetime, NeedMove]]:
    """Yield when which move happens by itself: bidding closes; an offer not taken in time lapses.

    An acceptance that waits for the firm's second person is not cut off by the clock.
    """
    if need.state is NeedState.OPEN and need.closes_at is not None:
        yield need.closes_at, NeedMove.CLOSE
    if need.state is NeedState.CLOSED and need.accept_until is not None and not need.awaits_confirmation:
        yield need.accept_until, NeedMove.FAIL


def parse_times(text: str) -> tuple[time, ...]:
    """Return the local times of day in ``"10:00,15:30"``, in order; empty text means no rounds."""
    return tuple(sorted(time.fromisoformat(part.strip()) for part in text.split(",") if part.strip()))


def latest_slot(now: datetime, times: tuple[time, ...], calendar: Calendar) -> datetime | None:
    """Return the last scheduled matching time not after ``now``, on a working day of the last 15 days.

    Only the newest slot counts: after an outage of two slots one round clears what both would have.
    """
    local = now.astimezone(SHANGHAI)
    for back in range(16):
        day = local.date() - timedelta(days=back)
        if not is_working_day(day, calendar):
            continue
        for at in reversed(times):
            slot = datetime.combine(day, at, tzinfo=SHANGHAI)
            if slot <= local:
                return slot
    return None


def next_slot(now: datetime, times: tuple[time, ...], calendar: Calendar) -> datetime | None:
    """Return the first scheduled matching time after ``now``, within the next 15 days."""
    local = now.astimezone(SHANGHAI)
    for ahead in range(16):
        day = local.date() + timedelta(days=ahead)
        if not is_working_day(day, calendar):
            continue
        for at in times:
            slot = datetime.combine(day, at, tzinfo=SHANGHAI)
            if slot > local:
                return slot
    return None


def list_slots(
    since: datetime, until: datetime, times: tuple[time, ...], calendar: Calendar
) -> list[datetime]:
    """Return the scheduled matching times after ``since`` up to ``until``, on working days, in order."""
    first, last = since.astimezone(SHANGHAI), until.astimezone(SHANGHAI)
    days = (last.date() - first.date()).days
    found = []
    for ahead in range(days + 1):
        day = first.date() + timedelta(days=ahead)
        if is_working_day(day, calendar):
            slots = (datetime.combine(day, at, tzinfo=SHANGHAI) for at in times)
            found += [slot for slot in slots if first < slot <= last]
    return found


def end_of_day(day: date) -> datetime:
    """Return the last second of a day in Shanghai: a deadline given as a date holds to its end."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=SHANGHAI)
