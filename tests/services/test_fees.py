"""Fees that the law forbids are named towards the firms it protects; nothing is refused for them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask

from market.errors import Code
from market.terms import Fee
from market.vocabulary import FeeBasis, FeeTiming, OrganisationKind, SizeClass
from services import bids, fees
from services.bids import Quote
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, place_bid

COMMITMENT = Fee("贷款承诺费", FeeTiming.UPFRONT, basis=FeeBasis.PRINCIPAL, rate=Decimal("0.001"))
GUARANTEE = Fee("担保费", FeeTiming.UPFRONT, "guarantor", FeeBasis.PRINCIPAL, rate=Decimal("0.01"))


def quote(need_id: int, product_id: int, valid_until: datetime, amount: int) -> Quote:
    return Quote(
        product_id=product_id,
        principal=amount,
        months=12,
        valid_until=valid_until,
        rate=Decimal("0.04"),
        fees=(GUARANTEE, COMMITMENT),
    )


@pytest.mark.parametrize(
    ("kind", "size", "warned"),
    [
        (OrganisationKind.BANK, SizeClass.SMALL, True),
        (OrganisationKind.BANK, SizeClass.MICRO, True),
        (OrganisationKind.BANK, SizeClass.MEDIUM, False),
        # Whose size is not known may be small.
        (OrganisationKind.BANK, None, True),
        (OrganisationKind.LESSOR, SizeClass.SMALL, False),
    ],
)
def test_a_preview_names_the_fee_and_the_bid_is_taken_all_the_same(
    app: Flask, now: datetime, sealer: Sealer, kind: OrganisationKind, size: SizeClass | None, warned: bool
) -> None:
    lender = make_party(kind, now=now)
    product = make_product(lender, now=now)
    need = make_need(make_party(now=now, size_class=size), now=now)
    offered = quote(need.id, product.id, bids.earliest_validity(need), need.amount)
    preview = bids.preview(need.id, offered, by=lender, now=now)
    assert preview.faults == ()
    assert [(fault.code, fault.field, fault.values["rule"]) for fault in preview.warnings] == (
        [(Code.FORBIDDEN_FEE, "fees.1.name", "commitment_fee")] if warned else []
    )
    placed = place_bid(need, product, lender, now=now, sealer=sealer, fees=offered.fees)
    assert fees.warn_bid(placed, offered.fees) == preview.warnings


def test_a_product_is_warned_of_whoever_may_come(app: Flask, now: datetime) -> None:
    on = now.date()
    assert fees.warn_shelf([COMMITMENT], OrganisationKind.BANK, on=on) != ()
    assert fees.warn_shelf([COMMITMENT], OrganisationKind.GUARANTOR, on=on) == ()
    assert fees.warn_shelf([GUARANTEE], OrganisationKind.BANK, on=on) == ()
