from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask

from market.errors import Code, Invalid, NotFound
from services import awards, comparisons, desk
from services.sealing import Sealer
from tests.blueprints.web.market_stall import make_compared, make_stall
from tests.factories import MILLION, make_party


def test_the_comparison_lists_who_is_paid_and_what_stands_apart(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    stall = make_stall(now)
    need, offers, later = make_compared(stall, now, sealer)
    seen = comparisons.compare(need.id, by=stall.maker)
    assert [bid.id for bid in seen.ranked] == [offers[0].id, offers[1].id]
    assert [bid.id for bid in seen.apart] == [offers[2].id]
    assert seen.payees == ("lender", "guarantor")
    assert seen.is_short  # three bids were asked for
    assert seen.may_accept(offers[0], later)
    assert not seen.may_accept(offers[0], offers[0].valid_until.replace(year=2030))


def test_a_study_says_what_fees_add_and_how_much_money_one_really_has(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    stall = make_stall(now)
    _, (plain, with_fee, lease), _ = make_compared(stall, now, sealer)
    study = comparisons.study(with_fee)
    # 3.65 % is 3.7117 % a year by itself and 4.7770 % with the fee.
    assert study.charges_add is not None and round(study.charges_add, 6) == Decimal("0.010653")
    paid = study.payments
    assert (study.average_balance, paid.upfront, paid.usual) == (MILLION, 1_000_000, 304_167)
    assert paid.last == MILLION + 304_167
    (fee,) = study.explored.marginals
    assert (fee.payee, fee.adds.points, fee.adds.total) == ("guarantor", study.charges_add, 1_000_000)
    assert comparisons.study(plain).charges_add == 0
    assert comparisons.study(lease).average_balance < MILLION * 6 // 10


def test_an_estimate_ranks_all_offers_on_the_new_terms(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    need, (plain, with_fee, lease), _ = make_compared(stall, now, sealer)
    estimates = comparisons.estimate(need.id, MILLION, 48, by=stall.maker)
    assert [row.rank for row in estimates] == [1, 2, 3]
    assert [row.bid.id for row in estimates] == [with_fee.id, plain.id, lease.id]
    assert not estimates[0].outside
    outside = comparisons.estimate(need.id, MILLION // 2, 48, by=stall.maker)
    assert all(row.outside for row in outside)  # every product starts at a million


@pytest.mark.parametrize(
    ("amount", "months", "field", "code"),
    [
        (0, 12, "amount", Code.TOO_SMALL),
        (10**13, 12, "amount", Code.TOO_LARGE),
        (MILLION, 0, "months", Code.TOO_SMALL),
        (MILLION, 361, "months", Code.TOO_LARGE),
    ],
)
def test_an_estimate_for_what_cannot_be_is_refused(
    app: Flask, now: datetime, sealer: Sealer, amount: int, months: int, field: str, code: Code
) -> None:
    stall = make_stall(now)
    need, _, _ = make_compared(stall, now, sealer)
    with pytest.raises(Invalid) as refusal:
        comparisons.estimate(need.id, amount, months, by=stall.maker)
    assert [(fault.field, fault.code) for fault in refusal.value.faults] == [(field, code)]


def test_another_firm_compares_nothing(app: Flask, now: datetime, sealer: Sealer) -> None:
    need, offers, _ = make_compared(make_stall(now), now, sealer)
    stranger = make_party(now=now)
    with pytest.raises(NotFound):
        comparisons.compare(need.id, by=stranger)
    with pytest.raises(NotFound):
        comparisons.find_offer(need.id, offers[0].id, by=stranger)


def test_the_desk_moves_a_need_from_deciding_to_waiting(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    assert desk.read(by=stall.maker, now=now).is_new
    need, offers, later = make_compared(stall, now, sealer)
    seen = desk.read(by=stall.maker, now=later)
    assert [(item.need.id, item.ranked, item.best) for item in seen.decisions] == [(need.id, 2, offers[0])]
    award = awards.accept(need.id, offers[0].id, offers[0].receipt_hash, by=stall.maker, now=later)
    seen = desk.read(by=stall.approver, now=later)
    assert ([one.id for one in seen.waiting], seen.decisions) == ([award.id], ())
    assert desk.find_loan(award) is None
    awards.confirm(award.id, by=stall.approver, now=later)
    loan = desk.find_loan(award)
    assert loan is not None and [one.id for one in desk.read(by=stall.maker, now=later).loans] == [loan.id]
