"""One valid row of every table that has laws, and for each law a change that breaks it and nothing else.

A CHECK is broken by changing the row; a unique law by a second row that differs only where it must.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.models import laws_claims as claims
from tests.models import laws_ladder, laws_procurement, laws_reports
from tests.models import laws_lending as lending
from tests.models.laws_payments import PAYMENT_CHECKS, PAYMENT_ROWS, PAYMENT_UNIQUE, PLAIN_PAYMENT
from tests.models.laws_receivables import (
    OF_LOANS,
    OF_NEEDS,
    RECEIVABLE_CHECKS,
    RECEIVABLE_FREE,
    RECEIVABLE_UNIQUE,
    RECEIVABLES,
)

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
DAY = date(2026, 11, 20)
ZONE = FIRM = NEED = PRODUCT = USER = CONTRACT = ROUND = AWARD = LOAN = BID = 1001
BANK = OTHER = SEALED = 1002
RATE = 4_000_000

Values = dict[str, Any]

#: What every bid says of the round and the need that it came into.
PLACED: Values = {"round_number": 1, "revision": 1, "posted": False, "syndicated": False, "holds": False}

#: In the order in which they can be stored.
ROWS: list[tuple[str, Values]] = [
    ("lpr_rows", {"published_on": date(2030, 1, 20), "one_year": RATE, "five_year": RATE}),
    *(
        (
            "organisations",
            {"id": key, "kind": kind, "credit_code": f"91990000MA000{key}X", "name_zh": kind}
            | {"tax_grade": "A", "staff_count": 1, "annual_revenue": 1, "dual_control": False}
            | {"created_at": NOW},
        )
        for key, kind in ((FIRM, "enterprise"), (BANK, "bank"))
    ),
    *(
        ("users", {"id": key, "username": f"u{key}", "name": "张三", "active": True, "created_at": NOW})
        for key in (USER, OTHER)
    ),
    (
        "zones",
        {"id": ZONE, "code": "laws", "name_zh": "区", "name_en": "Zone", "is_default": False}
        | {"is_sandbox": True, "clock_offset_seconds": 5, "minimum_bids": 3, "acceptance_days": 3}
        | {"review_days": 5, "improvement_bps": 5, "outage_minutes": 15}
        | {"matching_times": "", "created_at": NOW, **laws_procurement.ZONE_VALUES},
    ),
    *(
        (
            "memberships",
            {"id": key, "zone_id": ZONE, "organisation_id": key, "joined_at": NOW, "whitelisted": False},
        )
        for key in (FIRM, BANK)
    ),
    (
        "roles",
        {
            "id": 1001,
            "user_id": USER,
            "zone_id": ZONE,
            "organisation_id": FIRM,
            "capability": "enterprise_maker",
        },
    ),
    (
        "api_tokens",
        {"id": 1001, "user_id": USER, "zone_id": ZONE, "organisation_id": FIRM, "name": "t", "prefix": "cuo_"}
        | {"token_hash": "a" * 64, "created_at": NOW},
    ),
    (
        "tags",
        {"id": 1001, "organisation_id": FIRM, "code": "high_tech", "issuer": "科技局", "valid_from": DAY}
        | {"valid_to": DAY},
    ),
    *(
        (
            "limits",
            {"id": key, "organisation_id": BANK, "scope": scope, "mode": "reserved", "cap": 10, "used": 5}
            | named,
        )
        for key, scope, named in (
            (1001, "total", {}),
            (1002, "firm", {"firm_id": FIRM}),
            (1003, "sector", {"sector": "C39"}),
            (1004, "purchaser", {"purchaser_id": FIRM}),
            (1005, "leverage", {}),
        )
    ),
    (
        "products",
        {"id": PRODUCT, "zone_id": ZONE, "organisation_id": BANK, "name_zh": "贷", "name_en": "Loan"}
        | {"family": "innovation", "offer": "loan", "pricing": "fixed", "rate_from": RATE, "rate_to": RATE}
        | {
            "spread_from": 1,
            "spread_to": 2,
            "amount_min": 1,
            "amount_max": 2,
            "months_min": 1,
            "months_max": 2,
        }
        | {"repayment": "bullet", "security": "unsecured", "contract_ratio": RATE, "deducts_retention": False}
        | {"fees": [], "subsidies": [], "conditions": [], "summary_zh": "", "summary_en": "", "listed": True}
        | {"created_at": NOW},
    ),
    (
        "contracts",
        {"id": CONTRACT, "zone_id": ZONE, "process_id": "P", "contract_id": "C", "number": "C", "title": ""}
        | {"supplier_code": "91990000MA0001001X", "retention": 0, "payment_days": 30, "obstacles": []}
        | {"source": "form", "stage": "signed", "created_at": NOW, "updated_at": NOW}
        | {"pay_when_paid": False},
    ),
    (
        "contract_revisions",
        {"id": 1001, "contract_id": CONTRACT, "number": 1, "replaced_at": NOW, "former": {}},
    ),
    ("planned_payments", {"id": 1001, "contract_id": CONTRACT, "number": 1, "due_on": DAY, "amount": 1}),
    (
        "purchaser_payments",
        {"id": 1001, "contract_id": CONTRACT, "transaction_id": "T", "amount": 5, "recorded_at": NOW}
        | PLAIN_PAYMENT,
    ),
    *PAYMENT_ROWS,
    (
        "contract_steps",
        {
            "id": 1001,
            "contract_id": CONTRACT,
            "stage": "account_locked",
            "happened_on": DAY,
            "evidence": "协议",
        }
        | {"details": {}, "needs_confirmation": True, "recorded_by": USER, "recorded_at": NOW}
        | {"confirmed_by": OTHER, "confirmed_at": NOW},
    ),
    *RECEIVABLES,
    (
        "import_jobs",
        {"id": 1001, "zone_id": ZONE, "file_name": "f", "started_at": NOW, "imported": 0, "updated": 0}
        | {"rejected": 0, "format": "ocds", "state": "running", "notices": 0, "notices_refused": 0}
        | {"bytes_read": 0, "bytes_total": 9, "parts": 0, "findings": 0, "run": 1, "cancel_requested": False},
    ),
    ("import_files", {"job_id": 1001, "content": b"{}"}),
    (
        "needs",
        {"id": NEED, "zone_id": ZONE, "organisation_id": FIRM, "state": "awarded", "purpose": "equipment"}
        | {"description": "", "amount": 5, "months": 12, "securities": [], "accepts": [], "minimum_bids": 3}
        | {
            "joins_matching": True,
            "shows_name": False,
            "last_receipt": 2,
            "created_by": USER,
            "created_at": NOW,
        }
        | {"published_at": NOW, "closes_at": LATER, "closed_at": LATER, "bid_policy": "sealed"}
        | {"round_count": 1, "round_hours": 24, "few_bids": "offer", "visibility": "all", "revision": 1}
        | {"syndicated": False},
    ),
    *OF_NEEDS,
    (
        "bid_rounds",
        {"id": 1001, "need_id": NEED, "number": 1, "opened_at": NOW, "closes_at": LATER, "closed_at": LATER}
        | {"extensions": 0, "opened_early": False},
    ),
    ("audiences", {"id": 1001, "need_id": NEED, "organisation_id": BANK}),
    (
        "need_changes",
        {"id": 1001, "need_id": NEED, "revision": 2, "differences": [], "voided_count": 0}
        | {"changed_by": USER, "changed_at": NOW},
    ),
    (
        "questions",
        {"id": 1001, "need_id": NEED, "organisation_id": BANK, "asked_by": OTHER, "asked_at": NOW}
        | {"text": "?"},
    ),
    (
        "early_openings",
        {"id": 1001, "need_id": NEED, "reason": "紧急", "asked_by": USER, "asked_at": NOW},
    ),
    (
        "outages",
        {"id": 1001, "zone_id": ZONE, "started_at": NOW, "ended_at": LATER, "trigger": "clock", "reason": ""}
        | {"moved": [], "recorded_at": LATER},
    ),
    (
        "standing_bids",
        {"id": 1001, "zone_id": ZONE, "organisation_id": BANK, "product_id": PRODUCT, "rate": RATE}
        | {"floor_rate": RATE, "cap": 5, "daily_budget": 10, "spent": 5, "is_firm": True}
        | {"created_by": OTHER, "created_at": NOW},
    ),
    (
        "bids",
        {"id": BID, "need_id": NEED, "organisation_id": BANK, "product_id": PRODUCT, "placed_by": USER}
        | {"state": "won", "receipt_number": 1, "receipt_at": NOW, "receipt_hash": "a" * 64, "seal": b"."}
        | {"valid_until": LATER, "terms": {}, "amount": 5, "months": 12, "effective": RATE, "rank": 1}
        | {"opened_at": LATER, **PLACED},
    ),
    (
        "bids",
        {"id": SEALED, "need_id": NEED, "organisation_id": BANK, "product_id": PRODUCT, "placed_by": USER}
        | {
            "state": "withdrawn",
            "receipt_number": 2,
            "receipt_at": NOW,
            "receipt_hash": "b" * 64,
            "seal": b".",
        }
        | {"valid_until": LATER, **PLACED},
    ),
    ("justifications", {"id": 1001, "bid_id": BID, "grounds": {}, "asked_at": NOW, "due_at": LATER}),
    (
        "matching_rounds",
        {"id": ROUND, "zone_id": ZONE, "slot": "S", "trigger": "clock", "scheduled_at": NOW, "opened_at": NOW}
        | {"settled_at": NOW, "state": "settled", "fence": 1, "inputs": {}, "inputs_hash": "a" * 64}
        | {"need_count": 1, "placed_count": 1, "placed_amount": 1},
    ),
    (
        "proposals",
        {"id": 1001, "round_id": ROUND, "need_id": NEED, "bid_id": BID, "state": "proposed", "why": {}},
    ),
    (
        "awards",
        {"id": AWARD, "need_id": NEED, "bid_id": BID, "state": "confirmed", "two_people": True}
        | {"syndicated": False}
        | {"shown_hash": "a" * 64, "accepted_by": USER, "accepted_at": NOW, "confirmed_by": OTHER}
        | {"confirmed_at": NOW},
    ),
    (
        "loans",
        {
            "id": LOAN,
            "zone_id": ZONE,
            "award_id": AWARD,
            "lender_id": BANK,
            "borrower_id": FIRM,
            "kind": "loan",
        }
        | {"state": "drawn", "principal": 5, "months": 12, "outstanding": 5, "effective": RATE, "terms": {}}
        | {"approved_at": NOW, "drawn_on": DAY, **lending.KEPT},
    ),
    *OF_LOANS,
    (
        "guarantees",
        {"id": 1001, "loan_id": LOAN, "guarantor_id": BANK, "firm_id": FIRM, "product_id": PRODUCT}
        | {"amount": 5, "weighted": 5, "given_at": NOW, "uncovered": 0, "compensated": 0},
    ),
    ("reviews", {"id": 1001, "loan_id": LOAN, "opened_at": NOW, "due_at": LATER}),
    ("review_requests", {"id": 1001, "review_id": 1001, "what": "报表", "asked_by": OTHER, "asked_at": NOW}),
    (
        "instalments",
        {"id": 1001, "loan_id": LOAN, "number": 1, "due_on": DAY, "principal": 5, "interest": 5, "fees": 5}
        | {"balance": 0, "paid_principal": 0, "paid_interest": 0, "paid_fees": 0}
        | {"penalty": 5, "paid_penalty": 0},
    ),
    *lending.BEFORE_RECEIPTS,
    (
        "repayments",
        {"id": 1001, "loan_id": LOAN, "reference": "R", "source": "borrower", "paid_on": DAY, "amount": 6}
        | {"event_id": lending.EVENT, "penalty": 0, "recovered": 0}
        | {"fees": 1, "interest": 1, "principal": 2, "remainder": 2, "recorded_at": NOW},
    ),
    (
        "alerts",
        {"id": 1001, "zone_id": ZONE, "kind": "overpaid", "subject": "s", "details": {}, "raised_at": NOW},
    ),
    *lending.NOTICES,
    *laws_ladder.ROWS,
    *laws_procurement.ROWS,
    *claims.ROWS,
    *laws_reports.ROWS,
]

#: Law (a CHECK): the row it is tried on, and what breaks it.
CHECKS: list[tuple[str, int | date, Values]] = [
    *PAYMENT_CHECKS,
    ("ck_lpr_rows_rates_sign", date(2030, 1, 20), {"one_year": 0}),
    ("ck_organisations_credit_code_length", FIRM, {"credit_code": "91990000MA"}),
    ("ck_organisations_annual_revenue_sign", FIRM, {"annual_revenue": -1}),
    ("ck_organisations_staff_count_sign", FIRM, {"staff_count": -1}),
    ("ck_organisations_tax_grade_known", FIRM, {"tax_grade": "E"}),
    ("ck_zones_only_sandbox_moves_clock", ZONE, {"is_sandbox": False}),
    ("ck_zones_clock_never_goes_back", ZONE, {"clock_offset_seconds": -1}),
    ("ck_zones_acceptance_days_range", ZONE, {"acceptance_days": 31}),
    ("ck_zones_minimum_bids_range", ZONE, {"minimum_bids": 10}),
    ("ck_zones_review_days_range", ZONE, {"review_days": 61}),
    ("ck_zones_improvement_bps_range", ZONE, {"improvement_bps": 0}),
    ("ck_zones_outage_minutes_range", ZONE, {"outage_minutes": 1441}),
    ("ck_memberships_suspension_has_reason", BANK, {"suspended_at": NOW}),
    ("ck_memberships_suspension_has_reason", BANK, {"suspended_because": "协议到期"}),
    ("ck_outages_ends_after_start", 1001, {"ended_at": NOW}),
    ("ck_outages_trigger_known", 1001, {"trigger": "anybody"}),
    ("ck_contracts_payment_days_statutory", CONTRACT, {"payment_days": 61}),
    ("ck_contracts_retention_sign", CONTRACT, {"retention": -1}),
    ("ck_contracts_supplier_code_length", CONTRACT, {"supplier_code": "9199"}),
    ("ck_import_jobs_counts_sign", 1001, {"rejected": -1}),
    ("ck_import_jobs_notices_sign", 1001, {"notices": -1}),
    ("ck_import_jobs_bytes_range", 1001, {"bytes_read": 10}),
    ("ck_import_jobs_position_sign", 1001, {"run": 0}),
    ("ck_import_jobs_end_has_time", 1001, {"state": "done"}),
    ("ck_import_jobs_end_has_time", 1001, {"finished_at": NOW}),
    ("ck_import_files_content_given", 1001, {"content": b""}),
    ("ck_limits_used_sign", 1001, {"used": -1}),
    ("ck_limits_used_within_cap", 1001, {"used": 11}),
    ("ck_limits_used_within_cap", 1001, {"cap": 4}),
    ("ck_limits_firm_scope_names_firm", 1001, {"firm_id": FIRM}),
    ("ck_limits_firm_scope_names_firm", 1002, {"firm_id": None}),
    ("ck_limits_sector_scope_names_sector", 1001, {"sector": "C39"}),
    ("ck_limits_sector_scope_names_sector", 1003, {"sector": None}),
    ("ck_limits_purchaser_scope_names_purchaser", 1001, {"purchaser_id": FIRM}),
    ("ck_limits_purchaser_scope_names_purchaser", 1004, {"purchaser_id": None}),
    ("ck_matching_rounds_settled_has_time", ROUND, {"settled_at": None}),
    ("ck_matching_rounds_trigger_known", ROUND, {"trigger": "anybody"}),
    ("ck_tags_validity_order", 1001, {"valid_to": DAY - timedelta(days=1)}),
    ("ck_contract_steps_two_people", 1001, {"confirmed_by": USER}),
    ("ck_contract_steps_confirmation_whole", 1001, {"confirmed_at": None}),
    ("ck_contract_steps_confirmation_whole", 1001, {"confirmed_by": None}),
    ("ck_contract_steps_undoing_whole", 1001, {"undone_at": NOW}),
    ("ck_contract_steps_undoing_whole", 1001, {"undone_why": "账号有误"}),
    *RECEIVABLE_CHECKS,
    ("ck_needs_amount_sign", NEED, {"amount": 0}),
    ("ck_needs_months_range", NEED, {"months": 361}),
    ("ck_needs_months_range", NEED, {"months": 0}),
    ("ck_needs_minimum_bids_range", NEED, {"minimum_bids": 0}),
    ("ck_needs_round_count_range", NEED, {"round_count": 4}),
    ("ck_needs_round_hours_range", NEED, {"round_hours": 0}),
    ("ck_needs_published_has_times", NEED, {"state": "open", "closes_at": None}),
    ("ck_needs_closes_after_publication", NEED, {"closes_at": NOW}),
    ("ck_needs_closed_has_time", NEED, {"closed_at": None}),
    ("ck_needs_contract_purpose_names_contract", NEED, {"purpose": "contract"}),
    ("ck_needs_contract_purpose_names_contract", NEED, {"contract_id": CONTRACT}),
    ("ck_planned_payments_amount_sign", 1001, {"amount": 0}),
    ("ck_products_amount_order", PRODUCT, {"amount_max": 0}),
    ("ck_products_months_order", PRODUCT, {"months_max": 0}),
    ("ck_products_rate_order", PRODUCT, {"rate_to": RATE - 1}),
    ("ck_products_rate_order", PRODUCT, {"rate_from": -1}),
    ("ck_products_spread_order", PRODUCT, {"spread_to": 0}),
    ("ck_products_fixed_needs_rate", PRODUCT, {"rate_from": None}),
    ("ck_products_floating_needs_spread", PRODUCT, {"pricing": "lpr_1y", "spread_from": None}),
    ("ck_products_contract_ratio_range", PRODUCT, {"contract_ratio": 100_000_001}),
    ("ck_bid_rounds_number_range", 1001, {"number": 4}),
    ("ck_bid_rounds_never_closed_early", 1001, {"closed_at": LATER - timedelta(seconds=1)}),
    ("ck_bid_rounds_extensions_range", 1001, {"extensions": 4}),
    ("ck_questions_answered_whole", 1001, {"answer": "是"}),
    ("ck_questions_answered_whole", 1001, {"answered_at": NOW}),
    ("ck_early_openings_two_officers", 1001, {"decided_by": USER, "decided_at": NOW}),
    ("ck_early_openings_decided_whole", 1001, {"decided_by": OTHER}),
    ("ck_early_openings_agreed_has_time", 1001, {"agreed": True}),
    ("ck_standing_bids_one_price", 1001, {"rate": None, "floor_rate": None}),
    ("ck_standing_bids_one_price", 1001, {"spread": 1, "floor_spread": 1}),
    ("ck_standing_bids_floor_like_rate", 1001, {"floor_rate": None}),
    ("ck_standing_bids_floor_like_spread", 1001, {"floor_spread": 1}),
    ("ck_standing_bids_floor_rate_range", 1001, {"floor_rate": RATE + 1}),
    ("ck_standing_bids_floor_rate_range", 1001, {"floor_rate": -1}),
    (
        "ck_standing_bids_floor_spread_range",
        1001,
        {"rate": None, "floor_rate": None, "spread": 1, "floor_spread": 2},
    ),
    ("ck_standing_bids_cap_within_budget", 1001, {"cap": 11}),
    ("ck_standing_bids_cap_within_budget", 1001, {"cap": 0}),
    ("ck_standing_bids_spent_within_budget", 1001, {"spent": 11}),
    *(
        ("ck_bids_sealed_shows_nothing", SEALED, {"state": state, **shown})
        for state in ("sealed", "withdrawn")
        for shown in (
            {"terms": {"rate": "0.04"}},
            {"offer": "loan"},
            {"amount": 5},
            {"months": 12},
            {"effective": RATE},
            {"simple": RATE},
            {"total_cost": 1},
            {"cost": {"effective": "0.04"}},
            {"declared_rate": RATE},
            {"is_firm": True},
            {"guarantee_product_id": PRODUCT},
            {"guaranteed": 5},
            {"least": 5},
        )
    ),
    ("ck_bids_sealed_is_shut", SEALED, {"state": "sealed", "opened_at": NOW}),
    ("ck_bids_sealed_is_shut", SEALED, {"state": "sealed", "posted": True}),
    ("ck_bids_posted_shows_terms", SEALED, {"state": "posted", "posted": True, "amount": 5}),
    ("ck_bids_posted_shows_terms", SEALED, {"state": "posted", "posted": True, "terms": {}}),
    ("ck_bids_posted_shows_terms", SEALED, {"state": "posted", "posted": True, "terms": {}, "amount": 0}),
    ("ck_bids_posted_shows_terms", BID, {"state": "posted"}),
    ("ck_bids_round_number_range", BID, {"round_number": 4}),
    ("ck_bids_opened_shows_terms", BID, {"state": "held", "terms": None}),
    ("ck_bids_opened_shows_terms", BID, {"state": "declined", "terms": None}),
    ("ck_bids_opened_shows_terms", BID, {"amount": None}),
    ("ck_bids_opened_shows_terms", BID, {"amount": 0}),
    ("ck_bids_opened_shows_terms", BID, {"terms": None}),
    ("ck_bids_opened_shows_terms", BID, {"posted": True, "opened_at": None}),
    ("ck_bids_ranked_by_cost_only", BID, {"effective": None}),
    ("ck_justifications_written_whole", 1001, {"written_at": NOW}),
    ("ck_justifications_decided_whole", 1001, {"decision": "accepted"}),
    ("ck_awards_two_people", AWARD, {"confirmed_by": USER}),
    ("ck_awards_second_person_named", AWARD, {"confirmed_by": None}),
    ("ck_awards_decided_has_time", AWARD, {"confirmed_at": None}),
    ("ck_proposals_placed_names_bid", 1001, {"bid_id": None}),
    ("ck_proposals_placed_names_bid", 1001, {"state": "unplaced"}),
    ("ck_loans_principal_sign", LOAN, {"principal": 0, "outstanding": 0, "drawn": 0, "bound": 0}),
    ("ck_loans_outstanding_range", LOAN, {"outstanding": -1}),
    ("ck_loans_repaid_owes_nothing", LOAN, {"state": "repaid"}),
    ("ck_loans_drawn_has_date", LOAN, {"drawn_on": None}),
    ("ck_guarantees_amounts_range", 1001, {"amount": 0, "weighted": 0}),
    ("ck_guarantees_amounts_range", 1001, {"weighted": 6}),
    ("ck_reviews_decided_whole", 1001, {"outcome": "approved"}),
    ("ck_reviews_decided_whole", 1001, {"decided_at": NOW}),
    ("ck_reviews_declined_has_reason", 1001, {"outcome": "declined", "decided_at": NOW}),
    ("ck_reviews_declined_has_reason", 1001, {"reason": "policy"}),
    ("ck_review_requests_answered_whole", 1001, {"answer": "已附"}),
    ("ck_alerts_resolution_whole", 1001, {"resolved_at": NOW}),
    ("ck_alerts_resolution_whole", 1001, {"resolution": "done"}),
    ("ck_instalments_paid_principal_range", 1001, {"paid_principal": 6}),
    ("ck_instalments_paid_interest_range", 1001, {"paid_interest": 6}),
    ("ck_instalments_paid_fees_range", 1001, {"paid_fees": 6}),
    (
        "ck_repayments_amount_sign",
        1001,
        {"amount": 0, "fees": 0, "interest": 0, "principal": 0, "remainder": 0},
    ),
    ("ck_repayments_split_sums_up", 1001, {"amount": 7}),
    ("ck_repayments_split_sign", 1001, {"fees": -1, "interest": 3}),
    ("ck_repayments_source_known", 1001, {"source": "heaven"}),
    ("ck_repayments_purchaser_names_payment", 1001, {"source": "purchaser"}),
    ("ck_repayments_purchaser_names_payment", 1001, {"payment_id": 1001}),
    *lending.CHECKS,
    *laws_ladder.CHECKS,
    *laws_procurement.CHECKS,
    *claims.CHECKS,
    *laws_reports.CHECKS,
]

#: Law (a unique constraint or index): the row that is there, and how a second one differs from it.
UNIQUE: list[tuple[str, int, Values]] = [
    *PAYMENT_UNIQUE,
    ("uq_organisations_credit_code", FIRM, {}),
    ("uq_users_username", USER, {}),
    ("uq_zones_code", ZONE, {}),
    # The migrations seed a default zone.
    ("uq_zones_default", ZONE, {"code": "second", "is_default": True}),
    ("uq_memberships_zone_id_organisation_id", FIRM, {}),
    ("uq_roles_user_id_zone_id_organisation_id_capability", 1001, {}),
    ("uq_api_tokens_token_hash", 1001, {}),
    ("uq_tags_organisation_id_code_valid_from", 1001, {}),
    ("uq_limits_total", 1001, {}),
    ("uq_limits_firm", 1002, {}),
    ("uq_limits_sector", 1003, {}),
    ("uq_limits_purchaser", 1004, {}),
    ("uq_limits_leverage", 1005, {}),
    ("uq_products_zone_id_organisation_id_name_zh", PRODUCT, {}),
    ("uq_contracts_process_id_contract_id", CONTRACT, {}),
    ("uq_contract_revisions_contract_id_number", 1001, {}),
    ("uq_planned_payments_contract_id_number", 1001, {}),
    ("uq_purchaser_payments_contract_id_transaction_id", 1001, {}),
    ("uq_contract_steps_once", 1001, {}),
    *RECEIVABLE_UNIQUE,
    ("uq_bid_rounds_need_id_number", 1001, {}),
    ("uq_bids_need_id_receipt_number", SEALED, {}),
    ("uq_audiences_need_id_organisation_id", 1001, {}),
    ("uq_need_changes_need_id_revision", 1001, {}),
    ("uq_early_openings_waiting", 1001, {}),
    ("uq_standing_bids_active", 1001, {}),
    ("uq_justifications_bid_id", 1001, {}),
    ("uq_bids_live", SEALED, {"state": "sealed", "receipt_number": 3}),
    ("uq_bids_live", BID, {"state": "held", "receipt_number": 3}),
    (
        "uq_bids_live",
        SEALED,
        {"state": "posted", "posted": True, "terms": {}, "amount": 5, "receipt_number": 3},
    ),
    ("uq_matching_rounds_zone_id_slot", ROUND, {}),
    ("uq_proposals_round_id_need_id_bid_id", 1001, {}),
    ("uq_awards_need", AWARD, {"bid_id": SEALED}),
    ("uq_awards_need", AWARD, {"bid_id": SEALED, "state": "awaiting_confirmation"}),
    ("uq_awards_bid", AWARD, {"syndicated": True}),
    ("uq_guarantees_loan_id", 1001, {}),
    ("uq_reviews_loan_id", 1001, {}),
    ("uq_loans_award_id", LOAN, {}),
    ("uq_instalments_loan_id_number", 1001, {}),
    ("uq_repayments_loan_id_reference", 1001, {"event_id": lending.UNDO}),
    ("uq_alerts_open", 1001, {}),
    *lending.UNIQUE,
    *laws_ladder.UNIQUE,
    *laws_procurement.UNIQUE,
    *claims.UNIQUE,
    *laws_reports.UNIQUE,
]

#: What a partial law leaves free: a second row that may stand beside the first.
FREE: list[tuple[str, int, Values]] = [
    ("uq_awards_need", AWARD, {"state": "rejected"}),
    ("uq_awards_need", AWARD, {"state": "declined"}),
    ("uq_awards_need", AWARD, {"bid_id": SEALED, "syndicated": True}),
    ("uq_proposals_round_id_need_id_bid_id", 1001, {"bid_id": SEALED}),
    (
        "ck_bid_rounds_never_closed_early",
        1001,
        {"number": 2, "closed_at": LATER - timedelta(seconds=1), "opened_early": True},
    ),
    (
        "ck_bids_sealed_shows_nothing",
        SEALED,
        {"receipt_number": 3, "posted": True, "terms": {}, "amount": 5},
    ),
    ("uq_early_openings_waiting", 1001, {"decided_by": OTHER, "decided_at": NOW, "agreed": False}),
    ("uq_standing_bids_active", 1001, {"ended_at": NOW}),
    ("uq_limits_sector", 1003, {"sector": "C40"}),
    ("uq_bids_live", SEALED, {"receipt_number": 3}),
    *RECEIVABLE_FREE,
    ("uq_contract_steps_once", 1001, {"undone_at": NOW, "undone_why": "账号有误"}),
    ("uq_contract_steps_once", 1001, {"stage": "pledge_registered"}),
    ("uq_alerts_open", 1001, {"resolved_at": NOW, "resolution": "done"}),
    ("uq_limits_firm", 1002, {"firm_id": BANK}),
    ("uq_zones_default", ZONE, {"code": "second"}),
    *lending.FREE,
    *laws_ladder.FREE,
    *laws_procurement.FREE,
    *claims.FREE,
    *laws_reports.FREE,
]
