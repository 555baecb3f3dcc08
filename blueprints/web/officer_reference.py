"""Reference rates: the LPR on record and the working days, the same for every zone of the platform."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints import cautions, clock, labels
from blueprints.access import acting, allows
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import paging
from blueprints.web.forms import Form
from market import publication, reference
from market.calendar import CalendarStatus, local_date
from market.errors import Code
from market.lpr import LprRow, LprTable, is_old
from market.vocabulary import Capability
from services import lpr
from services.lpr import Loaded, Publication

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
FIELDS = ("published_on", *publication.TENORS)
SORTS = ("published",)
COLUMNS = (
    Column(lazy_gettext("Day of publication"), Kind.DAY),
    Column(lazy_gettext("1-year LPR"), Kind.RATE),
    Column(lazy_gettext("5-year LPR"), Kind.RATE),
    Column(lazy_gettext("Put on record"), Kind.MOMENT),
    Column(lazy_gettext("By")),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/reference", view_func=show, endpoint="reference")
    page.add_url_rule("/reference/lpr", view_func=add, methods=["POST"], endpoint="reference_add")


@allows(*ROLES)
def show() -> Answer:
    """Show the LPR on record and a year of the calendar; page, order and year stand in the address."""
    return _show(Form())


@allows(Capability.OFFICER)
def add() -> Answer:
    """Put one publication on record."""
    form = Form(
        request.form,
        aliases={f"rows.0.{name}": name for name in FIELDS},
        labels={name: labels.FIELDS[name] for name in FIELDS},
    )
    day, one_year, five_year = form.day("published_on"), form.percent("one_year"), form.percent("five_year")
    rows = [LprRow(day, one_year, five_year)] if form.ok else []
    done = form.run(
        lpr.load,
        rows,
        by=acting(),
        # The table is every zone's, so no practice zone's clock counts.
        now=clock.read(),
        correct=form.flag("correct"),
        confirmed=form.flag("confirmed"),
    )
    if done is None:
        return _show(form)
    flash(_say(done), "done")
    return redirect(url_for("officer.reference"), 303)


def _show(form: Form) -> Answer:
    today = local_date(clock.read())
    held = lpr.list_publications()
    part = paging.asked(SORTS, "-published")
    rows = held if part.descending else held[::-1]
    if request.args.get("export"):
        return spreadsheet.respond("lpr", request.args["export"], COLUMNS, [_cells(row) for row in rows])
    table = LprTable(tuple(entry.row for entry in reversed(held)))
    missing = publication.list_missing(table, reference.calendar(), today)
    if missing and not form.values:
        form.values["published_on"] = missing[0].isoformat()
    codes = {fault.code for fault in form.faults}
    return form.page(
        "officer/reference.html",
        page=paging.slice_rows(rows, part),
        table=table,
        missing=missing,
        is_old=bool(held) and is_old(held[0].row.published_on, today),
        today=today,
        source=_say_source,
        mistyped=form.flag("confirmed") or Code.LOOKS_MISTYPED in codes,
        known=form.flag("correct") or Code.ON_RECORD in codes,
        **_read_year(today),
    )


def _read_year(today: date) -> dict[str, Any]:
    """Return the year of the calendar that the address asks for, else this year or the last one known."""
    years = sorted(reference.calendar().years)
    asked = request.args.get("year", today.year, type=int)
    year = asked if asked in years else years[-1]
    days = [special for special in reference.special_days() if special.day.year == year]
    return {
        "years": years,
        "year": year,
        "is_final": reference.calendar().years[year] is CalendarStatus.FINAL,
        "days_off": [special for special in days if not special.worked],
        "days_worked": [special for special in days if special.worked],
        "holiday": cautions.holiday,
    }


def _say(done: Loaded) -> str:
    if done.added:
        return gettext("The publication is on record, for every zone. Needs published before keep their LPR.")
    if done.corrected:
        return gettext("The record is corrected, for every zone. Needs published before keep their LPR.")
    return gettext("This publication was on record already; nothing changed.")


def _say_source(entry: Publication) -> str:
    """Return who put a publication on record."""
    if entry.loaded_at is None:
        return gettext("shipped with the system")
    return entry.by or gettext("a command")


def _cells(entry: Publication) -> list[Any]:
    row = entry.row
    return [row.published_on, row.one_year, row.five_year, entry.loaded_at, _say_source(entry)]
