"""Examples: what a product on the shelf would cost a year, for an amount and tenor said beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from market import cost
from market.cost import Cost
from market.lpr import LprTable
from market.money import parse_rate, parse_yuan
from market.terms import BridgeTerms, LeaseTerms, LoanTerms, Priceable
from market.vocabulary import LprTenor, OfferKind, Pricing, RentTiming
from models.product import Product
from services import lpr
from services.exchange.offers import read_fees, read_subsidies

#: A million yuan in fen, over a year: what product pages of lenders usually show.
USUAL_AMOUNT, USUAL_MONTHS = 100_000_000, 12
#: A bridge loan is over within ten working days; its example lasts as long as its price is flat.
BRIDGE_DAYS = 5
_TENORS = {Pricing.LPR_1Y: LprTenor.ONE_YEAR, Pricing.LPR_5Y: LprTenor.FIVE_YEAR}
_BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Example:
    """A product priced at both ends of its range.

    ``principal`` in fen; ``months`` is None for a bridge loan, which counts ``days``. ``rates`` are the
    nominal rates per year (per day for a bridge loan) at both ends, and ``priced_on`` the date of the
    LPR they rest on, None for fixed prices.
    """

    principal: int
    months: int | None
    days: int | None
    rates: tuple[Decimal, Decimal]
    lowest: Cost
    highest: Cost
    priced_on: date | None

    @property
    def is_range(self) -> bool:
        """Say whether the two ends differ."""
        return self.rates[0] != self.rates[1]


def price(
    product: Product,
    *,
    today: date,
    amount: int = USUAL_AMOUNT,
    months: int = USUAL_MONTHS,
    table: LprTable | None = None,
) -> Example | None:
    """Return the annual cost of a product; amount and tenor are drawn into the product's own ranges.

    None for what hands out no money at a price of its own: guarantees, insurance, grants, equity.
    """
    if product.rate_from is None and product.spread_from is None:
        return None
    amount = min(max(amount, product.amount_min), product.amount_max)
    if product.pricing is Pricing.PER_DAY:
        assert product.rate_from is not None
        daily = (product.rate_from, product.rate_to or product.rate_from)
        ends = [cost.price(BridgeTerms(amount, BRIDGE_DAYS, rate)) for rate in daily]
        return Example(amount, None, BRIDGE_DAYS, daily, ends[0], ends[1], None)
    if product.offer is None:
        return None
    months = min(max(months, product.months_min, 1), max(product.months_max, 1))
    rates, priced_on = resolve_rates(product, today, table)
    lowest, highest = cost.price_many([build_terms(product, amount, months, rate) for rate in rates])
    return Example(amount, months, None, rates, lowest, highest, priced_on)


def price_all(
    products: Iterable[Product], *, today: date, amount: int = USUAL_AMOUNT, months: int = USUAL_MONTHS
) -> dict[int, Example]:
    """Return the examples of many products by product number; what has no price of its own is left out."""
    table = lpr.read_table()
    found = {
        product.id: price(product, today=today, amount=amount, months=months, table=table)
        for product in products
    }
    return {key: example for key, example in found.items() if example is not None}


def resolve_rates(
    product: Product, today: date, table: LprTable | None = None
) -> tuple[tuple[Decimal, Decimal], date | None]:
    """Return the nominal rates per year at both ends of a product's range, and the date of their LPR."""
    tenor = _TENORS.get(product.pricing)
    if tenor is None:
        assert product.rate_from is not None, "a fixed price names its rate"
        return (product.rate_from, product.rate_to or product.rate_from), None
    base, priced_on = (table or lpr.read_table()).in_force(tenor, today)
    low = product.spread_from or 0
    high = product.spread_to if product.spread_to is not None else low
    # A subsidised loan may stand below the LPR, never below nothing.
    return (
        max(base + low * _BASIS_POINT, Decimal(0)),
        max(base + high * _BASIS_POINT, Decimal(0)),
    ), priced_on


def build_terms(product: Product, amount: int, months: int, rate: Decimal) -> Priceable:
    """Return the terms of an offer made straight from a product."""
    fees = tuple(read_fees(product.fees, "fees"))
    subsidies = tuple(read_subsidies(product.subsidies, "subsidies"))
    if product.offer is OfferKind.LEASE:
        lease = product.lease or {}
        return LeaseTerms(
            principal=amount,
            months=months,
            rate=rate,
            rent=RentTiming(lease.get("rent", RentTiming.ARREARS)),
            deposit=parse_rate(lease.get("deposit", "0"), "lease.deposit"),
            buyout=parse_yuan(lease.get("buyout", "0"), "lease.buyout"),
            fees=fees,
            subsidies=subsidies,
        )
    assert product.repayment is not None, "a loan product says how it is repaid"
    return LoanTerms(
        principal=amount,
        months=months,
        rate=rate,
        repayment=product.repayment,
        fees=fees,
        subsidies=subsidies,
    )
