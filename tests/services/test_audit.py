"""The audit log: one entry per deed, in the deed's own transaction, with who and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from market.vocabulary import OrganisationKind
from models.audit import AuditEntry
from models.base import db
from services import audit, needs
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, make_zone
from tests.services.test_awards import make_closed

LATER = timedelta(days=3, seconds=1)


def test_an_entry_says_who_for_whom_where_and_when(app: Flask, now: datetime) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, closes_in=None)
    (entry,) = audit.list_entries("needs", need.id)
    assert (entry.user_id, entry.organisation_id, entry.zone_id, entry.at) == (
        firm.user_id,
        firm.organisation_id,
        firm.zone_id,
        now,
    )


def test_the_clocks_deeds_are_nobodys(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    entry = audit.list_entries("needs", need.id)[-1]
    assert (entry.action, entry.user_id, entry.organisation_id, entry.zone_id) == (
        "need.open_bids",
        None,
        None,
        firm.zone_id,
    )


def test_a_deed_that_fails_at_its_very_end_leaves_no_entry(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = make_party(now=now)
    before = db.session.query(AuditEntry).count()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(db.session(), "commit", fail)
        with pytest.raises(OSError, match="disk full"):
            make_need(firm, now=now, closes_in=None)
    assert db.session.query(AuditEntry).count() == before
    assert needs.list_own(firm) == []


def test_a_zone_reads_its_own_newest_entries(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, zone = make_party(now=now), make_zone(now=now)
    bank = make_party(OrganisationKind.BANK, now=now, zone_id=zone.id)
    make_closed(firm, now, sealer)
    product = make_product(bank, now=now)
    entries = audit.list_recent(zone.id)
    assert [(entry.action, entry.subject_id) for entry in entries[:1]] == [("product.publish", product.id)]
    assert {entry.zone_id for entry in entries} == {zone.id}
    assert len(audit.list_recent(firm.zone_id, most=2)) == 2
