"""Contract loans: the story of each government contract, up the ladder as far as it goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import select

from market.calendar import local_date
from market.contract_loan import has_reached
from market.vocabulary import LIVE_LOANS, AlertKind, ContractStage, Purpose, Security
from models.base import db
from models.contract import Contract
from models.loan import Loan
from scripts.demo.cast import WAN, Cast, Member, read_table
from scripts.demo.dealing import Dealing
from scripts.demo.demand import Fate, Plan
from scripts.demo.lending import Lending
from scripts.demo.timeline import Deed, Timeline, at_minute, shift
from services import alerts, contract_loans, contract_steps, contracts, needs

_HOUR = 60
_SOON = timedelta(minutes=20)
_ANSWERS = {
    AlertKind.WRONG_ACCOUNT: "采购人财务已退回并承诺改付监管账户，供应商已补足还款",
    AlertKind.OVERPAID: "已核对：多付部分为增补合同价款，随附补充协议",
}


def play(cast: Cast, timeline: Timeline, dealing: Dealing, lending: Lending, seed: int) -> None:
    """Put the story of every contract of the table on the timeline."""
    for number, row in enumerate(read_table("contracts"), start=1):
        story = Story(cast, timeline, dealing, lending, row, number, Random(f"{seed} contract {number}"))
        timeline.at(at_minute(story.start, 10 * _HOUR + number), story.register)


class Story:
    """One contract: from its registration to the rung it has reached on the last day."""

    def __init__(
        self,
        cast: Cast,
        timeline: Timeline,
        dealing: Dealing,
        lending: Lending,
        row: dict[str, str],
        number: int,
        rng: Random,
    ) -> None:
        self._cast, self._timeline, self._dealing, self._lending = cast, timeline, dealing, lending
        self._row, self._number, self._rng = row, number, rng
        self.start = shift(local_date(timeline.end), -int(row["back"]))
        self._supplier = cast.members[row["supplier"]]
        self._purchaser = cast.members[row["purchaser"]]
        # Whom the supplier would like to borrow from; once a loan is approved, who did lend.
        self._lender = cast.members.get(row["lender"])
        self._zone_id = next(iter(self._purchaser.parties))
        self._goal = ContractStage(row["goal"])
        self._flags = row["flags"].split()
        self._plan = self._write_plan()
        self._contract_id = 0
        self._account = f"6217 9900 {number:04d} {rng.randrange(10_000):04d} {rng.randrange(1000):03d}"

    def register(self, now: datetime) -> None:
        """The supplier enters the signed contract, files it, and asks for money on it."""
        by = self._supplier.parties[self._zone_id]
        amount = int(self._row["amount_wan"]) * WAN
        entry = contracts.Entry(
            process_id=f"CG-{self.start.year}-{self._number:04d}",
            number=f"HT{self.start:%Y%m%d}-{self._number:02d}",
            title=self._row["title"],
            amount=amount,
            purchaser_code=self._purchaser.code,
            supplier_code=self._supplier.code,
            signed_on=self.start - timedelta(days=2),
            ends_on=self._plan[-1][0],
            retention=amount * int(self._row["retention_pct"]) // 100,
            payment_days=int(self._row["payment_days"]),
            plan=self._plan,
        )
        self._contract_id = contracts.register(entry, by=by, now=now).id
        if self._goal is ContractStage.SIGNED:
            # These wait for their purchaser to confirm them.
            return
        contracts.confirm(self._contract_id, by=self._purchaser.parties[self._zone_id], now=now + _SOON)
        self._step(3, ContractStage.FILED, self._supplier, f"备案编号 BA{self.start:%Y}{self._number:04d}")
        if has_reached(self._goal, ContractStage.INTENT):
            self._timeline.at(at_minute(shift(self.start, 6), 10 * _HOUR + 5), self._ask)

    def _ask(self, now: datetime) -> None:
        contract = db.session.get_one(Contract, self._contract_id)
        amount = ((contract.amount or 0) - contract.retention) * 60 // 100 // (10 * WAN) * (10 * WAN)
        months = max((self._plan[-1][0] - self.start).days // 30 + 1, 3)
        draft = needs.Draft(
            purpose=Purpose.CONTRACT,
            amount=min(amount, 950 * WAN),
            # The retention comes long after the loan is repaid.
            months=min(months, 6),
            description=f"凭合同备货与交付：{self._row['title']}",
            securities=(Security.RECEIVABLE_PLEDGE,),
            contract_id=contract.id,
            minimum_bids=2,
            shows_name=True,
        )
        closes = at_minute(shift(self.start, 9), 16 * _HOUR)
        self._lending.contract_stories[contract.id] = self._approved
        plan = Plan(
            firm=self._supplier,
            zone_id=self._zone_id,
            draft=draft,
            published=now + timedelta(minutes=30),
            closes=closes,
            fate=Fate.ACCEPT,
            answers=self._rng.randrange(3, 6),
            must=(self._lender.slug,) if self._lender else (),
            lender=self._lender.slug if self._lender else None,
            decided=at_minute(shift(self.start, 10), 15 * _HOUR + 10),
            rng=self._rng,
        )
        self._dealing.play(plan)

    def _approved(self, loan: Loan, now: datetime) -> None:
        """Lock, pledge, drawdown: a day or two apart, each only if the story goes that far."""
        lender, loan_id = self._lending.lender(loan), loan.id
        self._lender = lender
        if has_reached(self._goal, ContractStage.ACCOUNT_LOCKED):
            self._at(12, 10, self._lock)
        if has_reached(self._goal, ContractStage.ACCOUNT_LOCKED) and "unconfirmed" not in self._flags:
            self._at(13, 11, self._confirm_lock)
        if has_reached(self._goal, ContractStage.PLEDGE_REGISTERED):
            self._step(14, ContractStage.PLEDGE_REGISTERED, lender, "动产融资统一登记证明")
        if has_reached(self._goal, ContractStage.DRAWN):
            self._at(15, 10, lambda now: self._draw(loan_id, now))

    def _lock(self, now: datetime) -> None:
        assert self._lender is not None
        contract_steps.record(
            self._contract_id,
            ContractStage.ACCOUNT_LOCKED,
            local_date(now),
            by=self._lender.parties[self._zone_id],
            now=now,
            evidence=f"三方账户监管协议 JG{self._number:04d}",
            payee_account=self._account,
            payee_bank=self._lender.name_zh,
        )

    def _confirm_lock(self, now: datetime) -> None:
        waiting = [
            step
            for step in contracts.list_pending_steps(self._cast.officers[self._zone_id])
            if step.contract_id == self._contract_id
        ]
        contract_steps.confirm(waiting[0].id, by=self._purchaser.parties[self._zone_id], now=now)

    def _draw(self, loan_id: int, now: datetime) -> None:
        assert self._lender is not None
        self._lending.draw_contract_loan(loan_id, now, pays="late" not in self._flags)
        for number, (due, amount) in enumerate(self._plan, start=1):
            late = ("late" in self._flags) or ("late2" in self._flags and number > 1)
            if late:
                self._watch(due)
                return
            self._pay_at(due, number, amount)

    def _pay_at(self, due: date, number: int, amount: int) -> None:
        when = at_minute(due, 14 * _HOUR + self._number)
        self._timeline.at(when, lambda now: self._pay(number, amount, now))

    def _pay(self, number: int, amount: int, now: datetime) -> None:
        """The purchaser pays; sometimes not where it should, or too much, or without saying when."""
        contract = db.session.get_one(Contract, self._contract_id)
        last = number == 2
        wrong, too_much = "wrong" in self._flags and last, "overpaid" in self._flags and last
        payment = contract_loans.Payment(
            transaction_id=f"ZF{local_date(now):%Y%m%d}{self._number:03d}{number}",
            amount=amount + (contract.amount or 0) // 8 if too_much else amount,
            paid_on=local_date(now),
            payee_account="6217 9900 0000 0000 001" if wrong else contract.payee_account,
            payer=self._purchaser.name_zh,
            payee=self._supplier.name_zh,
        )
        by = self._purchaser.parties[self._zone_id]
        if "undated" in self._flags and number == 1:
            undated = contract_loans.Payment(
                f"{payment.transaction_id}-0", 5 * WAN, None, payer=payment.payer, payee=payment.payee
            )
            contract_loans.record_payment(contract.id, undated, by=by, now=now)
        contract_loans.record_payment(contract.id, payment, by=by, now=now)
        if "resolved" in self._flags and (wrong or too_much):
            later = shift(local_date(now), 2)
            self._timeline.at(at_minute(later, 16 * _HOUR + self._number), self._resolve)
        if contract.stage is ContractStage.REPAID:
            self._release(now)

    def _resolve(self, now: datetime) -> None:
        """The officer follows an alert up and says what came of it."""
        officer = self._cast.officers[self._zone_id]
        for alert in alerts.list_for_contract(self._contract_id, by=officer):
            if alert.resolved_at is None and alert.kind in _ANSWERS:
                alerts.resolve(alert.id, _ANSWERS[alert.kind], by=officer, now=now)

    def _release(self, now: datetime) -> None:
        assert self._lender is not None
        today = local_date(now)
        for days, stage, evidence in (
            (2, ContractStage.PLEDGE_CANCELLED, "登记注销证明"),
            (4, ContractStage.UNLOCKED, "账户解除监管通知书"),
        ):
            if has_reached(self._goal, stage):
                when = at_minute(shift(today, days), 10 * _HOUR + self._number)
                self._climb_at(when, stage, self._lender, evidence)

    def _climb_at(self, when: datetime, stage: ContractStage, by: Member, evidence: str) -> None:
        self._timeline.at(when, lambda now: self._climb(stage, by, evidence, now))

    def _step(self, days: int, stage: ContractStage, by: Member, evidence: str) -> None:
        self._at(days, 11, lambda now: self._climb(stage, by, evidence, now))

    def _climb(self, stage: ContractStage, by: Member, evidence: str, now: datetime) -> None:
        if stage is ContractStage.PLEDGE_CANCELLED and _owes(self._contract_id):
            return
        pledges = stage is ContractStage.PLEDGE_REGISTERED
        contract_steps.record(
            self._contract_id,
            stage,
            local_date(now),
            by=by.parties[self._zone_id],
            now=now,
            evidence=evidence,
            pledge_number=f"DJ{self.start:%Y%m%d}{self._number:06d}" if pledges else None,
            pledge_expires_on=local_date(now) + timedelta(days=730) if pledges else None,
        )

    def _at(self, days: int, hour: int, deed: Deed) -> None:
        self._timeline.at(at_minute(shift(self.start, days), hour * _HOUR + self._number), deed)

    def _watch(self, due: date) -> None:
        slot = self._timeline.next_slot(self._zone_id, at_minute(due + timedelta(days=1), 1))
        if slot is not None:
            self._timeline.tick_at(self._zone_id, slot)

    def _write_plan(self) -> list[tuple[date, int]]:
        amount = int(self._row["amount_wan"]) * WAN
        rows = [part.split(":") for part in self._row["plan"].split()]
        return [(self.start + timedelta(days=int(days)), amount * int(share) // 100) for days, share in rows]


def _owes(contract_id: int) -> bool:
    unpaid = select(Loan.id).where(Loan.contract_id == contract_id, Loan.state.in_(LIVE_LOANS))
    return db.session.scalar(unpaid.limit(1)) is not None
