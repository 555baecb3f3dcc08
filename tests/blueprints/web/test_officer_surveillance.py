"""The officer's surveillance page: complete in both languages, with every pattern and without any."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.party import Party
from market.vocabulary import OrganisationKind
from models.base import db
from models.need import EarlyOpening
from models.organisation import Organisation
from services import awards, bids, opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import find_foreign, forget_request, make_stall, sign_in
from tests.factories import make_need, make_organisation, make_party, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

CLOSES_IN = timedelta(days=3)


@pytest.fixture
def officer(app: Flask, now: datetime) -> Party:
    """An officer of the zone."""
    authority = make_organisation(
        OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office"
    )
    return make_party(now=now, organisation=authority)


def make_patterns(now: datetime, sealer: Sealer, officer: Party, other: Party) -> datetime:
    """Hold four biddings that show every pattern; return when they are over."""
    stall = make_stall(now)
    after = now + CLOSES_IN + timedelta(seconds=1)
    for bank, _ in stall.banks:
        db.session.get_one(Organisation, bank.organisation_id).controller = "张三"
    db.session.commit()
    for number in range(4):
        need = make_need(stall.maker, now=now, closes_in=CLOSES_IN)
        for place, (bank, product) in enumerate(stall.banks):
            rate = Decimal("0.04") + (Decimal("0.001") * place if number else 0)
            place_bid(need, product, bank, now=now, sealer=sealer, rate=rate)
        bank, product = stall.banks[1]
        if number == 1:
            last = now + CLOSES_IN - timedelta(seconds=20)
            place_bid(need, product, bank, now=last, sealer=sealer, rate=Decimal("0.0405"))
        opening.open_bids(need.id, by=stall.maker, now=after, sealer=sealer)
        if number:
            best = bids.list_offers(need.id, by=stall.maker)[0]
            award = awards.accept(need.id, best.id, best.receipt_hash, by=stall.maker, now=after)
            awards.confirm(award.id, by=stall.approver, now=after)
    assert officer.user_id is not None and other.user_id is not None
    db.session.add(
        EarlyOpening(
            need_id=need.id,
            reason="系统迁移",
            asked_by=officer.user_id,
            asked_at=now,
            decided_by=other.user_id,
            decided_at=now,
            agreed=True,
        )
    )
    db.session.commit()
    return after


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_complete_in_both_languages(
    client: FlaskClient,
    officer: Party,
    now: datetime,
    sealer: Sealer,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def foreign(page: str) -> list[str]:
        for kept in ("管委会", "高新区", "张三", "系统迁移"):
            page = page.replace(kept, "")
        return find_foreign(page, language)

    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    sign_in(client, officer, language)
    forget_request()
    empty = client.get("/surveillance")
    assert empty.status_code == 200 and foreign(empty.text) == []
    after = make_patterns(now, sealer, officer, make_party(now=now))
    monkeypatch.setattr(clock, "read", lambda zone=None: after)
    forget_request()
    full = client.get("/surveillance?days=30")
    assert full.status_code == 200 and foreign(full.text) == []
    for section in ("identical", "seconds", "late", "controllers", "openings"):
        part = full.text.split(f'id="{section}"')[1].split("</section>")[0]
        assert "<table" in part, section
