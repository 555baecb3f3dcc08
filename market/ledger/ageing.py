"""How late a deal is, from day to day, and how sound that makes it.

Days past due count from the due date; within the days of grace a deal is not late yet, after them it is
late from the due date. Days of a pause do not count. Five-level classification: 商业银行金融资产风险分类办法
(CBIRC / PBOC order 2023 No. 1, arts. 10 to 13 and 17, in force 2023-07-01).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from market.calendar import add_months
from market.lending_vocabulary import Bucket, RiskClass

#: The first day past due of each bucket.
FIRST_DAYS = (0, 1, 31, 61, 91, 181, 271, 361)
_BUCKETS = tuple(Bucket)

#: Disjoint pauses in order: first and last day that do not count.
Pauses = tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a deal counts as which class: above so many days past due."""

    valid_from: date
    special_mention: int
    substandard: int
    doubtful: int
    loss: int
    observed_months: int


#: In order of ``valid_from``; before the first row there was no rule by days alone.
THRESHOLDS = (
    Thresholds(
        date(2023, 7, 1), special_mention=0, substandard=90, doubtful=270, loss=360, observed_months=12
    ),
)


def bucket_of(days: int) -> Bucket:
    """Return the bucket of so many days past due."""
    return _BUCKETS[bisect_right(FIRST_DAYS, max(days, 0)) - 1]


def find_thresholds(on: date) -> Thresholds | None:
    """Return the rule in force on a day, None before there was any."""
    return next((row for row in reversed(THRESHOLDS) if row.valid_from <= on), None)


def observed_until(restructured_on: date | None, on: date) -> date | None:
    """Return the last day on which a restructured deal is observed, by the rule in force on a day."""
    rule = find_thresholds(on)
    if restructured_on is None or rule is None:
        return None
    return add_months(restructured_on, rule.observed_months) - timedelta(days=1)


def classify(
    days_past_due: int, *, restructured_on: date | None, written_off: bool, on: date
) -> RiskClass | None:
    """Return the class of a deal on a day, None before any rule was in force.

    A restructured deal is at least of special mention while it is observed; one written off is a loss.
    """
    rule = find_thresholds(on)
    if rule is None:
        return None
    if written_off or days_past_due > rule.loss:
        return RiskClass.LOSS
    if days_past_due > rule.doubtful:
        return RiskClass.DOUBTFUL
    if days_past_due > rule.substandard:
        return RiskClass.SUBSTANDARD
    observed = restructured_on is not None and (
        restructured_on <= on < add_months(restructured_on, rule.observed_months)
    )
    if observed or days_past_due > rule.special_mention:
        return RiskClass.SPECIAL_MENTION
    return RiskClass.NORMAL


def merge_pauses(pauses: Iterable[tuple[date, date | None]]) -> Pauses:
    """Return pauses (first day, last day or None for open) as disjoint ones, in order."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted((first, last or date.max) for first, last in pauses):
        if last < first:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def count_paused(due_on: date, day: date, pauses: Pauses) -> int:
    """Return how many days after ``due_on`` up to ``day`` do not count."""
    after = due_on + timedelta(days=1) if due_on < date.max else due_on
    return sum(
        max((min(last, day) - max(first, after)).days + 1, 0) for first, last in pauses if first <= day
    )


def count_late(due_on: date, day: date, pauses: Pauses) -> int:
    """Return the days past due of what was due on ``due_on``, by the end of ``day``."""
    return max((day - due_on).days - count_paused(due_on, day, pauses), 0)


def bucket_after(days: int, grace_days: int) -> Bucket:
    """Return the bucket of so many days past due of a deal with days of grace."""
    return bucket_of(days) if days > grace_days else Bucket.CURRENT


def trace(
    marks: Sequence[tuple[date, date | None]], until: date, *, grace_days: int, pauses: Pauses
) -> tuple[tuple[date, Bucket], ...]:
    """Return from which day on a deal stood in which bucket, up to ``until``.

    ``marks`` are days in order with the earliest due date that stayed open by their end (None: none);
    of one day the last counts.
    """
    spans: list[tuple[date, Bucket]] = []

    def add(day: date, bucket: Bucket) -> None:
        if not spans or spans[-1][1] is not bucket:
            spans.append((day, bucket))

    turns = [n for n in sorted({grace_days + 1, *FIRST_DAYS}) if n > grace_days]
    last = dict(marks)
    days = list(last)
    for place, day in enumerate(days):
        if day > until:
            break
        due_on = last[day]
        if due_on is None:
            add(day, Bucket.CURRENT)
            continue
        end = days[place + 1] if place + 1 < len(days) else date.max
        late = count_late(due_on, day, pauses)
        add(day, bucket_after(late, grace_days))
        for turn in turns:
            if turn > late:
                reached = _reach(due_on, turn, pauses)
                if reached is None or reached >= end or reached > until:
                    break
                add(reached, bucket_after(turn, grace_days))
    return tuple(spans)


def _reach(due_on: date, days: int, pauses: Pauses) -> date | None:
    """Return the day on which what was due comes to so many days past due."""
    try:
        day = due_on + timedelta(days=days)
        for first, last in pauses:
            first = max(first, due_on + timedelta(days=1))
            if last >= first and first <= day:
                day += last - first + timedelta(days=1)
    except OverflowError:
        return None
    return day
