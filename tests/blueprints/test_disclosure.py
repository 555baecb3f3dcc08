"""The words of each cost: payee, basis, time and number say what the terms say, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale

from blueprints import disclosure
from market.cost import convention, price
from market.schedule import Part
from market.terms import Fee, LeaseTerms, LoanTerms, Priceable, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Repayment
from tests.services.test_proofs import KINDS, MILLION
from wsgi import create_app

RATE = Decimal("0.0365")
LOAN = LoanTerms(MILLION, 24, RATE, Repayment.INTEREST_MONTHLY)


@pytest.fixture(scope="module")
def app() -> Flask:
    """The application: words need its languages, and no database."""
    return create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"})


@pytest.fixture(autouse=True)
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context(), force_locale("en"):
        yield


def said(terms: Priceable) -> list[tuple[str, ...]]:
    """Return the words of every cost, a row each."""
    words = (disclosure.part, disclosure.basis, disclosure.timing, disclosure.times, disclosure.total)
    rows = disclosure.rows(price(terms))
    return [(disclosure.payee(row["payee"]), *(say(row) for say in words)) for row in rows]


def test_a_fee_says_its_rate_its_basis_and_when_it_begins() -> None:
    fees = (
        Fee(
            "guarantee",
            FeeTiming.YEARLY,
            "guarantor",
            FeeBasis.OUTSTANDING,
            Decimal("0.01"),
            part=Decimal("0.8"),
        ),
        Fee("service", FeeTiming.YEARLY, "platform", rate=Decimal("0.0025"), from_month=12),
        Fee("collection", FeeTiming.EACH_PAYMENT, basis=FeeBasis.RENT, rate=Decimal("0.00125")),
        Fee("", FeeTiming.UPFRONT, "某公证处", amount=3_000),
    )
    subsidy = Subsidy("help", FeeTiming.YEARLY, basis=FeeBasis.INTEREST, rate=Decimal("0.4"), lag_months=2)
    assert said(replace(LOAN, fees=fees, subsidies=(subsidy,))) == [
        ("Lender", "Interest", "3.65% a year of the balance owed", "With the instalments", "24", "73,000.08"),
        ("Guarantor", "guarantee", "1.00% of the balance owed, on 80% of it", "Every year", "2", "16,000.00"),
        ("Platform", "service", "0.25% of the principal", "Every year, from month 12", "1", "2,500.00"),
        ("Lender", "collection", "0.125% of the rents or instalments", "With each payment", "24", "1,341.20"),
        ("某公证处", "Fee", "flat amount", "At drawdown", "1", "30.00"),
        ("Subsidy", "help", "40.00% of the interest", "Every year, 2 months later", "2", "−29,200.04"),
    ]


def test_interest_says_how_its_rate_changes_and_when_it_falls_due() -> None:
    stepped = replace(LOAN, rate_steps=((12, Decimal("0.04")), (18, Decimal("0.0425"))))
    assert said(stepped)[0][2] == "3.65% a year of the balance owed; 4.00% from month 12; 4.25% from month 18"
    assert said(replace(LOAN, repayment=Repayment.BULLET))[0][3:5] == ("At the end", "1")
    assert said(KINDS["bridge"])[0][2:4] == ("0.02% a day", "At the end")
    assert said(KINDS["bill"]) == [
        ("Lender", "Interest", "6.00% a year of the face amount", "At drawdown", "1", "14,794.52"),
        ("Lender", "Fee", "0.30% a year of the face amount", "At drawdown", "1", "739.73"),
    ]


def test_a_deposit_is_named_with_what_it_holds_and_costs_nothing_by_itself() -> None:
    rows = disclosure.rows(price(LeaseTerms(MILLION, 12, RATE, deposit=Decimal("0.05"))))
    deposit = next(row for row in rows if row["part"] == Part.DEPOSIT)
    assert disclosure.timing(deposit) == "at drawdown, given back at the end"
    assert (disclosure.total(deposit), disclosure.note(deposit)) == (
        "0.00",
        "50,000.00 held, no cost by itself",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_says_its_costs_its_facts_and_its_convention(kind: str, language: str) -> None:
    terms = KINDS[kind]
    with force_locale(language):
        assert all(all(row) for row in said(terms))
        assert all(words and value for words, value in disclosure.facts(terms))
        sentences = disclosure.convention(convention(terms))
    assert len(sentences) == len(convention(terms).split("; "))


def test_what_was_stored_before_says_as_much_as_it_knows() -> None:
    row = {"part": "interest", "payee": "lender", "total": 100, "times": 12, "rate": "0.05"}
    assert disclosure.basis(row) == "5.00% a year of the balance owed"
    assert disclosure.timing(row) == "With the instalments"
    assert disclosure.timing({**row, "times": 1}) == "At the end"
    assert disclosure.part({"part": "fee", "payee": "x"}) == "Fee"
