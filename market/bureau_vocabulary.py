"""Words of the exchange between banks and the finance bureau (银行与财政局接口)."""

from __future__ import annotations

from enum import StrEnum


class BureauKind(StrEnum):
    """What is asked of a bureau day by day, in the order in which it must arrive."""

    AWARDS = "awards"
    CONTRACTS = "contracts"
    PAYMENTS = "payments"


class DayBasis(StrEnum):
    """Which day of a record counts: the paper's own, or the one on which the registry took it in."""

    PUBLISHED = "published"
    UPDATED = "updated"


class ConsentScope(StrEnum):
    """What a supplier lets a bank read (数据授权范围); payments include the contracts they are made on."""

    CONTRACTS = "contracts"
    PAYMENTS = "payments"


class ChangeStatus(StrEnum):
    """How far a change of the locked account is (账户变更状态)."""

    NONE = "none"
    REQUESTED = "requested"
    AGREED = "agreed"
    REFUSED = "refused"
    DONE = "done"


class PullFailure(StrEnum):
    """Why nothing could be fetched from a bureau; one reason per attempt, the last one is kept."""

    BAD_ADDRESS = "bad_address"
    FORBIDDEN_ADDRESS = "forbidden_address"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    BROKEN = "broken"
    CUT_SHORT = "cut_short"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    TOO_LARGE = "too_large"
    TOKEN_UNREADABLE = "token_unreadable"
