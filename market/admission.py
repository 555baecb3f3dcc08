"""Admission (准入): whether an institution may bid in a zone on a day, from what is on record of it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

#: So many days before an agreement ends, the officer is warned.
WARNING_DAYS = 30


class AdmissionState(StrEnum):
    """Where an institution stands in a zone (准入状态)."""

    NOT_ADMITTED = "not_admitted"
    ADMITTED = "admitted"
    ENDING = "ending"  # admitted, but the agreement ends within ``WARNING_DAYS``
    ENDED = "ended"
    SUSPENDED = "suspended"


#: In these an institution may list products and bid.
MAY_BID = frozenset({AdmissionState.ADMITTED, AdmissionState.ENDING})


def judge(*, admitted: bool, until: date | None, suspended: bool, on: date) -> AdmissionState:
    """Return where an institution stands on a day; ``until`` is the last day of its agreement.

    A suspension is said before an ended agreement: renewing would not lift it.
    """
    if not admitted or until is None:
        return AdmissionState.NOT_ADMITTED
    if suspended:
        return AdmissionState.SUSPENDED
    if on > until:
        return AdmissionState.ENDED
    return AdmissionState.ENDING if (until - on).days <= WARNING_DAYS else AdmissionState.ADMITTED
