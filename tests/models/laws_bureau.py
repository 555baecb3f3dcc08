"""Rows and breaches for the tables of the exchange with bureaus, as in ``laws``."""

from __future__ import annotations

from datetime import timedelta

from tests.models.laws import BANK, CONTRACT, DAY, FIRM, LATER, NOW, OTHER, USER, ZONE, Values

TOMORROW = DAY + timedelta(days=1)

ROWS: list[tuple[str, Values]] = [
    *(
        (
            "data_consents",
            {"id": key, "zone_id": ZONE, "firm_id": FIRM, "institution_id": whom, "scope": "contracts"}
            | {"valid_until": DAY, "given_by": USER, "given_at": NOW},
        )
        for key, whom in ((1001, BANK), (1002, None))
    ),
    (
        "bureau_links",
        {"id": 1001, "zone_id": ZONE, "name": "局", "base_url": "https://a.example", "token": b"x"}
        | {"is_private": False, "is_active": True, "changed_at": NOW},
    ),
    (
        "bureau_pulls",
        {"id": 1001, "link_id": 1001, "kind": "awards", "day": DAY, "is_whole": True, "started_at": NOW}
        | {"finished_at": LATER, "imported": 0, "updated": 0, "rejected": 0, "rejections": []},
    ),
    (
        "repayment_reports",
        {"id": 1001, "zone_id": ZONE, "contract_id": CONTRACT, "lender_id": BANK, "financed_on": DAY}
        | {"ends_on": TOMORROW, "amount": 5, "returned": 1, "last_paid_on": DAY, "differences": []}
        | {"reported_by": OTHER, "reported_at": NOW},
    ),
]

CHECKS: list[tuple[str, int, Values]] = [
    ("ck_contracts_prepayment_ratio_range", CONTRACT, {"prepayment_ratio": 100_000_001}),
    ("ck_contracts_prepayment_ratio_range", CONTRACT, {"prepayment_ratio": -1}),
    ("ck_data_consents_revocation_whole", 1001, {"revoked_at": NOW}),
    ("ck_data_consents_revocation_whole", 1001, {"revoked_by": USER}),
    ("ck_bureau_pulls_counts_sign", 1001, {"rejected": -1}),
    ("ck_bureau_pulls_failed_is_over", 1001, {"finished_at": None, "failure": {"why": "broken"}}),
    ("ck_repayment_reports_amount_sign", 1001, {"amount": 0}),
    ("ck_repayment_reports_returned_sign", 1001, {"returned": -1}),
    (
        "ck_repayment_reports_ends_after_start",
        1001,
        {"ends_on": DAY - timedelta(days=1)},
    ),
    ("ck_repayment_reports_returned_has_day", 1001, {"last_paid_on": None}),
    ("ck_repayment_reports_paid_after_start", 1001, {"last_paid_on": DAY - timedelta(days=1)}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_data_consents_named", 1001, {}),
    ("uq_data_consents_all", 1002, {}),
    ("uq_bureau_links_zone_id_base_url", 1001, {}),
]

FREE: list[tuple[str, int, Values]] = [
    ("uq_data_consents_named", 1001, {"revoked_at": NOW, "revoked_by": USER}),
    ("uq_data_consents_all", 1002, {"revoked_at": NOW, "revoked_by": USER}),
]
