"""The annual-cost calculator: what an offer on paper really costs a year, and its schedule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.access import public
from blueprints.web.forms import Form
from market import cost, disclosure
from market.cost import Cost
from market.errors import Code
from market.terms import Fee, LoanTerms
from market.vocabulary import FeeBasis, FeeTiming, Repayment

Answer = str | Response | tuple[str, int]

#: The calculator opens on a usual offer, so that its answer shows before anything is typed.
OPENING = {
    "amount": "100",
    "months": "12",
    "rate": "3.65",
    "repayment": Repayment.INTEREST_MONTHLY.value,
    "fee_1_rate": "0.5",
    "fee_1_when": FeeTiming.UPFRONT.value,
    "fee_1_payee": "lender",
}
#: Who may charge a fee beside the lender, as payees are named in offers.
PAYEES = ("lender", "guarantor", "insurer", "platform", "agency")
FEE_ROWS = (1, 2, 3)
_REPAYMENTS = tuple(style for style in Repayment)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/calculator", view_func=calculator)


@public
def calculator() -> Answer:
    """Price an offer as it is typed; everything stands in the address, so that it can be sent on."""
    values: MultiDict[str, Any] = MultiDict(request.args) if request.args else MultiDict(OPENING)
    form = Form(values)
    terms = _read(form)
    priced: Cost | None = form.run(cost.price, terms) if terms is not None else None
    return form.page(
        "public/calculator.html",
        terms=terms,
        priced=priced,
        cost_parts=disclosure.list_parts(priced) if priced is not None else [],
        payees=PAYEES,
        fee_rows=FEE_ROWS,
        styles=_REPAYMENTS,
        timings=tuple(FeeTiming),
        shown_fees=max(
            [
                1,
                *(
                    row
                    for row in FEE_ROWS
                    if form.value(f"fee_{row}_rate") or form.value(f"fee_{row}_amount")
                ),
            ]
        ),
    )


def _read(form: Form) -> LoanTerms | None:
    amount = form.wan("amount")
    if amount == 0:
        form.refuse(Code.TOO_SMALL, "amount", value="0", least="0.01")
    months = form.whole("months", least=1, most=360)
    rate = form.percent("rate", least=0)
    repayment = form.choice("repayment", Repayment)
    fees = [fee for row in FEE_ROWS if (fee := _read_fee(form, row)) is not None]
    if not form.ok:
        return None
    return LoanTerms(amount, months, rate, repayment, fees=tuple(fees))


def _read_fee(form: Form, row: int) -> Fee | None:
    rate = form.percent(f"fee_{row}_rate", required=False, least=0, most=100)
    amount = form.decimal(f"fee_{row}_amount", required=False, places=2, least=0, most=10**9)
    if not rate and not amount:
        return None
    when = form.choice(f"fee_{row}_when", FeeTiming, required=False) or FeeTiming.UPFRONT
    payee = form.value(f"fee_{row}_payee") or PAYEES[0]
    payee = payee if payee in PAYEES else PAYEES[0]
    if amount:
        return Fee("", when, payee, amount=int(Decimal(amount) * 100))
    return Fee("", when, payee, FeeBasis.PRINCIPAL, rate=rate)
