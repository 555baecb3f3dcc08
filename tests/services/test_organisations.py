"""Organisations: limits are set for what exists, or refused with the field that is wrong."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask

from market.errors import Code, Invalid
from market.vocabulary import Capability, LimitScope, OrganisationKind
from models.base import db
from models.contract import Contract
from models.organisation import Organisation
from services import audit, contracts, limit_settings, organisations
from services.contracts import Entry
from tests.factories import (
    MILLION,
    default_zone_id,
    make_credit_code,
    make_officer,
    make_organisation,
    make_party,
    make_zone,
)
from tests.services.conftest import Refusing


def test_a_limit_names_a_firm_where_its_scope_asks_for_one(app: Flask, now: datetime) -> None:
    bank, firm = make_party(OrganisationKind.BANK, now=now), make_organisation(now=now)
    assert bank.organisation_id is not None
    for scope, firm_id, code in (
        (LimitScope.FIRM, None, Code.REQUIRED),
        (LimitScope.TOTAL, firm.id, Code.UNKNOWN_FIELD),
    ):
        with pytest.raises(Invalid) as refused:
            limit_settings.set_limit(bank.organisation_id, scope, MILLION, by=bank, now=now, firm_id=firm_id)
        assert [(fault.code, fault.field) for fault in refused.value.faults] == [(code, "firm_id")]
    for nobody in (10**9, bank.organisation_id):
        with pytest.raises(Invalid) as refused:
            limit_settings.set_limit(
                bank.organisation_id, LimitScope.FIRM, MILLION, by=bank, now=now, firm_id=nobody
            )
        assert [(fault.code, fault.field) for fault in refused.value.faults] == [(Code.NOT_FOUND, "firm_id")]
    limit = limit_settings.set_limit(
        bank.organisation_id, LimitScope.FIRM, MILLION, by=bank, now=now, firm_id=firm.id
    )
    assert (limit.firm_id, limit.cap) == (firm.id, MILLION)


def test_a_limit_is_its_institutions_own_or_its_zones_to_set(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    bank = make_party(OrganisationKind.BANK, now=now)
    own = db.session.get_one(Organisation, bank.organisation_id)
    bidder = make_party(now=now, organisation=own, capabilities=[Capability.INSTITUTION_BIDDER])
    for stranger, code in (
        (bidder, Code.NOT_ALLOWED),
        (make_party(now=now), Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
    ):
        with refuses(code):
            limit_settings.set_limit(own.id, LimitScope.TOTAL, MILLION, by=stranger, now=now)
    with refuses(Code.TOO_SMALL, "cap"):
        limit_settings.set_limit(own.id, LimitScope.TOTAL, -1, by=bank, now=now)
    with refuses(Code.TOO_LARGE, "cap"):
        limit_settings.set_limit(own.id, LimitScope.TOTAL, 2**63, by=bank, now=now)
    set_up = limit_settings.set_limit(own.id, LimitScope.TOTAL, MILLION, by=make_officer(now=now), now=now)
    limit_settings.set_limit(own.id, LimitScope.TOTAL, 2 * MILLION, by=bank, now=now)
    assert [entry.details["cap"] for entry in audit.list_entries("limits", set_up.id)] == [
        MILLION,
        2 * MILLION,
    ]


def test_contracts_that_were_there_first_find_their_two_sides(app: Flask, now: datetime) -> None:
    supplier_code, purchaser_code = make_credit_code(), make_credit_code()
    contract = contracts.register(
        Entry("P", "C", "合同", MILLION, purchaser_code, supplier_code, date(2026, 11, 1)),
        by=make_officer(now=now),
        now=now,
    )
    assert (contract.supplier_id, contract.purchaser_id) == (None, None)
    for kind, code in (
        (OrganisationKind.ENTERPRISE, supplier_code),
        (OrganisationKind.PURCHASER, purchaser_code),
    ):
        organisations.register(kind, code, kind.value, zone_id=default_zone_id(), now=now)
    stored = db.session.get_one(Contract, contract.id)
    assert stored.supplier is not None and stored.supplier.credit_code == supplier_code
    assert stored.purchaser is not None and stored.purchaser.credit_code == purchaser_code


@pytest.mark.parametrize(
    ("profile", "code", "field"),
    [
        ({"kind": "bank"}, Code.UNKNOWN_FIELD, "kind"),
        ({"credit_code": "91990000MA00000000"}, Code.UNKNOWN_FIELD, "credit_code"),
        ({"staff_count": -1}, Code.TOO_SMALL, "staff_count"),
        ({"staff_count": 2**31}, Code.TOO_LARGE, "staff_count"),
        ({"annual_revenue": -1}, Code.TOO_SMALL, "annual_revenue"),
        ({"founded_on": date(2026, 11, 21)}, Code.TOO_LARGE, "founded_on"),
        ({"tax_grade": "E"}, Code.NOT_A_CHOICE, "tax_grade"),
        ({"size_class": "giant"}, Code.NOT_A_CHOICE, "size_class"),
        ({"name_zh": " "}, Code.REQUIRED, "name_zh"),
        ({"name_zh": "长" * 121}, Code.TOO_LONG, "name_zh"),
        ({"industry": "a\x00b"}, Code.NOT_TEXT, "industry"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_by_name(
    app: Flask, now: datetime, refuses: Refusing, profile: dict[str, Any], code: Code, field: str
) -> None:
    firm = make_party(now=now)
    with refuses(code, field):
        organisations.update_profile({"staff_count": 7, **profile}, by=firm, now=now)


def test_a_code_is_registered_once_and_a_wrong_one_never(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    code = make_credit_code()
    organisations.register(OrganisationKind.ENTERPRISE, code, "甲", zone_id=default_zone_id(), now=now)
    for given, refusal in (
        (code, Code.ALREADY_EXISTS),
        (code.lower(), Code.ALREADY_EXISTS),
        (code[:-1] + ("A" if code[-1] != "A" else "B"), Code.BAD_CREDIT_CODE),
    ):
        with refuses(refusal):
            organisations.register(
                OrganisationKind.ENTERPRISE, given, "乙", zone_id=default_zone_id(), now=now
            )


def test_qualifications_are_the_officers_to_record_and_end(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, officer = make_party(now=now), make_officer(now=now)
    firm_id = firm.organisation_id or 0
    away = make_officer(now=now, zone_id=make_zone(now=now).id)
    for party, code in ((firm, Code.NOT_ALLOWED), (away, Code.NOT_FOUND)):
        with refuses(code):
            organisations.tag(firm_id, "high_tech", "科技局", date(2026, 1, 1), None, by=party, now=now)
        with refuses(code):
            organisations.whitelist(firm_id, True, by=party, now=now)
    row = organisations.tag(firm_id, "high_tech", "科技局", date(2026, 1, 1), None, by=officer, now=now)
    with refuses(Code.ALREADY_EXISTS, "code"):
        organisations.tag(firm_id, "high_tech", "科技局", date(2026, 1, 1), None, by=officer, now=now)
    with refuses(Code.OUT_OF_ORDER, "valid_to"):
        organisations.end_tag(row.id, date(2025, 12, 31), by=officer, now=now)
    with refuses(Code.NOT_FOUND):
        organisations.end_tag(row.id, date(2026, 12, 31), by=away, now=now)
    organisations.end_tag(row.id, date(2026, 12, 31), by=officer, now=now)
    # The last day counts.
    assert [tag.code for tag in organisations.list_tags(firm_id, date(2026, 12, 31))] == ["high_tech"]
    assert organisations.list_tags(firm_id, date(2027, 1, 1)) == []
    assert organisations.list_tags(firm_id, date(2025, 12, 31)) == []


def test_only_an_officer_records_who_controls_a_member(app: Flask, now: datetime, refuses: Refusing) -> None:
    officer, bank = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    assert bank.organisation_id is not None
    with refuses(Code.NOT_ALLOWED):
        organisations.record_controller(bank.organisation_id, "张三", by=bank, now=now)
    with refuses(Code.TOO_LONG, "controller"):
        organisations.record_controller(bank.organisation_id, "张" * 121, by=officer, now=now)
    away = make_officer(now=now, zone_id=make_zone(now=now).id)
    with refuses(Code.NOT_FOUND):
        organisations.record_controller(bank.organisation_id, "张三", by=away, now=now)
    for name, stored in ((" 张三 ", "张三"), ("", None)):
        row = organisations.record_controller(bank.organisation_id, name, by=officer, now=now)
        assert row.controller == stored
    entries = audit.list_entries("organisations", bank.organisation_id)
    assert [e.details for e in entries if e.action == "organisation.controller"] == [
        {"controller": "张三"},
        {"controller": None},
    ]
