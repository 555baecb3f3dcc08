"""Signing up: a firm registers itself and its first person, and is signed in at once."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints import access, clock, languages
from blueprints.access import public
from blueprints.web.forms import Form
from market import credit_code
from market.errors import Code
from market.vocabulary import Locale
from models.user import User
from services import registration, zones

Answer = str | Response | tuple[str, int]


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/register", view_func=register, methods=["GET", "POST"])


@public
def register() -> Answer:
    """Show the form of a first-time enterprise, or register it and go on to its file."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(url_for("web.start"), 303)
    known = zones.list_all()
    form = Form(
        request.form or {"zone_id": known[0].id if known else ""},
        aliases={"name_zh": "firm_name"},
        labels={
            "firm_name": lazy_gettext("Name of the firm"),
            "zone_id": lazy_gettext("Zone"),
            "person": lazy_gettext("Your name"),
        },
    )
    if request.method == "POST":
        user = _sign_up(form)
        if user is not None and form.ok:
            access.open_session(user)
            flash(gettext("Welcome. Fill in what you know of your firm: products ask for it."), "success")
            return redirect(url_for("enterprise.firm"), 303)
    return form.page("public/register.html", zones=known)


def _sign_up(form: Form) -> User | None:
    code, firm_name = form.text("credit_code", most=40), form.text("firm_name", most=120)
    if code is not None and not credit_code.is_valid(code):
        # Said at once together with what else is wrong, not only when everything else is right.
        form.refuse(Code.BAD_CREDIT_CODE, "credit_code", value=code)
    person, username = form.text("person", most=80), form.text("username", most=80)
    zone_id = form.whole("zone_id", least=1, most=2**31)
    # A password is taken as typed: spaces at its ends may be meant.
    password = str(form.values.get("password", ""))
    if not password:
        form.refuse(Code.REQUIRED, "password")
    zone = zones.find(zone_id) if zone_id is not None else None
    return form.run(
        registration.sign_up,
        code,
        firm_name,
        username,
        password,
        zone_id=zone_id,
        now=clock.read(zone),
        passwords=current_app.extensions["passwords"],
        person=person or "",
        locale=Locale(languages.select()),
    )
