"""A person's own account: where they act, in which language, and the API tokens that act for them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import signed_in
from blueprints.web.forms import Form
from services import users

Answer = str | Response | tuple[str, int]

page = Blueprint("account", __name__)


@page.get("/account")
@signed_in
def show() -> Answer:
    """Show the account with its tokens."""
    return _show(Form())


@page.post("/account/tokens")
@signed_in
def issue_token() -> Answer:
    """Make a token that acts as the person does here; it is shown this once."""
    form = Form(request.form)
    made = form.run(users.issue_token, form.text("name", most=80), by=access.acting(), now=access.now())
    if made is None:
        return _show(form)
    return _show(Form(), token=made[1])


@page.post("/account/tokens/<int(max=2147483647):token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> Answer:
    """Revoke a token; programs that use it are refused from now on."""
    users.revoke_token(token_id, by=access.acting(), now=access.now())
    flash(gettext("The token is revoked."), "success")
    return redirect(url_for("account.show"), 303)


def _show(form: Form, token: str | None = None) -> Answer:
    response = form.page(
        "account/show.html",
        tokens=users.list_tokens(current_user.id),
        own_places=access.places(),
        token=token,
    )
    return response
