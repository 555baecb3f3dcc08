"""Stacks (组合报价): a loan offer with the covers and subsidies that may go with it, all feasible ones.

At most one guarantee and one insurance stand beside a loan, together covering no more than the whole of
it; of subsidies that exclude each other at most one counts. Whatever fits nowhere is named with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import product
from math import prod

from market.covers import Bearer, Cover
from market.errors import Code, invalid
from market.package_offers import (
    CoverUse,
    LeftOut,
    LoanOffer,
    Obstacle,
    SubsidyOffer,
    find_obstacle,
    find_subsidy_obstacle,
    refuse_impossible,
)
from market.risk_sharing import RiskSharing, Sharer
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import CoverKind

#: More stacks than this are refused: nobody compares them, and they grow with every power of two.
MOST_STACKS = 10_000


class PartKind(StrEnum):
    """What is added to a loan."""

    GUARANTEE = "guarantee"
    INSURANCE = "insurance"
    RE_GUARANTEE = "re_guarantee"
    SUBSIDY = "subsidy"


@dataclass(frozen=True, slots=True)
class Covering:
    """A cover and the share of the loan that it takes."""

    cover: Cover
    share: Decimal


@dataclass(frozen=True, slots=True)
class Granted:
    """A subsidy as it counts in one stack."""

    offer: SubsidyOffer
    subsidy: Subsidy


@dataclass(frozen=True, slots=True)
class Addition:
    """What one part adds to the terms of a loan; ``deposit`` is a share of the principal."""

    kind: PartKind
    key: str
    party: str
    fees: tuple[Fee, ...] = ()
    deposit: Decimal = Decimal(0)
    subsidies: tuple[Subsidy, ...] = ()


@dataclass(frozen=True)
class Stack:
    """One feasible package: the loan, its covers (a guarantee first), its subsidies in order of keys."""

    loan: LoanOffer
    covers: tuple[Covering, ...] = ()
    subsidies: tuple[Granted, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the loan and of every part, in order."""
        return (
            self.loan.key,
            *(covering.cover.key for covering in self.covers),
            *(granted.offer.key for granted in self.subsidies),
        )

    @property
    def size(self) -> int:
        """Return how many parts stand beside the loan."""
        return len(self.covers) + len(self.subsidies)

    @cached_property
    def additions(self) -> tuple[Addition, ...]:
        """What the parts add, in the order in which their marginal cost is stated.

        First each cover, followed by the re-guarantees that the firm pays on top, then each subsidy.
        """
        terms, listed = self.loan.terms, []
        for covering in self.covers:
            cover, share = covering.cover, covering.share
            kind, deposit = PartKind(cover.kind.value), cover.deposit * share
            fees = cover.charges(terms, share)
            listed.append(Addition(kind, cover.key, cover.provider, fees, deposit))
            for backer, charged in cover.backer_charges(terms, share, Bearer.FIRM):
                listed.append(Addition(PartKind.RE_GUARANTEE, cover.key, backer.name, charged))
        for granted in self.subsidies:
            name, own = granted.subsidy.name, (granted.subsidy,)
            listed.append(Addition(PartKind.SUBSIDY, granted.offer.key, name, subsidies=own))
        return tuple(listed)

    @cached_property
    def stages(self) -> tuple[LoanTerms | LeaseTerms, ...]:
        """The terms of the bare loan, then with one addition more each time; the last are the package's."""
        stages = [self.loan.terms]
        for addition in self.additions:
            terms = replace(
                stages[-1],
                fees=stages[-1].fees + addition.fees,
                subsidies=stages[-1].subsidies + addition.subsidies,
            )
            if addition.deposit:
                total = terms.deposit + addition.deposit
                terms = replace(terms, deposit=total, deposit_holder=addition.party)
            stages.append(terms)
        return tuple(stages)

    @property
    def terms(self) -> LoanTerms | LeaseTerms:
        """Return the merged terms."""
        return self.stages[-1]

    @property
    def covered(self) -> Decimal:
        """Return the share of the loan that is covered."""
        return sum((covering.share for covering in self.covers), Decimal(0))

    @cached_property
    def risk(self) -> RiskSharing:
        """Who bears which share of a loss, to 100 %: the lender keeps what nobody covers."""
        shares = {name: sharer for name, sharer in [(self.loan.lender, self._lender())] if sharer.share}
        for covering in self.covers:
            for sharer in covering.cover.bearers(covering.share):
                # A party that stands behind two covers bears the sum of both shares.
                known = shares.get(sharer.name, replace(sharer, share=Decimal(0)))
                shares[sharer.name] = replace(known, share=known.share + sharer.share)
        return RiskSharing(tuple(shares.values()))

    def _lender(self) -> Sharer:
        return Sharer(self.loan.lender, self.loan.role, 1 - self.covered)


