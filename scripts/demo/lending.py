"""Lending: loans are drawn and repaid, on time, late, ahead, or no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random

from market.calendar import add_months, local_date
from market.party import Party
from market.vocabulary import LoanState
from models.base import db
from models.loan import Loan
from scripts.demo.cast import Cast, Member
from scripts.demo.demand import Plan
from scripts.demo.timeline import Timeline, at_minute, office_moment, shift
from services import drawdowns, loans

#: How many firms stop paying in each zone.
STOPS = (4, 2)


class Lending:
    """What lender and borrower do with a loan after the award."""

    def __init__(self, cast: Cast, timeline: Timeline, seed: int) -> None:
        self._timeline, self.seed = timeline, seed
        self._by_id: dict[int, Member] = {member.organisation_id: member for member in cast.members.values()}
        self._stops = dict(zip(cast.zone_ids, STOPS, strict=True))
        #: Contract loans are followed by whoever tells the contract's story.
        self.contract_stories: dict[int, Callable[[Loan, datetime], None]] = {}

    def lender(self, loan: Loan) -> Member:
        """Return who lent."""
        return self._by_id[loan.lender_id]

    def follow(self, loan: Loan, plan: Plan, now: datetime) -> None:
        """Plan what happens to a loan that was just approved."""
        if loan.contract_id is not None:
            self.contract_stories[loan.contract_id](loan, now)
            return
        rng = Random(f"{self.seed} loan {loan.id}")
        loan_id, lender = loan.id, self.lender(loan)
        day = shift(local_date(now), rng.choice((1, 1, 2, 2, 3, 4, 5)))
        if rng.random() < 0.05 and plan.lender is None:
            second = lender.second(plan.zone_id)
            self._timeline.at(office_moment(day, rng), lambda now: _cancel(loan_id, second, now))
            return
        self._timeline.at(office_moment(day, rng, 9, 16), lambda now: self.draw(loan_id, rng, now))

    def draw(self, loan_id: int, rng: Random, now: datetime) -> None:
        """Pay a loan out, and let its repayments follow."""
        loan = db.session.get_one(Loan, loan_id)
        lender = self.lender(loan).parties[loan.zone_id]
        loan = drawdowns.ask(loan_id, local_date(now), by=lender, now=now)
        end = local_date(self._timeline.end)
        last_paid = end - timedelta(days=rng.choice((12, 26, 40, 58, 80)))
        runs_on = local_date(now) + timedelta(days=60) < last_paid < add_months(local_date(now), loan.months)
        stops: date | None = None
        if runs_on and self._stops[loan.zone_id] and rng.random() < 0.3:
            self._stops[loan.zone_id] -= 1
            stops = last_paid
        mood = "stops" if stops else rng.choices(("good", "late", "early"), (84, 10, 6))[0]
        self.await_next(loan_id, rng, mood, now, stops=stops)

    def draw_contract_loan(self, loan_id: int, now: datetime, *, pays: bool) -> None:
        """Pay a contract loan out; what the purchaser's payments leave open, the firm pays when it is due."""
        loan = db.session.get_one(Loan, loan_id)
        lender = self.lender(loan)
        drawdowns.ask(loan_id, local_date(now), by=lender.parties[loan.zone_id], now=now)
        waiting = drawdowns.find_waiting(loan_id)
        assert waiting is not None, "a drawdown on a contract waits for a second person"
        drawdowns.confirm(waiting.id, by=lender.second(loan.zone_id), now=now + timedelta(minutes=5))
        stops = None if pays else local_date(now)
        self.await_next(
            loan_id, Random(f"{self.seed} loan {loan_id}"), "good" if pays else "stops", now, stops=stops
        )

    def await_next(
        self, loan_id: int, rng: Random, mood: str, now: datetime, *, stops: date | None = None
    ) -> None:
        """Plan the next repayment of a drawn loan by its mood."""
        loan = db.session.get_one(Loan, loan_id)
        upcoming = loans.next_payment(loan, local_date(now))
        if loan.state is not LoanState.DRAWN or upcoming is None:
            return
        due = upcoming.due_on
        if stops is not None and due > max(stops, local_date(now)):
            # The clock finds out the day after.
            self._watch(loan.zone_id, due)
            return
        day = due
        if mood == "late" and rng.random() < 0.4 and due > local_date(now):
            day = due + timedelta(days=rng.randrange(2, 13))
            self._watch(loan.zone_id, due)
        when = now + timedelta(minutes=40) if day <= local_date(now) else office_moment(day, rng, 9, 16)
        pays_all = mood == "early" and upcoming.due_on > local_date(now) and rng.random() < 0.25
        self._timeline.at(
            when, lambda now: self._repay(loan_id, rng, mood, now, pays_all=pays_all, stops=stops)
        )

    def _repay(
        self,
        loan_id: int,
        rng: Random,
        mood: str,
        now: datetime,
        *,
        pays_all: bool,
        stops: date | None = None,
    ) -> None:
        loan = db.session.get_one(Loan, loan_id)
        upcoming = loans.next_payment(loan, local_date(now))
        if loan.state is not LoanState.DRAWN or upcoming is None:
            return
        if upcoming.due_on > local_date(now) and not pays_all:
            # A purchaser's payment has covered this line meanwhile.
            self.await_next(loan_id, rng, mood, now, stops=stops)
            return
        amount = loans.read_payoff(loan, local_date(now)) if pays_all else upcoming.amount
        reference = f"HK{loan_id:05d}-{len(loan.repayments) + 1:02d}"
        lender = self.lender(loan).parties[loan.zone_id]
        loans.record_repayment(loan_id, amount, local_date(now), reference, by=lender, now=now)
        self.await_next(loan_id, rng, mood, now, stops=stops)

    def _watch(self, zone_id: int, due: date) -> None:
        slot = self._timeline.next_slot(zone_id, at_minute(due + timedelta(days=1), 0))
        if slot is not None:
            self._timeline.tick_at(zone_id, slot)


def _cancel(loan_id: int, by: Party, now: datetime) -> None:
    loans.cancel(loan_id, by=by, now=now)
