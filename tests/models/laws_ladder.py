"""The laws of the ladder: its rows in the order in which they can be stored, and what breaks each law."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
#: As in ``laws``: of a contract, a firm, and people.
CONTRACT = FIRM = USER = 1001
OTHER, THIRD = 1002, 1003

Values = dict[str, Any]

ROWS: list[tuple[str, Values]] = [
    ("users", {"id": THIRD, "username": "u1003", "name": "王五", "active": True, "created_at": NOW}),
    (
        "account_changes",
        {"id": 1001, "contract_id": CONTRACT, "state": "requested", "old_account": "1", "new_account": "2"}
        | {"reason": "账户升级", "evidence": "补充协议二", "requested_for": FIRM, "requested_by": USER}
        | {"requested_at": NOW, "purchaser_agreed_by": OTHER, "purchaser_agreed_at": NOW},
    ),
    (
        "pledges",
        {"id": 1001, "contract_id": CONTRACT, "number": "0099", "registered_on": DAY, "evidence": ""}
        | {"expires_on": DAY + timedelta(days=1), "recorded_at": NOW},
    ),
    (
        "terminations",
        {
            "id": 1001,
            "contract_id": CONTRACT,
            "terminated_on": DAY,
            "reason": "项目取消",
            "evidence": "通知书",
        }
        | {"recorded_by": USER, "recorded_at": NOW},
    ),
]

_LENDER: Values = {"lender_agreed_by": THIRD, "lender_agreed_at": NOW}
_DONE: Values = {"state": "done", "decided_at": NOW, "published_at": NOW}

CHECKS: list[tuple[str, int, Values]] = [
    ("ck_account_changes_evidence_given", 1001, {"evidence": ""}),
    ("ck_account_changes_reason_given", 1001, {"reason": ""}),
    ("ck_account_changes_another_account", 1001, {"new_account": "1"}),
    ("ck_account_changes_another_account", 1001, {"new_account": ""}),
    ("ck_account_changes_purchaser_whole", 1001, {"purchaser_agreed_at": None}),
    ("ck_account_changes_lender_whole", 1001, {"lender_agreed_at": NOW}),
    ("ck_account_changes_three_people", 1001, {"purchaser_agreed_by": USER}),
    ("ck_account_changes_three_people", 1001, {**_DONE, **_LENDER, "lender_agreed_by": USER}),
    ("ck_account_changes_three_people", 1001, {**_DONE, **_LENDER, "lender_agreed_by": OTHER}),
    ("ck_account_changes_done_by_both", 1001, _DONE),
    ("ck_account_changes_both_make_done", 1001, _LENDER),
    ("ck_account_changes_done_is_published", 1001, {**_DONE, **_LENDER, "published_at": None}),
    ("ck_account_changes_done_is_published", 1001, {"published_at": NOW}),
    ("ck_account_changes_decision_has_time", 1001, {"state": "withdrawn"}),
    ("ck_account_changes_decision_has_time", 1001, {"decided_at": NOW}),
    ("ck_account_changes_refusal_has_reason", 1001, {"state": "refused", "decided_at": NOW}),
    ("ck_pledges_number_given", 1001, {"number": ""}),
    ("ck_pledges_expires_later", 1001, {"expires_on": DAY}),
    ("ck_pledges_end_whole", 1001, {"ended_at": NOW}),
    ("ck_pledges_end_whole", 1001, {"ended_why": "renewed"}),
    ("ck_terminations_grounds_given", 1001, {"reason": ""}),
    ("ck_terminations_grounds_given", 1001, {"evidence": ""}),
    *(
        ("ck_contracts_locked_names_account", CONTRACT, {"stage": stage, **_pledged})
        for stage, _pledged in (
            ("account_locked", {}),
            ("drawn", {"pledge_number": "1", "pledge_expires_on": DAY}),
            ("pledge_cancelled", {}),
        )
    ),
    *(
        ("ck_contracts_pledged_names_pledge", CONTRACT, {"stage": stage, "payee_account": "1", **_half})
        for stage, _half in (
            ("pledge_registered", {"pledge_number": "1"}),
            ("drawn", {"pledge_expires_on": DAY}),
            ("repaid", {}),
        )
    ),
    ("ck_contract_steps_lock_asks_second", 1001, {"needs_confirmation": False}),
    ("ck_contract_steps_evidence_given", 1001, {"evidence": ""}),
]

UNIQUE: list[tuple[str, int, Values]] = [
    ("uq_account_changes_open", 1001, {}),
    ("uq_pledges_standing", 1001, {}),
    ("uq_terminations_contract_id", 1001, {}),
]

FREE: list[tuple[str, int, Values]] = [
    ("uq_account_changes_open", 1001, {**_DONE, **_LENDER}),
    ("uq_pledges_standing", 1001, {"ended_at": NOW, "ended_why": "renewed"}),
]
