"""Questions: asked before the close, answered to all bidders alike, and nobody learns who asked."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from market.bidding_vocabulary import Visibility
from market.errors import Code
from market.party import Party
from market.vocabulary import Capability, OrganisationKind
from models.base import db
from models.need import Audience, Question
from services import admissions, audit, desk, needs, questions
from tests.factories import make_need, make_officer, make_organisation, make_party
from tests.services.conftest import Refusing


def bank(now: datetime) -> Party:
    return make_party(OrganisationKind.BANK, now=now)


def read(need_id: int, by: Party) -> list[tuple[str, str | None]]:
    return [(asked.text, asked.answer) for asked in questions.list_for(need_id, by=by)]


def test_question_and_answer_reach_all_bidders_alike_and_wait_for_the_firm_first(
    app: Flask, now: datetime
) -> None:
    firm, asker, rival = make_party(now=now), bank(now), bank(now)
    watchers = [make_officer(now=now), make_party(OrganisationKind.AGENCY, now=now)]
    need = make_need(firm, now=now)
    questions.ask(need.id, " 设备是否已经到货？ ", by=asker, now=now)
    waiting = [("设备是否已经到货？", None)]
    assert read(need.id, firm) == read(need.id, asker) == waiting
    assert all(read(need.id, other) == [] for other in (rival, *watchers))
    assert questions.count_waiting(firm, now) == {need.id: 1}
    assert dict(desk.read(by=firm, now=now).questions) == {need.id: 1}
    (asked,) = questions.list_for(need.id, by=firm)
    assert asked.id is not None
    questions.answer(need.id, asked.id, "已到货。", by=firm, now=now)
    answered = [("设备是否已经到货？", "已到货。")]
    assert all(read(need.id, party) == answered for party in (firm, asker, rival, *watchers))
    assert questions.count_waiting(firm, now) == {}


def test_nobody_can_tell_who_asked(app: Flask, now: datetime) -> None:
    firm, rival, officer = make_party(now=now), bank(now), make_officer(now=now)
    auditor = make_party(OrganisationKind.AGENCY, now=now)
    need = make_need(firm, now=now)
    seen: list[list[dict[str, Any]]] = []
    for _ in range(2):
        asker = bank(now)
        db.session.query(Question).delete()
        db.session.commit()
        questions.ask(need.id, "交货期？", by=asker, now=now)
        (asked,) = questions.list_for(need.id, by=firm)
        assert asked.id is not None
        questions.answer(need.id, asked.id, "三十天。", by=firm, now=now)
        others = (firm, rival, officer, auditor)
        views = [asdict(row) for by in others for row in questions.list_for(need.id, by=by)]
        assert [row.own for row in questions.list_for(need.id, by=asker)] == [True]
        entries = [
            (entry.action, entry.user_id, entry.organisation_id, json.dumps(entry.details))
            for entry in audit.list_entries("needs", need.id)
            if entry.action == "need.question"
        ]
        assert entries and all(entry[1:3] == (None, None) for entry in entries)
        assert not audit.list_entries("questions", asked.id)
        # Only the number by which the firm answers differs from one asker to the other.
        seen.append([{**view, "id": view["id"] is not None} for view in views])
    assert seen[0] == seen[1]
    assert [view["id"] for view in seen[0]] == [True, False, False, False]
    assert not any(view["own"] for view in seen[0])


def test_questions_and_answers_end_with_the_bid_round(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm, asker = make_party(now=now), bank(now)
    need = make_need(firm, now=now, closes_in=timedelta(hours=2))
    questions.ask(need.id, "最后一分钟？", by=asker, now=now + timedelta(minutes=119))
    (asked,) = questions.list_for(need.id, by=firm)
    assert asked.id is not None
    close = now + timedelta(hours=2)
    with refuses(Code.TOO_LATE):
        questions.ask(need.id, "迟了？", by=asker, now=close)
    with refuses(Code.TOO_LATE):
        questions.answer(need.id, asked.id, "迟了。", by=firm, now=close)
    assert questions.count_waiting(firm, close) == {}
    assert read(need.id, asker) == [("最后一分钟？", None)]


def test_only_who_may_see_and_bid_asks_and_only_the_firm_answers_once(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, asker = make_party(now=now), bank(now)
    need, draft = make_need(firm, now=now), make_need(firm, now=now, closes_in=None)
    approver = make_party(OrganisationKind.BANK, [Capability.INSTITUTION_APPROVER], now=now)
    stranger = make_party(now=now)
    unknown = make_organisation(OrganisationKind.BANK, now=now, admitted=False)
    for by, need_id, code in (
        (firm, need.id, Code.NOT_ALLOWED),
        (approver, need.id, Code.NOT_ALLOWED),
        (make_officer(now=now), need.id, Code.NOT_ALLOWED),
        (asker, draft.id, Code.NOT_FOUND),
        (make_party(now=now, organisation=unknown), need.id, Code.NOT_ADMITTED),
    ):
        with refuses(code):
            questions.ask(need_id, "问？", by=by, now=now)
    for text, code in ((" ", Code.REQUIRED), ("问" * 501, Code.TOO_LONG)):
        with refuses(code, "question"):
            questions.ask(need.id, text, by=asker, now=now)
    questions.ask(need.id, "问" * 500, by=asker, now=now)
    (asked,) = questions.list_for(need.id, by=firm)
    assert asked.id is not None
    other = make_need(firm, now=now)
    for by, need_id, text, code in (
        (asker, need.id, "答。", Code.NOT_ALLOWED),
        (stranger, need.id, "答。", Code.NOT_FOUND),
        (firm, other.id, "答。", Code.NOT_FOUND),
        (firm, need.id, "答" * 1001, Code.TOO_LONG),
    ):
        with refuses(code):
            questions.answer(need_id, asked.id, text, by=by, now=now)
    questions.answer(need.id, asked.id, "答" * 1000, by=firm, now=now)
    with refuses(Code.ILLEGAL_MOVE):
        questions.answer(need.id, asked.id, "改口。", by=firm, now=now)
    admissions.suspend(int(asker.organisation_id or 0), "缘由", by=make_officer(now=now), now=now)
    with refuses(Code.SUSPENDED):
        questions.ask(need.id, "再问？", by=asker, now=now)


def test_a_need_shown_to_others_takes_no_question_and_shows_none(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, chosen, rival = make_party(now=now), bank(now), bank(now)
    need = make_need(
        firm, now=now, visibility=Visibility.CHOSEN, audience=(int(chosen.organisation_id or 0),)
    )
    assert db.session.query(Audience).count() == 1
    questions.ask(need.id, "问？", by=chosen, now=now)
    with refuses(Code.NOT_FOUND):
        questions.ask(need.id, "问？", by=rival, now=now)
    with refuses(Code.NOT_FOUND):
        questions.list_for(need.id, by=rival)
    assert needs.find(need.id, by=chosen).id == need.id
    with pytest.raises(Exception, match="not_found"):
        questions.find(need.id, 10**6, by=firm)
