"""Compensation claims: shared by the agreed list, paid into the loan's book, recovered by the same list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from flask import Flask

from market.claims_vocabulary import ClaimState
from market.errors import Code
from market.lending_vocabulary import Account
from market.party import Party
from market.risk_sharing import RiskSharing, Role, Sharer
from market.vocabulary import LimitScope, LoanState
from models.base import db
from models.claim import CompensationClaim
from models.loan import Guarantee, Loan
from models.product import Product
from services import compensation_claims, guarantee_terms, loan_book, loan_changes, loans
from services.limit_settings import set_limit
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_party, pay_out, place_bid
from tests.services.conftest import Refusing
from tests.services.test_guarantees import LATER, make_bank, make_guarantor, own, used, win

MONDAY = date(2026, 11, 23)
#: Two instalments, of December and January, are late by then.
LATE = datetime(2027, 2, 22, 4, tzinfo=UTC)
NEXT = LATE + timedelta(days=1)
#: 20/20/40/20: national fund, re-guarantor, guarantor, bank.
SHARING = RiskSharing(
    tuple(
        Sharer(name, role, Decimal(share))
        for name, role, share in (
            ("国家融资担保基金", Role.NATIONAL_FUND, "0.2"),
            ("省再担保", Role.RE_GUARANTOR, "0.2"),
            ("担保公司", Role.GUARANTOR, "0.4"),
            ("贷款银行", Role.BANK, "0.2"),
        )
    )
)


@dataclass
class Deal:
    """A guaranteed loan of five million that is paid out, 80 % of it guaranteed."""

    loan_id: int
    bank: Party
    guarantor: Party
    cover: Product

    @property
    def loan(self) -> Loan:
        db.session.rollback()
        db.session.expire_all()
        return db.session.get_one(Loan, self.loan_id)

    @property
    def guarantee(self) -> Guarantee:
        db.session.rollback()
        return db.session.query(Guarantee).filter_by(loan_id=self.loan_id).populate_existing().one()

    def claim(self, amount: int, *, now: datetime = LATE, sharing: RiskSharing | None = SHARING) -> int:
        made = compensation_claims.open_claim(
            self.loan_id, amount, "逾期 61 天", "代偿通知书 7 号", by=self.bank, now=now, sharing=sharing
        )
        return made.id

    def pay(self, claim_id: int, party: str, by: Party, reference: str) -> None:
        share = next(row for row in read(claim_id).shares if row.party == party)
        compensation_claims.record_payment(claim_id, share.id, LATE.date(), reference, by=by, now=LATE)


def read(claim_id: int) -> CompensationClaim:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(CompensationClaim, claim_id)


def make_deal(now: datetime, sealer: Sealer) -> Deal:
    bank, product = make_bank(now)
    guarantor, cover = make_guarantor(now)
    set_limit(own(guarantor), LimitScope.TOTAL, 50 * MILLION, by=guarantor, now=now)
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
    loan = win(need, bid, firm, now=now + LATER, sealer=sealer)
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER)
    return Deal(loan.id, bank, guarantor, cover)


def test_a_repayment_that_is_taken_back_restores_the_guarantee(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    deal = make_deal(now, sealer)
    line = next(row for row in deal.loan.instalments if row.number == 1)
    day = date(2026, 12, 23)
    moment = datetime(2026, 12, 23, 4, tzinfo=UTC)
    amount = line.principal + line.interest + line.fees
    loans.record_repayment(deal.loan_id, amount, day, "R1", by=deal.bank, now=moment)
    # The guarantor's fee of the first day was paid too, so that a part of the principal is left.
    rest = -(-deal.loan.outstanding * 4 // 5)
    assert rest < 4 * MILLION
    assert (used(deal.guarantor), used(deal.guarantor, LimitScope.TOTAL)) == (rest, rest)
    payoff = loans.read_payoff(deal.loan, day)
    loans.record_repayment(deal.loan_id, payoff, day, "R2", by=deal.bank, now=moment)
    assert deal.loan.state is LoanState.REPAID
    assert (used(deal.guarantor), deal.guarantee.ended_at) == (0, moment)
    event_id = deal.loan.repayments[-1].event_id
    loan_changes.undo(event_id, "退票", by=deal.bank, now=moment)
    assert (used(deal.guarantor), used(deal.guarantor, LimitScope.TOTAL)) == (rest, rest)
    assert deal.guarantee.ended_at is None


def test_a_claim_is_shared_by_the_list_and_paid_into_the_book(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    claim_id = deal.claim(5 * MILLION)
    shares = [(row.party, row.amount) for row in read(claim_id).shares]
    assert [amount for _, amount in shares] == [MILLION, MILLION, 2 * MILLION, MILLION]
    with refuses(Code.STALE):
        deal.claim(MILLION)  # one at a time
    with refuses(Code.NOT_FOUND):
        compensation_claims.accept(claim_id, by=deal.bank, now=LATE)
    with refuses(Code.ILLEGAL_MOVE):
        deal.pay(claim_id, "担保公司", deal.bank, "C1")
    compensation_claims.accept(claim_id, by=deal.guarantor, now=LATE)
    with refuses(Code.NOT_FOUND):
        deal.pay(claim_id, "担保公司", deal.guarantor, "C1")
    with refuses(Code.ILLEGAL_MOVE):
        deal.pay(claim_id, "省再担保", deal.guarantor, "C2")
    deal.pay(claim_id, "担保公司", deal.bank, "C1")
    # The guarantor paid the bank all but its share; the guarantee is used up and takes no limit any more.
    assert [(row.source, row.amount) for row in deal.loan.repayments] == [("guarantor", 4 * MILLION)]
    assert (used(deal.guarantor), used(deal.guarantor, LimitScope.TOTAL)) == (0, 0)
    assert (deal.guarantee.ended_at, deal.guarantee.compensated) == (LATE, 4 * MILLION)
    accounts = loan_book.sum_accounts(db.session(), deal.loan_id)
    assert sum(accounts.values()) == 0
    assert Account.COMPENSATED not in accounts
    left = deal.loan.outstanding
    paid = deal.loan.repayments[0]
    assert left == MILLION + paid.interest + paid.fees
    deal.pay(claim_id, "省再担保", deal.guarantor, "C2")
    with refuses(Code.OUT_OF_ORDER, "recovered_on"):
        compensation_claims.record_recovery(claim_id, 1, LATE.date(), "V1", by=deal.bank, now=NEXT)
    # Of 500,000 yuan that the firm pays later each bears its part; the bank's is a receipt of its book.
    compensation_claims.record_recovery(claim_id, MILLION // 2, NEXT.date(), "V1", by=deal.bank, now=NEXT)
    recovered = [row.recovered for row in read(claim_id).shares]
    assert recovered == [MILLION // 10, MILLION // 10, MILLION // 5, MILLION // 10]
    assert [(row.source, row.amount) for row in deal.loan.repayments][1:] == [("borrower", MILLION // 10)]
    assert used(deal.guarantor) == 0
    with refuses(Code.TOO_LARGE, "amount"):
        compensation_claims.record_recovery(claim_id, 5 * MILLION, NEXT.date(), "V2", by=deal.bank, now=NEXT)
    compensation_claims.close(claim_id, by=deal.guarantor, now=LATE)
    with refuses(Code.ILLEGAL_MOVE):
        compensation_claims.record_recovery(claim_id, 1, NEXT.date(), "V3", by=deal.bank, now=NEXT)


def test_a_compensation_that_is_taken_back_is_owed_again_by_the_guarantor(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    deal = make_deal(now, sealer)
    before = (deal.loan.outstanding, used(deal.guarantor), used(deal.guarantor, LimitScope.TOTAL))
    claim_id = deal.claim(MILLION)
    compensation_claims.accept(claim_id, by=deal.guarantor, now=LATE)
    deal.pay(claim_id, "担保公司", deal.bank, "C1")
    # Of a part only that part leaves: what is not claimed stays covered to four fifths.
    covered = deal.loan.outstanding - MILLION // 5
    assert used(deal.guarantor) == min(-(-covered * 4 // 5), 4 * MILLION - MILLION * 4 // 5)
    event_id = read(claim_id).event_id
    assert event_id is not None
    loan_changes.undo(event_id, "退票", by=deal.bank, now=LATE)
    assert (deal.loan.outstanding, used(deal.guarantor), used(deal.guarantor, LimitScope.TOTAL)) == before
    assert read(claim_id).state is ClaimState.ACCEPTED
    deal.pay(claim_id, "担保公司", deal.bank, "C2")
    assert read(claim_id).state is ClaimState.PAID


def test_a_claim_waits_until_the_loan_is_late_enough_and_stays_within_what_is_owed_and_covered(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    with refuses(Code.ILLEGAL_MOVE):
        deal.claim(MILLION, now=now + LATER)
    guarantee_terms.set_terms(
        deal.cover.id,
        loss_cap=Decimal("0.05"),
        claim_after_days=120,
        sharing=None,
        by=deal.guarantor,
        now=now,
    )
    with refuses(Code.TOO_EARLY):
        deal.claim(MILLION)
    guarantee_terms.set_terms(
        deal.cover.id,
        loss_cap=Decimal("0.05"),
        claim_after_days=30,
        sharing=None,
        by=deal.guarantor,
        now=now,
    )
    with refuses(Code.TOO_LARGE, "amount"):
        deal.claim(6 * MILLION)
    # With the interest four fifths of all would be more than the guarantor stands for.
    with refuses(Code.LIMIT_EXCEEDED, "amount"):
        deal.claim(5 * MILLION + 1_000_000)
    greedy = RiskSharing((Sharer("担保公司", Role.GUARANTOR, Decimal(1)),))
    with refuses(Code.TOO_LARGE, "risk_sharing"):
        deal.claim(MILLION, sharing=greedy)
    # Without any list the guarantee makes its own.
    claim_id = deal.claim(MILLION, sharing=None)
    assert [row.amount for row in read(claim_id).shares] == [MILLION * 4 // 5, MILLION // 5]
    # 5 % of the four million that were guaranteed are 200,000 yuan.
    with refuses(Code.LIMIT_EXCEEDED, "loss_cap"):
        compensation_claims.accept(claim_id, by=deal.guarantor, now=LATE)
    compensation_claims.refuse(claim_id, "超过代偿上限", by=deal.guarantor, now=LATE)
    again = deal.claim(MILLION // 4, sharing=None)
    compensation_claims.accept(again, by=deal.guarantor, now=LATE + timedelta(hours=1))
    assert guarantee_terms.sum_portfolio(db.session(), deal.cover.id) == (4 * MILLION, MILLION // 5)
