"""Whatever happens at the same moment in several processes, it ends as if it had happened in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.bidding_vocabulary import BidPolicy
from market.party import Party, clock
from market.vocabulary import (
    BidState,
    ContractStage,
    LimitScope,
    NeedState,
    OrganisationKind,
    ProductFamily,
    ProposalState,
    Purpose,
    RoundState,
)
from models.audit import AuditEntry
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan, Repayment
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from models.round import MatchingRound, Proposal
from services import awards, bids, contract_steps, contracts, limits, loans, need_changes, needs, opening
from services.bids import Quote
from services.clock import run_due
from services.contracts import Entry
from services.limit_settings import set_limit
from services.limits import Exposure
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import MILLION, make_need, make_party, make_product, pay_out, place_bid
from tests.services import racing
from tests.services.test_guarantees import make_guarantor
from tests.services.test_path import ACCOUNT, make_contract_path

LATER = timedelta(days=3, seconds=1)


def race(app: Flask, deeds: Sequence[racing.Deed]) -> Counter[str]:
    db.session.rollback()
    outcomes = Counter(racing.run(app.config[URL], deeds))
    db.session.rollback()
    db.session.expire_all()
    return outcomes


def make_bank(now: datetime, **product: object) -> tuple[Party, Product]:
    bank = make_party(OrganisationKind.BANK, now=now)
    return bank, make_product(bank, now=now, **product)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_eight_acceptances_of_eight_bids_leave_one_award(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    placed = []
    for _ in range(8):
        bank, product = make_bank(now)
        placed.append(place_bid(need, product, bank, now=now, sealer=sealer))
    later = now + LATER
    opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    outcomes = race(
        app, [partial(awards.accept, need.id, b.id, b.receipt_hash, by=firm, now=later) for b in placed]
    )
    assert outcomes == {"done": 1, "illegal_move": 7}
    assert (count(Award), count(Loan)) == (1, 1)
    states = Counter(db.session.scalars(select(Bid.state)))
    assert states == {BidState.WON: 1, BidState.LOST: 7}


def test_forty_awards_of_a_million_against_ten_million_make_ten(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    assert bank.organisation_id is not None
    set_limit(bank.organisation_id, LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)
    later, deeds = now + LATER, []
    for _ in range(40):
        need = make_need(firm, now=now, amount=MILLION)
        bid = place_bid(need, product, bank, now=now, sealer=sealer)
        opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
        deeds.append(partial(awards.accept, need.id, bid.id, bid.receipt_hash, by=firm, now=later))
    assert race(app, deeds) == {"done": 10, "limit_exceeded": 30}
    (limit,) = db.session.scalars(select(Limit))
    assert limit.used == limit.cap == 10 * MILLION
    assert (count(Award), count(Loan)) == (10, 10)
    assert Counter(db.session.scalars(select(Need.state))) == {NeedState.AWARDED: 10, NeedState.CLOSED: 30}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_limits_named_in_opposite_orders_never_wait_in_a_circle(app: Flask, now: datetime) -> None:
    firms = [make_party(now=now).organisation_id or 0 for _ in range(2)]
    banks = [make_party(OrganisationKind.BANK, now=now) for _ in range(3)]
    # The rows come in another order than their institutions.
    for firm_id in reversed(firms):
        for bank in banks:
            own = bank.organisation_id or 0
            set_limit(own, LimitScope.FIRM, 10 * MILLION, by=bank, now=now, firm_id=firm_id)
    for bank in reversed(banks):
        set_limit(bank.organisation_id or 0, LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)
    deals = [Exposure(bank.organisation_id or 0, firm, amount=1) for bank in banks for firm in firms]
    deeds = [partial(take_and_give, order, 10) for order in (deals, deals[::-1], deals[3:] + deals[:3]) * 2]
    assert race(app, deeds) == {"done": 6}
    assert set(db.session.scalars(select(Limit.used))) == {0}


def take_and_give(deals: list[Exposure], times: int) -> None:
    for _ in range(times):
        for verb in (limits.consume, limits.release):
            with transaction() as session:
                verb(session, deals)


def test_bids_on_several_needs_at_once_never_reserve_more_than_there_is(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    set_limit(bank.organisation_id or 0, LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)
    deeds = []
    for position in range(6):
        policy = BidPolicy.ANONYMOUS if position % 2 else BidPolicy.SEALED
        need = make_need(firm, now=now, amount=4 * MILLION, joins_matching=False, bid_policy=policy)
        quote = Quote(
            product_id=product.id,
            principal=need.amount,
            months=need.months,
            valid_until=bids.earliest_validity(need),
            rate=product.rate_from,
        )
        deeds.append(partial(bids.place, need.id, quote, by=bank, now=now, sealer=sealer))
    assert race(app, deeds) == {"done": 2, "limit_exceeded": 4}
    assert count(Bid) == 2


def test_a_guarantor_is_never_taken_beyond_its_leverage_by_two_banks_at_once(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    guarantor, cover = make_guarantor(now)
    later, deeds, banks = now + LATER, [], [make_bank(now) for _ in range(2)]
    for bank, _ in banks:
        set_limit(bank.organisation_id or 0, LimitScope.TOTAL, 50 * MILLION, by=bank, now=now)
    set_limit(guarantor.organisation_id or 0, LimitScope.LEVERAGE, 8 * MILLION, by=guarantor, now=now)
    for position in range(6):
        firm = make_party(now=now)
        need = make_need(firm, now=now)
        bank, product = banks[position % 2]
        bid = place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
        opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
        deeds.append(partial(awards.accept, need.id, bid.id, bid.receipt_hash, by=firm, now=later))
    assert race(app, deeds) == {"done": 2, "limit_exceeded": 4}
    used = {limit.scope: limit.used for limit in limits.list_for(guarantor.organisation_id or 0)}
    assert used == {LimitScope.LEVERAGE: 8 * MILLION}
    lent = [limits.find_total(bank.organisation_id) for bank, _ in banks]
    assert sum(limit.used for limit in lent if limit is not None) == 10 * MILLION


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_limit_set_while_awards_run_counts_each_of_them_once(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    later, deeds = now + LATER, []
    for _ in range(6):
        need = make_need(firm, now=now, amount=MILLION)
        bid = place_bid(need, product, bank, now=now, sealer=sealer)
        opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
        deeds.append(partial(awards.accept, need.id, bid.id, bid.receipt_hash, by=firm, now=later))
    setting = partial(set_limit, bank.organisation_id or 0, LimitScope.TOTAL, 6 * MILLION, by=bank, now=later)
    assert race(app, [*deeds[:3], setting, *deeds[3:]]) == {"done": 7}
    (limit,) = db.session.scalars(select(Limit))
    assert limit.used == 6 * MILLION


def test_one_contract_in_three_spellings_is_financed_once(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    supplier = db.session.get_one(Organisation, firm.organisation_id)
    purchaser = make_party(OrganisationKind.PURCHASER, now=now)
    buyer = db.session.get_one(Organisation, purchaser.organisation_id)
    later, deeds = now + LATER, []
    for position, number in enumerate(("JN-2026-0042", "ＪＮ２０２６００４２", "jn 2026.0042")):
        contract = contracts.register(
            Entry(
                process_id=f"P{position}",
                number=number,
                title="智慧园区平台",
                amount=10 * MILLION,
                purchaser_code=buyer.credit_code,
                supplier_code=supplier.credit_code,
                signed_on=date(2026, 11, 10),
                plan=((date(2027, 9, 15), 10 * MILLION),),
            ),
            by=purchaser,
            now=now,
        )
        need = make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, months=6)
        bank = make_party(OrganisationKind.BANK, now=now)
        product = make_product(bank, now=now, family=ProductFamily.CONTRACT, contract_ratio=1)
        bid = place_bid(need, product, bank, now=now, sealer=sealer)
        opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
        deeds.append(partial(awards.accept, need.id, bid.id, bid.receipt_hash, by=firm, now=later))
    assert race(app, deeds) == {"done": 1, "already_financed": 2}
    live = db.session.scalars(select(Financing).where(Financing.ended_at.is_(None))).all()
    assert [(row.financed, row.lender_id) for row in live] == [
        (5 * MILLION, db.session.scalars(select(Loan)).one().lender_id)
    ]
    credited = select(Contract).where(Contract.stage == ContractStage.CREDITED)
    assert len(db.session.scalars(credited).all()) == 1
    # Nothing of the two that lost stays behind.
    assert (count(Award), count(Loan)) == (1, 1)


def test_a_bid_is_in_before_the_opening_or_late_and_never_half(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    closes_at = need.closes_at
    assert closes_at is not None
    just_before, deeds = closes_at - timedelta(seconds=1), []
    for _ in range(5):
        bank = make_party(OrganisationKind.BANK, now=now)
        own: list[racing.Deed] = []
        for _ in range(4):
            product = make_product(bank, now=now)
            quote = Quote(
                product_id=product.id,
                principal=need.amount,
                months=need.months,
                valid_until=bids.earliest_validity(need) + timedelta(days=1),
                rate=product.rate_from,
            )
            own.append(partial(bids.place, need.id, quote, by=bank, now=just_before, sealer=sealer))
        deeds.append(partial(racing.do_all, own))
    opened = partial(
        opening.open_bids,
        need.id,
        by=clock(firm.zone_id),
        now=closes_at + timedelta(seconds=1),
        sealer=sealer,
    )
    assert race(app, [*deeds[:3], opened, *deeds[3:]]) == {"done": 6}
    placed = db.session.scalars(select(Bid).order_by(Bid.receipt_number)).all()
    assert [bid.receipt_number for bid in placed] == list(range(1, len(placed) + 1))
    assert {bid.state for bid in placed} <= {BidState.LIVE}
    assert sorted(bid.rank or 0 for bid in placed) == list(range(1, len(placed) + 1))
    need = db.session.get_one(Need, need.id)
    assert need.last_receipt == len(placed)
    assert need.state is (NeedState.CLOSED if placed else NeedState.UNSUCCESSFUL)


def test_a_change_among_bids_leaves_each_void_or_placed_on_the_changed_need(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, joins_matching=False)
    deeds: list[racing.Deed] = []
    for _ in range(5):
        bank, product = make_bank(now)
        until = now + timedelta(days=60)
        quote = Quote(product.id, need.amount, need.months, until, rate=Decimal("0.04"))
        deeds.append(partial(bids.place, need.id, quote, by=bank, now=now, sealer=sealer))
    wanted = needs.Draft(need.purpose, need.amount, need.months + 1, joins_matching=False)
    deeds.insert(2, partial(need_changes.change, need.id, wanted, by=firm, now=now, revision=1))
    assert race(app, deeds) == {"done": 6}
    need = db.session.get_one(Need, need.id)
    assert (need.revision, need.last_receipt) == (2, 5)
    states = {(bid.revision, bid.state) for bid in db.session.scalars(select(Bid))}
    assert states <= {(1, BidState.VOIDED), (2, BidState.SEALED)}
    (change,) = need_changes.list_changes(need.id)
    voided = select(func.count()).where(Bid.state == BidState.VOIDED)
    assert change.voided_count == db.session.scalar(voided)


def test_four_clocks_at_once_open_once_and_run_one_round(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    for _ in range(3):
        need = make_need(firm, now=now)
        bank, product = make_bank(now)
        place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER  # Monday just after ten: the day's slot falls due together with the openings.
    outcomes = race(app, [partial(run_due, firm.zone_id, now=later, sealer=sealer)] * 4)
    assert outcomes == {"done": 4}
    opened = select(AuditEntry.subject_id).where(AuditEntry.action == "need.open_bids")
    assert len(db.session.scalars(opened).all()) == 3
    (row,) = db.session.scalars(select(MatchingRound))
    assert row.state is RoundState.SETTLED
    made = select(func.count()).where(Proposal.state == ProposalState.PROPOSED)
    assert db.session.scalar(made) == row.placed_count == count(Proposal)


def test_a_repayment_reported_six_times_counts_once(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    need = make_need(firm, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    (loan,) = awards.list_deals(bank)
    pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    after = later + timedelta(days=40)
    deed = partial(loans.record_repayment, loan.id, MILLION, date(2026, 12, 23), "R1", by=bank, now=after)
    assert race(app, [deed] * 6) == {"done": 1, "already_exists": 5}
    (paid,) = db.session.scalars(select(Repayment))
    assert db.session.get_one(Loan, loan.id).outstanding == 5 * MILLION - paid.principal


def test_an_account_lock_is_confirmed_or_turned_down_but_not_both(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    need = make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, months=6)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    step = contract_steps.record(
        contract.id,
        ContractStage.ACCOUNT_LOCKED,
        date(2026, 11, 23),
        by=bank,
        now=later,
        evidence="补充协议 BC-042",
        payee_account=ACCOUNT,
    )
    outcomes = race(
        app,
        [
            partial(contract_steps.confirm, step.id, by=purchaser, now=later),
            partial(contract_steps.reject, step.id, "账号有误", by=bank, now=later),
            partial(contract_steps.confirm, step.id, by=purchaser, now=later),
            partial(contract_steps.reject, step.id, "账号有误", by=bank, now=later),
        ],
    )
    assert outcomes == {"done": 1, "illegal_move": 3}
    step = db.session.get_one(type(step), step.id)
    assert (step.confirmed_at is None) != (step.undone_at is None)
    locked = db.session.get_one(Contract, contract.id)
    assert (locked.payee_account is None) == (step.confirmed_at is None)
