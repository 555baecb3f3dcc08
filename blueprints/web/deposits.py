"""Deposits: what purchasers demand, what suppliers give, and the guarantees in their place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, procurement_labels
from blueprints.access import allows
from blueprints.web import paging
from blueprints.web.forms import Form
from market.calendar import local_date
from market.deposits import DepositMove
from market.procurement_vocabulary import DepositKind
from market.vocabulary import Capability
from services import award_notices, contracts, deposit_demands, deposits
from services.deposit_demands import PROJECT_MOST
from services.deposits import NOTE_MOST, NUMBER_MOST

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):deposit_id>"

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
PURCHASERS = (Capability.PURCHASER, Capability.OFFICER)
LENDERS = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
READERS = (*FIRM, *PURCHASERS, *LENDERS, Capability.AUDITOR)
#: A list to choose from shows the newest of these.
CHOICES_MOST = 200

page = Blueprint("deposits", __name__)


@page.get("/deposits", endpoint="deposits")
@allows(*READERS)
def show_list() -> Answer:
    """List the deposits one gives, holds or guarantees."""
    found = deposits.list_for(access.acting())
    zone = access.current_zone()
    return Form().page(
        "deposits/list.html",
        page=paging.slice_rows(found, paging.asked((), "")),
        abolished=zone is not None and zone.bid_deposits_abolished,
        moves={row.id: deposits.list_moves(row, by=access.acting()) for row in found},
    )


@page.route("/deposits/new", methods=["GET", "POST"], endpoint="deposits_new")
@allows(*PURCHASERS)
def demand() -> Answer:
    """Demand a deposit."""
    party = access.acting()
    names = ("project_number", "supplier_code", "award_notice_id")
    form = Form(request.form, labels={name: procurement_labels.FIELDS[name] for name in names})
    if request.method == "POST":
        entry = deposit_demands.Entry(
            kind=form.choice("kind", DepositKind),
            amount=form.wan("amount"),
            contract_id=form.whole("contract_id", required=False, least=1),
            award_notice_id=form.whole("award_notice_id", required=False, least=1),
            project_number=form.text("project_number", most=PROJECT_MOST, required=False),
            supplier_code=form.text("supplier_code", most=40, required=False),
            note=form.text("note", most=NOTE_MOST, required=False) or "",
        )
        row = form.run(deposit_demands.demand, entry, by=party, now=access.now())
        if row is not None:
            flash(gettext("The deposit is demanded; the supplier is told."), "done")
            return redirect(url_for("deposits.deposits_show", deposit_id=row.id), 303)
    zone = access.current_zone()
    abolished = zone is not None and zone.bid_deposits_abolished
    found = contracts.find_page(party, offset=0, most=CHOICES_MOST).rows
    return form.page(
        "deposits/new.html",
        kinds=[kind for kind in DepositKind if not (abolished and kind is DepositKind.BID)],
        contracts=[row for row in found if row.supplier_id is not None],
        awards=[
            row for row in award_notices.list_for(party, most=CHOICES_MOST) if row.supplier_id is not None
        ],
        abolished=abolished,
        note_most=NOTE_MOST,
    )


@page.get(f"/deposits/{NUMBER}", endpoint="deposits_show")
@allows(*READERS)
def show(deposit_id: int) -> Answer:
    """Show one deposit and what the reader can do with it."""
    return _show(deposit_id, Form({"on": local_date(access.now()).isoformat()}))


@page.post(f"/deposits/{NUMBER}/<move>", endpoint="deposits_move")
@allows(*FIRM, *PURCHASERS, Capability.INSTITUTION_APPROVER)
def change(deposit_id: int, move: str) -> Answer:
    """Do one thing with a deposit; the service says who may."""
    deposits.find(deposit_id, by=access.acting())
    names = ("guarantee_number", "guarantor_id", "why")
    form = Form(request.form, labels={name: procurement_labels.FIELDS[name] for name in names})
    form.aliases.update({"paid_on": "on", "returned_on": "on", "released_on": "on"})
    steps: dict[str, Callable[[], Any]] = {
        DepositMove.PAY: lambda: _on_day(form, deposits.record_cash, deposit_id),
        DepositMove.RETURN: lambda: _on_day(form, deposits.return_cash, deposit_id),
        DepositMove.RELEASE: lambda: _on_day(form, deposits.release, deposit_id),
        DepositMove.ASK: lambda: _ask(form, deposit_id),
        DepositMove.ISSUE: lambda: _issue(form, deposit_id),
        DepositMove.DECLINE: lambda: _decline(form, deposit_id),
    }
    step = steps.get(move)
    if step is None:
        return redirect(url_for("deposits.deposits_show", deposit_id=deposit_id), 303)
    if step() is None:
        return _show(deposit_id, form)
    flash(gettext("Done, and whom it concerns is told."), "done")
    if move == DepositMove.DECLINE:
        # Whoever declined has no part in it any more.
        return redirect(url_for("deposits.deposits"), 303)
    return redirect(url_for("deposits.deposits_show", deposit_id=deposit_id), 303)


@page.post("/deposits/bidding", endpoint="deposits_bidding")
@allows(Capability.OFFICER)
def set_bidding() -> Answer:
    """Let the zone do without deposits of bidders, or with them again."""
    form = Form(request.form)
    abolished = form.flag("abolished")
    deposit_demands.abolish_bid_deposits(abolished, by=access.acting(), now=access.now())
    flash(
        gettext("No deposit is demanded of bidders any more.")
        if abolished
        else gettext("Deposits can be demanded of bidders again."),
        "done",
    )
    return redirect(url_for("deposits.deposits"), 303)


def _show(deposit_id: int, form: Form) -> Answer:
    party = access.acting()
    row = deposits.find(deposit_id, by=party)
    moves = deposits.list_moves(row, by=party)
    form.values.setdefault("on", local_date(access.now()).isoformat())
    return form.page(
        "deposits/show.html",
        row=row,
        moves=moves,
        Move=DepositMove,
        guarantors=deposits.list_guarantors(party.zone_id, access.now()) if DepositMove.ASK in moves else [],
        number_most=NUMBER_MOST,
        note_most=NOTE_MOST,
    )


def _on_day(form: Form, verb: Callable[..., Any], deposit_id: int) -> Any:
    on: date | None = form.day("on")
    return form.run(verb, deposit_id, on, by=access.acting(), now=access.now())


def _ask(form: Form, deposit_id: int) -> Any:
    guarantor = form.whole("guarantor_id", least=1)
    return form.run(deposits.ask, deposit_id, guarantor, by=access.acting(), now=access.now())


def _issue(form: Form, deposit_id: int) -> Any:
    number, until = form.text("guarantee_number", most=NUMBER_MOST), form.day("valid_until")
    return form.run(deposits.issue, deposit_id, number, until, by=access.acting(), now=access.now())


def _decline(form: Form, deposit_id: int) -> Any:
    why = form.text("why", most=NOTE_MOST)
    return form.run(deposits.decline, deposit_id, why, by=access.acting(), now=access.now())
