"""Payments beside what is owed: first due first, in whatever order they are told."""

from __future__ import annotations

import random
from datetime import date

from market.payment_vocabulary import PaymentState
from market.purchaser_payments import Comparison, Owed, Paid, compare, find_late, order_owed

TODAY = date(2026, 11, 20)
#: 100 due by 1 March, 200 by 1 June, 50 kept back with no day.
OWED = [Owed(date(2026, 3, 1), 100), Owed(date(2026, 6, 1), 200), Owed(None, 50)]


def tell(*paid: Paid, on: date = TODAY) -> tuple[Comparison, dict[str, PaymentState]]:
    found = compare(OWED, paid, on=on)
    return found, {standing.key: standing.state for standing in found.payments}


def test_each_payment_says_how_it_came() -> None:
    found, states = tell(
        Paid("early", date(2026, 2, 20), 60),
        Paid("rest", date(2026, 3, 1), 40),
        Paid("part", date(2026, 5, 1), 150),
        Paid("late", date(2026, 6, 11), 50),
        Paid("kept", date(2026, 9, 1), 50),
        Paid("more", date(2026, 10, 1), 7),
        Paid("when", None, 9),
        Paid("soon", date(2026, 11, 21), 9),
    )
    s = PaymentState
    assert states == {
        "early": s.PARTIAL,
        "rest": s.ON_TIME,
        "part": s.PARTIAL,
        "late": s.LATE,
        "kept": s.NO_DUE_DATE,
        "more": s.OVER,
        "when": s.UNDATED,
        "soon": s.FUTURE,
    }
    assert [(part.covered_on, part.lag(TODAY)) for part in found.parts] == [
        (date(2026, 3, 1), 0),
        (date(2026, 6, 11), 10),
        (date(2026, 9, 1), None),
    ]
    by_key = {standing.key: standing for standing in found.payments}
    assert (by_key["early"].days, by_key["part"].days, by_key["late"].days) == (-9, -31, 10)
    assert (by_key["more"].excess, by_key["late"].excess) == (7, 0)
    assert [(cover.key, cover.amount) for cover in found.parts[1].covers] == [("part", 150), ("late", 50)]


def test_one_payment_over_several_parts_is_as_late_as_its_latest() -> None:
    found, states = tell(Paid("all", date(2026, 5, 31), 300))
    assert states == {"all": PaymentState.LATE} and found.payments[0].days == 91
    assert [part.open for part in found.parts] == [0, 0, 50]
    assert tell(Paid("all", date(2026, 2, 1), 300))[1] == {"all": PaymentState.EARLY}


def test_two_payments_on_one_day_count_in_the_order_of_their_keys() -> None:
    day = date(2026, 3, 1)
    for paid in ([Paid("a", day, 60), Paid("b", day, 60)], [Paid("b", day, 60), Paid("a", day, 60)]):
        found, states = tell(*paid)
        assert [cover.key for cover in found.parts[0].covers] == ["a", "b"]
        assert states == {"a": PaymentState.PARTIAL, "b": PaymentState.PARTIAL}


def test_a_refund_takes_back_what_came_last_and_heals_an_excess() -> None:
    paid = [Paid("all", date(2026, 2, 1), 350), Paid("over", date(2026, 4, 1), 30)]
    assert tell(*paid)[1]["over"] is PaymentState.OVER
    found, states = tell(*paid, Paid("back", date(2026, 4, 2), -30))
    assert states["back"] is PaymentState.REFUND and states["over"] is not PaymentState.OVER
    found, _ = tell(Paid("all", date(2026, 2, 1), 300), Paid("back", date(2026, 2, 2), -250))
    assert [part.open for part in found.parts] == [50, 200, 50]
    assert find_late(found.parts, TODAY) == date(2026, 3, 1)


def test_what_was_taken_back_counts_for_nothing_and_money_astray_is_shown_but_counts() -> None:
    found, states = tell(
        Paid("wrong", date(2026, 2, 1), 100, is_reversed=True),
        Paid("wrong~", date(2026, 2, 1), -100, is_reversal=True),
        Paid("astray", date(2026, 2, 1), 100, went_astray=True),
    )
    s = PaymentState
    assert states == {"wrong": s.REVERSED, "wrong~": s.REVERSAL, "astray": s.WRONG_ACCOUNT}
    assert [part.open for part in found.parts] == [0, 200, 50]


def test_open_parts_age_only_once_they_are_late() -> None:
    found, _ = tell(on=date(2026, 3, 1))
    assert [part.lag(date(2026, 3, 1)) for part in found.parts] == [None, None, None]
    assert [part.lag(date(2026, 3, 4)) for part in found.parts] == [3, None, None]


def test_without_a_total_nothing_is_too_much() -> None:
    found = compare(order_owed([], None), [Paid("a", TODAY, 10**12)], on=TODAY, bounded=False)
    assert found.payments[0].state is PaymentState.NO_DUE_DATE
    assert order_owed([Owed(TODAY, 70)], 100) == [Owed(TODAY, 70), Owed(None, 30)]


def test_the_same_payments_shuffled_or_told_twice_say_the_same() -> None:
    chance = random.Random(5)
    paid = [
        Paid(f"T{n}", date(2026, 1, 1 + chance.randrange(28)), chance.choice((40, 90, -25, 130)))
        for n in range(30)
    ]
    first, states = tell(*paid)
    for _ in range(20):
        chance.shuffle(paid)
        again, same = tell(*paid)
        assert again.parts == first.parts and same == states
