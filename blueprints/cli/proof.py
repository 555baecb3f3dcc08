"""``flask proof check FILE``: whether everything in a proof follows from the rest; no database, no secret."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from blueprints import formats, messages
from market.errors import Fault, Invalid
from services import proofs

proof = AppGroup("proof", help="Proofs of annual costs.")


@proof.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Work the rate, the totals and the hash of the proof in FILE (JSON; - reads standard input) out again.

    Prints one line and exits 0 if all of it follows; else exits 2 with one line per fault on standard error.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"):
        try:
            content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            _refuse([f"{file}: {error.strerror or error}"])
        try:
            document, faults = proofs.read(content)
        except Invalid as error:
            document, faults = {}, list(error.faults)
        if faults:
            _refuse([_line(fault, str(file)) for fault in faults])
        facts = document["proof"]
        rate = "no rate" if facts["effective"] is None else formats.rate(Decimal(facts["effective"]), 4)
        said = f"{len(facts['flows'])} flows, annual cost {rate}, total cost {facts['total_cost']} yuan"
        click.echo(f"sound: {said}, sha256 {document['sha256']}")


def _line(fault: Fault, file: str) -> str:
    """Return one line of path, value and why."""
    value = json.dumps(fault.values["value"], ensure_ascii=False) if "value" in fault.values else "-"
    return f"{fault.field or file}: {value}: {messages.reason(fault)}"


def _refuse(lines: list[str]) -> None:
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    sys.exit(2)
