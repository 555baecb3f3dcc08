"""The pages of the loan book: a deal's record, changes seen before they are recorded, lists, files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.lending_vocabulary import LoanEventKind
from market.party import Party
from market.party import clock as zone_clock
from market.vocabulary import Capability, LoanState, OrganisationKind
from models.base import db
from models.loan import Loan
from models.organisation import Organisation
from services import drawdowns, loan_changes, nightly
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    forget_request,
    make_deal,
    make_stall,
    read_text,
    sign_in,
)
from tests.factories import make_officer, make_party
from tests.services.test_path import make_drawn_contract_loan

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

#: When the people of these tests look: the first line of the schedule is a few weeks overdue.
LATE = datetime(2027, 1, 12, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def hour(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock where something is overdue and let forms in without a token."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: LATE)


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm with two people, two banks and a lessor."""
    return make_stall(now)


@pytest.fixture
def loan(stall: Stall, now: datetime, sealer: Sealer) -> Loan:
    """A loan of a million that the nightly pass found overdue."""
    _, loan, _ = make_deal(stall, now, sealer)
    nightly.look(loan.zone_id, by=zone_clock(loan.zone_id), now=LATE)
    return loan


@pytest.fixture
def bank(stall: Stall, loan: Loan) -> Party:
    """The bank that lends."""
    return next(bank for bank, _ in stall.banks if bank.organisation_id == loan.lender_id)


