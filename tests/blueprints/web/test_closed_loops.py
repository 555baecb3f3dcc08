"""Pages of deals closed elsewhere, bridge loans and compensation claims: each side does its part."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints import clock
from market.calendar import local_date
from market.lending_vocabulary import DealKind
from market.party import Party
from market.vocabulary import LimitScope, LoanState, OrganisationKind
from models.base import db
from models.claim import CompensationClaim
from models.loan import Loan
from services import bridge_rules, limit_settings, zones
from services.sealing import Sealer
from tests.blueprints.web.market_stall import sign_in
from tests.blueprints.web.test_contracts import set_clock
from tests.factories import MILLION, make_officer, make_party
from tests.services.test_compensation_claims import LATE, NEXT, make_deal
from tests.services.test_direct_deals import code_of
from tests.services.test_guarantees import own

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Person:
    """Somebody at the pages; what is sent follows where it leads."""

    def __init__(self, client: FlaskClient, party: Party, language: str = "en") -> None:
        self.client = client
        sign_in(client, party, language)

    def look(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        return answer.get_data(as_text=True)

    def send(self, address: str, status: int = 200, **values: str) -> TestResponse:
        answer = self.client.post(address, data=values, follow_redirects=True)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer


def read_day(zone_id: int, days: int = 0) -> str:
    """Return the day that the zone's clock shows, or some days later."""
    return (local_date(clock.read(zones.find(zone_id))) + timedelta(days=days)).isoformat()


def newest() -> Loan:
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(Loan).order_by(Loan.id.desc()).limit(1).one()


def test_a_bridge_goes_round_on_the_pages(app: Flask, client: FlaskClient, now: datetime) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    fund = make_party(OrganisationKind.BRIDGE_PLATFORM, now=now)
    limit_settings.set_limit(own(fund), LimitScope.TOTAL, 4 * MILLION, by=fund, now=now)
    set_clock(now, firm.zone_id)
    today = read_day(firm.zone_id)
    lender = Person(client, fund)
    asked = {"borrower": code_of(firm), "amount": "200", "days": "7", "rate": "0.03", "evidence": "合同 1"}
    assert "at most" in lender.send("/direct-deals/new", 422, **asked, penalty_rate="20").get_data(
        as_text=True
    )
    lender.send("/direct-deals/new", **asked, grace_days="0")
    loan_id = newest().id
    borrower = Person(client, firm, "zh")
    assert "200" in borrower.look("/direct-deals")
    borrower.send(f"/direct-deals/{loan_id}/decision", decision="confirm")
    assert newest().state is LoanState.APPROVED
    lender = Person(client, fund)
    assert "no commitment yet" in lender.look("/bridges")
    commitment = {"promised": "300", "promised_by": read_day(firm.zone_id, 10), "maturing_reference": "JK-9"}
    wrong = lender.send(
        f"/bridges/{loan_id}/commitment", 422, bank="x", account="6222 01", evidence="函", **commitment
    )
    assert "not a unified social credit code" in wrong.get_data(as_text=True)
    lender.send(
        f"/bridges/{loan_id}/commitment", bank=code_of(bank), account="6222 01", evidence="函", **commitment
    )
    lender.send(f"/bridges/{loan_id}/drawdown", 422, drawn_on=today, payee_account="6222 02")
    lender.send(f"/bridges/{loan_id}/drawdown", drawn_on=today, payee_account="6222-01")
    lender.send(f"/bridges/{loan_id}/return", amount="2000000", paid_on=today, reference="XD-1")
    assert newest().state is LoanState.REPAID
    assert "0.50 times" in lender.look("/bridges")
    assert "XD" not in Person(client, bank).look("/bridges")
    officer = Person(client, make_officer(now=now))
    officer.look(f"/bridges/{loan_id}")
    assert "Closed off the platform" in officer.look("/board")
    officer.look("/board/deals?figure=elsewhere")
    officer.look("/board/deals?figure=elsewhere&export=csv")
    rule = {"from_on": today, "most_share": "90", "most_days": "5", "source": "本区办法"}
    officer.send("/bridges/rules", **rule)
    assert bridge_rules.find(firm.zone_id, date.fromisoformat(today)).most_share == Decimal("0.9")


