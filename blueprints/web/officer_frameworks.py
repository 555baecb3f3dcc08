"""Framework agreements and the rules of procurement: what the zone's officer signs and puts on record."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints import procurement_labels
from blueprints.access import acting, allows, current_zone, now
from blueprints.web import paging
from blueprints.web.forms import Form
from market import procurement_rules as rules
from market.calendar import local_date
from market.procurement_vocabulary import Favoured, ProcurementObject, ProcurementRuleKind
from market.vocabulary import Capability
from services import admissions, frameworks, procurement_rules
from services.frameworks import NUMBER_MOST, TEXT_MOST, WARNING_DAYS

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
NUMBER = "<int(max=2147483647):agreement_id>"
_RULE_FIELDS = (
    *("kind", "object", "favoured", "low", "high", "amount_from", "amount_to"),
    *("valid_from", "valid_to", "issuer", "document", "source"),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/frameworks", view_func=show_frameworks, endpoint="frameworks")
    page.add_url_rule("/frameworks/sign", view_func=sign, methods=["POST"], endpoint="frameworks_sign")
    page.add_url_rule(
        "/frameworks/require", view_func=require, methods=["POST"], endpoint="frameworks_require"
    )
    page.add_url_rule(f"/frameworks/{NUMBER}/end", view_func=end, methods=["POST"], endpoint="frameworks_end")
    page.add_url_rule("/procurement-rules", view_func=show_rules, endpoint="procurement_rules")
    page.add_url_rule(
        "/procurement-rules/add", view_func=add_rule, methods=["POST"], endpoint="procurement_rules_add"
    )


@allows(*ROLES)
def show_frameworks() -> Answer:
    """Show every agreement, whether the zone asks for one, and the form for another."""
    return _show_frameworks(Form())


@allows(Capability.OFFICER)
def sign() -> Answer:
    """Put an agreement on record."""
    form = Form(request.form, labels=_labels("number", "valid_from", "evidence"))
    entry = frameworks.Entry(
        number=form.text("number", most=NUMBER_MOST),
        valid_from=form.day("valid_from"),
        valid_until=form.day("valid_until"),
        evidence=form.text("evidence", most=TEXT_MOST),
    )
    number = form.whole("organisation_id", least=1)
    if form.run(frameworks.sign, number, entry, by=acting(), now=now()) is None:
        return _show_frameworks(form)
    flash(gettext("The agreement is on record."), "done")
    return redirect(url_for("officer.frameworks"), 303)


@allows(Capability.OFFICER)
def end(agreement_id: int) -> Answer:
    """End an agreement early, for a reason that the institution is told."""
    name = f"reason.{agreement_id}"
    form = Form(request.form, aliases={"reason": name}, labels={name: gettext("Reason")})
    reason = form.text(name, most=TEXT_MOST)
    if form.run(frameworks.end, agreement_id, reason, by=acting(), now=now()) is None:
        return _show_frameworks(form)
    flash(gettext("The agreement is ended. Bids placed and loans made before stay."), "done")
    return redirect(url_for("officer.frameworks"), 303)


@allows(Capability.OFFICER)
def require() -> Answer:
    """Let the zone ask for agreements, or not."""
    form = Form(request.form)
    required = form.flag("required")
    if form.run(frameworks.require_frameworks, required, by=acting(), now=now()) is None:
        return _show_frameworks(form)
    flash(
        gettext("From now on contract loans are offered under a framework agreement only.")
        if required
        else gettext("Contract loans are offered without a framework agreement, too."),
        "done",
    )
    return redirect(url_for("officer.frameworks"), 303)


@allows(*ROLES)
def show_rules() -> Answer:
    """Show the rules in force on a day; the day stands in the address."""
    return _show_rules(Form())


@allows(Capability.OFFICER)
def add_rule() -> Answer:
    """Add a rule of the zone."""
    form = Form(request.form, labels=_labels(*_RULE_FIELDS))
    entry = procurement_rules.Entry(
        kind=form.choice("kind", ProcurementRuleKind),
        object=form.choice("object", ProcurementObject),
        favoured=form.choice("favoured", Favoured),
        low=form.percent("low", required=False, least=0, most=100),
        high=form.percent("high", required=False, least=0, most=100),
        amount_from=form.wan("amount_from", required=False),
        amount_to=form.wan("amount_to", required=False),
        valid_from=form.day("valid_from"),
        valid_to=form.day("valid_to", required=False),
        issuer=form.text("issuer", most=120),
        document=form.text("document", most=120),
        source=form.text("source", most=300, required=False) or "",
    )
    if form.run(procurement_rules.add, entry, by=acting(), now=now()) is None:
        return _show_rules(form)
    flash(gettext("The rule is on record and goes before the nation's from its first day."), "done")
    return redirect(url_for("officer.procurement_rules"), 303)


def _show_frameworks(form: Form) -> Answer:
    by, today = acting(), local_date(now())
    rows = frameworks.list_for(by)
    zone = current_zone()
    institutions = [standing.seat.organisation for standing in admissions.list_institutions(by=by, now=now())]
    return form.page(
        "officer/frameworks.html",
        page=paging.slice_rows(rows, paging.asked((), "")),
        today=today,
        in_force=frameworks.is_in_force,
        required=zone is not None and zone.framework_required,
        institutions=institutions,
        warning_days=WARNING_DAYS,
        number_most=NUMBER_MOST,
        text_most=TEXT_MOST,
    )


def _show_rules(form: Form) -> Answer:
    on = _read_day(request.args.get("on", "")) or local_date(now())
    zone_id = acting().zone_id
    held = procurement_rules.read(zone_id)
    return form.page(
        "officer/procurement_rules.html",
        on=on,
        rules=rules.list_in_force(held, on),
        others=sum(1 for rule in held if not rule.holds(on)),
        kinds=list(ProcurementRuleKind),
        objects=list(ProcurementObject),
        favoured=list(Favoured),
    )


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _labels(*names: str) -> dict[str, Any]:
    return {name: procurement_labels.FIELDS[name] for name in names if name in procurement_labels.FIELDS}
