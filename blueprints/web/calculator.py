"""The annual-cost calculator: what an offer on paper really costs a year, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, make_response, request, url_for
from werkzeug.wrappers import Response

from blueprints import access, disclosure, labels
from blueprints.access import public
from blueprints.web import calculator_form, calculator_kinds, charge_rows, what_if
from blueprints.web.calculator_form import Reading
from blueprints.web.calculator_kinds import FEES, KINDS, STEPS, SUBSIDIES, Base, Kind, Span, open_with
from blueprints.web.forms import Form
from blueprints.web.what_if import Choice, Slider, WhatIf
from market.calendar import local_date
from market.lpr import LprTable
from market.terms import LoanTerms, Priceable
from market.vocabulary import CoverKind, Interval, RentTiming
from market.what_if import list_styles
from services import lpr
from services.exchange.short_terms import MOST_DAYS

#: Who may be paid beside the lender, as payees are named in offers.
PAYEES = ("lender", "guarantor", "insurer", "platform", "agency")


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/calculator", view_func=calculator)
    page.record_once(lambda state: state.app.jinja_env.globals.update(what_if=what_if))


@public
def calculator() -> Response:
    """Price an offer as it is typed; everything stands in the address, so that it can be sent on."""
    table, values = lpr.read_table(), open_with(request.args)
    reading = _read(values, table)
    explored = None if reading.terms is None else _consider(reading, values, table)
    priced = None if explored is None else explored.study.cost
    page, status = reading.form.page(
        "public/calculator.html",
        kind=reading.kind,
        kinds=KINDS,
        words=reading.words,
        reading=reading,
        rows=_list_rows(reading, table),
        terms=reading.terms,
        priced=priced,
        nominal=getattr(reading.terms, "rate", None),
        explored=explored,
        typed=_list_typed(values, reading),
        changed={} if explored is None else _list_typed(explored.values, reading),
        cost_parts=[] if priced is None else disclosure.rows(priced),
        convention=[] if priced is None else disclosure.convention(priced.convention),
    )
    answer = make_response(page, status)
    # The address that stands above the page is one to send on: without fields that nobody filled in.
    address = _list_typed(values, reading) | what_if.list_moved(request.args)
    answer.headers["HX-Replace-Url"] = url_for("public.calculator", **address)
    return answer


def read_terms(args: Mapping[str, Any]) -> tuple[Form, Priceable | None]:
    """Return the form of a query string, with its faults, and the terms it stands for if there are none."""
    reading = _read(open_with(args), lpr.read_table())
    return reading.form, reading.terms


def _read(values: Mapping[str, Any], table: LprTable) -> Reading:
    return calculator_form.read(values, table, local_date(access.now()))


def _list_rows(reading: Reading, table: LprTable) -> dict[str, Any]:
    """Return what the fields can be, and how many there are of those that repeat."""
    today = local_date(access.now())
    return {
        "reading": reading,
        "fees": range(FEES),
        "subsidies": range(SUBSIDIES),
        "steps": range(STEPS),
        "flat": charge_rows.FLAT,
        "payees": PAYEES,
        "intervals": [(str(int(interval)), labels.label(interval)) for interval in Interval],
        "covers": list(CoverKind),
        "bases": calculator_kinds.BASES,
        "levies": calculator_kinds.LEVIES,
        "spans": calculator_kinds.SPANS,
        "lpr": table.row(today) if table.rows and table.rows[0].published_on <= today else None,
    }


def _consider(reading: Reading, values: Mapping[str, Any], table: LprTable) -> WhatIf:
    """Explore the offer, with what the sliders make of it."""

    def again(changed: Mapping[str, Any]) -> tuple[Form, Priceable | None]:
        other = _read(changed, table)
        return other.form, other.terms

    assert reading.terms is not None, "only what could be read is explored"
    return what_if.consider(reading.terms, values, _list_sliders(reading), _list_choices(reading), again)


def _list_sliders(reading: Reading) -> list[Slider]:
    """Return what can be moved: the amount, the time, the price, and the first fee."""
    kind, form, words = reading.kind, reading.form, reading.words
    sliders = [what_if.slide_amount(form, words["amount"])]
    by_dates = kind is Kind.BILL and form.value("span") == Span.DATES
    if kind in {Kind.LOAN, Kind.LEASE, Kind.COVER}:
        sliders.append(what_if.slide_months(form, words["months"]))
    elif not by_dates:
        sliders.append(what_if.slide_days(form, words["days"], MOST_DAYS))
    if form.value("base") in {Base.ONE_YEAR, Base.FIVE_YEAR} and kind in {Kind.LOAN, Kind.LEASE}:
        sliders.append(what_if.slide_spread(form, words["spread"]))
    else:
        # A cover without a price is none.
        least = what_if.PERCENT_STEP if kind is Kind.COVER else 0
        daily = kind is Kind.BRIDGE
        sliders.append(what_if.slide_rate(form, "rate", words["rate"], daily=daily, least=least))
    if kind is Kind.BILL:
        sliders.append(what_if.slide_rate(form, "fee.rate", words["fee.rate"]))
    elif kind is not Kind.COVER:
        sliders.append(what_if.slide_fee(form, FEES))
    return sliders


def _list_choices(reading: Reading) -> list[Choice]:
    """Return the style of repayment where there is one to choose."""
    kind, form, words = reading.kind, reading.form, reading.words
    if kind is Kind.LEASE:
        return [what_if.choose(form, "rent", words["rent"], _options(RentTiming))]
    if kind is not Kind.LOAN:
        return []
    assert isinstance(reading.terms, LoanTerms), "a loan was read as one"
    return [what_if.choose(form, "repayment", words["repayment"], _options(list_styles(reading.terms)))]


def _options(words: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(word.value, labels.label(word)) for word in words]


def _list_typed(values: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Return what an address has to carry: whatever was typed into our fields, and nothing of the sliders."""
    known = {"kind", *reading.words}
    typed = {name: str(value).strip() for name, value in values.items() if name in known}
    return {
        name: value for name, value in typed.items() if value and not calculator_kinds.is_idle(name, typed)
    }
