"""A syndicate as pages show it: its parts with their shares, payments and loans."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from blueprints import access, endings
from blueprints.web import payment_words
from market import what_if
from models.loan import Loan
from services import desk, syndicates
from services.comparisons import Comparison
from services.syndicates import Part, Syndicate


@dataclass(frozen=True, slots=True)
class Row:
    """A part as pages show it: its share of the need, its payments in words, the loan it became."""

    part: Part
    share: Decimal
    payments: str
    declines: str = ""
    loan: Loan | None = None

    @property
    def token(self) -> str:
        """Return what the form sends of the part, so that it is accepted as it was shown."""
        return f"{self.part.bid.id}:{self.part.amount}:{self.part.bid.receipt_hash}"


def list_rows(syndicate: Syndicate, comparison: Comparison) -> list[Row]:
    """Return the parts of a syndicate with all that pages say about them."""
    return [
        Row(
            part,
            syndicate.share(part),
            payment_words.say(
                what_if.find_payments(part.cost.schedule), part.terms.months, part.terms.interval
            ),
            endings.decline_rate(comparison.decline_rates.get(part.bid.organisation_id)),
            desk.find_loan(part.award) if part.award is not None else None,
        )
        for part in syndicate.parts
    ]


def read_proposed(comparison: Comparison) -> dict[str, Any]:
    """Return what the page of the offers shows of a proposed syndicate; empty without one."""
    if not comparison.syndicate:
        return {}
    syndicate = syndicates.price(comparison.need, comparison.syndicate)
    return {
        "syndicate": syndicate,
        "rows": list_rows(syndicate, comparison),
        "may_accept_syndicate": comparison.may_accept_syndicate(access.now()),
    }
