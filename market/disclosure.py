"""The disclosure sheet (贷款明白纸) as data: every cost with payee, basis, timing and amount.

Model: the pilot of the central bank since 2024-09. The annual cost comes in both forms, each labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market import cashflow
from market.cashflow import LENDER, SUBSIDY, Part
from market.cost import Cost
from market.terms import BridgeTerms, Fee, LeaseTerms, LoanTerms
from market.vocabulary import FeeBasis, FeeTiming


@dataclass(frozen=True, slots=True)
class CostPart:
    """One item of the sheet: ``total`` fen over ``times`` payments; a subsidy's total is negative.

    ``rate`` is per year for interest and per occurrence for fees and subsidies, None for flat amounts.
    """

    part: Part
    name: str
    payee: str
    total: int
    times: int
    rate: Decimal | None = None
    basis: FeeBasis | None = None
    when: FeeTiming | None = None


def parts(cost: Cost) -> tuple[CostPart, ...]:
    """Return the items of a cost, interest first; their totals sum to the total cost."""
    terms, schedule = cost.terms, cost.schedule
    interest = [-flow.amount for flow in schedule.flows if flow.part is Part.INTEREST]
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        items = [CostPart(Part.INTEREST, "", LENDER, sum(interest), len(interest), terms.rate)]
        for item, amounts in cashflow.charged(terms):
            total = sum(amount for _, amount in amounts)
            is_fee = isinstance(item, Fee)
            items.append(
                CostPart(
                    Part.FEE if is_fee else Part.SUBSIDY,
                    item.name,
                    item.payee if isinstance(item, Fee) else SUBSIDY,
                    total if is_fee else -total,
                    len(amounts),
                    item.rate,
                    item.basis if item.rate is not None else None,
                    item.when,
                )
            )
        if isinstance(terms, LeaseTerms) and terms.buyout:
            items.append(CostPart(Part.BUYOUT, "", LENDER, terms.buyout, 1, None, None, FeeTiming.END))
        return tuple(items)
    items = [CostPart(Part.INTEREST, "", LENDER, sum(interest), len(interest))] if interest else []
    items += [
        CostPart(flow.part, flow.name, flow.payee, -flow.amount, 1)
        for flow in schedule.flows
        if flow.part is Part.FEE
    ]
    if not isinstance(terms, BridgeTerms) and not items:
        items.append(CostPart(Part.BARE, "", LENDER, cost.total_cost, 1))
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
        listed.append(row)
    return listed
