"""``flask proof check``: a sound proof passes in silence but for one line; anything else is told by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from market.cost import price
from services import proofs
from tests.services.test_proofs import KINDS, change
from wsgi import create_app

DOCUMENT = proofs.make(price(KINDS["loan"]), {"need": 3})


def run(*args: str, content: str | bytes = "") -> Result:
    app = create_app({"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nowhere.invalid/none"})
    return app.test_cli_runner().invoke(args=["proof", "check", *args], input=content)


def test_a_sound_proof_passes_without_any_database(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(DOCUMENT, ensure_ascii=False, indent=2), "utf-8")
    for result in (run(str(file)), run("-", content=file.read_bytes())):
        assert (result.exit_code, result.stderr) == (0, "")
        rate = f"{float(DOCUMENT['proof']['effective']):.4%}"
        assert result.stdout.startswith("sound: ") and len(result.stdout.splitlines()) == 1
        assert f"annual cost {rate}, total cost {DOCUMENT['proof']['total_cost']} yuan" in result.stdout
        assert DOCUMENT["sha256"] in result.stdout


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("proof", "flows", 4, "amount"), ["sha256", "proof.flows[4].amount", "proof.total_cost"]),
        (("proof", "effective"), ["sha256", "proof.effective"]),
        (("proof", "total_cost"), ["sha256", "proof.total_cost"]),
        (("proof", "terms", "rate"), ["sha256", "proof.flows[3].amount"]),
        (("proof", "about", "need"), ["sha256"]),
        (("sha256",), ["sha256"]),
    ],
)
def test_what_does_not_follow_is_told_in_a_line_each(path: tuple[Any, ...], named: list[str]) -> None:
    result = run("-", content=json.dumps(change(DOCUMENT, path)))
    assert (result.exit_code, result.stdout) == (2, "")
    told = [line.split(": ")[0] for line in result.stderr.splitlines()]
    assert set(named) <= set(told)
    assert all(line.count(": ") >= 2 for line in result.stderr.splitlines())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": "other"}', b"\xff\xfe"])
def test_what_is_no_proof_is_refused(content: str | bytes) -> None:
    result = run("-", content=content)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip()


def test_a_file_that_is_not_there_is_a_fault() -> None:
    result = run("/nowhere/proof.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such file" in result.stderr
