"""Quotes: an institution's priced answer as it writes it, and the terms that pricing knows of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from market import money
from market.covers import Cover
from market.errors import Code, Fault, Invalid, invalid
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy, Terms
from market.vocabulary import (
    FLOATING,
    DayCount,
    Interval,
    OfferKind,
    Pricing,
    RentTiming,
    Repayment,
)
from models.need import Need
from models.product import Product
from services.exchange.offers import STORED_KINDS, read_terms, write_offer

LONGEST_TERM = 360


@dataclass(frozen=True, slots=True)
class Quote:
    """A priced answer as an institution writes it.

    ``principal`` in fen; ``rate`` per year for a fixed price, or ``spread`` in basis points over the
    need's LPR for a floating one. ``confirmed`` says that an unusual price was meant; without ``is_firm``
    the bid is subject to the institution's approval after the award. ``least`` fen is the smallest part
    it can be taken for where the need is syndicated. ``revision`` is the need's as its bidder saw it:
    on a need changed since then the quote is stale; None leaves that unasked. ``rent``, ``buyout`` and
    what comes before the first rental period belong to leases; the rest is as in ``market.terms``.
    ``guarantee_product_id`` names a guarantor's listed product that stands behind the loan, for its own
    share or the smaller ``guarantee_share``; its fees are no part of ``fees``.
    """

    product_id: int
    principal: int
    months: int
    valid_until: datetime
    rate: Decimal | None = None
    spread: int | None = None
    repayment: Repayment | None = None
    day_count: DayCount = DayCount.THIRTY_360
    fees: tuple[Fee, ...] = ()
    subsidies: tuple[Subsidy, ...] = ()
    rent: RentTiming = RentTiming.ARREARS
    deposit: Decimal = Decimal(0)
    buyout: int = 0
    declared_rate: Decimal | None = None
    confirmed: bool = False
    interval: Interval = Interval.MONTHLY
    rate_steps: tuple[tuple[int, Decimal], ...] = ()
    prelease_months: int = 0
    prelease_rate: Decimal | None = None
    is_firm: bool = True
    least: int | None = None
    revision: int | None = None
    guarantee_product_id: int | None = None
    guarantee_share: Decimal | None = None


def build_terms(
    quote: Quote,
    need: Need,
    product: Product,
    *,
    on: date,
    cover: Cover | None = None,
    share: Decimal = Decimal(0),
) -> Terms:
    """Return the terms that pricing knows of a quote, with what a ``cover`` of ``share`` of it charges.

    Raises ``Invalid`` where the price is missing, and with every fault for terms that an offers file could
    not hold either: what is sealed now must be readable at the opening.
    """
    rate = _resolve_rate(quote, need, product)
    if quote.principal <= 0:
        raise invalid(Code.TOO_SMALL, "principal", value=quote.principal, least=1)
    if not 1 <= quote.months <= LONGEST_TERM:
        code = Code.TOO_LARGE if quote.months > LONGEST_TERM else Code.TOO_SMALL
        raise invalid(code, "months", value=quote.months, least=1, most=LONGEST_TERM)
    term = quote.months + (quote.prelease_months if product.offer is OfferKind.LEASE else 0)
    common: dict[str, Any] = {
        "principal": quote.principal,
        "months": quote.months,
        "rate": rate,
        "fees": quote.fees,
        # The programmes of a product come with every bid: one that pays only after its end pays nothing.
        "subsidies": tuple(one for one in quote.subsidies if one.from_month < term),
        "deposit": quote.deposit,
        "interval": quote.interval,
        "rate_steps": quote.rate_steps,
    }
    if product.offer is OfferKind.LEASE:
        lease = LeaseTerms(
            rent=quote.rent,
            buyout=quote.buyout,
            prelease_months=quote.prelease_months,
            prelease_rate=quote.prelease_rate,
            **common,
        )
        return _checked(_covered(lease, cover, share))
    repayment = quote.repayment or product.repayment
    if repayment is None:
        raise invalid(Code.REQUIRED, "repayment")
    if quote.prelease_months:
        raise invalid(Code.UNKNOWN_FIELD, "prelease_months", value="prelease_months")
    start = on if quote.day_count is not DayCount.THIRTY_360 else None
    loan = LoanTerms(repayment=repayment, day_count=quote.day_count, start=start, **common)
    return _checked(_covered(loan, cover, share))


def quote_again(
    fields: Mapping[str, Any], terms: Terms, *, valid_until: datetime, revision: int | None = None
) -> Quote:
    """Return the quote that a bid's content (``bid_content.write``) came of, to be placed once more.

    A floating price comes back as the rate it made: the LPR of a need is frozen.
    """
    declared, least = fields.get("declared_rate"), fields.get("least")
    guarantee = fields.get("guarantee") or {}
    lease: dict[str, Any] = {}
    if isinstance(terms, LeaseTerms):
        lease = {
            "rent": terms.rent,
            "buyout": terms.buyout,
            "prelease_months": terms.prelease_months,
            "prelease_rate": terms.prelease_rate,
        }
    return Quote(
        product_id=fields["product"],
        principal=terms.principal,
        months=terms.months,
        valid_until=valid_until,
        rate=terms.rate,
        repayment=None if isinstance(terms, LeaseTerms) else terms.repayment,
        day_count=terms.day_count,
        # What its guarantor charges comes last, and with the guarantee again.
        fees=terms.fees[: len(terms.fees) - guarantee.get("charges", 0)],
        subsidies=terms.subsidies,
        deposit=terms.deposit,
        declared_rate=Decimal(declared) if declared is not None else None,
        # Whatever was unusual about it was confirmed when it was placed first.
        confirmed=True,
        interval=terms.interval,
        rate_steps=terms.rate_steps,
        is_firm=fields.get("firm", True),
        least=None if least is None else money.parse_yuan(least, "least"),
        revision=revision,
        guarantee_product_id=guarantee.get("product"),
        guarantee_share=Decimal(guarantee["share"]) if guarantee else None,
        **lease,
    )


def _covered(terms: Terms, cover: Cover | None, share: Decimal) -> Terms:
    return terms if cover is None else replace(terms, fees=terms.fees + cover.charges(terms, share))


def _checked(terms: Terms) -> Terms:
    """Return terms as they are read from what would be stored, judged as every offer is at the door."""
    try:
        return cast(Terms, read_terms(write_offer(terms), kinds=STORED_KINDS, stored=False))
    except Invalid as error:
        raise Invalid(*(replace(fault, field=_dotted(fault)) for fault in error.faults)) from error


def _dotted(fault: Fault) -> str | None:
    """Return a fault's path in the words of forms: ``fees.0.when``."""
    return None if fault.field is None else re.sub(r"\[(\d+)\]", r".\1", fault.field)


def _resolve_rate(quote: Quote, need: Need, product: Product) -> Decimal:
    if product.pricing in FLOATING and quote.rate is None:
        if quote.spread is None:
            raise invalid(Code.REQUIRED, "spread")
        base = need.lpr_1y if product.pricing is Pricing.LPR_1Y else need.lpr_5y
        assert base is not None, "a published need has its LPR frozen"
        rate = base + Decimal(quote.spread) / 10_000
    elif quote.rate is None:
        raise invalid(Code.REQUIRED, "rate")
    else:
        rate = quote.rate
    if rate < 0:
        raise invalid(Code.TOO_SMALL, "rate", value=str(rate), least="0")
    return rate
