"""What must follow the signing of a procurement contract, and by when: late is marked, never refused.

Government Procurement Law (政府采购法, in force 2003-01-01) art. 47: a copy is filed within 7 working days of
signing. Its Regulation (政府采购法实施条例, in force 2015-03-01) art. 50: the contract is published within 2
working days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from market.calendar import Calendar, CalendarStatus, add_working_days
from market.ladder_vocabulary import Deadline


@dataclass(frozen=True, slots=True)
class Term:
    """A statutory term in working days of signing, for contracts signed from a day on."""

    deadline: Deadline
    working_days: int
    valid_from: date
    source: str


TERMS: tuple[Term, ...] = (
    Term(Deadline.FILING, 7, date(2003, 1, 1), "政府采购法第四十七条"),
    Term(Deadline.PUBLICATION, 2, date(2015, 3, 1), "政府采购法实施条例第五十条"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a contract stands to one term: ``done_on`` is None where nothing says when it was done.

    ``is_provisional``: the working days of a year in between are not published yet.
    """

    deadline: Deadline
    due_on: date
    done_on: date | None
    source: str
    is_provisional: bool

    @property
    def is_late(self) -> bool:
        """Say whether it was done, and after its day; what is not on record is no proof of lateness."""
        return self.done_on is not None and self.done_on > self.due_on


def mark(
    signed_on: date | None,
    done: dict[Deadline, date | None],
    calendar: Calendar,
    terms: tuple[Term, ...] = TERMS,
) -> tuple[Mark, ...]:
    """Return how a contract signed on a day stands to every term then in force; () where no day is known.

    Of several terms for one thing the newest in force at signing counts.
    """
    if signed_on is None:
        return ()
    in_force = {
        term.deadline: term
        for term in sorted(terms, key=lambda term: term.valid_from)
        if term.valid_from <= signed_on
    }
    marks = []
    for deadline, term in in_force.items():
        due_on = add_working_days(signed_on, term.working_days, calendar)
        known = {calendar.status(day) for day in (signed_on, due_on)} == {CalendarStatus.FINAL}
        marks.append(Mark(deadline, due_on, done.get(deadline), term.source, not known))
    return tuple(marks)
