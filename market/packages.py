"""Packages (组合报价): stacks of loan, covers and subsidies priced on their merged flows, the cheapest first.

The order is effective annual cost, then total cost, then fewest parts, then keys. ``compare`` prices all
stacks; ``cheapest`` finds its first one without those that are proven not to be it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from market import cost
from market.cost import Cost
from market.covers import Bearer, Cover
from market.package_offers import LeftOut, LoanOffer, SubsidyOffer
from market.risk_sharing import Note, RiskSharing
from market.stacks import PartKind, Stack, build, choose, cover_sets, refuse_too_many
from market.terms import LeaseTerms, LoanTerms


@dataclass(frozen=True, slots=True)
class Step:
    """What one part adds to the cost of all that stands before it (the bare loan first).

    ``points`` is a difference of effective annual costs (``Decimal("0.0106")`` is 1.06 points), None where
    either has none; ``amount`` fen of total cost, negative for a subsidy.
    """

    kind: PartKind
    key: str
    party: str
    points: Decimal | None
    amount: int


@dataclass(frozen=True)
class Package:
    """A priced stack: ``cost`` is that of the merged flows, ``bare`` that of the loan as offered.

    ``costs`` are those of the stages of the stack, the bare loan's first and the package's last.
    """

    stack: Stack
    costs: tuple[Cost, ...]

    @property
    def cost(self) -> Cost:
        """Return the cost of the whole package."""
        return self.costs[-1]

    @property
    def bare(self) -> Cost:
        """Return the cost of the loan without any part beside it."""
        return self.costs[0]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return what each part adds, in the order of ``Stack.additions``; the amounts sum to the rise."""
        return tuple(
            Step(
                part.kind,
                part.key,
                part.party,
                _difference(after, before),
                after.total_cost - before.total_cost,
            )
            for part, before, after in zip(self.stack.additions, self.costs, self.costs[1:], strict=False)
        )

    @property
    def risk(self) -> RiskSharing:
        """Return who bears which share of a loss, to 100 %."""
        return self.stack.risk

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what is unusual about the risk-sharing list."""
        return self.risk.notes()

    @cached_property
    def payees(self) -> tuple[tuple[str, int], ...]:
        """The total cost split by who keeps the money: what a provider hands on to its backers is theirs.

        The split by payee of ``cost`` says whom the firm pays; this one sums to the same total.
        """
        sums, whole = dict(self.cost.breakdown), self.cost.terms
        assert isinstance(whole, (LoanTerms, LeaseTerms)), "a package is a loan or a lease"
        for covering in self.stack.covers:
            cover, terms = covering.cover, self.stack.loan.terms
            for backer, fees in cover.backer_charges(terms, covering.share, Bearer.PROVIDER):
                # The engine itself says what the backer's fee comes to: by how much it would be dearer.
                more = cost.price(replace(whole, fees=whole.fees + fees)).total_cost - self.cost.total_cost
                sums[cover.provider] = sums.get(cover.provider, 0) - more
                sums[backer.name] = sums.get(backer.name, 0) + more
        return tuple(sums.items())

    @property
    def order(self) -> tuple[Decimal, int, int, tuple[str, ...], tuple[Decimal, ...]]:
        """Return what packages with a rate are ordered by."""
        assert self.cost.effective is not None, "what has no rate is not ranked"
        shares = tuple(covering.share for covering in self.stack.covers)
        return self.cost.effective, self.cost.total_cost, self.stack.size, self.stack.keys, shares


@dataclass(frozen=True, slots=True)
class Comparison:
    """All packages of a loan: ``ranked``, the cheapest first, those without a rate, and what was left out."""

    ranked: tuple[Package, ...]
    unranked: tuple[Package, ...]
    left_out: tuple[LeftOut, ...]


def compare(
    loan: LoanOffer,
    covers: Sequence[Cover] = (),
    subsidies: Sequence[SubsidyOffer] = (),
    *,
    as_of: date | None = None,
) -> Comparison:
    """Price every feasible stack, and every stage of it, in one batch.

    ``as_of`` is as in ``market.cost.price``. Raises ``Invalid`` as ``market.stacks.build`` does.
    """
    built = build(loan, covers, subsidies)
    packages = _price(built.stacks, as_of)
    ranked = sorted((one for one in packages if one.cost.effective is not None), key=lambda one: one.order)
    unranked = tuple(one for one in packages if one.cost.effective is None)
    return Comparison(tuple(ranked), unranked, built.left_out)


def cheapest(
    loan: LoanOffer,
    covers: Sequence[Cover] = (),
    subsidies: Sequence[SubsidyOffer] = (),
    *,
    as_of: date | None = None,
) -> Package | None:
    """Return the first package of ``compare``, None where none has a rate, pricing far fewer stacks.

    With a set of covers, only the fullest sets of subsidies are priced as long as their flows are plain:
    first received, then only paid. The present value of plain flows has one root and rises with the rate;
    a subsidy that the firm receives only adds to it, and so can only lower the root, and it lowers the
    total cost. Where the fullest sets are not plain (a subsidy larger than what falls due with it), every
    set of subsidies is priced. Parts that bring nothing at all are left out of the answer, as a package
    of fewer parts comes first.
    """
    sets, _ = cover_sets(loan, covers, subsidies)
    choices = [(chosen, choose(loan, chosen, subsidies)) for chosen in sets]
    fullest = [Stack(loan, chosen, granted) for chosen, choice in choices for granted in choice.fullest()]
    refuse_too_many(len(fullest))
    priced = _price_last(fullest, as_of)
    crooked = {stack.covers for stack, whole in zip(fullest, priced, strict=True) if not _is_plain(whole)}
    rest = [
        Stack(loan, chosen, granted)
        for chosen, choice in choices
        if chosen in crooked
        for granted in choice.every()
    ]
    refuse_too_many(len(fullest) + len(rest))
    found = list(zip(fullest, priced, strict=True)) + list(zip(rest, _price_last(rest, as_of), strict=True))
    rates = [(whole.effective, whole.total_cost) for _, whole in found if whole.effective is not None]
    if not rates:
        return None
    best = min(rates)
    tied = [stack for stack, whole in found if (whole.effective, whole.total_cost) == best]
    lean = {(stack.covers, stack.keys): stack for stack in _strip(tied, best[1], as_of)}
    return min(_price(list(lean.values()), as_of), key=lambda package: package.order)


def _strip(stacks: Sequence[Stack], total: int, as_of: date | None) -> list[Stack]:
    """Leave out every subsidy of choice that brings no fen; what one brings does not depend on others."""
    without = [
        (
            place,
            granted,
            Stack(stack.loan, stack.covers, tuple(g for g in stack.subsidies if g is not granted)),
        )
        for place, stack in enumerate(stacks)
        for granted in stack.subsidies
        if not granted.offer.automatic
    ]
    costs = _price_last([stack for _, _, stack in without], as_of)
    idle = {
        (place, granted.offer.key)
        for (place, granted, _), whole in zip(without, costs, strict=True)
        if whole.total_cost == total
    }
    return [
        Stack(
            stack.loan,
            stack.covers,
            tuple(granted for granted in stack.subsidies if (place, granted.offer.key) not in idle),
        )
        for place, stack in enumerate(stacks)
    ]


def _is_plain(whole: Cost) -> bool:
    """Say whether a cost comes of flows that are first received and then only paid, at a rate."""
    sums: dict[object, int] = {}
    for flow in whole.schedule.flows:
        sums[flow.month] = sums.get(flow.month, 0) + flow.amount
    # A schedule's flows stand in order of time.
    moved = [amount for amount in sums.values() if amount]
    return whole.effective is not None and moved[0] > 0 and all(amount < 0 for amount in moved[1:])


def _price(stacks: Sequence[Stack], as_of: date | None) -> list[Package]:
    """Price all stages of all stacks in one batch; stages that several stacks share are priced once."""
    listed = list(dict.fromkeys(terms for stack in stacks for terms in stack.stages))
    costs = dict(zip(listed, cost.price_many(listed, as_of=as_of), strict=True))
    return [Package(stack, tuple(costs[terms] for terms in stack.stages)) for stack in stacks]


def _price_last(stacks: Iterable[Stack], as_of: date | None) -> list[Cost]:
    return cost.price_many([stack.terms for stack in stacks], as_of=as_of)


def _difference(after: Cost, before: Cost) -> Decimal | None:
    if after.effective is None or before.effective is None:
        return None
    return after.effective - before.effective
