"""The bid form: what it opens with, and how what was typed becomes a quote.

Rates are typed in percent and amounts in 万元, as people say them; the fees of the product stand in the form
already and may be changed. Fields are named as the faults of ``services.bids`` name them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from blueprints import formats
from blueprints.web.forms import Form
from market import lifecycle
from market.terms import Fee, LoanTerms
from market.vocabulary import (
    FLOATING,
    DayCount,
    FeeBasis,
    FeeTiming,
    OfferKind,
    Pricing,
    RentTiming,
    Repayment,
)
from models.need import Need
from models.product import Product
from services import bids
from services.exchange.offers import read_fees, read_offer, read_subsidies

#: A basis of our own: the fee is an amount in yuan and no share of anything.
FLAT = "flat"
MOST_FEES = 8
#: Shares of a fee are typed in percent; more than the whole principal is a slip of the pen.
MOST_FEE_PERCENT = 100


def make(values: Mapping[str, Any], product: Product | None = None) -> Form:
    """Return a form over what was sent, with the words of its own fields."""
    # Whoever types points over the LPR is told beside them what is wrong with the rate they make.
    aliases = {"rate": "spread"} if product is not None and is_floating(product) else {}
    words: dict[str, Any] = {
        "principal": gettext("Amount"),
        "spread": gettext("Points over the LPR"),
        "declared_rate": gettext("Your own annual rate"),
        "valid_until": gettext("Valid until"),
        "buyout": gettext("Buy-out price"),
        "confirmed": gettext("Confirmation"),
    }
    for row in range(MOST_FEES):
        words |= {
            f"fees.{row}.name": gettext("Name of fee %(number)s", number=row + 1),
            f"fees.{row}.rate": gettext("Size of fee %(number)s", number=row + 1),
        }
    return Form(values, aliases=aliases, labels=words)


def open_with(need: Need, product: Product, room: int | None) -> dict[str, Any]:
    """Return what the form shows at first: the need's own amount and tenor within the product's ranges.

    ``room`` in fen is what a contract can still carry. A price is set only where the product names one.
    """
    most = min(product.amount_max, need.amount, need.amount if room is None else room)
    months = min(need.months, product.months_max) if product.months_max else need.months
    values: dict[str, Any] = {
        "product_id": product.id,
        "principal": _trim(Decimal(max(most, 0)) / 1_000_000),
        "months": max(months, product.months_min, 1),
        "repayment": (product.repayment or Repayment.EQUAL_INSTALLMENT).value,
        "day_count": DayCount.THIRTY_360.value,
        "valid_until": formats.day(bids.earliest_validity(need)),
    }
    if is_floating(product):
        if product.spread_from == product.spread_to:
            values["spread"] = product.spread_from
    elif product.rate_from is not None and product.rate_from == product.rate_to:
        values["rate"] = _percent(product.rate_from)
    if product.offer is OfferKind.LEASE:
        lease = product.lease or {}
        values |= {
            "rent": lease.get("rent", RentTiming.ARREARS.value),
            "deposit": _percent(Decimal(str(lease.get("deposit", "0")))),
            "buyout": lease.get("buyout", "0"),
        }
    return values | _write_fees(read_fees(product.fees, "fees"))


def open_again(
    values: dict[str, Any], content: Mapping[str, Any], need: Need, product: Product
) -> dict[str, Any]:
    """Return what the form shows to whoever has bid already: that bid's content, ready to be improved."""
    terms = read_offer(content["offer"], "offer")
    # The fees of the shelf make room for those that were offered.
    again = {name: value for name, value in values.items() if not name.startswith("fees.")}
    again |= {
        "principal": _trim(Decimal(terms.principal) / 1_000_000),
        "months": terms.months,
        "day_count": terms.day_count.value,
        "valid_until": max(str(content["valid_until"])[:10], values["valid_until"]),
    }
    if is_floating(product):
        base = need.lpr_1y if product.pricing is Pricing.LPR_1Y else need.lpr_5y
        again["spread"] = _trim((terms.rate - (base or Decimal(0))) * 10_000)
    else:
        again["rate"] = _percent(terms.rate)
    if isinstance(terms, LoanTerms):
        again["repayment"] = terms.repayment.value
    else:
        again |= {
            "rent": terms.rent.value,
            "deposit": _percent(terms.deposit),
            "buyout": formats.plain(terms.buyout),
        }
    if content["declared_rate"] is not None:
        again["declared_rate"] = _percent(Decimal(content["declared_rate"]))
    return again | _write_fees(terms.fees)


