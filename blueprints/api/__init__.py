"""JSON: the API under ``/api/v1``, its description and its documentation page.

Callers are known by bearer tokens only. Every module holds one subject: its schemas beside its routes.
"""

from __future__ import annotations

from flask import Flask, request

from blueprints import access
from blueprints.api import (  # noqa: F401  (all but documentation add routes to others)
    account_changes,
    account_notices,
    bulk_bids,
    deal_files,
    documentation,
    early_openings,
    imports,
    justifications,
    loan_changes,
    need_changes,
    packages,
    payment_terms,
    pledges,
    proofs,
    standing_bids,
    standings,
    syndicates,
    terminations,
)
from blueprints.api.admissions import admission_routes
from blueprints.api.alerts import alert_routes
from blueprints.api.awards import award_routes
from blueprints.api.bids import bid_routes
from blueprints.api.board import board_routes
from blueprints.api.bridges import bridge_routes
from blueprints.api.bureau import bureau_routes
from blueprints.api.claims import claim_routes
from blueprints.api.contracts import contract_routes
from blueprints.api.data_consents import consent_routes
from blueprints.api.deposits import deposit_routes
from blueprints.api.description import make_api
from blueprints.api.direct_deals import direct_deal_routes
from blueprints.api.frameworks import framework_routes
from blueprints.api.lender_reports import report_routes
from blueprints.api.loans import loan_routes
from blueprints.api.needs import need_routes
from blueprints.api.notices import notice_routes
from blueprints.api.organisations import organisation_routes
from blueprints.api.outages import outage_routes
from blueprints.api.parsing import MOST_BODY
from blueprints.api.payments import payment_routes
from blueprints.api.prices import price_routes
from blueprints.api.procurement import procurement_routes
from blueprints.api.products import product_routes
from blueprints.api.questions import question_routes
from blueprints.api.receivables import receivable_routes
from blueprints.api.reference import reference_routes
from blueprints.api.reviews import review_routes
from blueprints.api.rounds import round_routes
from blueprints.api.surveillance import surveillance_routes
from blueprints.api.tokens import tokens
from blueprints.api.zones import zone_routes

#: In the order in which a reader of the documentation meets them.
SUBJECTS = (
    tokens,
    zone_routes,
    organisation_routes,
    admission_routes,
    price_routes,
    product_routes,
    need_routes,
    question_routes,
    bid_routes,
    award_routes,
    review_routes,
    loan_routes,
    direct_deal_routes,
    claim_routes,
    bridge_routes,
    contract_routes,
    bureau_routes,
    consent_routes,
    procurement_routes,
    framework_routes,
    deposit_routes,
    payment_routes,
    receivable_routes,
    report_routes,
    round_routes,
    alert_routes,
    notice_routes,
    board_routes,
    surveillance_routes,
    outage_routes,
    reference_routes,
)


def register(app: Flask) -> None:
    """Put the API into the application."""
    api = make_api(app)
    for subject in SUBJECTS:
        api.register_blueprint(subject)
    documentation.register(app)
    app.before_request(cap_body)


def cap_body() -> None:
    """Let nobody make the API read a body that no request needs."""
    if access.is_api():
        request.max_content_length = MOST_BODY
