"""Who may list what on the shelf."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from market.errors import Code, Forbidden
from market.vocabulary import OrganisationKind, Pricing, ProductFamily
from tests.factories import make_officer, make_party, make_product

GRANT = {
    "family": ProductFamily.GRANT,
    "pricing": Pricing.GRANT,
    "offer": None,
    "rate_from": None,
    "rate_to": None,
    "repayment": None,
}


def test_a_zone_lists_its_own_grants(app: Flask, now: datetime) -> None:
    assert make_product(make_officer(now=now), now=now, **GRANT).family is ProductFamily.GRANT


def test_a_zone_lists_nothing_else_and_a_firm_lists_nothing(app: Flask, now: datetime) -> None:
    for party, values in (
        (make_officer(now=now), {}),
        (make_party(OrganisationKind.ENTERPRISE, now=now), GRANT),
    ):
        with pytest.raises(Forbidden) as refused:
            make_product(party, now=now, **values)
        assert refused.value.faults[0].code in {Code.NOT_ALLOWED, Code.WRONG_KIND}
