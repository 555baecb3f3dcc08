"""The words for the exchange with finance bureaus."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext

from market.bureau_vocabulary import BureauKind, ChangeStatus, ConsentScope, DayBasis, PullFailure

LABELS: dict[type[Enum], dict[Any, Any]] = {
    BureauKind: {
        BureauKind.AWARDS: lazy_gettext("Award notices"),
        BureauKind.CONTRACTS: lazy_gettext("Contracts"),
        BureauKind.PAYMENTS: lazy_gettext("Payments of purchasers"),
    },
    ChangeStatus: {
        ChangeStatus.NONE: lazy_pgettext("account change", "None"),
        ChangeStatus.REQUESTED: lazy_pgettext("account change", "Requested"),
        ChangeStatus.AGREED: lazy_pgettext("account change", "Agreed"),
        ChangeStatus.REFUSED: lazy_pgettext("account change", "Refused"),
        ChangeStatus.DONE: lazy_pgettext("account change", "Done"),
    },
    ConsentScope: {
        ConsentScope.CONTRACTS: lazy_gettext("Awards and contracts"),
        ConsentScope.PAYMENTS: lazy_gettext("Awards, contracts and payments"),
    },
    DayBasis: {
        DayBasis.PUBLISHED: lazy_pgettext("day", "Of the record itself"),
        DayBasis.UPDATED: lazy_pgettext("day", "Of the registry"),
    },
    PullFailure: {
        PullFailure.BAD_ADDRESS: lazy_gettext("The address is not one that can be called."),
        PullFailure.FORBIDDEN_ADDRESS: lazy_gettext("The address leads into a private network."),
        PullFailure.UNREACHABLE: lazy_gettext("The bureau cannot be reached."),
        PullFailure.TIMED_OUT: lazy_gettext("The bureau did not answer in time."),
        PullFailure.REDIRECTED: lazy_gettext("The bureau sent us elsewhere. Correct the address."),
        PullFailure.REFUSED: lazy_gettext("The bureau refused us. Check the token."),
        PullFailure.BROKEN: lazy_gettext("The bureau answered with a fault of its own."),
        PullFailure.CUT_SHORT: lazy_gettext("The answer broke off."),
        PullFailure.NOT_JSON: lazy_gettext("The answer is not valid JSON."),
        PullFailure.WRONG_SHAPE: lazy_gettext("The answer is not a list of the exchange."),
        PullFailure.TOO_LARGE: lazy_gettext("The answer is larger than any day can be."),
        PullFailure.TOKEN_UNREADABLE: lazy_gettext("The token was kept for another address. Enter it again."),
    },
}

#: What the exchange calls the figures of a report.
FIGURES = {
    "financed_on": "financing_date",
    "ends_on": "financing_end",
    "amount": "financing_amount",
    "returned": "returned_amount",
    "last_paid_on": "last_pay_date",
}
