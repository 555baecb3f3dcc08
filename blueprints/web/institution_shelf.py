"""An institution's own shelf: its products with their conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from blueprints import cautions, explanations, labels
from blueprints.access import acting, allows, now
from blueprints.web import bid_form
from blueprints.web.forms import Form
from market import eligibility
from market.calendar import local_date
from market.errors import Code
from market.terms import LENDER, Fee
from market.vocabulary import (
    FLOATING,
    Capability,
    FeeTiming,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Purpose,
    Repayment,
    Security,
    SizeClass,
)
from services import fees, products
from services.exchange.charges import write_fee

Answer = Any

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
MOST_CONDITIONS = 10
#: Facts whose values are members of the vocabulary.
_LISTED: dict[str, type[StrEnum]] = {
    "size_class": SizeClass,
    "purpose": Purpose,
    "purchaser_kind": OrganisationKind,
}

#: What the form of a new product opens with.
OPENING: dict[str, Any] = {
    "family": ProductFamily.INNOVATION.value,
    "pricing": Pricing.LPR_1Y.value,
    "security": Security.UNSECURED.value,
    "repayment": Repayment.INTEREST_MONTHLY.value,
    "months_min": 6,
    "months_max": 12,
    "rent": "arrears",
    "deposit": "0",
    "buyout": "0",
}
#: Families that follow no priced bid of their own.
UNPRICED = {
    ProductFamily.BRIDGE: Pricing.PER_DAY,
    ProductFamily.GUARANTEE: Pricing.FEE,
    ProductFamily.INSURANCE: Pricing.FEE,
    ProductFamily.GRANT: Pricing.GRANT,
    ProductFamily.EQUITY: Pricing.EQUITY,
}
#: Facts whose values are chosen from a list or typed, and the tests each allows, as one choice in the form.
TESTS = {"word": ("in",), "set": ("has_any",), "number": ("at_least", "at_most"), "flag": ("is",)}


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/shelf", view_func=shelf)
    page.add_url_rule("/shelf/new", view_func=shelf_new, methods=["GET", "POST"])
    page.add_url_rule("/shelf/<int(max=2147483647):product_id>", view_func=shelf_set_listed, methods=["POST"])


@allows(*ROLES)
def shelf() -> Answer:
    """Show every product of the institution, on the shelf or taken off."""
    return render_template("institution/shelf.html", products=products.list_own(acting()))


@allows(*ROLES)
def shelf_set_listed(product_id: int) -> Answer:
    """Take a product off the shelf, or put it back."""
    listed = request.form.get("listed") == "1"
    product = products.set_listed(product_id, listed, by=acting(), now=now())
    flash(
        gettext("“%(name)s” is on the shelf again.", name=product.name_zh)
        if listed
        else gettext("“%(name)s” is off the shelf. Bids already placed stand.", name=product.name_zh),
        "done",
    )
    return redirect(url_for("institution.shelf"), 303)


@allows(*ROLES)
def shelf_new() -> Answer:
    """Show the form of a new product, add a row to it, or list the product."""
    form = Form(request.form if request.method == "POST" else OPENING, labels=_words())
    step = request.form.get("step")
    if step == "add_condition":
        _add(form, "conditions", "fact", MOST_CONDITIONS)
    elif step == "add_fee":
        bid_form.add_fee(form)
    elif request.method == "POST":
        draft = _read(form)
        product = form.run(products.publish, draft, by=acting(), now=now())
        if product is not None:
            flash(gettext("“%(name)s” is on the shelf.", name=product.name_zh), "done")
            for sentence in _warn(form):
                flash(sentence, "attention")
            return redirect(url_for("institution.shelf"), 303)
    return form.page(
        "institution/product_form.html",
        families=_families(),
        pricings=[Pricing.LPR_1Y, Pricing.LPR_5Y, Pricing.FIXED],
        facts=_facts(),
        fact_words=explanations.FACTS,
        words={fact: list(_choices(fact).values()) for fact in (*_LISTED, "tags")},
        amounts=[fact for fact in eligibility.FACTS if fact in eligibility.AMOUNTS - {"amount"}],
        condition_rows=range(_count(form, "conditions", "fact", MOST_CONDITIONS)),
        fee_rows=range(bid_form.count_fees(form)),
        flat=bid_form.FLAT,
        cautions=_warn(form),
    )


def _warn(form: Form) -> list[str]:
    """Return a sentence for each fee in the form that the law forbids towards some firms."""
    rows = [f"fees.{row}" for row in range(bid_form.count_fees(form))]
    typed = [
        Fee(str(form.value(f"{at}.name")), FeeTiming.UPFRONT, str(form.value(f"{at}.payee")) or LENDER)
        for at in rows
    ]
    kind = acting().kind
    return [] if kind is None else cautions.fees(fees.warn_shelf(typed, kind, on=local_date(now())))


def _families() -> list[ProductFamily]:
    """Return the families that an institution of this kind offers."""
    kind = acting().kind
    lending = [ProductFamily.INNOVATION, ProductFamily.CONTRACT, ProductFamily.SECURED]
    return {
        OrganisationKind.GUARANTOR: [ProductFamily.GUARANTEE],
        OrganisationKind.INSURER: [ProductFamily.INSURANCE],
        OrganisationKind.LESSOR: [ProductFamily.LEASE],
        OrganisationKind.FUND: [ProductFamily.EQUITY, ProductFamily.GRANT, *lending],
        OrganisationKind.BRIDGE_PLATFORM: [ProductFamily.BRIDGE],
    }.get(kind or OrganisationKind.BANK, lending)


def _facts() -> list[tuple[str, Any]]:
    """Return the facts a condition may ask about, as (fact and test, words)."""
    said: list[tuple[str, Any]] = []
    for fact, kind in eligibility.FACTS.items():
        # Amount, tenor, security and kind of offer follow from the product itself, as its zone does.
        if fact in {"amount", "months", "securities", "accepts", "repayment", "zone"}:
            continue
        for test in TESTS[kind]:
            words = {
                "in": gettext("%(what)s is one of", what=explanations.FACTS[fact]),
                "has_any": gettext("%(what)s: at least one of", what=explanations.FACTS[fact]),
                "at_least": gettext("%(what)s at least", what=explanations.FACTS[fact]),
                "at_most": gettext("%(what)s at most", what=explanations.FACTS[fact]),
                "is": str(explanations.FACTS[fact]),
            }[test]
            said.append((f"{fact}:{test}", words))
    return said


def _read(form: Form) -> Any:
    family = form.choice("family", ProductFamily)
    fixed_pricing = UNPRICED.get(family) if family is not None else None
    pricing = fixed_pricing or form.choice("pricing", Pricing)
    offer = None if fixed_pricing else OfferKind.LEASE if family is ProductFamily.LEASE else OfferKind.LOAN
    draft: dict[str, Any] = {
        "name_zh": form.text("name_zh", most=80),
        "name_en": form.text("name_en", most=120),
        "family": family,
        "pricing": pricing,
        "offer": offer,
        "amount_min": form.wan("amount_min"),
        "amount_max": form.wan("amount_max"),
        "months_min": form.whole("months_min", least=0, most=360),
        "months_max": form.whole("months_max", least=0, most=360),
        "security": form.choice("security", Security),
        "summary_zh": form.text("summary_zh", required=False, most=400) or "",
        "summary_en": form.text("summary_en", required=False, most=600) or "",
        "fees": _read_fees(form),
        "conditions": _read_conditions(form),
    }
    if pricing in {Pricing.FIXED, Pricing.PER_DAY}:
        draft["rate_from"] = form.percent("rate_from", least=0, most=100)
        draft["rate_to"] = form.percent("rate_to", required=False, least=0, most=100)
        if draft["rate_to"] is None:
            draft["rate_to"] = draft["rate_from"]
    elif pricing in FLOATING:
        draft["spread_from"] = form.whole("spread_from", least=-1000, most=2000)
        draft["spread_to"] = form.whole("spread_to", required=False, least=-1000, most=2000)
        if draft["spread_to"] is None:
            draft["spread_to"] = draft["spread_from"]
    if offer is OfferKind.LOAN:
        draft["repayment"] = form.choice("repayment", Repayment)
    if offer is OfferKind.LEASE:
        deposit = form.percent("deposit", required=False, least=0, most=100) or Decimal(0)
        buyout = form.decimal("buyout", required=False, places=2, least=0, most=10**9) or Decimal(0)
        draft["lease"] = {
            "rent": form.value("rent", "arrears"),
            "deposit": f"{deposit:f}",
            "buyout": f"{buyout:.2f}",
        }
    if family is ProductFamily.CONTRACT:
        ratio = form.decimal("contract_ratio", least=1, most=100)
        draft["contract_ratio"] = None if ratio is None else ratio.scaleb(-2)
    return products.Draft(**draft) if form.ok else None


def _read_fees(form: Form) -> list[Mapping[str, Any]]:
    fees: list[Mapping[str, Any]] = []
    for row in range(bid_form.count_fees(form)):
        fee = bid_form.read_fee(form, row)
        if fee is not None:
            fees.append(write_fee(fee))
    return fees


def _read_conditions(form: Form) -> list[Mapping[str, Any]]:
    conditions: list[Mapping[str, Any]] = []
    for row in range(_count(form, "conditions", "fact", MOST_CONDITIONS)):
        at = f"conditions.{row}"
        fact, _, test = str(form.value(f"{at}.fact")).partition(":")
        if not fact:
            continue
        kind = eligibility.FACTS.get(fact)
        if kind is None or test not in TESTS[kind]:
            form.refuse(Code.NOT_A_CHOICE, f"{at}.fact", value=fact, choices=sorted(eligibility.FACTS))
            continue
        value = _read_value(form, f"{at}.value", fact, kind)
        if value is not None:
            conditions.append({"fact": fact, "test": test, "value": value})
    return conditions


def _read_value(form: Form, name: str, fact: str, kind: str) -> Any:
    if kind == "flag":
        return True
    if kind == "number":
        return form.wan(name) if fact in eligibility.AMOUNTS else form.whole(name, least=0, most=10**9)
    typed = form.text(name, most=200)
    if typed is None:
        return None
    known = _choices(fact)
    found = []
    for word in (part.strip() for part in re.split(r"[,，、;；]", typed)):
        code = word if word in known else next((code for code, said in known.items() if said == word), None)
        # Industries and tax grades are words of their own; where a list exists, only its words are known.
        if word and code is None and fact in _LISTED:
            form.refuse(Code.NOT_A_CHOICE, name, value=word, choices=list(known.values()))
        elif word:
            found.append(code or word)
    return found or None


def _choices(fact: str) -> dict[str, str]:
    """Return the words a condition on a fact knows, by code."""
    if fact == "tags":
        return {code: str(words) for code, words in explanations.TAGS.items()}
    kind = _LISTED.get(fact)
    return {} if kind is None else {member.value: str(labels.label(member)) for member in kind}


def _count(form: Form, group: str, field: str, most: int) -> int:
    rows = [row for row in range(most) if f"{group}.{row}.{field}" in form.values]
    return rows[-1] + 1 if rows else 0


def _add(form: Form, group: str, field: str, most: int) -> None:
    row = _count(form, group, field, most)
    if row < most:
        form.values[f"{group}.{row}.{field}"] = ""


def _words() -> dict[str, Any]:
    words: dict[str, Any] = {
        "name_zh": gettext("Chinese name"),
        "name_en": gettext("English name"),
        "amount_min": gettext("Least amount"),
        "amount_max": gettext("Largest amount"),
        "months_min": gettext("Shortest tenor"),
        "months_max": gettext("Longest tenor"),
        "rate_from": gettext("Lowest annual rate"),
        "rate_to": gettext("Highest annual rate"),
        "spread_from": gettext("Lowest points over the LPR"),
        "spread_to": gettext("Highest points over the LPR"),
        "contract_ratio": gettext("Share of the contract financed"),
        "family": gettext("Family"),
        "pricing": gettext("Pricing"),
        "security": gettext("Security"),
        "summary_zh": gettext("Chinese summary"),
        "summary_en": gettext("English summary"),
    }
    for row in range(MOST_CONDITIONS):
        words[f"conditions.{row}.fact"] = gettext("Condition %(number)s", number=row + 1)
        words[f"conditions.{row}.value"] = gettext("Value of condition %(number)s", number=row + 1)
    return words
