"""What a disclosure sheet says; apart from what prints it, which takes long to load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from market.cost import Cost


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet says: the cost, the hash of its proof, and which offer it is, as far as it is one.

    ``issuer`` is the market that worked it out; ``lpr`` says in words which LPR it was priced on, ``binds``
    whether the offer is firm or subject to approval.
    """

    cost: Cost
    seal: str
    issuer: str
    priced_on: date
    made_at: datetime
    lender: str = ""
    product: str = ""
    firm: str = ""
    number: str = ""
    receipt: str = ""
    lpr: str = ""
    binds: str = ""
