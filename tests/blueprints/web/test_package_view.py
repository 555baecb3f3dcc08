"""The page of one offer says what the loan costs with a guarantee of the shelf, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from blueprints.web.package_view import CONCERNS, MOST_ROWS, PARTS
from market.party import Party
from market.party import clock as clock_party
from market.risk_sharing import Concern
from market.stacks import PartKind
from market.terms import Fee
from market.vocabulary import (
    Capability,
    FeeTiming,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Repayment,
    Security,
    SizeClass,
)
from models.bid import Bid
from services import opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import find_foreign, read_text, separate_requests, sign_in
from tests.factories import MILLION, make_need, make_organisation, make_party, make_product, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

LATER = timedelta(days=3, minutes=1)


@pytest.fixture(autouse=True)
def stopped_clock(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every request come after the opening."""
    monkeypatch.setattr(clock, "read", lambda zone=None: now + LATER)
    with separate_requests(app):
        yield


@pytest.fixture
def firm(app: Flask, now: datetime) -> Party:
    """A medium firm that can bring a guarantee."""
    organisation = make_organisation(
        now=now, name="测试企业", name_en="Test firm", size_class=SizeClass.MEDIUM
    )
    return make_party(capabilities=[Capability.ENTERPRISE_MAKER], now=now, organisation=organisation)


def list_guarantee(now: datetime, english: str, **values: Any) -> None:
    """List a guarantee of 1 % a year on 80 %."""
    organisation = make_organisation(
        OrganisationKind.GUARANTOR, now=now, name=f"{english}担保", name_en=english
    )
    usual: dict[str, Any] = {
        "family": ProductFamily.GUARANTEE,
        "pricing": Pricing.FEE,
        "offer": None,
        "repayment": None,
        "security": Security.GUARANTEE,
        "rate_from": Decimal("0.01"),
        "rate_to": Decimal("0.01"),
        "fees": [{"name": "guarantee fee", "payee": "guarantor", "when": "yearly", "rate": "0.01"}],
    }
    make_product(make_party(now=now, organisation=organisation), now=now, **{**usual, **values})


def make_offer(firm: Party, now: datetime, sealer: Sealer, **values: Any) -> Bid:
    """Open a bank's bid on a loan that asks for a guarantee; 3.65 % are 3.7117 % a year."""
    bank = make_organisation(OrganisationKind.BANK, now=now, name="第一银行", name_en="First bank")
    lender = make_party(now=now, organisation=bank)
    security = values.pop("security", Security.GUARANTEE)
    product = make_product(lender, now=now, security=security, repayment=Repayment.INTEREST_MONTHLY)
    need = make_need(firm, now=now, amount=MILLION, securities=(security,))
    bid = place_bid(need, product, lender, now=now, sealer=sealer, **{"rate": Decimal("0.0365"), **values})
    opening.open_bids(need.id, by=clock_party(need.zone_id), now=now + LATER, sealer=sealer)
    return bid


def read_page(client: FlaskClient, bid: Bid, by: Party, language: str = "en") -> str:
    sign_in(client, by, language)
    answer = client.get(f"/needs/{bid.need_id}/offers/{bid.id}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_page_shows_each_package_with_its_parts_and_who_bears_the_risk(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    list_guarantee(
        now, "Dear one", fees=[{"name": "guarantee fee", "when": "yearly", "rate": "0.02", "part": "0.7"}]
    )
    subsidy = {"name": "guarantee fee subsidy", "when": "end", "rate": "0.005"}
    list_guarantee(now, "Cheap one", subsidies=[subsidy])
    text = read_text(read_page(client, make_offer(firm, now, sealer), firm))
    section = text[text.index("What this loan costs with a guarantee") :]
    assert "An estimate from listed prices" in section
    cheap, dear = section.index("Cheap one"), section.index("Dear one")
    assert cheap < dear
    row = section[cheap:dear]
    # The package's cost first; what it is made of after it.
    assert row.index("4.15%") < row.index("3.71%") < row.index("+0.85 points") < row.index("−0.41 points")
    for words in ("80%", "assumed: the product does not say", "8,000.00", "−4,000.00", "First bank", "20%"):
        assert words in row, words
    assert "guarantee fee subsidy: ¥4,000 less" in row
    assert "assumed" not in section[dear:] and "70%" in section[dear:] and "30%" in section[dear:]


