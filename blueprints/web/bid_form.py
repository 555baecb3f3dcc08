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
from blueprints.web import charge_rows
from blueprints.web.charge_rows import FLAT, percent, read_fee, trim, write_fees
from blueprints.web.forms import Form
from market import lifecycle
from market.errors import Code
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import (
    FLOATING,
    DayCount,
    FeeBasis,
    FeeTiming,
    Interval,
    OfferKind,
    Pricing,
    RentTiming,
    Repayment,
)
from models.need import Need
from models.product import Product
from services import bids
from services.exchange.offers import read_fees, read_offer, read_subsidies

__all__ = ["FLAT", "read_fee"]

MOST_FEES = 8
#: How many later rates the form shows at least, and at most.
STEPS, MOST_STEPS = 2, 8
LONGEST_TERM = 360
#: What the form sends for a bid that is firm, and for one subject to its institution's approval.
FIRM, APPROVAL = "firm", "approval"
#: Fields of the form that the faults of a quote call otherwise.
_FIELDS = {"prelease_rate": "prelease.rate"}


def make(values: Mapping[str, Any], product: Product | None = None) -> Form:
    """Return a form over what was sent, with the words of its own fields."""
    # Whoever types points over the LPR is told beside them what is wrong with the rate they make.
    aliases = dict(_FIELDS)
    if product is not None and is_floating(product):
        aliases["rate"] = "spread"
    words: dict[str, Any] = {
        "principal": gettext("Amount"),
        "least": gettext("Smallest part"),
        "spread": gettext("Points over the LPR"),
        "declared_rate": gettext("Your own annual rate"),
        "valid_until": gettext("Valid until"),
        "buyout": gettext("Buy-out price"),
        "confirmed": gettext("Confirmation"),
        "is_firm": gettext("How it binds"),
        "interval": gettext("Payments"),
        "deposit": gettext("Deposit, returned at the end"),
        "guarantee_product_id": gettext("Guarantee behind the loan"),
        "guarantee_share": gettext("Share that it covers"),
        "prelease_months": gettext("Months before the first rental period"),
        "prelease.rate": gettext("Rate of that time"),
        **charge_rows.list_labels(MOST_FEES),
    }
    for row in range(MOST_STEPS):
        words |= {
            f"steps.{row}.at": gettext("From month"),
            f"steps.{row}.rate": gettext("New rate a year"),
        }
    return Form(values, aliases=aliases, labels=words)


def open_with(need: Need, product: Product, room: int | None) -> dict[str, Any]:
    """Return what the form shows at first: the need's own amount and tenor within the product's ranges.

    ``room`` in fen is what a contract can still carry; where several may share a need each bids for all of
    it. A price is set only where the product names one.
    """
    most = min(product.amount_max, need.amount, need.amount if room is None else room)
    if need.syndicated:
        most = need.amount
    months = min(need.months, product.months_max) if product.months_max else need.months
    values: dict[str, Any] = {
        "product_id": product.id,
        "principal": trim(Decimal(max(most, 0)) / 1_000_000),
        "months": max(months, product.months_min, 1),
        "repayment": (product.repayment or Repayment.EQUAL_INSTALLMENT).value,
        "interval": int(Interval.MONTHLY),
        "day_count": DayCount.THIRTY_360.value,
        "valid_until": formats.day(bids.earliest_validity(need)),
        "is_firm": FIRM,
    }
    if is_floating(product):
        if product.spread_from == product.spread_to:
            values["spread"] = product.spread_from
    elif product.rate_from is not None and product.rate_from == product.rate_to:
        values["rate"] = percent(product.rate_from)
    if product.offer is OfferKind.LEASE:
        lease = product.lease or {}
        values |= {
            "rent": lease.get("rent", RentTiming.ARREARS.value),
            "deposit": percent(Decimal(str(lease.get("deposit", "0")))),
            "buyout": lease.get("buyout", "0"),
        }
    return values | write_fees(read_fees(product.fees, "fees")[:MOST_FEES])


def open_again(
    values: dict[str, Any], content: Mapping[str, Any], need: Need, product: Product
) -> dict[str, Any]:
    """Return what the form shows to whoever has bid already: that bid's content, ready to be improved."""
    terms = read_offer(content["offer"], "offer")
    # The fees of the shelf make room for those that were offered.
    again = {name: value for name, value in values.items() if not name.startswith("fees.")}
    again |= {
        "principal": trim(Decimal(terms.principal) / 1_000_000),
        "months": terms.months,
        "interval": int(terms.interval),
        "day_count": terms.day_count.value,
        "deposit": percent(terms.deposit) if terms.deposit else "",
        "valid_until": max(str(content["valid_until"])[:10], values["valid_until"]),
        "is_firm": FIRM if content.get("firm", True) else APPROVAL,
    }
    if is_floating(product):
        base = need.lpr_1y if product.pricing is Pricing.LPR_1Y else need.lpr_5y
        again["spread"] = trim((terms.rate - (base or Decimal(0))) * 10_000)
    else:
        again["rate"] = percent(terms.rate)
    again |= _write_loan(terms) if isinstance(terms, LoanTerms) else _write_lease(terms)
    for row, (month, rate) in enumerate(terms.rate_steps[:MOST_STEPS]):
        again |= {f"steps.{row}.at": month, f"steps.{row}.rate": percent(rate)}
    guarantee = content.get("guarantee") or {}
    if guarantee:
        again["guarantee_product_id"] = guarantee["product"]
        again["guarantee_share"] = percent(Decimal(guarantee["share"]))
    if content.get("least") is not None and need.syndicated:
        again["least"] = trim(Decimal(content["least"]) / 10_000)
    if content["declared_rate"] is not None:
        again["declared_rate"] = percent(Decimal(content["declared_rate"]))
    # What the guarantor charges comes with the guarantee again.
    own = terms.fees[: len(terms.fees) - guarantee.get("charges", 0)]
    return again | write_fees(own[:MOST_FEES])


