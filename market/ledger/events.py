"""What happens to a deal after its approval (贷后事项), as values, and how their details are written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from market.errors import Code, invalid
from market.lending_vocabulary import Account, LoanEventKind
from market.vocabulary import Repayment

#: Who pays: the borrower, the purchaser of its contract, or a guarantor.
SOURCES = ("borrower", "purchaser", "guarantor")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ``on`` is the day it counts from, ``number`` the order of writing.

    ``amount`` is fen. What else a kind needs:

    - drawdown: ``amount``;
    - receipt, compensation: ``amount`` and its ``source``, one of ``SOURCES``;
    - charge: ``amount``, ``account`` fees_due or penalty_due; it falls due with the next line;
    - waiver: ``amount``, ``account`` fees_due, penalty_due, interest_due or principal;
    - rate reset: ``rate`` per year;
    - extension: ``months`` that are added;
    - restructuring: any of ``rate``, ``months`` (from the day on), ``repayment``; with ``capitalise`` what is
      due and unpaid becomes principal, else it stays due;
    - pause: ``until``, the last day that does not count as late (None: until further notice);
    - undo: ``undoes``, the number of the event that is taken back.
    """

    number: int
    kind: LoanEventKind
    on: date
    amount: int | None = None
    source: str = "borrower"
    undoes: int | None = None
    rate: Decimal | None = None
    months: int | None = None
    repayment: Repayment | None = None
    capitalise: bool = False
    account: Account | None = None
    until: date | None = None


def write_details(event: Event) -> dict[str, Any]:
    """Return what an event says beside number, kind, day, amount and what it undoes, ready for JSON."""
    details: dict[str, Any] = {}
    if event.source != "borrower":
        details["source"] = event.source
    if event.rate is not None:
        details["rate"] = f"{event.rate:f}"
    if event.months is not None:
        details["months"] = event.months
    if event.repayment is not None:
        details["repayment"] = event.repayment.value
    if event.capitalise:
        details["capitalise"] = True
    if event.account is not None:
        details["account"] = event.account.value
    if event.until is not None:
        details["until"] = event.until.isoformat()
    return details


def read_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return written details as the keyword arguments of an ``Event``.

    Raises ``Invalid`` naming the detail: unknown_field, wrong_shape.
    """
    values: dict[str, Any] = {}
    for name, value in details.items():
        if name not in _READERS:
            raise invalid(Code.UNKNOWN_FIELD, name)
        try:
            values[name] = _READERS[name](value)
        except (ValueError, TypeError, InvalidOperation):
            raise invalid(
                Code.WRONG_SHAPE, name, kind=type(value).__name__, expected=_EXPECTED[name]
            ) from None
    return values


def _source(value: Any) -> str:
    if value not in SOURCES:
        raise ValueError(value)
    return str(value)


def _months(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "source": _source,
    "rate": Decimal,
    "months": _months,
    "repayment": Repayment,
    "capitalise": _flag,
    "account": Account,
    "until": date.fromisoformat,
}
_EXPECTED = {
    "source": "source",
    "rate": "number",
    "months": "number",
    "repayment": "repayment",
    "capitalise": "flag",
    "account": "account",
    "until": "date",
}
