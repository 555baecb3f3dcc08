from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from blueprints import cautions, clock, explanations
from market import reference
from market.ceilings import warn_of_fees
from market.terms import Fee
from market.vocabulary import FeeTiming, OrganisationKind

TODAY = date(2026, 11, 20)


@pytest.fixture(autouse=True, params=["zh", "en"])
def language(
    request: pytest.FixtureRequest, site: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    with site.test_request_context("/"), force_locale(request.param):
        yield request.param


def test_an_old_lpr_says_its_age_and_a_fresh_one_only_its_day(language: str) -> None:
    said = {"zh": "92", "en": "2026-08-20, the newest on record (92 days old)"}[language]
    assert said in cautions.lpr_day(date(2026, 8, 20))
    assert cautions.lpr_day(date(2026, 10, 20)) == "2026-10-20"
    assert cautions.lpr_day(None) == "—"


def test_the_age_counts_to_the_day_on_which_the_rate_was_used() -> None:
    assert cautions.lpr_day(date(2026, 8, 20), date(2026, 9, 1)) == "2026-08-20"
    # Half past midnight in Shanghai: the day counts, not the hour in London.
    assert "41" in cautions.lpr_day(date(2026, 8, 20), datetime(2026, 9, 29, 16, 30, tzinfo=UTC))


def test_lists_of_floating_prices_name_the_day_they_rest_on() -> None:
    # The shipped table ends in August.
    assert "2026-08-20" in cautions.lpr_note()


def test_a_deadline_in_a_year_that_is_not_published_says_so() -> None:
    assert cautions.calendar_note(TODAY) == ""
    assert cautions.calendar_note(None) == ""
    assert "2027" in cautions.calendar_note(date(2027, 1, 4))
    # New Year in Shanghai comes eight hours before it does in London.
    assert "2027" in cautions.calendar_note(datetime(2026, 12, 31, 16, tzinfo=UTC))


def test_every_day_of_the_notices_has_a_word(language: str) -> None:
    for special in reference.special_days():
        word = cautions.holiday(special.name)
        assert bool(re.search(r"[一-鿿]", word)) is (language == "zh"), special
    assert cautions.holiday("科技日") == "科技日"


def test_every_forbidden_fee_is_named_with_its_rule(language: str) -> None:
    rules = reference.forbidden_fees()
    assert {rule.code for rule in rules} == set(explanations.FORBIDDEN_FEES)
    fee = Fee("承诺费", FeeTiming.UPFRONT, amount=100)
    warnings = warn_of_fees([fee], None, TODAY, rules, lender=OrganisationKind.BANK)
    (said,) = cautions.fees(warnings)
    words = {"zh": ("疑似承诺费", "小型、微型"), "en": ("commitment fee", "Small, Micro")}[language]
    assert all(word in said for word in (*words, "“承诺费”", "银监发〔2011〕94号"))
