"""Reference tables that are updated by hand or by command."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Rate


class LprRow(Base):
    """The loan prime rate published on one day (贷款市场报价利率), platform-wide."""

    __tablename__ = "lpr_rows"
    __table_args__ = (CheckConstraint("one_year > 0 AND five_year > 0", name="rates_sign"),)

    published_on: Mapped[date] = mapped_column(primary_key=True)
    one_year: Mapped[Decimal] = mapped_column(Rate)
    five_year: Mapped[Decimal] = mapped_column(Rate)

    @property
    def id(self) -> int:
        """Return the number by which audit entries know the row."""
        return number_of(self.published_on)


def number_of(day: date) -> int:
    """Return a day as a number: 20260820."""
    return day.year * 10_000 + day.month * 100 + day.day
