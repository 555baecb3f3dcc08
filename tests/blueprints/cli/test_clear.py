"""``flask clear``: one instance in, one JSON answer out, no database; a bad file is told why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from wsgi import create_app

ROUND: dict[str, Any] = {
    "divisible": False,
    "lenders": [{"id": "L1", "capacity": 36}],
    "needs": [
        {"id": "N1", "unplaced_cost": 900},
        {"id": "N2"},
        {"id": "N3", "unplaced_cost": 5},
        {"id": "N4", "unplaced_cost": 50},
    ],
    "offers": [
        {"need": "N1", "lender": "L1", "uses": 17, "cost": 8},
        {"need": "N2", "lender": "L1", "uses": 17, "cost": 8},
        {"need": "N4", "lender": "L1", "uses": 16, "cost": 9},
    ],
}


def run(content: str | dict[str, Any], *options: str) -> Result:
    app = create_app({"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nowhere.invalid/none"})
    text = content if isinstance(content, str) else json.dumps(content)
    return app.test_cli_runner().invoke(args=["clear", "-", *options], input=text)


def answer(content: dict[str, Any], *options: str) -> dict[str, Any]:
    result = run(content, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    read: dict[str, Any] = json.loads(result.stdout)
    assert read.pop("seconds") >= 0
    return read


def test_a_round_is_cleared_and_explained_without_any_database() -> None:
    assert answer(ROUND) == {
        "status": "optimal",
        "objective": 71,
        "bound": 71,
        "gap": 0,
        "placed": [
            {"need": "N1", "lender": "L1", "share": 1, "uses": 17, "cost": 8},
            {"need": "N2", "lender": "L1", "share": 1, "uses": 17, "cost": 8},
        ],
        "unplaced": [
            {"need": "N3", "why": "there is no offer for it"},
            {"need": "N4", "why": "of L1, 2 are left and 16 asked, used up by N1, N2"},
        ],
    }


def test_the_order_of_rows_and_the_seconds_do_not_matter() -> None:
    turned = {name: rows[::-1] if isinstance(rows, list) else rows for name, rows in ROUND.items()}
    assert answer(turned, "--seconds", "5") == answer(ROUND)


def test_divisible_needs_are_shared() -> None:
    shared = answer({**ROUND, "divisible": True})
    assert shared["objective"] == shared["bound"] == 5 + 8 + 8 + 50 - 41 / 8
    assert shared["placed"][2] == {"need": "N4", "lender": "L1", "share": 0.125, "uses": 2, "cost": 1.125}
    assert shared["unplaced"][1] == {
        "need": "N4",
        "why": "a rest is left: of L1, 0 are left and 16 asked, used up by N1, N2",
    }


@pytest.mark.parametrize("divisible", [False, True])
def test_an_infeasible_round_is_an_answer_not_an_error(divisible: bool) -> None:
    tight = {**ROUND, "divisible": divisible, "lenders": [{"id": "L1", "capacity": 16}]}
    read = answer(tight)
    assert (read["status"], read["objective"], read["bound"], read["gap"]) == ("infeasible", None, None, None)
    assert read["placed"] == []


def test_a_bad_file_gets_one_line_per_fault_and_exit_code_two(tmp_path: Path) -> None:
    broken = json.dumps({**ROUND, "lenders": [{"id": "L1", "capacity": -1}], "x": 1})
    result = run(broken.replace('"uses": 17', '"uses": NaN', 1))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        'lenders[0].capacity: "-1": -1 is too small: at least 0.',
        'offers[0].uses: "NaN": “NaN” is not a number. Write digits only, such as 2400000 or 3.65.',
        'x: "x": This field is not known. Remove it, or check its spelling.',
    ]
    missing = create_app().test_cli_runner().invoke(args=["clear", str(tmp_path / "none.json")])
    assert missing.exit_code == 2 and len(missing.stderr.splitlines()) == 1
