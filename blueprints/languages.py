"""Which language a request is answered in: Chinese first, English complete.

The order: what the person switched to in this session, what their account prefers, what the browser
asks for, Chinese. The catalogue is named ``zh`` and serves every ``zh-*``.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, Response, has_request_context, redirect, request, session
from flask_babel import Babel
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from blueprints import access
from market.vocabulary import Locale
from services import users

CATALOGUES = Path(__file__).parent / "web" / "translations"
SESSION_KEY = "language"


def init(app: Flask) -> None:
    """Set up translation, the language switch and Shanghai as the time of all pages."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", Locale.ZH.value)
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Shanghai")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(CATALOGUES))
    Babel(app, locale_selector=select)
    app.before_request(switch)
    app.after_request(_say_language)


def select() -> str:
    """Return ``zh`` or ``en`` for the current request; ``zh`` outside one."""
    if not has_request_context():
        return Locale.ZH.value
    if not access.is_api():
        chosen = session.get(SESSION_KEY) or access.preferred_language()
        if chosen in {locale.value for locale in Locale}:
            return str(chosen)
    for wanted, _quality in request.accept_languages:
        if wanted.lower().split("-")[0] in {locale.value for locale in Locale}:
            return wanted.lower().split("-")[0]
    return Locale.ZH.value


def switch() -> BaseResponse | None:
    """Answer ``?lang=en`` on any page: remember the language and show the same page without the switch."""
    wanted = request.args.get("lang")
    if request.method != "GET" or access.is_api() or wanted not in {locale.value for locale in Locale}:
        return None
    session[SESSION_KEY] = wanted
    if current_user.is_authenticated and access.preferred_language() != wanted:
        users.set_locale(current_user.id, Locale(wanted))
    rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "lang"])
    # One leading slash only: "//elsewhere" would be another host.
    return redirect("/" + request.path.lstrip("/") + (f"?{rest}" if rest else ""))


def _say_language(response: Response) -> Response:
    if response.mimetype in {"text/html", "application/problem+json"}:
        response.headers.setdefault("Content-Language", "zh-CN" if select() == "zh" else "en")
    return response
