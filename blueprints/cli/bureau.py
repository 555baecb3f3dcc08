"""``flask bureau pull --day`` and ``flask bureau link``: bureaus asked, and linked in a private net."""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from typing import NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError

from blueprints import clock, labels, messages
from market import party
from market.bureau_vocabulary import PullFailure
from market.errors import MarketError, NotFound
from models.zone import Zone
from services import bureau_links, bureau_pulls, zones

bureau = AppGroup("bureau", help="Finance bureaus.")
_zone = click.option("--zone", "zone_code", metavar="CODE", help="The zone; else the default zone.")


@bureau.command("pull")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day, in Shanghai.")
@_zone
def pull(day: datetime, zone_code: str | None) -> None:
    """Fetch the award notices, contracts and payments of a day from every bureau of a zone.

    One line per list says ``NAME KIND imported N updated N rejected N``. Exits 1 if a bureau failed, with the
    reason on standard error; what is stored already stays.
    """
    with force_locale("en"):
        zone = _find_zone(zone_code)
        failed = False
        for link in bureau_links.list_links(zone.id):
            if link.is_active:
                failed = not _pull(link.id, link.name, day.date(), zone) or failed
        if failed:
            sys.exit(1)


@bureau.command("link")
@click.option("--name", required=True, help="What people call the bureau.")
@click.option("--url", required=True, help="Such as http://10.0.0.5/api/v1/bureau.")
@click.option("--token-from", required=True, metavar="VARIABLE", help="Environment variable with the token.")
@_zone
def link(name: str, url: str, token_from: str, zone_code: str | None) -> None:
    """Link a bureau that lies in a private network or on this machine, which officers cannot do."""
    with force_locale("en"):
        zone = _find_zone(zone_code)
        token = os.environ.get(token_from)
        if not token:
            click.echo(f"The environment variable {token_from} is not set.", err=True)
            sys.exit(2)
        by, sealer = party.clock(zone.id), current_app.extensions["sealer"]
        try:
            row = bureau_links.save_private(name, url, token, by=by, now=clock.read(zone), sealer=sealer)
        except MarketError as error:
            _refuse(error)
        click.echo(f"linked {row.id} {row.base_url}")


def _pull(link_id: int, name: str, day: date, zone: Zone) -> bool:
    by, now, sealer = party.clock(zone.id), clock.read(zone), current_app.extensions["sealer"]
    try:
        done = bureau_pulls.pull_day(link_id, day, by=by, now=now, sealer=sealer)
    except MarketError as error:
        _refuse(error)
    for row in done:
        if row.failure is not None:
            why = labels.label(PullFailure(row.failure["why"]))
            click.echo(f"{name}: {row.kind.value}: {why}", err=True)
            return False
        click.echo(
            f"{name} {row.kind.value} imported {row.imported} updated {row.updated} rejected {row.rejected}"
        )
    return True


def _refuse(error: MarketError) -> NoReturn:
    for sentence in messages.sentences(error):
        click.echo(" ".join(sentence.split()), err=True)
    sys.exit(2)


def _find_zone(code: str | None) -> Zone:
    try:
        zone = zones.find_by_code(code) if code is not None else zones.default()
    except (NotFound, DatabaseError):
        zone = None
    if zone is None:
        click.echo("There is no such zone, or the database is not set up yet.", err=True)
        sys.exit(1)
    return zone
