"""Admission of institutions: who may bid in the zone, on which papers, until when."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import elements, paging
from blueprints.web.forms import Form
from market.admission import WARNING_DAYS, AdmissionState
from market.vocabulary import INSTITUTION_KINDS, Capability, OrganisationKind
from services import admissions, enrolment
from services.admissions import NUMBER_MOST, REASON_MOST, Papers, Standing

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
SORTS: dict[str, Any] = {
    "name": lambda row: row.seat.organisation.name_zh,
    "kind": lambda row: row.seat.organisation.kind.value,
    "until": lambda row: (row.days_left is None, row.days_left or 0),
    "state": lambda row: list(AdmissionState).index(row.state),
}
COLUMNS = (
    Column(lazy_gettext("Institution")),
    Column(lazy_gettext("Kind")),
    Column(lazy_gettext("Credit code")),
    Column(lazy_gettext("Licence number")),
    Column(lazy_gettext("Agreement number")),
    Column(lazy_gettext("Agreement valid until"), Kind.DAY),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Reason of the suspension")),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    number = "<int(max=2147483647):organisation_id>"
    page.add_url_rule("/admissions", view_func=admission_list, endpoint="admissions")
    page.add_url_rule("/admissions/new", view_func=enrol, methods=["GET", "POST"], endpoint="admissions_new")
    page.add_url_rule(f"/admissions/{number}", view_func=show_admission, endpoint="admissions_show")
    page.add_url_rule(
        f"/admissions/{number}", view_func=record_papers, methods=["POST"], endpoint="admissions_papers"
    )
    page.add_url_rule(
        f"/admissions/{number}/suspend", view_func=suspend, methods=["POST"], endpoint="admissions_suspend"
    )
    page.add_url_rule(
        f"/admissions/{number}/reinstate",
        view_func=reinstate,
        methods=["POST"],
        endpoint="admissions_reinstate",
    )


@allows(*ROLES)
def admission_list() -> Answer:
    """Show every institution of the zone with its papers; the state asked for stands in the address."""
    everything = admissions.list_institutions(by=acting(), now=now())
    state = paging.chosen("state", AdmissionState)
    rows = [row for row in everything if state is None or row.state is state]
    part = paging.asked(SORTS, "name")
    rows.sort(key=SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "admissions", request.args["export"], COLUMNS, [_cells(row) for row in rows]
        )
    counts = {member: sum(1 for row in everything if row.state is member) for member in AdmissionState}
    return render_template(
        "officer/admissions.html",
        page=paging.slice_rows(rows, part),
        total=len(everything),
        counts=counts,
        state=state,
        states=[member for member in AdmissionState if counts[member]],
        ending=admissions.list_ending(by=acting(), now=now()),
        warning_days=WARNING_DAYS,
    )


@allows(*ROLES)
def show_admission(organisation_id: int) -> Answer:
    """Show one institution's papers and where it stands."""
    seat = admissions.find(organisation_id, by=acting(), now=now()).seat
    stored = {
        "licence_number": seat.licence_number or "",
        "agreement_number": seat.agreement_number or "",
        "agreement_until": seat.agreement_until.isoformat() if seat.agreement_until else "",
    }
    return _show(organisation_id, Form(stored))


@allows(Capability.OFFICER)
def record_papers(organisation_id: int) -> Answer:
    """Admit an institution, or record the papers that follow on those it has."""
    known = admissions.find(organisation_id, by=acting(), now=now())
    verb = admissions.admit if known.state is AdmissionState.NOT_ADMITTED else admissions.renew
    form = Form(request.form)
    papers = _read_papers(form)
    if form.run(verb, organisation_id, papers, by=acting(), now=now()) is None:
        return _show(organisation_id, form)
    flash(
        gettext("The institution is admitted: it may list products and bid from now on.")
        if verb is admissions.admit
        else gettext("The licence and the agreement are on record."),
        "done",
    )
    return redirect(url_for("officer.admissions_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def suspend(organisation_id: int) -> Answer:
    """Keep an institution from bidding, with the reason it is told."""
    form = Form(request.form)
    reason = form.text("reason", most=REASON_MOST)
    if form.run(admissions.suspend, organisation_id, reason, by=acting(), now=now()) is None:
        return _show(organisation_id, form)
    flash(gettext("The institution is suspended. Its running loans go on."), "done")
    return redirect(url_for("officer.admissions_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def reinstate(organisation_id: int) -> Answer:
    """End a suspension."""
    form = Form(request.form)
    if form.run(admissions.reinstate, organisation_id, by=acting(), now=now()) is None:
        return _show(organisation_id, form)
    flash(gettext("The suspension is over."), "done")
    return redirect(url_for("officer.admissions_show", organisation_id=organisation_id), 303)


@allows(Capability.OFFICER)
def enrol() -> Answer:
    """Take a new institution into the zone, with its licence and its agreement."""
    form = Form(request.form, labels={"name_zh": gettext("Registered name")})
    if request.method == "POST":
        kind = form.choice("kind", OrganisationKind)
        code, name = form.text("credit_code", most=40), form.text("name_zh", most=120)
        papers = _read_papers(form)
        row = form.run(enrolment.enrol, kind, code, name, papers, by=acting(), now=now())
        if row is not None:
            flash(gettext("The institution is admitted: it may list products and bid from now on."), "done")
            return redirect(url_for("officer.admissions_show", organisation_id=row.id), 303)
    kinds = [kind for kind in OrganisationKind if kind in INSTITUTION_KINDS]
    return form.page("officer/admission_new.html", kinds=kinds, number_most=NUMBER_MOST)


def _show(organisation_id: int, form: Form) -> Answer:
    standing = admissions.find(organisation_id, by=acting(), now=now())
    if form.faults and "licence_number" not in form.values:
        # The other form of the page was sent: this one shows what is on record.
        seat = standing.seat
        form.values["licence_number"] = seat.licence_number or ""
        form.values["agreement_number"] = seat.agreement_number or ""
        form.values["agreement_until"] = str(seat.agreement_until or "")
    return form.page(
        "officer/admission.html",
        standing=standing,
        seat=standing.seat,
        firm=standing.seat.organisation,
        states=AdmissionState,
        number_most=NUMBER_MOST,
        reason_most=REASON_MOST,
    )


def _read_papers(form: Form) -> Any:
    licence = form.text("licence_number", most=NUMBER_MOST)
    agreement = form.text("agreement_number", most=NUMBER_MOST)
    until = form.day("agreement_until")
    return Papers(licence, agreement, until) if form.ok else None


def _cells(row: Standing) -> list[Any]:
    seat, firm = row.seat, row.seat.organisation
    return [
        elements.named(firm),
        firm.kind,
        firm.credit_code,
        seat.licence_number,
        seat.agreement_number,
        seat.agreement_until,
        row.state,
        seat.suspended_because,
    ]
