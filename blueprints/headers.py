"""Security headers on every answer.

Scripts come from our own files only: no inline script, no eval. Style *attributes* are allowed because
the chart library positions its tooltip with them; style elements are not.
"""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
A_YEAR = 365 * 24 * 60 * 60


def init(app: Flask) -> None:
    """Add the headers to every answer of the application."""
    app.after_request(protect)


def protect(response: Response) -> Response:
    """Set the headers of one answer, and how long it may be kept."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={A_YEAR}")
    if request.endpoint and request.endpoint.endswith("static"):
        # A versioned address changes with its content, so it may be kept for good.
        if "v" in request.args:
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    elif "Cache-Control" not in response.headers:
        # What one person saw must not be shown to the next by a cache or the back button.
        response.headers["Cache-Control"] = "no-store"
    return response
