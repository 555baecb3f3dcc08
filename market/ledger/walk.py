"""A walk through a deal's days: what falls due, what it bears, who pays what, entry by entry.

A walk is the one thing here that changes while it is made; ``market.ledger.replay`` makes it, lets the
events act on it in order (``receipts``, ``changes``) and turns where it ends into a book.

A day begins with what falls due on it: interest of the period that ends there is settled, rounded once
over all its stretches, and a new period begins. Then come the day's events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from market.ledger.ageing import Pauses, count_late
from market.ledger.book import Deal, Split
from market.ledger.layout import ZERO, Frame, Piece
from market.lending_vocabulary import Account, DealKind
from market.money import round_half_up

#: The row of a deal that has no schedule falls due on this day, which never comes.
NEVER = date.max


@dataclass(slots=True)
class Period:
    """An interest period: ``done`` fen have accrued by ``since``, exactly, on balances as they were."""

    pieces: list[Piece]
    since: date
    done: Fraction = ZERO

    @property
    def starts_on(self) -> date:
        """Return the day it begins."""
        return self.pieces[0].starts_on

    @property
    def ends_on(self) -> date:
        """Return the day its interest falls due."""
        return self.pieces[-1].ends_on

    def factor(self, until: date) -> Fraction:
        """Return the interest per fen of balance from ``since`` to a day."""
        if until >= self.ends_on and self.since <= self.starts_on:
            return sum((piece.factor for piece in self.pieces), ZERO)
        return sum((piece.factor * piece.cut(self.since, until) for piece in self.pieces), ZERO)


@dataclass(slots=True)
class Row:
    """A line of the schedule on its way: owed and paid fen, and the days its principal has been late.

    ``charged`` is penalty that was charged (or, negative, waived) beside what accrues; ``late_sum`` is
    overdue principal × late days, counted up to day ``late_days`` past due; ``weight`` is the planned
    principal, by which a further drawdown is spread.
    """

    number: int
    due_on: date
    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalty: int = 0
    paid_principal: int = 0
    paid_interest: int = 0
    paid_fees: int = 0
    paid_penalty: int = 0
    period: Period | None = None
    is_due: bool = False
    balance: int = 0
    charged: int = 0
    booked_penalty: int = 0
    late_days: int = 0
    late_sum: int = 0
    weight: int = 0
    is_shown: bool = True

    @property
    def open_principal(self) -> int:
        """Return the principal that is still owed."""
        return self.principal - self.paid_principal

    @property
    def open(self) -> int:
        """Return all that is still owed; interest is known once the row is due."""
        return (
            self.principal
            + self.interest
            + self.fees
            + self.penalty
            - self.paid_principal
            - self.paid_interest
            - self.paid_fees
            - self.paid_penalty
        )


class Walk:
    """Where a deal stands after what has happened so far; ``balance`` is the principal not yet due."""

    def __init__(self, deal: Deal, pauses: Pauses) -> None:
        self.deal, self.policy, self.pauses = deal, deal.policy, pauses
        self.rows: list[Row] = []
        self.frame: Frame | None = None
        self.kept_back = ZERO
        self.balance = self.drawn = self.written_off = self.recovered = 0
        self.drawn_on: date | None = None
        self.settled_on: date | None = None
        self.written_off_on: date | None = None
        self.restructured_on: date | None = None
        self.splits: dict[int, Split] = {}
        self.entries: dict[tuple[date, Account, Account], int] = {}
        self.marks: list[tuple[date, date | None]] = []
        self.next = self._oldest = 0
        self._aged_on = date.min
        self.is_cover = deal.kind is DealKind.GUARANTEE
        self.is_fund = deal.kind is DealKind.FUND
        self.claim = Account.GUARANTEED if self.is_cover else Account.PRINCIPAL
        self.cash = Account.GUARANTEES if self.is_cover else Account.CASH

    @property
    def due_rows(self) -> Sequence[Row]:
        """Return the rows that are due and may still be open, oldest first."""
        return self.rows[self._oldest : self.next]

    @property
    def undue_rows(self) -> Sequence[Row]:
        """Return the rows that are not due yet."""
        return self.rows[self.next :]

    @property
    def running(self) -> Row | None:
        """Return the row with which the running interest falls due."""
        return next((row for row in self.undue_rows if row.period is not None), None)

    @property
    def outstanding(self) -> int:
        """Return the principal that is still owed, due or not."""
        return self.balance + sum(row.open_principal for row in self.due_rows)

    @property
    def ends_on(self) -> date | None:
        """Return the day on which the last interest period, or the last row without any, ends."""
        ends = [row.due_on for row in self.rows if row.period is not None]
        return ends[-1] if ends else self.rows[-1].due_on if self.rows else None

    def book(self, day: date, source: Account, target: Account, amount: int) -> None:
        """Let ``amount`` fen leave one account and enter another; entries of a day add up."""
        if amount:
            key = (day, source, target)
            self.entries[key] = self.entries.get(key, 0) + amount

    def advance(self, day: date) -> None:
        """Let everything fall due up to and on a day."""
        while self.next < len(self.rows) and self.rows[self.next].due_on <= day:
            row = self.rows[self.next]
            self.age(row.due_on)
            self._close(row)
            self.settle(row.due_on)
        self.age(day, months_only=True)

    def age(self, day: date, *, months_only: bool = False) -> None:
        """Count late interest up to a day and book it; between events it is booked month by month."""
        if self.policy.penalty_rate is None or not self.rows:
            return
        late = [row for row in self.due_rows if row.open_principal]
        if late:
            first = max(self._aged_on, late[0].due_on).replace(day=1)
            while (first := _next_month(first)) <= day:
                self._age(late, first)
        if not months_only:
            self._age(late, day)
        self._aged_on = max(self._aged_on, day)

    def count_penalty(self, row: Row, day: date) -> None:
        """Count the late interest of a row up to a day, without booking it."""
        rate = self.policy.penalty_rate
        if rate is None or not row.open_principal:
            return
        days = count_late(row.due_on, day, self.pauses)
        if days > max(self.policy.grace_days, row.late_days):
            row.late_sum += row.open_principal * (days - row.late_days)
            row.late_days = days
            top, bottom = rate.as_integer_ratio()
            row.penalty = (2 * row.late_sum * top + 360 * bottom) // (720 * bottom) + row.charged

    def accrue(self, day: date) -> Row | None:
        """Bring the running period's interest up to a day, exactly; the balance may then change."""
        row = self.running
        if row is not None and row.period is not None and day > row.period.since:
            period = row.period
            if self.balance:
                period.done += self.balance * period.factor(day)
            period.since = day
        return row

    def accrued(self, row: Row | None) -> int:
        """Return the interest of the running period so far that is not paid yet, in fen."""
        if row is None or row.period is None:
            return 0
        return max(round_half_up(row.period.done) - row.paid_interest, 0)

    def settle(self, day: date) -> None:
        """Note what stays open at this point of a day, and whether everything is paid."""
        while self._oldest < self.next and self.rows[self._oldest].open == 0:
            self._oldest += 1
        oldest = next((row for row in self.due_rows if row.open), None)
        self.marks.append((day, oldest.due_on if oldest is not None else None))
        if self.settled_on is not None or self.written_off_on is not None or not self.drawn:
            return
        if oldest is not None or self.balance or self.accrued(self.running):
            return
        if any(row.fees > row.paid_fees or row.penalty > row.paid_penalty for row in self.undue_rows):
            return
        if self.policy.is_revolving and self.next < len(self.rows):
            return
        if self.is_fund and self.drawn < self.deal.principal:
            return
        if self.is_cover and self.claimed:
            return
        self.settled_on = day

    @property
    def claimed(self) -> int:
        """Return what a guarantor has paid out and not got back."""
        paid_out = sum(
            amount for (_, _, target), amount in self.entries.items() if target is Account.COMPENSATED
        )
        return paid_out - self.recovered if self.is_cover else 0

    def restart(self) -> None:
        """Look for the oldest open row from the beginning: rows were changed."""
        self._oldest = 0

    def _close(self, row: Row) -> None:
        """Let a row fall due: its interest is rounded here, once."""
        if row.period is not None:
            self.accrue(row.due_on)
            row.interest = max(round_half_up(row.period.done), row.paid_interest)
        row.is_due = True
        self.next += 1
        self.balance -= row.open_principal
        row.balance = self.balance
        day = row.due_on
        self.book(day, Account.INTEREST_INCOME, Account.INTEREST_DUE, row.interest - row.paid_interest)
        self.book(day, Account.FEE_INCOME, Account.FEES_DUE, row.fees - row.paid_fees)
        self.book(day, Account.PENALTY_INCOME, Account.PENALTY_DUE, row.penalty - row.booked_penalty)
        row.booked_penalty = row.penalty
        if self.is_cover and row.open_principal:
            # A guarantee ends with its term: what it stood for is free again.
            self.book(day, self.claim, self.cash, row.open_principal)
            row.paid_principal = row.principal

    def _age(self, rows: Sequence[Row], day: date) -> None:
        for row in rows:
            if row.due_on < day:
                self.count_penalty(row, day)
                self.book(day, Account.PENALTY_INCOME, Account.PENALTY_DUE, row.penalty - row.booked_penalty)
                row.booked_penalty = row.penalty


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
