"""The laws of procurement's tables: valid rows, and what breaks each; used by ``tests/models/laws.py``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
ZONE = FIRM = USER = CONTRACT = 1001
BANK = 1002
RATE = 4_000_000

Values = dict[str, Any]

_RULE: Values = {
    "kind": "price_deduction",
    "object": "goods",
    "favoured": "small_micro",
    "low": RATE,
    "high": RATE,
    "amount_from": 5,
    "amount_to": 6,
    "valid_from": date(2030, 1, 1),
    "valid_to": date(2030, 1, 1),
    "issuer": "财政部",
    "document": "文",
    "source": "",
    "recorded_at": NOW,
}
_DEPOSIT: Values = {
    "zone_id": ZONE,
    "kind": "performance",
    "contract_id": CONTRACT,
    "supplier_id": FIRM,
    "amount": 5,
    "note": "",
    "demanded_by": USER,
    "demanded_at": NOW,
}

#: In the order in which they can be stored, after those of contracts and award notices.
ROWS: list[tuple[str, Values]] = [
    (
        "procurement_intentions",
        {"id": 1001, "zone_id": ZONE, "purchaser_name": "采购人", "title": "项目", "description": ""}
        | {"object": "goods", "tags": [], "budget": 5, "expected_month": DAY, "published_on": DAY}
        | {"is_reserved": False, "source": "form", "recorded_at": NOW},
    ),
    (
        "procurement_watches",
        {"id": 1001, "zone_id": ZONE, "organisation_id": FIRM, "industries": [], "keywords": []}
        | {"updated_at": NOW},
    ),
    ("procurement_rules", {"id": 1001, **_RULE}),
    ("procurement_rules", {"id": 1002, "zone_id": ZONE, **_RULE}),
    (
        "framework_agreements",
        {"id": 1001, "zone_id": ZONE, "organisation_id": BANK, "number": "K-1", "valid_from": DAY}
        | {"valid_until": DAY, "evidence": "档案", "recorded_by": USER, "recorded_at": NOW},
    ),
    ("deposits", {"id": 1001, "state": "demanded", **_DEPOSIT}),
    (
        "deposits",
        {"id": 1002, "state": "guaranteed", "form": "guarantee", "guarantor_id": BANK}
        | {"guarantee_number": "BH-1", "valid_until": DAY, **_DEPOSIT},
    ),
    (
        "notices",
        {"id": 1001, "zone_id": ZONE, "organisation_id": FIRM, "kind": "intention", "subject": "s"}
        | {"details": {}, "created_at": NOW},
    ),
    (
        "notices",
        {"id": 1002, "zone_id": ZONE, "user_id": USER, "kind": "intention", "subject": "s"}
        | {"details": {}, "created_at": NOW},
    ),
]

#: What every zone says since procurement came.
ZONE_VALUES: Values = {"framework_required": False, "bid_deposits_abolished": False}

CHECKS: list[tuple[str, int, Values]] = [
    ("ck_procurement_intentions_budget_sign", 1001, {"budget": 0}),
    ("ck_procurement_rules_share_named", 1001, {"low": None, "high": None}),
    ("ck_procurement_rules_low_range", 1001, {"low": -1}),
    ("ck_procurement_rules_high_range", 1001, {"high": 100_000_001}),
    ("ck_procurement_rules_high_range", 1001, {"high": RATE - 1}),
    ("ck_procurement_rules_amount_from_sign", 1001, {"amount_from": -1}),
    ("ck_procurement_rules_amount_order", 1001, {"amount_to": 5}),
    ("ck_procurement_rules_validity_order", 1001, {"valid_to": date(2029, 12, 31)}),
    ("ck_framework_agreements_validity_order", 1001, {"valid_until": DAY - timedelta(days=1)}),
    ("ck_framework_agreements_ending_whole", 1001, {"ended_because": "违约"}),
    ("ck_framework_agreements_ending_whole", 1001, {"ended_on": DAY, "ended_because": "违约"}),
    (
        "ck_framework_agreements_ended_early",
        1001,
        {"ended_on": DAY + timedelta(days=1), "ended_because": "违约", "ended_by": USER},
    ),
    ("ck_deposits_amount_sign", 1001, {"amount": 0}),
    ("ck_deposits_secures_one_thing", 1001, {"award_notice_id": 1001}),
    ("ck_deposits_secures_one_thing", 1001, {"contract_id": None}),
    ("ck_deposits_paid_in_cash", 1001, {"state": "paid", "paid_on": DAY, "form": "guarantee"}),
    ("ck_deposits_paid_in_cash", 1001, {"state": "paid", "form": "cash"}),
    ("ck_deposits_asked_names_guarantor", 1001, {"state": "asked"}),
    ("ck_deposits_guarantee_whole", 1002, {"guarantee_number": None}),
    ("ck_deposits_guarantee_whole", 1002, {"form": "cash"}),
    ("ck_deposits_released_has_day", 1001, {"state": "released"}),
    ("ck_deposits_released_has_day", 1001, {"released_on": DAY}),
    ("ck_deposits_returned_was_paid", 1001, {"returned_on": DAY}),
    ("ck_notices_one_recipient", 1001, {"organisation_id": None}),
    ("ck_notices_one_recipient", 1001, {"user_id": USER}),
    ("ck_notices_read_after_creation", 1001, {"read_at": NOW - timedelta(seconds=1)}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_procurement_intentions_known", 1001, {}),
    ("uq_procurement_watches_zone_id_organisation_id", 1001, {}),
    ("uq_procurement_rules_nation", 1001, {}),
    ("uq_procurement_rules_zone", 1002, {}),
    (
        "uq_framework_agreements_zone_id_number",
        1001,
        {"valid_from": DAY + timedelta(days=1), "valid_until": DAY + timedelta(days=1)},
    ),
    ("uq_deposits_guarantee", 1002, {}),
    ("uq_notices_organisation", 1001, {}),
    ("uq_notices_user", 1002, {}),
]

FREE: list[tuple[str, int, Values]] = [
    # Another zone's rule, or the nation's, may begin on the same day; so may an agreement that ended.
    ("uq_procurement_rules_zone", 1002, {"zone_id": 1}),
    (
        "uq_framework_agreements_zone_id_number",
        1001,
        {"number": "K-2", "ended_on": DAY} | {"ended_because": "违约", "ended_by": USER},
    ),
    ("uq_deposits_guarantee", 1002, {"guarantor_id": FIRM}),
    ("uq_notices_organisation", 1001, {"subject": "t"}),
]
