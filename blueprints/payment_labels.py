"""The words for the vocabulary of purchasers' payments."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.payment_vocabulary import Debtor, PaymentMove, PaymentResolution, PaymentState

LABELS: dict[type[Enum], dict[Any, Any]] = {
    PaymentState: {
        PaymentState.EARLY: lazy_pgettext("payment", "Early"),
        PaymentState.ON_TIME: lazy_pgettext("payment", "On time"),
        PaymentState.LATE: lazy_pgettext("payment", "Late"),
        PaymentState.PARTIAL: lazy_pgettext("payment", "In part"),
        PaymentState.OVER: lazy_pgettext("payment", "More than is owed"),
        PaymentState.NO_DUE_DATE: lazy_pgettext("payment", "No due date known"),
        PaymentState.UNDATED: lazy_pgettext("payment", "Without a date"),
        PaymentState.FUTURE: lazy_pgettext("payment", "Dated in the future"),
        PaymentState.WRONG_ACCOUNT: lazy_pgettext("payment", "Into another account"),
        PaymentState.REFUND: lazy_pgettext("payment", "Refund"),
        PaymentState.REVERSED: lazy_pgettext("payment", "Taken back"),
        PaymentState.REVERSAL: lazy_pgettext("payment", "Reversal"),
        PaymentState.UNMATCHED: lazy_pgettext("payment", "Contract not known"),
    },
    PaymentResolution: {
        PaymentResolution.ACCEPTED: lazy_pgettext("payment", "Account accepted by the lender"),
        PaymentResolution.REDIRECTED: lazy_pgettext("payment", "Passed on to the locked account"),
        PaymentResolution.RETURNED: lazy_pgettext("payment", "Returned to the purchaser"),
        PaymentResolution.TO_SUPPLIER: lazy_pgettext("payment", "Left to the supplier"),
        PaymentResolution.CORRECTED: lazy_pgettext("payment", "Recorded wrongly"),
    },
    PaymentMove: {
        PaymentMove.ACCEPT_ACCOUNT: lazy_pgettext("payment", "Accept the account"),
        PaymentMove.SEND_BACK: lazy_pgettext("payment", "Record its return"),
        PaymentMove.LEAVE_TO_SUPPLIER: lazy_pgettext("payment", "Leave it to the supplier"),
        PaymentMove.CORRECT: lazy_pgettext("payment", "Take it back"),
    },
    Debtor: {
        Debtor.GOVERNMENT: lazy_pgettext("payment", "Government body"),
        Debtor.LARGE_FIRM: lazy_pgettext("payment", "Large firm"),
    },
}
