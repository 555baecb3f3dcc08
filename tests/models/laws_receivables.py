"""Rows of receivables and of claims on them, and for each law of theirs a change that breaks it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
#: The numbers that all rows of ``laws`` have, and the bank's.
ONE, BANK = 1001, 1002

Values = dict[str, Any]

RECEIVABLES: list[tuple[str, Values]] = [
    ("financing_modes", {"contract_key": "K", "mode": "whole"}),
    ("financing_modes", {"contract_key": "L", "mode": "invoices"}),
    (
        "financings",
        {"id": ONE, "key": "K", "contract_id": ONE, "lender_id": BANK, "financed": 5, "started_at": NOW}
        | {"live_key": "K", "live_mode": "whole"},
    ),
    (
        "receivables",
        {"id": ONE, "zone_id": ONE, "supplier_id": ONE, "debtor_id": BANK, "debtor_name": "采购人"}
        | {"debtor_code": "91990000MA0001002X", "contract_number": "L", "invoice_number": "1"}
        | {"contract_key": "L", "financing_key": "L|1", "invoice_key": "1", "amount": 5, "paid": 2}
        | {"issued_on": DAY, "due_on": DAY, "evidence": "", "state": "confirmed", "requested_on": DAY}
        | {"decided_by": ONE, "decided_at": NOW, "entered_at": NOW},
    ),
]
#: What leans on a need or a loan, and stands behind it.
OF_NEEDS: list[tuple[str, Values]] = [("need_receivables", {"need_id": ONE, "receivable_id": ONE})]
OF_LOANS: list[tuple[str, Values]] = [
    ("loan_receivables", {"id": ONE, "loan_id": ONE, "financing_id": ONE, "amount": 5, "financed": 2})
]

RECEIVABLE_CHECKS: list[tuple[str, int | date, Values]] = [
    ("ck_financings_financed_sign", ONE, {"financed": -1}),
    ("ck_financings_one_subject", ONE, {"contract_id": None}),
    ("ck_financings_live_until_ended", ONE, {"live_key": None, "live_mode": None}),
    ("ck_financings_live_until_ended", ONE, {"live_mode": None}),
    ("ck_financings_live_until_ended", ONE, {"ended_at": NOW}),
    ("ck_financings_mode_fits_subject", ONE, {"live_key": "L", "live_mode": "invoices"}),
    ("ck_receivables_amount_sign", ONE, {"amount": 0, "paid": 0}),
    ("ck_receivables_paid_range", ONE, {"paid": 6}),
    ("ck_receivables_paid_range", ONE, {"paid": -1}),
    ("ck_receivables_due_after_issue", ONE, {"due_on": DAY - timedelta(days=1)}),
    ("ck_receivables_debtor_code_length", ONE, {"debtor_code": "9199"}),
    ("ck_receivables_debtor_is_another", ONE, {"debtor_id": ONE}),
    ("ck_receivables_requested_has_day", ONE, {"state": "requested", "requested_on": None}),
    ("ck_receivables_decided_has_time", ONE, {"decided_at": None}),
    ("ck_receivables_refusal_has_reason", ONE, {"state": "refused"}),
    ("ck_receivables_refusal_has_reason", ONE, {"why": "金额不符"}),
    ("ck_loan_receivables_amount_sign", ONE, {"amount": 0, "financed": 0}),
    ("ck_loan_receivables_financed_range", ONE, {"financed": 6}),
]

RECEIVABLE_UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_financings_live_key", ONE, {}),
    ("uq_receivables_invoice", ONE, {"contract_key": "M", "financing_key": "M|1"}),
    ("uq_loan_receivables_loan_id_financing_id", ONE, {}),
]

RECEIVABLE_FREE: list[tuple[str, int, Values]] = [
    ("uq_financings_live_key", ONE, {"ended_at": NOW, "live_key": None, "live_mode": None}),
    ("uq_receivables_invoice", ONE, {"state": "withdrawn"}),
    ("uq_receivables_invoice", ONE, {"supplier_id": BANK, "debtor_id": None}),
]
