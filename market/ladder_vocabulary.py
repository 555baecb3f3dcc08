"""The words beside the ladder of the contract loan: side states, account changes, ends of a pledge."""

from __future__ import annotations

from enum import StrEnum


class SideState(StrEnum):
    """What holds of a contract beside its rung (旁注状态), derived from what is stored."""

    ACCOUNT_CHANGE_REQUESTED = "account_change_requested"
    PURCHASER_OVERDUE = "purchaser_overdue"
    LOAN_OVERDUE = "loan_overdue"
    PLEDGE_EXPIRING = "pledge_expiring"
    PLEDGE_EXPIRED = "pledge_expired"
    TERMINATED = "terminated"


class AccountChangeState(StrEnum):
    """What became of the wish to change a locked payee account (账户变更)."""

    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PledgeEnd(StrEnum):
    """How a registration came to its end (登记结束原因)."""

    RENEWED = "renewed"
    CANCELLED = "cancelled"
    LOAN_CANCELLED = "loan_cancelled"


class AccountNoticeKind(StrEnum):
    """What is published of a payee account (账户公示)."""

    LOCKED = "locked"
    CHANGED = "changed"
    RELEASED = "released"


class Deadline(StrEnum):
    """What the law asks for within so many working days of signing (法定期限)."""

    FILING = "filing"
    PUBLICATION = "publication"