@dataclass(frozen=True, slots=True)
class Built:
    """The feasible stacks, and what goes into none of them."""

    stacks: tuple[Stack, ...]
    left_out: tuple[LeftOut, ...]


def build(loan: LoanOffer, covers: Sequence[Cover] = (), subsidies: Sequence[SubsidyOffer] = ()) -> Built:
    """Return every feasible stack: each set of covers with each set of subsidies that goes with it.

    A cover takes the least share that serves, as its fee grows with it: its own least or what the lender
    asks for. Two covers start from their own least; what the lender still lacks is made up by the
    guarantee first in one stack, by the insurance first in another. Raises ``Invalid`` for values that
    cannot be (each fault with its path) and for more than ``MOST_STACKS`` stacks (too_large).
    """
    sets, left_out = cover_sets(loan, covers, subsidies)
    choices = [choose(loan, chosen, subsidies) for chosen in sets]
    refuse_too_many(sum(choice.count for choice in choices))
    stacks = [
        Stack(loan, chosen, granted)
        for chosen, choice in zip(sets, choices, strict=True)
        for granted in choice.every()
    ]
    used = {key for stack in stacks for key in stack.keys}
    left_out += [_why_not(loan, offer) for offer in subsidies if offer.key not in used]
    return Built(tuple(stacks), tuple(left_out))


def refuse_too_many(count: int) -> None:
    """Raise ``Invalid`` (too_large) for more stacks than are compared."""
    if count > MOST_STACKS:
        raise invalid(Code.TOO_LARGE, "packages", value=count, most=MOST_STACKS)


@dataclass(frozen=True, slots=True)
class Choice:
    """The subsidies that go with one set of covers: ``fixed`` come by themselves, of ``groups`` one each."""

    fixed: tuple[Granted, ...]
    groups: tuple[tuple[Granted, ...], ...]

    @property
    def count(self) -> int:
        """Return how many sets of subsidies there are."""
        return prod(len(group) + 1 for group in self.groups)

    def every(self) -> Iterator[tuple[Granted, ...]]:
        """Yield every set of subsidies, in order of keys within each."""
        yield from self._sets([(None, *group) for group in self.groups])

    def fullest(self) -> Iterator[tuple[Granted, ...]]:
        """Yield the sets to which nothing can be added: one of every group."""
        yield from self._sets(self.groups)

    def _sets(self, groups: Sequence[Sequence[Granted | None]]) -> Iterator[tuple[Granted, ...]]:
        for picked in product(*groups):
            chosen = [*self.fixed, *(granted for granted in picked if granted is not None)]
            yield tuple(sorted(chosen, key=lambda granted: granted.offer.key))


def cover_sets(
    loan: LoanOffer, covers: Sequence[Cover], subsidies: Sequence[SubsidyOffer] = ()
) -> tuple[list[tuple[Covering, ...]], list[LeftOut]]:
    """Return the sets of covers that a loan can have (without any, if it can), and the covers left out.

    Raises ``Invalid`` for offers that cannot be.
    """
    refuse_impossible(loan, covers, subsidies)
    need = loan.cover
    reasons: dict[str, LeftOut] = {}
    fit: list[Cover] = []
    sets: list[tuple[Covering, ...]] = [()] if need.use is not CoverUse.REQUIRED else []
    for cover in covers:
        obstacle = find_obstacle(loan, cover)
        if obstacle is not None:
            reasons[cover.key] = obstacle
            continue
        fit.append(cover)
        alone = (Covering(cover, max(cover.least_share, need.least)),)
        if alone[0].share > cover.most_share:
            values = {"share": cover.most_share, "least": need.least}
            reasons[cover.key] = LeftOut(cover.key, Obstacle.SHARE_TOO_SMALL, values)
        elif (clash := _find_clash(loan, alone)) is not None:
            reasons[cover.key] = clash
        else:
            sets.append(alone)
    for guarantee in (cover for cover in fit if cover.kind is CoverKind.GUARANTEE):
        for insurance in (cover for cover in fit if cover.kind is CoverKind.INSURANCE):
            sets += _pair(loan, guarantee, insurance)
    # What is too little by itself may still do beside another.
    used = {covering.cover.key for chosen in sets for covering in chosen}
    return sets, [why for key, why in reasons.items() if key not in used]


