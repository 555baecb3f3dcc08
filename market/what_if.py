"""What if: the same offer with another amount, tenor or style, and what each of its charges adds to the cost.

Nothing here prices by itself: every variant goes through ``market.cost``, all of them in one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from market import cost
from market.cost import Cost
from market.errors import Code, Invalid, invalid
from market.money import share
from market.schedule import SUBSIDY, Line, Part, Schedule
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
    Priceable,
)
from market.vocabulary import RentTiming, Repayment

Style = Repayment | RentTiming


@dataclass(frozen=True, slots=True)
class Difference:
    """How one cost differs from another: ``points`` as a rate per year, ``total`` in fen; + is dearer.

    ``points`` is None where either of the two has no annual cost.
    """

    points: Decimal | None
    total: int


@dataclass(frozen=True, slots=True)
class Marginal:
    """What one charge adds to an offer, all others staying: the offer's cost less its cost without it.

    ``part`` says what it is and ``place`` where it stands in the fees or subsidies of the terms (0 for what
    there is one of: a deposit, a buy-out, the yearly fee of a bill).
    """

    part: Part
    place: int
    name: str
    payee: str
    adds: Difference


@dataclass(frozen=True, slots=True)
class Payments:
    """What the firm pays, in fen: ``upfront`` beside the money it receives, then payment by payment.

    ``first``, ``usual`` (the middle one) and ``last`` are of the payments of principal and interest, with
    whatever else falls due with them; ``last`` is the end of the offer. Money that comes back is negative.
    Where there is one such payment only, what falls due before it stands for the first and the usual (0
    where that is nothing). ``count`` is how many payments there are after the start.
    """

    upfront: int
    first: int
    usual: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Styled:
    """The same offer repaid in one style."""

    style: Style
    cost: Cost
    payments: Payments


@dataclass(frozen=True, slots=True)
class Exploration:
    """An offer with its variants: ``bare`` has neither fees nor subsidies; ``changed`` is what was asked."""

    cost: Cost
    bare: Cost
    marginals: tuple[Marginal, ...]
    styles: tuple[Styled, ...]
    changed: Cost | None = None

    @property
    def charges(self) -> Difference:
        """What all fees add, less what all subsidies take off."""
        return difference(self.cost, self.bare)


def explore(terms: Priceable, changed: Priceable | None = None) -> Exploration:
    """Return an offer with every variant worth a look, priced in one batch; ``changed`` goes along."""
    charges, styles = _list_charges(terms), list_styles(terms)
    variants = [
        terms,
        without_charges(terms),
        *(without for _, without in charges),
        *(vary(terms, style=style) for style in styles),
        *(() if changed is None else (changed,)),
    ]
    priced, bare, *others = cost.price_many(variants)
    less, styled = others[: len(charges)], others[len(charges) : len(charges) + len(styles)]
    return Exploration(
        priced,
        bare,
        tuple(
            replace(marginal, adds=difference(priced, without))
            for (marginal, _), without in zip(charges, less, strict=True)
        ),
        tuple(
            Styled(style, each, find_payments(each.schedule))
            for style, each in zip(styles, styled, strict=True)
        ),
        None if changed is None else others[-1],
    )


def marginals(terms: Priceable) -> tuple[Marginal, ...]:
    """Return what each charge adds to the cost, fees first, in their order."""
    return explore(terms).marginals


def styles(terms: Priceable) -> tuple[Styled, ...]:
    """Return the same offer in every style it could be repaid in; none for what is repaid in one sum."""
    return explore(terms).styles


def difference(of: Cost, than: Cost) -> Difference:
    """Return how much dearer the first cost is than the second."""
    both = of.effective is not None and than.effective is not None
    points = of.effective - than.effective if both else None  # type: ignore[operator]
    return Difference(points, of.total_cost - than.total_cost)


def vary(
    terms: Priceable,
    *,
    amount: int | None = None,
    term: int | None = None,
    rate: Decimal | None = None,
    style: Style | None = None,
) -> Priceable:
    """Return the terms with another amount (fen), term (months, or days where days count), rate or style.

    Rates and charges stay as offered: what is a share grows with the amount, a flat sum does not. The
    draws of a revolving loan keep their pattern; those beyond a shorter term are left out. Raises
    ``Invalid`` for what the terms do not have, and for a tenor where the payment dates are given, since
    nobody said how they would go on.
    """
    if amount is not None:
        _require(amount >= 1, "amount", amount)
        terms = _with_amount(terms, amount)
    if term is not None:
        _require(term >= 1, "term", term)
        terms = _with_term(terms, term)
    if rate is not None:
        terms = _with_rate(terms, rate)
    if style is None:
        return terms
    if isinstance(terms, LoanTerms) and isinstance(style, Repayment):
        return replace(terms, repayment=style, draws=terms.draws if style is Repayment.REVOLVING else ())
    if isinstance(terms, LeaseTerms) and isinstance(style, RentTiming):
        return replace(terms, rent=style)
    raise invalid(
        Code.NOT_A_CHOICE, "style", value=style.value, choices=[one.value for one in list_styles(terms)]
    )


def list_styles(terms: Priceable) -> tuple[Style, ...]:
    """Return the styles in which an offer could be repaid; a revolving line only where it is one already."""
    if isinstance(terms, LeaseTerms):
        return tuple(RentTiming)
    if not isinstance(terms, LoanTerms):
        return ()
    return tuple(style for style in Repayment if style is not Repayment.REVOLVING or terms.repayment is style)


def without_charges(terms: Priceable) -> Priceable:
    """Return the terms with neither fees nor subsidies: interest, deposit and buy-out alone."""
    if isinstance(terms, (LoanTerms, LeaseTerms, CoverTerms)):
        return replace(terms, fees=(), subsidies=())
    if isinstance(terms, BillTerms):
        return replace(terms, fees=(), fee_rate=Decimal(0))
    return terms if isinstance(terms, FlowTerms) else replace(terms, fees=())


def find_payments(schedule: Schedule) -> Payments:
    """Return the payments of a schedule in short."""
    upfront = sum(_paid(line) for line in schedule.lines if line.number == 0)
    # A subsidy that comes after the end is no payment.
    later = [line for line in schedule.lines if line.number > 0 and _is_payment(line)]
    if not later:
        return Payments(upfront, 0, 0, 0, 0)
    due = [line for line in later if line.principal or line.interest]
    last = _paid(later[-1])
    if len(due) > 1:
        return Payments(upfront, _paid(due[0]), _paid(due[(len(due) - 1) // 2]), last, len(due))
    before = later[:-1]
    if not before:
        return Payments(upfront, 0, 0, last, len(later))
    return Payments(upfront, _paid(before[0]), _paid(before[(len(before) - 1) // 2]), last, len(later))


def _is_payment(line: Line) -> bool:
    return bool(line.principal or line.interest or line.fees or line.deposit)


def _paid(line: Line) -> int:
    return line.principal + line.interest + line.fees + line.deposit - line.subsidy


def _list_charges(terms: Priceable) -> list[tuple[Marginal, Priceable]]:
    """Return each charge, its difference still open, with the terms that do not have it."""
    if isinstance(terms, FlowTerms):
        return []
    found: list[tuple[Marginal, Priceable]] = []

    def add(part: Part, place: int, name: str, payee: str, without: Priceable) -> None:
        found.append((Marginal(part, place, name, payee, Difference(None, 0)), without))

    if isinstance(terms, BillTerms) and terms.fee_rate:
        add(Part.FEE, 0, "", LENDER, replace(terms, fee_rate=Decimal(0)))
    for place, fee in enumerate(terms.fees):
        add(Part.FEE, place, fee.name, fee.payee, replace(terms, fees=_less(terms.fees, place)))
    if isinstance(terms, LeaseTerms) and terms.buyout:
        add(Part.BUYOUT, 0, "", LENDER, replace(terms, buyout=0))
    if isinstance(terms, (LoanTerms, LeaseTerms, CoverTerms)):
        if terms.deposit:
            holder = terms.provider if isinstance(terms, CoverTerms) else terms.deposit_holder
            add(Part.DEPOSIT, 0, "", holder, replace(terms, deposit=Decimal(0)))
        for place, subsidy in enumerate(terms.subsidies):
            rest = (*terms.subsidies[:place], *terms.subsidies[place + 1 :])
            add(Part.SUBSIDY, place, subsidy.name, SUBSIDY, replace(terms, subsidies=rest))
    return found


def _less(fees: Sequence[Fee], place: int) -> tuple[Fee, ...]:
    return (*fees[:place], *fees[place + 1 :])


def _with_amount(terms: Priceable, amount: int) -> Priceable:
    if isinstance(terms, LoanTerms):
        draws = _scale(terms.draws, terms.principal, amount)
        return replace(terms, principal=amount, draws=_keep(draws, terms.draws, "amount"))
    if isinstance(terms, (LeaseTerms, BridgeTerms)):
        return replace(terms, principal=amount)
    if isinstance(terms, (BillTerms, FactoringTerms)):
        return replace(terms, face=amount)
    if isinstance(terms, CoverTerms):
        return replace(terms, amount=amount)
    raise _unknown("amount")


def _with_term(terms: Priceable, term: int) -> Priceable:
    if isinstance(terms, (BillTerms, FactoringTerms, BridgeTerms)):
        return replace(terms, days=term)
    if isinstance(terms, CoverTerms):
        return replace(terms, months=term)
    if isinstance(terms, FlowTerms):
        raise _unknown("term")
    if terms.due:
        raise invalid(Code.ONE_OF, "term", choices=["term", "due"])
    wait = terms.prelease_months if isinstance(terms, LeaseTerms) else 0
    steps = tuple((month, rate) for month, rate in terms.rate_steps if month < wait + term)
    if isinstance(terms, LeaseTerms):
        return replace(terms, months=term, rate_steps=steps)
    draws = ((month, amount) for month, amount in terms.draws if month < term)
    return replace(terms, months=term, rate_steps=steps, draws=_keep(draws, terms.draws, "term"))


def _with_rate(terms: Priceable, rate: Decimal) -> Priceable:
    if isinstance(terms, (FlowTerms, CoverTerms)):
        raise _unknown("rate")
    return replace(terms, daily_rate=rate) if isinstance(terms, BridgeTerms) else replace(terms, rate=rate)


def _scale(draws: Iterable[tuple[int, int]], limit: int, amount: int) -> Iterable[tuple[int, int]]:
    """Yield draws whose balances are the same shares of another limit."""
    owed = drawn = 0
    for month, change in draws:
        owed += change
        wanted = int(share(owed, amount, limit))
        if wanted != drawn:
            yield month, wanted - drawn
        drawn = wanted


def _keep(
    draws: Iterable[tuple[int, int]], former: Sequence[tuple[int, int]], field: str
) -> tuple[tuple[int, int], ...]:
    """Return the draws; a line of which nothing would be drawn is not the fully drawn one it would become."""
    kept = tuple(draws)
    if former and not kept:
        raise invalid(Code.REQUIRED, field)
    return kept


def _require(sound: bool, field: str, value: int) -> None:
    if not sound:
        raise invalid(Code.TOO_SMALL, field, value=value, least=1)


def _unknown(field: str) -> Invalid:
    return invalid(Code.UNKNOWN_FIELD, field, value=field)
