"""``flask proof check FILE``: whether everything in a proof follows from the rest; no database, no secret."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from blueprints import formats
from blueprints.cli import refusals
from market.errors import Invalid
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
        content = refusals.read_bytes(file)
        try:
            document, faults = proofs.read(content)
        except Invalid as error:
            document, faults = {}, list(error.faults)
        if faults:
            refusals.refuse_faults(faults, file)
        facts = document["proof"]
        rate = "no rate" if facts["effective"] is None else formats.rate(Decimal(facts["effective"]), 4)
        said = f"{len(facts['flows'])} flows, annual cost {rate}, total cost {facts['total_cost']} yuan"
        click.echo(f"sound: {said}, sha256 {document['sha256']}")
