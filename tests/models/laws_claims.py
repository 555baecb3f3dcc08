"""The rows and laws of compensation claims and bridge loans, beside those of ``tests.models.laws``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
LOAN = USER = EVENT = BANK = 1001

Values = dict[str, Any]

ROWS: list[tuple[str, Values]] = [
    ("guarantee_terms", {"id": 1001, "product_id": 1001, "risk_sharing": []}),
    *(
        (
            "compensation_claims",
            {"id": key, "loan_id": LOAN, "guarantee_id": 1001, "amount": 5, "payable": 4, "opened_on": DAY}
            | {"days_past_due": 31, "basis": "逾期", "evidence": "通知书", "state": state}
            | {"opened_by": USER, "opened_at": NOW, "decided_by": USER, "decided_at": NOW, "event_id": event},
        )
        for key, state, event in ((1001, "paid", EVENT), (1002, "accepted", None))
    ),
    (
        "claim_shares",
        {"id": 1001, "claim_id": 1001, "place": 0, "party": "某担保", "role": "guarantor"}
        | {"share": 80_000_000, "amount": 4, "paid_on": DAY, "reference": "C"},
    ),
    (
        "claim_recoveries",
        {"id": 1001, "share_id": 1001, "reference": "R", "recovered_on": DAY, "amount": 1}
        | {"recorded_by": USER, "recorded_at": NOW},
    ),
    *(
        (
            "bridge_rules",
            {"id": key, "zone_id": zone, "from_on": DAY, "most_share": 95_000_000, "most_days": 10}
            | {"source": "某办法"},
        )
        for key, zone in ((1001, 1001), (1002, None))
    ),
    (
        "renewals",
        {"id": 1001, "loan_id": LOAN, "bank_id": BANK, "promised": 5, "promised_by": DAY, "evidence": "函"}
        | {"maturing_reference": "L", "account": "62", "paid_account": "62", "returned_on": DAY}
        | {"event_id": EVENT, "recorded_by": USER, "recorded_at": NOW},
    ),
]

CHECKS: list[tuple[str, int | date, Values]] = [
    ("ck_guarantees_uncovered_sign", 1001, {"uncovered": -1}),
    ("ck_guarantees_compensated_range", 1001, {"compensated": 6}),
    ("ck_guarantee_terms_loss_cap_range", 1001, {"loss_cap": 100_000_001}),
    ("ck_guarantee_terms_claim_after_days_range", 1001, {"claim_after_days": 0}),
    ("ck_compensation_claims_payable_range", 1002, {"payable": 6}),
    ("ck_compensation_claims_payable_range", 1002, {"payable": 0}),
    ("ck_compensation_claims_grounds_given", 1002, {"evidence": ""}),
    ("ck_compensation_claims_decision_has_time", 1002, {"decided_at": None}),
    ("ck_compensation_claims_refusal_says_why", 1002, {"why": "不符"}),
    ("ck_compensation_claims_paid_has_event", 1002, {"state": "paid"}),
    ("ck_claim_shares_share_range", 1001, {"share": 0}),
    ("ck_claim_shares_amount_sign", 1001, {"amount": -1}),
    ("ck_claim_shares_payment_whole", 1001, {"paid_on": None}),
    ("ck_claim_shares_lender_bears", 1001, {"role": "bank"}),
    ("ck_claim_recoveries_amount_sign", 1001, {"amount": -1}),
    ("ck_bridge_rules_most_share_range", 1001, {"most_share": 100_000_001}),
    ("ck_bridge_rules_most_days_range", 1001, {"most_days": 0}),
    ("ck_renewals_promised_sign", 1001, {"promised": 0}),
    ("ck_renewals_commitment_whole", 1001, {"evidence": ""}),
    ("ck_renewals_closed_loop", 1001, {"paid_account": "63"}),
    ("ck_renewals_return_whole", 1001, {"event_id": None}),
    ("ck_renewals_returns_after_payment", 1001, {"paid_account": None}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_guarantee_terms_product_id", 1001, {}),
    ("uq_compensation_claims_standing", 1002, {}),
    ("uq_compensation_claims_event_id", 1001, {}),
    ("uq_claim_shares_claim_id_place", 1001, {"party": "另一担保"}),
    ("uq_claim_shares_claim_id_party", 1001, {"place": 1}),
    ("uq_claim_recoveries_share_id_reference", 1001, {}),
    ("uq_bridge_rules_zone", 1001, {}),
    ("uq_bridge_rules_default", 1002, {}),
    ("uq_renewals_loan_id", 1001, {"event_id": None, "returned_on": None}),
    ("uq_renewals_event_id", 1001, {"loan_id": 1002}),
]

FREE: list[tuple[str, int, Values]] = [
    ("uq_compensation_claims_standing", 1002, {"state": "refused", "why": "不符"}),
]
