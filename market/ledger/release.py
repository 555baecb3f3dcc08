"""What is in force of a guarantee (在保余额): it falls as the loan's principal is repaid.

It follows from the loan's book alone: where a repayment is undone, it is in force again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from market.guarantees import count_in_force
from market.ledger.book import Book


@dataclass(frozen=True, slots=True)
class Hold:
    """What a guarantor stands for on a day, in fen, and what of its guarantee was released by then."""

    in_force: int
    released: int
    ended_on: date | None


def release(amount: int, book: Book, *, principal: int) -> Hold:
    """Return what is in force of a guarantee of ``amount`` for a loan of ``principal``.

    Before the loan is paid out, and while tranches are open, all that can still be owed counts: what is
    outstanding and what can still be drawn. It ends when the loan is settled or written off.
    """
    ended_on = book.settled_on if book.settled_on is not None else book.written_off_on
    if ended_on is not None:
        return Hold(0, amount, ended_on)
    owed = min(book.outstanding + book.available, principal)
    in_force = min(count_in_force(amount, owed, principal), amount)
    return Hold(in_force, amount - in_force, None)
