"""``flask price FILE.json``: the annual cost of offers in a file, as JSON; no database, no secret."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import force_locale

from blueprints import explanations, messages
from market import cost, ranking
from market.cost import Cost
from market.errors import Fault, Invalid
from market.money import rate_text, yuan
from market.ranking import Entry
from market.reference import lpr_table
from market.terms import FlowTerms
from services.exchange import offers
from services.exchange.offers import Offer


@click.command("price")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def price(file: Path) -> None:
    """Price the offers in FILE (JSON; - reads standard input) and rank them by annual cost.

    Exits 2 with one line per fault on standard error when the file is not as it should be.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"):
        try:
            content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            _refuse([f"{file}: {error.strerror or error}"])
        try:
            listed = offers.read_file(content, lpr_table())
        except Invalid as error:
            _refuse([_line(fault, str(file)) for fault in error.faults])
        click.echo(json.dumps({"offers": _rank(listed)}, ensure_ascii=False, indent=2))


def _rank(listed: list[Offer]) -> list[dict[str, Any]]:
    costs = cost.price_many(offer.terms for offer in listed)
    entries = [
        Entry(place, priced, amount=0, months=0, receipt_number=place) for place, priced in enumerate(costs)
    ]
    # The command has no need to compare with: whatever stands in the file competes.
    ranked = ranking.rank(entries, amount=0, months=0)
    return [_describe(listed[row.key], costs[row.key], row.rank) for row in ranked]


def _describe(offer: Offer, priced: Cost, rank: int | None) -> dict[str, Any]:
    terms = offer.terms
    dated = not isinstance(terms, FlowTerms) and terms.start is not None
    lines = () if isinstance(terms, FlowTerms) else priced.schedule.lines
    average = priced.average_monthly_payment
    return {
        "id": offer.id,
        "rank": rank,
        "effective": None if priced.effective is None else rate_text(priced.effective),
        "simple": None if priced.simple is None else rate_text(priced.simple),
        "total_cost": yuan(priced.total_cost),
        "net_received": yuan(priced.net_received),
        "average_monthly_payment": None if average is None else yuan(average),
        "convention": priced.convention,
        "breakdown": {payee: yuan(amount) for payee, amount in priced.breakdown},
        "schedule": [
            {
                "when": line.due.isoformat() if dated and line.due is not None else line.number,
                "principal": yuan(line.principal),
                "interest": yuan(line.interest),
                "fees": yuan(line.fees),
                "subsidy": yuan(line.subsidy),
                "balance": yuan(line.balance),
            }
            for line in lines
        ],
        "note": None if priced.note is None else f"no rate: {explanations.NO_RATE[priced.note]}",
    }


def _line(fault: Fault, file: str) -> str:
    """Return one line of path, value and why."""
    value = json.dumps(fault.values["value"], ensure_ascii=False) if "value" in fault.values else "-"
    return f"{fault.field or file}: {value}: {messages.reason(fault)}"


def _refuse(lines: list[str]) -> None:
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    sys.exit(2)
