"""Bridge loans: a share of the renewal, a few working days, one account, and what a fund turns over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from market.bridging import Promise, Rule, Run, find_faults, measure, read_account
from market.errors import Code
from market.reference import calendar

RULE = Rule(Decimal("0.95"), 10)
PROMISE = Promise(10_000_000_00, date(2026, 12, 31), "6222 0000-0001")


def find(**values: object) -> list[tuple[Code, str | None]]:
    usual = {"drawn": 9_500_000_00, "drawn_on": date(2026, 11, 23), "days": 14, "paid_to": "6222０００0 0001"}
    faults = find_faults(RULE, PROMISE, calendar=calendar(), **{**usual, **values})  # type: ignore[arg-type]
    return [(fault.code, fault.field) for fault in faults]


def test_a_bridge_stays_within_share_days_and_account() -> None:
    # Ten working days after Monday, 23 November 2026, are Monday, 7 December.
    assert find() == []
    assert find(drawn=9_500_000_01) == [(Code.TOO_LARGE, "amount")]
    assert find(days=15) == [(Code.TOO_LARGE, "days")]
    # Over the Spring Festival ten working days last longer.
    assert find(drawn_on=date(2027, 2, 4), days=15) == [(Code.TOO_LARGE, "drawn_on")]
    assert find(paid_to="") == [(Code.REQUIRED, "payee_account")]
    assert find(paid_to="6222 0000 0002") == [(Code.NOT_A_CHOICE, "payee_account")]
    assert read_account(" 6222－0000—0001 ") == "622200000001"


def test_a_fund_of_ten_million_that_lent_thirty_turned_over_three_times() -> None:
    runs = [
        Run(10_000_000_00, date(2026, 11, 2), date(2026, 11, 9)),
        Run(10_000_000_00, date(2026, 11, 10), date(2026, 11, 16)),
        Run(10_000_000_00, date(2026, 11, 17), None),
    ]
    found = measure(runs, 10_000_000_00)
    assert (found.bridges, found.returned, found.amount) == (3, 2, 30_000_000_00)
    assert (found.average_days, found.times) == (Decimal("6.5"), Decimal("3.00"))
    assert measure([], None).average_days is None
