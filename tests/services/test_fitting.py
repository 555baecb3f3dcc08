"""Fitting: the facts of a need, what would open products to it, and what institutions learn of a misfit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.calendar import local_date
from market.eligibility_fixes import Fix
from market.errors import Invalid
from market.vocabulary import OfferKind, OrganisationKind, Purpose, Repayment, Security
from models.need import Need
from services import bids, fitting, loans, opportunities, organisations
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, pay_out, place_bid
from tests.services.test_loans import LATER, MONDAY, make_loan
from tests.services.test_path import make_contract_path

PROBE: list[dict[str, Any]] = [
    {"fact": "annual_revenue", "test": "at_least", "value": 10**15},
    {"fact": "months", "test": "at_least", "value": 24},
]


def test_a_condition_that_fails_does_not_read_out_the_firms_own_figures(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now, annual_revenue=123_456_78)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now, conditions=PROBE)
    need = make_need(firm, now=now)
    shown = {"annual_revenue": (None, None), "months": (12, 12)}

    def told(failures: Any) -> dict[str, tuple[Any, Any]]:
        return {failure.condition.fact: (failure.found, failure.distance) for failure in failures}

    fit = fitting.fit_need(need, [product], local_date(now))[0]
    assert not fit.fits and told(fit.failures) == shown
    quote = bids.Quote(product.id, 5 * MILLION, 12, now + timedelta(days=60), rate=Decimal("0.04"))
    assert told(bids.preview(need.id, quote, by=bank, now=now).failures) == shown
    with pytest.raises(Invalid) as refused:
        place_bid(need, product, bank, now=now, sealer=sealer)
    conditions = refused.value.faults[0].values["conditions"]
    assert {item["fact"]: item["found"] for item in conditions} == {"annual_revenue": None, "months": 12}
    # The firm itself sees its figures.
    own = fitting.fit_products(fitting.describe(need, local_date(now)), need.zone_id)
    assert told(own[0].failures)["annual_revenue"][0] == 123_456_78


def test_what_a_firm_owes_in_its_zone_counts_from_the_promise_to_the_repayment(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, loan = make_loan(now, sealer)
    need = make_need(firm, now=now + LATER)

    def owed() -> Any:
        return fitting.describe(need, MONDAY)["exposure"]

    assert owed() == 5 * MILLION
    later = now + LATER
    pay_out(loan.id, MONDAY, by=bank, now=later)
    loans.record_repayment(loan.id, 2 * MILLION, MONDAY, "R1", by=bank, now=later)
    assert owed() == loan.outstanding < 5 * MILLION
    assert fitting.describe(make_need(make_party(now=now), now=now), MONDAY)["exposure"] == 0


def test_the_best_grade_in_force_is_the_grade_of_a_firm(app: Flask, now: datetime) -> None:
    firm, officer = make_party(now=now), make_officer(now=now)
    need = make_need(firm, now=now)
    assert fitting.describe(need, MONDAY)["ip_grade"] is None
    for code, until in (("knowledge_c", None), ("knowledge_b", None), ("knowledge_a", date(2026, 11, 20))):
        organisations.tag(
            firm.organisation_id or 0, code, "测试", date(2026, 1, 1), until, by=officer, now=now
        )
    assert fitting.describe(need, date(2026, 11, 20))["ip_grade"] == "A"
    assert fitting.describe(need, MONDAY)["ip_grade"] == "B"


def test_a_contract_behind_a_need_is_known_by_its_figures_and_its_purchaser(
    app: Flask, now: datetime
) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    terms = {"purpose": Purpose.CONTRACT, "contract_id": contract.id, "repayment": Repayment.BULLET}
    need = make_need(firm, now=now, **terms)
    facts = fitting.describe(need, MONDAY)
    known = {
        "has_contract": True,
        "contract_amount": 10 * MILLION,
        "contract_retention": 0,
        "contract_days_left": (date(2027, 6, 15) - MONDAY).days,
        "purchaser_kind": "purchaser",
        "repayment": "bullet",
    }
    assert {fact: facts[fact] for fact in known} == known
    assert facts["zone"] == need.zone.code
    bare = fitting.describe(make_need(make_party(now=now), now=now), MONDAY)
    assert not bare["has_contract"] and "contract_amount" not in bare


def test_many_needs_are_described_as_each_is_before_it_is_stored(app: Flask, now: datetime) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    stored = [
        make_need(firm, now=now, repayment=Repayment.BULLET, securities=[Security.MORTGAGE]),
        make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id),
    ]
    assert fitting.describe_all(stored, MONDAY) == [
        fitting.describe_need(
            need.organisation,
            need.zone_id,
            purpose=need.purpose,
            amount=need.amount,
            months=need.months,
            repayment=need.repayment,
            securities=need.securities,
            accepts=need.accepts,
            contract=need.contract,
            on=MONDAY,
        )
        for need in stored
    ]


def test_a_firm_hears_of_one_change_that_opens_products(app: Flask, now: datetime) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now)
    for _ in range(2):
        make_product(bank, now=now, security=Security.MORTGAGE)
    leased = make_product(bank, now=now, offer=OfferKind.LEASE, lease={"rent": "arrears"})
    facts = fitting.describe(need, MONDAY)
    advice = fitting.advise(facts, need.zone_id)
    assert advice.fits == () and len(advice.near) == advice.total == 3
    # How an offer is taken is changed more easily than what secures it, although that opens more.
    assert advice.fix == Fix("accepts", "lease", 1)
    changed = fitting.advise({**facts, "accepts": facts["accepts"] | {"lease"}}, need.zone_id)
    assert changed.fits == (leased,) and changed.fix == Fix("securities", "mortgage", 2)


def test_institutions_see_which_needs_nearly_fit_nearest_first(app: Flask, now: datetime) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    small = make_product(bank, now=now, amount_max=4 * MILLION)
    long = make_product(bank, now=now, months_min=24)

    def post(amount: int, months: int) -> Need:
        return make_need(firm, now=now, amount=amount * MILLION, months=months)

    post(3, 12)  # fits the first product
    far, near = post(40, 12), post(5, 12)
    post(60, 3)  # fails two conditions of either product
    by_months = post(5, 23)
    rows = opportunities.list_open(bank, now)
    found = [(one.need.id, one.product.id) for one in opportunities.list_near(rows)]
    # A month of twenty-four is nearer than a million over four; forty million are nearest to a year more.
    assert found == [(by_months.id, long.id), (near.id, small.id), (far.id, long.id)]
    assert len(opportunities.list_near(rows, most=1)) == 1
    assert opportunities.list_near([]) == []


def test_how_nearly_a_need_fits_does_not_sort_firms_by_their_own_figures(app: Flask, now: datetime) -> None:
    bank = make_party(OrganisationKind.BANK, now=now)
    make_product(bank, now=now, conditions=PROBE[:1])
    posted = [
        make_need(make_party(now=now, annual_revenue=revenue), now=now).id
        for revenue in (5 * MILLION, 9 * MILLION, 7 * MILLION)
    ]
    near = opportunities.list_near(opportunities.list_open(bank, now))
    assert [one.need.id for one in near] == posted
    assert all(one.failure.found is None and one.failure.distance is None for one in near)


def test_an_institution_without_products_has_no_near_fits(app: Flask, now: datetime) -> None:
    bank = make_party(OrganisationKind.BANK, now=now)
    make_need(make_party(now=now), now=now)
    assert opportunities.list_near(opportunities.list_open(bank, now)) == []
