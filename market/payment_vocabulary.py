"""The words of a purchaser's payments: how each stands to what is owed, and how it was resolved."""

from __future__ import annotations

from enum import StrEnum


class PaymentState(StrEnum):
    """How a payment stands to what its purchaser owes (付款状态).

    ``no_due_date``: nothing says when it was owed. ``partial``: in time, but less than what fell due.
    ``over``: more than is owed at all. ``reversed`` and ``reversal``: what was recorded wrongly, or went
    back, and the row that takes it back. ``unmatched`` payments name a contract that is not in the registry
    and are kept apart until it is.
    """

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    PARTIAL = "partial"
    OVER = "over"
    NO_DUE_DATE = "no_due_date"
    UNDATED = "undated"
    FUTURE = "future"
    WRONG_ACCOUNT = "wrong_account"
    REFUND = "refund"
    REVERSED = "reversed"
    REVERSAL = "reversal"
    UNMATCHED = "unmatched"


class PaymentResolution(StrEnum):
    """What was done about a payment that could not stand as it came (付款处理).

    ``accepted``: the lender agreed in writing to money in another account; ``redirected``: that money went on
    to the locked account; ``returned``: it went back to the purchaser; ``to_supplier``: what is beyond the
    contract stays with the supplier; ``corrected``: it was recorded wrongly.
    """

    ACCEPTED = "accepted"
    REDIRECTED = "redirected"
    RETURNED = "returned"
    TO_SUPPLIER = "to_supplier"
    CORRECTED = "corrected"


class PaymentMove(StrEnum):
    """What can be done about a payment by a word alone (处理方式); others need a date or another payment."""

    ACCEPT_ACCOUNT = "accept_account"
    SEND_BACK = "send_back"
    LEAVE_TO_SUPPLIER = "leave_to_supplier"
    CORRECT = "correct"


class Debtor(StrEnum):
    """Who owes by the payment law (付款方): rules differ for government bodies and large firms."""

    GOVERNMENT = "government"
    LARGE_FIRM = "large_firm"


#: States that somebody must look at.
TO_RESOLVE = frozenset(
    {
        PaymentState.UNDATED,
        PaymentState.FUTURE,
        PaymentState.WRONG_ACCOUNT,
        PaymentState.OVER,
        PaymentState.UNMATCHED,
    }
)
