"""The whole path through the services: need, sealed bids, opening, round, award, contract loan, payment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.errors import Code, Conflict, Forbidden, Invalid, NotFound
from market.party import Party
from market.vocabulary import (
    BidState,
    Capability,
    ContractStage,
    LimitScope,
    LoanState,
    NeedState,
    OrganisationKind,
    ProductFamily,
    ProposalState,
    Purpose,
    Repayment,
)
from models.base import db
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from services import (
    alerts,
    awards,
    bids,
    contract_loans,
    contract_steps,
    contracts,
    limit_settings,
    loans,
    needs,
    rounds,
    users,
)
from services.clock import run_due
from services.contract_loans import Payment
from services.contracts import Entry
from services.sealing import Sealer, make_receipt
from tests.factories import (
    MILLION,
    make_need,
    make_officer,
    make_party,
    make_product,
    make_user,
    pay_out,
    place_bid,
)

LATER = timedelta(days=3, seconds=1)
ACCOUNT = "3700 0001 2345 6789"


def make_bank(now: datetime, **product: object) -> tuple[Party, Product]:
    bank = make_party(OrganisationKind.BANK, now=now)
    return bank, make_product(bank, now=now, **product)


def code_of(refusal: pytest.ExceptionInfo[Invalid] | pytest.ExceptionInfo[Conflict]) -> Code:
    return refusal.value.faults[0].code


def test_bids_stay_sealed_until_the_close_and_are_then_ranked_by_cost(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    dear_bank, dear = make_bank(now)
    cheap_bank, cheap = make_bank(now)
    first = place_bid(need, dear, dear_bank, now=now, sealer=sealer, rate=Decimal("0.045"))
    second = place_bid(need, cheap, cheap_bank, now=now, sealer=sealer, rate=Decimal("0.0365"))

    assert bids.list_offers(need.id, by=firm) == []
    assert (first.state, first.amount, first.effective, first.terms) == (BidState.SEALED, None, None, None)
    run_due(firm.zone_id, now=now + timedelta(days=2), sealer=sealer)
    assert bids.list_offers(need.id, by=firm) == []

    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    offers = bids.list_offers(need.id, by=firm)
    assert [(offer.id, offer.rank) for offer in offers] == [(second.id, 1), (first.id, 2)]
    assert offers[0].reason == {"code": "best"}
    assert offers[1].reason["code"] == "dearer"
    assert db.session.get_one(Need, need.id).state is NeedState.CLOSED


def test_a_bidder_can_check_its_receipt_and_nobody_else_reads_its_bid(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    rival, _ = make_bank(now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    seen, content, salt = bids.read_own(bid.id, by=bank, sealer=sealer)
    _, canonical = sealer.open(need.id, seen.seal)
    assert make_receipt(salt, canonical) == bid.receipt_hash
    assert content["offer"]["principal"] == "5000000.00"
    with pytest.raises(NotFound):
        bids.read_own(bid.id, by=rival, sealer=sealer)
    with pytest.raises(Forbidden):
        bids.list_offers(need.id, by=bank)


def test_bidding_again_with_a_product_withdraws_its_former_bid(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    former = place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal("0.05"))
    better = place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal("0.04"))
    assert (former.receipt_number, better.receipt_number) == (1, 2)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    assert [offer.id for offer in bids.list_offers(need.id, by=firm)] == [better.id]


def test_after_the_close_a_bid_is_late_and_can_no_longer_be_withdrawn(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    # The clock has not ticked yet, but the deadline has passed: the stored time decides, not the tick.
    with pytest.raises(Conflict) as late:
        place_bid(need, product, bank, now=now + timedelta(days=3), sealer=sealer)
    assert code_of(late) is Code.TOO_LATE
    with pytest.raises(Conflict) as held:
        bids.withdraw(bid.id, by=bank, now=now + timedelta(days=3))
    assert code_of(held) is Code.TOO_LATE


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"rate": Decimal("0.25")}, Code.ABOVE_CEILING, "rate"),  # 24 % ceiling, 法发〔2017〕22号
        ({"rate": Decimal("0.0004")}, Code.LOOKS_MISTYPED, "rate"),
        ({"rate": Decimal("-0.01")}, Code.TOO_SMALL, "rate"),
        ({"rate": None}, Code.REQUIRED, "rate"),
        ({"principal": 0}, Code.TOO_SMALL, "principal"),
        ({"principal": 60 * MILLION}, Code.TOO_LARGE, "principal"),
        ({"months": 0}, Code.TOO_SMALL, "months"),
        ({"declared_rate": Decimal("0.02")}, Code.DECLARED_RATE_WRONG, "declared_rate"),
        ({"valid_until": datetime.fromisoformat("2026-11-24T00:00+08:00")}, Code.OUT_OF_ORDER, "valid_until"),
    ],
)
def test_a_bid_that_breaks_a_rule_is_refused_by_name_and_leaves_nothing(
    app: Flask, now: datetime, sealer: Sealer, values: dict[str, object], code: Code, field: str
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    with pytest.raises(Invalid) as refused:
        place_bid(need, product, bank, now=now, sealer=sealer, **values)
    assert (code_of(refused), refused.value.faults[0].field) == (code, field)
    assert bids.list_own(bank) == []
    assert db.session.get_one(Need, need.id).last_receipt == 0


def test_a_bid_above_the_institutions_limit_is_refused(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 4 * MILLION, by=bank, now=now)
    with pytest.raises(Invalid) as refused:
        place_bid(need, product, bank, now=now, sealer=sealer)
    assert code_of(refused) is Code.LIMIT_EXCEEDED


def test_an_acceptance_opens_a_loan_with_its_schedule_and_tells_the_losers_why(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank, product = make_bank(now)
    loser_bank, loser_product = make_bank(now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 20 * MILLION, by=bank, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    lost = place_bid(need, loser_product, loser_bank, now=now, sealer=sealer, rate=Decimal("0.05"))
    later = now + LATER
    run_due(firm.zone_id, now=later, sealer=sealer)

    with pytest.raises(Conflict) as stale:
        awards.accept(need.id, bid.id, "0" * 64, by=firm, now=later)
    assert code_of(stale) is Code.STALE
    award = awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    with pytest.raises(Conflict):
        awards.accept(need.id, lost.id, lost.receipt_hash, by=firm, now=later)

    (loan,) = awards.list_deals(bank)
    assert (loan.award_id, loan.state, loan.principal) == (award.id, LoanState.APPROVED, 5 * MILLION)
    assert sum(line.principal for line in loan.instalments) == 5 * MILLION
    assert loan.instalments[-1].balance == 0
    limit = db.session.get_one(Organisation, bank.organisation_id).limits[0]
    assert limit.used == 5 * MILLION
    (mine,) = bids.list_own(loser_bank)
    assert mine.state is BidState.LOST
    assert mine.reason is not None and mine.reason["winning"] == str(loan.effective)

    pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    assert db.session.get_one(Loan, loan.id).instalments[-1].due_on == date(2027, 11, 23)


def test_a_firm_with_dual_control_needs_two_people(app: Flask, now: datetime, sealer: Sealer) -> None:
    maker = make_party(
        capabilities=[Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER], now=now, dual_control=True
    )
    firm = db.session.get_one(Organisation, maker.organisation_id)
    approver = make_party(capabilities=[Capability.ENTERPRISE_APPROVER], now=now, organisation=firm)
    need = make_need(maker, now=now)
    bank, product = make_bank(now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    run_due(maker.zone_id, now=later, sealer=sealer)
    award = awards.accept(need.id, bid.id, bid.receipt_hash, by=maker, now=later)
    assert awards.list_deals(bank) == []
    with pytest.raises(Conflict) as same:
        awards.confirm(award.id, by=maker, now=later)
    assert code_of(same) is Code.SAME_PERSON
    # The clock does not cut off an acceptance that waits for the second person.
    run_due(maker.zone_id, now=later + timedelta(days=5), sealer=sealer)
    assert db.session.get_one(Need, need.id).state is NeedState.CLOSED
    awards.confirm(award.id, by=approver, now=later)
    assert len(awards.list_deals(bank)) == 1


def test_an_offer_that_nobody_takes_lapses_and_a_need_without_bids_is_unsuccessful(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    taken, lonely = make_need(firm, now=now), make_need(firm, now=now)
    bank, product = make_bank(now)
    bid = place_bid(taken, product, bank, now=now, sealer=sealer)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    assert (lonely := db.session.get_one(Need, lonely.id)).state is NeedState.UNSUCCESSFUL
    assert lonely.reason == "no_bids"
    run_due(firm.zone_id, now=now + timedelta(days=20), sealer=sealer)
    assert db.session.get_one(Need, taken.id).reason == "not_accepted_in_time"
    assert bids.list_own(bank)[0].id == bid.id and bids.list_own(bank)[0].state is BidState.EXPIRED
    with pytest.raises(Conflict):
        awards.accept(taken.id, bid.id, bid.receipt_hash, by=firm, now=now + timedelta(days=20))


def test_a_scheduled_round_runs_once_per_slot_and_proposes_within_limits(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    other_bank, other_product = make_bank(now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 5 * MILLION, by=bank, now=now)
    one, two = make_need(firm, now=now), make_need(firm, now=now)
    for need in (one, two):
        place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal("0.036"))
    place_bid(one, other_product, other_bank, now=now, sealer=sealer, rate=Decimal("0.04"))
    monday = now + LATER  # 23 November, just after ten: the slot of the day is due with the opening
    done = run_due(firm.zone_id, now=monday, sealer=sealer)
    assert (done["openings"], done["rounds"]) == (2, 1)
    assert run_due(firm.zone_id, now=monday + timedelta(minutes=1), sealer=sealer)["rounds"] == 0

    (row,) = rounds.list_rounds(firm.zone_id)
    assert row.slot == "2026-11-23T10:00:00+08:00"
    # The cheap bank can carry one need only; the round places both by giving it the one nobody else bid on.
    placed = {p.need_id: p.bid for p in row.proposals if p.state is ProposalState.PROPOSED}
    assert {need: bid.organisation_id for need, bid in placed.items() if bid} == {
        one.id: other_bank.organisation_id,
        two.id: bank.organisation_id,
    }
    assert row.result is not None and row.result["status"] == "optimal"

    officer = make_officer(now=now)
    again = rounds.run_now(firm.zone_id, by=officer, now=monday + timedelta(hours=1))
    assert again.trigger == "officer"
    assert again.result is not None and again.result["placed"] == row.result["placed"]


def make_contract_path(now: datetime) -> tuple[Party, Party, Product, Party, Contract]:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(
        bank,
        now=now,
        family=ProductFamily.CONTRACT,
        contract_ratio=Decimal("0.7"),
        repayment=Repayment.BULLET,
        months_min=1,
        months_max=24,
    )
    purchaser = make_party(OrganisationKind.PURCHASER, now=now)
    supplier = db.session.get_one(Organisation, firm.organisation_id)
    buyer = db.session.get_one(Organisation, purchaser.organisation_id)
    contract = contracts.register(
        Entry(
            process_id="ZC-2026-001",
            number="JN-2026-0042",
            title="智慧园区平台",
            amount=10 * MILLION,
            purchaser_code=buyer.credit_code,
            supplier_code=supplier.credit_code,
            signed_on=date(2026, 11, 10),
            plan=((date(2027, 1, 15), 4 * MILLION), (date(2027, 6, 15), 6 * MILLION)),
        ),
        by=purchaser,
        now=now,
    )
    return firm, bank, product, purchaser, contract


def lock_and_pledge(contract: Contract, bank: Party, purchaser: Party, now: datetime) -> None:
    """Lock the payee account with two people and register the pledge."""
    step = contract_steps.record(
        contract.id,
        ContractStage.ACCOUNT_LOCKED,
        date(2026, 11, 23),
        by=bank,
        now=now,
        evidence="补充协议 BC-042",
        payee_account=ACCOUNT,
        payee_bank="测试银行",
    )
    with pytest.raises(Forbidden):
        contract_steps.confirm(step.id, by=bank, now=now)
    contract_steps.confirm(step.id, by=purchaser, now=now)
    contract_steps.record(
        contract.id,
        ContractStage.PLEDGE_REGISTERED,
        date(2026, 11, 23),
        by=bank,
        now=now,
        pledge_number="0099 1234",
        pledge_expires_on=date(2027, 12, 31),
    )


def make_drawn_contract_loan(
    now: datetime, sealer: Sealer, amount: int = 7 * MILLION
) -> tuple[Party, Party, Party, Contract, Loan, datetime]:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    need = make_need(
        firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=amount, months=9
    )
    bid = place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal("0.0385"))
    later = now + LATER
    run_due(firm.zone_id, now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    (loan,) = awards.list_deals(bank)
    with pytest.raises(Invalid) as early:
        pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    assert {fault.code for fault in early.value.faults} == {Code.NOT_LOCKED, Code.NO_PLEDGE}
    lock_and_pledge(contract, bank, purchaser, later)
    pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    return firm, bank, purchaser, contract, loan, later


def test_a_contract_loan_is_followed_to_the_last_yuan(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    january = later + timedelta(days=53)
    contract_loans.record_payment(
        contract.id,
        Payment("T1", 4 * MILLION, date(2027, 1, 15), payee_account=ACCOUNT),
        by=purchaser,
        now=january,
    )
    loan = db.session.get_one(Loan, loan.id)
    # Interest to the day first, then principal: 7,000,000 × 3.85 % × 9/12 = 202,125.00 for 273 days, of which
    # 53 are over: 39,240.38.
    assert [(r.interest, r.principal, r.remainder) for r in loan.repayments] == [(39_240_38, 3_960_759_62, 0)]
    assert loan.outstanding == 7 * MILLION - 3_960_759_62

    june = later + timedelta(days=210)
    contract_loans.record_payment(
        contract.id,
        Payment("T2", 6 * MILLION, date(2027, 6, 15), payee_account=ACCOUNT),
        by=purchaser,
        now=june,
    )
    loan = db.session.get_one(Loan, loan.id)
    assert loan.state is LoanState.REPAID
    assert sum(r.principal for r in loan.repayments) == 7 * MILLION
    # On the 3,039,240.38 that are left: × 3.85 % × 9/12 × 151/273 = 48,540.18.
    assert loan.repayments[-1].interest == 48_540_18
    assert loan.repayments[-1].remainder == 6 * MILLION - 3_039_240_38 - 48_540_18
    stored = db.session.get_one(Contract, contract.id)
    assert stored.stage is ContractStage.REPAID
    for stage in (ContractStage.PLEDGE_CANCELLED, ContractStage.UNLOCKED):
        contract_steps.record(contract.id, stage, date(2027, 6, 16), by=bank, now=june + timedelta(days=2))
    assert db.session.get_one(Contract, contract.id).stage is ContractStage.UNLOCKED
    assert [f.ended_at is not None for f in db.session.query(Financing)] == [True]
    assert firm.organisation_id == stored.supplier_id


def test_a_payment_into_another_account_settles_nothing_and_raises_an_alert(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, _, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    contract_loans.record_payment(
        contract.id,
        Payment("T1", 4 * MILLION, date(2026, 11, 24), payee_account="6222 0000"),
        by=purchaser,
        now=later + timedelta(days=2),
    )
    officer = make_officer(now=now)
    (alert,) = alerts.list_open(officer)
    assert alert.kind.value == "wrong_account"
    assert db.session.get_one(Loan, loan.id).outstanding == 7 * MILLION
    alerts.resolve(alert.id, "已联系采购人更正", by=officer, now=later + timedelta(days=2))
    assert alerts.list_open(officer) == []


def test_the_clock_notices_a_late_purchaser_and_a_late_loan_once(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, _purchaser, _contract, loan, later = make_drawn_contract_loan(now, sealer)

    def list_kinds() -> list[str]:
        kinds = [alert.kind.value for alert in alerts.list_open(bank)]
        # That the bank's own monthly report is late is not what this is about.
        return sorted(kind for kind in kinds if kind != "report_missing")

    run_due(firm.zone_id, now=later + timedelta(days=60), sealer=sealer)
    run_due(firm.zone_id, now=later + timedelta(days=61), sealer=sealer)
    assert list_kinds() == ["purchaser_overdue"]
    run_due(firm.zone_id, now=later + timedelta(days=300), sealer=sealer)
    assert list_kinds() == ["loan_overdue", "purchaser_overdue"]
    assert db.session.get_one(Loan, loan.id).overdue_since == date(2027, 8, 23)
    loans.record_repayment(
        loan.id, 7 * MILLION + 202_125_00, date(2027, 9, 20), "R1", by=bank, now=later + timedelta(days=302)
    )
    assert db.session.get_one(Loan, loan.id).overdue_since is None
    assert list_kinds() == ["purchaser_overdue"]


def test_one_contract_has_one_live_lender_however_its_number_is_spelt(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, _, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    original = db.session.get_one(Contract, contract.id)
    twin = contracts.register(
        Entry(
            process_id="ZC-2026-001 补",
            number="ＪＮ 2026 0042",
            title="同一合同",
            amount=10 * MILLION,
            purchaser_code=original.purchaser_code or "",
            supplier_code=original.supplier_code or "",
            signed_on=date(2026, 11, 10),
            plan=((date(2027, 1, 15), 10 * MILLION),),
        ),
        by=purchaser,
        now=later,
    )
    with pytest.raises(Conflict) as refused:
        make_need(firm, now=later, purpose=Purpose.CONTRACT, contract_id=twin.id, amount=MILLION, months=3)
    assert code_of(refused) is Code.ALREADY_FINANCED


def test_a_bid_may_not_finance_more_than_the_products_share_of_a_contract(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    need = make_need(
        firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=8 * MILLION, months=9
    )
    with pytest.raises(Invalid) as refused:
        place_bid(need, product, bank, now=now, sealer=sealer)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values["most"]) == (Code.ABOVE_FINANCEABLE, 7 * MILLION)


def test_another_firms_need_does_not_exist_for_a_firm(app: Flask, now: datetime) -> None:
    need = make_need(make_party(now=now), now=now)
    stranger = make_party(now=now)
    with pytest.raises(NotFound):
        needs.find(need.id, by=stranger)
    with pytest.raises(NotFound):
        needs.withdraw(need.id, by=stranger, now=now)


def test_a_person_acts_where_they_hold_roles_and_a_token_acts_as_them(app: Flask, now: datetime) -> None:
    user = make_user(now=now)
    party = make_party(now=now, user=user)
    (place,) = users.parties(user.id)
    assert place.party == party
    row, token = users.issue_token("测试", by=party, now=now)
    assert users.authenticate_token(token, now=now).party == party
    users.revoke_token(row.id, by=party, now=now)
    with pytest.raises(Exception, match="bad_token"):
        users.authenticate_token(token, now=now)


def test_a_purchaser_who_pays_before_the_drawdown_shrinks_what_may_be_drawn(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    need = make_need(
        firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=7 * MILLION, months=9
    )
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    run_due(firm.zone_id, now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    contract_loans.record_payment(
        contract.id, Payment("T0", 4 * MILLION, date(2026, 11, 23)), by=purchaser, now=later
    )
    lock_and_pledge(contract, bank, purchaser, later)
    (loan,) = awards.list_deals(bank)
    with pytest.raises(Invalid) as refused:
        pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    (fault,) = refused.value.faults
    # 70 % of the six million still unpaid is 4,200,000, and seven were to be drawn.
    assert (fault.code, fault.values["most"]) == (Code.ABOVE_FINANCEABLE, 4_200_000_00)


def test_a_proposal_lapses_with_its_need(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    need = make_need(firm, now=now)
    place_bid(need, product, bank, now=now, sealer=sealer)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    proposal = rounds.find_proposal(need.id)
    assert proposal is not None and proposal.state is ProposalState.PROPOSED
    run_due(firm.zone_id, now=now + timedelta(days=20), sealer=sealer)
    proposal = rounds.find_proposal(need.id)
    assert proposal is not None and proposal.state is ProposalState.LAPSED


def test_money_paid_without_a_date_cannot_be_borrowed_on(app: Flask, now: datetime) -> None:
    firm, _, _, purchaser, contract = make_contract_path(now)
    contract_loans.record_payment(contract.id, Payment("T0", 4 * MILLION, None), by=purchaser, now=now)
    with pytest.raises(Invalid) as refused:
        make_need(
            firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=7 * MILLION, months=6
        )
    (fault,) = refused.value.faults
    assert (fault.code, fault.values["most"]) == (Code.ABOVE_FINANCEABLE, 6 * MILLION)
