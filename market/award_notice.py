"""What a published award notice (中标公告) says: one package of one project, awarded to one supplier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

#: The longest package number that is kept.
LONGEST_PACKAGE = 80


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """An award as published, known by project, package and supplier.

    ``price`` is fen and None where none is stated that can be meant; ``package_number`` is empty where the
    project is not divided. ``supplier_code`` is a valid unified social credit code or None.
    """

    project_number: str
    supplier_name: str
    published_on: date
    package_number: str = ""
    plan_number: str | None = None
    title: str | None = None
    purchaser_name: str | None = None
    purchaser_code: str | None = None
    supplier_code: str | None = None
    price: int | None = None
    currency: str | None = None
    agency: str | None = None
    released_at: datetime | None = None
