"""Needs: drafted, published and withdrawn by their firm; who else may know of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.errors import Code
from market.vocabulary import Capability, NeedState, OrganisationKind, Purpose
from models.base import db
from models.need import Need
from models.organisation import Organisation
from services import audit, needs
from tests.factories import MILLION, make_need, make_officer, make_party, make_zone
from tests.services.conftest import Refusing
from tests.services.test_path import make_contract_path

USUAL = needs.Draft(purpose=Purpose.WORKING_CAPITAL, amount=5 * MILLION, months=12)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"amount": 0}, Code.TOO_SMALL, "amount"),
        ({"amount": needs.AMOUNT_MOST + 1}, Code.TOO_LARGE, "amount"),
        ({"months": 0}, Code.TOO_SMALL, "months"),
        ({"months": 361}, Code.TOO_LARGE, "months"),
        ({"description": "长" * 501}, Code.TOO_LONG, "description"),
        ({"description": "半个\ud800字"}, Code.NOT_TEXT, "description"),
        ({"securities": ()}, Code.REQUIRED, "securities"),
        ({"accepts": ()}, Code.REQUIRED, "accepts"),
        ({"reserve_rate": Decimal(0)}, Code.TOO_SMALL, "reserve_rate"),
        ({"reserve_rate": Decimal("1.01")}, Code.TOO_LARGE, "reserve_rate"),
        ({"reserve_rate": Decimal("0.123456789")}, Code.TOO_MANY_DECIMALS, "reserve_rate"),
        ({"minimum_bids": 0}, Code.TOO_SMALL, "minimum_bids"),
        ({"minimum_bids": 10}, Code.TOO_LARGE, "minimum_bids"),
        ({"purpose": Purpose.CONTRACT}, Code.REQUIRED, "contract_id"),
        ({"contract_id": 1}, Code.REQUIRED, "contract_id"),
        ({"purpose": Purpose.CONTRACT, "contract_id": 10**6}, Code.NOT_FOUND, None),
    ],
)
def test_a_draft_that_cannot_be_is_refused_by_name_and_leaves_nothing(
    app: Flask, now: datetime, refuses: Refusing, values: dict[str, Any], code: Code, field: str | None
) -> None:
    firm = make_party(now=now)
    with refuses(code, field):
        make_need(firm, now=now, closes_in=None, **values)


def test_bidding_lasts_an_hour_at_least_and_sixty_days_at_most(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    hour, most = timedelta(hours=1), timedelta(days=60)
    second = timedelta(seconds=1)
    need = make_need(firm, now=now, closes_in=None)
    for closes_in, code in ((hour - second, Code.TOO_EARLY), (most + second, Code.TOO_LATE)):
        with refuses(code, "closes_at"):
            needs.publish(need.id, now + closes_in, by=firm, now=now)
    for closes_in in (hour, most):
        assert make_need(firm, now=now, closes_in=closes_in).closes_at == now + closes_in


def test_a_published_need_is_neither_edited_nor_published_again(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    draft = make_need(firm, now=now, closes_in=None)
    needs.edit(draft.id, needs.Draft(Purpose.EQUIPMENT, 6 * MILLION, 24), by=firm, now=now)
    assert db.session.get_one(Need, draft.id).amount == 6 * MILLION
    need = make_need(firm, now=now)
    with refuses(Code.ILLEGAL_MOVE):
        needs.edit(need.id, USUAL, by=firm, now=now)
    with refuses(Code.ILLEGAL_MOVE):
        needs.publish(need.id, now + timedelta(days=1), by=firm, now=now)
    needs.withdraw(need.id, by=firm, now=now)
    for again in (needs.withdraw,):
        with refuses(Code.ILLEGAL_MOVE):
            again(need.id, by=firm, now=now)
    assert [entry.action for entry in audit.list_entries("needs", need.id)] == [
        "need.draft",
        "need.publish",
        "need.withdraw",
    ]


def test_each_sees_a_need_as_far_as_it_may(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm = make_party(now=now)
    draft, need = make_need(firm, now=now, closes_in=None), make_need(firm, now=now)
    bank, officer = make_party(OrganisationKind.BANK, now=now), make_officer(now=now)
    auditor = make_party(OrganisationKind.AGENCY, now=now)
    other_zone = make_zone(now=now).id
    for party in (firm, bank, officer, auditor):
        assert needs.find(need.id, by=party).id == need.id
    for party in (bank, officer, auditor):
        with refuses(Code.NOT_FOUND):
            needs.find(draft.id, by=party)
    for party in (
        make_party(now=now),
        make_party(OrganisationKind.PURCHASER, now=now),
        make_party(OrganisationKind.BANK, now=now, zone_id=other_zone),
        make_officer(now=now, zone_id=other_zone),
        make_party(OrganisationKind.BANK, [], now=now),
    ):
        with refuses(Code.NOT_FOUND):
            needs.find(need.id, by=party)
    assert [row.id for row in needs.list_zone(officer)] == [need.id]
    assert [row.id for row in needs.list_open(bank, now)] == [need.id]
    assert needs.list_open(bank, now + timedelta(days=3)) == []
    for party, verb in ((firm, needs.list_zone), (bank, needs.list_zone)):
        with refuses(Code.NOT_ALLOWED):
            verb(party)


def test_roles_and_zones_bound_what_a_firm_may_do(app: Flask, now: datetime, refuses: Refusing) -> None:
    maker = make_party(now=now)
    firm = db.session.get_one(Organisation, maker.organisation_id)
    approver = make_party(now=now, organisation=firm, capabilities=[Capability.ENTERPRISE_APPROVER])
    stranger = make_party(now=now)
    need = make_need(maker, now=now, closes_in=None)
    with refuses(Code.NOT_ALLOWED):
        needs.draft(USUAL, by=approver, now=now)
    deeds = (
        lambda by: needs.publish(need.id, now + timedelta(days=1), by=by, now=now),
        lambda by: needs.edit(need.id, USUAL, by=by, now=now),
        lambda by: needs.withdraw(need.id, by=by, now=now),
    )
    for deed in deeds:
        with refuses(Code.NOT_ALLOWED):
            deed(approver)
        with refuses(Code.NOT_FOUND):
            deed(stranger)
    assert db.session.get_one(Need, need.id).state is NeedState.DRAFT


def test_a_contract_is_its_suppliers_to_finance_and_up_to_what_it_can_carry(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    stranger = make_party(now=now)
    asked = {"purpose": Purpose.CONTRACT, "contract_id": contract.id, "months": 6}
    with refuses(Code.NOT_FOUND):
        make_need(stranger, now=now, closes_in=None, **asked)
    with refuses(Code.ABOVE_FINANCEABLE, "amount"):
        make_need(firm, now=now, closes_in=None, amount=10 * MILLION + 1, **asked)
    need = make_need(firm, now=now, closes_in=None, amount=10 * MILLION, **asked)
    assert needs.read_room(contract.id) == 10 * MILLION
    assert needs.read_room(contract.id, Decimal("0.7")) == 7 * MILLION
    assert db.session.get_one(Need, need.id).contract_id == contract.id
