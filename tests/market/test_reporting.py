"""Months of the lenders' report and the day after which one is missing."""

from __future__ import annotations

from datetime import date

import pytest

from market import reporting
from market.errors import Invalid


def test_a_report_is_in_time_until_the_tenth_and_late_from_the_eleventh() -> None:
    assert reporting.find_deadline("2026-11") == date(2026, 12, 10)
    assert reporting.find_deadline("2026-12") == date(2027, 1, 10)
    assert reporting.find_late_month(date(2026, 12, 10)) == "2026-10"
    assert reporting.find_late_month(date(2026, 12, 11)) == "2026-11"
    assert reporting.find_late_month(date(2027, 1, 31)) == "2026-12"


def test_months_are_known_by_their_writing_and_end_on_their_last_day() -> None:
    assert reporting.find_end("2028-02") == date(2028, 2, 29)
    assert reporting.list_months(date(2027, 1, 31), 2) == ["2026-12", "2026-11"]
    for wrong in ("2026-13", "2026-1", "202611", "1999-01", "２０２６-11"):
        with pytest.raises(Invalid):
            reporting.read_month(wrong)
