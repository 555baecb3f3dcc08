"""Days in SQL: both databases know dates, and each counts between them in its own way."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Date, Integer, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement


class _DaysBetween(FunctionElement[int]):
    type = Integer()
    inherit_cache = True


class _DaysAfter(FunctionElement[date]):
    type = Date()
    inherit_cache = True


def count_days(start: Any, end: Any) -> ColumnElement[int]:
    """Return how many days after ``start`` the day ``end`` is; negative before it."""
    return _DaysBetween(type_coerce(start, Date), type_coerce(end, Date))


def add_days(start: Any, days: Any) -> ColumnElement[date]:
    """Return the day that is ``days`` after ``start``."""
    return _DaysAfter(type_coerce(start, Date), type_coerce(days, Integer))


@compiles(_DaysBetween)
def _subtract(element: _DaysBetween, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({end} AS DATE) - CAST({start} AS DATE))"


@compiles(_DaysBetween, "sqlite")
def _subtract_julian(element: _DaysBetween, compiler: SQLCompiler, **options: Any) -> str:
    # Days at midnight are halves of Julian days: their difference is whole.
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(julianday({end}) - julianday({start}) AS INTEGER)"


@compiles(_DaysAfter)
def _add(element: _DaysAfter, compiler: SQLCompiler, **options: Any) -> str:
    start, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({start} AS DATE) + CAST({days} AS INTEGER))"


@compiles(_DaysAfter, "sqlite")
def _add_modifier(element: _DaysAfter, compiler: SQLCompiler, **options: Any) -> str:
    start, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({start}, ({days}) || ' days')"
