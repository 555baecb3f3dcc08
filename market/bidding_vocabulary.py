"""The words of bidding, limits and review, as enumerations; the other words stand in ``vocabulary``."""

from __future__ import annotations

from enum import StrEnum


class BidPolicy(StrEnum):
    """What bidders learn before the opening (报价方式): nothing, or the best cost and their own rank."""

    SEALED = "sealed"
    ANONYMOUS = "anonymous"


class Visibility(StrEnum):
    """Which institutions a need is shown to (可见范围): all, the named ones, or all but the named ones."""

    ALL = "all"
    CHOSEN = "chosen"
    EXCEPT = "except"


class FewBids(StrEnum):
    """What follows when fewer bids came than the need asked for (报价不足时)."""

    OFFER = "offer"  # the firm may accept fewer
    ANOTHER_ROUND = "another_round"  # as long as there is one left of three
    FAIL = "fail"


class Decision(StrEnum):
    """What an officer decided on an unusually low bid (异常低价核查结论)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class ReviewOutcome(StrEnum):
    """How an institution's own review of an award ended (授信审批结论)."""

    APPROVED = "approved"
    DECLINED = "declined"


class DeclineReason(StrEnum):
    """Why an institution declined after the award (拒绝原因)."""

    CREDIT_HISTORY = "credit_history"
    REPAYMENT_ABILITY = "repayment_ability"
    SECURITY_SHORT = "security_short"
    DOCUMENTS_MISSING = "documents_missing"
    PURPOSE_DOUBTED = "purpose_doubted"
    CONTRACT_DOUBTED = "contract_doubted"
    POLICY = "policy"
    FIRM_WITHDREW = "firm_withdrew"
    OTHER = "other"


class LimitMode(StrEnum):
    """Whether live bids hold headroom (占用方式): reserved for each, or shared by all until the award."""

    RESERVED = "reserved"
    SHARED = "shared"
