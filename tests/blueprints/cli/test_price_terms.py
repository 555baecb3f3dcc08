"""What the command takes beyond the plain loan and lease, and what it refuses by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from wsgi import create_app

LOAN: dict[str, Any] = {
    "id": "A",
    "kind": "loan",
    "principal": "1000000.00",
    "months": 12,
    "rate": "0.0365",
    "repayment": "interest_monthly",
    "start": "2026-01-05",
}
LEASE: dict[str, Any] = {
    "id": "B",
    "kind": "lease",
    "principal": "1000000.00",
    "months": 36,
    "rate": "0.055",
    "deposit": "0.05",
    "buyout": "100.00",
}


@pytest.fixture(scope="module")
def runner() -> Any:
    """The command line of an application whose database does not exist."""
    return create_app(
        {"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nowhere.invalid/none"}
    ).test_cli_runner()


def run(runner: Any, file: Path, text: str) -> Result:
    file.write_text(text, "utf-8")
    found: Result = runner.invoke(args=["price", str(file)])
    return found


@pytest.fixture
def price(runner: Any, tmp_path: Path) -> Any:
    """Price one offer."""

    def price_one(offer: dict[str, Any]) -> dict[str, Any]:
        result = run(runner, tmp_path / "offers.json", json.dumps({"offers": [offer]}))
        assert (result.exit_code, result.stderr) == (0, "")
        (answer,) = json.loads(result.stdout)["offers"]
        found: dict[str, Any] = answer
        return found

    return price_one


def test_payments_come_every_quarter(price: Any) -> None:
    answer = price({**LOAN, "interval": 3})
    assert [line["when"] for line in answer["schedule"]] == [
        *("2026-04-05", "2026-07-05", "2026-10-05", "2027-01-05")
    ]
    assert [line["interest"] for line in answer["schedule"]] == ["9125.00"] * 4
    assert (answer["total_cost"], answer["convention"]) == ("36500.00", "30/360; months/12")


def test_an_odd_first_period_is_priced_in_actual_days(price: Any) -> None:
    answer = price({**LOAN, "months": 2, "first_due": "2026-02-20"})
    assert [line["when"] for line in answer["schedule"]] == ["2026-02-20", "2026-03-05"]
    # 45 and 15 days of 30/360 at 3.65 %.
    assert [line["interest"] for line in answer["schedule"]] == ["4562.50", "1520.83"]
    assert answer["convention"] == "30/360; days/365"


def test_rolled_payments_bear_interest_to_the_day_they_are_made_unless_they_say_otherwise(price: Any) -> None:
    # 2026-02-15 lies in the Spring Festival, which ends on the 23rd; 03-15 is a Sunday.
    rolled = {**LOAN, "start": "2026-01-15", "months": 2, "day_count": "act/365", "rolling": "following"}
    adjusted, plain = price(rolled), price({**rolled, "adjusted": False})
    days = ["2026-02-24", "2026-03-16"]
    assert [line["when"] for line in adjusted["schedule"]] == days
    assert [line["when"] for line in plain["schedule"]] == days
    assert [line["interest"] for line in adjusted["schedule"]] == ["4000.00", "2000.00"]
    assert [line["interest"] for line in plain["schedule"]] == ["3100.00", "2800.00"]


def test_rates_step_and_a_deposit_costs_its_time(price: Any) -> None:
    stepped = price({**LOAN, "rate_steps": [[6, "0.0485"]]})
    assert [line["interest"] for line in stepped["schedule"]] == ["3041.67"] * 6 + ["4041.67"] * 6
    held, free = price({**LOAN, "deposit": "0.1", "deposit_holder": "guarantor"}), price(LOAN)
    assert held["total_cost"] == free["total_cost"]
    assert held["net_received"] == "900000.00"
    assert held["effective"] > free["effective"]
    # The form of the answer is the same for all: a deposit is no cost and has no column.
    assert set(held["schedule"][0]) == set(free["schedule"][0])


def test_a_lease_waits_before_its_first_period(price: Any) -> None:
    answer = price({**LEASE, "prelease_months": 2, "prelease_rate": "0.06", "interval": 3})
    lines = answer["schedule"]
    assert (lines[0]["when"], lines[1]["when"], lines[1]["interest"]) == (0, 2, "10000.00")
    assert [line["when"] for line in lines[2:4]] == [5, 8] and lines[-1]["when"] == 38


def test_fees_of_a_part_and_bounded_late_subsidies_are_priced(price: Any) -> None:
    fee = {"name": "guarantee", "payee": "guarantor", "rate": "0.01", "part": "0.8", "when": "yearly"}
    subsidy = {"name": "s", "rate": "0.02", "when": "end", "cap": "5000.00", "lag_months": 3}
    answer = price({**LOAN, "months": 24, "fees": [{**fee, "from_month": 12}], "subsidies": [subsidy]})
    assert answer["breakdown"]["guarantor"] == "8000.00"
    assert answer["breakdown"]["subsidy"] == "-5000.00"
    assert answer["schedule"][-1]["when"] == "2028-04-05"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"interval": 4}, 'offers[0].interval: "4": “4” is not one of the choices: 1, 3, 6, 12.'),
        (
            {"kind": "bill"},
            'offers[0].kind: "bill": “bill” is not one of the choices: loan, lease, flows.',
        ),
        (
            {"fees": [{"name": "预扣利息", "when": "upfront", "amount": "100.00"}]},
            'offers[0].fees[0].name: "预扣利息": “预扣利息” deducts interest from the loan in advance, '
            "which the Civil Code (article 670) forbids. Let it fall due with the payments or at the end.",
        ),
        (
            {"due": ["2027-01-05"], "rolling": "following"},
            "offers[0].due: -: Give exactly one of these: due, rolling.",
        ),
        (
            {"due": ["2026-02-30", "2027-01-05"]},
            'offers[0].due[0]: "2026-02-30": “2026-02-30” is not a date. '
            "Write it as year-month-day, such as 2026-11-20.",
        ),
        ({"months": -3}, "offers[0].months: -3: -3 is too small: at least 1."),
        (
            {"declared_rate": "0.04"},
            'offers[0].declared_rate: "declared_rate": This field is not known. '
            "Remove it, or check its spelling.",
        ),
    ],
)
def test_a_bad_offer_exits_2_with_one_line_and_prints_nothing(
    runner: Any, tmp_path: Path, change: dict[str, Any], line: str
) -> None:
    result = run(runner, tmp_path / "bad.json", json.dumps({"offers": [{**LOAN, **change}]}))
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (2, "", [line])


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("NaN", "is not a finite number"),
        ("Infinity", "is not a finite number"),
        ("-Infinity", "is not a finite number"),
        ("1e400", "is not a number"),
        ("-0", "is not a number"),
        ("-0.0", "is not a number"),
        ('""', "is not a number"),
        ("[]", "is not a number"),
        ("9" * 5000, "is too long"),
        ("-0.01", "is too small"),
    ],
)
@pytest.mark.parametrize("field", ["rate", "deposit", "rate_steps", "fee", "cap"])
def test_bad_numbers_are_refused_wherever_they_stand(
    runner: Any, tmp_path: Path, field: str, number: str, why: str
) -> None:
    slot = "@@"
    places: dict[str, dict[str, Any]] = {
        "rate": {"rate": slot},
        "deposit": {"deposit": slot},
        "rate_steps": {"rate_steps": [[6, slot]]},
        "fee": {"fees": [{"when": "end", "rate": slot}]},
        "cap": {"subsidies": [{"when": "end", "rate": "0.01", "cap": slot}]},
    }
    text = json.dumps({"offers": [{**LOAN, **places[field]}, LEASE]}).replace(f'"{slot}"', number)
    result = run(runner, tmp_path / "bad.json", text)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("offers[0].") and why in line
