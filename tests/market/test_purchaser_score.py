"""How a purchaser pays, in counts and days."""

from __future__ import annotations

from datetime import date, timedelta

from market.eligibility import Condition, Requirement, judge
from market.purchaser_payments import Owed, Paid, compare
from market.purchaser_score import PurchaserScore, score
from market.vocabulary import OfferKind, ProductFamily, Security

DUE = date(2026, 3, 1)


def of(*lags: int, open_for: int | None = None) -> PurchaserScore:
    """Return the record of payments made so many days after their day, and one that stands open."""
    on = DUE + timedelta(days=open_for if open_for is not None else 200)
    parts = []
    for lag in lags:
        parts += compare([Owed(DUE, 5)], [Paid("a", DUE + timedelta(days=lag), 5)], on=on).parts
    if open_for is not None:
        parts += compare([Owed(DUE, 5)], [], on=on).parts
    return score(parts, on)


def test_median_and_p90_are_delays_of_real_payments() -> None:
    found = of(*range(-2, 8))
    assert (found.payments, found.on_time, found.median_lag, found.p90_lag) == (10, 3, 2, 6)
    assert found.on_time_share == 30
    found = of(-5, 0, 30)
    assert (found.median_lag, found.p90_lag, found.on_time_share) == (0, 30, 66)


def test_what_is_open_counts_with_its_age() -> None:
    found = of(0, 0, open_for=40)
    assert (found.payments, found.on_time, found.unpaid, found.p90_lag) == (3, 2, 1, 40)
    assert of(0, 0, open_for=0).payments == 2


def test_under_three_payments_nothing_is_said() -> None:
    assert of().median_lag is None and of().on_time_share is None
    assert not of(0, 0).is_enough and of(0, 0).on_time_share is None
    assert of(0, 0, 0).on_time_share == 100


def test_a_condition_on_the_record_fails_where_nothing_is_known() -> None:
    asked = Condition("purchaser_on_time_share", "at_least", 80)
    requirement = Requirement(
        1, 10, 1, 12, Security.UNSECURED, OfferKind.LOAN, ProductFamily.CONTRACT, (asked,)
    )
    facts = {"amount": 5, "months": 6, "accepts": {"loan"}, "has_contract": True}
    (failure,) = judge(facts, requirement)
    assert (failure.condition, failure.found) == (asked, None)
    assert judge({**facts, "purchaser_on_time_share": 80}, requirement) == ()
    assert judge({**facts, "purchaser_on_time_share": 79}, requirement)[0].distance == 1
