"""The page of imports: a file is sent, every fault of it is shown, and it is stored only on confirmation."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import func, select

from blueprints import clock
from blueprints.documents import contract_template
from market.party import Party
from market.vocabulary import OrganisationKind
from models.base import db
from models.contract import Contract
from models.import_job import ImportJob
from models.procurement import AwardNotice
from tests.blueprints.web.market_stall import read_text, sign_in
from tests.factories import make_organisation, make_party
from tests.procurement import CODE

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FAULTY = f"项目编号,合同编号,供应商,供应商信用代码,总价\nP,C-1,测试,{CODE},5\nP,C-2,测试,{CODE},详见附件\n"


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


@pytest.fixture
def officer(app: Flask, now: datetime) -> Party:
    """An officer of the zone."""
    authority = make_organisation(
        OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office"
    )
    return make_party(now=now, organisation=authority)


def send(client: FlaskClient, content: bytes, name: str) -> str:
    """Send a file; return the address of its import."""
    answer = client.post(f"{address(client)}", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 303
    return answer.location


def address(client: FlaskClient) -> str:
    with client.application.test_request_context():
        return url_for("officer.contract_loans_imports")


def count(kind: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_file_is_looked_at_confirmed_and_stored(app: Flask, officer: Party) -> None:
    client = app.test_client()
    sign_in(client, officer, "en")
    where = send(client, FAULTY.encode(), "合同.csv")
    page = read_text(client.get(where).text)
    assert "1 row is refused" in page
    assert "详见附件" in page and "E3" in page
    assert "an amount such as" in page
    assert count(Contract) == 0
    done = client.post(f"{where}/go", follow_redirects=True)
    assert "1 contract is new" in read_text(done.text)
    assert count(Contract) == 1
    assert "合同.csv" in read_text(client.get(address(client)).text)
    # Confirming twice imports nothing twice.
    assert client.post(f"{where}/go").status_code == 303
    assert count(Contract) == 1


def test_the_template_comes_back_and_a_discarded_file_leaves_nothing(app: Flask, officer: Party) -> None:
    client = app.test_client()
    sign_in(client, officer, "zh")
    book = client.get(f"{address(client)}/template.xlsx")
    assert book.mimetype == contract_template.XLSX
    where = send(client, book.data, "contracts.xlsx")
    assert "测试科技有限公司" in read_text(client.get(where).text)
    client.post(f"{where}/stop")
    assert (count(Contract), db.session.scalars(select(ImportJob)).one().state.value) == (0, "cancelled")
    client.post(f"{send(client, book.data, 'contracts.xlsx')}/go")
    assert (count(Contract), count(AwardNotice)) == (1, 1)
    for name in ("contracts.csv", "notices.csv"):
        assert client.get(f"{address(client)}/{name}").data.startswith(b"\xef\xbb\xbf")


def test_nothing_sent_and_nothing_usable_are_said(app: Flask, officer: Party) -> None:
    client = app.test_client()
    sign_in(client, officer, "en")
    assert client.post(address(client), data={}).status_code == 422
    where = send(client, b"hello", "hello.txt")
    assert "Nothing in this file can be imported" in read_text(client.get(where).text)
