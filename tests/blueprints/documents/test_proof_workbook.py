"""The proof as a workbook: formulas that work the figures out again, and texts that never run."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from python_calamine import CalamineWorkbook

from blueprints.documents import proof_workbook
from market.cost import Cost, price
from market.terms import Fee, FlowTerms, LoanTerms
from market.vocabulary import FeeTiming
from services import proofs
from tests.services.test_proofs import KINDS
from wsgi import create_app

MADE = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SEAL = "7b" * 32
_CELL = re.compile(r'<c r="([A-Z]+[0-9]+)"[^>]*>(?:<f>(.*?)</f>)?(?:<v>(.*?)</v>)?</c>')


@pytest.fixture(scope="module")
def site() -> Flask:
    """The application: workbooks need its languages, and no database."""
    return create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"})


def write(site: Flask, cost: Cost) -> bytes:
    with site.test_request_context(), force_locale("en"):
        return proof_workbook.write(cost, SEAL, MADE)


def values(body: bytes, sheet: str) -> list[list[Any]]:
    return (
        CalamineWorkbook.from_filelike(io.BytesIO(body))
        .get_sheet_by_name(sheet)
        .to_python(skip_empty_area=False)
    )


def formulas(body: bytes, number: int) -> dict[str, str]:
    """Return the formulas of a sheet by cell."""
    text = zipfile.ZipFile(io.BytesIO(body)).read(f"xl/worksheets/sheet{number}.xml").decode()
    return {cell: formula for cell, formula, _ in _CELL.findall(text) if formula}


@pytest.mark.parametrize("kind", KINDS)
def test_the_flows_alone_give_the_rate_the_totals_and_the_split(kind: str, site: Flask) -> None:
    cost = price(KINDS[kind])
    body = write(site, cost)
    result, flows = values(body, "Result"), values(body, "Flows")[1:]
    rate = result[2][1]
    assert rate == pytest.approx(float(cost.effective or 0), rel=1e-15)
    amounts, times = [row[5] for row in flows], [row[6] for row in flows]
    scale = sum(map(abs, amounts))
    value = sum(amount / (1 + rate) ** years for amount, years in zip(amounts, times, strict=True))
    assert abs(value) < 1e-9 * scale
    for row, years in zip(flows, times, strict=True):
        assert row[7] == pytest.approx((1 + rate) ** -years, rel=1e-12)
        assert row[8] == pytest.approx(row[5] * row[7], rel=1e-12, abs=1e-12)
    assert result[6][1] == pytest.approx(-sum(amounts), abs=0.005)
    assert result[7][1] == pytest.approx(
        sum(amount for amount, years in zip(amounts, times, strict=True) if years == 0), abs=0.005
    )
    split = {row[0]: row[1] for row in result[14:] if row[0]}
    for number, paid in split.items():
        assert paid == pytest.approx(-sum(row[5] for row in flows if row[3] == number), abs=0.005)
    assert sum(split.values()) == pytest.approx(result[6][1], abs=0.005)
    assert len(split) == len(cost.breakdown)


@pytest.mark.parametrize("kind", KINDS)
def test_flows_and_figures_are_those_of_the_proof(kind: str, site: Flask) -> None:
    cost = price(KINDS[kind])
    facts = proofs.make(cost)["proof"]
    body = write(site, cost)
    flows = values(body, "Flows")[1:]
    assert [row[5] for row in flows] == [float(flow["amount"]) for flow in facts["flows"]]
    fractions = [Fraction(flow["t"]) for flow in facts["flows"]]
    assert [row[6] for row in flows] == pytest.approx([float(years) for years in fractions], rel=1e-15)
    result = values(body, "Result")
    assert result[2][2] == facts["effective"]
    assert result[5][1] == pytest.approx(float(facts["simple"]), rel=1e-15)
    assert result[11][1] == SEAL
    assert result[6][1] == float(facts["total_cost"])


def test_times_factors_checks_and_totals_are_live_formulas(site: Flask) -> None:
    body = write(site, price(KINDS["loan"]))
    result, flows, times = (formulas(body, number) for number in (1, 2, 3))
    assert flows["G5"] == "A5/12"
    assert flows["H5"] == "1/(1+'Result'!$B$3)^G5"
    assert flows["I5"] == "F5*H5"
    assert result["B4"] == "SUM('Flows'!$I$2:$I$18)"
    assert result["B5"] == "(1+IRR('By time'!$B$2:$B$16,(1+$B$3)^(1/12)-1))^12-1"
    assert result["B7"] == "ROUND(-SUM('Flows'!$F$2:$F$18),2)"
    assert result["B16"] == "ROUND(-SUMIF('Flows'!$D$2:$D$18,A16,'Flows'!$F$2:$F$18),2)"
    assert times["B3"] == "SUMIF('Flows'!$G$2:$G$18,C3,'Flows'!$F$2:$F$18)"
    assert all(cell[0] not in "GHI" or cell in flows for cell in flows)


@pytest.mark.parametrize(
    ("kind", "time", "own"),
    [
        ("dated loan", "(A5-'Result'!$B$11)/365", "XIRR('By time'!$B$2:$B$26,'By time'!$A$2:$A$26,$B$3)"),
        ("bridge", "A5/365", "XIRR('By time'!$B$2:$B$3,'By time'!$F$2:$F$3,$B$3)"),
    ],
)
def test_days_are_checked_with_xirr(kind: str, time: str, own: str, site: Flask) -> None:
    body = write(site, price(KINDS[kind]))
    assert formulas(body, 2)["G5"] == time
    assert formulas(body, 1)["B5"] == own


def test_every_month_stands_in_the_table_that_irr_reads_paid_or_not(site: Flask) -> None:
    # The first draw is in the third month, and nothing happens between some others.
    rows = values(write(site, price(KINDS["drawn late"])), "By time")[1:]
    assert [row[0] for row in rows] == list(range(3, 13))[: len(rows)]
    facts = proofs.make(price(KINDS["drawn late"]))["proof"]
    sums = {row["when"]: float(row["amount"]) for row in facts["net"]}
    assert [row[1] for row in rows] == [sums.get(row[0], 0) for row in rows]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_name_runs_or_selects_anything(sign: str, site: Flask) -> None:
    evil = f'{sign}HYPERLINK("http://x","y")*'
    terms = KINDS["loan"]
    assert isinstance(terms, LoanTerms)
    fees = (Fee(evil, FeeTiming.UPFRONT, evil, amount=100), Fee("fee", FeeTiming.UPFRONT, "*", amount=200))
    body = write(site, price(replace(terms, fees=fees)))
    for number in (1, 2, 3, 4):
        assert not any("HYPERLINK" in formula for formula in formulas(body, number).values())
    flows = values(body, "Flows")[1:]
    assert {row[2].strip() for row in flows} >= {evil.strip(), "fee"}
    # Payees are added up by number: a star would select them all.
    split = {row[2].strip(): row[1] for row in values(body, "Result")[14:] if row[0]}
    assert split[evil.strip()] == 1.0 and split["*"] == 2.0
    styles = zipfile.ZipFile(io.BytesIO(body)).read("xl/styles.xml").decode()
    assert 'quotePrefix="1"' in styles


def test_a_changed_amount_is_noticed(site: Flask) -> None:
    cost = price(KINDS["loan"])
    body = write(site, cost)
    rate = values(body, "Result")[2][1]
    flows = values(body, "Flows")[1:]
    for place in range(len(flows)):
        changed = [row[5] + (0.01 if at == place else 0) for at, row in enumerate(flows)]
        value = sum(amount / (1 + rate) ** row[6] for amount, row in zip(changed, flows, strict=True))
        assert abs(value) > 0.005


def test_what_has_no_rate_has_a_workbook_without_one(site: Flask) -> None:
    nothing = FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(10))))
    result = values(write(site, price(nothing)), "Result")
    assert result[2][1] == "cannot be computed"
    assert result[6][1] == -110.0


def test_equal_proofs_are_equal_files(site: Flask) -> None:
    assert write(site, price(KINDS["lease"])) == write(site, price(KINDS["lease"]))
