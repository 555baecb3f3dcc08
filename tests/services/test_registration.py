from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.errors import Code, Invalid
from market.vocabulary import OrganisationKind
from models.base import db
from models.organisation import Organisation
from models.user import Role, User
from models.zone import Membership
from services import registration, users
from services.passwords import Passwords
from tests.factories import default_zone_id, make_credit_code, make_organisation


def count_rows() -> list[int]:
    return [
        db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Organisation, User, Membership, Role)
    ]


def test_a_firm_and_its_first_person_appear_together(app: Flask, now: datetime, passwords: Passwords) -> None:
    user = registration.sign_up(
        make_credit_code(),
        "新企业",
        " LiSi ",
        "a long password",
        zone_id=default_zone_id(),
        now=now,
        passwords=passwords,
    )
    assert count_rows() == [1, 1, 1, 2]
    (place,) = users.parties(user.id)
    assert place.organisation.kind is OrganisationKind.ENTERPRISE
    assert users.authenticate("lisi", "a long password", passwords=passwords, now=now).id == user.id


def test_every_fault_is_said_at_once_and_nothing_is_stored(
    app: Flask, now: datetime, passwords: Passwords
) -> None:
    with pytest.raises(Invalid) as refusal:
        registration.sign_up("91", " ", "", "short", zone_id=99, now=now, passwords=passwords)
    assert {(fault.field, fault.code) for fault in refusal.value.faults} == {
        ("credit_code", Code.BAD_CREDIT_CODE),
        ("name_zh", Code.REQUIRED),
        ("username", Code.REQUIRED),
        ("password", Code.TOO_SMALL),
        ("zone_id", Code.NOT_FOUND),
    }
    assert count_rows() == [0, 0, 0, 0]


def test_a_code_or_name_that_is_taken_is_refused(app: Flask, now: datetime, passwords: Passwords) -> None:
    firm = make_organisation(now=now)
    users.create("lisi", "李四", now=now)
    before = count_rows()
    with pytest.raises(Invalid) as refusal:
        registration.sign_up(
            firm.credit_code,
            "另一家",
            "lisi",
            "a long password",
            zone_id=default_zone_id(),
            now=now,
            passwords=passwords,
        )
    assert [fault.field for fault in refusal.value.faults] == ["username", "credit_code"]
    assert count_rows() == before
