"""The rows and breaches of the laws on purchasers' payments, for ``laws``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
ZONE = CONTRACT = USER = PAYMENT = 1001
REVERSAL = 1002

#: What every payment says of itself.
PLAIN_PAYMENT: dict[str, Any] = {"state": "on_time", "excess": 0, "went_astray": False}

PAYMENT_ROWS: list[tuple[str, dict[str, Any]]] = [
    (
        "purchaser_payments",
        {"id": REVERSAL, "contract_id": CONTRACT, "transaction_id": "T~", "amount": -5, "recorded_at": NOW}
        | PLAIN_PAYMENT
        | {"reverses_id": PAYMENT, "follows_id": PAYMENT},
    ),
    (
        "unmatched_payments",
        {"id": 1001, "zone_id": ZONE, "number": "C-9", "key": "C9|", "transaction_id": "T9", "amount": 5}
        | {"vouched": True, "recorded_at": NOW, "matched_payment_id": PAYMENT, "resolved_at": NOW}
        | {"resolution": "matched"},
    ),
    (
        "purchaser_scores",
        {"id": 1001, "zone_id": ZONE, "purchaser_code": "P", "computed_on": DAY, "contracts": 1}
        | {"payments": 3, "on_time": 2, "unpaid": 1, "median_lag": 0, "p90_lag": 9},
    ),
]

PAYMENT_CHECKS: list[tuple[str, int | date, dict[str, Any]]] = [
    ("ck_contracts_late_rate_range", CONTRACT, {"late_rate": 100_000_001}),
    ("ck_contracts_inspection_days_range", CONTRACT, {"inspection_days": -1}),
    ("ck_purchaser_payments_reverses_another", REVERSAL, {"reverses_id": REVERSAL}),
    ("ck_purchaser_payments_follows_another", REVERSAL, {"follows_id": REVERSAL}),
    ("ck_purchaser_payments_excess_sign", PAYMENT, {"excess": -1}),
    ("ck_purchaser_payments_resolution_has_time", PAYMENT, {"resolution": "returned"}),
    ("ck_purchaser_payments_handling_whole", PAYMENT, {"handled_by": USER}),
    ("ck_unmatched_payments_amount_sign", 1001, {"amount": 0}),
    ("ck_unmatched_payments_resolution_whole", 1001, {"resolution": None}),
    ("ck_unmatched_payments_match_resolves", 1001, {"resolved_at": None, "resolution": None}),
    ("ck_purchaser_scores_on_time_range", 1001, {"on_time": 4}),
    ("ck_purchaser_scores_unpaid_range", 1001, {"unpaid": 4}),
    ("ck_purchaser_scores_lag_order", 1001, {"median_lag": 10}),
]

PAYMENT_UNIQUE: list[tuple[str, int, dict[str, Any]]] = [
    ("uq_purchaser_payments_reverses_id", REVERSAL, {"transaction_id": "T2", "follows_id": None}),
    ("uq_purchaser_payments_follows_id", REVERSAL, {"transaction_id": "T2", "reverses_id": None}),
    ("uq_unmatched_payments_zone_id_key_transaction_id", 1001, {"matched_payment_id": None}),
    ("uq_unmatched_payments_matched_payment_id", 1001, {"transaction_id": "T10"}),
    ("uq_purchaser_scores_zone_id_purchaser_code", 1001, {}),
]
