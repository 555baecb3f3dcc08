from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale

from blueprints import formats

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest, site: Flask) -> Iterator[str]:
    with site.test_request_context("/"), force_locale(request.param):
        yield request.param


@pytest.mark.parametrize(
    ("fen", "chinese", "english"),
    [
        (240_000_000, "240万元", "¥2.4 million"),
        (12_800_000_000, "1.28亿元", "¥128 million"),
        (1_234_567_800_000, "123.46亿元", "¥12.35 billion"),
        (850_000, "8,500元", "¥8,500"),
        (1, "0.01元", "¥0.01"),
        (0, "0元", "¥0"),
        (999_999, "9,999.99元", "¥9,999.99"),
        (1_000_000, "1万元", "¥10,000"),
        (9_999_999_999, "1亿元", "¥100 million"),  # never 10,000万
        (99_999_999, "100万元", "¥999,999.99"),
        (-240_000_000, "−240万元", "−¥2.4 million"),
        (None, "—", "—"),
    ],
)
def test_money_is_said_as_people_say_it(fen: int | None, chinese: str, english: str, language: str) -> None:
    assert formats.money_text(fen) == {"zh": chinese, "en": english}[language]


def test_the_exact_amount_travels_with_the_short_one(language: str) -> None:
    html = formats.money(240_000_001)
    assert 'value="2400000.01"' in html
    assert "2,400,000.01" in html


@pytest.mark.parametrize(
    ("value", "said"),
    [("0.047770", "4.78%"), ("0.0365", "3.65%"), ("-0.005", "−0.50%"), ("0", "0.00%"), ("0.04665", "4.67%")],
)
def test_rates_are_rounded_half_up_to_two_places(value: str, said: str) -> None:
    assert formats.rate(Decimal(value)) == said


def test_exact_and_plain_amounts() -> None:
    assert formats.exact(240_000_000) == "2,400,000.00"
    assert formats.exact(-5) == "−0.05"
    assert formats.plain(-240_000_005) == "-2400000.05"
    assert formats.exact(None) == "—"


def test_points_and_shares() -> None:
    assert formats.points(Decimal("0.0055")) == "+55 bp"
    assert formats.points(Decimal("-0.0005")) == "−5 bp"
    assert formats.share(Decimal("0.8")) == "80%"
    assert formats.share(Decimal("0.3333")) == "33.3%"


def test_a_day_is_the_day_in_shanghai() -> None:
    assert formats.day(datetime(2026, 11, 20, 17, tzinfo=UTC)) == "2026-11-21"
    assert formats.day(date(2026, 11, 20)) == "2026-11-20"


def test_a_moment_names_its_time_zone_where_asked(language: str) -> None:
    assert formats.moment_text(NOON) == "2026-11-20 12:00"
    named = {"zh": "2026-11-20 12:00（北京时间）", "en": "2026-11-20 12:00 (Beijing time)"}
    assert formats.moment_text(NOON, zone=True) == named[language]
    assert 'datetime="2026-11-20T12:00:00+08:00"' in formats.moment(NOON)


@pytest.mark.parametrize(
    ("length", "chinese", "english"),
    [
        (timedelta(days=2, hours=3, minutes=59), "2 天 3 小时", "2 days 3 hours"),
        (timedelta(days=1), "1 天", "1 day"),
        (timedelta(hours=5, minutes=1), "5 小时 1 分钟", "5 hours 1 minute"),
        (timedelta(seconds=59), "不到 1 分钟", "less than a minute"),
        (-timedelta(hours=2), "2 小时", "2 hours"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(
    length: timedelta, chinese: str, english: str, language: str
) -> None:
    assert formats.span(length) == {"zh": chinese, "en": english}[language]


def test_a_countdown_shows_the_deadline_and_what_is_left(language: str) -> None:
    html = formats.countdown(NOON + timedelta(hours=5), NOON)
    assert "2026-11-20 17:00" in html
    assert {"zh": "还剩 5 小时", "en": "5 hours left"}[language] in html
    assert "countdown-near" in html
    assert {"zh": "已过", "en": "ago"}[language] in formats.countdown(NOON - timedelta(hours=5), NOON)
