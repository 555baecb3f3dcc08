"""``flask price FILE.json``: the annual cost of offers in a file, as JSON; no database, no secret."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import force_locale

from blueprints import explanations, pricing
from blueprints.cli import refusals
from market.errors import Invalid
from market.money import rate_text, yuan
from market.reference import lpr_table
from services.exchange import offers

_AMOUNTS = frozenset({"total_cost", "net_received", "average_monthly_payment"})
_COLUMNS = ("principal", "interest", "fees", "subsidy", "balance")


@click.command("price")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def price(file: Path) -> None:
    """Price the offers in FILE (JSON; - reads standard input) and rank them by annual cost.

    Exits 2 with one line per fault on standard error when the file is not as it should be.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"):
        content = refusals.read_bytes(file)
        try:
            listed = offers.read_file(content, lpr_table())
        except Invalid as error:
            refusals.refuse_faults(error.faults, file)
        priced = [_write(pricing.describe(row)) for row in pricing.rank(listed)]
        click.echo(json.dumps({"offers": priced}, ensure_ascii=False, indent=2))


def _write(described: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an offer as the command prints them: everything but whole numbers is text."""
    text = {name: _write_value(name, value) for name, value in described.items()}
    text["breakdown"] = {payee: yuan(amount) for payee, amount in described["breakdown"].items()}
    text["schedule"] = [
        {"when": when, **{name: yuan(getattr(line, name)) for name in _COLUMNS}}
        for when, line in described["schedule"]
    ]
    note = described["note"]
    text["note"] = None if note is None else f"no rate: {explanations.NO_RATE[note]}"
    return text


def _write_value(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return rate_text(value)
    return yuan(value) if name in _AMOUNTS and value is not None else value
