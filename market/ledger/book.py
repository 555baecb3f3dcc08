"""Deals and their books as values: what is agreed, what is owed, what was paid, how late it is.

All amounts are fen. ``market.ledger.replay`` makes books.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from market.lending_vocabulary import Account, AllocationOrder, Bucket, DealKind, PrepaymentEffect
from market.terms import BridgeTerms, CoverTerms, FactoringTerms, LeaseTerms, LoanTerms

DealTerms = LoanTerms | LeaseTerms | BridgeTerms | FactoringTerms | CoverTerms


@dataclass(frozen=True, slots=True)
class Policy:
    """What a deal agrees on beside its price.

    ``penalty_rate`` is late interest (罚息) per year on overdue principal, by actual days over 360
    (银发〔2003〕251号); a line paid within ``grace_days`` bears none, else it counts from the due date.
    """

    grace_days: int = 0
    penalty_rate: Decimal | None = None
    allocation: AllocationOrder = AllocationOrder.FEES_FIRST
    prepayment: PrepaymentEffect = PrepaymentEffect.NEXT
    is_revolving: bool = False


@dataclass(frozen=True, slots=True)
class Deal:
    """What was closed: ``principal`` fen approved on ``terms`` (None: a fund has no schedule)."""

    kind: DealKind
    terms: DealTerms | None
    principal: int
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a schedule as it stands: what is owed on a day and what of it was paid.

    What was waived or written off is no longer owed. ``starts_on`` is where the line's interest begins,
    ``balance`` the principal not yet due after it. A line with number 0 is the day of the first drawdown.
    """

    number: int
    starts_on: date
    due_on: date
    principal: int
    interest: int
    fees: int
    penalty: int
    balance: int
    paid_principal: int = 0
    paid_interest: int = 0
    paid_fees: int = 0
    paid_penalty: int = 0

    @property
    def open(self) -> int:
        """Return the fen that this line still owes."""
        owed = self.principal + self.interest + self.fees + self.penalty
        return owed - self.paid_principal - self.paid_interest - self.paid_fees - self.paid_penalty


@dataclass(frozen=True, slots=True)
class Split:
    """Where a receipt went; the parts sum to its amount.

    ``recovered`` is what came in after a write-off (for a guarantor: on what it had paid out), ``remainder``
    what was more than everything owed. Of a fund's receipt ``interest`` is its income.
    """

    fees: int = 0
    penalty: int = 0
    interest: int = 0
    principal: int = 0
    recovered: int = 0
    remainder: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A double entry (分录): on a day ``amount`` fen leave ``source`` and enter ``target``."""

    booked_on: date
    source: Account
    target: Account
    amount: int


@dataclass(frozen=True, slots=True)
class Arrears:
    """What is due and unpaid, fen by kind."""

    fees: int = 0
    penalty: int = 0
    interest: int = 0
    principal: int = 0

    @property
    def total(self) -> int:
        """Return all that is due and unpaid."""
        return self.fees + self.penalty + self.interest + self.principal


@dataclass(frozen=True, slots=True)
class Accrual:
    """The running interest: on day d of ``starts_on`` … ``ends_on`` it has come to ``accrued_on(d)``.

    ``base`` had accrued by ``starts_on`` since the period began, ``interest`` accrues by ``ends_on``, which
    is the next due date or the day on which a stepped rate changes. Between the two the formula may be a
    fen beside what a receipt of that day finds, which is rounded once from exact stretches.
    """

    starts_on: date
    ends_on: date
    base: int
    interest: int

    def accrued_on(self, day: date) -> int:
        """Return ``base`` + ``interest`` × days ÷ length, half-up to the fen."""
        passed = min(max((day - self.starts_on).days, 0), (self.ends_on - self.starts_on).days)
        length = max((self.ends_on - self.starts_on).days, 1)
        return self.base + (2 * self.interest * passed + length) // (2 * length)


@dataclass(frozen=True, slots=True)
class Book:
    """All that follows for one deal by the end of the day ``as_of``.

    - ``splits``: where each receipt and compensation went, by the number of its event;
    - ``entries``: one per day, source and target, in order of time; those of earlier days do not change
      with ``as_of``;
    - ``drawn``: all drawdowns; ``outstanding``: the principal still owed, overdue or not;
    - ``settled_on``: the day on which everything was paid (a revolving deal is settled at its end);
    - ``overdue_since``: the earliest due date before ``as_of`` not fully paid; ``oldest_due_on``: the
      earliest line not fully paid, due or not (what a guarantor stands for is no such line: it is released
      by itself); ``paused_days``: days after it that do not count as late;
    - ``days_past_due``: counted days since ``overdue_since``, 0 until the days of grace are over;
    - ``spans``: from which day on the deal stood in which bucket, from the first drawdown;
    - ``accrued``: interest of the running period by ``as_of``, paid ahead or not (``accrual`` says how);
    - ``available``: what can still be drawn;
    - ``written_off``, ``recovered``: what was given up, and what came in since; ``restructured_on``: the
      last restructuring.
    """

    as_of: date
    lines: tuple[Line, ...]
    splits: Mapping[int, Split]
    entries: tuple[Entry, ...]
    drawn: int
    outstanding: int
    drawn_on: date | None
    settled_on: date | None
    written_off_on: date | None
    restructured_on: date | None
    arrears: Arrears
    overdue_since: date | None
    oldest_due_on: date | None
    paused_days: int
    days_past_due: int
    bucket: Bucket
    spans: tuple[tuple[date, Bucket], ...]
    accrual: Accrual | None
    accrued: int
    available: int
    written_off: int
    recovered: int
