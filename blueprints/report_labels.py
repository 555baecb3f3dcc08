"""The words for the vocabulary of the reports."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.report_vocabulary import FileEntry, LoanMark

LABELS: dict[type[Enum], dict[Any, Any]] = {
    LoanMark: {
        LoanMark.LIVE: lazy_pgettext("contract loan", "Running"),
        LoanMark.ENDED: lazy_pgettext("contract loan", "Ended"),
        LoanMark.FINANCED: lazy_pgettext("contract loan", "Financed"),
        LoanMark.OUTSTANDING: lazy_pgettext("contract loan", "Outstanding"),
        LoanMark.REPAID: lazy_pgettext("contract loan", "Repaid in part or whole"),
        LoanMark.ROOM: lazy_pgettext("contract loan", "Room for more"),
        LoanMark.OVERDUE: lazy_pgettext("contract loan", "Loan overdue"),
        LoanMark.ALERTS: lazy_pgettext("contract loan", "With open alerts"),
        LoanMark.LOCK_WAITING: lazy_pgettext("contract loan", "Account lock waits"),
        LoanMark.PURCHASER_OVERDUE: lazy_pgettext("contract loan", "Purchaser pays late"),
        LoanMark.PLEDGE_EXPIRING: lazy_pgettext("contract loan", "Pledge expires soon"),
        LoanMark.PLEDGE_EXPIRED: lazy_pgettext("contract loan", "Pledge expired"),
        LoanMark.ACCOUNT_CHANGE: lazy_pgettext("contract loan", "Account change asked for"),
        LoanMark.TERMINATED: lazy_pgettext("contract loan", "Contract terminated"),
    },
    FileEntry: {
        FileEntry.NEED: lazy_pgettext("file", "Need"),
        FileEntry.BIDDING: lazy_pgettext("file", "Bids opened"),
        FileEntry.AWARD: lazy_pgettext("file", "Award"),
        FileEntry.REVIEW: lazy_pgettext("file", "Review"),
        FileEntry.APPROVAL: lazy_pgettext("file", "Deal approved"),
        FileEntry.CONTRACT: lazy_pgettext("file", "Contract"),
        FileEntry.AMENDMENT: lazy_pgettext("file", "Contract amended"),
        FileEntry.STEP: lazy_pgettext("file", "Ladder"),
        FileEntry.STEP_UNDONE: lazy_pgettext("file", "Step undone"),
        FileEntry.PLEDGE: lazy_pgettext("file", "Pledge"),
        FileEntry.ACCOUNT_CHANGE: lazy_pgettext("file", "Account change"),
        FileEntry.TERMINATION: lazy_pgettext("file", "Contract terminated"),
        FileEntry.DRAWDOWN_REQUEST: lazy_pgettext("file", "Drawdown asked for"),
        FileEntry.EVENT: lazy_pgettext("file", "Loan book"),
        FileEntry.PAYMENT: lazy_pgettext("file", "Purchaser's payment"),
        FileEntry.LATENESS: lazy_pgettext("file", "Lateness"),
        FileEntry.GUARANTEE: lazy_pgettext("file", "Guarantee"),
        FileEntry.ALERT: lazy_pgettext("file", "Alert"),
        FileEntry.ALERT_RESOLVED: lazy_pgettext("file", "Alert resolved"),
        FileEntry.DEED: lazy_pgettext("file", "Deed on record"),
    },
}
