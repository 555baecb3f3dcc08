"""Sealed bids: who may place them, when, and that nothing of them is anywhere before the opening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from market.errors import Code, Conflict
from market.terms import Subsidy
from market.vocabulary import BidState, Capability, FeeBasis, FeeTiming, OrganisationKind, Recipient
from models.base import Base, db
from models.bid import Bid
from models.need import Need
from models.organisation import Organisation
from services import audit, bids, needs, opening, organisations, outcomes, products, rounds
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services.conftest import Refusing

LATER = timedelta(days=3, seconds=1)


def read_everything() -> Iterator[str]:
    """Yield every value of every row as text, seals left out: they may hold anything."""
    db.session.rollback()
    with db.engine.connect() as connection:
        for table in Base.metadata.tables.values():
            columns = [column for column in table.columns if column.name != "seal"]
            for row in connection.execute(sa.select(*columns)):
                yield json.dumps([str(value) for value in row], ensure_ascii=False)


def test_before_the_opening_no_table_holds_a_price_an_amount_or_a_term(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    # Figures that stand nowhere else.
    secret = {"rate": Decimal("0.04137719"), "principal": 4_987_654_00, "months": 11}
    with pytest.raises(Exception, match="above_ceiling"):
        place_bid(need, product, bank, now=now, sealer=sealer, **{**secret, "rate": Decimal("0.4137719")})
    secret["principal"] = 4_987_654_32
    first = place_bid(need, product, bank, now=now, sealer=sealer, **secret)
    second = place_bid(need, product, bank, now=now, sealer=sealer, **secret)
    bids.withdraw(second.id, by=bank, now=now)
    run_due(firm.zone_id, now=now + timedelta(days=1), sealer=sealer)
    rounds.run_now(firm.zone_id, by=make_officer(now=now), now=now + timedelta(days=1))
    for text in read_everything():
        for telling in ("4137719", "498765432", "4987654.32", "4,137", "0.0413"):
            assert telling not in text
    entries = audit.list_entries("bids", first.id)
    assert [(entry.action, set(entry.details)) for entry in entries] == [
        ("bid.place", {"receipt"}),
        ("bid.replace", set()),
    ]
    for row in rounds.list_rounds(firm.zone_id):
        assert (row.inputs["needs"], row.inputs["offers"]) == ([], [])


def test_a_bidder_is_told_nothing_that_counts_its_rivals(app: Flask, now: datetime, sealer: Sealer) -> None:
    need = make_need(make_party(now=now), now=now)
    for _ in range(2):
        bank = make_party(OrganisationKind.BANK, now=now)
        bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
        _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
        # The number of arrival would be a count.
        assert set(content) == {
            "need",
            "institution",
            "product",
            "received_at",
            "valid_until",
            "declared_rate",
            "firm",
            "least",
            "revision",
            "offer",
        }
        (outcome,) = outcomes.list_own(bank, sealer=sealer)
        assert (outcome.ranked, outcome.best, outcome.winning) == (None, None, None)


def test_only_a_bidder_of_the_zone_bids_with_its_own_listed_product(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need, draft = make_need(firm, now=now), make_need(firm, now=now, closes_in=None)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    rival = make_party(OrganisationKind.BANK, now=now)
    own = db.session.get_one(Organisation, bank.organisation_id)
    approver = make_party(now=now, organisation=own, capabilities=[Capability.INSTITUTION_APPROVER])
    elsewhere = make_zone(now=now).id
    organisations.join(own.id, elsewhere, now=now)
    away = make_party(now=now, organisation=own, zone_id=elsewhere)
    for stranger, code in (
        (approver, Code.NOT_ALLOWED),
        (firm, Code.NOT_ALLOWED),
        (rival, Code.NOT_FOUND),
        (away, Code.NOT_FOUND),
    ):
        with refuses(code):
            place_bid(need, product, stranger, now=now, sealer=sealer)
    until = now + timedelta(days=60)
    with refuses(Code.NOT_FOUND):
        place_bid(need, product, bank, now=now, sealer=sealer, product_id=10**6)
    # A draft does not exist for anybody but its firm.
    quote = bids.Quote(product.id, 5 * MILLION, 12, until, Decimal("0.04"))
    with refuses(Code.NOT_FOUND):
        bids.place(draft.id, quote, by=bank, now=now, sealer=sealer)
    with refuses(Code.NOT_FOUND):
        bids.preview(draft.id, quote, by=bank, now=now)
    products.set_listed(product.id, False, by=bank, now=now)
    with refuses(Code.NOT_BIDDABLE, "product_id"):
        place_bid(need, product, bank, now=now, sealer=sealer)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        # The product runs 6 to 60 months, whatever the need asks for.
        ({"months": 5}, Code.TOO_SMALL, "months"),
        ({"months": 61}, Code.TOO_LARGE, "months"),
        ({"months": 361}, Code.TOO_LARGE, "months"),
        ({"principal": MILLION - 1}, Code.TOO_SMALL, "principal"),
        ({"rate": Decimal("0.2401")}, Code.ABOVE_CEILING, "rate"),
        ({"rate": Decimal(0)}, Code.LOOKS_MISTYPED, "rate"),
        # More public money than interest: an annual cost below nothing is confirmed or refused.
        (
            {
                "rate": Decimal("0.03"),
                "subsidies": (
                    Subsidy("贴息", FeeTiming.YEARLY, Recipient.FIRM, FeeBasis.OUTSTANDING, Decimal("0.05")),
                ),
            },
            Code.LOOKS_MISTYPED,
            "rate",
        ),
    ],
)
def test_an_impossible_or_abnormal_quote_is_refused(
    app: Flask,
    now: datetime,
    sealer: Sealer,
    refuses: Refusing,
    values: dict[str, Any],
    code: Code,
    field: str,
) -> None:
    need = make_need(make_party(now=now), now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    named = [{"name": "贴息", "basis": "outstanding", "rate": "0.05", "when": "yearly"}]
    product = make_product(bank, now=now, subsidies=named)
    with refuses(code, field):
        place_bid(need, product, bank, now=now, sealer=sealer, **values)


def test_a_bid_is_in_time_until_the_deadline_and_late_on_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now)
    closes_at = need.closes_at
    assert closes_at is not None
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    moment = timedelta(microseconds=1)
    early = place_bid(need, product, bank, now=closes_at - moment, sealer=sealer)
    with pytest.raises(Conflict, match="too_late"):
        place_bid(need, product, bank, now=closes_at, sealer=sealer)
    with refuses(Code.TOO_LATE):
        bids.withdraw(early.id, by=bank, now=closes_at)
    opening.open_bids(need.id, by=bank, now=closes_at - moment, sealer=sealer)
    assert db.session.get_one(Bid, early.id).state is BidState.SEALED
    opening.open_bids(need.id, by=bank, now=closes_at, sealer=sealer)
    assert db.session.get_one(Bid, early.id).state is BidState.LIVE
    # A clock that lags behind does not make room again.
    with pytest.raises(Conflict, match="too_late"):
        place_bid(need, product, bank, now=closes_at - moment, sealer=sealer)
    # Being late leaves nothing but a record of it.
    assert [bid.id for bid in bids.list_own(bank)] == [early.id]
    late = [entry for entry in audit.list_entries("needs", need.id) if entry.action == "bid.late"]
    assert [(entry.at, entry.details) for entry in late] == [(closes_at, {}), (closes_at - moment, {})]


def test_the_number_of_a_bid_is_drawn_and_not_counted(app: Flask, now: datetime, sealer: Sealer) -> None:
    need, bank = make_need(make_party(now=now), now=now), make_party(OrganisationKind.BANK, now=now)
    rows = [place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer) for _ in range(3)]
    numbers = sorted(bid.id for bid in rows)
    assert numbers[2] - numbers[0] > 1000 and numbers[2] < 2**53
    # Whoever lists the own bids reads them in the order of their arrival all the same.
    assert [bid.id for bid in bids.list_own(bank)] == [bid.id for bid in reversed(rows)]
    assert [entry.subject_id for entry in audit.list_entries("bids", numbers[2])] == [numbers[2]]


def test_a_bid_is_its_institutions_own_to_read_and_withdraw(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    rival, officer = make_party(OrganisationKind.BANK, now=now), make_officer(now=now)
    for stranger in (rival, firm, officer):
        with refuses(Code.NOT_FOUND):
            bids.read_own(bid.id, by=stranger, sealer=sealer)
        assert bids.list_own(stranger) == []
    with refuses(Code.NOT_FOUND):
        bids.withdraw(bid.id, by=rival, now=now)
    bids.withdraw(bid.id, by=bank, now=now)
    with refuses(Code.TOO_LATE):
        bids.withdraw(bid.id, by=bank, now=now)
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    assert bids.list_offers(need.id, by=officer) == []
    # Whoever left before the opening learns nothing of the others either.
    (outcome,) = outcomes.list_own(bank, sealer=sealer)
    assert outcome.best is None and outcome.bid.terms is None


def test_a_withdrawn_need_takes_its_sealed_bids_along_unopened(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    needs.withdraw(need.id, by=firm, now=now + LATER)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    stored = db.session.get_one(Bid, bid.id)
    assert (stored.state, stored.opened_at, stored.amount) == (BidState.WITHDRAWN, None, None)
    assert db.session.get_one(Need, need.id).closed_at is None


def test_a_bid_claims_only_the_subsidies_its_product_names(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    named = [{"name": "贷款贴息", "recipient": "firm", "basis": "principal", "rate": "0.01", "when": "end"}]
    product = make_product(bank, now=now, subsidies=named)
    for name, recipient in (("自拟补贴", Recipient.FIRM), ("贷款贴息", Recipient.INSTITUTION)):
        invented = Subsidy(name, FeeTiming.END, recipient, rate=Decimal("0.01"))
        with refuses(Code.NOT_A_CHOICE, "subsidies.0.name"):
            place_bid(need, product, bank, now=now, sealer=sealer, subsidies=(invented,))
    own = Subsidy("贷款贴息", FeeTiming.END, Recipient.FIRM, rate=Decimal("0.01"))
    assert place_bid(need, product, bank, now=now, sealer=sealer, subsidies=(own,)).receipt_number == 1
