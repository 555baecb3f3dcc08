"""What the law says of fees: those of an offer that its lender may not charge the firm, named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from market.calendar import local_date
from market.ceilings import warn_of_fees
from market.errors import Fault
from market.reference import forbidden_fees
from market.terms import Fee
from market.vocabulary import OrganisationKind
from models.bid import Bid
from models.need import Need
from models.product import Product


def warn_quote(fees: Sequence[Fee], need: Need, product: Product, *, on: date) -> tuple[Fault, ...]:
    """Name the forbidden fees of an answer to a need, by the size of its firm as it stands now."""
    size = need.organisation.size_class
    return warn_of_fees(fees, size, on, forbidden_fees(), lender=product.organisation.kind)


def warn_bid(bid: Bid, fees: Sequence[Fee]) -> tuple[Fault, ...]:
    """Name the forbidden among the fees of a bid, on the day it was received."""
    return warn_quote(fees, bid.need, bid.product, on=local_date(bid.receipt_at))


def warn_shelf(fees: Sequence[Fee], lender: OrganisationKind, *, on: date) -> tuple[Fault, ...]:
    """Name the fees of a product that are forbidden towards some firms, whoever comes to ask for it."""
    return warn_of_fees(fees, None, on, forbidden_fees(), lender=lender)
