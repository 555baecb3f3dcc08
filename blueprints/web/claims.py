"""Compensation claims: opened by the lender, decided by the guarantor, paid and recovered by the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web import paging, sharing_rows
from blueprints.web.forms import Form
from market.calendar import local_date
from market.claims_vocabulary import ClaimState
from market.compensation import LENDING
from market.errors import not_found
from market.risk_sharing import Role
from market.vocabulary import Capability, ProductFamily
from models.base import db
from models.claim import CompensationClaim
from models.product import Product
from services import claim_lists, compensation_claims, guarantee_terms, guarantees, loans, products

Answer = str | Response | tuple[str, int]
INSTITUTION = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
READERS = (*INSTITUTION, Capability.OFFICER, Capability.AUDITOR)
NUMBER = "<int(max=2147483647):claim_id>"

page = Blueprint("claims", __name__)


@page.get("/claims", endpoint="claims")
@allows(*READERS)
def claims_list() -> Answer:
    """List the party's claims, and the deals of which it could claim."""
    party = access.acting()
    found = claim_lists.list_for(party)
    own = products.list_own(party) if party.is_institution else []
    covers = [row for row in own if row.family is ProductFamily.GUARANTEE]
    return render_template(
        "claims/list.html",
        page=paging.slice_rows(found, paging.asked((), "")),
        claimable=claim_lists.list_claimable(party),
        covers=covers,
        may_open=party.may(Capability.INSTITUTION_APPROVER),
        open_count=sum(1 for row in found if row.state is ClaimState.OPEN),
        paid=sum(row.payable for row in found if row.event_id is not None),
        recovered=sum(share.recovered for row in found for share in row.shares),
    )


@page.route("/deals/<int(max=2147483647):loan_id>/claim", methods=["GET", "POST"])
@allows(Capability.INSTITUTION_APPROVER)
def claims_new(loan_id: int) -> Answer:
    """Claim a loss from the guarantor of a deal."""
    party, now = access.acting(), access.now()
    loan = loans.find_own(loan_id, party)
    guarantee = guarantees.find(db.session(), loan_id)
    if guarantee is None:
        raise not_found("guarantee", loan_id)
    agreed = guarantee_terms.read_list(guarantee_terms.find(db.session(), guarantee.product_id))
    form = Form(request.form)
    if request.method == "POST":
        amount = form.yuan("amount")
        basis = form.text("basis", most=compensation_claims.MOST_TEXT)
        evidence = form.text("evidence", most=compensation_claims.MOST_TEXT)
        sharing = sharing_rows.read(form) if agreed is None else None
        claim = form.run(
            compensation_claims.open_claim,
            loan_id,
            amount,
            basis,
            evidence,
            by=party,
            now=now,
            sharing=sharing,
        )
        if claim is not None:
            flash(gettext("The claim is open. The guarantor decides on it."), "success")
            return _back(claim.id)
    return form.page(
        "claims/new.html",
        loan=loan,
        guarantee=guarantee,
        guarantor=guarantees.read_guarantor(guarantee),
        covered=compensation_claims.measure_cover(guarantee),
        agreed=agreed,
        is_own=guarantee.guarantor_id == loan.lender_id,
        rows=sharing_rows.ROWS,
        roles=list(Role),
    )


@page.get(f"/claims/{NUMBER}")
@allows(*READERS)
def claims_show(claim_id: int) -> Answer:
    """Show who bears, paid and got back what of a claim."""
    return _show(claim_id, Form())


@page.post(f"/claims/{NUMBER}/decision")
@allows(Capability.INSTITUTION_APPROVER)
def claims_decide(claim_id: int) -> Answer:
    """Accept a claim, refuse it, or close it, as its guarantor."""
    party, now = access.acting(), access.now()
    form = Form(request.form)
    decision = form.value("decision")
    if decision == "refuse":
        why = form.text("why", most=compensation_claims.MOST_TEXT)
        form.run(compensation_claims.refuse, claim_id, why, by=party, now=now)
    else:
        verb = compensation_claims.close if decision == "close" else compensation_claims.accept
        form.run(verb, claim_id, by=party, now=now)
    return _answer(form, claim_id, gettext("Decided. The other side sees it now."))


