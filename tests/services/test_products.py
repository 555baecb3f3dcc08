"""Who may list what on the shelf."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.errors import Code, Forbidden
from market.vocabulary import OfferKind, OrganisationKind, Pricing, ProductFamily, Security
from services import audit, products
from tests.factories import MILLION, make_officer, make_party, make_product, make_zone
from tests.services.conftest import Refusing

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


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name_zh": " "}, Code.REQUIRED, "name_zh"),
        ({"name_zh": "长" * 81}, Code.TOO_LONG, "name_zh"),
        ({"name_en": "x" * 121}, Code.TOO_LONG, "name_en"),
        ({"amount_min": 0}, Code.TOO_SMALL, "amount_min"),
        ({"amount_max": MILLION - 1}, Code.OUT_OF_ORDER, "amount_max"),
        ({"amount_max": 2**63}, Code.TOO_LARGE, "amount_max"),
        ({"months_min": -1}, Code.TOO_SMALL, "months_min"),
        ({"months_max": 5}, Code.OUT_OF_ORDER, "months_max"),
        ({"months_max": 2**31}, Code.TOO_LARGE, "months_max"),
        ({"rate_from": None}, Code.REQUIRED, "rate_from"),
        ({"rate_from": Decimal("-0.01")}, Code.TOO_SMALL, "rate_from"),
        ({"rate_to": Decimal("0.01")}, Code.OUT_OF_ORDER, "rate_to"),
        ({"rate_from": Decimal("0.030000001")}, Code.TOO_MANY_DECIMALS, "rate_from"),
        ({"pricing": Pricing.LPR_1Y}, Code.REQUIRED, "spread_from"),
        (
            {"pricing": Pricing.LPR_1Y, "spread_from": 50, "spread_to": 40},
            Code.OUT_OF_ORDER,
            "spread_to",
        ),
        ({"repayment": None}, Code.REQUIRED, "repayment"),
        ({"offer": OfferKind.LEASE}, Code.REQUIRED, "lease"),
        ({"family": ProductFamily.CONTRACT}, Code.REQUIRED, "contract_ratio"),
        ({"contract_ratio": Decimal("1.01")}, Code.TOO_LARGE, "contract_ratio"),
        ({"contract_ratio": Decimal(0)}, Code.TOO_SMALL, "contract_ratio"),
        ({"conditions": [{"fact": "shoe_size", "test": "is", "value": 42}]}, Code.NOT_A_CHOICE, None),
    ],
)
def test_a_product_that_cannot_be_is_refused_by_name_and_leaves_nothing(
    app: Flask, now: datetime, refuses: Refusing, values: dict[str, Any], code: Code, field: str | None
) -> None:
    bank = make_party(OrganisationKind.BANK, now=now)
    with refuses(code, field):
        make_product(bank, now=now, **values)


def test_a_shelf_is_its_institutions_own(app: Flask, now: datetime, refuses: Refusing) -> None:
    bank, rival = make_party(OrganisationKind.BANK, now=now), make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    with refuses(Code.ALREADY_EXISTS, "name_zh"):
        make_product(bank, now=now, name_zh=product.name_zh)
    with refuses(Code.NOT_FOUND):
        products.set_listed(product.id, False, by=rival, now=now)
    elsewhere = make_zone(now=now).id
    with refuses(Code.NOT_FOUND):
        products.find(product.id, elsewhere)
    assert [row.id for row in products.browse(bank.zone_id)] == [product.id]
    products.set_listed(product.id, False, by=bank, now=now)
    assert products.browse(bank.zone_id) == []
    assert [row.id for row in products.list_own(bank)] == [product.id]
    assert [entry.action for entry in audit.list_entries("products", product.id)] == [
        "product.publish",
        "product.unlist",
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"amount": MILLION}, True),
        ({"amount": MILLION - 1}, False),
        ({"amount": 50 * MILLION}, True),
        ({"amount": 50 * MILLION + 1}, False),
        ({"months": 6}, True),
        ({"months": 61}, False),
        ({"seller": OrganisationKind.BANK}, True),
        ({"seller": OrganisationKind.LESSOR}, False),
        ({"family": ProductFamily.LEASE}, False),
        ({"security": Security.UNSECURED}, True),
    ],
)
def test_the_supermarket_filters_to_the_boundary(
    app: Flask, now: datetime, filters: dict[str, Any], found: bool
) -> None:
    bank = make_party(OrganisationKind.BANK, now=now)
    make_product(bank, now=now)
    assert bool(products.browse(bank.zone_id, **filters)) is found
