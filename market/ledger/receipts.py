"""Money that comes in, and what is asked for no more: receipts, compensations, waivers.

First what is due, oldest line first; then the interest that has accrued in the running period; then
principal ahead of its day; then fees ahead of theirs; what is left is more than everything owed.
"""

from __future__ import annotations

from collections.abc import Iterable

from market.errors import Code, invalid
from market.ledger.book import Split
from market.ledger.events import Event
from market.ledger.layout import share_by
from market.ledger.walk import Row, Walk
from market.lending_vocabulary import Account, AllocationOrder, LoanEventKind, PrepaymentEffect

#: The parts of a line: what is owed, what was paid, the account it stands on.
PARTS = {
    "fees": Account.FEES_DUE,
    "penalty": Account.PENALTY_DUE,
    "interest": Account.INTEREST_DUE,
    "principal": Account.PRINCIPAL,
}
INCOMES = {
    "fees": Account.FEE_INCOME,
    "penalty": Account.PENALTY_INCOME,
    "interest": Account.INTEREST_INCOME,
}
ORDERS = {
    AllocationOrder.FEES_FIRST: ("fees", "penalty", "interest", "principal"),
    AllocationOrder.PRINCIPAL_FIRST: ("principal", "interest", "penalty", "fees"),
}
#: The accounts that a waiver may name, as the parts of a line.
WAIVABLE = {account: part for part, account in PARTS.items()}


def receive(walk: Walk, event: Event) -> None:
    """Let money in and note where it went."""
    assert event.amount is not None
    day, left = event.on, event.amount
    sums = dict.fromkeys(PARTS, 0)
    is_guarantor = event.kind is LoanEventKind.COMPENSATION or event.source == "guarantor"

    def enter(account: Account, amount: int) -> None:
        # A guarantor's money takes over the claim: it passes through the account that says so.
        through = Account.COMPENSATED if is_guarantor else Account.CASH
        walk.book(day, account, through, amount)
        if is_guarantor:
            walk.book(day, Account.COMPENSATED, Account.CASH, amount)

    if walk.written_off_on is not None:
        walk.book(day, Account.RECOVERED, Account.CASH, left)
        walk.recovered += left
        walk.splits[event.number] = Split(recovered=left)
        return
    for row, part in _due_parts(walk):
        paid = _pay(row, part, left)
        enter(PARTS[part], paid)
        sums[part] += paid
        left -= paid
        if not left:
            break
    recovered = 0
    if walk.is_cover and left:
        recovered = min(left, walk.claimed)
        walk.book(day, Account.COMPENSATED, Account.CASH, recovered)
        walk.recovered += recovered
        left -= recovered
    if left:
        running = walk.accrue(day)
        paid = min(left, walk.accrued(running))
        if running is not None and paid:
            running.paid_interest += paid
            walk.book(day, Account.INTEREST_INCOME, Account.INTEREST_DUE, paid)
            enter(Account.INTEREST_DUE, paid)
            sums["interest"] += paid
            left -= paid
    if left and walk.balance and not walk.is_cover:
        paid = min(left, walk.balance)
        _prepay(walk, paid)
        enter(Account.PRINCIPAL, paid)
        sums["principal"] += paid
        left -= paid
    for row in walk.undue_rows if left else ():
        for part in ("fees", "penalty"):
            paid = _pay(row, part, left)
            walk.book(day, INCOMES[part], PARTS[part], paid)
            if part == "penalty":
                row.booked_penalty += paid
            enter(PARTS[part], paid)
            sums[part] += paid
            left -= paid
    if walk.is_fund and left:
        walk.book(day, Account.INTEREST_INCOME, Account.CASH, left)
        sums["interest"], left = sums["interest"] + left, 0
    walk.book(day, Account.SUPPLIER if event.source == "purchaser" else Account.CREDIT, Account.CASH, left)
    if event.source == "purchaser":
        # What a purchaser pays beyond the loan only passes through the lender's hands.
        walk.book(day, Account.CASH, Account.SUPPLIER, left)
    walk.splits[event.number] = Split(**sums, recovered=recovered, remainder=left)


def pay_out(walk: Walk, event: Event) -> None:
    """Let a guarantor pay the lender what it stands for: its promise becomes a claim."""
    assert event.amount is not None
    if event.amount > walk.balance:
        raise invalid(Code.TOO_LARGE, "amount", value=event.amount, most=walk.balance)
    _prepay(walk, event.amount)
    walk.book(event.on, Account.GUARANTEED, Account.GUARANTEES, event.amount)
    walk.book(event.on, Account.CASH, Account.COMPENSATED, event.amount)
    walk.splits[event.number] = Split(principal=event.amount)


def waive(walk: Walk, event: Event) -> None:
    """Ask for less: fen off one account, oldest line first, due or not; interest as far as it accrued.

    Raises ``Invalid``: account (not_a_choice), amount (too_large) above what is open.
    """
    assert event.amount is not None
    part = WAIVABLE.get(event.account) if event.account is not None else None
    if part is None:
        choices = ", ".join(account.value for account in WAIVABLE)
        raise invalid(Code.NOT_A_CHOICE, "account", value=event.account, choices=choices)
    day, left = event.on, event.amount
    account = walk.claim if part == "principal" else PARTS[part]
    running = walk.accrue(day)
    for row in walk.rows:
        if not left:
            break
        if part == "interest" and not row.is_due:
            taken = min(left, walk.accrued(row)) if row is running else 0
            if taken and row.period is not None:
                row.period.done -= taken
        else:
            taken = min(left, _open(row, part))
            _lower(row, part, taken)
            if part == "principal" and not row.is_due:
                walk.balance -= taken
        if not row.is_due and part in INCOMES:
            # What is not due yet becomes due by being waived: so the income it would have been is seen.
            walk.book(day, INCOMES[part], account, taken)
        walk.book(day, account, Account.WAIVED, taken)
        left -= taken
    if left:
        raise invalid(Code.TOO_LARGE, "amount", value=event.amount, most=event.amount - left)


def _due_parts(walk: Walk) -> Iterable[tuple[Row, str]]:
    order = ORDERS[walk.policy.allocation]
    for row in walk.due_rows:
        if row.open:
            yield from ((row, part) for part in order)


def _open(row: Row, part: str) -> int:
    return int(getattr(row, part) - getattr(row, f"paid_{part}"))


def _pay(row: Row, part: str, most: int) -> int:
    paid = min(most, _open(row, part))
    if paid:
        setattr(row, f"paid_{part}", getattr(row, f"paid_{part}") + paid)
    return paid


def _lower(row: Row, part: str, amount: int) -> None:
    setattr(row, part, getattr(row, part) - amount)
    if part == "penalty":
        row.charged -= amount
        row.booked_penalty -= amount if row.is_due else 0


def _prepay(walk: Walk, amount: int) -> None:
    """Pay principal ahead of its day by the deal's policy; the later lines' interest follows the balance."""
    rows: list[Row] = [row for row in walk.undue_rows if row.open_principal]
    effect = walk.policy.prepayment
    walk.balance -= amount
    if effect is PrepaymentEffect.REDUCE:
        for row, part in zip(rows, share_by(amount, [row.open_principal for row in rows]), strict=True):
            row.paid_principal += part
        return
    for row in reversed(rows) if effect is PrepaymentEffect.SHORTEN else rows:
        part = min(amount, row.open_principal)
        row.paid_principal += part
        amount -= part
