"""How late, how sound: thresholds, pauses, the history of buckets."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.ledger.ageing import bucket_after, bucket_of, classify, count_late, merge_pauses, trace
from market.lending_vocabulary import Bucket, RiskClass

DAY = date(2025, 1, 1)


def test_buckets_begin_on_their_first_day() -> None:
    days = (0, 1, 30, 31, 60, 61, 90, 91, 180, 181, 270, 271, 360, 361, 5000)
    assert [bucket_of(number).value for number in days] == [
        *("current", "d1_30", "d1_30", "d31_60", "d31_60", "d61_90", "d61_90", "d91_180", "d91_180"),
        *("d181_270", "d181_270", "d271_360", "d271_360", "over_360", "over_360"),
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, RiskClass.NORMAL),
        (1, RiskClass.SPECIAL_MENTION),
        (90, RiskClass.SPECIAL_MENTION),
        (91, RiskClass.SUBSTANDARD),
        (270, RiskClass.SUBSTANDARD),
        (271, RiskClass.DOUBTFUL),
        (360, RiskClass.DOUBTFUL),
        (361, RiskClass.LOSS),
    ],
)
def test_classes_follow_the_days_past_due(days: int, expected: RiskClass) -> None:
    assert classify(days, restructured_on=None, written_off=False, on=DAY) is expected


def test_a_restructured_deal_is_watched_for_a_year_and_one_written_off_is_lost() -> None:
    def ask(on: date, **values: object) -> RiskClass | None:
        given = {"restructured_on": DAY, "written_off": False, **values}
        return classify(0, on=on, **given)  # type: ignore[arg-type]

    assert ask(date(2025, 12, 31)) is RiskClass.SPECIAL_MENTION
    assert ask(date(2026, 1, 1)) is RiskClass.NORMAL
    assert ask(date(2024, 12, 31)) is RiskClass.NORMAL
    assert ask(DAY, written_off=True) is RiskClass.LOSS
    assert classify(400, restructured_on=None, written_off=False, on=date(2023, 6, 30)) is None


_PAUSES = st.lists(
    st.tuples(st.integers(-20, 400), st.one_of(st.none(), st.integers(0, 60))), max_size=3
).map(
    lambda pairs: merge_pauses(
        (
            DAY + timedelta(days=first),
            None if length is None else DAY + timedelta(days=first + length),
        )
        for first, length in pairs
    )
)
_MARKS = st.lists(
    st.tuples(st.integers(0, 500), st.one_of(st.none(), st.integers(0, 100))), min_size=1, max_size=6
).map(
    lambda pairs: [
        (DAY + timedelta(days=days), None if back is None else DAY + timedelta(days=max(days - back, 0)))
        for days, back in sorted(pairs, key=lambda pair: pair[0])
    ]
)


@settings(max_examples=40, deadline=None)
@given(_MARKS, _PAUSES, st.sampled_from([0, 3, 30, 45]))
def test_the_history_says_for_every_day_what_that_day_says(
    marks: list[tuple[date, date | None]], pauses: tuple[tuple[date, date], ...], grace: int
) -> None:
    until = DAY + timedelta(days=900)
    spans = trace(marks, until, grace_days=grace, pauses=pauses)
    assert all(one[0] < two[0] and one[1] is not two[1] for one, two in pairwise(spans))
    day = marks[0][0]
    while day <= until:
        due_on = [due for when, due in marks if when <= day][-1]
        late = 0 if due_on is None else count_late(due_on, day, pauses)
        expected = Bucket.CURRENT if due_on is None else bucket_after(late, grace)
        assert [bucket for when, bucket in spans if when <= day][-1] is expected
        day += timedelta(days=1)