@page.post(f"/claims/{NUMBER}/payments")
@allows(*INSTITUTION)
def claims_pay(claim_id: int) -> Answer:
    """Record that a party of the list paid."""
    form = Form(request.form)
    share_id, paid_on = form.whole("share_id", least=1), form.day("paid_on")
    reference = form.text("reference", most=80)
    _run(form, compensation_claims.record_payment, claim_id, share_id, paid_on, reference)
    return _answer(form, claim_id, gettext("The payment is recorded."))


@page.post(f"/claims/{NUMBER}/recoveries")
@allows(*INSTITUTION)
def claims_recover(claim_id: int) -> Answer:
    """Record what the borrower paid after the compensation."""
    form = Form(request.form)
    amount, recovered_on = form.yuan("amount"), form.day("recovered_on")
    reference = form.text("reference", most=80)
    _run(form, compensation_claims.record_recovery, claim_id, amount, recovered_on, reference)
    return _answer(form, claim_id, gettext("Recorded, and divided by the list."))


@page.route("/shelf/<int(max=2147483647):product_id>/claim-terms", methods=["GET", "POST"])
@allows(Capability.INSTITUTION_APPROVER)
def claims_terms(product_id: int) -> Answer:
    """Say what holds for claims on a guarantee of the shelf."""
    party = access.acting()
    product = db.session.get(Product, product_id)
    if product is None or product.organisation_id != party.organisation_id:
        raise not_found("product", product_id)
    form = Form(request.form)
    if request.method == "POST":
        values = {
            "loss_cap": form.percent("loss_cap", required=False, least=0, most=100),
            "claim_after_days": form.whole("claim_after_days", required=False, least=1, most=360),
            "sharing": sharing_rows.read(form),
        }
        if form.run(guarantee_terms.set_terms, product_id, **values, by=party, now=access.now()) is not None:
            flash(gettext("Stored. It holds for claims opened from now on."), "success")
            return redirect(url_for("claims.claims"), 303)
    elif (row := guarantee_terms.find(db.session(), product_id)) is not None:
        agreed = guarantee_terms.read_list(row)
        form.values.update(sharing_rows.write(agreed) if agreed is not None else {})
        form.values["claim_after_days"] = row.claim_after_days or ""
        form.values["loss_cap"] = "" if row.loss_cap is None else f"{(row.loss_cap * 100).normalize():f}"
    guaranteed, used = guarantee_terms.sum_portfolio(db.session(), product_id)
    return form.page(
        "claims/terms.html",
        product=product,
        guaranteed=guaranteed,
        used=used,
        rows=sharing_rows.ROWS,
        roles=list(Role),
    )


def _run(form: Form, verb: Callable[..., CompensationClaim], *values: Any) -> None:
    form.run(verb, *values, by=access.acting(), now=access.now())


def _answer(form: Form, claim_id: int, said: str) -> Answer:
    if not form.ok:
        return _show(claim_id, form)
    flash(said, "success")
    return _back(claim_id)


def _show(claim_id: int, form: Form) -> tuple[str, int]:
    party = access.acting()
    claim = compensation_claims.find(claim_id, by=party)
    is_lender = claim.loan.lender_id == party.organisation_id
    is_guarantor = claim.guarantee.guarantor_id == party.organisation_id
    today = local_date(access.now()).isoformat()
    for name in ("paid_on", "recovered_on"):
        form.values.setdefault(name, today)

    def may_record(share: Any) -> bool:
        if share.role in LENDING or share.paid_on is not None or not party.may(*INSTITUTION):
            return False
        if share.role is Role.GUARANTOR:
            return is_lender and claim.state is ClaimState.ACCEPTED
        return is_guarantor and claim.state is ClaimState.PAID

    return form.page(
        "claims/show.html",
        claim=claim,
        loan=claim.loan,
        guarantor=guarantees.read_guarantor(claim.guarantee),
        is_lender=is_lender,
        recovered=sum(share.recovered for share in claim.shares),
        payable_shares=[share for share in claim.shares if may_record(share)],
        may_decide=is_guarantor
        and claim.state is ClaimState.OPEN
        and party.may(Capability.INSTITUTION_APPROVER),
        may_close=is_guarantor
        and claim.state is ClaimState.PAID
        and party.may(Capability.INSTITUTION_APPROVER),
        may_recover=is_lender and claim.state is ClaimState.PAID and party.may(*INSTITUTION),
    )


def _back(claim_id: int) -> Response:
    return redirect(url_for("claims.claims_show", claim_id=claim_id), 303)
