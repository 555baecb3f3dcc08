"""The members of the zone: firms and institutions, their qualifications and the whitelist."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints import explanations
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import elements, paging
from blueprints.web.forms import Form
from market.calendar import local_date
from market.vocabulary import INSTITUTION_KINDS, Capability, OrganisationKind
from models.organisation import Tag
from models.zone import Membership
from services import board_rows, limits, organisations, products

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
GROUPS: dict[str, frozenset[OrganisationKind]] = {
    "firms": frozenset({OrganisationKind.ENTERPRISE}),
    "institutions": INSTITUTION_KINDS,
    "purchasers": frozenset({OrganisationKind.PURCHASER}),
    "others": frozenset({OrganisationKind.ZONE_AUTHORITY, OrganisationKind.AGENCY}),
}
GROUP_WORDS = {
    "firms": lazy_gettext("Firms"),
    "institutions": lazy_gettext("Institutions"),
    "purchasers": lazy_gettext("Purchasers"),
    "others": lazy_gettext("Others"),
}
SORTS: dict[str, Any] = {
    "name": lambda seat: seat.organisation.name_zh,
    "joined": lambda seat: seat.joined_at,
    "kind": lambda seat: seat.organisation.kind.value,
}
COLUMNS = (
    Column(lazy_gettext("Name")),
    Column(lazy_gettext("Kind")),
    Column(lazy_gettext("Credit code")),
    Column(lazy_gettext("Industry")),
    Column(lazy_gettext("Size")),
    Column(lazy_gettext("Qualifications")),
    Column(lazy_gettext("Zone's whitelist")),
    Column(lazy_gettext("Joined"), Kind.MOMENT),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    number = "<int(max=2147483647):organisation_id>"
    page.add_url_rule("/members", view_func=member_list, endpoint="members")
    page.add_url_rule(f"/members/{number}", view_func=show_member, endpoint="members_show")
    page.add_url_rule(
        f"/members/{number}/controller",
        view_func=record_controller,
        methods=["POST"],
        endpoint="members_controller",
    )
    page.add_url_rule(
        f"/members/{number}/whitelist", view_func=whitelist, methods=["POST"], endpoint="members_whitelist"
    )
    page.add_url_rule(f"/members/{number}/tags", view_func=add_tag, methods=["POST"], endpoint="members_tag")
    page.add_url_rule(
        f"/members/{number}/tags/<int(max=2147483647):tag_id>/end",
        view_func=end_tag,
        methods=["POST"],
        endpoint="members_end_tag",
    )


@allows(*ROLES)
def member_list() -> Answer:
    """Show who takes part in the zone; filters and order stand in the address."""
    everything = organisations.list_members(acting().zone_id)
    group, wanted = request.args.get("group", ""), request.args.get("q", "").strip().lower()[:80]
    tag, listed = request.args.get("tag", ""), request.args.get("listed") == "1"
    today = local_date(now())
    rows = [
        seat
        for seat in everything
        if (group not in GROUPS or seat.organisation.kind in GROUPS[group])
        and (not listed or seat.whitelisted)
        and (not tag or tag in {each.code for each in _in_force(seat, today)})
        and (not wanted or wanted in _searchable(seat))
    ]
    part = paging.asked(SORTS, "name")
    rows.sort(key=SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        cells = [_cells(seat, today) for seat in rows]
        return spreadsheet.respond("members", request.args["export"], COLUMNS, cells)
    counts = {
        name: sum(1 for seat in everything if seat.organisation.kind in kinds)
        for name, kinds in GROUPS.items()
    }
    return render_template(
        "officer/members.html",
        page=paging.slice_rows(rows, part),
        total=len(everything),
        counts=counts,
        groups=GROUP_WORDS,
        group=group if group in GROUPS else None,
        in_force=lambda seat: _in_force(seat, today),
        tags=[(code, str(words)) for code, words in explanations.TAGS.items()],
    )


@allows(*ROLES)
def show_member(organisation_id: int) -> Answer:
    """Show one member: its file, its qualifications, its part in the market."""
    return _show(organisation_id, Form({"valid_from": local_date(now()).isoformat()}))


@allows(Capability.OFFICER)
def whitelist(organisation_id: int) -> Answer:
    """Put a firm on the zone's whitelist, or take it off."""
    listed = request.form.get("listed") == "1"
    organisations.whitelist(organisation_id, listed, by=acting(), now=now())
    flash(
        gettext("The firm is on the whitelist. Products that ask for it fit from now on.")
        if listed
        else gettext("The firm is off the whitelist."),
        "done",
    )
    return redirect(url_for("officer.members_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def record_controller(organisation_id: int) -> Answer:
    """Record who controls a member in the end."""
    form = Form(request.form, labels=_words())
    name = form.text("controller", most=120, required=False)
    row = form.run(organisations.record_controller, organisation_id, name, by=acting(), now=now())
    if row is None:
        return _show(organisation_id, form)
    flash(gettext("The controller is on record."), "done")
    return redirect(url_for("officer.members_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def add_tag(organisation_id: int) -> Answer:
    """Record a qualification."""
    form = Form(request.form, labels=_words())
    code, issuer = form.text("code", most=40), form.text("issuer", most=80)
    valid_from, valid_to = form.day("valid_from"), form.day("valid_to", required=False)
    tag = form.run(
        organisations.tag, organisation_id, code, issuer, valid_from, valid_to, by=acting(), now=now()
    )
    if tag is None:
        return _show(organisation_id, form)
    flash(gettext("The qualification is on record: %(name)s.", name=explanations.tag(tag.code)), "done")
    return redirect(url_for("officer.members_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def end_tag(organisation_id: int, tag_id: int) -> Answer:
    """Let a qualification end today."""
    form = Form(request.form, labels=_words())
    tag = form.run(organisations.end_tag, tag_id, local_date(now()), by=acting(), now=now())
    if tag is None:
        return _show(organisation_id, form)
    flash(gettext("The qualification ends today: %(name)s.", name=explanations.tag(tag.code)), "done")
    return redirect(url_for("officer.members_show", organisation_id=organisation_id), 303)


def _show(organisation_id: int, form: Form) -> Answer:
    by = acting()
    seat = organisations.find_member(organisation_id, by=by)
    lends = seat.organisation.kind in INSTITUTION_KINDS
    deals = [
        loan
        for loan in board_rows.list_loans(by)
        if organisation_id in (loan.lender_id if lends else loan.borrower_id,)
    ]
    posted = [] if lends else board_rows.list_needs(by, now(), search=seat.organisation.credit_code)
    return form.page(
        "officer/member.html",
        seat=seat,
        firm=seat.organisation,
        today=local_date(now()),
        tags=[(code, str(words)) for code, words in explanations.TAGS.items()],
        limits=limits.list_for(organisation_id) if lends else [],
        products=[row for row in products.browse(by.zone_id) if row.organisation_id == organisation_id],
        needs=posted,
        deals=deals,
        total=board_rows.sum_up(deals),
        lends=lends,
    )


def _in_force(seat: Membership, today: Any) -> list[Tag]:
    return [
        tag
        for tag in seat.organisation.tags
        if tag.valid_from <= today and (tag.valid_to is None or tag.valid_to >= today)
    ]


def _searchable(seat: Membership) -> str:
    firm = seat.organisation
    return f"{firm.name_zh} {firm.name_en or ''} {firm.credit_code} {firm.industry or ''}".lower()


def _cells(seat: Membership, today: Any) -> list[Any]:
    firm = seat.organisation
    return [
        elements.named(firm),
        firm.kind,
        firm.credit_code,
        firm.industry,
        firm.size_class,
        gettext(", ").join(explanations.tag(tag.code) for tag in _in_force(seat, today)),
        gettext("yes") if seat.whitelisted else gettext("no"),
        seat.joined_at,
    ]


def _words() -> dict[str, Any]:
    return {
        "code": gettext("Qualification"),
        "issuer": gettext("Issued by"),
        "valid_from": gettext("Valid from"),
        "valid_to": gettext("Valid to"),
        "controller": gettext("Controller"),
    }
