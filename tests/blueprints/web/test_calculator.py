"""The calculator: every kind of financing on one scale, faults beside their fields, what would change it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from blueprints import clock
from blueprints.web import calculator
from blueprints.web.calculator_kinds import OPENINGS, Kind
from market import cost
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    LeaseTerms,
    LoanTerms,
    Priceable,
    Subsidy,
)
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Interval, Recipient, RentTiming, Repayment
from tests.blueprints.web.market_stall import find_foreign, read_text, separate_requests

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

MILLION = 10**8
LOAN = {"amount": "100", "months": "12", "rate": "3.65", "repayment": "interest_monthly"}
LEASE = {"kind": "lease", "amount": "100", "months": "36", "rate": "5.5", "rent": "arrears"}
LEASE_CHARGES = {"deposit": "5", "buyout": "100", "fees.0.rate": "1.5"}
BILL = {"kind": "bill", "amount": "100", "days": "90", "rate": "6"}


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop the clock."""
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    with separate_requests(app):
        yield


def read(app: Flask, **values: str) -> Priceable | None:
    with app.test_request_context("/calculator"), force_locale("en"):
        _, terms = calculator.read_terms(values)
    return terms


def ask(client: FlaskClient, values: dict[str, str], language: str = "en") -> Any:
    client.get(f"/calculator?lang={language}")
    return client.get("/calculator", query_string=values)


def faulty_fields(page: str) -> list[str]:
    """Return the fields that a fault stands beside."""
    places = re.findall(r'<div id="faults-([\w-]+)"[^>]*>(.*?)</div>', page, re.S)
    return [name for name, said in places if "form-fault" in said]


def moved(page: str) -> str:
    """Return what the panel says the sliders make of the offer."""
    begin = page.index('id="moved"')
    return read_text(page[begin : page.index("</section>", begin)])


# Every kind, priced


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        # The golden values of the definition, typed as a person would.
        ({**LOAN}, ("3.71%", "simple form 3.65%", "36,500.04")),
        ({**LOAN, "fees.0.rate": "0.5"}, ("4.24%", "simple form 4.16%", "41,500.04")),
        (
            {
                **LEASE,
                "amount": "125",
                "down.share": "20",
                "deposit": "5",
                "buyout": "100",
                "fees.0.rate": "1.5",
            },
            ("7.43%", "simple form 7.19%", "Financed: ¥1 million"),
        ),
        (
            {**LEASE, "rent": "advance", **LEASE_CHARGES},
            ("7.54%", "simple form 7.30%"),
        ),
        ({**BILL, "fee.rate": "0.3", "basis": "365"}, ("6.56%", "simple form 6.40%", "984,465.75")),
        ({"kind": "bridge", "amount": "950", "days": "5", "rate": "0.02"}, ("9,500.00", "9,509,500.00")),
        (
            {
                **{"kind": "factoring", "amount": "100", "days": "90", "rate": "6"},
                **{"advance.share": "80", "fees.0.rate": "0.5"},
            },
            ("17,000.00", "¥795,000", "¥812,000"),
        ),
        ({"kind": "cover", "amount": "100", "months": "12", "rate": "1"}, ("1.01%", "10,000.00")),
    ],
)
def test_every_kind_is_priced_as_it_is_typed(
    client: FlaskClient, values: dict[str, str], shown: tuple[str, ...]
) -> None:
    answer = ask(client, values)
    assert answer.status_code == 200
    text = read_text(answer.text) + " ".join(re.findall(r'title="([^"]*)"', answer.text))
    for part in shown:
        assert part in text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_opens_with_an_answer_and_in_either_language(
    client: FlaskClient, kind: Kind, language: str
) -> None:
    page = ask(client, {"kind": kind.value}, language).text
    assert 'class="cost-rate"' in page and not faulty_fields(page)
    assert not find_foreign(page.replace("LPR", "").replace("bp", ""), language)
    # Rarer terms are there, and out of a beginner's way.
    assert "<details" in page and "<details open" not in page.replace(' class="more-terms"', "")


def test_what_is_open_in_the_address_opens_with_it(client: FlaskClient) -> None:
    page = ask(client, {**LOAN, "deposit": "5"}).text
    blocks = re.findall(r'<details class="more-terms"( open)?>\s*<summary>(.*?)</summary>', page)
    assert {said: bool(is_open) for is_open, said in blocks} == {
        "More fees": False,
        "More terms: payment days, later rates, deposit": True,
        "Subsidies": False,
    }


