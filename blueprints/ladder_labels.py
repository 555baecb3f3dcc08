"""The words beside the ladder of the contract loan."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.ladder_vocabulary import AccountChangeState, AccountNoticeKind, Deadline, PledgeEnd, SideState

LABELS: dict[type[Enum], dict[Any, Any]] = {
    SideState: {
        SideState.ACCOUNT_CHANGE_REQUESTED: lazy_pgettext("ladder", "Account change asked for"),
        SideState.PURCHASER_OVERDUE: lazy_pgettext("ladder", "Purchaser's payment overdue"),
        SideState.LOAN_OVERDUE: lazy_pgettext("ladder", "Loan overdue"),
        SideState.PLEDGE_EXPIRING: lazy_pgettext("ladder", "Pledge expires soon"),
        SideState.PLEDGE_EXPIRED: lazy_pgettext("ladder", "Pledge expired"),
        SideState.TERMINATED: lazy_pgettext("ladder", "Contract terminated"),
    },
    AccountChangeState: {
        AccountChangeState.REQUESTED: lazy_pgettext("account change", "Waits for consent"),
        AccountChangeState.DONE: lazy_pgettext("account change", "Changed"),
        AccountChangeState.REFUSED: lazy_pgettext("account change", "Refused"),
        AccountChangeState.WITHDRAWN: lazy_pgettext("account change", "Withdrawn"),
    },
    PledgeEnd: {
        PledgeEnd.RENEWED: lazy_pgettext("pledge", "Renewed"),
        PledgeEnd.CANCELLED: lazy_pgettext("pledge", "Cancelled after repayment"),
        PledgeEnd.LOAN_CANCELLED: lazy_pgettext("pledge", "Ended with its loan"),
    },
    AccountNoticeKind: {
        AccountNoticeKind.LOCKED: lazy_pgettext("account notice", "Locked"),
        AccountNoticeKind.CHANGED: lazy_pgettext("account notice", "Changed"),
        AccountNoticeKind.RELEASED: lazy_pgettext("account notice", "Released"),
    },
    Deadline: {
        Deadline.FILING: lazy_pgettext("ladder", "Filing of the contract"),
        Deadline.PUBLICATION: lazy_pgettext("ladder", "Publication of the contract"),
    },
}
