"""``flask clear FILE.json``: clears one matching round in a file, as JSON; no database, no secret."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import force_locale

from blueprints.cli import refusals
from market import clearing
from market.clearing import WORK_LIMIT, Clearing, Instance
from market.errors import Invalid
from services.exchange import round_file


@click.command("clear")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seconds",
    type=click.IntRange(1, 86_400),
    default=round(WORK_LIMIT),
    show_default=True,
    help="How much work the solver may take: about so many seconds, counted alike on every machine.",
)
@with_appcontext
def clear(file: Path, seconds: int) -> None:
    """Clear the needs, offers and limits in FILE (JSON; - reads standard input) at the least cost.

    Exits 2 with one line per fault on standard error when the file is not as it should be.
    """
    # A command speaks to scripts as much as to people: always in English.
    with force_locale("en"):
        content = refusals.read_bytes(file)
        try:
            instance = round_file.read_round(content)
        except Invalid as error:
            refusals.refuse_faults(error.faults, file)
        begun = time.perf_counter()
        result = clearing.clear(instance, work_limit=float(seconds))
        answer = round_file.write_clearing(result)
        answer["unplaced"] = _say_unplaced(instance, result)
        answer["seconds"] = round(time.perf_counter() - begun, 3)
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _say_unplaced(instance: Instance, result: Clearing) -> list[dict[str, Any]]:
    """Return every need that is not placed in full, with the reason."""
    if result.objective is None:
        why = (
            "the needs that must be placed do not all fit"
            if result.status == "infeasible"
            else "no placement was found within the work limit; give more --seconds"
        )
        return [{"need": need, "why": why} for need in result.unplaced]
    reasons = clearing.explain(instance, result)
    placed = {need: sum(placement.share for placement in own) for need, own in result.placed.items()}
    return [
        {"need": need, "why": _say(reasons[need], part=placed.get(need, 0) > 0)}
        for need in reasons
        if placed.get(need, 0) < 1
    ]


def _say(reason: dict[str, Any], *, part: bool) -> str:
    code = reason["code"]
    if code == "no_live_bid":
        return "there is no offer for it"
    if code == "above_reserve":
        return "every offer costs at least as much as leaving it out"
    if "limit" not in reason:
        return "placing it would cost more in all"
    others = f" and {reason['others']} more" if reason["others"] else ""
    users = f", used up by {', '.join(reason['needs'])}{others}" if reason["needs"] else ""
    lead = "a rest is left: " if part else ""
    return f"{lead}of {reason['limit']}, {reason['left']} are left and {reason['asked']} asked{users}"
