"""Sliders start on a step of their own, and differences are said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blueprints.web import payment_words, what_if
from blueprints.web.forms import Form
from blueprints.web.what_if import Slider
from market.vocabulary import Interval
from market.what_if import Difference, Payments

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

numbers = st.decimals(0, 10**6, places=4, allow_nan=False).map(lambda number: f"{number:f}")
whole = st.integers(1, 360).map(str)
MADE: list[tuple[st.SearchStrategy[str], Callable[[Form], Slider]]] = [
    (numbers.filter(lambda text: Decimal(text) > 0), lambda form: what_if.slide_amount(form, "x", name="x")),
    (whole, lambda form: what_if.slide_months(form, "x")),
    (whole, lambda form: what_if.slide_days(form, "x", 720)),
    (numbers, lambda form: what_if.slide_rate(form, "x", "x")),
    (numbers, lambda form: what_if.slide_rate(form, "x", "x", daily=True)),
    (st.integers(-10_000, 10_000).map(str), lambda form: what_if.slide_spread(form, "x")),
    (numbers, lambda form: what_if.slide_fee(form, 3)),
    (numbers, lambda form: what_if.slide_fee(Form({**form.values, "fees.0.basis": "flat"}), 3)),
]
NAMES = ("x", "months", "days", "spread", "fees.0.rate")


@pytest.fixture(autouse=True)
def speaking_english(database: Flask) -> Iterator[None]:
    """Sentences need somebody who reads them."""
    with database.test_request_context(), force_locale("en"):
        yield


@pytest.mark.parametrize("place", range(len(MADE)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_what_was_typed_is_a_step_of_its_slider(place: int, data: Any) -> None:
    typed, make = MADE[place]
    text = data.draw(typed)
    slider = make(Form(dict.fromkeys(NAMES, text)))
    assert slider.least <= slider.typed == Decimal(text) <= slider.most
    assert (slider.typed - slider.least) % slider.step == 0
    assert not slider.moved and slider.said
    assert all("E" not in written for written in slider.attributes.values())


def test_a_slider_stands_where_it_was_moved_and_never_beyond_its_ends() -> None:
    moved, unread = (
        what_if.slide_months(Form({"months": "12", "what.months": asked}), "x") for asked in ("9", "x")
    )
    assert (moved.value, moved.moved, moved.said) == (9, True, "9 months")
    assert (unread.value, unread.moved) == (12, False)
    far = what_if.slide_months(Form({"months": "12", "what.months": "900"}), "x")
    assert (far.least, far.most, far.value) == (1, 24, 24)


def test_the_slider_of_a_fee_is_that_of_the_first_one_typed() -> None:
    typed = {"fees.1.rate": "3000", "fees.1.basis": "flat", "fees.1.name": "Appraisal"}
    form = Form({**typed, "fees.2.rate": "1"})
    slider = what_if.slide_fee(form, 3)
    assert (slider.name, slider.words, slider.said) == ("fees.1.rate", "Appraisal", "¥3,000")
    assert what_if.slide_fee(Form({}), 3).name == "fees.0.rate"


@pytest.mark.parametrize(
    ("points", "total", "said"),
    [
        ("0.0035", 365_000, "+0.35 points, 3,650.00 yuan more"),
        ("-0.002", -1, "−0.20 points, 0.01 yuan less"),
        ("-0.00004", 100, "±0.00 points, 1.00 yuan more"),
        ("0.0071", 0, "+0.71 points"),
        (None, -100, "1.00 yuan less"),
        (None, 0, "no difference"),
    ],
)
def test_a_difference_is_said_in_points_and_yuan(points: str | None, total: int, said: str) -> None:
    one = Difference(None if points is None else Decimal(points), total)
    assert what_if.say_difference(one) == said


@pytest.mark.parametrize(
    ("paid", "interval", "said"),
    [
        (
            Payments(0, 304_167, 304_167, 10**8, 12),
            Interval.MONTHLY,
            "¥3,041.67 a month, ¥1 million at the end",
        ),
        (Payments(0, 912_500, 912_500, 912_500, 4), Interval.QUARTERLY, "¥9,125 a quarter"),
        (Payments(0, 9000, 8500, 8000, 4), Interval.HALF_YEARLY, "¥90 every half-year, falling to ¥80"),
        (Payments(0, 0, 0, 103_650_000, 1), Interval.YEARLY, "nothing until ¥1.04 million at the end"),
    ],
)
def test_payments_say_how_often_they_are_made(paid: Payments, interval: Interval, said: str) -> None:
    assert payment_words.say(paid, 12, interval) == said