# What is typed, as terms


@pytest.mark.parametrize(
    ("values", "terms"),
    [
        (
            {**LOAN, "interval": "3", "deposit": "10", "day_count": "act/365", "start": "2026-11-20"},
            LoanTerms(
                *(MILLION, 12, Decimal("0.0365"), Repayment.INTEREST_MONTHLY, DayCount.ACT_365),
                start=date(2026, 11, 20),
                interval=Interval.QUARTERLY,
                deposit=Decimal("0.1"),
            ),
        ),
        (
            {**LOAN, "steps.1.at": "7", "steps.1.rate": "4.35", "steps.0.at": "4", "steps.0.rate": "4"},
            LoanTerms(
                *(MILLION, 12, Decimal("0.0365"), Repayment.INTEREST_MONTHLY),
                rate_steps=((4, Decimal("0.04")), (7, Decimal("0.0435"))),
            ),
        ),
        (
            {
                **LOAN,
                **{
                    "fees.0.rate": "1",
                    "fees.0.share": "80",
                    "fees.0.payee": "guarantor",
                    "fees.0.when": "yearly",
                },
                **{"fees.2.rate": "3,000", "fees.2.basis": "flat", "fees.2.name": "Appraisal"},
                **{"subsidies.0.rate": "50", "subsidies.0.basis": "interest", "subsidies.0.cap": "10000"},
                **{"subsidies.1.rate": "1", "subsidies.1.basis": "principal", "subsidies.1.lag_months": "3"},
                **{"subsidies.1.recipient": "institution", "subsidies.1.share": "40"},
                "subsidies.1.when": "yearly",
            },
            LoanTerms(
                *(MILLION, 12, Decimal("0.0365"), Repayment.INTEREST_MONTHLY),
                fees=(
                    Fee("fee", FeeTiming.YEARLY, "guarantor", rate=Decimal("0.01"), part=Decimal("0.8")),
                    Fee("Appraisal", FeeTiming.UPFRONT, amount=300_000),
                ),
                subsidies=(
                    Subsidy(
                        "subsidy", FeeTiming.END, basis=FeeBasis.INTEREST, rate=Decimal("0.5"), cap=1_000_000
                    ),
                    Subsidy(
                        *("subsidy", FeeTiming.YEARLY, Recipient.INSTITUTION),
                        rate=Decimal("0.01"),
                        lag_months=3,
                        passed_on=Decimal("0.4"),
                    ),
                ),
            ),
        ),
        (
            {**LEASE, "down.share": "30", "interval": "6", "prelease_months": "2", "prelease.rate": "4.5"},
            LeaseTerms(
                *(70_000_000, 36, Decimal("0.055"), RentTiming.ARREARS),
                interval=Interval.HALF_YEARLY,
                prelease_months=2,
                prelease_rate=Decimal("0.045"),
            ),
        ),
        (
            {
                **BILL,
                "span": "dates",
                "issued": "2026-11-20",
                "matures": "2027-01-02",
                "rolling": "following",
            },
            # The second of January is a Saturday and the fourth the next day that is worked.
            BillTerms(MILLION, 45, Decimal("0.06")),
        ),
        (
            {
                **{
                    "kind": "factoring",
                    "amount": "50",
                    "days": "60",
                    "rate": "5",
                    "interest_when": "upfront",
                },
                **{"basis": "365"},
            },
            FactoringTerms(50_000_000, 60, Decimal("0.05"), interest_when=FeeTiming.UPFRONT, basis=365),
        ),
        (
            {
                **{"kind": "bridge", "amount": "500", "days": "9", "rate": "0.04"},
                **{"steps.0.at": "6", "steps.0.rate": "0.06"},
            },
            BridgeTerms(5 * MILLION, 9, Decimal("0.0004"), steps=((6, Decimal("0.0006")),)),
        ),
        (
            {
                **{"kind": "cover", "amount": "100", "months": "18", "rate": "2", "levy": "whole_term"},
                **{"cover": "insurance", "deposit": "5", "fees.0.rate": "500", "fees.0.basis": "flat"},
            },
            CoverTerms(
                *(MILLION, 18),
                fees=(
                    Fee("Insurance premium", FeeTiming.UPFRONT, "insurer", rate=Decimal("0.03")),
                    Fee("fee", FeeTiming.UPFRONT, "insurer", amount=50_000),
                ),
                deposit=Decimal("0.05"),
                provider="insurer",
            ),
        ),
        (
            {"kind": "cover", "amount": "100", "months": "18", "rate": "2", "levy": "yearly"},
            CoverTerms(
                MILLION, 18, (Fee("Guarantee fee", FeeTiming.YEARLY, "guarantor", rate=Decimal("0.02")),)
            ),
        ),
    ],
)
def test_what_is_typed_becomes_the_terms_it_means(
    app: Flask, values: dict[str, str], terms: Priceable
) -> None:
    assert read(app, **values) == terms


