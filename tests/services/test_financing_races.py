"""One paper, many lenders at the same moment: exactly one of them finances it, however it is spelt.

The needs and bids are copied as rows: what counts begins with the award.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from flask import Flask
from sqlalchemy import func, insert, select

from market.party import Party, clock
from market.receivable_vocabulary import FinancingMode
from market.vocabulary import AlertKind, ContractStage, LoanState, OrganisationKind, Purpose
from models.alert import Alert
from models.base import db, transaction
from models.bid import Bid
from models.contract import Contract
from models.financing import ContractMode, Financing
from models.loan import Loan
from models.need import Need
from models.product import Product
from models.receivable import NeedReceivable, Receivable
from models.zone import Membership
from services import awards, loans, opening
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, make_zone, place_bid
from tests.services import racing
from tests.services.test_path import make_contract_path
from tests.services.test_races import race
from tests.services.test_receivables import make_receivable

LATER = timedelta(days=3, seconds=1)
#: One number as fifty clerks write it.
SPELLINGS = [
    f"{label}{letters}{separator}2026{separator}0042"
    for label in ("", "合同编号：", "No. ", "政府采购合同编号:", "编号 ")
    for letters, separator in zip(["JN", "ｊｎ"] * 5, "-－—–‐ー ./_", strict=True)
]


def copy_rows(model: type, row: object, changes: Sequence[dict[str, object]]) -> list[int]:
    """Store copies of a row, each with changes of its own, in one statement; return their numbers."""
    table = model.__table__  # type: ignore[attr-defined]
    with transaction() as session:
        last = session.scalar(select(func.max(table.c.id))) or 0
        said = {column.name: getattr(row, column.name) for column in table.columns if column.name != "id"}
        session.execute(insert(model), [said | change for change in changes])
        return list(session.scalars(select(table.c.id).where(table.c.id > last).order_by(table.c.id)))


class Stage:
    """A firm whose contract and one invoice of it are each offered in a need, with an opened bid on it."""

    def __init__(self, now: datetime, sealer: Sealer) -> None:
        self.later = now + LATER
        self.firm, bank, product, self.purchaser, self.contract = make_contract_path(now)
        self.banks = [bank] + [make_party(OrganisationKind.BANK, now=now) for _ in range(3)]
        self.elsewhere = self._sit_elsewhere(now)
        plain = make_product(bank, now=now, months_min=1)
        self.receivable = make_receivable(self.firm, self.purchaser, now=now)
        self.whole = self._open(
            product, now, sealer, purpose=Purpose.CONTRACT, contract_id=self.contract.id, months=6
        )
        self.single = self._open(plain, now, sealer, receivables=[self.receivable.id], months=6)
        self.products = {product.id: self._shelve(product), plain.id: self._shelve(plain)}

    def _open(self, product: Product, now: datetime, sealer: Sealer, **values: object) -> tuple[Need, Bid]:
        need = make_need(self.firm, now=now, joins_matching=False, **values)
        bid = place_bid(need, product, self.banks[0], now=now, sealer=sealer)
        opening.open_bids(need.id, by=clock(self.firm.zone_id), now=self.later, sealer=sealer)
        return db.session.get_one(Need, need.id), db.session.get_one(Bid, bid.id)

    def _shelve(self, product: Product) -> list[int]:
        owners = [bank.organisation_id for bank in self.banks[1:]]
        return [product.id, *copy_rows(Product, product, [{"organisation_id": owner} for owner in owners])]

    def _sit_elsewhere(self, now: datetime) -> Party:
        zone_id, home = make_zone(now=now).id, self.firm.zone_id
        for party in (self.firm, *self.banks):
            seat = db.session.scalars(
                select(Membership).where(
                    Membership.zone_id == home, Membership.organisation_id == party.organisation_id
                )
            ).one()
            copy_rows(Membership, seat, [{"zone_id": zone_id}])
        return replace(self.firm, zone_id=zone_id)

    def spell(self) -> list[int]:
        """Enter the contract in every spelling, in two zones, each under a process of its own."""
        zones = (self.firm.zone_id, self.elsewhere.zone_id)
        changes: list[dict[str, object]] = [
            {"number": number, "contract_id": number, "process_id": f"P{place}", "zone_id": zones[place % 2]}
            for place, number in enumerate(SPELLINGS[1:], start=1)
        ]
        return [self.contract.id, *copy_rows(Contract, self.contract, changes)]

    def award(self, template: tuple[Need, Bid], changes: Sequence[dict[str, object]]) -> list[racing.Deed]:
        """Return the awards of copies of a need, each to a bid of one of the banks in turn."""
        need, bid = template
        needs = copy_rows(Need, need, changes)
        turns = [place % len(self.banks) for place in range(len(needs))]
        products = self.products[bid.product_id]
        copy_rows(
            Bid,
            bid,
            [
                {
                    "need_id": number,
                    "organisation_id": self.banks[turn].organisation_id,
                    "product_id": products[turn],
                }
                for number, turn in zip(needs, turns, strict=True)
            ],
        )
        # Bids are numbered by chance, needs in order.
        bids = db.session.scalars(select(Bid.id).where(Bid.need_id.in_(needs)).order_by(Bid.need_id)).all()
        if template is self.single:
            with transaction() as session:
                offered = [{"need_id": one, "receivable_id": self.receivable.id} for one in needs]
                session.execute(insert(NeedReceivable), offered)
        parties = [
            self.elsewhere if change.get("zone_id") == self.elsewhere.zone_id else self.firm
            for change in changes
        ]
        return [
            partial(awards.accept, one, bid_id, bid.receipt_hash, by=by, now=self.later)
            for one, bid_id, by in zip(needs, bids, parties, strict=True)
        ]

    def cancel(self) -> None:
        """Let the lender cancel the only loan that was approved."""
        (loan,) = db.session.scalars(select(Loan).where(Loan.state == LoanState.APPROVED))
        lender = next(bank for bank in self.banks if bank.organisation_id == loan.lender_id)
        loans.cancel(loan.id, by=replace(lender, zone_id=loan.zone_id), now=self.later)


def check(outcomes: Counter[str], count: int) -> None:
    """One is done; whom the winner's own further offers are for is told that the room is used up."""
    assert outcomes["done"] == 1
    assert outcomes["already_financed"] >= count - count // 4
    assert outcomes["already_financed"] + outcomes["above_financeable"] == count - 1


