"""The words of the reports: what stands in a deal's file, and what the contract-loan board counts."""

from __future__ import annotations

from enum import StrEnum


class LoanMark(StrEnum):
    """What is particular about a financed contract: in which figure of the board its row is counted."""

    LIVE = "live"
    ENDED = "ended"
    FINANCED = "financed"
    OUTSTANDING = "outstanding"
    REPAID = "repaid"
    ROOM = "room"
    OVERDUE = "overdue"
    ALERTS = "alerts"
    LOCK_WAITING = "lock_waiting"
    PURCHASER_OVERDUE = "purchaser_overdue"
    PLEDGE_EXPIRING = "pledge_expiring"
    PLEDGE_EXPIRED = "pledge_expired"
    ACCOUNT_CHANGE = "account_change"
    TERMINATED = "terminated"


class FileEntry(StrEnum):
    """What an entry of a deal's file (档案) tells."""

    NEED = "need"
    BIDDING = "bidding"
    AWARD = "award"
    REVIEW = "review"
    APPROVAL = "approval"
    CONTRACT = "contract"
    AMENDMENT = "amendment"
    STEP = "step"
    STEP_UNDONE = "step_undone"
    PLEDGE = "pledge"
    ACCOUNT_CHANGE = "account_change"
    TERMINATION = "termination"
    DRAWDOWN_REQUEST = "drawdown_request"
    EVENT = "event"
    PAYMENT = "payment"
    LATENESS = "lateness"
    GUARANTEE = "guarantee"
    ALERT = "alert"
    ALERT_RESOLVED = "alert_resolved"
    DEED = "deed"