def test_a_floating_rate_rests_on_the_lpr_of_its_day(app: Flask, client: FlaskClient) -> None:
    floating = {**LOAN, "base": "1y", "spread": "60"}
    terms = read(app, **floating)
    assert isinstance(terms, LoanTerms)
    assert (terms.rate, terms.start) == (Decimal("0.036"), date(2026, 11, 20))
    earlier = read(app, **floating, start="2020-01-05")
    assert isinstance(earlier, LoanTerms) and earlier.rate == Decimal("0.0475")
    text = read_text(ask(client, floating).text)
    assert "1-year LPR 3.00%, 5-year 3.50%, published 2026-08-20" in text
    assert "3.60% · LPR of 2026-08-20" in text and "+60 bp" in text


def test_payments_are_rolled_off_days_nobody_works(app: Flask, client: FlaskClient) -> None:
    values = {**LOAN, "months": "3", "start": "2026-11-20", "first_due": "2027-01-02", "rolling": "following"}
    terms = read(app, **values)
    assert isinstance(terms, LoanTerms) and terms.due == (
        date(2027, 1, 4),
        date(2027, 2, 2),
        date(2027, 2, 22),
    )
    assert "the days off of 2027 are not all published yet" in read_text(ask(client, values).text)


# What is wrong


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({**LOAN, "amount": "0"}, "amount", "too small"),
        ({**LOAN, "amount": "abc"}, "amount", "not a number"),
        ({**LOAN, "amount": ""}, "amount", "fill this in"),
        ({**LOAN, "amount": "9" * 12}, "amount", "too large"),
        ({**LOAN, "months": "0"}, "months", "too small"),
        ({**LOAN, "months": "1.5"}, "months", "too many decimals"),
        ({**LOAN, "rate": "NaN"}, "rate", "not a number"),
        ({**LOAN, "rate": "1e99"}, "rate", "not a number"),
        ({**LOAN, "rate": "-1"}, "rate", "−1.00% is too small: at least 0.00%"),
        ({**LOAN, "repayment": "sometime"}, "repayment", "not one of the choices"),
        ({**LOAN, "base": "1y", "spread": "-900"}, "spread", "too small"),
        ({**LOAN, "base": "1y", "spread": "5", "start": "2010-01-05"}, "start", "too early"),
        ({**LOAN, "interval": "5"}, "interval", "not one of the choices"),
        ({**LOAN, "day_count": "act/360"}, "start", "fill this in"),
        ({**LOAN, "rolling": "following"}, "start", "fill this in"),
        ({**LOAN, "start": "2026-02-30"}, "start", "not a date"),
        ({**LOAN, "start": "2026-11-20", "first_due": "2026-11-19"}, "first_due", "too early"),
        ({**LOAN, "start": "2026-11-20", "first_due": "2028-11-19"}, "first_due", "too large"),
        ({**LOAN, "steps.0.at": "12", "steps.0.rate": "4"}, "steps-0-at", "too large"),
        ({**LOAN, "steps.0.at": "6"}, "steps-0-rate", "fill this in"),
        (
            {**LOAN, "steps.0.at": "6", "steps.0.rate": "4", "steps.1.at": "6", "steps.1.rate": "5"},
            "steps-1-at",
            "too early",
        ),
        ({**LOAN, "deposit": "101"}, "deposit", "101.00% is too large: at most 100.00%"),
        ({**LOAN, "fees.0.rate": "999"}, "fees-0-rate", "999.00% is too large: at most 100.00%"),
        ({**LOAN, "fees.1.rate": "-5", "fees.1.basis": "flat"}, "fees-1-rate", "at least ¥0"),
        ({**LOAN, "fees.0.rate": "1", "fees.0.when": "never"}, "fees-0-when", "not one of the choices"),
        ({**LOAN, "fees.0.rate": "1", "fees.0.basis": "moon"}, "fees-0-basis", "not one of the choices"),
        ({**LOAN, "fees.0.rate": "1", "fees.0.share": "200"}, "fees-0-share", "200.00% is too large"),
        # Interest that is kept back from a loan, under its own name or as a share of the interest.
        (
            {**LOAN, "fees.2.rate": "50", "fees.2.basis": "interest"},
            "fees-2-rate",
            "forbids",
        ),
        ({**LOAN, "fees.1.rate": "1", "fees.1.name": "prepaid interest"}, "fees-1-rate", "forbids"),
        ({**LOAN, "subsidies.1.rate": "x"}, "subsidies-1-rate", "not a number"),
        (
            {**LOAN, "subsidies.0.rate": "5", "subsidies.0.lag_months": "99"},
            "subsidies-0-lag_months",
            "at most 24",
        ),
        ({**LOAN, "subsidies.0.rate": "5", "subsidies.0.cap": "-1"}, "subsidies-0-cap", "at least ¥0"),
        ({**LEASE, "down.share": "100"}, "down-share", "100.00% is too large: at most 99.00%"),
        ({**LEASE, "buyout": "-1"}, "buyout", "too small"),
        ({**LEASE, "prelease.rate": "4"}, "prelease_months", "fill this in"),
        ({**BILL, "days": "0"}, "days", "too small"),
        ({**BILL, "days": "4000"}, "days", "too large"),
        ({**BILL, "span": "dates", "matures": "2026-11-21"}, "issued", "fill this in"),
        ({**BILL, "span": "dates", "issued": "2026-11-20", "matures": "2026-11-20"}, "matures", "too early"),
        ({**BILL, "basis": "364"}, "basis", "not one of the choices"),
        (
            {"kind": "factoring", "amount": "1", "days": "9", "rate": "1", "advance.share": "0.5"},
            "advance-share",
            "at least 1.00%",
        ),
        (
            {
                "kind": "bridge",
                "amount": "1",
                "days": "5",
                "rate": "0.1",
                "steps.0.at": "9",
                "steps.0.rate": "1",
            },
            "steps-0-at",
            "at most 5",
        ),
        ({"kind": "cover", "amount": "1", "months": "5", "rate": "0"}, "rate", "fill this in"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    client: FlaskClient, values: dict[str, str], field: str, said: str
) -> None:
    answer = ask(client, values)
    assert answer.status_code == 422
    assert faulty_fields(answer.text) == [field]
    assert said in read_text(answer.text) and 'class="cost-rate"' not in answer.text
    # What was typed stands there still.
    for name, value in values.items():
        if value and f'<input class="form-control figure" id="f-{name}"' in answer.text:
            assert re.search(
                rf'name="{re.escape(name)}"[^>]*value="{re.escape(html.escape(value))}"', answer.text
            )


