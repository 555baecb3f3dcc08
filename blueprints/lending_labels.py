"""The words for the vocabulary of the loan book."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.lending_vocabulary import (
    Account,
    AllocationOrder,
    Bucket,
    DealKind,
    DrawdownState,
    LoanEventKind,
    PrepaymentEffect,
    RiskClass,
)

LABELS: dict[type[Enum], dict[Any, Any]] = {
    DealKind: {
        DealKind.LOAN: lazy_pgettext("offer", "Loan"),
        DealKind.LEASE: lazy_pgettext("offer", "Lease"),
        DealKind.FACTORING: lazy_pgettext("deal", "Factoring"),
        DealKind.BRIDGE: lazy_pgettext("deal", "Bridge loan"),
        DealKind.GUARANTEE: lazy_pgettext("deal", "Guarantee"),
        DealKind.FUND: lazy_pgettext("deal", "Investment"),
    },
    LoanEventKind: {
        LoanEventKind.DRAWDOWN: lazy_pgettext("book", "Drawdown"),
        LoanEventKind.RELEASE: lazy_pgettext("book", "Undrawn rest given up"),
        LoanEventKind.RECEIPT: lazy_pgettext("book", "Receipt"),
        LoanEventKind.CHARGE: lazy_pgettext("book", "Charge"),
        LoanEventKind.RATE_RESET: lazy_pgettext("book", "Rate reset"),
        LoanEventKind.EXTENSION: lazy_pgettext("book", "Extension"),
        LoanEventKind.RESTRUCTURING: lazy_pgettext("book", "Restructuring"),
        LoanEventKind.WAIVER: lazy_pgettext("book", "Waiver"),
        LoanEventKind.WRITE_OFF: lazy_pgettext("book", "Write-off"),
        LoanEventKind.COMPENSATION: lazy_pgettext("book", "Compensation by the guarantor"),
        LoanEventKind.PAUSE: lazy_pgettext("book", "Pause of lateness"),
        LoanEventKind.UNDO: lazy_pgettext("book", "Taken back"),
    },
    Account: {
        Account.CASH: lazy_pgettext("account", "Cash"),
        Account.PRINCIPAL: lazy_pgettext("account", "Principal owed"),
        Account.INTEREST_DUE: lazy_pgettext("account", "Interest owed"),
        Account.INTEREST_INCOME: lazy_pgettext("account", "Interest earned"),
        Account.FEES_DUE: lazy_pgettext("account", "Fees owed"),
        Account.FEE_INCOME: lazy_pgettext("account", "Fees earned"),
        Account.PENALTY_DUE: lazy_pgettext("account", "Late interest owed"),
        Account.PENALTY_INCOME: lazy_pgettext("account", "Late interest earned"),
        Account.WAIVED: lazy_pgettext("account", "Waived"),
        Account.WRITTEN_OFF: lazy_pgettext("account", "Written off"),
        Account.RECOVERED: lazy_pgettext("account", "Recovered after write-off"),
        Account.COMPENSATED: lazy_pgettext("account", "Paid by the guarantor"),
        Account.SUPPLIER: lazy_pgettext("account", "Passed on to the supplier"),
        Account.CREDIT: lazy_pgettext("account", "Paid beyond what is owed"),
        Account.GUARANTEED: lazy_pgettext("account", "Guaranteed"),
        Account.GUARANTEES: lazy_pgettext("account", "Guarantees given"),
    },
    AllocationOrder: {
        AllocationOrder.FEES_FIRST: lazy_pgettext("book", "Fees, late interest, interest, principal"),
        AllocationOrder.PRINCIPAL_FIRST: lazy_pgettext("book", "Principal, interest, late interest, fees"),
    },
    PrepaymentEffect: {
        PrepaymentEffect.NEXT: lazy_pgettext("book", "Pays the next instalments ahead"),
        PrepaymentEffect.SHORTEN: lazy_pgettext("book", "Shortens the term"),
        PrepaymentEffect.REDUCE: lazy_pgettext("book", "Lowers the instalments"),
    },
    Bucket: {
        Bucket.CURRENT: lazy_pgettext("bucket", "Not late"),
        Bucket.D1_30: lazy_pgettext("bucket", "1–30 days"),
        Bucket.D31_60: lazy_pgettext("bucket", "31–60 days"),
        Bucket.D61_90: lazy_pgettext("bucket", "61–90 days"),
        Bucket.D91_180: lazy_pgettext("bucket", "91–180 days"),
        Bucket.D181_270: lazy_pgettext("bucket", "181–270 days"),
        Bucket.D271_360: lazy_pgettext("bucket", "271–360 days"),
        Bucket.OVER_360: lazy_pgettext("bucket", "Over 360 days"),
    },
    RiskClass: {
        RiskClass.NORMAL: lazy_pgettext("risk", "Normal"),
        RiskClass.SPECIAL_MENTION: lazy_pgettext("risk", "Special mention"),
        RiskClass.SUBSTANDARD: lazy_pgettext("risk", "Substandard"),
        RiskClass.DOUBTFUL: lazy_pgettext("risk", "Doubtful"),
        RiskClass.LOSS: lazy_pgettext("risk", "Loss"),
    },
    DrawdownState: {
        DrawdownState.REQUESTED: lazy_pgettext("drawdown", "Waits for the second person"),
        DrawdownState.PAID_OUT: lazy_pgettext("drawdown", "Paid out"),
        DrawdownState.REFUSED: lazy_pgettext("drawdown", "Turned down"),
    },
}
