"""``flask contracts``: procurement contracts and award notices out of files into a zone's registry."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError

from blueprints import clock, messages
from blueprints.documents import contract_template
from market import party
from market.errors import Code, Conflict, Fault, Invalid, NotFound
from models.zone import Zone
from services import contract_import, zones
from services.contract_import import ImportResult, Progress
from services.exchange.rejection import RejectedRow

#: What a command ends with that was interrupted by Ctrl-C.
INTERRUPTED = 130

contracts = AppGroup("contracts", help="Procurement contracts.")


@contracts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", "zone_code", metavar="CODE", help="The zone they belong to; else the default zone.")
@click.option("--resume", type=int, metavar="JOB", help="Go on with an import of FILE that stopped early.")
def import_file(file: Path, zone_code: str | None, resume: int | None) -> None:
    """Import the contracts and award notices of FILE (- reads standard input).

    FILE is OCDS 1.0 or 1.1 (JSON, JSON lines, .gz or .zip), or the template as .xlsx or .csv. Contracts known
    already are updated. Progress and one reason per rejected row go to standard error; the last line of
    standard output says ``imported N updated N rejected N``. Exits 2 only when the file cannot be read or
    nothing in it is usable. Ctrl-C stops after the running batch and exits 130; --resume goes on from there.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"), ExitStack() as opened:
        zone = _find_zone(zone_code)
        stream = _open(file, opened)
        stopped = opened.enter_context(_stop_on_interrupt())
        try:
            result = contract_import.import_stream(
                stream,
                by=party.clock(zone.id),
                now=clock.read(zone),
                file_name=file.name,
                size=_measure(file),
                resume=resume,
                on_progress=_show,
                on_reject=_explain,
                is_cancelled=stopped.is_set,
            )
        except Conflict as error:
            _say(" ".join(messages.sentences(error)))
            _say("What was imported so far is stored. Run the same command again to go on.")
            sys.exit(1)
        except (Invalid, NotFound) as error:
            _say(" ".join(messages.sentences(error)))
            _finish(ImportResult(), fails=True)
            return
        _tell_more(result)
        if result.is_cancelled:
            _say(
                f"Stopped. What was imported so far is stored. Go on with: flask contracts import {file}"
                f" --resume {result.job_id}"
            )
            _finish(result, fails=False)
            sys.exit(INTERRUPTED)
        if result.failure is not None:
            _say(f"{file}: {result.failure}")
        elif not result.is_useful:
            _say(messages.reason(Fault(Code.NOTHING_USABLE)))
        _finish(result, fails=result.failure is not None or not result.is_useful)


@contracts.command("template")
@click.argument("file", type=click.Path(path_type=Path))
def write_template(file: Path) -> None:
    """Write the table to fill in to FILE: .xlsx with contracts and award notices, .csv with contracts."""
    is_csv = file.suffix.lower() == ".csv"
    content = contract_template.write_csv() if is_csv else contract_template.write_workbook()
    try:
        file.write_bytes(content)
    except OSError as error:
        _say(f"{file}: {error.strerror or error}")
        sys.exit(2)
    _say(f"{file}: fill it in and import it with: flask contracts import {file}")


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C sets once, so that the running batch is stored; a second one breaks off."""
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, former)
        _say("Stopping after the running batch ...")

    if threading.current_thread() is not threading.main_thread():
        # Signals reach the main thread only; another one is stopped by whoever asks through the job.
        yield stopped
        return
    former = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, former)


def _measure(file: Path) -> int | None:
    """Return the length of a file, None of what is no file, such as standard input or a pipe."""
    return file.stat().st_size if file.is_file() else None


def _tell_more(result: ImportResult) -> None:
    if result.notices or result.notices_refused:
        _say(f"award notices: stored {result.notices} rejected {result.notices_refused}")
    if result.skipped:
        _say(f"files in the zip package that are no JSON: {result.skipped}")


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
        f"… {_share(progress)}, line {progress.line}: imported {done.imported} "
        f"updated {done.updated} rejected {done.rejected}"
    )


def _share(progress: Progress) -> str:
    read = f"{progress.bytes_read / 1e6:.1f} MB"
    if not progress.bytes_total:
        return read
    share = 100 * progress.bytes_read // progress.bytes_total
    return f"{read} of {progress.bytes_total / 1e6:.1f} MB ({min(share, 100)} %)"


def _explain(row: RejectedRow) -> None:
    place = " ".join(part for part in (row.path, row.process_id, row.contract_id) if part)
    _say(f"line {row.line}{f' ({place})' if place else ''}: {messages.sentence(row.fault)}")


def _say(line: str) -> None:
    click.echo(" ".join(line.split()), err=True)


def _finish(result: ImportResult, *, fails: bool) -> None:
    click.echo(f"imported {result.imported} updated {result.updated} rejected {result.rejected}")
    if fails:
        sys.exit(2)
