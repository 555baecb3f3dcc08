"""The tables that ship with the rules, and their only reader; sources stand in this folder's README."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from market.calendar import Calendar, CalendarStatus
from market.ceilings import Ceiling, CeilingKind, ForbiddenFee
from market.lpr import LprRow, LprTable
from market.money import FEN
from market.payment_law import PaymentRule
from market.payment_vocabulary import Debtor
from market.procurement_rules import ProcurementRule
from market.procurement_vocabulary import Favoured, ProcurementObject, ProcurementRuleKind
from market.vocabulary import LprTenor, OrganisationKind, SizeClass

_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A weekday off, or a weekend day worked in exchange; ``name`` is the word of the notice, in Chinese."""

    day: date
    worked: bool
    name: str


@cache
def lpr_table() -> LprTable:
    """Return the shipped loan prime rates."""
    return LprTable(
        tuple(
            LprRow(
                date.fromisoformat(row["date"]),
                Decimal(row["lpr_1y"]) / _PERCENT,
                Decimal(row["lpr_5y"]) / _PERCENT,
            )
            for row in _rows("lpr.csv")
        )
    )


@cache
def calendar() -> Calendar:
    """Return the working-day calendar of the mainland."""
    return Calendar(
        {special.day: special.worked for special in special_days()},
        {int(row["year"]): CalendarStatus(row["status"]) for row in _rows("calendar_years.csv")},
    )


@cache
def special_days() -> tuple[SpecialDay, ...]:
    """Return the days on which ``calendar`` rests, with the names of the notices, in order of date."""
    return tuple(
        SpecialDay(date.fromisoformat(row["date"]), row["worked"] == "yes", row["name"])
        for row in _rows("working_days.csv")
    )


@cache
def ceilings() -> tuple[Ceiling, ...]:
    """Return the price ceilings by kind of lender and date."""
    return tuple(
        Ceiling(
            CeilingKind(row["kind"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            Decimal(row["rate_percent"]) / _PERCENT if row["rate_percent"] else None,
            Decimal(row["multiple"]) if row["multiple"] else None,
            LprTenor(row["tenor"]),
            row["source"],
        )
        for row in _rows("price_ceilings.csv")
    )


@cache
def forbidden_fees() -> tuple[ForbiddenFee, ...]:
    """Return the fees that licensed lenders may not charge firms of some sizes."""
    return tuple(
        ForbiddenFee(
            row["code"],
            tuple(word.casefold() for word in row["words"].split("|")),
            frozenset(row["payees"].split("|")),
            frozenset(OrganisationKind(kind) for kind in row["lenders"].split("|")),
            frozenset(SizeClass(size) for size in row["sizes"].split("|")),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            row["verified"] == "yes",
            row["source"],
        )
        for row in _rows("forbidden_fees.csv")
    )


@cache
def procurement_rules() -> tuple[ProcurementRule, ...]:
    """Return the shipped national rules of public procurement; amounts in fen, shares as decimals."""
    return tuple(
        ProcurementRule(
            ProcurementRuleKind(row["kind"]),
            ProcurementObject(row["object"]),
            Favoured(row["favoured"]),
            Decimal(row["low_percent"]) / _PERCENT if row["low_percent"] else None,
            Decimal(row["high_percent"]) / _PERCENT if row["high_percent"] else None,
            int(row["amount_from"]) * FEN if row["amount_from"] else None,
            int(row["amount_to"]) * FEN if row["amount_to"] else None,
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            row["issuer"],
            row["document"],
            row["source"],
        )
        for row in _rows("procurement_rules.csv")
    )


@cache
def payment_rules() -> tuple[PaymentRule, ...]:
    """Return the terms of payment by kind of debtor and date."""
    return tuple(
        PaymentRule(
            Debtor(row["debtor"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            int(row["usual_days"]) if row["usual_days"] else None,
            int(row["most_days"]) if row["most_days"] else None,
            Decimal(row["late_daily_percent"]) / _PERCENT,
            row["source"],
        )
        for row in _rows("payment_rules.csv")
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