def choose(loan: LoanOffer, chosen: tuple[Covering, ...], subsidies: Iterable[SubsidyOffer]) -> Choice:
    """Return the subsidies that go with a set of covers."""
    fixed: list[Granted] = []
    groups: dict[tuple[str, str], list[Granted]] = {}
    for offer in subsidies:
        granted = _grant(offer, chosen)
        if granted is None or find_subsidy_obstacle(loan, offer) is not None:
            continue
        if offer.automatic:
            fixed.append(granted)
        else:
            # What excludes nothing is a group of its own.
            name = ("key", offer.key) if offer.group is None else ("group", offer.group)
            groups.setdefault(name, []).append(granted)
    return Choice(tuple(fixed), tuple(tuple(group) for group in groups.values()))


def _pair(loan: LoanOffer, guarantee: Cover, insurance: Cover) -> list[tuple[Covering, ...]]:
    """Return the ways in which two covers serve a loan together: none, one, or one for each going first."""
    lacking = max(loan.cover.least - guarantee.least_share - insurance.least_share, Decimal(0))
    room = {cover: cover.most_share - cover.least_share for cover in (guarantee, insurance)}
    found: list[tuple[Covering, ...]] = []
    for first, second in ((guarantee, insurance), (insurance, guarantee)):
        more = {first: min(lacking, room[first])}
        more[second] = lacking - more[first]
        pair = tuple(Covering(cover, cover.least_share + more[cover]) for cover in (guarantee, insurance))
        covered = sum((covering.share for covering in pair), Decimal(0))
        possible = more[second] <= room[second] and covered <= 1
        if possible and pair not in found and _find_clash(loan, pair) is None:
            found.append(pair)
    return found


def _find_clash(loan: LoanOffer, chosen: Sequence[Covering]) -> LeftOut | None:
    """Return why deposits do not go together: terms know one holder, and no more than the whole loan."""
    total, holder = loan.terms.deposit, loan.terms.deposit_holder if loan.terms.deposit else None
    for covering in chosen:
        cover = covering.cover
        if not cover.deposit:
            continue
        if holder is not None and holder != cover.provider:
            values = {"holder": holder, "other": cover.provider}
            return LeftOut(cover.key, Obstacle.TWO_DEPOSIT_HOLDERS, values)
        total, holder = total + cover.deposit * covering.share, cover.provider
        if total > 1:
            return LeftOut(cover.key, Obstacle.DEPOSIT_TOO_LARGE, {"share": total})
    return None


def _grant(offer: SubsidyOffer, chosen: Sequence[Covering]) -> Granted | None:
    """Return a subsidy as it counts beside these covers, or None where none of them is the one it wants."""
    if not offer.needs_cover:
        return Granted(offer, offer.subsidy)
    for covering in chosen:
        if offer.suits(covering.cover):
            if not offer.of_cover:
                return Granted(offer, offer.subsidy)
            return Granted(offer, replace(offer.subsidy, part=offer.subsidy.part * covering.share))
    return None


def _why_not(loan: LoanOffer, offer: SubsidyOffer) -> LeftOut:
    """Return why a subsidy stands in no stack."""
    obstacle = find_subsidy_obstacle(loan, offer)
    if obstacle is not None:
        return obstacle
    if not offer.needs_cover:
        return LeftOut(offer.key, Obstacle.NO_PACKAGE)
    wanted = {
        name: sorted(values) for name in ("kinds", "covers", "payees") if (values := getattr(offer, name))
    }
    return LeftOut(offer.key, Obstacle.NEEDS_COVER, wanted)
