"""Both databases count days alike."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import literal, select

from models.base import db
from models.days import add_days, count_days


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2026, 11, 20), date(2026, 11, 20), 0),
        (date(2028, 2, 28), date(2028, 3, 1), 2),
        (date(2026, 12, 31), date(2027, 1, 1), 1),
        (date(2026, 3, 1), date(2025, 3, 1), -365),
    ],
)
def test_days_between_two_days_are_counted_and_added(app: Flask, start: date, end: date, days: int) -> None:
    counted, reached = db.session.execute(
        select(count_days(literal(start), literal(end)), add_days(literal(start), literal(days)))
    ).one()
    assert (counted, reached) == (days, end)