def test_a_subsidy_for_the_guarantor_is_named_and_lowers_nothing(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    subsidy = {"name": "guarantee fee subsidy", "when": "end", "rate": "0.005", "recipient": "institution"}
    list_guarantee(now, "A guarantor", subsidies=[subsidy])
    text = read_text(read_page(client, make_offer(firm, now, sealer), firm))
    assert "guarantee fee subsidy: paid to the institution, your cost stays the same" in text
    assert "no change" in text


def test_an_unusual_division_of_the_risk_is_noted(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    fee = {"name": "guarantee fee", "when": "yearly", "rate": "0.02", "part": "0.9"}
    list_guarantee(now, "A guarantor", fees=[fee])
    text = read_text(read_page(client, make_offer(firm, now, sealer), firm))
    assert "The lender bears 10%; in principle it keeps 20%." in text


def test_who_does_not_answer_is_named_with_the_condition(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    small = {"fact": "size_class", "test": "in", "value": ["small", "micro"]}
    list_guarantee(now, "Only small", conditions=[small])
    list_guarantee(now, "No price", fees=[], rate_from=None, rate_to=None)
    text = read_text(read_page(client, make_offer(firm, now, sealer), firm))
    assert "No guarantee or insurance on the shelf fits this loan" in text
    assert "2 products do not answer" in text
    assert "needs: size of the firm one of Small, Micro" in text
    assert "lists no price to count with" in text


def test_a_loan_that_pays_for_a_guarantee_says_so_and_one_without_says_nothing(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    list_guarantee(now, "A guarantor")
    fee = Fee("guarantee fee", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01"))
    text = read_text(read_page(client, make_offer(firm, now, sealer, fees=(fee,)), firm))
    assert "already pay for a guarantee" in text and "What this loan costs with a guarantee" not in text


def test_a_loan_that_asks_for_no_guarantee_has_no_packages(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    list_guarantee(now, "A guarantor")
    text = read_text(read_page(client, make_offer(firm, now, sealer, security=Security.UNSECURED), firm))
    assert "guarantee" not in text.casefold()


def test_a_long_shelf_is_cut_and_says_how_many_more_there_are(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer
) -> None:
    for number in range(MOST_ROWS + 2):
        list_guarantee(now, f"Guarantor {number}")
    text = read_text(read_page(client, make_offer(firm, now, sealer), firm))
    assert text.count("assumed: the product does not say") == MOST_ROWS
    assert "2 more are dearer than these." in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_block_is_wholly_in_the_language_of_the_reader(
    client: FlaskClient, firm: Party, now: datetime, sealer: Sealer, language: str
) -> None:
    name = "guarantee fee" if language == "en" else "担保费"
    fee = {"name": name, "when": "yearly", "rate": "0.02", "part": "0.9"}
    subsidy = {"name": name, "when": "end", "rate": "0.005", "recipient": "institution"}
    small = {"fact": "size_class", "test": "in", "value": ["small"]}
    list_guarantee(now, "Onefold", fees=[fee], subsidies=[subsidy], name_en="Cover")
    list_guarantee(now, "Twofold", name_zh="担保", conditions=[small], name_en="Cover")
    page = read_page(client, make_offer(firm, now, sealer), firm, language)
    assert find_foreign(page[page.index('id="packages"') : page.index("</main>")], language) == []


def test_every_part_and_concern_has_its_words() -> None:
    assert set(PARTS) == set(PartKind) and set(CONCERNS) == set(Concern)
