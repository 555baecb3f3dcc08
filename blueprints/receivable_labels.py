"""The words for receivables: how far their right is confirmed, and what becomes of their money."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.receivable_vocabulary import (
    FinancingMode,
    ReceivableObstacle,
    ReceivableState,
    ReceivableUse,
)

LABELS: dict[type[Enum], dict[Any, Any]] = {
    FinancingMode: {
        FinancingMode.WHOLE: lazy_pgettext("receivable", "Contract as a whole"),
        FinancingMode.INVOICES: lazy_pgettext("receivable", "Invoice by invoice"),
    },
    ReceivableState: {
        ReceivableState.ENTERED: lazy_pgettext("receivable", "Entered"),
        ReceivableState.REQUESTED: lazy_pgettext("receivable", "Confirmation requested"),
        ReceivableState.CONFIRMED: lazy_pgettext("receivable", "Right confirmed"),
        ReceivableState.REFUSED: lazy_pgettext("receivable", "Confirmation refused"),
        ReceivableState.WITHDRAWN: lazy_pgettext("receivable", "Withdrawn"),
    },
    ReceivableUse: {
        ReceivableUse.FREE: lazy_pgettext("receivable", "Free"),
        ReceivableUse.PROMISED: lazy_pgettext("receivable", "Promised to a lender"),
        ReceivableUse.FINANCED: lazy_pgettext("receivable", "Financed"),
        ReceivableUse.PAID: lazy_pgettext("receivable", "Paid"),
    },
    ReceivableObstacle: {
        ReceivableObstacle.UNCONFIRMED: lazy_pgettext("receivable", "not confirmed by the debtor"),
        ReceivableObstacle.RIGHT_REFUSED: lazy_pgettext("receivable", "the debtor refused to confirm it"),
        ReceivableObstacle.WITHDRAWN: lazy_pgettext("receivable", "withdrawn"),
        ReceivableObstacle.PAID: lazy_pgettext("receivable", "paid"),
        ReceivableObstacle.PAST_DUE: lazy_pgettext("receivable", "past its due date"),
    },
}
