"""Admissions: who is not admitted, suspended or without an agreement neither lists nor bids."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.admission import AdmissionState
from market.calendar import local_date
from market.errors import Code, Conflict
from market.party import Party, clock
from market.vocabulary import BidState, Capability, NeedState, OrganisationKind
from models.base import db
from models.bid import Bid
from models.zone import Membership
from services import admissions, audit, awards, bids, enrolment, opening, products, rounds
from services.sealing import Sealer
from tests.factories import (
    MILLION,
    make_credit_code,
    make_need,
    make_officer,
    make_organisation,
    make_papers,
    make_party,
    make_product,
    make_zone,
    place_bid,
)
from tests.services.conftest import Refusing


def bank_of(now: datetime, *, admitted: bool = True) -> tuple[Party, int]:
    organisation = make_organisation(OrganisationKind.BANK, now=now, admitted=admitted)
    return make_party(now=now, organisation=organisation), organisation.id


def state_of(organisation_id: int, by: Party, now: datetime) -> AdmissionState:
    return admissions.find(organisation_id, by=by, now=now).state


def test_an_institution_lists_and_bids_from_its_admission_to_the_end_of_its_agreement(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    officer, firm = make_officer(now=now), make_party(now=now)
    bank, number = bank_of(now, admitted=False)
    with refuses(Code.NOT_ADMITTED):
        make_product(bank, now=now)
    seat = admissions.admit(number, make_papers(now=now, days=10), by=officer, now=now)
    assert (seat.admitted_by, seat.admitted_at) == (officer.user_id, now)
    product, need = make_product(bank, now=now), make_need(firm, now=now, closes_in=timedelta(days=20))
    last, after = now + timedelta(days=10), now + timedelta(days=11)
    place_bid(need, product, bank, now=last, sealer=sealer)
    with refuses(Code.AGREEMENT_ENDED):
        place_bid(need, product, bank, now=after, sealer=sealer)
    quote = bids.Quote(product.id, 5 * MILLION, 12, now + timedelta(days=60), rate=Decimal("0.04"))
    seen = bids.preview(need.id, quote, by=bank, now=after)
    assert seen.faults[0].code is Code.AGREEMENT_ENDED
    assert seen.faults[0].values == {"until": str(local_date(last))}
    products.set_listed(product.id, False, by=bank, now=after)
    with refuses(Code.AGREEMENT_ENDED):
        products.set_listed(product.id, True, by=bank, now=after)
    admissions.renew(number, make_papers(now=after), by=officer, now=after)
    products.set_listed(product.id, True, by=bank, now=after)
    place_bid(need, product, bank, now=after, sealer=sealer)
    entries = audit.list_entries("memberships", seat.id)
    assert [entry.action for entry in entries] == ["membership.admit", "membership.renew"]
    assert all(entry.user_id == officer.user_id for entry in entries)
    assert entries[1].details["former"] == str(local_date(last))


def test_the_officer_is_told_thirty_days_before_an_agreement_ends_and_after(
    app: Flask, now: datetime
) -> None:
    officer = make_officer(now=now)
    for days in (5, 30, 31, 3650):
        organisation = make_organisation(OrganisationKind.BANK, now=now, admitted=False)
        admissions.admit(organisation.id, make_papers(now=now, days=days), by=officer, now=now)
    make_organisation(OrganisationKind.LESSOR, now=now, admitted=False)
    found = admissions.list_ending(by=officer, now=now)
    assert [(row.days_left, row.state) for row in found] == [
        (5, AdmissionState.ENDING),
        (30, AdmissionState.ENDING),
    ]
    later = admissions.list_ending(by=officer, now=now + timedelta(days=6))
    assert [(row.days_left, row.state) for row in later] == [
        (-1, AdmissionState.ENDED),
        (24, AdmissionState.ENDING),
        (25, AdmissionState.ENDING),
    ]


def test_bids_of_a_suspended_institution_stay_out_of_the_opening_with_the_reason(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    officer, firm = make_officer(now=now), make_party(now=now)
    need = make_need(firm, now=now, minimum_bids=1)
    placed = []
    for rate in ("0.035", "0.04"):
        bank, number = bank_of(now)
        product = make_product(bank, now=now)
        placed.append((number, place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal(rate)).id))
    (barred, cheap), (_, dear) = placed
    admissions.suspend(barred, "被监管部门调查", by=officer, now=now)
    with refuses(Code.ILLEGAL_MOVE):
        admissions.suspend(barred, "再次", by=officer, now=now)
    opening.open_bids(need.id, by=clock(need.zone_id), now=now + timedelta(days=3), sealer=sealer)
    out, first = db.session.get_one(Bid, cheap), db.session.get_one(Bid, dear)
    assert (out.state, out.reason, out.rank, out.amount) == (
        BidState.REFUSED,
        {"code": "suspended"},
        None,
        None,
    )
    assert (first.state, first.rank) == (BidState.LIVE, 1)
    # Reinstating does not bring back what the opening left out.
    admissions.reinstate(barred, by=officer, now=now + timedelta(days=4))
    assert db.session.get_one(Bid, cheap).state is BidState.REFUSED


def test_an_opened_bid_cannot_be_accepted_while_its_institution_is_suspended(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    officer, firm = make_officer(now=now), make_party(now=now)
    bank, number = bank_of(now)
    need = make_need(firm, now=now, minimum_bids=1)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    after = now + timedelta(days=3)
    opening.open_bids(need.id, by=clock(need.zone_id), now=after, sealer=sealer)
    admissions.suspend(number, "被监管部门调查", by=officer, now=after)
    with refuses(Code.OFFER_SUSPENDED):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=after)
    assert rounds.foresee(by=officer, now=after).bids == 0
    admissions.reinstate(number, by=officer, now=after)
    assert rounds.foresee(by=officer, now=after).bids == 1
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=after)
    assert db.session.get_one(Bid, bid.id).state is BidState.WON
    assert need.state is not NeedState.OPEN


def test_admission_is_the_own_zones_officers_alone(app: Flask, now: datetime, refuses: Refusing) -> None:
    bank, number = bank_of(now, admitted=False)
    papers = make_papers(now=now)
    for stranger, code in (
        (bank, Code.NOT_ALLOWED),
        (make_party(now=now), Code.NOT_ALLOWED),
        (make_party(OrganisationKind.AGENCY, now=now), Code.NOT_ALLOWED),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
    ):
        with refuses(code):
            admissions.admit(number, papers, by=stranger, now=now)
    officer, firm = make_officer(now=now), make_organisation(now=now)
    with refuses(Code.WRONG_KIND):
        admissions.admit(firm.id, papers, by=officer, now=now)
    for verb, args in (
        (admissions.renew, (number, papers)),
        (admissions.suspend, (number, "缘由")),
        (admissions.reinstate, (number,)),
    ):
        with refuses(Code.ILLEGAL_MOVE):
            verb(*args, by=officer, now=now)  # type: ignore[operator]
    admissions.admit(number, papers, by=officer, now=now)
    with refuses(Code.ILLEGAL_MOVE):
        admissions.admit(number, papers, by=officer, now=now)
    assert state_of(number, bank, now) is AdmissionState.ADMITTED
    bidder = make_party(OrganisationKind.BANK, [Capability.INSTITUTION_BIDDER], now=now)
    with refuses(Code.NOT_ALLOWED):
        admissions.find(number, by=bidder, now=now)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("licence_number", " ", Code.REQUIRED),
        ("agreement_number", "长" * 61, Code.TOO_LONG),
        ("agreement_until", -1, Code.OUT_OF_ORDER),
    ],
)
def test_papers_that_cannot_be_are_refused_by_name(
    app: Flask, now: datetime, refuses: Refusing, field: str, value: str | int, code: Code
) -> None:
    officer = make_officer(now=now)
    if isinstance(value, int):
        wrong = make_papers(now=now, days=value)
    else:
        wrong = replace(make_papers(now=now), **{field: value})
    _, number = bank_of(now, admitted=False)
    for act in (
        lambda: admissions.admit(number, wrong, by=officer, now=now),
        lambda: enrolment.enrol(
            OrganisationKind.BANK, make_credit_code(), "新行", wrong, by=officer, now=now
        ),
    ):
        with refuses(code, field):
            act()


def test_an_officer_enrols_an_institution_that_is_new_or_that_another_zone_knows(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    officer, papers = make_officer(now=now), make_papers(now=now)
    elsewhere = make_organisation(
        OrganisationKind.BANK, now=now, zone_id=make_zone(now=now).id, name="外区行"
    )
    new = enrolment.enrol(OrganisationKind.LESSOR, make_credit_code(), "新租赁", papers, by=officer, now=now)
    known = enrolment.enrol(OrganisationKind.BANK, elsewhere.credit_code, "别名", papers, by=officer, now=now)
    assert (known.id, known.name_zh) == (elsewhere.id, "外区行")
    for row in (new, known):
        assert state_of(row.id, officer, now) is AdmissionState.ADMITTED
        seat = admissions.find(row.id, by=officer, now=now).seat
        assert seat.admitted_by == officer.user_id
    with refuses(Code.ALREADY_EXISTS, "credit_code"):
        enrolment.enrol(OrganisationKind.BANK, known.credit_code, "别名", papers, by=officer, now=now)
    with refuses(Code.NOT_A_CHOICE, "kind"):
        enrolment.enrol(OrganisationKind.LESSOR, known.credit_code, "别名", papers, by=officer, now=now)
    with refuses(Code.WRONG_KIND):
        enrolment.enrol(OrganisationKind.ENTERPRISE, make_credit_code(), "企", papers, by=officer, now=now)


def test_a_suspension_without_a_reason_is_no_row(app: Flask, now: datetime, refuses: Refusing) -> None:
    officer, (_, number) = make_officer(now=now), bank_of(now)
    for reason, code in ((" ", Code.REQUIRED), ("长" * 301, Code.TOO_LONG)):
        with refuses(code, "reason"):
            admissions.suspend(number, reason, by=officer, now=now)
    admissions.suspend(number, "缘由", by=officer, now=now)
    with pytest.raises(Conflict) as refused:
        admissions.require(db.session(), officer.zone_id, number, local_date(now))
    assert refused.value.faults[0].values == {"why": "缘由"}
    assert (
        db.session.get_one(Membership, admissions.find(number, by=officer, now=now).seat.id).suspended_at
        == now
    )
