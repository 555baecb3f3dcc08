from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from market.errors import Code
from market.terms import BillTerms, BridgeTerms, CoverTerms, FactoringTerms, Fee, Subsidy
from market.vocabulary import FeeTiming
from tests.services.exchange.offer_files import BILL, BRIDGE, COVER, FACTORING, faults_of_any, read_any

FEE = {"name": "f", "when": "upfront", "rate": "0.01"}


def terms_of(entry: dict[str, Any], **change: Any) -> Any:
    return read_any({**entry, **change})[0].terms


def test_a_bill_is_read() -> None:
    assert terms_of(BILL) == BillTerms(100_000_000, 90, Decimal("0.06"))
    full = terms_of(BILL, fee_rate="0.003", basis=365, fees=[FEE])
    assert full == BillTerms(
        100_000_000,
        90,
        Decimal("0.06"),
        Decimal("0.003"),
        365,
        (Fee("f", FeeTiming.UPFRONT, rate=Decimal("0.01")),),
    )


def test_a_bill_runs_to_the_working_day_on_which_it_is_paid() -> None:
    dated = {name: value for name, value in BILL.items() if name != "days"}
    issued = {"issued": "2026-07-01", "matures": "2026-10-01"}
    assert terms_of(dated, **issued).days == 92
    # The National Day holidays end on 2026-10-07.
    (offer,) = read_any({**dated, **issued, "rolling": "following"})
    assert offer.terms.days == 99 and offer.provisional_years == ()
    (offer,) = read_any({**dated, "issued": "2026-12-01", "matures": "2027-01-01", "rolling": "following"})
    assert offer.provisional_years == (2027,)


def test_a_factored_receivable_is_read() -> None:
    assert terms_of(FACTORING) == FactoringTerms(100_000_000, 90, Decimal("0.06"))
    full = terms_of(FACTORING, advance="0.8", interest_when="upfront", basis=365, fees=[FEE])
    assert (full.advance, full.interest_when, full.basis) == (Decimal("0.8"), FeeTiming.UPFRONT, 365)
    assert len(full.fees) == 1


def test_a_bridge_loan_is_read() -> None:
    assert terms_of(BRIDGE) == BridgeTerms(950_000_000, 5, Decimal("0.0002"))
    assert terms_of(BRIDGE, steps=[[3, "0.0003"], [5, "0"]]).steps == (
        (3, Decimal("0.0003")),
        (5, Decimal(0)),
    )


def test_a_cover_is_read_and_its_fees_are_its_providers() -> None:
    cover = terms_of(
        COVER,
        provider="insurer",
        deposit="0.1",
        start="2026-01-05",
        subsidies=[{"name": "s", "when": "end", "amount": "1.00"}],
    )
    assert cover == CoverTerms(
        100_000_000,
        12,
        (Fee("fee", FeeTiming.UPFRONT, "insurer", rate=Decimal("0.01")),),
        Decimal("0.1"),
        "insurer",
        (Subsidy("s", FeeTiming.END, amount=100),),
        date(2026, 1, 5),
    )
    assert terms_of(COVER).fees[0].payee == "guarantor"
    assert terms_of(COVER, fees=[{**FEE, "payee": "notary"}]).fees[0].payee == "notary"