def read(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, (answer.status_code, page[:2000])
    assert find_foreign(page, "en") == []
    return read_text(page)


def list_kinds(loan: Loan) -> list[LoanEventKind]:
    db.session.expire_all()
    return [event.kind for event in db.session.get_one(Loan, loan.id).events]


def test_a_change_is_seen_in_the_schedule_before_it_is_recorded_and_can_be_taken_back(
    stall: Stall, loan: Loan, bank: Party, client: FlaskClient
) -> None:
    address = f"/deals/{loan.id}/change"
    sign_in(client, bank)
    page = read(client, f"/deals/{loan.id}")
    for told in ("Special mention", "Double entries", "Sum of all accounts", "Change the deal"):
        assert told in page
    assert "Preview" in read(client, f"{address}?kind=charge")
    typed = {"kind": "charge", "on": "2027-01-10", "amount": "500", "evidence": "Letter of the bank"}
    wrong = client.post(address, data={**typed, "amount": "five"})
    assert wrong.status_code == 422 and "Letter of the bank" in wrong.text and "five" in wrong.text
    seen = client.post(address, data={**typed, "step": "preview"})
    assert seen.status_code == 200 and "Before and after" in seen.text and 'value="record"' in seen.text
    assert list_kinds(loan) == [LoanEventKind.DRAWDOWN]
    assert client.post(address, data={**typed, "evidence": "", "step": "record"}).status_code == 422
    assert client.post(address, data={**typed, "step": "record"}).status_code == 303
    undo = {"kind": "undo", "event": "2", "evidence": "Entered twice", "step": "record"}
    assert "Before and after" in read(client, f"{address}?kind=undo&event=2")
    assert client.post(address, data=undo).status_code == 303
    assert list_kinds(loan) == [LoanEventKind.DRAWDOWN, LoanEventKind.CHARGE, LoanEventKind.UNDO]
    assert client.post(address, data=undo).status_code == 409
    assert "taken back on 2027-01-12" in read(client, f"/deals/{loan.id}")
    for nonsense in ("kind=receipt", "kind=undo&event=99"):
        assert client.get(f"{address}?{nonsense}").status_code == 404
    rival = next(other for other, _ in stall.banks if other != bank)
    sign_in(client, rival)
    assert client.get(f"{address}?kind=charge").status_code == 404

    sign_in(client, stall.maker)
    page = read(client, f"/deals/{loan.id}")
    assert "Entered twice" in page and "Special mention" in page
    assert "Double entries" not in page and "Change the deal" not in page
    assert client.get(f"{address}?kind=charge").status_code == 403


def test_a_portfolio_is_filtered_aged_and_exported(
    stall: Stall, loan: Loan, bank: Party, now: datetime, client: FlaskClient
) -> None:
    named = f"Deal {loan.id}"
    sign_in(client, bank)
    for query, is_there in (
        ("", True),
        ("bucket=d1_30&class=special_mention&kind=loan&state=drawn&q=Test", True),
        ("bucket=d31_60", False),
        ("class=normal", False),
        ("kind=lease", False),
        ("q=nobody", False),
    ):
        page = read(client, f"/deals?{query}")
        assert (named in page) is is_there, query
        # The ageing shows all that is out, whatever the filter of lateness.
        assert "Ageing of what is out" in page
    row = client.get("/deals?export=csv").get_data(as_text=True).splitlines()[1]
    assert row.startswith(f"{loan.id},Loan,") and ",Special mention," in row
    sign_in(client, stall.maker)
    assert "Ageing of what is out" not in read(client, "/deals")

    sign_in(client, make_officer(now=now))
    page = client.get("/overdue").get_data(as_text=True)
    assert f'/deals/{loan.id}"' in page and "2026-12-2" in page
    assert f'/deals/{loan.id}"' not in client.get("/overdue?bucket=d91_180").get_data(as_text=True)
    assert client.get("/overdue?export=xlsx").data[:2] == b"PK"


def test_a_drawdown_on_a_contract_waits_on_the_desk_for_the_second_person(
    app: Flask, now: datetime, sealer: Sealer, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bank, _, _, loan, later = make_drawn_contract_loan(now, sealer)
    # Paid out by mistake and taken back: it can be drawn anew, in tranches.
    then = later + timedelta(days=2)
    monkeypatch.setattr(clock, "read", lambda zone=None: then)
    loan_changes.undo(loan.events[0].id, "打错", by=bank, now=then)
    own = db.session.get_one(Organisation, loan.lender_id)
    second = make_party(OrganisationKind.BANK, now=now, organisation=own)
    sign_in(client, bank)
    deal = f"/deals/{loan.id}"
    typed = {"drawn_on": "2026-11-24", "draw_amount": "3,000,000", "draw_evidence": "PO-7"}
    too_much = client.post(f"{deal}/drawdown", data={**typed, "draw_amount": "8000000"})
    assert too_much.status_code == 422 and "8000000" in too_much.text
    assert client.post(f"{deal}/drawdown", data=typed).status_code == 303
    waiting = drawdowns.find_waiting(loan.id)
    assert waiting is not None and waiting.amount == 300_000_000
    assert f"{deal}/drawdown/confirm" not in client.get(deal).text
    seen = {"drawdown_id": str(waiting.id)}
    assert client.post(f"{deal}/drawdown/confirm", data=seen).status_code == 403
    sign_in(client, second)
    assert "drawdown" in client.get("/opportunities").text
    assert "PO-7" in client.get(deal).text and "waits for you" in client.get("/deals").text
    assert client.post(f"{deal}/drawdown/refuse", data=seen).status_code == 422
    assert client.post(f"{deal}/drawdown/confirm", data={"drawdown_id": "999"}).status_code == 404
    assert client.post(f"{deal}/drawdown/confirm", data=seen).status_code == 303
    forget_request()
    db.session.expire_all()
    drawn = db.session.get_one(Loan, loan.id)
    assert (drawn.state, drawn.drawn, drawdowns.count_left(drawn)) == (
        LoanState.DRAWN,
        300_000_000,
        400_000_000,
    )
    assert second.may(Capability.INSTITUTION_APPROVER)
    assert client.post(f"{deal}/release", data={"release_evidence": "来函"}).status_code == 303
    assert drawdowns.count_left(db.session.get_one(Loan, loan.id)) == 0
