from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from wsgi import create_app

GUARANTEE = {
    "name": "guarantee fee",
    "payee": "guarantor",
    "basis": "principal",
    "rate": "0.01",
    "when": "upfront",
}
OFFERS: list[dict[str, Any]] = [
    {
        "id": "A",
        "kind": "loan",
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.0365",
        "repayment": "interest_monthly",
        "day_count": "30/360",
        "start": "2026-01-05",
        "fees": [GUARANTEE],
        "subsidies": [
            {"name": "fee subsidy", "recipient": "firm", "basis": "principal", "rate": "0.005", "when": "end"}
        ],
    },
    {
        "id": "B",
        "kind": "lease",
        "principal": "1000000.00",
        "months": 36,
        "rate": "0.055",
        "rent": "arrears",
        "deposit": "0.05",
        "buyout": "100.00",
        "fees": [{"name": "handling", "basis": "principal", "rate": "0.015", "when": "upfront"}],
    },
    {
        "id": "C",
        "kind": "loan",
        "principal": "1000000.00",
        "months": 12,
        "repayment": "equal_installment",
        "lpr": {"tenor": "1y", "spread_bp": 55},
        "start": "2026-01-05",
    },
    {"id": "D", "kind": "flows", "flows": [["2026-01-05", "1000000.00"], ["2027-01-05", "-1050000.00"]]},
    {"id": "E", "kind": "flows", "period": "month", "flows": [["0", "10"], ["1", "0"]]},
]


def run(*args: str, content: str | bytes = "") -> Result:
    app = create_app({"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nowhere.invalid/none"})
    return app.test_cli_runner().invoke(args=["price", *args], input=content)


def prices(offers: list[dict[str, Any]], tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "offers.json"
    file.write_text(json.dumps({"offers": offers}), "utf-8")
    result = run(str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    listed: list[dict[str, Any]] = json.loads(result.stdout)["offers"]
    return listed


def test_offers_come_out_ranked_without_any_database(tmp_path: Path) -> None:
    listed = prices(OFFERS, tmp_path)
    assert [(offer["id"], offer["rank"]) for offer in listed] == [
        ("C", 1),
        ("A", 2),
        ("D", 3),
        ("B", 4),
        ("E", None),
    ]
    assert [offer["effective"] for offer in listed] == [
        "0.03608334",
        "0.04263424",
        "0.05000000",
        "0.07427567",
        None,
    ]
    assert all(
        set(offer)
        == {
            "id",
            "rank",
            "effective",
            "simple",
            "total_cost",
            "net_received",
            "average_monthly_payment",
            "convention",
            "breakdown",
            "schedule",
            "note",
        }
        for offer in listed
    )


def test_a_loan_shows_its_figures_and_its_dated_schedule(tmp_path: Path) -> None:
    (offer,) = prices(OFFERS[:1], tmp_path)
    assert offer["simple"] == "0.04182315"
    assert (offer["total_cost"], offer["net_received"]) == ("41500.04", "990000.00")
    assert offer["average_monthly_payment"] == "85958.34"
    assert offer["breakdown"] == {"lender": "36500.04", "guarantor": "10000.00", "subsidy": "-5000.00"}
    assert [line["when"] for line in offer["schedule"]][:2] == ["2026-01-05", "2026-02-05"]
    assert offer["schedule"][0] == {
        "when": "2026-01-05",
        "principal": "0.00",
        "interest": "0.00",
        "fees": "10000.00",
        "subsidy": "0.00",
        "balance": "1000000.00",
    }
    assert offer["schedule"][-1] == {
        "when": "2027-01-05",
        "principal": "1000000.00",
        "interest": "3041.67",
        "fees": "0.00",
        "subsidy": "5000.00",
        "balance": "0.00",
    }


def test_months_are_numbered_where_no_start_is_given(tmp_path: Path) -> None:
    (offer,) = prices(OFFERS[1:2], tmp_path)
    assert [line["when"] for line in offer["schedule"]] == list(range(37))
    assert offer["schedule"][36]["fees"] == "100.00"


def test_flows_have_no_schedule_and_say_why_they_have_no_rate(tmp_path: Path) -> None:
    (offer,) = prices(OFFERS[4:], tmp_path)
    assert offer["rank"] is None and offer["effective"] is None and offer["simple"] is None
    assert offer["note"] == "no rate: money flows in one direction only"
    assert (offer["schedule"], offer["average_monthly_payment"]) == ([], None)
    assert (offer["total_cost"], offer["net_received"]) == ("-10.00", "10.00")


def test_equal_offers_keep_the_order_of_the_file(tmp_path: Path) -> None:
    twins = [{**OFFERS[3], "id": id} for id in "zya"]
    assert [(offer["id"], offer["rank"]) for offer in prices(twins, tmp_path)] == [
        ("z", 1),
        ("y", 2),
        ("a", 3),
    ]


def test_standard_input_is_read_too() -> None:
    result = run("-", content=json.dumps({"offers": OFFERS}))
    assert result.exit_code == 0 and len(json.loads(result.stdout)["offers"]) == 5


def test_a_bad_file_exits_2_with_a_line_per_fault_and_no_result(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    bad = [{**OFFERS[0], "months": -3, "rate": "-0"}, {**OFFERS[3], "flows": [["2026-02-30", "1\n2"]]}]
    file.write_text(json.dumps({"offers": bad}), "utf-8")
    result = run(str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "offers[0].months: -3: -3 is too small: at least 1.",
        'offers[0].rate: "-0": “-0” is not a number. Write digits only, such as 2400000 or 3.65.',
        'offers[1].flows[0][0]: "2026-02-30": “2026-02-30” is not a date. '
        "Write it as year-month-day, such as 2026-11-20.",
        'offers[1].flows[0][1]: "1\\n2": “1 2” is not a number. Write digits only, such as 2400000 or 3.65.',
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"offers": [NaN'])
def test_an_unreadable_file_exits_2_and_names_the_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    result = run(str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(str(file)) and result.stderr.count("\n") == 1


def test_a_missing_file_exits_2(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nothing.json"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing.json" in result.stderr
