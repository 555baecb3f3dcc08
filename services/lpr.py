"""The loan prime rate and the price ceiling as the platform knows them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from market.ceilings import CeilingKind, ceiling_in_force
from market.lpr import LprRow, LprTable
from market.reference import ceilings
from models import reference
from models.base import db


def read_table() -> LprTable:
    """Return the whole dated table, oldest row first."""
    rows = db.session.scalars(select(reference.LprRow).order_by(reference.LprRow.published_on))
    return LprTable(tuple(LprRow(row.published_on, row.one_year, row.five_year) for row in rows))


def read_ceiling(on: date) -> Decimal:
    """Return the highest annual cost that a licensed lender may ask on a day."""
    return ceiling_in_force(CeilingKind.LICENSED_LENDER, on, read_table(), ceilings())
