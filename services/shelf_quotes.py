"""Quotes from the shelf: what a product says to a need at a price, with the charges it stands there with."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from market.vocabulary import OfferKind, RentTiming
from models.product import Product
from services.exchange.offers import read_fees, read_subsidies
from services.quotes import Quote


def make(
    product: Product,
    *,
    principal: int,
    months: int,
    valid_until: datetime,
    rate: Decimal | None = None,
    spread: int | None = None,
    is_firm: bool = True,
    least: int | None = None,
    revision: int | None = None,
) -> Quote:
    """Return the quote of a product's own charges and, for a lease, of its own rent, deposit and buy-out."""
    lease = product.lease or {} if product.offer is OfferKind.LEASE else {}
    return Quote(
        product_id=product.id,
        principal=principal,
        months=months,
        valid_until=valid_until,
        rate=rate,
        spread=spread,
        fees=read_fees(product.fees, "fees"),
        subsidies=read_subsidies(product.subsidies, "subsidies"),
        rent=RentTiming(lease.get("rent", RentTiming.ARREARS)),
        deposit=Decimal(str(lease.get("deposit", "0"))),
        buyout=int(Decimal(str(lease.get("buyout", "0"))) * 100),
        is_firm=is_firm,
        least=least,
        revision=revision,
    )
