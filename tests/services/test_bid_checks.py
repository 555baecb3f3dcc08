"""Erroneous quotes: what cannot be meant is refused, what is unlikely has to be confirmed, all by name."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from blueprints import messages
from market.errors import Code, MarketError
from market.terms import Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Pricing, Recipient
from services import bids
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, place_bid
from tests.services.bidding import make_banks

SUBSIDY = {"name": "贴息", "recipient": "firm", "basis": "principal", "rate": "0.9", "when": "upfront"}
PAID = Subsidy("贴息", FeeTiming.UPFRONT, Recipient.FIRM, FeeBasis.PRINCIPAL, rate=Decimal("0.05"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "code", "confirmable", "said"),
    [
        # Nothing, and less than nothing.
        ({"rate": Decimal(0)}, Code.LOOKS_MISTYPED, True, "0.00% looks mistyped"),
        ({"rate": Decimal("-0.01")}, Code.TOO_SMALL, False, "too small"),
        ({"rate": Decimal("0.01"), "subsidies": (PAID,)}, Code.LOOKS_MISTYPED, True, "7.65% looks mistyped"),
        # A hundred times too much, and too little: 4.35 and 0.000435 for 0.0435.
        ({"rate": Decimal("4.35")}, Code.ABOVE_CEILING, False, "above the legal ceiling of 24.00%"),
        ({"rate": Decimal("0.000435")}, Code.LOOKS_MISTYPED, True, "0.04% looks mistyped"),
        ({"rate": Decimal("0.0009999")}, Code.LOOKS_MISTYPED, True, "looks mistyped"),
        ({"rate_steps": ((7, Decimal("0.0004")),)}, Code.LOOKS_MISTYPED, True, "0.04% looks mistyped"),
        # The ceiling in force: 24 % a year (法发〔2017〕22号), all costs included.
        ({"rate": Decimal("0.2401")}, Code.ABOVE_CEILING, False, "above the legal ceiling of 24.00%"),
        ({"principal": 0}, Code.TOO_SMALL, False, "too small"),
        ({"principal": -1}, Code.TOO_SMALL, False, "too small"),
        ({"months": 0}, Code.TOO_SMALL, False, "too small"),
    ],
)
def test_an_erroneous_price_is_refused_or_has_to_be_confirmed(
    app: Flask,
    now: datetime,
    sealer: Sealer,
    values: dict[str, Any],
    code: Code,
    confirmable: bool,
    said: str,
) -> None:
    need = make_need(make_party(now=now), now=now)
    (bank,) = make_banks(1, now=now)
    product = make_product(bank.party, now=now, subsidies=[SUBSIDY])

    def place(**more: Any) -> Any:
        return place_bid(need, product, bank.party, now=now, sealer=sealer, **values, **more)

    with pytest.raises(MarketError) as refused:
        place()
    assert [fault.code for fault in refused.value.faults] == [code]
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        assert said in messages.sentence(refused.value.faults[0])
    if confirmable:
        assert place(confirmed=True).receipt_number == 1
    else:
        with pytest.raises(MarketError):
            place(confirmed=True)
    assert len(bids.list_own(bank.party)) == (1 if confirmable else 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_likely_price_needs_no_confirmation_down_to_a_thousandth(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(make_party(now=now), now=now)
    (bank,) = make_banks(1, now=now)
    for percent in ("0.1", "4.35", "21.5"):
        bank.bid(need, percent, now=now, sealer=sealer)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_points_over_the_lpr_are_judged_by_the_rate_they_make(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(make_party(now=now), now=now)
    (bank,) = make_banks(1, now=now)
    floating = make_product(
        bank.party,
        now=now,
        pricing=Pricing.LPR_1Y,
        rate_from=None,
        rate_to=None,
        spread_from=0,
        spread_to=300,
    )
    assert need.lpr_1y is not None
    base = int(need.lpr_1y * 10_000)
    for spread, code in (
        (-base, Code.LOOKS_MISTYPED),
        (-base - 1, Code.TOO_SMALL),
        (4350, Code.ABOVE_CEILING),
    ):
        with pytest.raises(MarketError) as refused:
            place_bid(need, floating, bank.party, now=now, sealer=sealer, rate=None, spread=spread)
        assert [fault.code for fault in refused.value.faults] == [code]
