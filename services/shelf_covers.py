"""Covers of the shelf: what a listed guarantee or insurance charges and covers, at its listed price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from market.covers import Cover, check_cover
from market.money import round_down
from market.risk_sharing import LEAST_SHARE, SHARE_PLACES
from market.terms import LENDER, Fee
from market.vocabulary import CoverKind, ProductFamily
from models.product import Product
from services.exchange.offers import read_fees

#: What a cover takes where its product does not say: a bank keeps at least 20 % in principle.
ASSUMED_SHARE = Decimal("0.8")
#: Who is paid for a cover, as offers name them.
PAYEES = {CoverKind.GUARANTEE: "guarantor", CoverKind.INSURANCE: "insurer"}
#: What the products of a family cover loans with.
KINDS = {
    ProductFamily.GUARANTEE: CoverKind.GUARANTEE,
    ProductFamily.INSURANCE: CoverKind.INSURANCE,
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A product of the shelf as a cover; ``assumed`` says that its product names no share."""

    product: Product
    cover: Cover
    assumed: bool


def read_cover(product: Product) -> Provider | None:
    """Return a product as a cover at its listed fees, or None where no price is listed.

    The share it covers is the largest ``part`` of its fees; a fee of the whole loan is one of the guaranteed
    amount, and the share assumed. Without a list of fees the upper end of its yearly rate counts.
    """
    kind = KINDS[product.family]
    payee = PAYEES[kind]
    fees = read_fees(product.fees, "fees")
    stated = max((fee.part for fee in fees if fee.rate is not None and fee.part < 1), default=None)
    share = ASSUMED_SHARE if stated is None else _whole_points(stated)
    listed = tuple(_charge(fee, payee, share if fee.part == 1 else fee.part) for fee in fees)
    rate = product.rate_to if not fees else None
    if not fees and not rate:
        return None
    cover = Cover(
        f"product-{product.id}",
        kind,
        payee,
        rate or Decimal(0),
        fees=listed,
        least_share=share,
        most_share=share,
    )
    if check_cover(cover, "cover"):
        return None
    return Provider(product, cover, assumed=stated is None)


def _charge(fee: Fee, payee: str, part: Decimal) -> Fee:
    """Return a listed fee as the firm pays it: of its part, to the provider unless it names another."""
    fee = replace(fee, payee=payee) if fee.payee == LENDER else fee
    return fee if fee.rate is None else replace(fee, part=part)


def _whole_points(share: Decimal) -> Decimal:
    """Return a share in hundredths of a percent, as covers have it."""
    return max(Decimal(round_down(share * 10**SHARE_PLACES)).scaleb(-SHARE_PLACES), LEAST_SHARE)
