"""What a lender reports of a contract loan to the bureau, laid beside our own loan book.

The fields are those of the bank–finance-bureau exchange: financing date, end, amount, returned amount, last
pay date. A difference accuses nobody; it is what an officer asks about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

#: The figures compared, in the order of the report.
FIELDS = ("financed_on", "ends_on", "amount", "returned", "last_paid_on")


@dataclass(frozen=True, slots=True)
class Figures:
    """One financing of a contract: days, and amounts in fen. ``last_paid_on`` is None before any payment."""

    financed_on: date
    ends_on: date
    amount: int
    returned: int
    last_paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure on which report and loan book do not agree; ``field`` None: the book has no such loan."""

    field: str | None
    reported: date | int | None = None
    booked: date | int | None = None


def compare(reported: Figures, booked: Sequence[Figures]) -> tuple[Difference, ...]:
    """Return where a report departs from the loans booked for its lender on its contract; () if nowhere.

    Of several loans the one that was paid out on the reported day is meant, then the one of the reported
    amount, then the latest; without any loan there is one difference, with no field.
    """
    if not booked:
        return (Difference(None),)
    meant = max(
        booked,
        key=lambda loan: (
            loan.financed_on == reported.financed_on,
            loan.amount == reported.amount,
            loan.financed_on,
        ),
    )
    return tuple(
        Difference(field, getattr(reported, field), getattr(meant, field))
        for field in FIELDS
        if getattr(reported, field) != getattr(meant, field)
    )
