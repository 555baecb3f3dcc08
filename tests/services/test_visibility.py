"""Visibility: for an institution that a need is not shown to, the need does not exist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from market.bidding_vocabulary import Visibility
from market.errors import Code, NotFound
from market.party import Party
from market.vocabulary import OrganisationKind, Purpose
from models.base import db
from models.contract import Contract
from models.need import Need
from services import bids, bulk_bids, contracts, needs, opportunities, packages, visibility
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services.conftest import Refusing
from tests.services.test_path import make_contract_path


def make_two(now: datetime) -> tuple[Party, Party, Party]:
    """Return a firm, the bank that it names, and another."""
    named, other = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    return make_party(now=now), named, other


@pytest.mark.parametrize("kind", [Visibility.CHOSEN, Visibility.EXCEPT])
def test_a_need_exists_only_for_those_it_is_shown_to(
    app: Flask, now: datetime, sealer: Sealer, kind: Visibility
) -> None:
    firm, named, other = make_two(now)
    seeing, blind = (named, other) if kind is Visibility.CHOSEN else (other, named)
    need = make_need(firm, now=now, visibility=kind, audience=[named.organisation_id])
    for party in (firm, make_officer(now=now), seeing):
        assert needs.find(need.id, by=party).id == need.id
    assert [row.id for row in needs.list_open(seeing, now)] == [need.id]
    assert [row.need.id for row in opportunities.list_open(seeing, now)] == [need.id]
    assert needs.list_open(blind, now) == [] == opportunities.list_open(blind, now)
    product = make_product(blind, now=now)
    quote = bids.Quote(product.id, need.amount, need.months, now + timedelta(days=60))
    ways: list[Callable[[int], object]] = [
        lambda number: needs.find(number, by=blind),
        lambda number: opportunities.find(number, by=blind, now=now),
        lambda number: bids.preview(number, quote, by=blind, now=now),
        lambda number: packages.preview(number, quote, by=blind, now=now),
        lambda number: bids.place(number, quote, by=blind, now=now, sealer=sealer),
        # After the close neither: “too late” would tell that there was a need.
        lambda number: bids.place(number, quote, by=blind, now=now + timedelta(days=9), sealer=sealer),
    ]
    for way in ways:
        refusals = []
        for number in (need.id, 10**6):
            with pytest.raises(NotFound) as refused:
                way(number)
            refusals.append(str(refused.value).replace(str(number), "N"))
        assert refusals[0] == refusals[1]
    mine = make_product(seeing, now=now)
    assert place_bid(need, mine, seeing, now=now, sealer=sealer).need_id == need.id


def test_a_list_of_bids_is_not_told_that_a_hidden_need_has_closed(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, named, other = make_two(now)
    need = make_need(firm, now=now, visibility=Visibility.CHOSEN, audience=[named.organisation_id])
    quote = bids.Quote(make_product(other, now=now).id, need.amount, need.months, now + timedelta(days=60))
    rows = [bulk_bids.Row(number, quote) for number in (need.id, 10**6)]
    closed = now + timedelta(days=9)
    hidden, absent = bulk_bids.check(rows, by=other, now=closed, sealer=sealer)
    assert (hidden.code, absent.code) == (Code.NOT_FOUND, Code.NOT_FOUND)


def test_a_contract_is_read_by_the_banks_its_need_is_shown_to(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    named, other = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    make_need(
        firm,
        now=now,
        purpose=Purpose.CONTRACT,
        contract_id=contract.id,
        months=6,
        visibility=Visibility.CHOSEN,
        audience=[named.organisation_id],
    )
    assert contracts.find(contract.id, by=named) is db.session.get(Contract, contract.id)
    with refuses(Code.NOT_FOUND):
        contracts.find(contract.id, by=other)


def test_an_audience_is_of_institutions_of_the_zone_and_goes_with_its_kind(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, named, other = make_two(now)
    stranger = make_party(OrganisationKind.BANK, now=now, zone_id=make_zone(now=now).id)
    for strange in (firm.organisation_id, stranger.organisation_id, 10**6):
        with refuses(Code.NOT_FOUND, "audience"):
            make_need(firm, now=now, visibility=Visibility.CHOSEN, audience=[strange])
    with refuses(Code.REQUIRED, "audience"):
        make_need(firm, now=now, visibility=Visibility.EXCEPT)
    with refuses(Code.REQUIRED, "visibility"):
        make_need(firm, now=now, audience=[named.organisation_id])
    both = [other.organisation_id, named.organisation_id]
    need = make_need(firm, now=now, closes_in=None, visibility=Visibility.EXCEPT, audience=both)
    assert visibility.list_ids(need.id) == sorted(both)
    assert {row.id for row in visibility.list_named(need.id)} == {*both}
    usual = needs.Draft(Purpose.EQUIPMENT, need.amount, need.months)
    needs.edit(need.id, usual, by=firm, now=now)
    assert visibility.list_ids(need.id) == []
    assert db.session.get_one(Need, need.id).visibility is Visibility.ALL
    assert {row.id for row in visibility.list_choices(firm.zone_id)} >= {*both}
