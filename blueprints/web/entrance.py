"""Signing in and out, and choosing for whom and where to act."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints import access, clock
from blueprints.access import public, signed_in
from blueprints.web import navigation
from blueprints.web.demo_logins import LOGINS
from blueprints.web.forms import Form
from market.errors import Code, Unauthenticated
from services import users

Answer = str | Response | tuple[str, int]


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/sign-in", view_func=sign_in, methods=["GET", "POST"])
    page.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])
    page.add_url_rule("/place", view_func=choose_place, methods=["GET", "POST"])
    page.add_url_rule("/start", view_func=start)


@public
def sign_in() -> Answer:
    """Show the sign-in form, or sign in and go on to where the person was heading."""
    onward = local_address(request.values.get("next"))
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(onward or url_for("web.start"), 303)
    form = Form(request.form)
    if request.method == "POST":
        username, password = form.text("username", most=80), form.values.get("password", "")
        if not password:
            form.refuse(Code.REQUIRED, "password")
        if not form.faults:
            try:
                user = users.authenticate(
                    str(username), password, now=clock.read(), passwords=current_app.extensions["passwords"]
                )
            except Unauthenticated as error:
                form.faults.extend(error.faults)
                form.status = 422
            else:
                access.open_session(user)
                return redirect(onward or url_for("web.start"), 303)
    logins = LOGINS if current_app.config.get("DEMO") else ()
    return form.page("sign_in.html", next=onward, logins=logins)


@public
def sign_out() -> Answer:
    """End the session."""
    access.close_session()
    return redirect(url_for("web.sign_in"), 303)


@signed_in
def choose_place() -> Answer:
    """Show where the person may act, or act there from now on."""
    onward = local_address(request.values.get("next"))
    if request.method == "POST":
        zone_id = request.form.get("zone_id", type=int)
        organisation_id = request.form.get("organisation_id", type=int)
        if (
            zone_id is not None
            and organisation_id is not None
            and access.choose_place(zone_id, organisation_id)
        ):
            return redirect(onward or url_for("web.start"), 303)
    return render_template("place.html", next=onward)


@signed_in
def start() -> Answer:
    """Lead a signed-in person to the first page of their role, or to the choice of a place."""
    if access.current_place() is None:
        return redirect(url_for("web.choose_place"), 303)
    return redirect(url_for(navigation.landing() or "web.choose_place"), 303)


def local_address(text: str | None) -> str | None:
    """Return an address to go on to if it lies on this site, else None."""
    if (
        not text
        or not text.startswith("/")
        or text.startswith(("//", "/\\"))
        or any(ord(c) < 32 for c in text)
    ):
        return None
    parts = urlsplit(text)
    return text if not parts.scheme and not parts.netloc else None
