"""Registration: a firm signs up by itself, with its first person, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from market import credit_code
from market.errors import Code, Fault, Invalid, MarketError
from market.vocabulary import Capability, Locale, OrganisationKind
from models.base import transaction
from models.contract import Contract
from models.organisation import Organisation
from models.user import Role, User
from models.zone import Membership, Zone
from services import audit, users
from services.passwords import Passwords

#: The first person of a firm does everything; a second one can be asked for once there is one.
FIRST_PERSON = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


def sign_up(
    code: str,
    firm_name: str,
    username: str,
    password: str,
    *,
    zone_id: int,
    now: datetime,
    passwords: Passwords,
    person: str = "",
    locale: Locale | None = None,
) -> User:
    """Register an enterprise with its first user, who may post, accept and confirm for it.

    Either everything is stored or nothing. Raises ``Invalid`` with every fault that can be seen: the
    credit code, the names, the password, and a code or user name that is taken already.
    """
    username, firm_name = username.strip().lower(), firm_name.strip()
    faults = _check_names({"name_zh": (firm_name, 120), "username": (username, 80)})
    try:
        code = credit_code.parse(code)
    except MarketError as error:
        faults.extend(error.faults)
    try:
        users.check_password(password)
    except MarketError as error:
        faults.extend(error.faults)
    hashed = passwords.hash(password) if not faults else None
    with transaction() as session:
        if session.get(Zone, zone_id) is None:
            faults.append(Fault(Code.NOT_FOUND, "zone_id", {"what": "zone", "id": str(zone_id)}))
        if session.scalar(select(User.id).where(User.username == username)) is not None:
            faults.append(Fault(Code.ALREADY_EXISTS, "username", {"what": "user", "value": username}))
        if session.scalar(select(Organisation.id).where(Organisation.credit_code == code)) is not None:
            faults.append(Fault(Code.ALREADY_EXISTS, "credit_code", {"what": "organisation", "value": code}))
        if faults:
            raise Invalid(*faults)
        firm = Organisation(
            kind=OrganisationKind.ENTERPRISE, credit_code=code, name_zh=firm_name, created_at=now
        )
        user = User(
            username=username,
            name=person.strip() or username,
            password_hash=hashed,
            locale=locale,
            created_at=now,
        )
        session.add_all([firm, user])
        session.flush()
        session.add(Membership(zone_id=zone_id, organisation_id=firm.id, joined_at=now))
        session.flush()
        for capability in FIRST_PERSON:
            session.add(
                Role(user_id=user.id, zone_id=zone_id, organisation_id=firm.id, capability=capability)
            )
        # Contracts imported before their supplier came find their owner now.
        for contract in session.scalars(select(Contract).where(Contract.supplier_code == code)):
            contract.supplier_id = firm.id
        audit.record(session, "organisation.register", firm, by=None, now=now, zone=zone_id)
        audit.record(session, "user.create", user, by=None, now=now)
    return user


def _check_names(names: Mapping[str, tuple[str, int]]) -> list[Fault]:
    faults: list[Fault] = []
    for field, (text, most) in names.items():
        values: dict[str, Any] = {"value": text[:40], "most": most}
        if not text:
            faults.append(Fault(Code.REQUIRED, field))
        elif len(text) > most:
            faults.append(Fault(Code.TOO_LONG, field, values))
    return faults
