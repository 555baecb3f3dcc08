"""People: accounts, sign-in, roles and API tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from market.errors import Code, Conflict, Fault, Unauthenticated, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import Capability, Locale
from models.base import db, transaction
from models.organisation import Organisation
from models.user import ApiToken, Role, User
from models.zone import Membership, Zone
from services import audit
from services.passwords import Passwords

PASSWORD_LEAST, PASSWORD_MOST = 10, 200
_TOKEN_MARK = "cuo_"
#: A token's last use is noted at most this often, so that reading does not become writing.
_USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a user may act: the party they would be, with the rows that name it."""

    party: Party
    zone: Zone
    organisation: Organisation


def create(
    username: str,
    name: str,
    *,
    now: datetime,
    password: str | None = None,
    passwords: Passwords | None = None,
    locale: Locale | None = None,
) -> User:
    """Create an account; without a password it is invited only and cannot sign in.

    Raises ``Invalid`` for a short password and ``Conflict`` for a taken user name.
    """
    username = username.strip().lower()
    if not username:
        raise invalid(Code.REQUIRED, "username")
    if len(username) > 80:
        raise invalid(Code.TOO_LONG, "username", value=username[:40], most=80)
    hashed = None
    if password is not None:
        check_password(password)
        assert passwords is not None, "hashing a password needs the hasher"
        hashed = passwords.hash(password)
    with transaction() as session:
        if session.scalar(select(User.id).where(User.username == username)) is not None:
            raise conflict(Code.ALREADY_EXISTS, "username", what="user", value=username)
        user = User(username=username, name=name, password_hash=hashed, locale=locale, created_at=now)
        session.add(user)
        audit.record(session, "user.create", user, by=None, now=now)
    return user


def check_password(password: str, field: str = "password") -> None:
    """Raise ``Invalid`` unless the password's length is acceptable (NIST SP 800-63B: length, not tricks)."""
    if len(password) < PASSWORD_LEAST:
        raise invalid(Code.TOO_SMALL, field, value=len(password), least=PASSWORD_LEAST)
    if len(password) > PASSWORD_MOST:
        raise invalid(Code.TOO_LARGE, field, value=len(password), most=PASSWORD_MOST)


def grant(
    user_id: int, zone_id: int, organisation_id: int, capabilities: Iterable[Capability], *, now: datetime
) -> None:
    """Give a user capabilities for an organisation in a zone where the organisation has a seat."""
    with transaction() as session:
        seat = session.scalar(
            select(Membership.id).where(
                Membership.zone_id == zone_id, Membership.organisation_id == organisation_id
            )
        )
        if seat is None:
            raise not_found("membership", f"{zone_id}/{organisation_id}")
        held = set(
            session.scalars(
                select(Role.capability).where(
                    Role.user_id == user_id,
                    Role.zone_id == zone_id,
                    Role.organisation_id == organisation_id,
                )
            )
        )
        for capability in sorted(set(capabilities) - held):
            role = Role(
                user_id=user_id, zone_id=zone_id, organisation_id=organisation_id, capability=capability
            )
            session.add(role)
            audit.record(session, "role.grant", role, by=None, now=now, capability=capability.value)


def authenticate(username: str, password: str, *, passwords: Passwords, now: datetime) -> User:
    """Return the user whose password this is; raises ``Unauthenticated`` without saying what was wrong."""
    user = db.session.scalar(select(User).where(User.username == username.strip().lower()))
    matches = passwords.matches(password, user.password_hash if user is not None else None)
    if user is None or not matches or not user.active:
        raise Unauthenticated(Fault(Code.BAD_CREDENTIALS))
    return user


def find(user_id: int) -> User | None:
    """Return the user, or None."""
    return db.session.get(User, user_id)


