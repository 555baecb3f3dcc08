"""An institution's limits: what is used and reserved of each, and the form in which they are set."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints import labels
from blueprints.access import acting, allows, now
from blueprints.web.elements import named
from blueprints.web.forms import Form
from market.bidding_vocabulary import LimitMode
from market.party import Party
from market.vocabulary import Capability, LimitScope, OrganisationKind
from models.organisation import Limit
from services import limit_settings, limits, organisations, outcomes, reservations

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: The one field of the form in which whatever a limit is for is typed.
_NAMED = "named"


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule("/limits", view_func=limit_list, methods=["GET", "POST"], endpoint="limits")


@allows(*ROLES)
def limit_list() -> Any:
    """Show how much of each limit is used and reserved; the approver sets the caps."""
    by, sealer = acting(), current_app.extensions["sealer"]
    own = by.organisation_id or 0
    rows = limits.list_for(own)
    form = _make_form(request.form if request.method == "POST" else _open_with(rows))
    if request.method == "POST":
        by.require(Capability.INSTITUTION_APPROVER)
        row = form.run(_set, own, _read(form), by=by)
        if row is not None:
            flash(gettext("The limit is set. It holds for every award from now on."), "done")
            return redirect(url_for("institution.limits"), 303)
    undecided = [
        outcome
        for outcome in outcomes.list_own(by, sealer=sealer)
        if outcome.bid.state.value in {"sealed", "posted", "live", "held"}
    ]
    return form.page(
        "institution/limits.html",
        limits=rows,
        words={row.id: describe(row) for row in rows},
        reserved=reservations.sum_reserved(rows, now=now(), sealer=sealer),
        total=next((row for row in rows if row.scope is LimitScope.TOTAL), None),
        asked=sum(outcome.amount or 0 for outcome in undecided),
        asked_count=len(undecided),
        scopes=_list_scopes(),
        modes=[LimitMode.SHARED] if _guarantees() else list(LimitMode),
        guarantees=_guarantees(),
    )


def describe(row: Limit) -> str:
    """Return in words what a limit caps, with the name of what it is for."""
    scope = str(labels.label(row.scope))
    if row.scope is LimitScope.SECTOR:
        return gettext("%(scope)s: %(name)s", scope=scope, name=row.sector)
    number = row.firm_id or row.purchaser_id
    return (
        scope
        if number is None
        else gettext("%(scope)s: %(name)s", scope=scope, name=named(organisations.find(number)))
    )


def _make_form(values: Any) -> Form:
    words = {
        "scope": gettext("What is limited"),
        _NAMED: gettext("Which one"),
        "cap": gettext("Cap"),
        "mode": gettext("How bids take headroom"),
    }
    aliases = {field: _NAMED for field in (*limit_settings.NAMES.values(), "credit_code")}
    return Form(values, labels=words, aliases=aliases)


def _open_with(rows: list[Limit]) -> dict[str, Any]:
    """Return what the form shows at first: the limit that the address names, or an empty one."""
    number = request.args.get("limit", type=int)
    row = next((one for one in rows if one.id == number), None)
    if row is None:
        usual = LimitMode.SHARED if _guarantees() else LimitMode.RESERVED
        return {"scope": LimitScope.TOTAL.value, "mode": usual.value}
    organisation_id = row.firm_id or row.purchaser_id
    code = organisations.find(organisation_id).credit_code if organisation_id is not None else ""
    wan, rest = divmod(row.cap, 1_000_000)
    return {
        "scope": row.scope.value,
        _NAMED: row.sector or code,
        "cap": f"{wan}.{rest:06d}".rstrip("0").rstrip("."),
        "mode": row.mode.value,
    }


def _read(form: Form) -> dict[str, Any]:
    """Return what the form says of a limit; its faults say whether that is all."""
    scope = form.choice("scope", LimitScope) if form.value("scope") else LimitScope.TOTAL
    mode = form.choice("mode", LimitMode) if form.value("mode") else None
    is_free = scope is LimitScope.LEVERAGE and not str(form.value("cap")).strip()
    cap = None if is_free else form.wan("cap")
    field = limit_settings.NAMES.get(scope) if scope is not None else None
    text = form.text(_NAMED, required=field is not None, most=40)
    return {"scope": scope, "cap": cap, "mode": mode, "field": field, "text": text}


def _set(own: int, wanted: dict[str, Any], *, by: Party) -> Limit:
    field, text = wanted["field"], wanted["text"]
    named: dict[str, Any] = {}
    if field is not None:
        named[field] = text if field == "sector" else limit_settings.find_by_code(text)
    return limit_settings.set_limit(
        own, wanted["scope"], wanted["cap"], by=by, now=now(), mode=wanted["mode"], **named
    )


def _list_scopes() -> list[LimitScope]:
    return [scope for scope in LimitScope if scope is not LimitScope.LEVERAGE or _guarantees()]


def _guarantees() -> bool:
    return acting().kind is OrganisationKind.GUARANTOR
