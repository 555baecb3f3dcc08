"""Packages on the page of an offer: what the loan costs with a guarantee of the zone's shelf, by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext

from blueprints import access, disclosure, explanations, formats
from market.cost import Cost
from market.packages import Package, Step
from market.risk_sharing import Concern, Note
from market.schedule import Part
from market.stacks import PartKind
from market.terms import LENDER, Subsidy
from market.vocabulary import Recipient
from models.bid import Bid
from services import packages
from services.packages import PAYEES, Proposal, Provider, Standing

#: More rows than this are not compared at a glance; the API lists them all.
MOST_ROWS = 10
#: Half of the last shown digit of a rate in percent: less than this is nothing.
_SHOWN = Decimal("0.00005")

PARTS: dict[PartKind, Any] = {
    PartKind.GUARANTEE: lazy_pgettext("cover", "Guarantee"),
    PartKind.INSURANCE: lazy_pgettext("cover", "Credit insurance"),
    PartKind.RE_GUARANTEE: lazy_gettext("Re-guarantee"),
    PartKind.SUBSIDY: lazy_gettext("Subsidy"),
}
CONCERNS: dict[Concern, Any] = {
    Concern.BANK_BELOW_PRINCIPLE: lazy_gettext(
        "The lender bears %(share)s; in principle it keeps %(least)s."
    ),
    Concern.NATIONAL_FUND_ABOVE_PLANS: lazy_gettext(
        "The national fund bears %(share)s; its special plans allow %(most)s."
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a package: what it is, the points it adds in words, and fen (None for the bare loan)."""

    words: str
    rate: str
    amount: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One package as the page shows it: ``fees`` are rows of the sheet, ``risk`` holds (who, share)."""

    cost: Cost
    provider: Provider
    share: Decimal
    fees: tuple[Mapping[str, Any], ...]
    lines: tuple[Line, ...]
    subsidies: tuple[str, ...]
    risk: tuple[tuple[Any, Decimal], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Others:
    """A product that does not answer, and why not."""

    product: Any
    why: str


@dataclass(frozen=True, slots=True)
class Block:
    """All that the page says of the packages of one offer."""

    standing: Standing
    rows: tuple[Row, ...]
    left: int
    others: tuple[Others, ...]


def read(bid: Bid) -> Block:
    """Return the packages of an opened offer for whoever asks."""
    found = packages.propose(bid.need_id, bid.id, by=access.acting(), now=access.now())
    return Block(
        standing=found.standing,
        rows=tuple(_make_row(package, found, bid) for package in found.packages[:MOST_ROWS]),
        left=max(len(found.packages) - MOST_ROWS, 0),
        others=tuple(Others(one.product, _say_failures(one.failures)) for one in found.unfit),
    )


def _make_row(package: Package, found: Proposal, bid: Bid) -> Row:
    provider = found.provider(package)
    (covering,) = package.stack.covers
    known = {LENDER: bid.organisation, PAYEES[covering.cover.kind]: provider.product.organisation}
    return Row(
        cost=package.cost,
        provider=provider,
        share=covering.share,
        fees=_list_fees(package),
        lines=_list_lines(package),
        subsidies=tuple(
            _say_subsidy(granted.subsidy, step)
            for granted, step in zip(package.stack.subsidies, _subsidy_steps(package), strict=True)
        ),
        risk=tuple((known.get(sharer.name, sharer.name), sharer.share) for sharer in package.risk),
        notes=tuple(_say_note(note) for note in package.notes),
    )


def _subsidy_steps(package: Package) -> list[Step]:
    return [step for step in package.steps if step.kind is PartKind.SUBSIDY]


def _list_lines(package: Package) -> tuple[Line, ...]:
    """Return the bare loan's cost and what each part adds to all before it."""
    bare = package.bare.effective
    first = Line(gettext("the loan by itself"), formats.rate(bare), None)
    return first, *(_make_line(step) for step in package.steps)


def _make_line(step: Step) -> Line:
    words = step.party if step.kind is PartKind.SUBSIDY else str(PARTS[step.kind])
    return Line(words, say_points(step.points), step.amount)


def say_points(points: Decimal | None) -> str:
    """Return a difference of annual costs in words: ``+1.07 points``."""
    if points is None:
        return formats.ABSENT
    if abs(points) < _SHOWN:
        return gettext("no change")
    figure = formats.rate(abs(points)).removesuffix("%")
    more, less = gettext("+%(figure)s points", figure=figure), gettext("−%(figure)s points", figure=figure)
    return more if points > 0 else less


def _list_fees(package: Package) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of the sheet that the parts add; those of the loan's own fees come before them."""
    fees = [row for row in disclosure.rows(package.cost) if row["part"] == Part.FEE.value]
    return tuple(fees[len(package.stack.loan.terms.fees) :])


def _say_subsidy(subsidy: Subsidy, step: Step) -> str:
    if subsidy.recipient is Recipient.INSTITUTION and step.amount == 0:
        return gettext("%(name)s: paid to the institution, your cost stays the same", name=subsidy.name)
    return gettext("%(name)s: %(amount)s less", name=subsidy.name, amount=formats.money_text(-step.amount))


def _say_note(note: Note) -> str:
    return str(CONCERNS[note.concern]) % {name: formats.share(value) for name, value in note.values.items()}


def _say_failures(failures: Sequence[Any]) -> str:
    said = gettext(", ").join(explanations.condition(failure) for failure in failures)
    return (
        gettext("needs: %(conditions)s", conditions=said) if said else gettext("lists no price to count with")
    )
