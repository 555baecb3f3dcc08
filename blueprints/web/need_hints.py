"""Live hints while a need is being written: how many products fit, at what cost, what would open more."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask import render_template

from blueprints import access, explanations
from blueprints.web import need_answers
from blueprints.web.need_answers import Answers
from market.calendar import local_date
from market.eligibility_fixes import Fix
from market.vocabulary import Purpose, Repayment
from models.contract import Contract
from models.need import Need
from models.product import Product
from services import contracts, examples, fitting, organisations


@dataclass(frozen=True, slots=True)
class Hints:
    """What fits the answers: products with their annual cost range, near misses in words, the nearest fix."""

    count: int
    total: int
    products: tuple[Product, ...]
    lowest: Decimal | None
    highest: Decimal | None
    near: tuple[tuple[Product, str], ...]
    fix: Fix | None

    @property
    def fix_value(self) -> str:
        """Return what to change to, in words."""
        return "" if self.fix is None else explanations.say_fact(self.fix.fact, self.fix.value)

    @property
    def fix_words(self) -> str:
        """Return what the change would open."""
        return "" if self.fix is None else explanations.fix(self.fix)


def find(answers: Answers) -> Hints | None:
    """Return what fits the answers so far; None while there is no amount or tenor to judge by."""
    if not need_answers.is_complete(answers):
        return None
    party, today = access.acting(), local_date(access.now())
    facts = fitting.describe_need(
        organisations.find(int(party.organisation_id or 0)),
        party.zone_id,
        purpose=Purpose(answers["purpose"]),
        amount=answers["amount"],
        months=answers["months"],
        securities=answers["securities"],
        accepts=answers["accepts"],
        contract=_find_contract(answers["contract_id"]),
        repayment=Repayment(answers["repayment"]) if answers["repayment"] else None,
        on=today,
    )
    advice = fitting.advise(facts, party.zone_id)
    priced = examples.price_all(advice.fits, today=today, amount=answers["amount"], months=answers["months"])
    ends = [end for one in priced.values() for end in (one.lowest, one.highest)]
    costs = [end.effective for end in ends if end.effective is not None]
    return Hints(
        count=len(advice.fits),
        total=advice.total,
        products=advice.fits,
        lowest=min(costs, default=None),
        highest=max(costs, default=None),
        near=tuple((fit.product, explanations.condition(fit.failures[0])) for fit in advice.near),
        fix=advice.fix,
    )


def _find_contract(contract_id: int | None) -> Contract | None:
    """Return the contract of the answers; one that is not the firm's to finance hints at nothing."""
    mine = contracts.list_financeable(access.acting()) if contract_id is not None else []
    return next((contract for contract in mine if contract.id == contract_id), None)


def render(answers: Answers, need: Need | None) -> str:
    """Return the hints as a part of a page."""
    return render_template("enterprise/hints.html", hints=find(answers), need=need)
