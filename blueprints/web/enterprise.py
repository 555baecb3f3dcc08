"""The pages of a firm: what waits for it, its needs and its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web import (
    award_pages,
    consents,
    need_change,
    need_pages,
    need_wizard,
    offer_pages,
    questions,
    syndicate_pages,
)
from blueprints.web.forms import Form
from market.calendar import local_date
from market.vocabulary import Capability, SizeClass
from services import desk, fitting, organisations

Answer = str | Response | tuple[str, int]

TAX_GRADES = ("A", "B", "M", "C", "D")
#: Fields of the firm's file, in the order of the page, with the fact that products ask of it.
FACT_OF_FIELD = {
    "industry": "industry",
    "size_class": "size_class",
    "founded_on": "age_months",
    "staff_count": "staff_count",
    "annual_revenue": "annual_revenue",
    "tax_grade": "tax_grade",
}

page = Blueprint("enterprise", __name__)
need_pages.init(page)
questions.init_firm(page)
need_wizard.init(page)
need_change.init(page)
offer_pages.init(page)
award_pages.init(page)
syndicate_pages.init(page)
consents.init(page)

as_firm: Callable[[Any], Any] = allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


@page.get("/enterprise")
@as_firm
def home() -> Answer:
    """Show what waits for the firm now, the most urgent first."""
    party = access.acting()
    return render_template(
        "enterprise/home.html",
        desk=desk.read(by=party, now=access.now()),
        firm=organisations.find(int(party.organisation_id or 0)),
        today=local_date(access.now()),
    )


@page.route("/firm", methods=["GET", "POST"])
@as_firm
def firm() -> Answer:
    """Show the firm's file with what each entry is good for, or store changes to it."""
    party = access.acting()
    row = organisations.find(int(party.organisation_id or 0))
    stored = {
        "name_zh": row.name_zh,
        "name_en": row.name_en or "",
        "industry": row.industry or "",
        "size_class": row.size_class.value if row.size_class else "",
        "founded_on": row.founded_on.isoformat() if row.founded_on else "",
        "staff_count": row.staff_count if row.staff_count is not None else "",
        "annual_revenue": f"{row.annual_revenue / 1_000_000:.6f}".rstrip("0").rstrip(".")
        if row.annual_revenue is not None
        else "",
        "tax_grade": row.tax_grade or "",
        "dual_control": "1" if row.dual_control else "",
    }
    form = Form(
        request.form or stored,
        labels={
            "name_zh": lazy_gettext("Name of the firm"),
            "name_en": lazy_gettext("English name"),
            "industry": lazy_gettext("Industry"),
            "size_class": lazy_gettext("Size class"),
            "founded_on": lazy_gettext("Founded on"),
            "staff_count": lazy_gettext("Number of staff"),
            "annual_revenue": lazy_gettext("Annual revenue"),
            "tax_grade": lazy_gettext("Tax credit grade"),
        },
    )
    may_switch = party.may(Capability.ENTERPRISE_APPROVER)
    if request.method == "POST":
        profile = _read_profile(form, may_switch)
        form.run(organisations.update_profile, profile, by=party, now=access.now())
        if form.ok:
            flash(gettext("The file of your firm is saved."), "success")
            return redirect(url_for("enterprise.firm"), 303)
    asked = fitting.count_asked(party.zone_id)
    return form.page(
        "enterprise/firm.html",
        firm=row,
        tags=organisations.list_tags(row.id, local_date(access.now())),
        tax_grades=[(grade, grade) for grade in TAX_GRADES],
        sizes=tuple(SizeClass),
        asked={field: asked[fact] for field, fact in FACT_OF_FIELD.items()},
        missing=[field for field in FACT_OF_FIELD if stored[field] == ""],
        asked_tags=asked["tags"],
        may_switch=may_switch,
    )


def _read_profile(form: Form, may_switch: bool) -> dict[str, Any]:
    profile = {
        "name_zh": form.text("name_zh", most=120),
        "name_en": form.text("name_en", required=False, most=160),
        "industry": form.text("industry", required=False, most=40),
        "size_class": form.choice("size_class", SizeClass, required=False),
        "founded_on": form.day("founded_on", required=False),
        "staff_count": form.whole("staff_count", required=False, least=0, most=10_000_000),
        "annual_revenue": form.wan("annual_revenue", required=False),
        "tax_grade": form.text("tax_grade", required=False, most=1),
    }
    # Only who may confirm may say whether a second person must.
    if may_switch:
        profile["dual_control"] = form.flag("dual_control")
    return profile