@pytest.mark.parametrize(
    ("kind", "lender", "values"),
    [
        (DealKind.LOAN, OrganisationKind.BANK, {"months": "12", "rate": "4", "repayment": "revolving"}),
        (
            DealKind.FACTORING,
            OrganisationKind.BANK,
            {"days": "90", "rate": "5", "face": "250", "advance": "80"},
        ),
        (DealKind.LEASE, OrganisationKind.LESSOR, {"months": "24", "rate": "5", "rent": "arrears"}),
        (DealKind.GUARANTEE, OrganisationKind.INSURER, {"months": "12", "fee": "1"}),
        (DealKind.FUND, OrganisationKind.FUND, {"months": "36"}),
    ],
)
def test_each_kind_of_deal_has_its_form(
    app: Flask,
    client: FlaskClient,
    now: datetime,
    kind: DealKind,
    lender: OrganisationKind,
    values: dict[str, str],
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, party = make_party(now=now), make_party(lender, now=now)
    set_clock(now, firm.zone_id)
    person = Person(client, party, "zh")
    address = f"/direct-deals/new?kind={kind.value}"
    assert "信用代码" in person.look(address) or "credit code" in person.look(address)
    person.send(address, borrower=code_of(firm), amount="200", evidence="合同 1", **values)
    found = newest()
    assert (found.kind, found.principal, found.state) == (kind, 2 * MILLION, LoanState.UNCONFIRMED)
    assert found.is_revolving is (values.get("repayment") == "revolving")
    person.look(f"/deals/{found.id}")
    person.look("/deals")
    # Taken back by whoever recorded it.
    person.send(f"/direct-deals/{found.id}/decision", decision="refuse", why="记错了")
    assert newest().state is LoanState.CANCELLED


def test_a_claim_is_decided_paid_and_recovered_on_the_pages(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    deal = make_deal(now, sealer)
    set_clock(LATE, deal.bank.zone_id)
    guarantor = Person(client, deal.guarantor, "zh")
    terms = f"/shelf/{deal.cover.id}/claim-terms"
    rows = {
        f"{name}_{row}": value
        for row, listed in enumerate((("担保公司", "guarantor", "80"), ("银行", "bank", "10")), 1)
        for name, value in zip(("party", "role", "share"), listed, strict=True)
    }
    guarantor.send(terms, 422, loss_cap="5", **rows)
    guarantor.send(terms, loss_cap="50", claim_after_days="60", **{**rows, "share_2": "20"})
    assert "担保公司" in guarantor.look(terms)
    bank = Person(client, deal.bank)
    bank.look("/claims")
    bank.look(f"/deals/{deal.loan_id}/claim")
    claim = {"amount": "1000000", "basis": "逾期", "evidence": "通知书 7"}
    bank.send(f"/deals/{deal.loan_id}/claim", 422, **{**claim, "amount": "9000000"})
    bank.send(f"/deals/{deal.loan_id}/claim", **claim)
    address = f"/claims/{db.session.query(CompensationClaim).one().id}"
    guarantor = Person(client, deal.guarantor)
    assert "Accept the claim" in guarantor.look(address)
    guarantor.send(f"{address}/decision", decision="accept")
    bank = Person(client, deal.bank)
    bank.look(address)
    db.session.rollback()
    share = next(row for row in db.session.query(CompensationClaim).one().shares if row.place == 0)
    bank.send(
        f"{address}/payments", share_id=str(share.id), paid_on=read_day(deal.bank.zone_id), reference="C1"
    )
    set_clock(NEXT, deal.bank.zone_id)
    bank = Person(client, deal.bank)
    recovery = {"amount": "100000", "recovered_on": read_day(deal.bank.zone_id), "reference": "V1"}
    assert "80,000" in bank.send(f"{address}/recoveries", **recovery).get_data(as_text=True)
    Person(client, deal.guarantor).send(f"{address}/decision", decision="close")
    Person(client, make_officer(now=now)).look("/claims")