def _write_fees(fees: Sequence[Fee]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row, fee in enumerate(fees[:MOST_FEES]):
        values |= {
            f"fees.{row}.name": fee.name,
            f"fees.{row}.payee": fee.payee,
            f"fees.{row}.basis": FLAT if fee.rate is None else fee.basis.value,
            f"fees.{row}.rate": formats.plain(fee.amount or 0) if fee.rate is None else _percent(fee.rate),
            f"fees.{row}.when": fee.when.value,
        }
    return values


def is_floating(product: Product) -> bool:
    """Say whether a product is priced over the LPR."""
    return product.pricing in FLOATING


def count_fees(form: Form) -> int:
    """Return how many rows of fees the form has, filled in or not."""
    rows = [row for row in range(MOST_FEES) if f"fees.{row}.name" in form.values]
    return rows[-1] + 1 if rows else 0


def add_fee(form: Form) -> None:
    """Give the form one more row for a fee, if there is room."""
    row = count_fees(form)
    if row < MOST_FEES:
        form.values[f"fees.{row}.name"] = ""
        form.values[f"fees.{row}.when"] = FeeTiming.UPFRONT.value
        form.values[f"fees.{row}.basis"] = FeeBasis.PRINCIPAL.value


def read(form: Form, product: Product) -> Any:
    """Read a quote; returns None, with faults beside their fields, where something is missing or wrong."""
    principal = form.wan("principal")
    months = form.whole("months", least=1, most=360)
    rate = spread = None
    if is_floating(product):
        spread = form.whole("spread", least=-10_000, most=10_000)
    else:
        rate = form.percent("rate")
    lease = product.offer is OfferKind.LEASE
    repayment = None if lease else form.choice("repayment", Repayment)
    day_count = form.choice("day_count", DayCount, required=False) or DayCount.THIRTY_360
    rent = (form.choice("rent", RentTiming, required=False) if lease else None) or RentTiming.ARREARS
    deposit = form.percent("deposit", required=False, least=0, most=100) if lease else None
    buyout = form.yuan("buyout", required=False) if lease else None
    fees = tuple(fee for row in range(count_fees(form)) if (fee := read_fee(form, row)) is not None)
    valid_on = form.day("valid_until")
    declared = form.percent("declared_rate", required=False, least=0)
    if not form.ok:
        return None
    return bids.Quote(
        product_id=product.id,
        principal=principal,
        months=months,
        valid_until=lifecycle.end_of_day(valid_on),
        rate=rate,
        spread=spread,
        repayment=repayment,
        day_count=day_count,
        fees=fees,
        subsidies=read_subsidies(product.subsidies, "subsidies"),
        rent=rent,
        deposit=deposit or Decimal(0),
        buyout=buyout or 0,
        declared_rate=declared,
        confirmed=form.flag("confirmed"),
    )


def read_fee(form: Form, row: int) -> Fee | None:
    """Read one row; an empty one is no fee."""
    at = f"fees.{row}"
    if not str(form.value(f"{at}.name")).strip() and not str(form.value(f"{at}.rate")).strip():
        return None
    name = form.text(f"{at}.name", most=40)
    payee = form.text(f"{at}.payee", required=False, most=40) or "lender"
    when = form.choice(f"{at}.when", FeeTiming, required=False) or FeeTiming.UPFRONT
    basis = str(form.value(f"{at}.basis")) or FeeBasis.PRINCIPAL.value
    if basis == FLAT:
        amount = form.yuan(f"{at}.rate")
        return None if name is None or amount is None else Fee(name, when, payee, amount=amount)
    rate = form.percent(f"{at}.rate", least=0, most=MOST_FEE_PERCENT)
    of = form.choice(f"{at}.basis", FeeBasis, required=False) or FeeBasis.PRINCIPAL
    return None if name is None or rate is None else Fee(name, when, payee, of, rate)


def _percent(rate: Decimal) -> str:
    """Return a rate as the percent that people type."""
    return _trim(rate * 100)


def _trim(number: Decimal) -> str:
    """Return a number without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
