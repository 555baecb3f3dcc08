"""Award notices and intentions: who is told what, once, and who is told nothing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from flask import Flask
from sqlalchemy import func, select

from market.calendar import local_date
from market.errors import Code, Invalid
from market.party import Party
from market.procurement_vocabulary import NoticeKind, ProcurementObject
from market.vocabulary import OrganisationKind, ProductFamily, SizeClass
from models.base import db, transaction
from models.notice import Notice
from models.organisation import Organisation
from models.procurement import AwardNotice
from services import award_notices, intentions, notices, organisations
from services.exchange import intention_rows
from tests.factories import (
    MILLION,
    default_zone_id,
    make_credit_code,
    make_officer,
    make_organisation,
    make_party,
    make_product,
)
from tests.services.conftest import Refusing


def lend_on_contracts(now: datetime) -> Party:
    bank = make_party(OrganisationKind.BANK, now=now)
    make_product(bank, now=now, family=ProductFamily.CONTRACT, contract_ratio=Decimal("0.7"))
    return bank


def code_of(party: Party) -> str:
    return db.session.get_one(Organisation, party.organisation_id).credit_code


def told(party: Party) -> list[NoticeKind]:
    return [notice.kind for notice in notices.list_for(party)]


def entry(now: datetime, code: str | None, **values: object) -> award_notices.Entry:
    usual = {"project_number": "P-1", "supplier_name": "某公司", "published_on": local_date(now)}
    return award_notices.Entry(**{**usual, "supplier_code": code, "price": 3 * MILLION, **values})  # type: ignore[arg-type]


def test_an_award_notice_reaches_the_firm_it_names_and_lenders_learn_no_name(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    officer, firm, other = make_officer(now=now), make_party(now=now), make_party(now=now)
    bank, idle = lend_on_contracts(now), make_party(OrganisationKind.BANK, now=now)
    code = code_of(firm)
    row = award_notices.enter(entry(now, f" {code.lower()} "), by=officer, now=now)
    assert (row.supplier_code, row.supplier_id) == (code, firm.organisation_id)
    assert told(firm) == [NoticeKind.AWARD_NOTICE]
    assert told(other) == told(idle) == []
    (seen,) = notices.list_for(bank)
    assert (seen.kind, seen.details) == (NoticeKind.AWARDS_OF_DAY, {"published_on": "2026-11-20"})
    assert award_notices.list_for(firm) == award_notices.list_for(officer) == [row]
    assert award_notices.list_for(bank) == award_notices.list_for(other) == []
    with transaction() as session:
        assert award_notices.announce(session, [session.merge(row)], now=now) == 1
    assert db.session.scalar(select(func.count(Notice.id))) == 2
    with refuses(Code.ALREADY_EXISTS, "project_number"):
        award_notices.enter(entry(now, code), by=officer, now=now)
    with refuses(Code.BAD_CREDIT_CODE, "supplier_code"):
        award_notices.enter(entry(now, "91990000MA0000000X", package_number="2"), by=officer, now=now)
    with refuses(Code.NOT_ALLOWED):
        award_notices.enter(entry(now, code, package_number="3"), by=bank, now=now)


def test_a_firm_that_comes_later_is_told_of_what_named_it_before(app: Flask, now: datetime) -> None:
    code = make_credit_code()
    award_notices.enter(entry(now, code), by=make_officer(now=now), now=now)
    row = organisations.register(
        OrganisationKind.ENTERPRISE, code, "后来企业", zone_id=default_zone_id(), now=now
    )
    firm = make_party(now=now, organisation=row)
    assert told(firm) == [NoticeKind.AWARD_NOTICE]
    assert db.session.scalars(select(AwardNotice.supplier_id)).one() == row.id


def intend(now: datetime, **values: object) -> intentions.Entry:
    usual = {
        "title": "智慧园区平台",
        "object": ProcurementObject.SERVICES,
        "expected_month": date(2027, 1, 15),
        "published_on": local_date(now),
        "purchaser_name": "市大数据局",
        "budget": 8 * MILLION,
    }
    return intentions.Entry(**{**usual, **values})  # type: ignore[arg-type]


def test_an_intention_reaches_the_firms_it_is_for_and_the_lenders_on_contracts(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    officer, bank = make_officer(now=now), lend_on_contracts(now)
    same = make_party(now=now, industry="I65", size_class=SizeClass.SMALL)
    large = make_party(now=now, industry="I65", size_class=SizeClass.LARGE)
    watching, tagged, other = (make_party(now=now, industry="A01") for _ in range(3))
    intentions.set_watch([], ["平台", "平台 "], by=watching, now=now)
    number = tagged.organisation_id or 0
    organisations.tag(number, "DSMM", "市大数据局", date(2026, 1, 1), None, by=officer, now=now)
    asked = intend(now, industry="I65", tags=("DSMM",), is_reserved=True)
    row = intentions.enter(asked, by=officer, now=now)
    assert row.expected_month == date(2027, 1, 1)
    reasons = {
        party.organisation_id: [notice.details.get("reasons") for notice in notices.list_for(party)]
        for party in (same, large, watching, tagged, other, bank)
    }
    assert list(reasons.values()) == [[["industry"]], [], [["keyword"]], [["tag"]], [], [None]]
    with refuses(Code.ALREADY_EXISTS, "title"):
        intentions.enter(asked, by=officer, now=now)
    with refuses(Code.OUT_OF_ORDER, "expected_month"):
        intentions.enter(intend(now, expected_month=date(2026, 10, 1)), by=officer, now=now)
    with refuses(Code.TOO_LONG, "keywords"):
        intentions.set_watch([], ["长" * 41], by=watching, now=now)


def test_a_purchaser_enters_its_own_intentions_only(app: Flask, now: datetime) -> None:
    organisation = make_organisation(OrganisationKind.PURCHASER, now=now, name="采购中心")
    purchaser = make_party(now=now, organisation=organisation)
    row = intentions.enter(intend(now, purchaser_name="别的单位"), by=purchaser, now=now)
    assert (row.purchaser_id, row.purchaser_name) == (organisation.id, "采购中心")


def test_a_table_as_official_notices_write_it_is_read_row_by_row(app: Flask, now: datetime) -> None:
    officer, today = make_officer(now=now), local_date(now)
    text = (
        "﻿采购单位,采购项目名称,采购需求概况,预算金额（万元）,预计采购时间(填写到月),采购类别,是否专门面向中小企业\n"
        "市一中,实验室设备,光学平台,１２０.５,2027年1月,货物,是\n"
        "市一中,,光学平台,120,2027-02,货物,否\n"
        "市二中,操场翻修,,abc,2027-13,工程,否\n"
        "市一中,实验室设备,,1,2027-01,货物,是\n"
    )
    done = intentions.load(intention_rows.read_csv(text, today=today), by=officer, now=now)
    assert (done.added, done.known) == (1, 1)
    assert {
        number: sorted((fault.code, fault.field) for fault in faults)
        for number, faults in done.refused.items()
    } == {
        2: [(Code.REQUIRED, "title")],
        3: [(Code.NOT_A_DATE, "expected_month"), (Code.NOT_A_NUMBER, "budget_wan")],
    }
    (row,) = intentions.list_for(officer)
    assert (row.budget, row.is_reserved, row.expected_month) == (120_500_000, True, date(2027, 1, 1))
    try:
        intention_rows.read_csv("a,b\n1,2\n", today=today)
    except Invalid as error:
        assert error.faults[0].code is Code.WRONG_COLUMNS
    else:
        raise AssertionError("columns that nobody knows were taken")


def test_notices_are_read_by_whom_they_are_for(app: Flask, now: datetime, refuses: Refusing) -> None:
    officer, firm, other = make_officer(now=now), make_party(now=now), make_party(now=now)
    for number in ("P-1", "P-2", "P-3"):
        award_notices.enter(entry(now, code_of(firm), project_number=number), by=officer, now=now)
    first, *_ = notices.list_for(firm)
    assert notices.count_unread(firm) == 3
    with refuses(Code.NOT_FOUND):
        notices.mark_read(first.id, by=other, now=now)
    assert notices.mark_read(first.id, by=firm, now=now).read_by == firm.user_id
    assert [row.id for row in notices.list_for(firm, unread=True)] == [first.id - 1, first.id - 2]
    assert notices.mark_all_read(by=firm, now=now) == 2
    assert (notices.count_unread(firm), notices.count_unread(other)) == (0, 0)
    assert [row.id for row in notices.list_after(first.id - 2)] == [first.id - 1, first.id]
