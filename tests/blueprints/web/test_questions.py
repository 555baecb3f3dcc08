"""Questions on the pages of a need: asked and answered there, the asker hidden from all."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.party import Party
from market.vocabulary import OrganisationKind
from services import questions
from tests.blueprints.web.market_stall import (
    CLOSES_IN,
    Stall,
    find_foreign,
    forget_request,
    make_stall,
    read_text,
    sign_in,
)
from tests.factories import make_need, make_officer, make_party

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def hour(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The clock of a test, and forms without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    hour = [now]
    monkeypatch.setattr(clock, "read", lambda zone=None: hour[0])
    return hour


@pytest.fixture
def stall(hour: list[datetime], now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


def see(client: FlaskClient, party: Party, address: str, language: str = "en") -> str:
    sign_in(client, party, language)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.text


def test_a_question_goes_to_the_firm_and_its_answer_to_all(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now)
    (asker, _), (rival, _) = stall.banks
    opportunity, own = f"/opportunities/{need.id}", f"/needs/{need.id}"
    sign_in(client, asker)
    refused = client.post(f"{opportunity}/questions", data={"question": "长" * 501})
    assert refused.status_code == 422 and "长" * 501 in refused.text
    assert client.post(f"{opportunity}/questions", data={"question": "设备到货了吗？"}).status_code == 303
    assert "asked by you" in see(client, asker, opportunity)
    assert "设备到货了吗" not in see(client, rival, opportunity)
    officer = make_officer(now=now)
    assert "设备到货了吗" not in see(client, officer, f"/board/needs/{need.id}")
    assert "1 question waits for your answer" in read_text(see(client, stall.maker, "/enterprise"))
    page = see(client, stall.maker, own)
    assert "First bank" not in page and "第一银行" not in page
    found = re.search(rf'action="({own}/questions/\d+)"', page)
    assert found is not None
    number = found[1].rsplit("/", 1)[1]
    refused = client.post(found[1], data={f"answer-{number}": " "})
    assert refused.status_code == 422 and "设备到货了吗" in refused.text
    assert client.post(found[1], data={f"answer-{number}": "已到货。"}).status_code == 303
    forget_request()
    again = client.post(found[1], data={f"answer-{number}": "改口。"})
    assert again.status_code == 409 and "改口" not in read_text(again.text)
    auditor = make_party(OrganisationKind.AGENCY, now=now)
    for party, address in (
        (asker, opportunity),
        (rival, opportunity),
        (stall.maker, own),
        (officer, f"/board/needs/{need.id}"),
        (auditor, f"/board/needs/{need.id}"),
    ):
        page = see(client, party, address)
        assert "设备到货了吗？" in page and "已到货。" in page
        assert ("asked by you" in page) is (party is asker)
    assert "waits for your answer" not in see(client, stall.maker, "/enterprise")


def test_after_the_close_there_is_neither_form_nor_question(
    client: FlaskClient, stall: Stall, now: datetime, hour: list[datetime]
) -> None:
    need = make_need(stall.maker, now=now, closes_in=CLOSES_IN)
    (asker, _), _ = stall.banks
    questions.ask(need.id, "来得及吗？", by=asker, now=now)
    assert f"/opportunities/{need.id}/questions" in see(client, asker, f"/opportunities/{need.id}")
    hour[0] = now + CLOSES_IN
    page = see(client, asker, f"/opportunities/{need.id}")
    assert f"/opportunities/{need.id}/questions" not in page and "Not answered before the close." in page
    late = client.post(f"/opportunities/{need.id}/questions", data={"question": "迟了？"})
    assert late.status_code == 409
    page = see(client, stall.maker, f"/needs/{need.id}")
    assert f"/needs/{need.id}/questions/" not in page and "来得及吗？" in page
    assert "waits for your answer" not in see(client, stall.maker, "/enterprise")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_parts_are_complete_in_both_languages(
    client: FlaskClient, stall: Stall, now: datetime, language: str
) -> None:
    need = make_need(stall.maker, now=now)
    (asker, _), _ = stall.banks
    for text in ("1?", "2?"):
        questions.ask(need.id, text, by=asker, now=now)
    first = questions.list_for(need.id, by=stall.maker)[0]
    questions.answer(need.id, int(first.id or 0), "3", by=stall.maker, now=now)
    officer = make_officer(now=now)
    for party, address in (
        (stall.maker, f"/needs/{need.id}"),
        (asker, f"/opportunities/{need.id}"),
        (officer, f"/board/needs/{need.id}"),
    ):
        page = see(client, party, address, language)
        part = re.search(r'(?s)<section class="card" id="questions">.*?</section>', page)
        assert part is not None, address
        assert not find_foreign(part[0], language), address
    page = see(client, stall.maker, "/enterprise", language)
    item = re.search(r"(?s)<li[^>]*>(?:(?!</li>).)*#questions.*?</li>", page)
    assert item is not None and not find_foreign(item[0], language)