SHARED_FAULTS: list[tuple[dict[str, Any], str, Code]] = [
    ({"fees": [{**FEE, "basis": "rent"}]}, "fees[0].basis", Code.NOT_A_CHOICE),
    ({"fees": [{**FEE, "rate": "-0"}]}, "fees[0].rate", Code.NOT_A_NUMBER),
    ({"months": 0}, "months", Code.UNKNOWN_FIELD),
    ({"colour": "red"}, "colour", Code.UNKNOWN_FIELD),
]
DAY_FAULTS: list[tuple[dict[str, Any], str, Code]] = [
    *SHARED_FAULTS,
    ({"days": 0}, "days", Code.TOO_SMALL),
    ({"days": -90}, "days", Code.TOO_SMALL),
    ({"days": 3661}, "days", Code.TOO_LARGE),
    ({"days": "90"}, "days", Code.NOT_A_NUMBER),
    ({"days": 90.0}, "days", Code.NOT_A_NUMBER),
    ({"days": None}, "days", Code.REQUIRED),
    ({"fees": [{**FEE, "from_month": 1}]}, "fees[0].from_month", Code.TOO_LARGE),
    ({"subsidies": []}, "subsidies", Code.UNKNOWN_FIELD),
]
CASES: list[tuple[dict[str, Any], dict[str, Any], str, Code]] = [
    *((entry, *fault) for entry in (BILL, FACTORING, BRIDGE) for fault in DAY_FAULTS),
    *((COVER, *fault) for fault in SHARED_FAULTS if "months" not in fault[0]),
    (BILL, {"face": "0"}, "face", Code.TOO_SMALL),
    (BILL, {"face": "-1"}, "face", Code.TOO_SMALL),
    (BILL, {"face": "NaN"}, "face", Code.NOT_FINITE),
    (BILL, {"face": "1e400"}, "face", Code.NOT_A_NUMBER),
    (BILL, {"face": ""}, "face", Code.NOT_A_NUMBER),
    (BILL, {"rate": "-0"}, "rate", Code.NOT_A_NUMBER),
    (BILL, {"rate": None}, "rate", Code.REQUIRED),
    (BILL, {"fee_rate": "-0.01"}, "fee_rate", Code.TOO_SMALL),
    (BILL, {"basis": 364}, "basis", Code.NOT_A_CHOICE),
    (BILL, {"basis": "360"}, "basis", Code.NOT_A_NUMBER),
    (BILL, {"issued": "2026-01-05", "matures": "2026-04-05"}, "days", Code.ONE_OF),
    (BILL, {"rolling": "following"}, "days", Code.ONE_OF),
    (BILL, {"days": None, "issued": "2026-01-05"}, "matures", Code.REQUIRED),
    (BILL, {"days": None, "matures": "2026-01-05"}, "issued", Code.REQUIRED),
    (BILL, {"days": None, "issued": "2026-02-30", "matures": "2026-04-05"}, "issued", Code.NOT_A_DATE),
    (BILL, {"days": None, "issued": "2026-04-05", "matures": "2026-04-05"}, "matures", Code.OUT_OF_ORDER),
    (BILL, {"days": None, "issued": "2026-04-05", "matures": "2026-01-05"}, "matures", Code.OUT_OF_ORDER),
    (BILL, {"days": None, "issued": "2026-04-05", "matures": "2046-01-05"}, "matures", Code.TOO_LARGE),
    (
        BILL,
        {"days": None, "issued": "9999-12-01", "matures": "9999-12-12", "rolling": "soon"},
        "rolling",
        Code.NOT_A_CHOICE,
    ),
    (FACTORING, {"advance": "0"}, "advance", Code.TOO_SMALL),
    (FACTORING, {"advance": "1.01"}, "advance", Code.TOO_LARGE),
    (FACTORING, {"advance": "-0"}, "advance", Code.NOT_A_NUMBER),
    (FACTORING, {"interest_when": "monthly"}, "interest_when", Code.NOT_A_CHOICE),
    (FACTORING, {"interest_when": "later"}, "interest_when", Code.NOT_A_CHOICE),
    (BRIDGE, {"principal": "0"}, "principal", Code.TOO_SMALL),
    (BRIDGE, {"daily_rate": "1.1"}, "daily_rate", Code.TOO_LARGE),
    (BRIDGE, {"daily_rate": "Infinity"}, "daily_rate", Code.NOT_FINITE),
    (BRIDGE, {"steps": [[0, "0.0003"]]}, "steps[0][0]", Code.TOO_SMALL),
    (BRIDGE, {"steps": [[6, "0.0003"]]}, "steps[0][0]", Code.TOO_LARGE),
    (BRIDGE, {"steps": [[3, "-0"]]}, "steps[0][1]", Code.NOT_A_NUMBER),
    (BRIDGE, {"steps": [[3, "0"], [2, "0"]]}, "steps[1][0]", Code.OUT_OF_ORDER),
    (BRIDGE, {"rate": "0.05"}, "rate", Code.UNKNOWN_FIELD),
    (COVER, {"amount": "0"}, "amount", Code.TOO_SMALL),
    (COVER, {"months": -12}, "months", Code.TOO_SMALL),
    (COVER, {"months": 601}, "months", Code.TOO_LARGE),
    (COVER, {"fees": []}, "fees", Code.REQUIRED),
    (COVER, {"fees": None}, "fees", Code.REQUIRED),
    (COVER, {"fees": "none"}, "fees", Code.WRONG_SHAPE),
    (COVER, {"fees": [{**FEE, "basis": "interest"}]}, "fees[0].basis", Code.NOT_A_CHOICE),
    (COVER, {"fees": [{**FEE, "from_month": 12}]}, "fees[0].from_month", Code.TOO_LARGE),
    (COVER, {"deposit": "1.5"}, "deposit", Code.TOO_LARGE),
    (COVER, {"provider": ""}, "provider", Code.REQUIRED),
    (COVER, {"start": "2026-02-30"}, "start", Code.NOT_A_DATE),
    (COVER, {"start": "9999-01-01"}, "start", Code.NOT_A_DATE),
]


@pytest.mark.parametrize(("entry", "change", "field", "code"), CASES)
def test_a_fault_is_named_with_its_path(
    entry: dict[str, Any], change: dict[str, Any], field: str, code: Code
) -> None:
    assert faults_of_any({**entry, **change}) == [(f"offers[0].{field}", code)]


def test_the_last_day_there_is_can_be_rolled() -> None:
    dated = {**BILL, "days": None, "issued": "9999-12-01", "matures": "9999-12-31", "rolling": "following"}
    assert terms_of(dated).days == 30
