"""The laws of the lenders' reports: a row that can be stored, and what breaks each law."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
#: As in ``laws``: a zone, a bank with a seat in it, and a person.
ZONE = USER = 1001
BANK = 1002

Values = dict[str, Any]

ROWS: list[tuple[str, Values]] = [
    (
        "lender_reports",
        {"id": 1001, "zone_id": ZONE, "lender_id": BANK, "month": "2026-10", "number": 1, "figures": {}}
        | {"row_count": 0, "seal": "0" * 64, "submitted_by": USER, "submitted_at": NOW},
    ),
]

CHECKS: list[tuple[str, int, Values]] = [
    ("ck_lender_reports_month_written", 1001, {"month": "2026-1"}),
    ("ck_lender_reports_month_written", 1001, {"month": "1999-01"}),
    ("ck_lender_reports_counts_range", 1001, {"number": 0, "reason": "改"}),
    ("ck_lender_reports_counts_range", 1001, {"row_count": -1}),
    ("ck_lender_reports_correction_has_reason", 1001, {"reason": "改"}),
    ("ck_lender_reports_correction_has_reason", 1001, {"number": 2}),
    ("ck_lender_reports_seal_length", 1001, {"seal": "0"}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_lender_reports_zone_id_lender_id_month_number", 1001, {"superseded_at": NOW}),
    ("uq_lender_reports_standing", 1001, {"number": 2, "reason": "改"}),
]

FREE: list[tuple[str, int, Values]] = [
    ("uq_lender_reports_standing", 1001, {"number": 2, "reason": "改", "superseded_at": NOW}),
]
