"""``flask lpr load FILE`` and ``flask lpr show``: the loan prime rates on record."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError

from blueprints import clock, messages
from market import lpr as rates
from market import party
from market.calendar import local_date
from market.errors import Code, Conflict, Fault, Invalid
from market.lpr import LprRow
from models.zone import Zone
from services import lpr as service
from services import zones
from services.exchange import lpr_file
from services.exchange.lpr_file import Line

lpr = AppGroup("lpr", help="Loan prime rates.")


@lpr.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--correct", is_flag=True, help="Let a row replace what is on record for its month.")
@click.option("--confirm", is_flag=True, help="Let rates pass that look mistyped.")
def load(file: Path, correct: bool, confirm: bool) -> None:
    """Put the publications in FILE (CSV: date,lpr_1y,lpr_5y in percent; - reads standard input) on record.

    All or nothing; rows known already are left as they are. The last line of standard output says
    ``added N unchanged N corrected N``. Exits 2 with one line per fault on standard error otherwise.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"):
        zone = _find_zone()
        try:
            content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
            lines, rejected = lpr_file.read(content)
        except OSError as error:
            _refuse([f"{file}: {error.strerror or error}"])
        except Invalid as error:
            _refuse([_line(file, 1, fault, fault.values.get("value")) for fault in error.faults])
        # The table is every zone's, so no practice zone's clock counts.
        now, rows = clock.read(), [line.row for line in lines]
        said = [(row.line, _line(file, row.line, row.fault, row.fault.values["value"])) for row in rejected]
        try:
            if said:
                # Whoever mends a file wants to hear of everything at once.
                raise Invalid(*service.check(rows, now=now, correct=correct, confirmed=confirm))
            done = service.load(rows, by=party.clock(zone.id), now=now, correct=correct, confirmed=confirm)
        except Conflict as error:
            for sentence in messages.sentences(error):
                click.echo(sentence, err=True)
            sys.exit(1)
        except Invalid as error:
            said.extend(_place(file, lines, fault) for fault in error.faults)
            _refuse([text for _, text in sorted(said, key=lambda item: item[0])])
        click.echo(f"added {done.added} unchanged {done.unchanged} corrected {done.corrected}")


@lpr.command("show")
@click.option("--on", "day", metavar="DATE", help="The day asked about; today if left out.")
def show(day: str | None) -> None:
    """Say which rates are in force on a day, when they were published, and which are the newest."""
    with force_locale("en"):
        _find_zone()
        today = local_date(clock.read())
        on = today if day is None else _read_day(day)
        table = service.read_table()
        try:
            row = table.row(on)
        except Invalid as error:
            _refuse([f"--on: {json.dumps(day)}: {messages.reason(fault)}" for fault in error.faults])
        click.echo(f"{on}: {_say(row)}")
        newest = table.rows[-1]
        click.echo(f"newest: {_say(newest)}")
        if rates.is_old(newest.published_on, today):
            age = (today - newest.published_on).days
            click.echo(
                f"The newest publication on record is {age} days old: later ones are missing.", err=True
            )


def _find_zone() -> Zone:
    try:
        zone = zones.default()
    except DatabaseError:
        zone = None
    if zone is None:
        click.echo("The database is not set up yet: run `flask db upgrade` first.", err=True)
        sys.exit(1)
    return zone


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fault = Fault(Code.NOT_A_DATE, None, {"value": text})
        _refuse([f"--on: {json.dumps(text)}: {messages.reason(fault)}"])


def _place(file: Path, lines: Sequence[Line], fault: Fault) -> tuple[int, str]:
    """Return the line a fault of ``rows.2.one_year`` concerns, and its line of words."""
    _, place, name = str(fault.field).split(".")
    line = lines[int(place)]
    return line.number, _line(file, line.number, fault, line.written[name])


def _line(file: Path, number: int, fault: Fault, value: object) -> str:
    shown = "-" if value is None else json.dumps(value, ensure_ascii=False)
    return f"{file}:{number}: {shown}: {messages.reason(fault)}"


def _say(row: LprRow) -> str:
    tenors = f"1-year {row.one_year * 100:.2f} %, 5-year {row.five_year * 100:.2f} %"
    return f"{tenors}, published {row.published_on}"


def _refuse(lines: Sequence[str]) -> NoReturn:
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    sys.exit(2)
