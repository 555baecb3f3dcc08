"""The rows and laws of the loan book and of award notices, beside those of ``tests.models.laws``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
ZONE = LOAN = USER = EVENT = 1001
OTHER = UNDO = 1002

Values = dict[str, Any]

#: Tables whose rows are only ever added: a law of theirs is tried by a row that is added.
GUARDED = frozenset({"loan_events", "movements"})

#: What every loan says of how it is kept.
KEPT: Values = {
    "evidence": "",
    "is_revolving": False,
    "is_stepped": False,
    "grace_days": 0,
    "allocation": "fees_first",
    "prepayment": "next",
    "bound": 5,
    "drawn": 5,
    "paused_days": 0,
    "days_past_due": 0,
    "bucket": "current",
    "risk_class": "normal",
    "accrual_days": 0,
    "accrual_base": 0,
    "accrual_interest": 0,
    "accrued": 0,
}

BEFORE_RECEIPTS: list[tuple[str, Values]] = [
    *(
        (
            "loan_events",
            {"id": key, "loan_id": LOAN, "number": number, "kind": kind, "effective_on": DAY}
            | {"details": {}, "evidence": "", "recorded_by": USER, "recorded_at": NOW}
            | named,
        )
        for key, number, kind, named in (
            (EVENT, 1, "receipt", {"amount": 6, "reference": "R"}),
            (UNDO, 2, "undo", {"undoes_id": EVENT}),
        )
    ),
    (
        "movements",
        {"id": 1001, "loan_id": LOAN, "event_id": EVENT, "booked_on": DAY, "source": "principal"}
        | {"target": "cash", "amount": 5, "posted_at": NOW},
    ),
    ("late_spans", {"id": 1001, "loan_id": LOAN, "from_on": DAY, "bucket": "current", "recorded_at": NOW}),
    (
        "drawdown_requests",
        {"id": 1001, "loan_id": LOAN, "amount": 5, "drawn_on": DAY, "evidence": "", "state": "requested"}
        | {"requested_by": USER, "requested_at": NOW},
    ),
]

NOTICES: list[tuple[str, Values]] = [
    (
        "nightly_passes",
        {"id": 1001, "zone_id": ZONE, "day": DAY, "looked": 0, "single": 0, "newly_late": 0}
        | {"finished_at": NOW},
    ),
    (
        "award_notices",
        {"id": 1001, "zone_id": ZONE, "project_number": "P", "package_number": "1", "title": "设备"}
        | {"supplier_name": "某公司", "supplier_code": "91990000MA0001001X", "price": 5}
        | {"published_on": DAY, "source": "form", "recorded_at": NOW},
    ),
]

CHECKS: list[tuple[str, int | date, Values]] = [
    ("ck_loans_drawn_range", LOAN, {"drawn": 6}),
    ("ck_loans_drawn_range", LOAN, {"drawn": -1}),
    ("ck_loans_bound_range", LOAN, {"bound": -1}),
    ("ck_loans_grace_range", LOAN, {"grace_days": 31}),
    ("ck_loans_closed_elsewhere_has_evidence", LOAN, {"award_id": None}),
    ("ck_instalments_paid_penalty_range", 1001, {"paid_penalty": 6}),
    ("ck_loan_events_amount_sign", EVENT, {"amount": 0, "number": 3}),
    ("ck_loan_events_undo_names_event", EVENT, {"kind": "undo", "number": 3}),
    ("ck_movements_amount_sign", 1001, {"amount": 0}),
    ("ck_movements_two_sides", 1001, {"source": "cash"}),
    ("ck_drawdown_requests_amount_sign", 1001, {"amount": 0}),
    ("ck_drawdown_requests_two_people", 1001, {"state": "paid_out", "decided_by": USER, "decided_at": NOW}),
    ("ck_drawdown_requests_decision_has_time", 1001, {"state": "refused"}),
    ("ck_drawdown_requests_second_person_named", 1001, {"state": "paid_out", "decided_at": NOW}),
    ("ck_nightly_passes_counts_sign", 1001, {"looked": -1}),
    ("ck_award_notices_price_sign", 1001, {"price": 0}),
    ("ck_award_notices_supplier_code_length", 1001, {"supplier_code": "9199"}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_loan_events_loan_id_number", EVENT, {}),
    ("uq_loan_events_undoes_id", UNDO, {"number": 3}),
    ("uq_repayments_event_id", 1001, {"reference": "S"}),
    ("uq_late_spans_standing", 1001, {}),
    ("uq_drawdown_requests_waiting", 1001, {}),
    ("uq_nightly_passes_zone_id_day", 1001, {}),
    ("uq_award_notices_package", 1001, {}),
]

FREE: list[tuple[str, int, Values]] = [
    ("uq_late_spans_standing", 1001, {"superseded_at": NOW}),
    ("uq_drawdown_requests_waiting", 1001, {"state": "refused", "decided_by": OTHER, "decided_at": NOW}),
]