def test_names_that_nobody_knows_do_no_harm(client: FlaskClient) -> None:
    strange = {"endpoint": "x", "paper": "y", "_scheme": "javascript", "_external": "1", "a.b": "c"}
    answer = ask(client, {**LOAN, **strange, "kind": "unheard of", "what.rate": "4"})
    assert answer.status_code == 200
    assert 'href="javascript' not in answer.text and 'value="javascript"' not in answer.text
    assert answer.headers["HX-Replace-Url"].startswith("/calculator?")


# What if


def test_the_sliders_start_at_what_was_typed_and_on_one_of_their_steps(client: FlaskClient) -> None:
    page = ask(client, {**LOAN, "amount": "123.45", "rate": "3.87", "fees.0.rate": "0.33"}).text
    sliders = re.findall(r'<input class="form-range" type="range" ([^>]*)>', page)
    assert len(sliders) == 4
    for slider in sliders:
        given = dict(re.findall(r'(\w+)="([^"]*)"', slider))
        least, most, step, value = (Decimal(given[name]) for name in ("min", "max", "step", "value"))
        assert least <= value <= most and (value - least) % step == 0
        # Each has its words, and its value as text beside them.
        assert f'<label class="form-label" for="{given["id"]}"' in page
        assert re.search(rf'<output [^>]*for="{given["id"]}">[^<]+</output>', page)
    assert "Move a slider to see the cost move." in page


def test_a_moved_slider_tells_the_difference_in_points_and_yuan(client: FlaskClient) -> None:
    fee = {**LOAN, "fees.0.rate": "0.5"}
    dearer = moved(ask(client, {**fee, "what.rate": "4"}).text)
    # 3,500 yuan more interest on a million, in twelve payments.
    assert "4.61%" in dearer and "+0.37 points, 3,499.92 yuan more" in dearer
    cheaper = moved(ask(client, {**fee, "what.fees.0.rate": "0"}).text)
    assert "3.71%" in cheaper and "−0.53 points, 5,000.00 yuan less" in cheaper
    assert "instead of 4.24%; total cost 36,500.04 yuan" in cheaper
    same = moved(ask(client, {**fee, "what.rate": "3.65", "what.amount": "100"}).text)
    assert "Move a slider" in same