def _write_loan(terms: LoanTerms) -> dict[str, Any]:
    return {"repayment": terms.repayment.value}


def _write_lease(terms: LeaseTerms) -> dict[str, Any]:
    return {
        "rent": terms.rent.value,
        "buyout": formats.plain(terms.buyout),
        "prelease_months": terms.prelease_months or "",
        "prelease.rate": "" if terms.prelease_rate is None else percent(terms.prelease_rate),
    }


def is_floating(product: Product) -> bool:
    """Say whether a product is priced over the LPR."""
    return product.pricing in FLOATING


def count_fees(form: Form) -> int:
    """Return how many rows of fees the form has, filled in or not."""
    return charge_rows.count_rows(form, MOST_FEES)


def count_steps(form: Form) -> int:
    """Return how many rows of later rates the form has."""
    return max(STEPS, charge_rows.count_rows(form, MOST_STEPS, "steps", "at"))


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
    least = form.wan("least", required=False)
    months = form.whole("months", least=1, most=360)
    rate = spread = None
    if is_floating(product):
        spread = form.whole("spread", least=-10_000, most=10_000)
    else:
        rate = form.percent("rate")
    lease = product.offer is OfferKind.LEASE
    terms: dict[str, Any] = _read_lease(form) if lease else _read_loan(form)
    interval = form.whole("interval", required=False) or int(Interval.MONTHLY)
    if interval not in set(Interval):
        form.refuse(Code.NOT_A_CHOICE, "interval", value=interval, choices=[int(each) for each in Interval])
    deposit = form.percent("deposit", required=False, least=0, most=100)
    steps = _read_steps(form)
    fees = [(row, fee) for row in range(count_fees(form)) if (fee := read_fee(form, row)) is not None]
    valid_on = form.day("valid_until")
    binds = str(form.value("is_firm") or FIRM)
    if binds not in (FIRM, APPROVAL):
        form.refuse(Code.NOT_A_CHOICE, "is_firm", value=binds[:40], choices=[FIRM, APPROVAL])
    declared = form.percent("declared_rate", required=False, least=0)
    revision = form.whole("revision", required=False, least=1)
    guarantee = form.whole("guarantee_product_id", required=False, least=1)
    share = form.percent("guarantee_share", required=False, least=0, most=100) if guarantee else None
    if not form.ok:
        return None
    _name_rows(form, [row for row, _ in steps], [row for row, _ in fees])
    return bids.Quote(
        product_id=product.id,
        principal=principal,
        months=months,
        valid_until=lifecycle.end_of_day(valid_on),
        rate=rate,
        spread=spread,
        interval=Interval(interval),
        deposit=deposit or Decimal(0),
        rate_steps=tuple(step for _, step in steps),
        fees=tuple(fee for _, fee in fees),
        subsidies=read_subsidies(product.subsidies, "subsidies"),
        declared_rate=declared,
        confirmed=form.flag("confirmed"),
        revision=revision,
        is_firm=binds == FIRM,
        least=least,
        guarantee_product_id=guarantee,
        guarantee_share=share,
        **terms,
    )


def _read_loan(form: Form) -> dict[str, Any]:
    return {
        "repayment": form.choice("repayment", Repayment),
        "day_count": form.choice("day_count", DayCount, required=False) or DayCount.THIRTY_360,
    }


def _read_lease(form: Form) -> dict[str, Any]:
    return {
        "rent": form.choice("rent", RentTiming, required=False) or RentTiming.ARREARS,
        "buyout": form.yuan("buyout", required=False) or 0,
        "prelease_months": form.whole("prelease_months", required=False, least=0, most=LONGEST_TERM) or 0,
        "prelease_rate": form.percent("prelease.rate", required=False, least=0),
    }


def _read_steps(form: Form) -> list[tuple[int, tuple[int, Decimal]]]:
    """Read the later rates, each with the row it stands in."""
    steps = []
    for row in range(count_steps(form)):
        at, rate = f"steps.{row}.at", f"steps.{row}.rate"
        if not str(form.value(at)).strip() and not str(form.value(rate)).strip():
            continue
        month = form.whole(at, least=1, most=LONGEST_TERM)
        later = form.percent(rate, least=0)
        if month is not None and later is not None:
            steps.append((row, (month, later)))
    return steps


def _name_rows(form: Form, steps: Sequence[int], fees: Sequence[int]) -> None:
    """Say which rows the faults of a quote are about, which counts only those that are filled in."""
    for place, row in enumerate(steps):
        form.aliases |= {
            f"rate_steps.{place}": f"steps.{row}.at",
            f"rate_steps.{place}.0": f"steps.{row}.at",
            f"rate_steps.{place}.1": f"steps.{row}.rate",
        }
    for place, row in enumerate(fees):
        form.aliases[f"fees.{place}"] = f"fees.{row}.rate"
        names = {name: name for name in ("name", "basis", "when", "from_month")}
        for name, field in {**names, "rate": "rate", "amount": "rate", "part": "share"}.items():
            form.aliases[f"fees.{place}.{name}"] = f"fees.{row}.{field}"
