"""The documentation page: Swagger UI over the OpenAPI document, from our own files, offline."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, render_template, url_for

from blueprints import access
from blueprints.access import public

#: Where the page assets are installed, within the static folder of ``web``.
VENDOR = "vendor/swagger-ui"

pages = Blueprint(
    "api_docs", __name__, url_prefix="/api", template_folder="templates", static_folder="static"
)


@pages.route("/docs")
@public
def docs() -> str:
    """Show the documentation; without page assets, say how to install them."""
    static = Path(__file__).parent.parent / "web" / "static" / VENDOR
    return render_template(
        "api_docs.html",
        installed=(static / "swagger-ui-bundle.js").exists(),
        style=url_for("web.static", filename=f"{VENDOR}/swagger-ui.css"),
        bundle=url_for("web.static", filename=f"{VENDOR}/swagger-ui-bundle.js"),
        document=url_for("api-docs.openapi_json"),
    )


def register(app: Flask) -> None:
    """Put the page into the application."""
    app.register_blueprint(pages)
    access.declare(app, "api_docs.static", access.PUBLIC)
    access.declare(app, "api-docs.openapi_json", access.PUBLIC)
