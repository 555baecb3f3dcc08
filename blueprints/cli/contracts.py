"""``flask contracts import FILE``: procurement contracts out of open data into a zone's registry."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError

from blueprints import clock, messages
from market import party
from market.errors import Code, Conflict, Fault, NotFound
from models.zone import Zone
from services import contract_import, zones
from services.contract_import import ImportResult, Progress
from services.exchange.rejection import RejectedRow

contracts = AppGroup("contracts", help="Procurement contracts.")


@contracts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", "zone_code", metavar="CODE", help="The zone they belong to; else the default zone.")
def import_file(file: Path, zone_code: str | None) -> None:
    """Import the contracts of FILE (- reads standard input): OCDS 1.0 or 1.1, JSON or JSON lines, or .gz.

    Contracts known already are updated. Progress and one reason per rejected row go to standard error;
    the last line of standard output says ``imported N updated N rejected N``. Exits 2 only when the file
    cannot be read or nothing in it is usable.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"), ExitStack() as opened:
        zone = _find_zone(zone_code)
        stream = _open(file, opened)
        try:
            result = contract_import.import_stream(
                stream,
                by=party.clock(zone.id),
                now=clock.read(zone),
                file_name=file.name,
                on_progress=_show,
                on_reject=_explain,
            )
        except Conflict as error:
            _say(" ".join(messages.sentences(error)))
            _say("What was imported so far is stored. Run the same command again to go on.")
            sys.exit(1)
        if result.failure is not None:
            _say(f"{file}: {result.failure}")
        elif not result.is_useful:
            _say(messages.reason(Fault(Code.NOTHING_USABLE)))
        _finish(result, fails=result.failure is not None or not result.is_useful)


def _find_zone(code: str | None) -> Zone:
    try:
        zone = zones.find_by_code(code) if code is not None else zones.default()
    except NotFound:
        known = ", ".join(zone.code for zone in zones.list_all())
        _say(f"There is no zone {code}. Known zones: {known}.")
        sys.exit(2)
    except DatabaseError:
        zone = None
    if zone is None:
        _say("The database is not set up yet: run `flask db upgrade` first.")
        sys.exit(1)
    return zone


def _open(file: Path, opened: ExitStack) -> BinaryIO:
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return opened.enter_context(file.open("rb"))
    except OSError as error:
        _say(f"{file}: {error.strerror or error}")
        _finish(ImportResult(), fails=True)
        raise AssertionError("unreachable") from error


def _show(progress: Progress) -> None:
    done = progress.result
    _say(
        f"… {progress.bytes_read / 1e6:.1f} MB, line {progress.line}: imported {done.imported} "
        f"updated {done.updated} rejected {done.rejected}"
    )


def _explain(row: RejectedRow) -> None:
    place = " ".join(part for part in (row.path, row.process_id, row.contract_id) if part)
    _say(f"line {row.line}{f' ({place})' if place else ''}: {messages.sentence(row.fault)}")


def _say(line: str) -> None:
    click.echo(" ".join(line.split()), err=True)


def _finish(result: ImportResult, *, fails: bool) -> None:
    click.echo(f"imported {result.imported} updated {result.updated} rejected {result.rejected}")
    if fails:
        sys.exit(2)
