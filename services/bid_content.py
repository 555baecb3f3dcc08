"""What a bid says: written under seal, read back by those who may, put in clear at the opening."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from market import cost, disclosure, money, what_if
from market.cost import Cost
from market.errors import Code, invalid
from market.terms import LeaseTerms, LoanTerms, Terms
from market.vocabulary import OfferKind
from models.bid import Bid
from models.need import Need
from models.product import Product
from services.exchange.offers import read_offer, write_offer
from services.guarantees import Backing
from services.quotes import Quote
from services.sealing import Sealer, make_receipt


@dataclass(frozen=True, slots=True)
class Content:
    """What a bid says, as JSON values (``fields``), with its terms and their price."""

    fields: dict[str, Any]
    terms: Terms
    cost: Cost


def write(
    need: Need,
    product: Product,
    quote: Quote,
    terms: Terms,
    *,
    now: datetime,
    backing: Backing | None = None,
) -> dict[str, Any]:
    """Return a bid's content, as it is sealed and as its receipt covers it: JSON without floats."""
    content = {
        "need": need.id,
        "institution": product.organisation.credit_code,
        "product": product.id,
        # Not its number: the count of arrivals would tell the bidder of rivals before the opening.
        "received_at": now.isoformat(),
        "valid_until": quote.valid_until.isoformat(),
        "declared_rate": str(quote.declared_rate) if quote.declared_rate is not None else None,
        "firm": quote.is_firm,
        "least": money.yuan(quote.least) if quote.least is not None else None,
        "revision": need.revision,
        "offer": write_offer(terms),
    }
    if backing is not None:
        content["guarantee"] = {
            "guarantor": backing.product.organisation.credit_code,
            "product": backing.product.id,
            "share": f"{backing.share:f}",
            "guaranteed": money.yuan(backing.amount(terms.principal)),
            # How many of the offer's fees, the last ones, are the guarantor's.
            "charges": len(terms.fees) - len(quote.fees),
        }
    return content


def read(bid: Bid, sealer: Sealer) -> Content:
    """Return what a bid says, from under its seal; raises ``Invalid`` if that does not open or fit.

    Whoever can write to the database cannot exchange two seals either: each has its own receipt.
    """
    salt, canonical = sealer.open(bid.need_id, bid.seal)
    content = json.loads(canonical)
    if make_receipt(salt, canonical) != bid.receipt_hash or content["product"] != bid.product_id:
        raise invalid(Code.SEAL_BROKEN)
    terms = read_offer(content["offer"], "offer")
    return Content(content, terms, cost.price(terms))


def read_asked(need_id: int, seal: bytes, sealer: Sealer) -> int:
    """Return the fen that a bid under seal asks of limits: all of it, or its smallest part.

    It is not priced. Raises ``Invalid`` (seal_broken).
    """
    _, canonical = sealer.open(need_id, seal)
    content = json.loads(canonical)
    return money.parse_yuan(content.get("least") or content["offer"]["principal"], "principal")


def read_least(fields: Mapping[str, Any]) -> int | None:
    """Return the fen of the smallest part that a bid's content allows; None where it is taken whole."""
    least = fields.get("least")
    return None if least is None else money.parse_yuan(least, "least")


def price_part(bid: Bid, amount: int) -> tuple[Terms, Cost]:
    """Return the terms of ``amount`` fen of an opened bid with what they cost by themselves.

    Rates and shares stay as offered; a fee that is a flat sum weighs more on a part.
    """
    terms = what_if.vary(read_offer(bid.terms, "terms"), amount=amount)
    assert isinstance(terms, (LoanTerms, LeaseTerms)), "only loans and leases are bid"
    return terms, cost.price(terms)


def put_in_clear(bid: Bid, content: Content) -> None:
    """Write a bid's terms and price into its row, where everybody with the database can read them."""
    terms, priced, fields = content.terms, content.cost, content.fields
    bid.offer = OfferKind.LEASE if isinstance(terms, LeaseTerms) else OfferKind.LOAN
    bid.terms = fields["offer"]
    bid.amount, bid.months = terms.principal, terms.months
    bid.effective = Decimal(money.rate_text(priced.effective)) if priced.effective is not None else None
    bid.simple = Decimal(money.rate_text(priced.simple)) if priced.simple is not None else None
    bid.total_cost = priced.total_cost
    bid.cost = describe_cost(priced)
    bid.is_firm = fields.get("firm", True)
    bid.least = read_least(fields)
    guarantee = fields.get("guarantee") or {}
    bid.guarantee_product_id = guarantee.get("product")
    bid.guaranteed = money.parse_yuan(guarantee["guaranteed"]) if guarantee else None
    declared = fields.get("declared_rate")
    bid.declared_rate = money.parse_rate(declared, "declared_rate") if declared is not None else None


def describe_cost(priced: Cost) -> dict[str, Any]:
    """Return the parts of a cost as JSON values: amounts in fen, rates as strings."""
    return {
        "effective": money.rate_text(priced.effective) if priced.effective is not None else None,
        "simple": money.rate_text(priced.simple) if priced.simple is not None else None,
        "total_cost": priced.total_cost,
        "net_received": priced.net_received,
        "average_monthly_payment": priced.average_monthly_payment,
        "convention": priced.convention,
        "note": priced.note,
        "breakdown": {payee: amount for payee, amount in priced.breakdown},
        "parts": disclosure.list_parts(priced),
    }
