"""./scripts/bench: the same offers for every side, figures in lines of one form, none without agreement."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from market import bulk, dated
from market.book import Book
from market.terms import LeaseTerms
from scripts.benchmarks import offers
from scripts.benchmarks.__main__ import BENCHES, main
from scripts.benchmarks.measuring import Side
from scripts.benchmarks.pricing import agrees

ROOT = Path(__file__).resolve().parents[2]
RATIOS = [
    ("price vs pyxirr irr", ">= 4"),
    ("dated vs pyxirr xirr", ">= 4"),
    ("one offer ms", "<= 0.3"),
    ("peak memory GB", "<= 1"),
]


def test_a_small_run_prints_a_ratio_for_every_target() -> None:
    command = "import sys; from scripts.benchmarks import pricing; sys.exit(pricing.main(2000))"
    result = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.findall(r"^ratio (.+): \d+\.\d\d target (.+)$", result.stdout, flags=re.MULTILINE) == RATIOS
    assert "2,000 offers" in result.stdout and "DISAGREE" not in result.stdout


def test_an_unknown_measurement_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    said = capsys.readouterr().err
    assert "'nothing'" in said and all(name in said for name in BENCHES)


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_size_is_a_number_of_offers(size: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["pricing", "--size", size])
    assert stopped.value.code == 2


def test_every_measurement_is_a_module_that_can_be_run() -> None:
    for name in BENCHES:
        assert (ROOT / "scripts" / "benchmarks" / f"{name}.py").is_file()


def test_sides_that_differ_disagree(capsys: pytest.CaptureFixture[str]) -> None:
    ours = Side("ours", [1.0], 3, np.array([0.05, 0.06, 3.0]))
    assert agrees(ours, Side("same", [1.0], 3, np.array([0.05, 0.06 + 1e-9, 3 - 1e-7])))
    assert not agrees(ours, Side("wrong", [1.0], 3, np.array([0.05, 0.06 + 1e-6, 3.0])))
    assert not agrees(ours, Side("silent", [1.0], 2, np.array([0.05, np.nan])))
    assert "1 OFFERS DISAGREE" in capsys.readouterr().out


def test_the_offers_are_the_mix_that_is_promised() -> None:
    count = 20_000
    book = offers.book(count, 1)
    shapes = [book.shapes[code] for code in book.shape.tolist()]
    leases = sum(shape.style in offers.STYLES[len(offers.LOANS) :] for shape in shapes)
    assert leases / count == pytest.approx(0.2, abs=0.02)
    for months in offers.MONTHS:
        assert sum(shape.months == months for shape in shapes) / count == pytest.approx(0.2, abs=0.02)
    for style in offers.LOANS:
        assert sum(shape.style is style for shape in shapes) / count == pytest.approx(0.2, abs=0.02)
    fees = np.bincount(book.charges.offer[book.charges.sign < 0], minlength=count)
    assert np.bincount(fees) / count == pytest.approx([0.25] * 4, abs=0.02)
    subsidies = book.charges.offer[book.charges.sign > 0]
    assert len(subsidies) == len(set(subsidies.tolist()))
    assert len(subsidies) / count == pytest.approx(0.3, abs=0.02)


def test_the_offers_are_the_same_as_columns_as_terms_and_in_part() -> None:
    book = offers.book(400, 2)
    again, part = offers.book(400, 2), offers.part(book, 150)
    listed = offers.terms(book, range(400))
    assert any(isinstance(terms, LeaseTerms) for terms in listed)
    rates = bulk.price(book).effective
    assert (bulk.price(again).effective == rates).all()
    assert bulk.price(Book.of(listed)).effective == pytest.approx(rates, abs=1e-12)
    assert bulk.price(part).effective == pytest.approx(rates[:150], abs=1e-12)


def test_the_dated_flows_are_those_of_the_offers_without_zeros() -> None:
    book = offers.book(400, 3)
    flows = offers.flows(book, 3)
    assert (flows.amounts != 0).all() and len(flows) == 400
    assert (dated.price(flows).total_cost == bulk.price(book).total_cost).all()
    assert dated.price(flows).effective == pytest.approx(bulk.price(book).effective, rel=0.1, abs=0.003)
