"""Single fields of a contract: what is taken, what is refused, what is doubted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from market.contract_record import Obstacle, find_obstacles
from market.errors import Code, Invalid
from services.exchange.mapping import find_code, read_amount
from tests.procurement import CODE, OTHER, make_contract, make_release, make_transaction, read, read_one


def fault_of(contract: dict[str, Any], **release: Any) -> tuple[Code, str | None]:
    records, (row,) = read({**make_release("o", contract), **release})
    assert not records
    return row.fault.code, row.fault.field


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        (0, 0),
        (1, 100),
        (1000.5, 100_050),
        ("1000.50", 100_050),
        (" １０００ ", 100_000),
        (0.005, 1),
        (0.0049, 0),
        (-0.005, -1),
        (-3.5, -350),
        # What binary fractions leave behind in published data.
        (12152.160000000002, 1_215_216),
        (1e3, 100_000),
    ],
)
def test_amounts_become_exact_fen(amount: Any, fen: int) -> None:
    assert (
        read_one(make_release("o", make_contract(value={"amount": amount, "currency": "CNY"}))).amount == fen
    )


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ('"abc"', Code.NOT_A_NUMBER),
        ('"1,000"', Code.NOT_A_NUMBER),
        ("true", Code.NOT_A_NUMBER),
        ("[1]", Code.NOT_A_NUMBER),
        ("NaN", Code.NOT_FINITE),
        ("-Infinity", Code.NOT_FINITE),
        ('"NaN"', Code.NOT_FINITE),
        ("1e400", Code.TOO_LARGE),
        ("1e17", Code.TOO_LARGE),
        ("9" * 5000, Code.NOT_FINITE),
    ],
)
def test_amounts_that_are_none_refuse_the_contract_and_no_other(written: str, code: Code) -> None:
    bad = make_contract("bad", value={"amount": "@", "currency": "CNY"})
    text = json.dumps(make_release("o", make_contract("a"), bad, make_contract("z"))).replace('"@"', written)
    records, (row,) = read(text.encode())
    assert [r.contract_id for r in records] == ["a", "z"]
    assert (row.fault.code, row.fault.field, row.contract_id) == (code, "value.amount", "bad")


@given(st.one_of(st.text(), st.integers(), st.decimals(), st.booleans(), st.floats()))
@example("9" * 5000)
def test_an_amount_is_fen_or_a_refusal(value: Any) -> None:
    try:
        fen = read_amount(value, "value.amount")
    except Invalid:
        return
    assert fen is None or isinstance(fen, int)


@pytest.mark.parametrize(
    ("value", "obstacle"),
    [
        (None, Obstacle.NO_AMOUNT),
        ({}, Obstacle.NO_AMOUNT),
        ({"amount": None, "currency": "CNY"}, Obstacle.NO_AMOUNT),
        ({"amount": 0, "currency": "CNY"}, Obstacle.AMOUNT_NOT_POSITIVE),
        ({"amount": -5, "currency": "CNY"}, Obstacle.AMOUNT_NOT_POSITIVE),
        ({"amount": 5}, Obstacle.NO_CURRENCY),
        ({"amount": 5, "currency": "USD"}, Obstacle.FOREIGN_CURRENCY),
    ],
)
def test_contracts_without_a_good_amount_are_kept_but_not_financeable(value: Any, obstacle: Obstacle) -> None:
    assert find_obstacles(read_one(make_release("o", make_contract(value=value)))) == (obstacle,)


def test_version_1_0_may_say_amount_for_value() -> None:
    contract = make_contract(amount={"amount": 7, "currency": "RMB"})
    del contract["value"]
    record = read_one(make_release("o", contract))
    assert (record.amount, record.currency) == (700, "CNY")


@pytest.mark.parametrize(
    ("fields", "release", "fault"),
    [
        ({"id": None}, {}, (Code.REQUIRED, "id")),
        ({"id": " "}, {}, (Code.REQUIRED, "id")),
        ({"id": {"$oid": "1"}}, {}, (Code.REQUIRED, "id")),
        ({"id": "x" * 161}, {}, (Code.TOO_LONG, "id")),
        ({}, {"ocid": None}, (Code.REQUIRED, "ocid")),
        ({}, {"ocid": ""}, (Code.REQUIRED, "ocid")),
        ({}, {"ocid": "x" * 161}, (Code.TOO_LONG, "ocid")),
        ({"value": 5}, {}, (Code.NOT_A_NUMBER, "value")),
    ],
)
def test_contracts_that_cannot_be_known_again_are_refused(
    fields: dict[str, Any], release: dict[str, Any], fault: tuple[Code, str]
) -> None:
    assert fault_of(make_contract(**fields), **release) == fault


def test_what_is_no_object_among_contracts_is_refused_by_itself() -> None:
    release = make_release()
    release["contracts"] = ["x", 1, [], *release["contracts"]]
    records, refused = read(release)
    assert len(records) == 1
    assert [(row.fault.code, row.path) for row in refused] == [
        (Code.NOT_OCDS, f"contracts[{n}]") for n in range(3)
    ]


@pytest.mark.parametrize(
    "day", ["2026-02-30", "0001-01-01", "9999-12-31", "soon", "2026/01/05", 20260105, ["2026"]]
)
def test_impossible_days_are_left_out_and_stop_the_financing_not_the_import(day: Any) -> None:
    record = read_one(make_release("o", make_contract(period={"startDate": "2026-01-05", "endDate": day})))
    assert (record.starts_on, record.ends_on) == (date(2026, 1, 5), None)
    assert find_obstacles(record) == (Obstacle.IMPOSSIBLE_DATES,)


def test_a_contract_that_ends_before_it_starts_is_doubted() -> None:
    record = read_one(
        make_release("o", make_contract(period={"startDate": "2026-06-01", "endDate": "2026-01-01"}))
    )
    assert find_obstacles(record) == (Obstacle.IMPOSSIBLE_DATES,)


def test_days_not_stated_are_no_doubt() -> None:
    contract = make_contract(dateSigned="", period=None)
    record = read_one(make_release("o", contract))
    assert (record.signed_on, record.starts_on, record.ends_on) == (None, None, None)
    assert find_obstacles(record) == ()


def test_a_day_is_the_one_the_publisher_wrote_whatever_the_zone() -> None:
    record = read_one(make_release("o", make_contract(dateSigned="2026-01-05T23:59:00-06:00")))
    assert record.signed_on == date(2026, 1, 5)


@pytest.mark.parametrize(
    "supplier",
    [
        {"id": "S", "identifier": {"id": CODE}},
        {"id": "S", "identifier": {"id": f" {CODE.lower()} "}},
        {"id": "S", "identifier": {"id": "９１９９００００ＭＡ００００００１Ｂ"}},
        {"id": "S", "identifier": {"id": "350200-1"}, "additionalIdentifiers": [{"id": CODE}]},
        {"id": f"CN-USCC-{CODE}"},
        {"id": CODE, "identifier": {"id": None}},
    ],
)
def test_the_credit_code_is_found_wherever_it_is_written(supplier: dict[str, Any]) -> None:
    release = make_release(parties=[], awards=[{"id": "A", "suppliers": [supplier]}])
    assert read_one(release).supplier_code == CODE


@pytest.mark.parametrize(
    ("written", "obstacle"),
    [
        ("91990000MA00000010", Obstacle.BAD_CREDIT_CODE),
        ("P01376", Obstacle.NO_CREDIT_CODE),
        ("350200100012345", Obstacle.NO_CREDIT_CODE),
        (None, Obstacle.NO_CREDIT_CODE),
    ],
)
def test_a_wrong_code_is_told_from_a_missing_one(written: str | None, obstacle: Obstacle) -> None:
    suppliers = [{"id": "S", "name": "测试科技", "identifier": {"id": written}}]
    record = read_one(make_release(parties=[], awards=[{"id": "A", "suppliers": suppliers}]))
    assert record.supplier_name == "测试科技"
    assert find_obstacles(record) == (obstacle,)


@given(st.lists(st.text()).map(tuple))
def test_no_text_breaks_the_search_for_a_code(ids: tuple[str, ...]) -> None:
    assert find_code(ids) is None or len(find_code(ids) or "") == 18


def test_a_code_is_preferred_over_the_first_id() -> None:
    assert find_code(("x", OTHER, CODE)) == OTHER


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"id": "HT-1"}, "HT-1"),
        ({"id": "HT-1", "title": "A-2/2026"}, "HT-1"),
        ({"id": "HT-1", "contractNumber": "JN-2026-0042"}, "JN-2026-0042"),
        ({"id": "1", "title": "CA-004/2016"}, "CA-004/2016"),
        ({"id": "1", "title": "471 laptops"}, "o/1"),
        ({"id": 12, "title": None}, "o/12"),
    ],
)
def test_the_contract_number_tells_contracts_apart_across_processes(
    fields: dict[str, Any], number: str
) -> None:
    assert read_one(make_release("o", make_contract(**fields))).number == number


def pay(*transactions: Any) -> Any:
    return read_one(make_release("o", make_contract(implementation={"transactions": list(transactions)})))


def test_payments_keep_sign_date_and_parties() -> None:
    record = pay(
        make_transaction("T1", 100.25, payer={"id": "B"}, payee={"id": "S"}, payeeAccount="3700 0001"),
        make_transaction("T2", -5, None),
        make_transaction(None, "7.00", "2026-99-01"),
        make_transaction("T3", 0),
    )
    first, refund, undated = record.payments
    assert (first.amount, first.paid_on, first.payer, first.payee_id) == (
        10_025,
        date(2026, 3, 1),
        "高新区财政局",
        CODE,
    )
    assert first.payee_account == "3700 0001"
    assert (refund.amount, refund.paid_on) == (-500, None)
    assert (undated.transaction_id, undated.amount, undated.paid_on) == (None, 700, None)
    assert find_obstacles(record) == ()


@pytest.mark.parametrize(
    "transaction",
    [
        make_transaction("T", "lots"),
        {"id": "T", "date": "2026-01-01"},
        "T",
        {"id": "T", "value": {"amount": 5, "currency": "USD"}},
        {"id": "T", "value": 5},
    ],
)
def test_payments_that_cannot_be_counted_make_the_contract_doubtful(transaction: Any) -> None:
    record = pay(make_transaction("ok", 1), transaction)
    assert record.payments[0].transaction_id == "ok"
    assert find_obstacles(record) == (Obstacle.DOUBTFUL_PAYMENTS,)


def test_texts_are_cleaned_and_names_cut() -> None:
    record = read_one(make_release("o", make_contract(title="a\u0000b\t c\u202e" + "长" * 500)))
    assert record.title is not None
    assert record.title.startswith("a b  c ")
    assert (len(record.title), record.title[-1]) == (400, "…")
