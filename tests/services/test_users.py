"""People and tokens: who they are taken for, and when no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from market.errors import Code, conflict
from market.vocabulary import Capability, OrganisationKind
from models.base import db, transaction
from models.organisation import Organisation
from models.user import ApiToken, Role, User
from services import users
from services.passwords import Passwords
from tests.factories import PASSWORD, default_zone_id, make_organisation, make_party, make_user, make_zone
from tests.services.conftest import Refusing, take_print


def test_a_person_signs_in_with_name_and_password_and_is_told_nothing_else(
    app: Flask, now: datetime, passwords: Passwords, refuses: Refusing
) -> None:
    user = make_user(now=now, username="Li.Lei", passwords=passwords)
    assert users.authenticate(" LI.LEI ", PASSWORD, passwords=passwords, now=now).id == user.id
    make_user(now=now, username="invited")
    for name, password in (
        ("li.lei", PASSWORD + "x"),
        ("li.lei", ""),
        ("nobody", PASSWORD),
        ("invited", ""),
        ("invited", "nobody has this password"),
        ("nobody", "nobody has this password"),
    ):
        with refuses(Code.BAD_CREDENTIALS):
            users.authenticate(name, password, passwords=passwords, now=now)
    with transaction() as session:
        session.get_one(User, user.id).active = False
    with refuses(Code.BAD_CREDENTIALS):
        users.authenticate("li.lei", PASSWORD, passwords=passwords, now=now)


@pytest.mark.parametrize(
    ("username", "password", "code", "field"),
    [
        ("", PASSWORD, Code.REQUIRED, "username"),
        ("x" * 81, PASSWORD, Code.TOO_LONG, "username"),
        ("taken", PASSWORD, Code.ALREADY_EXISTS, "username"),
        (" TAKEN ", PASSWORD, Code.ALREADY_EXISTS, "username"),
        ("new", "x" * 9, Code.TOO_SMALL, "password"),
        ("new", "x" * 201, Code.TOO_LARGE, "password"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    app: Flask,
    now: datetime,
    passwords: Passwords,
    refuses: Refusing,
    username: str,
    password: str,
    code: Code,
    field: str,
) -> None:
    make_user(now=now, username="taken")
    with refuses(code, field):
        users.create(username, "张三", now=now, password=password, passwords=passwords)
    with refuses(Code.TOO_LONG, "name"):
        users.create("other", "长" * 81, now=now)


def test_passwords_are_kept_as_argon2_and_never_twice_the_same(
    app: Flask, now: datetime, passwords: Passwords
) -> None:
    one, two = (make_user(now=now, passwords=passwords) for _ in range(2))
    assert one.password_hash is not None and one.password_hash.startswith("$argon2id$")
    assert one.password_hash != two.password_hash


def test_roles_are_given_once_and_only_where_the_organisation_has_a_seat(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    user, firm, zone = make_user(now=now), make_organisation(now=now), make_zone(now=now)
    with refuses(Code.NOT_FOUND):
        users.grant(user.id, zone.id, firm.id, [Capability.ENTERPRISE_MAKER], now=now)
    for _ in range(2):
        users.grant(user.id, default_zone_id(), firm.id, [Capability.ENTERPRISE_MAKER], now=now)
    assert db.session.query(Role).count() == 1
    (place,) = users.parties(user.id)
    assert place.party.capabilities == {Capability.ENTERPRISE_MAKER}


def test_a_token_is_its_owners_and_loses_what_the_person_loses(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    party = make_party(now=now)
    row, token = users.issue_token("对账", by=party, now=now)
    assert token not in repr(take_print()) and row.token_hash not in token
    assert users.authenticate_token(token, now=now).party == party
    stranger = make_party(now=now)
    with refuses(Code.NOT_FOUND):
        users.revoke_token(row.id, by=stranger, now=now)
    for wrong in ("", token[:-1], token.upper(), "cuo_" + "a" * 43):
        with refuses(Code.BAD_TOKEN):
            users.authenticate_token(wrong, now=now)
    with transaction() as session:
        for role in session.query(Role).filter(Role.user_id == party.user_id):
            session.delete(role)
    with refuses(Code.BAD_TOKEN):
        users.authenticate_token(token, now=now)
    for name, code in (("  ", Code.REQUIRED), ("长" * 81, Code.TOO_LONG)):
        with refuses(code, "name"):
            users.issue_token(name, by=stranger, now=now)


def test_a_token_notes_its_use_now_and_then_and_never_fails_for_it(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = make_party(OrganisationKind.BANK, now=now)
    row, token = users.issue_token("对账", by=party, now=now)
    for minutes, noted in ((0, 0), (5, 0), (6, 6)):
        users.authenticate_token(token, now=now + timedelta(minutes=minutes))
        assert db.session.get_one(ApiToken, row.id).last_used_at == now + timedelta(minutes=noted)

    def be_busy() -> None:
        raise conflict(Code.BUSY)

    monkeypatch.setattr(users, "transaction", be_busy)
    assert users.authenticate_token(token, now=now + timedelta(hours=1)).party == party


def test_a_person_may_act_in_several_places(app: Flask, now: datetime) -> None:
    user = make_user(now=now)
    first = make_party(now=now, user=user)
    zone = make_zone(now=now)
    second = make_party(OrganisationKind.BANK, now=now, user=user, zone_id=zone.id)
    assert {place.party for place in users.parties(user.id)} == {first, second}
    assert db.session.get_one(Organisation, first.organisation_id).credit_code
