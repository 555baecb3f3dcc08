"""Late interest against purchasers, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from market.late_interest import LateRate, count_late_interest
from market.purchaser_payments import Owed, Paid, compare

DUE = date(2026, 3, 1)
LAW = LateRate(Decimal("0.0005"), is_agreed=False)
AGREED = LateRate(Decimal("0.036"), is_agreed=True)
MILLION_YUAN = 100_000_000


def segments(rate: LateRate | None, on: date, *paid: Paid) -> list[tuple[str, str, int, int, int]]:
    parts = compare([Owed(DUE, MILLION_YUAN)], paid, on=on).parts
    found = count_late_interest(parts, rate, on)
    return [(str(s.from_on), str(s.to_on), s.days, s.amount, s.interest) for s in found.segments]


def test_what_is_open_costs_by_the_day_until_it_is_paid() -> None:
    # 1,000,000 yuan for 10 days, then 400,000 for 20 more: 0.05 % a day is 5,000 and 4,000 yuan.
    paid = [Paid("a", date(2026, 3, 11), 60_000_000), Paid("b", date(2026, 3, 31), 40_000_000)]
    assert segments(LAW, date(2026, 12, 1), *paid) == [
        ("2026-03-01", "2026-03-11", 10, 100_000_000, 500_000),
        ("2026-03-11", "2026-03-31", 20, 40_000_000, 400_000),
    ]
    # As agreed at 3.6 % a year, 0.01 % a day: 1,000 and 800 yuan.
    assert [row[-1] for row in segments(AGREED, date(2026, 12, 1), *paid)] == [100_000, 80_000]


def test_the_counter_runs_up_to_today_and_not_on_the_due_day() -> None:
    assert segments(LAW, DUE) == []
    assert segments(LAW, date(2026, 3, 2)) == [("2026-03-01", "2026-03-02", 1, 100_000_000, 50_000)]
    early = Paid("a", date(2026, 2, 1), 99_999_999)
    # One fen open for 999 days is half a fen, and rounds up; for 998 days it is less.
    assert segments(LAW, date(2028, 11, 24), early)[0][2:] == (999, 1, 0)
    assert segments(LAW, date(2028, 11, 25), early)[0][2:] == (1000, 1, 1)


def test_what_was_paid_on_the_day_or_has_no_day_costs_nothing() -> None:
    assert segments(LAW, date(2026, 12, 1), Paid("a", DUE, MILLION_YUAN)) == []
    parts = compare([Owed(None, 500)], [], on=DUE).parts
    assert count_late_interest(parts, LAW, date(2027, 1, 1)).segments == ()


def test_without_a_rate_the_delay_is_shown_and_costs_nothing() -> None:
    parts = compare([Owed(DUE, MILLION_YUAN)], [], on=date(2026, 3, 4)).parts
    found = count_late_interest(parts, None, date(2026, 3, 4))
    assert (found.total, found.open, found.segments[0].days) == (0, MILLION_YUAN, 3)


def test_the_total_is_the_sum_of_what_is_shown() -> None:
    parts = compare(
        [Owed(DUE, 333), Owed(date(2026, 4, 1), 777)],
        [Paid("a", date(2026, 3, 8), 111), Paid("b", date(2026, 4, 11), 500)],
        on=date(2026, 5, 1),
    ).parts
    found = count_late_interest(parts, LateRate(Decimal("0.05"), is_agreed=False), date(2026, 5, 1))
    # 333 × 7, 222 × 34 (until 500 came), then the second part: 777 × 10, 499 × 20, at 5 % a day.
    assert [(s.amount, s.days, s.interest) for s in found.segments] == [
        (333, 7, 117),
        (222, 34, 377),
        (777, 10, 389),
        (499, 20, 499),
    ]
    assert found.total == 117 + 377 + 389 + 499
