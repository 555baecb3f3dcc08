"""Prices: what an institution answers to a need, between the ends of its product's price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

from market.money import round_down
from market.terms import Fee, Subsidy
from market.vocabulary import FeeTiming, Recipient, RentTiming
from models.need import Need
from scripts.demo.cast import Member
from scripts.demo.families import GRADE_CAPS
from scripts.demo.shelf import FLOATING, WAN, Listed
from services import bids

_STEP = Decimal("0.0005")
#: The interest subsidy of the risk-shared loan: 40 % of the interest, at most 500,000 yuan.
_SUBSIDY_SHARE, _SUBSIDY_MOST = Decimal("0.4"), 50 * WAN


def write_quote(
    listed: Listed, need: Need, firm: Member, rng: Random, *, room: int | None = None, discount: int = 0
) -> bids.Quote:
    """Return a bid for as much of the need as the product can carry; ``discount`` in basis points."""
    family = listed.family
    principal = min(need.amount, family.cap * WAN, room if room is not None else need.amount)
    if family.key == "knowledge":
        principal = min(principal, max(cap for tag, cap in GRADE_CAPS.items() if tag in firm.tags) * WAN)
    place = min(max(firm.risk * 0.7 + listed.seller.appetite * 0.015 + rng.uniform(-0.1, 0.25), 0.0), 1.0)
    rate: Decimal | None = None
    spread: int | None = None
    if family.pricing in FLOATING:
        points = listed.low + (listed.high - listed.low) * Decimal(round(place * 100)) / 100
        spread = max(round(points / 5) * 5 - discount, int(listed.low) - 10)
    else:
        ask = listed.low + (listed.high - listed.low) * Decimal(round(place * 100)) / 100
        rate = ask if listed.low == listed.high else round(ask / _STEP) * _STEP
        rate -= Decimal(discount) / 10_000
    lease = family.lease or {}
    return bids.Quote(
        product_id=listed.product_id,
        principal=principal,
        months=need.months,
        valid_until=bids.earliest_validity(need) + timedelta(days=rng.randrange(5, 31)),
        rate=rate,
        spread=spread,
        fees=tuple(
            Fee(fee["name"], FeeTiming(fee["when"]), fee["payee"], rate=Decimal(fee["rate"]))
            for fee in family.fees
        ),
        subsidies=_subsidise(listed, principal, need.months, rate),
        rent=RentTiming(lease.get("rent", RentTiming.ARREARS)),
        deposit=Decimal(lease.get("deposit", "0")),
        buyout=int(Decimal(lease.get("buyout", "0")) * 100),
    )


def _subsidise(listed: Listed, principal: int, months: int, rate: Decimal | None) -> tuple[Subsidy, ...]:
    family = listed.family
    if family.key == "risk" and rate is not None:
        # The rule counts interest, so the bid names the sum it comes to rather than a share of the principal.
        amount = round_down(min(_SUBSIDY_SHARE * rate * principal * months / 12, Decimal(_SUBSIDY_MOST)))
        return (Subsidy(family.subsidies[0]["name"], FeeTiming.END, Recipient.FIRM, amount=amount),)
    return tuple(
        Subsidy(s["name"], FeeTiming(s["when"]), Recipient(s["recipient"]), rate=Decimal(s["rate"]))
        for s in family.subsidies
    )
