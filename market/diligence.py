"""An institution's own review after an award (授信审批): its working-day clock, and how often it declines.

Pure rules; ``services/reviews.py`` keeps the record. What the firm still has to answer is not the
institution's delay: while a question waits, the clock stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from market import lifecycle
from market.calendar import Calendar, add_working_days, local_date, working_days_between

#: Fewer decided reviews than this would say more about one case than about an institution.
RATE_LEAST = 3


def set_due(opened_at: datetime, days: int, calendar: Calendar) -> datetime:
    """Return when a review opened now is due: at the end of the last of ``days`` working days after today."""
    return lifecycle.end_of_day(add_working_days(local_date(opened_at), days, calendar))


def find_standstill(answered: Iterable[tuple[datetime, datetime]], until: datetime) -> datetime:
    """Return since when the clock has stood without a break up to ``until``.

    ``answered`` are the (asked, answered) moments of questions; one whose wait touches a later one's
    makes one wait with it, so that two questions at once do not count twice.
    """
    since = until
    for asked_at, answered_at in sorted(answered, key=lambda wait: wait[1], reverse=True):
        if answered_at < since:
            break
        since = min(since, asked_at)
    return since


def move_due(due_at: datetime, since: datetime, until: datetime, calendar: Calendar) -> datetime:
    """Return a due time moved by the working days the clock stood, from ``since`` up to ``until``.

    Asked and answered on one day moves nothing; asked on Monday and answered on Wednesday moves two days.
    """
    waited = working_days_between(local_date(since), local_date(until), calendar)
    if waited <= 0:
        return due_at
    day: date = local_date(due_at)
    return due_at + timedelta(days=(add_working_days(day, waited, calendar) - day).days)


@dataclass(frozen=True, slots=True)
class DeclineRate:
    """How many of the reviews an institution decided it declined (审批拒绝率).

    Awards that the firm itself gave up are no review decided.
    """

    reviewed: int
    declined: int

    @property
    def rate(self) -> Decimal | None:
        """Return the share declined; None as long as there are too few to say so."""
        if self.reviewed < RATE_LEAST:
            return None
        return Decimal(self.declined) / self.reviewed