def test_an_offer_without_a_fee_is_tried_with_one(client: FlaskClient) -> None:
    said = moved(ask(client, {**LOAN, "what.fees.0.rate": "1"}).text)
    # The guarantee fee of the golden values.
    assert "4.78%" in said and "+1.07 points, 10,000.00 yuan more" in said


@pytest.mark.parametrize(
    ("values", "change"),
    [
        (LOAN, {"months": "18"}),
        (LOAN, {"amount": "105", "repayment": "bullet"}),
        ({**LOAN, "base": "5y", "spread": "10"}, {"spread": "35"}),
        ({**LOAN, "start": "2026-11-20", "first_due": "2027-01-02", "rolling": "following"}, {"months": "9"}),
        ({**LEASE, "down.share": "20", "deposit": "5"}, {"amount": "80", "rent": "advance"}),
        ({**BILL, "fee.rate": "0.3"}, {"days": "100", "fee.rate": "0"}),
        ({"kind": "bridge", "amount": "500", "days": "5", "rate": "0.04"}, {"rate": "0.05"}),
        ({"kind": "cover", "amount": "100", "months": "24", "rate": "1"}, {"months": "30", "rate": "1.5"}),
    ],
)
def test_what_if_says_what_typing_it_would(
    app: Flask, client: FlaskClient, values: dict[str, str], change: dict[str, str]
) -> None:
    tried = ask(client, {**values, **{f"what.{name}": value for name, value in change.items()}})
    typed = read(app, **{**values, **change})
    assert typed is not None
    priced = cost.price(typed)
    assert priced.effective is not None
    assert f"{round(priced.effective * 100, 2)}%" in moved(tried.text)
    # The way to make it one's own keeps all that was typed.
    (link,) = re.findall(r'<a class="btn" href="([^"]*)">', tried.text[tried.text.index('id="moved"') :])
    taken = client.get(html.unescape(link))
    assert f'class="cost-rate">{round(priced.effective * 100, 2)}%<' in taken.text


def test_what_cannot_be_is_said_in_the_panel(client: FlaskClient) -> None:
    stepped = {**LOAN, "steps.0.at": "11", "steps.0.rate": "4", "what.months": "6"}
    page = ask(client, stepped)
    assert page.status_code == 200
    assert "From month: 11 is too large: at most 5." in moved(page.text)


def test_each_charge_and_each_style_is_told_apart(client: FlaskClient) -> None:
    text = read_text(
        ask(client, {**LOAN, "fees.0.rate": "1", "fees.0.payee": "guarantor", "deposit": "5"}).text
    )
    charges = text[text.index("What each charge adds") : text.index("The same offer, repaid otherwise")]
    assert "Guarantor" in charges and "Deposit" in charges and "points" in charges
    styles = text[text.index("The same offer, repaid otherwise") : text.index("Where the money goes")]
    for style in ("Equal instalments", "Equal principal", "Interest monthly", "Single payment"):
        assert style in styles
    assert "Revolving" not in styles and "as offered" in styles


def test_without_a_script_the_panel_is_a_form_of_its_own(client: FlaskClient) -> None:
    page = ask(client, {**LOAN, "fees.0.rate": "0.5"}).text
    form = page[page.index('<form id="what-form"') :]
    form = form[: form.index("</form>")]
    assert "<noscript><button" in form and 'method="get"' in form
    kept = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))
    assert kept == {**LOAN, "fees.0.rate": "0.5"}
    assert "<script>" not in page and "onclick" not in page and "style=" not in form


def test_the_address_to_send_on_holds_what_was_typed_and_nothing_else(client: FlaskClient) -> None:
    idle = {"fees.1.rate": "", "fees.1.when": "upfront", "interval": "1", "base": "fixed", "rolling": "none"}
    answer = ask(client, {**LOAN, **idle, "what.months": "18"})
    assert answer.headers["HX-Replace-Url"] == (
        "/calculator?amount=100&months=12&rate=3.65&repayment=interest_monthly&what.months=18"
    )
    assert set(OPENINGS) == set(Kind)
