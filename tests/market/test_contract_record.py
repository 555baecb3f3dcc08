from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.contract_record import (
    ContractRecord,
    Obstacle,
    PaymentRecord,
    amend,
    find_obstacles,
    key_payments,
    normalise_currency,
)

GOOD = ContractRecord(
    "ocds-1",
    "C-1",
    "C-1",
    supplier_name="测试科技",
    supplier_code="91990000MA0000001B",
    amount=100,
    currency="CNY",
)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "obstacles"),
    [
        ({}, []),
        ({"status": "active"}, []),
        ({"supplier_code": None}, [Obstacle.NO_CREDIT_CODE]),
        # A code that is there but wrong is not also missing.
        (
            {"supplier_code": None, "doubts": frozenset({Obstacle.BAD_CREDIT_CODE})},
            [Obstacle.BAD_CREDIT_CODE],
        ),
        ({"amount": None}, [Obstacle.NO_AMOUNT]),
        # Nobody can ask for the currency of nothing.
        ({"amount": None, "currency": None}, [Obstacle.NO_AMOUNT]),
        ({"amount": 0}, [Obstacle.AMOUNT_NOT_POSITIVE]),
        ({"amount": -1}, [Obstacle.AMOUNT_NOT_POSITIVE]),
        ({"currency": None}, [Obstacle.NO_CURRENCY]),
        ({"currency": "USD"}, [Obstacle.FOREIGN_CURRENCY]),
        ({"status": "pending"}, [Obstacle.NOT_IN_FORCE]),
        ({"status": "Cancelled"}, [Obstacle.CANCELLED]),
        ({"status": "terminated"}, [Obstacle.TERMINATED]),
        (
            {"currency": "MXN", "supplier_code": None},
            [Obstacle.NO_CREDIT_CODE, Obstacle.FOREIGN_CURRENCY],
        ),
    ],
)
def test_obstacles_name_every_reason_against_a_loan(changes: dict[str, object], obstacles: list[str]) -> None:
    assert list(find_obstacles(replace(GOOD, **changes))) == obstacles  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "code"),
    [("CNY", "CNY"), ("cny", "CNY"), ("RMB", "CNY"), ("人民币", "CNY"), (" usd ", "USD")],
)
def test_the_yuan_has_many_names(written: str, code: str) -> None:
    assert normalise_currency(written) == code


def test_a_later_record_wins_field_by_field_and_silence_changes_nothing() -> None:
    known = replace(GOOD, title="old", amount=100, ends_on=date(2026, 5, 1), released_at=FEBRUARY)
    fresh = ContractRecord("ocds-1", "C-1", "C-1", amount=250, released_at=MARCH)
    joined = amend(known, fresh)
    assert (joined.amount, joined.title, joined.ends_on) == (250, "old", date(2026, 5, 1))
    assert joined.supplier_code == GOOD.supplier_code
    assert joined.released_at == MARCH


def test_an_older_record_only_fills_gaps() -> None:
    known = replace(GOOD, amount=250, released_at=MARCH)
    older = replace(GOOD, amount=100, title="first", released_at=FEBRUARY)
    joined = amend(known, older)
    assert (joined.amount, joined.title, joined.released_at) == (250, "first", MARCH)


def test_a_new_supplier_replaces_name_and_code_together() -> None:
    joined = amend(
        replace(GOOD, doubts=frozenset({Obstacle.SEVERAL_SUPPLIERS})),
        replace(GOOD, supplier_name="另一家", supplier_code=None),
    )
    assert (joined.supplier_name, joined.supplier_code, joined.doubts) == ("另一家", None, frozenset())


def test_doubts_last_until_a_later_record_says_better() -> None:
    doubtful = replace(GOOD, doubts=frozenset({Obstacle.IMPOSSIBLE_DATES, Obstacle.DOUBTFUL_PAYMENTS}))
    silent = ContractRecord("ocds-1", "C-1", "C-1")
    assert amend(doubtful, silent).doubts == doubtful.doubts
    dated = replace(silent, ends_on=date(2026, 1, 1))
    assert amend(doubtful, dated).doubts == {Obstacle.DOUBTFUL_PAYMENTS}
    paid = replace(silent, payments=(PaymentRecord(1),))
    assert amend(doubtful, paid).doubts == {Obstacle.IMPOSSIBLE_DATES}


def test_payments_are_united_by_transaction_and_corrected() -> None:
    known = replace(GOOD, payments=(PaymentRecord(10, "T1"), PaymentRecord(20, "T2")))
    fresh = replace(GOOD, payments=(PaymentRecord(15, "T1"), PaymentRecord(30, "T3")))
    assert [p.amount for p in amend(known, fresh).payments] == [15, 20, 30]


def test_payments_without_an_id_are_told_apart_by_day_amount_and_place() -> None:
    day = date(2026, 1, 1)
    keyed = key_payments([PaymentRecord(5, paid_on=day), PaymentRecord(5, paid_on=day), PaymentRecord(5)])
    assert list(keyed) == ["~2026-01-01~5", "~2026-01-01~5#2", "~undated~5"]


def test_an_id_used_for_several_payments_drops_none_and_one_told_twice_counts_once() -> None:
    keyed = key_payments([PaymentRecord(5, "V"), PaymentRecord(7, "V"), PaymentRecord(5, "V")])
    assert {key: p.amount for key, p in keyed.items()} == {"V": 5, "V#2": 7}


payments = st.lists(
    st.builds(
        PaymentRecord,
        st.integers(-3, 3),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from([None, date(2026, 1, 1)]),
    )
)


@given(payments)
def test_reading_the_same_payments_again_changes_nothing(listed: list[PaymentRecord]) -> None:
    record = replace(GOOD, payments=tuple(key_payments(listed).values()))
    assert amend(record, replace(GOOD, payments=tuple(listed))) == record
