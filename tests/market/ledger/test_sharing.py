"""Payments over several deals, guarantees and claims; events as they are written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from market.errors import Code, Invalid
from market.ledger.claims import share_claim
from market.ledger.events import Event, read_details, write_details
from market.ledger.release import Hold, release
from market.ledger.replay import replay
from market.ledger.waterfall import share_out
from market.lending_vocabulary import Account
from market.vocabulary import Repayment
from tests.market.ledger.cases import DRAWN, MILLION, START, K, book_of, history, loan

HALF, FEBRUARY = date(2026, 1, 16), date(2026, 2, 1)


def test_a_purchasers_payments_go_through_the_deals_oldest_drawdown_first_in_whatever_order_given() -> None:
    later = history((K.DRAWDOWN, date(2026, 1, 10), MILLION))
    deals = [(loan(), later), (loan(), history(DRAWN)), (loan(), [])]
    payments = [
        ("b", HALF, 60_000_000),
        ("a", HALF, 50_000_000),
        ("c", date(2025, 12, 1), 5),
        ("d", FEBRUARY, 2 * MILLION),
    ]
    # By 16 January the older deal owes 100,145,161. Payment a leaves 145,161 of interest and 49,854,839 paid;
    # the 50,145,161 left of it are b's, whose other 9,854,839 go to the deal of 10 January, of which 58,065
    # are interest (300,000 × 6 / 31). d pays the 90,203,226 that are left and what 16 days of it cost:
    # 58,064.516 + 139,669.511 = 197,734 for the whole month, of which 58,065 are paid: 139,669.
    expected = share_out(deals, payments)
    assert expected["c"] == []
    assert expected["a"] == [(1, 50_000_000)]
    assert expected["b"] == [(1, 50_145_161), (0, 9_854_839)]
    assert expected["d"] == [(0, 90_342_895)]
    for order in permutations(payments):
        assert share_out(deals, order) == expected


def test_a_guarantee_falls_as_principal_is_repaid_and_rises_when_that_is_undone() -> None:
    guarantee = 80_000_000
    events = history(DRAWN, (K.RECEIPT, FEBRUARY, 25_300_000))
    assert release(guarantee, replay(loan(), [], START), principal=MILLION) == Hold(guarantee, 0, None)
    # A quarter of the principal: a quarter of the guarantee.
    book = replay(loan(), events, FEBRUARY)
    assert release(guarantee, book, principal=MILLION) == Hold(60_000_000, 20_000_000, None)
    undone = replay(loan(), [*events, Event(3, K.UNDO, FEBRUARY, undoes=2)], FEBRUARY)
    assert release(guarantee, undone, principal=MILLION) == Hold(guarantee, 0, None)
    settled = book_of(loan(), FEBRUARY, DRAWN, (K.RECEIPT, FEBRUARY, MILLION + 300_000))
    assert release(guarantee, settled, principal=MILLION) == Hold(0, guarantee, FEBRUARY)
    tranche = book_of(loan(), START, (K.DRAWDOWN, START, 40_000_000))
    assert release(guarantee, tranche, principal=MILLION).in_force == guarantee


def test_a_claim_is_borne_to_the_fen_by_the_risk_sharing_list() -> None:
    shares = [
        ("fund", Decimal("0.2")),
        ("re", Decimal("0.2")),
        ("guarantor", Decimal("0.4")),
        ("bank", Decimal("0.2")),
    ]
    # A fifth of 101 is 20.2, two fifths 40.4: the fen left over goes to the largest remainder.
    assert share_claim(101, shares) == [("fund", 20), ("re", 20), ("guarantor", 41), ("bank", 20)]
    with pytest.raises(Invalid) as refused:
        share_claim(101, shares[:3])
    assert refused.value.faults[0].code is Code.SHARES_NOT_WHOLE


@pytest.mark.parametrize(
    "event",
    [
        Event(1, K.RECEIPT, START, 5, source="purchaser"),
        Event(1, K.WAIVER, START, 5, account=Account.FEES_DUE),
        Event(1, K.PAUSE, START, until=FEBRUARY),
        Event(
            1,
            K.RESTRUCTURING,
            START,
            rate=Decimal("0.036"),
            months=6,
            repayment=Repayment.BULLET,
            capitalise=True,
        ),
    ],
)
def test_details_are_read_as_they_were_written(event: Event) -> None:
    bare = Event(event.number, event.kind, event.on, event.amount)
    assert replace(bare, **read_details(write_details(event))) == event
    assert write_details(bare) == {}


@pytest.mark.parametrize(
    ("details", "code", "field"),
    [
        ({"colour": "red"}, Code.UNKNOWN_FIELD, "colour"),
        ({"months": "6"}, Code.WRONG_SHAPE, "months"),
        ({"rate": "high"}, Code.WRONG_SHAPE, "rate"),
        ({"source": "nobody"}, Code.WRONG_SHAPE, "source"),
        ({"capitalise": 1}, Code.WRONG_SHAPE, "capitalise"),
    ],
)
def test_details_that_make_no_sense_are_refused(details: dict[str, object], code: Code, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_details(details)
    assert (refused.value.faults[0].code, refused.value.faults[0].field) == (code, field)
