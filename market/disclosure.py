"""The disclosure sheet (贷款明白纸) as data: every cost with payee, basis, timing and amount.

Model: the pilot of the central bank since 2024-09. The annual cost comes in both forms, each labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market import cashflow, short_terms
from market.cost import Cost
from market.schedule import SUBSIDY, Part
from market.terms import (
    LENDER,
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Subsidy,
)
from market.vocabulary import FeeBasis, FeeTiming


@dataclass(frozen=True, slots=True)
class CostPart:
    """One item of the sheet: ``total`` fen over ``times`` payments; a subsidy's total is negative.

    ``rate`` is per year for interest (per day for a bridge loan) and per occurrence for fees and
    subsidies, None for flat amounts; ``share`` is the part of the basis that it is taken of. ``steps`` are
    the (month, rate) pairs of an interest that changes (of days for a bridge loan). ``from_month``
    is when a charge begins, ``lag_months`` how much later a subsidy is paid. ``held`` fen are
    paid in and given back: no cost by themselves, but money that the firm does not have.
    """

    part: Part
    name: str
    payee: str
    total: int
    times: int
    rate: Decimal | None = None
    basis: FeeBasis | None = None
    when: FeeTiming | None = None
    share: Decimal = Decimal(1)
    steps: tuple[tuple[int, Decimal], ...] = ()
    from_month: int = 0
    lag_months: int = 0
    held: int = 0


def parts(cost: Cost) -> tuple[CostPart, ...]:
    """Return the items of a cost, interest first; their totals sum to the total cost."""
    terms = short_terms.covered_loan(cost.terms) if isinstance(cost.terms, CoverTerms) else cost.terms
    if isinstance(terms, FlowTerms):
        return (CostPart(Part.BARE, "", LENDER, cost.total_cost, 1),)
    interest = [-flow.amount for flow in cost.schedule.flows if flow.part is Part.INTEREST]
    if not isinstance(terms, (LoanTerms, LeaseTerms)):
        rate = terms.daily_rate if isinstance(terms, BridgeTerms) else terms.rate
        steps = terms.steps if isinstance(terms, BridgeTerms) else ()
        first = CostPart(Part.INTEREST, "", LENDER, sum(interest), len(interest), rate, steps=steps)
        return (first, *_list_short_fees(terms, cost))
    items = []
    if interest or not isinstance(cost.terms, CoverTerms):
        items.append(
            CostPart(
                Part.INTEREST,
                "",
                LENDER,
                sum(interest),
                len(interest),
                terms.rate,
                steps=terms.rate_steps,
            )
        )
    items += [
        _describe(item, sum(amount for _, amount in amounts), len(amounts))
        for item, amounts in cashflow.charged(terms)
    ]
    if isinstance(terms, LeaseTerms) and terms.buyout:
        items.append(CostPart(Part.BUYOUT, "", LENDER, terms.buyout, 1, when=FeeTiming.END))
    held = sum(flow.amount for flow in cost.schedule.flows if flow.part is Part.DEPOSIT and flow.amount > 0)
    if held:
        items.append(
            CostPart(
                Part.DEPOSIT,
                "",
                terms.deposit_holder,
                0,
                2,
                terms.deposit,
                FeeBasis.PRINCIPAL,
                FeeTiming.UPFRONT,
                held=held,
            )
        )
    return tuple(items)


def list_parts(cost: Cost) -> list[dict[str, Any]]:
    """Return the items as JSON values: totals in fen, rates as strings, absent facts left out."""
    listed = []
    for item in parts(cost):
        row: dict[str, Any] = {
            "part": item.part.value,
            "payee": item.payee,
            "total": item.total,
            "times": item.times,
        }
        if item.name:
            row["name"] = item.name
        if item.rate is not None:
            row["rate"] = f"{item.rate:f}"
        if item.basis is not None:
            row["basis"] = item.basis.value
        if item.when is not None:
            row["when"] = item.when.value
        if item.share != 1:
            row["share"] = f"{item.share:f}"
        if item.steps:
            row["steps"] = [[month, f"{rate:f}"] for month, rate in item.steps]
        row |= {
            name: value
            for name in ("from_month", "lag_months", "held")
            if (value := getattr(item, name)) != 0
        }
        listed.append(row)
    return listed


def _describe(item: Fee | Subsidy, total: int, times: int) -> CostPart:
    is_fee = isinstance(item, Fee)
    return CostPart(
        Part.FEE if is_fee else Part.SUBSIDY,
        item.name,
        item.payee if isinstance(item, Fee) else SUBSIDY,
        total if is_fee else -total,
        times,
        item.rate,
        item.basis if item.rate is not None else None,
        item.when,
        item.part if item.rate is not None else Decimal(1),
        (),
        item.from_month,
        0 if isinstance(item, Fee) else item.lag_months,
    )


def _list_short_fees(terms: BillTerms | FactoringTerms | BridgeTerms, cost: Cost) -> list[CostPart]:
    """Return the fees of what counts in days, the one that a bill keeps back by days first."""
    listed = [_describe(fee, amount, 1) for fee, _, amount in short_terms.list_fees(terms)]
    if isinstance(terms, BillTerms) and terms.fee_rate:
        fees = -sum(flow.amount for flow in cost.schedule.flows if flow.part is Part.FEE)
        own = fees - sum(item.total for item in listed)
        rate, when = terms.fee_rate, FeeTiming.UPFRONT
        listed.insert(0, CostPart(Part.FEE, "", LENDER, own, 1, rate, FeeBasis.PRINCIPAL, when))
    return listed
