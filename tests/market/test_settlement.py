"""Money over a schedule: nothing is lost, the oldest line comes first, early payoff is cut to the day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from market.settlement import Due, absorb, open_amount, shorten

DRAWN = date(2026, 1, 5)
BULLET = [Due(date(2027, 1, 5), principal=100_000_000, interest=3_850_000)]
MONTHLY = [
    Due(date(2026, 2, 5), principal=0, interest=300_000, fees=50_000),
    Due(date(2026, 3, 5), principal=0, interest=300_000),
    Due(date(2026, 4, 5), principal=100_000_000, interest=300_000),
]


def test_the_oldest_line_is_paid_first_and_fees_before_interest_before_principal() -> None:
    split = absorb(MONTHLY, 400_000, date(2026, 2, 5), drawn_on=DRAWN)
    assert (split.fees, split.interest, split.principal, split.remainder) == (50_000, 350_000, 0, 0)
    assert [line.paid_interest for line in split.lines] == [300_000, 50_000, 0]
    assert not split.settled


def test_paying_everything_at_the_end_leaves_the_rest_to_the_supplier() -> None:
    split = absorb(BULLET, 120_000_000, date(2027, 1, 5), drawn_on=DRAWN)
    assert (split.interest, split.principal, split.remainder) == (3_850_000, 100_000_000, 16_150_000)
    assert split.settled


def test_an_early_payoff_owes_interest_for_the_days_that_passed() -> None:
    half = DRAWN + timedelta(days=73)  # a fifth of 365 days
    split = absorb(BULLET, 110_000_000, half, drawn_on=DRAWN)
    assert split.interest == 770_000
    assert split.remainder == 110_000_000 - 100_000_000 - 770_000
    assert split.settled
    assert split.lines[0].interest == 770_000


def test_money_short_of_a_payoff_pays_ahead_without_shortening_interest() -> None:
    split = absorb(BULLET, 50_000_000, DRAWN + timedelta(days=73), drawn_on=DRAWN)
    assert split.interest == 3_850_000
    assert split.principal == 46_150_000
    assert split.lines[0].interest == 3_850_000
    assert not split.settled


def test_later_periods_owe_no_interest_after_a_payoff() -> None:
    lines = shorten(MONTHLY, date(2026, 2, 5), drawn_on=DRAWN)
    assert [line.interest for line in lines] == [300_000, 0, 0]


def test_interest_already_paid_ahead_is_not_given_back() -> None:
    ahead = [
        Due(date(2026, 2, 5), 0, 300_000, paid_interest=300_000),
        Due(date(2026, 3, 5), 10_000_000, 300_000),
    ]
    lines = shorten(ahead, DRAWN, drawn_on=DRAWN)
    assert [line.interest for line in lines] == [300_000, 0]


@st.composite
def schedules(draw: st.DrawFn) -> list[Due]:
    count = draw(st.integers(1, 24))
    amounts = st.integers(0, 10**12)
    lines = []
    for position in range(count):
        principal, interest, fees = draw(amounts), draw(amounts), draw(st.integers(0, 10**8))
        lines.append(
            Due(
                DRAWN + timedelta(days=30 * (position + 1)),
                principal,
                interest,
                fees,
                paid_interest=draw(st.integers(0, interest)),
            )
        )
    return lines


@given(schedules(), st.integers(0, 3 * 10**13), st.integers(0, 800))
def test_no_fen_is_lost_whatever_is_paid_whenever(lines: list[Due], amount: int, days: int) -> None:
    split = absorb(lines, amount, DRAWN + timedelta(days=days), drawn_on=DRAWN)
    assert split.fees + split.interest + split.principal + split.remainder == amount
    assert min(split.fees, split.interest, split.principal, split.remainder) >= 0
    assert split.remainder == 0 or split.settled
    for before, after in zip(lines, split.lines, strict=True):
        assert after.principal == before.principal and open_amount(after) >= 0
        assert after.interest <= before.interest
    assert split.settled == (sum(open_amount(line) for line in split.lines) == 0)


@given(schedules(), st.integers(1, 10**12), st.integers(1, 10**12))
def test_two_payments_on_a_day_pay_no_less_than_one_of_their_sum(lines: list[Due], a: int, b: int) -> None:
    on = DRAWN + timedelta(days=45)
    once = absorb(lines, a + b, on, drawn_on=DRAWN)
    first = absorb(lines, a, on, drawn_on=DRAWN)
    second = absorb(first.lines, b, on, drawn_on=DRAWN)
    if not once.settled:
        assert second.lines == once.lines
