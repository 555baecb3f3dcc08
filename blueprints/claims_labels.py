"""The words of compensation claims: states, and as what a party bears its share."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.claims_vocabulary import ClaimState
from market.risk_sharing import Role

LABELS: dict[type[Enum], dict[Any, Any]] = {
    ClaimState: {
        ClaimState.OPEN: lazy_pgettext("claim", "Waits for the guarantor"),
        ClaimState.ACCEPTED: lazy_pgettext("claim", "Accepted"),
        ClaimState.REFUSED: lazy_pgettext("claim", "Refused"),
        ClaimState.PAID: lazy_pgettext("claim", "Paid"),
        ClaimState.CLOSED: lazy_pgettext("claim", "Closed"),
    },
    Role: {
        Role.BANK: lazy_pgettext("role", "Bank"),
        Role.LENDER: lazy_pgettext("role", "Lender"),
        Role.GUARANTOR: lazy_pgettext("role", "Guarantor"),
        Role.RE_GUARANTOR: lazy_pgettext("role", "Re-guarantor"),
        Role.NATIONAL_FUND: lazy_pgettext("role", "National guarantee fund"),
        Role.INSURER: lazy_pgettext("role", "Insurer"),
        Role.GOVERNMENT_POOL: lazy_pgettext("role", "Government pool"),
        Role.FUND: lazy_pgettext("role", "Fund"),
    },
}
