"""Months of the lenders' report on contract loans: due by the tenth of the next month.

Shenzhen's rule for loans on government contracts (政府采购订单融资): banks report last month's deals by
the 10th. A month is written as ``2026-11``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from market.calendar import add_months
from market.errors import Code, invalid

#: The last day of the next month on which a report is in time.
LAST_DAY = 10
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def read_month(text: str) -> date:
    """Return the first day of a month; raises ``Invalid`` (field ``month``) for what is none."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise invalid(Code.NOT_A_DATE, "month", value=text[:40])
    return date(int(found[1]), int(found[2]), 1)


def write_month(day: date) -> str:
    """Return the month of a day."""
    return day.isoformat()[:7]


def find_end(month: str) -> date:
    """Return the last day of a month."""
    return add_months(read_month(month), 1) - timedelta(days=1)


def find_deadline(month: str) -> date:
    """Return the last day on which the report of a month is in time."""
    return find_end(month) + timedelta(days=LAST_DAY)


def find_late_month(today: date) -> str:
    """Return the newest month whose report is late unless it was handed in."""
    first = today.replace(day=1)
    return write_month(add_months(first, -1 if today.day > LAST_DAY else -2))


def list_months(today: date, count: int) -> list[str]:
    """Return the last months that are over, the newest first."""
    return [write_month(add_months(today.replace(day=1), -back)) for back in range(1, count + 1)]
