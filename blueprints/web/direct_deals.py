"""Deals closed off the platform: the lender records one, the firm says whether there is such a deal."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web import paging
from blueprints.web.forms import Form
from market.ledger.book import Policy
from market.lending_vocabulary import AllocationOrder, DealKind, PrepaymentEffect
from market.money import yuan
from market.vocabulary import Capability, RentTiming, Repayment
from services import direct_deals

Answer = str | Response | tuple[str, int]
LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
NUMBER = "<int(max=2147483647):loan_id>"
#: Where a fault of the terms belongs on the form.
ALIASES = {
    "borrower": "borrower",
    "terms.principal": "amount",
    "terms.amount": "amount",
    "terms.months": "months",
    "terms.days": "days",
    "terms.rate": "rate",
    "terms.daily_rate": "rate",
    "terms.face": "face",
    "terms.advance": "advance",
    "terms.repayment": "repayment",
    "terms.fees[0].rate": "fee",
    "policy.penalty_rate": "penalty_rate",
}
LABELS = {
    "borrower": lazy_gettext("Firm's credit code"),
    "fee": lazy_gettext("Fee a year"),
    "face": lazy_gettext("Receivable"),
    "advance": lazy_gettext("Share paid out"),
}

page = Blueprint("direct_deals", __name__)


@page.get("/direct-deals", endpoint="direct_deals")
@allows(*LENDER, *FIRM, Capability.OFFICER, Capability.AUDITOR)
def direct_deals_list() -> Answer:
    """List the deals that wait for a borrower's word."""
    party = access.acting()
    found = direct_deals.list_waiting(party)
    return render_template(
        "direct_deals/list.html",
        page=paging.slice_rows(found, paging.asked((), "")),
        is_lender=party.may(*LENDER),
        may_decide=lambda loan: direct_deals.may_decide(loan, party),
        may_take_back=lambda loan: loan.lender_id == party.organisation_id and party.may(*LENDER),
    )


@page.route("/direct-deals/new", methods=["GET", "POST"])
@allows(*LENDER)
def direct_deals_new() -> Answer:
    """Record a deal; what is asked depends on its kind, which stands in the address."""
    party = access.acting()
    kinds = direct_deals.KINDS.get(party.kind, ()) if party.kind is not None else ()
    chosen = request.args.get("kind")
    kind = next((one for one in kinds if one.value == chosen), kinds[0])
    form = Form(request.form, aliases=ALIASES, labels=LABELS)
    if request.method == "POST":
        draft = _read(form, kind)
        loan = form.run(direct_deals.record, draft, by=party, now=access.now()) if draft else None
        if loan is not None:
            flash(
                gettext("Recorded. It counts once %(firm)s confirms it.", firm=loan.borrower.name_zh),
                "success",
            )
            return redirect(url_for("direct_deals.direct_deals"), 303)
    return form.page(
        "direct_deals/new.html",
        kind=kind,
        kinds=kinds,
        repayments=list(Repayment),
        rents=list(RentTiming),
        allocations=list(AllocationOrder),
        effects=list(PrepaymentEffect),
    )


@page.post(f"/direct-deals/{NUMBER}/decision")
@allows(*FIRM, *LENDER)
def direct_deals_decide(loan_id: int) -> Answer:
    """Confirm a deal, refuse it, or take it back."""
    party, now = access.acting(), access.now()
    form = Form(request.form)
    if form.value("decision") == "confirm":
        loan = form.run(direct_deals.confirm, loan_id, by=party, now=now)
        said = gettext("Confirmed. The lender can pay it out now.")
    else:
        loan = form.run(direct_deals.refuse, loan_id, form.value("why"), by=party, now=now)
        said = gettext("Done. There is no such deal any more.")
    if loan is not None:
        flash(said, "success")
    else:
        for _, sentence in form.summary:
            flash(sentence, "error")
    return redirect(url_for("direct_deals.direct_deals"), 303)


def _read(form: Form, kind: DealKind) -> direct_deals.Draft | None:
    """Return what was typed as a draft, or None where something of it cannot be read."""
    borrower, evidence = (
        form.text("borrower", most=40),
        form.text("evidence", most=direct_deals.MOST_EVIDENCE),
    )
    amount = form.wan("amount")
    terms, months = _read_terms(form, kind, amount or 0)
    grace, penalty = form.whole("grace_days", required=False), form.percent("penalty_rate", required=False)
    allocation = form.choice("allocation", AllocationOrder, required=False)
    prepayment = form.choice("prepayment", PrepaymentEffect, required=False)
    if not form.ok:
        return None
    policy = Policy(
        grace_days=grace or 0,
        penalty_rate=penalty,
        allocation=allocation or AllocationOrder.FEES_FIRST,
        prepayment=prepayment or PrepaymentEffect.NEXT,
        is_revolving=(terms or {}).get("repayment") == Repayment.REVOLVING,
    )
    return direct_deals.Draft(kind, borrower, amount, evidence, terms, months, policy)


def _read_terms(form: Form, kind: DealKind, amount: int) -> tuple[dict[str, Any] | None, int | None]:
    """Return the terms of a kind as they are stored, and the months of what has none."""
    if kind is DealKind.FUND:
        return None, form.whole("months", least=1, most=direct_deals.MOST_MONTHS)
    terms: dict[str, Any] = {"kind": direct_deals.TERMS[kind]}
    if kind in (DealKind.BRIDGE, DealKind.FACTORING):
        terms["days"] = form.whole("days", least=1)
    else:
        terms["months"] = form.whole("months", least=1, most=direct_deals.MOST_MONTHS)
    if kind is DealKind.GUARANTEE:
        terms["amount"] = yuan(amount)
        fee = {"name": gettext("guarantee fee"), "when": "yearly", "payee": "guarantor"}
        terms["fees"] = [{**fee, "rate": _written(form.percent("fee", least=0, most=100))}]
        return terms, None
    rate = _written(form.percent("rate", least=0, most=100))
    if kind is DealKind.BRIDGE:
        return {**terms, "principal": yuan(amount), "daily_rate": rate}, None
    terms["rate"] = rate
    if kind is DealKind.FACTORING:
        advance = _written(form.percent("advance", least=1, most=100))
        return {**terms, "face": yuan(form.wan("face") or 0), "advance": advance}, None
    terms["principal"] = yuan(amount)
    if kind is DealKind.LEASE:
        rent = form.choice("rent", RentTiming)
        return {**terms, "rent": rent.value if rent else ""}, None
    repayment = form.choice("repayment", Repayment)
    return {**terms, "repayment": repayment.value if repayment else ""}, None


def _written(rate: Any) -> str:
    return "0" if rate is None else f"{rate:f}"
