"""The file of a deal on its page, as PDF, as a workbook and in the API, in both languages."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from blueprints import clock
from services import users
from services.sealing import Sealer
from tests.blueprints.web.market_stall import forget_request, read_text, sign_in
from tests.factories import MILLION
from tests.services.test_path import make_drawn_contract_loan

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_party_reads_prints_and_exports_the_file_of_its_deal(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    monkeypatch.setattr(clock, "read", lambda zone=None: later)
    sign_in(client, bank)
    assert f"/deals/{loan.id}/file" in client.get(f"/deals/{loan.id}").text
    page = read_text(client.get(f"/deals/{loan.id}/file").text)
    assert "Ladder: Payee account locked" in page and "补充协议 BC-042" in page and "Double entries" in page
    sign_in(client, firm, "zh")
    answer = client.get(f"/deals/{loan.id}/file.pdf")
    assert answer.mimetype == "application/pdf"
    paper = PdfReader(io.BytesIO(answer.data))
    text = "".join("".join(sheet.extract_text().split()) for sheet in paper.pages)
    for words in ("人民币柒佰万元整", contract.number, "补充协议BC-042", loan.origin.bid.receipt_hash[:12]):
        assert words in text
    fonts = [font for sheet in paper.pages for font in (sheet["/Resources"]["/Font"]).values()]
    assert all("NotoSansSC" in str(font.get_object()["/BaseFont"]).replace(" ", "") for font in fonts)
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/deals/{loan.id}/file.xlsx").data))
    entries, postings = (book.get_sheet_by_index(place).to_python() for place in (0, 1))
    assert any("补充协议 BC-042" in row for row in entries)
    assert [row[4] for row in postings[1:]] == [7 * MILLION / 100]
    assert postings[1][0] == date(2026, 11, 23)
    sign_in(client, purchaser)
    assert client.get(f"/deals/{loan.id}/file.pdf").status_code == 404
    forget_request()
    token = users.issue_token("test", by=bank, now=now)[1]
    told = client.get(
        f"/api/v1/loans/{loan.id}/file", headers={"Authorization": f"Bearer {token}"}
    ).get_json()
    assert told["postings"][0]["amount"] == "7000000.00"
    drawn = next(entry for entry in told["entries"] if entry["what"] == "drawdown")
    assert (drawn["amount"], drawn["day"], len(drawn["who"])) == ("7000000.00", "2026-11-23", 2)
