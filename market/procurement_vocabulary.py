"""The words of public procurement: what is bought, what small firms are favoured with, deposits, notices."""

from __future__ import annotations

from enum import StrEnum


class ProcurementObject(StrEnum):
    """What a purchaser buys (采购标的)."""

    GOODS = "goods"
    SERVICES = "services"
    WORKS = "works"


class ProcurementRuleKind(StrEnum):
    """What a dated rule of procurement says (政府采购政策).

    ``reserve_whole``: projects up to an amount go to the favoured alone; ``reserve_share``: above it, the
    least share of the budget reserved for them; ``reserve_small_share``: of what is reserved, the least
    share for small and micro firms. ``price_deduction`` is taken off a favoured bid before bids are
    compared, ``consortium_deduction`` off the bid of larger firms that share the contract with small ones.
    The three ``…_deposit_most`` cap a deposit as a share of the budget or the contract.
    """

    RESERVE_WHOLE = "reserve_whole"
    RESERVE_SHARE = "reserve_share"
    RESERVE_SMALL_SHARE = "reserve_small_share"
    PRICE_DEDUCTION = "price_deduction"
    CONSORTIUM_DEDUCTION = "consortium_deduction"
    BID_DEPOSIT_MOST = "bid_deposit_most"
    PERFORMANCE_DEPOSIT_MOST = "performance_deposit_most"
    QUALITY_DEPOSIT_MOST = "quality_deposit_most"


class Favoured(StrEnum):
    """Whom a rule of procurement favours (适用对象)."""

    ALL = "all"
    SME = "sme"
    SMALL_MICRO = "small_micro"


class MatchReason(StrEnum):
    """Why a procurement intention reaches a firm (匹配原因)."""

    INDUSTRY = "industry"
    TAG = "tag"
    KEYWORD = "keyword"


class NoticeKind(StrEnum):
    """What an organisation is told inside the market (站内通知)."""

    AWARD_NOTICE = "award_notice"
    AWARDS_OF_DAY = "awards_of_day"
    INTENTION = "intention"
    FRAMEWORK_ENDING = "framework_ending"
    FRAMEWORK_ENDED = "framework_ended"
    DEPOSIT_DEMANDED = "deposit_demanded"
    GUARANTEE_ASKED = "guarantee_asked"
    GUARANTEE_DECLINED = "guarantee_declined"
    GUARANTEE_ISSUED = "guarantee_issued"
    GUARANTEE_EXPIRED = "guarantee_expired"
    DEPOSIT_RELEASED = "deposit_released"


class DepositKind(StrEnum):
    """What a deposit secures (保证金类型)."""

    BID = "bid"
    PERFORMANCE = "performance"
    ADVANCE = "advance"
    QUALITY = "quality"


class DepositForm(StrEnum):
    """How a deposit is given (缴纳形式)."""

    CASH = "cash"
    GUARANTEE = "guarantee"


class DepositState(StrEnum):
    """A deposit's life (保证金状态): demanded, given in cash or by a guarantee, released or expired.

    ``asked``: the firm asked a guarantor to stand in, whether or not cash lies with the purchaser.
    """

    DEMANDED = "demanded"
    PAID = "paid"
    ASKED = "asked"
    GUARANTEED = "guaranteed"
    EXPIRED = "expired"
    RELEASED = "released"
