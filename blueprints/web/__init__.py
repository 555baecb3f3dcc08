"""HTML: the pages, their templates, static files and translations."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from blueprints import access
from blueprints.web import (  # noqa: F401  (contract_changes adds pages to contracts)
    account,
    bridges,
    claims,
    contract_changes,
    contracts,
    deal_files,
    deals,
    deposits,
    direct_deals,
    elements,
    enterprise,
    entrance,
    errors,
    health,
    institution,
    lender_reports,
    notices,
    officer,
    papers,
    payments,
    procurement,
    public,
    receivables,
    reviews,
    standings,
)

page = Blueprint(
    "web", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
)


@page.get("/favicon.ico")
@access.public
def favicon() -> Response:
    """Answer browsers that ask for the icon of a page without a head, such as a plain text."""
    return page.send_static_file("logo.svg")


entrance.init(page)
health.init(page)


def register(app: Flask) -> None:
    """Put the pages into the application."""
    elements.init(app)
    errors.init(app)
    app.context_processor(notices.context)
    app.register_blueprint(page)
    app.register_blueprint(public.page)
    app.register_blueprint(enterprise.page)
    app.register_blueprint(account.page)
    app.register_blueprint(deals.page)
    app.register_blueprint(direct_deals.page)
    app.register_blueprint(claims.page)
    app.register_blueprint(bridges.page)
    app.register_blueprint(deal_files.page)
    app.register_blueprint(reviews.page)
    app.register_blueprint(papers.page)
    app.register_blueprint(contracts.page)
    app.register_blueprint(procurement.page)
    app.register_blueprint(deposits.page)
    app.register_blueprint(notices.page)
    app.register_blueprint(payments.page)
    app.register_blueprint(receivables.page)
    app.register_blueprint(institution.page)
    app.register_blueprint(officer.page)
    app.register_blueprint(standings.page)
    app.register_blueprint(lender_reports.page)
    access.declare(app, "web.static", access.PUBLIC)
