"""What a published record says about one procurement contract, and whether a loan may lean on it.

A record is a value read from somebody else's data: anything may be absent (None). Amounts are fen,
dates are the days as written in the record. Two records of the same contract are joined by
``amend``; the later published one wins field by field, because publishers release what changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

CNY = "CNY"
#: How the yuan is written in records beside its ISO code.
YUAN_NAMES = frozenset({"CNY", "RMB", "CNH", "人民币", "人民币元", "元"})

#: The longest texts that are kept; identifiers above are refused, names above are cut.
LONGEST_ID = 160
LONGEST_NAME = 300
LONGEST_TITLE = 400


class Obstacle(StrEnum):
    """Why no loan may lean on a contract (不可融资原因)."""

    NO_CREDIT_CODE = "no_credit_code"
    BAD_CREDIT_CODE = "bad_credit_code"
    SEVERAL_SUPPLIERS = "several_suppliers"
    NO_AMOUNT = "no_amount"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    NO_CURRENCY = "no_currency"
    FOREIGN_CURRENCY = "foreign_currency"
    NOT_IN_FORCE = "not_in_force"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    IMPOSSIBLE_DATES = "impossible_dates"
    DOUBTFUL_PAYMENTS = "doubtful_payments"
    UNCONFIRMED = "unconfirmed"


#: Words of ``status`` (OCDS code list contractStatus) under which nothing can be lent. A terminated contract
#: has come to its end, whether fulfilled or broken off.
_STATUS_OBSTACLES: Mapping[str, Obstacle] = {
    "pending": Obstacle.NOT_IN_FORCE,
    "cancelled": Obstacle.CANCELLED,
    "canceled": Obstacle.CANCELLED,
    "unsuccessful": Obstacle.CANCELLED,
    "terminated": Obstacle.TERMINATED,
}

#: Obstacles that only the reader of the original sees; they travel in ``ContractRecord.doubts``.
_ABOUT_SUPPLIER = frozenset({Obstacle.BAD_CREDIT_CODE, Obstacle.SEVERAL_SUPPLIERS})
_ABOUT_DAYS = frozenset({Obstacle.IMPOSSIBLE_DATES})
_ABOUT_PAYMENTS = frozenset({Obstacle.DOUBTFUL_PAYMENTS})
DOUBTS = _ABOUT_SUPPLIER | _ABOUT_DAYS | _ABOUT_PAYMENTS


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """One payment of the purchaser: ``amount`` in fen (a refund is negative), ``paid_on`` None if undated."""

    amount: int
    transaction_id: str | None = None
    paid_on: date | None = None
    currency: str | None = None
    payer: str | None = None
    payer_id: str | None = None
    payee: str | None = None
    payee_id: str | None = None
    payee_account: str | None = None


@dataclass(frozen=True, slots=True)
class ContractRecord:
    """One contract as published, known by ``process_id`` and ``contract_id``.

    ``number`` is the contract number that the duplicate-financing key is made of. ``supplier_code`` is
    a valid unified social credit code or None. ``doubts`` holds obstacles that cannot be seen from the
    other fields. ``released_at`` (aware) says when this was published, None if the record does not.
    """

    process_id: str
    contract_id: str
    number: str
    title: str | None = None
    status: str | None = None
    award_id: str | None = None
    purchaser_name: str | None = None
    purchaser_code: str | None = None
    supplier_name: str | None = None
    supplier_code: str | None = None
    amount: int | None = None
    currency: str | None = None
    signed_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    retention: int | None = None
    payment_days: int | None = None
    payments: tuple[PaymentRecord, ...] = ()
    doubts: frozenset[Obstacle] = frozenset()
    released_at: datetime | None = None
    older: Mapping[str, datetime] = field(default_factory=dict, hash=False)


#: Fields that a later record overrides one by one, when it states them.
_PLAIN_FIELDS = (
    "title",
    "status",
    "award_id",
    "purchaser_name",
    "purchaser_code",
    "amount",
    "currency",
    "signed_on",
    "starts_on",
    "ends_on",
    "retention",
    "payment_days",
)


def find_obstacles(record: ContractRecord) -> tuple[Obstacle, ...]:
    """Return every reason why the contract cannot be financed, in the order of ``Obstacle``; () if it can."""
    found = set(record.doubts)
    if record.supplier_code is None and Obstacle.BAD_CREDIT_CODE not in found:
        found.add(Obstacle.NO_CREDIT_CODE)
    if record.amount is None:
        found.add(Obstacle.NO_AMOUNT)
    elif record.amount <= 0:
        found.add(Obstacle.AMOUNT_NOT_POSITIVE)
    if record.amount is not None and record.currency is None:
        found.add(Obstacle.NO_CURRENCY)
    elif record.currency not in (None, CNY):
        found.add(Obstacle.FOREIGN_CURRENCY)
    if (stopped := _STATUS_OBSTACLES.get((record.status or "").lower())) is not None:
        found.add(stopped)
    return tuple(obstacle for obstacle in Obstacle if obstacle in found)


def normalise_currency(text: str) -> str:
    """Return an ISO-like currency code in capitals; every name of the yuan becomes ``CNY``."""
    name = text.strip().upper()
    return CNY if name in YUAN_NAMES else name[:8]


def amend(known: ContractRecord, fresh: ContractRecord) -> ContractRecord:
    """Return what two records of one contract say together.

    Of every field the one published later wins (``fresh`` when a date is missing or equal); what it does not
    state stays. So the end is the same in whatever order dated records come in. Payments are united by
    ``key_payments``.
    """
    released_at = _later(known.released_at, fresh.released_at)
    older: dict[str, datetime] = {}
    changes: dict[str, Any] = {}

    def choose(name: str, *, known_states: bool, fresh_states: bool) -> ContractRecord:
        """Return the record whose word on a field counts, and note when that was published."""
        before, after = known.older.get(name, known.released_at), fresh.older.get(name, fresh.released_at)
        is_late = before is not None and after is not None and after < before
        takes_fresh = fresh_states and not (known_states and is_late)
        stamp = after if takes_fresh else before
        if (takes_fresh or known_states) and stamp is not None and stamp != released_at:
            older[name] = stamp
        return fresh if takes_fresh else known

    for name in _PLAIN_FIELDS:
        fresh_value = getattr(fresh, name)
        if fresh_value is None and name not in known.older and known.released_at == released_at:
            # By far the most often: nothing is said that could be newer or older.
            continue
        chosen = choose(
            name, known_states=getattr(known, name) is not None, fresh_states=fresh_value is not None
        )
        changes[name] = getattr(chosen, name)
    # A number that came with a title is the better one.
    titled, retitled = known.title is not None, fresh.title is not None
    chosen = choose("number", known_states=titled or not retitled, fresh_states=retitled or not titled)
    doubts = (known.doubts | fresh.doubts) - _ABOUT_SUPPLIER - _ABOUT_DAYS - _ABOUT_PAYMENTS
    supplied = choose("supplier", known_states=_names_supplier(known), fresh_states=_names_supplier(fresh))
    dated = choose("days", known_states=_tells_days(known), fresh_states=_tells_days(fresh))
    paid = choose("payments", known_states=_tells_payments(known), fresh_states=_tells_payments(fresh))
    doubts |= supplied.doubts & _ABOUT_SUPPLIER | dated.doubts & _ABOUT_DAYS | paid.doubts & _ABOUT_PAYMENTS
    return replace(
        known,
        **changes,
        number=chosen.number,
        supplier_name=supplied.supplier_name,
        supplier_code=supplied.supplier_code,
        payments=tuple((key_payments(known.payments) | key_payments(fresh.payments)).values()),
        doubts=doubts,
        released_at=released_at,
        older=older,
    )


def key_payments(payments: Iterable[PaymentRecord]) -> dict[str, PaymentRecord]:
    """Return payments by a key that stays the same when the same record is read again, in whatever order.

    The key is the transaction id; without one, day and amount. Repetitions that differ are numbered by day
    and amount, because publishers reuse an id for several lines and dropping a line would understate what was
    paid; an identical repetition of an id is the same payment told twice.
    """
    stems: defaultdict[str, list[PaymentRecord]] = defaultdict(list)
    for payment in payments:
        stem = payment.transaction_id or f"~{payment.paid_on or 'undated'}~{payment.amount}"
        if payment.transaction_id and any(
            (other.paid_on, other.amount) == (payment.paid_on, payment.amount) for other in stems[stem]
        ):
            continue
        stems[stem].append(payment)
    return {
        _numbered(stem, n): payment
        for stem, repeated in stems.items()
        for n, payment in enumerate(
            repeated
            if len(repeated) == 1
            else sorted(repeated, key=lambda one: (one.paid_on or date.max, one.amount))
        )
    }


def _names_supplier(record: ContractRecord) -> bool:
    return (
        record.supplier_name is not None
        or record.supplier_code is not None
        or not record.doubts.isdisjoint(_ABOUT_SUPPLIER)
    )


def _tells_days(record: ContractRecord) -> bool:
    return bool(record.signed_on or record.starts_on or record.ends_on) or not record.doubts.isdisjoint(
        _ABOUT_DAYS
    )


def _tells_payments(record: ContractRecord) -> bool:
    return bool(record.payments) or not record.doubts.isdisjoint(_ABOUT_PAYMENTS)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one is not None and other is not None else one or other


def _numbered(stem: str, n: int) -> str:
    return stem if n == 0 else f"{stem}#{n + 1}"
