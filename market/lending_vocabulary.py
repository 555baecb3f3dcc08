"""The words of the loan book: what happens to a deal, where its money stands, how late and sound it is.

Five-level classification: 商业银行金融资产风险分类办法 (CBIRC / PBOC order 2023 No. 1, in force 2023-07-01).
Late interest on overdue principal: 银发〔2003〕251号 (30 to 50 % above the contract's rate).
"""

from __future__ import annotations

from enum import StrEnum


class DealKind(StrEnum):
    """What was closed (成交类型)."""

    LOAN = "loan"
    LEASE = "lease"
    FACTORING = "factoring"
    BRIDGE = "bridge"
    GUARANTEE = "guarantee"
    FUND = "fund"


class LoanEventKind(StrEnum):
    """What happens to a deal after it was approved (贷后事项); each is written once and never changed.

    A ``release`` gives up what was approved and will not be drawn.
    """

    DRAWDOWN = "drawdown"
    RELEASE = "release"
    RECEIPT = "receipt"
    CHARGE = "charge"
    RATE_RESET = "rate_reset"
    EXTENSION = "extension"
    RESTRUCTURING = "restructuring"
    WAIVER = "waiver"
    WRITE_OFF = "write_off"
    COMPENSATION = "compensation"
    PAUSE = "pause"
    UNDO = "undo"


class Account(StrEnum):
    """Where the money of one deal stands (科目), seen from its lender.

    ``supplier`` is what of a purchaser's payment went on to the supplier, ``credit`` what the borrower paid
    beyond all it owed, ``recovered`` what came in after a write-off; ``guaranteed`` and ``guarantees`` carry
    what a guarantor stands for, where a loan has principal and cash.
    """

    CASH = "cash"
    PRINCIPAL = "principal"
    INTEREST_DUE = "interest_due"
    INTEREST_INCOME = "interest_income"
    FEES_DUE = "fees_due"
    FEE_INCOME = "fee_income"
    PENALTY_DUE = "penalty_due"
    PENALTY_INCOME = "penalty_income"
    WAIVED = "waived"
    WRITTEN_OFF = "written_off"
    RECOVERED = "recovered"
    COMPENSATED = "compensated"
    SUPPLIER = "supplier"
    CREDIT = "credit"
    GUARANTEED = "guaranteed"
    GUARANTEES = "guarantees"


class AllocationOrder(StrEnum):
    """In which order money fills what is due (冲账顺序): always the oldest line first.

    ``principal_first`` is what lenders turn to once interest is more than 90 days late.
    """

    FEES_FIRST = "fees_first"
    PRINCIPAL_FIRST = "principal_first"


class PrepaymentEffect(StrEnum):
    """What principal paid ahead of its day does to the schedule (提前还款方式)."""

    NEXT = "next"
    SHORTEN = "shorten"
    REDUCE = "reduce"


class Bucket(StrEnum):
    """How late a deal is (逾期账龄): days past due, after the days of grace."""

    CURRENT = "current"
    D1_30 = "d1_30"
    D31_60 = "d31_60"
    D61_90 = "d61_90"
    D91_180 = "d91_180"
    D181_270 = "d181_270"
    D271_360 = "d271_360"
    OVER_360 = "over_360"


class RiskClass(StrEnum):
    """The five levels (五级分类): 正常, 关注, 次级, 可疑, 损失."""

    NORMAL = "normal"
    SPECIAL_MENTION = "special_mention"
    SUBSTANDARD = "substandard"
    DOUBTFUL = "doubtful"
    LOSS = "loss"


class DrawdownState(StrEnum):
    """A drawdown that its lender asks for: waiting for the second person, paid out, or turned down."""

    REQUESTED = "requested"
    PAID_OUT = "paid_out"
    REFUSED = "refused"
