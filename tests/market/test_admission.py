"""Admission: an institution bids from its admission to the last day of its agreement, unless suspended."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from market.admission import MAY_BID, WARNING_DAYS, AdmissionState, judge

UNTIL = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("days_before_the_end", "state"),
    [
        (WARNING_DAYS + 1, AdmissionState.ADMITTED),
        (WARNING_DAYS, AdmissionState.ENDING),
        (0, AdmissionState.ENDING),
        (-1, AdmissionState.ENDED),
    ],
)
def test_the_last_day_of_the_agreement_still_counts_and_is_announced(
    days_before_the_end: int, state: AdmissionState
) -> None:
    on = UNTIL - timedelta(days=days_before_the_end)
    assert judge(admitted=True, until=UNTIL, suspended=False, on=on) is state
    assert (state in MAY_BID) is (days_before_the_end >= 0)


def test_a_suspension_is_said_before_an_ended_agreement_and_nothing_before_the_admission() -> None:
    late = UNTIL + timedelta(days=1)
    assert judge(admitted=True, until=UNTIL, suspended=True, on=late) is AdmissionState.SUSPENDED
    assert judge(admitted=False, until=UNTIL, suspended=True, on=late) is AdmissionState.NOT_ADMITTED
    assert judge(admitted=True, until=None, suspended=False, on=UNTIL) is AdmissionState.NOT_ADMITTED
