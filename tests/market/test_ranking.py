from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from market.cost import price, price_flows
from market.ranking import Entry, Reason, rank
from market.terms import LoanTerms
from market.vocabulary import Repayment

MILLION = 100_000_000


def bid(key: str, rate: str, receipt: int, amount: int = MILLION, months: int = 12) -> Entry:
    terms = LoanTerms(amount, months, Decimal(rate), Repayment.INTEREST_MONTHLY)
    return Entry(key, price(terms), amount, months, receipt)


def once(key: str, paid: str, receipt: int, received: str = "1") -> Entry:
    flows = [(date(2026, 1, 1), Decimal(received)), (date(2027, 1, 1), Decimal(paid))]
    return Entry(key, price_flows(flows), MILLION, 12, receipt)


def places(*entries: Entry) -> list[tuple[str, int | None, Reason]]:
    return [(row.key, row.rank, row.reason) for row in rank(entries, amount=MILLION, months=12)]


def test_the_cheapest_bid_stands_first_whatever_order_they_came_in() -> None:
    entries = [bid("a", "0.045", 1), bid("b", "0.036", 2), bid("c", "0.04", 3)]
    expected = [("b", 1, Reason.BEST), ("c", 2, Reason.DEARER), ("a", 3, Reason.DEARER)]
    assert places(*entries) == places(*reversed(entries)) == expected


def test_unrounded_costs_decide() -> None:
    assert places(once("a", "-1.0400000000000001", 1), once("b", "-1.04", 2)) == [
        ("b", 1, Reason.BEST),
        ("a", 2, Reason.DEARER),
    ]


def test_equal_costs_are_decided_by_total_then_by_receipt() -> None:
    # Three times as much at the same rate is the same root, found to the last digit.
    entries = [once("a", "-3.3", 3, "3"), once("b", "-3.3", 2, "3"), once("c", "-1.1", 9)]
    assert places(*entries) == [("c", 1, Reason.BEST), ("b", 2, Reason.HIGHER_TOTAL), ("a", 3, Reason.LATER)]


@pytest.mark.parametrize(
    ("amount", "months", "competes"),
    [
        (MILLION * 9 // 10, 12, True),
        (MILLION * 11 // 10, 13, True),
        (MILLION * 9 // 10 - 1, 12, False),
        (MILLION * 11 // 10 + 1, 12, False),
        (MILLION, 14, False),
        (MILLION, 10, False),
    ],
)
def test_only_bids_of_about_the_needs_amount_and_tenor_compete(
    amount: int, months: int, competes: bool
) -> None:
    rows = rank([bid("own", "0.05", 1), bid("other", "0.03", 2, amount, months)], amount=MILLION, months=12)
    other = next(row for row in rows if row.key == "other")
    assert (other.rank is not None) == competes
    if not competes:
        assert other.reason is Reason.OTHER_TERMS
        assert Decimal(other.values["amount_difference"]) * 100 == amount - MILLION
        assert other.values["months_difference"] == months - 12
        assert rows[0].key == "own" and rows[0].rank == 1


def test_a_bid_without_a_rate_is_shown_last_with_the_reason() -> None:
    none = Entry("x", price_flows([(date(2026, 1, 1), Decimal(1))]), MILLION, 12, 1)
    rows = rank([none, bid("a", "0.05", 2)], amount=MILLION, months=12)
    assert [(row.key, row.rank) for row in rows] == [("a", 1), ("x", None)]
    assert rows[1].describe() == {"code": "no_rate", "note": "one_sided"}


def test_a_row_says_what_would_have_ranked_higher() -> None:
    rows = rank([bid("a", "0.0365", 1), bid("b", "0.04", 2)], amount=MILLION, months=12)
    assert rows[0].describe() == {"code": "best"}
    assert rows[1].describe() == {
        "code": "dearer",
        "above": "a",
        "effective_gap": "0.00362461",
        "total_gap": "3499.92",
        "to_rank_higher": "0.03711689",
    }
