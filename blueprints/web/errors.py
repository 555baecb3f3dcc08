"""What a person sees when something is refused or fails: a sentence, the status and a way on."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from blueprints import access, messages, problem
from market.errors import MarketError


def init(app: Flask) -> None:
    """Answer refusals and errors in the form their reader expects: a page, or problem+json."""
    app.register_error_handler(MarketError, refuse)
    app.register_error_handler(CSRFError, refuse_forgery)
    app.register_error_handler(HTTPException, fail)
    app.register_error_handler(Exception, crash)


def refuse(error: MarketError) -> Response:
    """Answer a refusal that no view caught."""
    if access.is_api():
        return problem.from_refusal(error)
    if error.status == 401:
        return _ask_to_sign_in()
    return _page(error.status, messages.sentences(error))


def refuse_forgery(_error: CSRFError) -> Response:
    """Answer a form whose security token is missing, wrong or from another session."""
    return _page(400, [], kind="forgery")


def fail(error: HTTPException) -> Response:
    """Answer an HTTP error; redirects and ready-made answers pass as they are."""
    if error.response is not None:
        return cast(Response, error.response)
    if error.code is None or error.code < 400:
        return error.get_response()
    if access.is_api():
        return problem.from_http(error)
    response = _page(error.code, [])
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def crash(error: Exception) -> Response:
    """Answer a failure nobody foresaw: it is logged whole, and told in one calm sentence."""
    if current_app.testing or current_app.debug:
        raise error
    current_app.logger.exception("%s %s failed", request.method, request.path)
    return fail(InternalServerError())


def _ask_to_sign_in() -> Response:
    # Only an address can be opened again after signing in; a form that was sent cannot.
    next_address = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("web.sign_in", next=next_address)
    if request.headers.get("HX-Request"):
        # htmx would put the sign-in page into a corner of this one; the whole page has to change.
        response = make_response("", 401)
        response.headers["HX-Redirect"] = url_for("web.sign_in")
        return response
    return redirect(target, 303)


def _page(status: int, sentences: list[str], kind: str = "") -> Response:
    headline = messages.status_sentence(status)
    try:
        body = render_template("error.html", status=status, headline=headline, sentences=sentences, kind=kind)
    except Exception:
        # The layout itself may need what is broken, such as the database: say it without the layout.
        current_app.logger.exception("the error page for %s failed too", status)
        body = render_template("error_plain.html", status=status, headline=headline)
    response: Response = make_response(body, status)
    return response
