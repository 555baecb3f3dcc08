"""Fitting: what institutions learn of a need that their product does not fit."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.calendar import local_date
from market.errors import Invalid
from market.vocabulary import OrganisationKind
from services import bids, fitting
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_party, make_product, place_bid

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
