"""Planned against actual: what a purchaser owes beside what it paid (付款计划与实际付款对照).

First due is paid first. Money counts in the order of its days, whatever order it is told in; on one day what
came in counts before what went back, then by the payment's key. What went back is taken from the money that
came last. So the same payments, told shuffled or twice, say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from market.payment_vocabulary import PaymentState


@dataclass(frozen=True, slots=True)
class Owed:
    """A part of what is owed, in fen; ``due_on`` None where nothing says when, such as a retention."""

    due_on: date | None
    amount: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment, in fen (below zero: a refund); ``paid_on`` None where the record gives no day.

    ``is_reversed`` was taken back as a whole by another row, ``is_reversal`` is that row: neither counts.
    ``went_astray`` went to another account than the locked one and nobody has resolved that yet: the
    purchaser did pay, so that it counts as paid, but it is shown for what it is.
    """

    key: str
    paid_on: date | None
    amount: int
    went_astray: bool = False
    is_reversed: bool = False
    is_reversal: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """Money of one payment that went to one part, in fen."""

    key: str
    paid_on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what is owed and the money that covers it, in order; ``open`` is what is left, in fen."""

    due_on: date | None
    amount: int
    covers: tuple[Cover, ...]

    @property
    def open(self) -> int:
        """Return what is not paid yet, in fen."""
        return self.amount - sum(cover.amount for cover in self.covers)

    @property
    def covered_on(self) -> date | None:
        """Return the day on which the last of it was paid, None while some is open."""
        return None if self.open else self.covers[-1].paid_on

    def lag(self, on: date) -> int | None:
        """Return the days it was paid after its due day (below zero: before), or is late by now.

        None for a part without a due day, and for an open one that is not late yet.
        """
        if self.due_on is None:
            return None
        if self.covered_on is not None:
            return (self.covered_on - self.due_on).days
        late = (on - self.due_on).days
        return late if late > 0 else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one payment stands: its state, ``days`` after (below zero: before) what it pays fell due.

    ``days`` is of the part it pays latest, None where no part has a due day. ``is_partial``: the last part
    it touches was still open after it. ``excess`` is what of it goes beyond all that is owed, in fen.
    """

    key: str
    state: PaymentState
    days: int | None = None
    is_partial: bool = False
    excess: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is owed part by part, and each payment in the order given."""

    parts: tuple[Part, ...]
    payments: tuple[Standing, ...]


@dataclass(slots=True)
class _Share:
    """Money of one payment on one part (None: beyond all parts)."""

    payment: Paid
    part: int | None
    amount: int


@dataclass(slots=True)
class _Account:
    """Money over parts, as it comes and goes."""

    owed: Sequence[Owed]
    bounded: bool
    shares: list[_Share] = field(default_factory=list)
    days: dict[str, int] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)
    open: list[int] = field(default_factory=list)
    first: int = 0

    def __post_init__(self) -> None:
        self.open = [part.amount for part in self.owed]

    def take(self, payment: Paid) -> None:
        left = payment.amount
        while left and self.first < len(self.open):
            part = min(left, self.open[self.first])
            if part:
                self.shares.append(_Share(payment, self.first, part))
                self._note_days(payment)
                self.open[self.first] -= part
                left -= part
            if self.open[self.first]:
                self.short.add(payment.key)
                return
            self.first += 1
        if left and self.bounded:
            self.shares.append(_Share(payment, None, left))

    def _note_days(self, payment: Paid) -> None:
        due_on = self.owed[self.first].due_on
        if due_on is not None and payment.paid_on is not None:
            lag = (payment.paid_on - due_on).days
            self.days[payment.key] = max(self.days.get(payment.key, lag), lag)

    def give_back(self, amount: int) -> None:
        while amount and self.shares:
            last = self.shares[-1]
            part = min(amount, last.amount)
            last.amount -= part
            amount -= part
            if last.part is not None:
                self.open[last.part] += part
                self.first = min(self.first, last.part)
            if not last.amount:
                self.shares.pop()


def order_owed(parts: Iterable[Owed], total: int | None) -> list[Owed]:
    """Return parts in the order in which they are paid; what the plan leaves of ``total`` comes last."""
    ordered = sorted(parts, key=lambda part: (part.due_on is None, part.due_on or date.max))
    rest = (total or 0) - sum(part.amount for part in ordered)
    return [*ordered, Owed(None, rest)] if rest > 0 else ordered


def compare(owed: Sequence[Owed], paid: Sequence[Paid], *, on: date, bounded: bool = True) -> Comparison:
    """Return how payments stand to what is owed (``order_owed``) on a day.

    ``bounded`` False: nobody knows how much is owed in all, so that nothing is too much. Money of a day
    that has not come counts for nothing yet.
    """
    counted = [
        p
        for p in paid
        if p.paid_on is not None and p.paid_on <= on and not p.is_reversed and not p.is_reversal
    ]
    account = _Account(owed, bounded)
    for payment in sorted(counted, key=lambda p: (p.paid_on or date.max, p.amount < 0, p.key)):
        if payment.amount > 0:
            account.take(payment)
        else:
            account.give_back(-payment.amount)
    covers: list[list[Cover]] = [[] for _ in owed]
    excess: dict[str, int] = {}
    for share in account.shares:
        key, paid_on = share.payment.key, share.payment.paid_on
        assert paid_on is not None, "only dated money is counted"
        if share.part is None:
            excess[key] = excess.get(key, 0) + share.amount
            continue
        covers[share.part].append(Cover(key, paid_on, share.amount))
    parts = tuple(Part(part.due_on, part.amount, tuple(own)) for part, own in zip(owed, covers, strict=True))
    standings = []
    for payment in paid:
        lag, short = account.days.get(payment.key), payment.key in account.short
        state = _name(payment, on, lag, short, payment.key in excess)
        standings.append(Standing(payment.key, state, lag, short, excess.get(payment.key, 0)))
    return Comparison(parts, tuple(standings))


def find_late(parts: Iterable[Part], on: date) -> date | None:
    """Return the first day on which something due stood open that still does on ``on``, or None."""
    for part in parts:
        if part.due_on is not None and part.due_on < on and part.open:
            return part.due_on
    return None


def _name(payment: Paid, on: date, lag: int | None, short: bool, over: bool) -> PaymentState:
    s = PaymentState
    rules = (
        (payment.is_reversal, s.REVERSAL),
        (payment.is_reversed, s.REVERSED),
        (payment.paid_on is None, s.UNDATED),
        (payment.paid_on is not None and payment.paid_on > on, s.FUTURE),
        (payment.amount < 0, s.REFUND),
        (payment.went_astray, s.WRONG_ACCOUNT),
        (over, s.OVER),
        (lag is None, s.NO_DUE_DATE),
        (lag is not None and lag > 0, s.LATE),
        (short, s.PARTIAL),
        (lag == 0, s.ON_TIME),
    )
    return next((state for holds, state in rules if holds), s.EARLY)
