"""The words of compensation claims (代偿)."""

from __future__ import annotations

from enum import StrEnum


class ClaimState(StrEnum):
    """A lender's claim on a guarantor: open, accepted or refused, paid, closed once nothing comes."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PAID = "paid"
    CLOSED = "closed"


#: Claims that keep a second one on the same loan waiting.
STANDING_CLAIMS = (ClaimState.OPEN, ClaimState.ACCEPTED)
#: Claims that count against the loss cap of a guarantee's portfolio.
COUNTED_CLAIMS = (ClaimState.ACCEPTED, ClaimState.PAID, ClaimState.CLOSED)
