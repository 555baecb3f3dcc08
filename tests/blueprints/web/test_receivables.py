"""Pages of receivables: entered, confirmed and offered, each role seeing its own."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from market.receivable_vocabulary import ReceivableState
from market.vocabulary import NeedState, OrganisationKind
from models.base import db
from models.need import Need
from models.organisation import Organisation
from models.receivable import Receivable
from tests.blueprints.web.market_stall import sign_in
from tests.factories import MILLION, make_need, make_officer, make_party, make_product
from tests.services.test_path import make_contract_path
from tests.services.test_receivables import make_receivable

INVOICE = "26370000000001234567"


def read_name(party: object) -> str:
    return db.session.get_one(Organisation, party.organisation_id).name_zh  # type: ignore[attr-defined]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invoice_is_entered_asked_for_confirmed_and_offered_on_pages(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, debtor, stranger = make_party(now=now), make_party(now=now), make_party(now=now)
    code = db.session.get_one(Organisation, debtor.organisation_id).credit_code
    sign_in(client, firm, "en")
    typed = {"2_invoice_number": INVOICE, "2_contract_number": "HT-1", "2_debtor_code": code}
    refused = client.post("/receivables/new", data=typed | {"2_amount": "100"})
    assert refused.status_code == 422 and 'value="HT-1"' in refused.text
    days = {"2_issued_on": "2026-11-02", "2_due_on": "2027-06-30"}
    wrong = client.post(
        "/receivables/new", data=typed | days | {"2_amount": "6000000", "2_due_on": "2026-11-01"}
    )
    assert wrong.status_code == 422 and db.session.scalar(select(Receivable)) is None
    assert client.post("/receivables/new", data=typed | days | {"2_amount": "6000000"}).status_code == 303
    (row,) = db.session.scalars(select(Receivable))
    address = f"/receivables/{row.id}"
    assert client.post(f"{address}/request").status_code == 303
    for party, language in ((firm, "zh"), (debtor, "en"), (make_officer(now=now), "en")):
        sign_in(client, party, language)
        assert INVOICE in client.get("/receivables").text
        assert INVOICE in client.get(address).text
    sign_in(client, stranger)
    assert client.get(address).status_code == 404
    assert INVOICE not in client.get("/receivables").text
    sign_in(client, debtor, "en")
    assert client.post(f"{address}/refuse", data={"why": ""}).status_code == 422
    assert client.post(f"{address}/confirm").status_code == 303
    assert client.post(f"{address}/paid", data={"paid": "1000000"}).status_code == 303

    sign_in(client, firm, "zh")
    assert INVOICE in client.get("/needs/new").text
    chosen = {"purpose": "working_capital", "receivables": str(row.id), "go": "next"}
    assert client.post("/needs/new", data=chosen).status_code == 303
    stored = client.post("/needs/new/amount", data={"amount": "400", "months": "6", "go": "next"})
    assert stored.status_code == 303
    (need,) = db.session.scalars(select(Need))
    assert [one.id for one in need.receivables] == [row.id]
    assert INVOICE in client.get(f"/needs/{need.id}/edit/review").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_of_invoices_is_read_and_its_faults_are_named_by_row(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm = make_party(now=now)
    sign_in(client, firm, "en")
    heading = "contract_number,invoice_number,debtor_name,amount,issued_on,due_on\n"
    for body, status in (
        ("HT,1,某公司,x,2026-11-01,2027-01-01", 422),
        ("HT,1,某公司,5,2026-11-01,2027-01-01", 303),
    ):
        file = (io.BytesIO((heading + body).encode()), "i.csv")
        answer = client.post("/receivables/new", data={"file": file}, content_type="multipart/form-data")
        assert answer.status_code == status
    (row,) = db.session.scalars(select(Receivable))
    assert (row.debtor_name, row.state, row.amount) == ("某公司", ReceivableState.ENTERED, 500)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_bidders_see_what_stands_behind_a_need_but_no_private_debtor(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    firm, _, _, purchaser, contract = make_contract_path(now)
    private = make_party(now=now)
    public = make_receivable(firm, purchaser, now=now, amount=2 * MILLION)
    other = make_receivable(firm, private, now=now, invoice_number="77001", contract_number="X-9")
    need = make_need(firm, now=now, receivables=[public.id, other.id])
    assert need.state is NeedState.OPEN
    bank = make_party(OrganisationKind.BANK, now=now)
    make_product(bank, now=now)
    for language in ("zh", "en"):
        sign_in(client, bank, language)
        shown = client.get(f"/opportunities/{need.id}").text
        assert read_name(purchaser) in shown
        for hidden in (read_name(private), "77001", "X-9", public.invoice_number, contract.number):
            assert hidden not in shown
    sign_in(client, firm, "en")
    assert public.invoice_number in client.get(f"/contracts/{contract.id}").text
    assert "77001" in client.get(f"/needs/{need.id}").text
