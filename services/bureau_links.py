"""Links to bureaus: whom a zone reads from, with which token, and what came of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from market.bureau_vocabulary import BureauKind
from market.errors import Code, forbidden, invalid, not_found
from market.party import Party
from market.vocabulary import Capability
from models.base import db, transaction
from models.bureau import BureauLink, BureauPull
from services import audit
from services.exchange.bureau_client import Bureau, BureauError, check_address
from services.sealing import Sealer

LONGEST_TOKEN = 400


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with one link: the last good day of each kind, and the newest attempts."""

    link: BureauLink
    last_days: dict[BureauKind, date | None]
    pulls: Sequence[BureauPull]


def save(
    name: str,
    base_url: str,
    token: str | None,
    *,
    link_id: int | None = None,
    is_active: bool = True,
    by: Party,
    now: datetime,
    sealer: Sealer,
) -> BureauLink:
    """Make a link, or change one; without a token it keeps its own, as long as the address stays.

    Raises ``Invalid`` for an address or token that cannot be one, or an address that the zone has already,
    ``NotFound`` for another zone's link.
    """
    by.require(Capability.OFFICER)
    with transaction() as session:
        link = BureauLink(zone_id=by.zone_id) if link_id is None else lock(session, link_id, by)
        if link.base_url != _tidy(base_url):
            # Leave to ask a private network was given for the former address.
            link.is_private = False
        _write(session, link, name, base_url, token, sealer, by=by, now=now)
        link.is_active = is_active
        session.flush()
    return link


def save_private(
    name: str, base_url: str, token: str, *, by: Party, now: datetime, sealer: Sealer
) -> BureauLink:
    """Make or change a link that may lead into a private network, to this machine, or over plain http.

    For whoever runs the market, by command (``by`` is the clock): an officer could otherwise make the server
    ask its neighbours.
    """
    if by.user_id is not None:
        raise forbidden(Code.NOT_ALLOWED, "base_url", capability=[])
    with transaction() as session:
        link = session.scalar(
            select(BureauLink)
            .where(BureauLink.zone_id == by.zone_id, BureauLink.base_url == _tidy(base_url))
            .with_for_update()
        ) or BureauLink(zone_id=by.zone_id)
        link.is_private = link.is_active = True
        _write(session, link, name, base_url, token, sealer, by=by, now=now)
    return link


def lock(session: Session, link_id: int, by: Party) -> BureauLink:
    """Return a link of the party's zone, locked, inside the caller's transaction."""
    link = session.get(BureauLink, link_id, with_for_update=True)
    if link is None or link.zone_id != by.zone_id:
        raise not_found("bureau", link_id)
    return link


def find(link_id: int, *, by: Party) -> BureauLink:
    """Return a link of the party's zone."""
    link = db.session.get(BureauLink, link_id)
    if link is None or link.zone_id != by.zone_id:
        raise not_found("bureau", link_id)
    return link


def list_links(zone_id: int) -> Sequence[BureauLink]:
    """Return the links of a zone, oldest first."""
    return db.session.scalars(
        select(BureauLink).where(BureauLink.zone_id == zone_id).order_by(BureauLink.id)
    ).all()


def read_standing(link: BureauLink, most: int = 12) -> Standing:
    """Return the last good day of each kind and the newest attempts."""
    attempts = db.session.scalars(
        select(BureauPull).where(BureauPull.link_id == link.id).order_by(BureauPull.id.desc()).limit(most)
    ).all()
    return Standing(link, read_last_days(link.id), attempts)


def read_last_days(link_id: int) -> dict[BureauKind, date | None]:
    """Return for each kind the latest day that was fetched whole, or None."""
    rows = db.session.execute(
        select(BureauPull.kind, func.max(BureauPull.day))
        .where(BureauPull.link_id == link_id, is_had())
        .group_by(BureauPull.kind)
    )
    had = {kind: day for kind, day in rows}
    return {kind: had.get(kind) for kind in BureauKind}


def is_had() -> ColumnElement[bool]:
    """Return the condition that a pull brought its whole day."""
    return and_(BureauPull.is_whole, BureauPull.finished_at.is_not(None), BureauPull.failure.is_(None))


def open_up(link: BureauLink, sealer: Sealer) -> Bureau:
    """Return the peer behind a link with its token; raises ``Invalid`` (seal_broken) if that was touched."""
    token = sealer.fetch(_purpose(link.zone_id, link.base_url), link.token)
    return Bureau(link.base_url, token, link.is_private)


def _purpose(zone_id: int, base_url: str) -> str:
    return f"bureau {zone_id} {base_url}"


def _tidy(base_url: str) -> str:
    return base_url.strip().rstrip("/")


def _write(
    session: Session,
    link: BureauLink,
    name: str,
    base_url: str,
    token: str | None,
    sealer: Sealer,
    *,
    by: Party,
    now: datetime,
) -> None:
    name, base_url, token = name.strip(), _tidy(base_url), (token or "").strip() or None
    if not name:
        raise invalid(Code.REQUIRED, "name")
    try:
        check_address(base_url, is_private=bool(link.is_private))
    except BureauError as error:
        raise invalid(Code.NOT_A_CHOICE, "base_url", value=base_url[:40], choices=["https://…"]) from error
    if token is None and link.base_url != base_url:
        # Nobody may lead a token elsewhere that was given for another address.
        raise invalid(Code.REQUIRED, "token")
    if token is not None:
        if len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable() and " " not in token):
            raise invalid(Code.NOT_TEXT, "token", value="…")
        link.token = sealer.lock_away(_purpose(link.zone_id, base_url), token)
    with session.no_autoflush:
        taken = select(BureauLink.id).where(
            BureauLink.zone_id == link.zone_id,
            BureauLink.base_url == base_url,
            BureauLink.id != (link.id or 0),
        )
        if session.scalar(taken) is not None:
            raise invalid(Code.ALREADY_EXISTS, "base_url", what="bureau", value=base_url[:80])
    link.name, link.base_url = name, base_url
    link.changed_by, link.changed_at = by.user_id, now
    session.add(link)
    audit.record(session, "bureau.link", link, by=by, now=now, url=base_url, private=link.is_private)
