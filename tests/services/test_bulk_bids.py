"""Bulk bids: every fault of every row is told, and all rows are placed or none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from market.errors import Code, Invalid
from market.party import Party
from market.vocabulary import Capability, OrganisationKind
from models.audit import AuditEntry
from models.base import db
from models.bid import Bid
from models.need import Need
from services import bids, bulk_bids
from services.bulk_bids import Row
from services.quotes import Quote
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import MILLION, make_need, make_party, make_product
from tests.services import racing
from tests.services.conftest import Refusing, take_print

LATER = timedelta(days=3)


def make_row(need: Need, product_id: int, rate: str = "0.04") -> Row:
    until = bids.earliest_validity(need) + timedelta(days=30)
    return Row(need.id, Quote(product_id, need.amount, need.months, until, rate=Decimal(rate)))


def make_rows(now: datetime, count: int) -> tuple[Party, list[Row]]:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    return bank, [make_row(make_need(firm, now=now), product.id) for _ in range(count)]


def change(row: Row, **values: object) -> Row:
    return replace(row, quote=replace(row.quote, **values))  # type: ignore[arg-type]


def test_all_rows_are_placed_in_one_go_each_with_its_receipt(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, rows = make_rows(now, 3)
    rows.reverse()
    assert bulk_bids.check(rows, by=bank, now=now, sealer=sealer) == []
    placed = bulk_bids.place(rows, by=bank, now=now, sealer=sealer)
    assert [bid.need_id for bid in placed] == [row.need_id for row in rows]
    assert len({bid.receipt_hash for bid in placed}) == 3
    # Whoever sends the file again replaces what was in it.
    again = bulk_bids.place(rows, by=bank, now=now, sealer=sealer)
    assert [bid.receipt_number for bid in again] == [2, 2, 2]


def test_every_fault_of_every_row_is_named_and_nothing_is_stored(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, rows = make_rows(now, 5)
    rows[1] = change(rows[1], rate=Decimal("0.9"), principal=60 * MILLION)
    rows[2] = replace(rows[2], need_id=10**9)
    rows[3] = change(rows[3], rate=None)
    rows[4] = replace(rows[0])
    expected = {
        ("rows.1.rate", Code.ABOVE_CEILING),
        ("rows.1.principal", Code.TOO_LARGE),
        ("rows.2", Code.NOT_FOUND),
        ("rows.3.rate", Code.REQUIRED),
        ("rows.4.need_id", Code.REPEATED),
    }
    before = take_print()
    seen = bulk_bids.check(rows, by=bank, now=now, sealer=sealer)
    assert {(fault.field, fault.code) for fault in seen} == expected
    with pytest.raises(Invalid) as refused:
        bulk_bids.place(rows[:4], by=bank, now=now, sealer=sealer)
    assert {(fault.field, fault.code) for fault in refused.value.faults} == {
        one for one in expected if one[0] != "rows.4.need_id"
    }
    assert take_print() == before


def test_one_late_row_refuses_all_and_leaves_its_record(app: Flask, now: datetime, sealer: Sealer) -> None:
    bank, rows = make_rows(now, 2)
    later = now + LATER
    firm = make_party(now=now)
    rows.append(make_row(make_need(firm, now=later), rows[0].quote.product_id))
    late = rows[0].need_id, rows[1].need_id
    seen = bulk_bids.check(rows, by=bank, now=later, sealer=sealer)
    assert [fault.field for fault in seen] == ["rows.0.need_id", "rows.1.need_id"]
    with pytest.raises(Invalid) as refused:
        bulk_bids.place(rows, by=bank, now=later, sealer=sealer)
    assert {fault.code for fault in refused.value.faults} == {Code.TOO_LATE}
    assert not list(db.session.scalars(select(Bid)))
    noted = db.session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "bid.late"))
    assert sorted(noted) == sorted(late)


def test_an_empty_or_endless_list_and_a_stranger_are_refused(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    bank, rows = make_rows(now, 1)
    approver = replace(bank, capabilities=frozenset({Capability.INSTITUTION_APPROVER}))
    with refuses(Code.REQUIRED, "rows"):
        bulk_bids.place([], by=bank, now=now, sealer=sealer)
    with refuses(Code.TOO_LARGE, "rows"):
        bulk_bids.place(rows * 201, by=bank, now=now, sealer=sealer)
    with refuses(Code.NOT_ALLOWED):
        bulk_bids.place(rows, by=approver, now=now, sealer=sealer)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_lists_in_opposite_orders_do_not_wait_in_a_circle(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, deeds = make_party(now=now), []
    found = [make_need(firm, now=now) for _ in range(8)]
    for number in range(4):
        bank = make_party(OrganisationKind.BANK, now=now)
        product = make_product(bank, now=now)
        rows = [make_row(need, product.id) for need in (found if number % 2 else reversed(found))]
        deeds.append(partial(bulk_bids.place, rows, by=bank, now=now, sealer=sealer))
    db.session.rollback()
    assert Counter(racing.run(app.config[URL], deeds)) == {"done": 4}
    numbers = Counter(db.session.scalars(select(Bid.receipt_number)))
    assert numbers == {number: 8 for number in range(1, 5)}