def list_live() -> list[Financing]:
    db.session.rollback()
    return list(db.session.scalars(select(Financing).where(Financing.ended_at.is_(None))))


def test_of_fifty_awards_of_one_contract_in_fifty_spellings_one_stands(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    stage = Stage(now, sealer)
    contracts = stage.spell()
    zones = (stage.firm.zone_id, stage.elsewhere.zone_id)
    changes: list[dict[str, object]] = [
        {"contract_id": number, "zone_id": zones[place % 2]} for place, number in enumerate(contracts)
    ]
    assert len(changes) == 50
    deeds = stage.award(stage.whole, changes)
    assert race(app, deeds) == {"done": 1, "already_financed": 49}
    (live,) = list_live()
    (loan,) = db.session.scalars(select(Loan))
    assert (live.lender_id, live.financed) == (loan.lender_id, loan.principal)
    credited = select(Contract.id).where(Contract.stage == ContractStage.CREDITED)
    assert db.session.scalars(credited).all() == [live.contract_id]
    # Everybody who must know is told once in each zone, however often it was tried.
    told = db.session.scalars(select(Alert).where(Alert.kind == AlertKind.FINANCING_REFUSED)).all()
    assert {alert.zone_id for alert in told} == {*zones} and len(told) == 2
    assert {alert.loan_id for alert in told} == {loan.id, None}

    stage.cancel()
    assert list_live() == []
    again = stage.award(stage.whole, changes[7:11])
    assert race(app, again) == {"done": 1, "already_financed": 3}
    assert len(list_live()) == 1


def test_an_invoice_is_financed_once_and_never_beside_its_contract(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    stage = Stage(now, sealer)
    check(race(app, stage.award(stage.single, [{}] * 12)), 12)
    (live,) = list_live()
    assert (live.receivable_id, live.live_mode) == (stage.receivable.id, FinancingMode.INVOICES)

    stage.cancel()
    assert list_live() == []
    contracts = stage.spell()
    whole = stage.award(stage.whole, [{"contract_id": number} for number in contracts[:6]])
    single = stage.award(stage.single, [{}] * 6)
    mixed = [deed for pair in zip(whole, single, strict=True) for deed in pair]
    check(race(app, mixed), 12)
    (live,) = list_live()
    (mode,) = db.session.scalars(select(ContractMode))
    assert (mode.contract_key, mode.mode) == (live.live_key, live.live_mode)
    assert db.session.get_one(Receivable, stage.receivable.id).contract_key == live.live_key