def parties(user_id: int) -> list[Place]:
    """Return where a user may act, one place per zone and organisation, in order of zone and name."""
    rows = db.session.execute(
        select(Role, Zone, Organisation)
        .join(Zone, Role.zone_id == Zone.id)
        .join(Organisation, Role.organisation_id == Organisation.id)
        .where(Role.user_id == user_id)
        .order_by(Zone.is_default.desc(), Zone.code, Organisation.name_zh, Role.id)
    )
    found: dict[tuple[int, int], Place] = {}
    for role, zone, organisation in rows:
        key = (zone.id, organisation.id)
        place = found.get(key)
        if place is None:
            party = Party(user_id, organisation.id, organisation.kind, zone.id)
            place = Place(party, zone, organisation)
        party = replace(place.party, capabilities=place.party.capabilities | {role.capability})
        found[key] = replace(place, party=party)
    return list(found.values())


def set_locale(user_id: int, locale: Locale) -> None:
    """Remember the language a user chose."""
    with transaction() as session:
        user = session.get(User, user_id)
        if user is not None:
            user.locale = locale


def issue_token(name: str, *, by: Party, now: datetime) -> tuple[ApiToken, str]:
    """Make an API token that acts as ``by``; returns the row and the token, which is shown this once."""
    if by.user_id is None or by.organisation_id is None:
        raise invalid(Code.REQUIRED, "user")
    if not name.strip():
        raise invalid(Code.REQUIRED, "name")
    if len(name) > 80:
        raise invalid(Code.TOO_LONG, "name", value=name[:40], most=80)
    token = _TOKEN_MARK + secrets.token_urlsafe(32)
    with transaction() as session:
        row = ApiToken(
            user_id=by.user_id,
            zone_id=by.zone_id,
            organisation_id=by.organisation_id,
            name=name.strip(),
            prefix=token[:10],
            token_hash=_hash_token(token),
            created_at=now,
        )
        session.add(row)
        audit.record(session, "token.issue", row, by=by, now=now, prefix=row.prefix)
    return row, token


def revoke_token(token_id: int, *, by: Party, now: datetime) -> None:
    """Revoke one of the user's own tokens; revoking twice is no fault."""
    with transaction() as session:
        row = session.get(ApiToken, token_id)
        if row is None or row.user_id != by.user_id:
            raise not_found("token", token_id)
        if row.revoked_at is None:
            row.revoked_at = now
            audit.record(session, "token.revoke", row, by=by, now=now)


def list_tokens(user_id: int) -> list[ApiToken]:
    """Return a user's tokens, newest first, revoked ones too."""
    return list(
        db.session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc()))
    )


def authenticate_token(token: str, *, now: datetime) -> Place:
    """Return where and as whom a token acts; raises ``Unauthenticated`` for a wrong or revoked one.

    Capabilities are read now, so that a role taken away counts at once. One question to the database,
    because every request of the API begins with it.
    """
    rows = db.session.execute(
        select(ApiToken, Zone, Organisation, Role.capability)
        .join(User, ApiToken.user_id == User.id)
        .join(
            Role,
            (Role.user_id == ApiToken.user_id)
            & (Role.zone_id == ApiToken.zone_id)
            & (Role.organisation_id == ApiToken.organisation_id),
        )
        .join(Zone, Role.zone_id == Zone.id)
        .join(Organisation, Role.organisation_id == Organisation.id)
        .where(ApiToken.token_hash == _hash_token(token), ApiToken.revoked_at.is_(None), User.active)
    ).all()
    if not rows:
        raise Unauthenticated(Fault(Code.BAD_TOKEN))
    row, zone, organisation, _ = rows[0]
    capabilities = frozenset(capability for *_, capability in rows)
    party = Party(row.user_id, organisation.id, organisation.kind, zone.id, capabilities)
    if row.last_used_at is None or now - row.last_used_at > _USE_NOTED_EVERY:
        _note_use(row.id, now)
    return Place(party, zone, organisation)


def _note_use(token_id: int, now: datetime) -> None:
    # A busy database is no reason to refuse whoever only wants to read.
    with suppress(Conflict), transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
