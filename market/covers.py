"""Covers (担保 / 信用保险): what a guarantor or insurer offers beside a loan, and what it turns into.

A cover takes a share of the lender's risk for a yearly fee. Used on a loan it becomes fees, perhaps a
deposit, and its parties' places in the risk-sharing list; behind it re-guarantors and funds may stand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from market.errors import Code, Fault
from market.money import RATE_PLACES, quantise, round_down, round_half_up
from market.risk_sharing import LEAST_SHARE, SHARE_PLACES, Role, Sharer, check_share
from market.terms import Fee, LeaseTerms, LoanTerms
from market.vocabulary import CoverKind, FeeBasis, FeeTiming

#: A rate of more places than this is not written down: its amount is.
FEE_PLACES = 12
_FEE_NAMES = {CoverKind.GUARANTEE: "guarantee fee", CoverKind.INSURANCE: "insurance premium"}
_RE_GUARANTEE = "re-guarantee fee"
_ROLES = {CoverKind.GUARANTEE: Role.GUARANTOR, CoverKind.INSURANCE: Role.INSURER}


class Levy(StrEnum):
    """When a cover's yearly rate is taken (担保费收取方式).

    ``whole_term``: at the start, for all months pro rata. ``yearly``: a full year's fee at the start of
    each year begun, of the covered part of the principal; ``yearly_outstanding``: of what is then owed.
    """

    WHOLE_TERM = "whole_term"
    YEARLY = "yearly"
    YEARLY_OUTSTANDING = "yearly_outstanding"


class Bearer(StrEnum):
    """Who bears a re-guarantor's fee: the provider out of its own, or the firm on top."""

    PROVIDER = "provider"
    FIRM = "firm"


@dataclass(frozen=True, slots=True)
class Backer:
    """A re-guarantor or fund behind a cover (再担保): it takes ``share`` of the loan off the provider.

    ``share`` holds when the cover takes its largest share, and shrinks with it. ``rate`` is its fee per
    year of the part it bears, charged as the cover's own fee is.
    """

    name: str
    role: Role
    share: Decimal
    rate: Decimal = Decimal(0)
    borne_by: Bearer = Bearer.PROVIDER


@dataclass(frozen=True, slots=True)
class Cover:
    """A guarantor's or insurer's offer; ``key`` names it among others, ``provider`` is paid its fees.

    It covers between ``least_share`` and ``most_share`` of a loan, shares of four places. ``rate`` is its
    fee per year of the covered part, taken as ``levy`` says; ``first_year`` replaces it in the first
    twelve months. ``fees`` are charged besides, as they stand when the largest share is covered; by rate
    they shrink with it.
    ``deposit`` is the share of the covered part that the firm leaves with the provider to the end.

    ``lenders`` names the lenders it works with (None: all). Amounts in fen bound the loan's principal;
    None is no bound.
    """

    key: str
    kind: CoverKind
    provider: str
    rate: Decimal = Decimal(0)
    levy: Levy = Levy.YEARLY
    first_year: Decimal | None = None
    fees: tuple[Fee, ...] = ()
    least_share: Decimal = Decimal("0.8")
    most_share: Decimal = Decimal("0.8")
    deposit: Decimal = Decimal(0)
    lenders: frozenset[str] | None = None
    amount_min: int = 0
    amount_max: int | None = None
    months_min: int = 0
    months_max: int | None = None
    backers: tuple[Backer, ...] = ()

    def bearers(self, share: Decimal) -> tuple[Sharer, ...]:
        """Return who bears which share of the loan when ``share`` of it is covered; together exactly it.

        Backers' shares that shrink are rounded down to a hundredth of a percent; the provider bears the rest.
        """
        behind = tuple(
            Sharer(backer.name, backer.role, part)
            for backer in self.backers
            if (part := self._behind(backer, share))
        )
        own = share - sum((sharer.share for sharer in behind), Decimal(0))
        return (Sharer(self.provider, _ROLES[self.kind], own), *behind)

    def charges(self, terms: LoanTerms | LeaseTerms, share: Decimal) -> tuple[Fee, ...]:
        """Return what the provider charges the firm when it covers ``share`` of a loan on these terms."""
        own = _levied(self, terms, share, self.rate, self.first_year, self.provider, _FEE_NAMES[self.kind])
        if share == self.most_share:
            return own + self.fees
        return own + tuple(
            fee if fee.rate is None else replace(fee, part=quantise(fee.part * share / self.most_share))
            for fee in self.fees
        )

    def backer_charges(
        self, terms: LoanTerms | LeaseTerms, share: Decimal, bearer: Bearer
    ) -> tuple[tuple[Backer, tuple[Fee, ...]], ...]:
        """Return the fees of those backers that ``bearer`` pays, each with its backer."""
        return tuple(
            (backer, fees)
            for backer in self.backers
            if backer.borne_by is bearer
            and (part := self._behind(backer, share))
            and (fees := _levied(self, terms, part, backer.rate, None, backer.name, _RE_GUARANTEE))
        )

    def _behind(self, backer: Backer, share: Decimal) -> Decimal:
        """Return the share that a backer takes off the provider when ``share`` of the loan is covered."""
        exact = Fraction(backer.share) * Fraction(share) / Fraction(self.most_share)
        return Decimal(round_down(exact * 10**SHARE_PLACES)).scaleb(-SHARE_PLACES)


def check_cover(cover: Cover, field: str) -> list[Fault]:
    """Return what is wrong with a cover by itself, each fault with its path."""
    faults = check_share(cover.least_share, f"{field}.least_share", SHARE_PLACES)
    faults += check_share(cover.most_share, f"{field}.most_share", SHARE_PLACES)
    for place, backer in enumerate(cover.backers):
        faults += check_share(backer.share, f"{field}.backers[{place}].share", SHARE_PLACES)
        faults += _check_rate(backer.rate, f"{field}.backers[{place}].rate")
    faults += _check_rate(cover.rate, f"{field}.rate")
    if cover.first_year is not None:
        faults += _check_rate(cover.first_year, f"{field}.first_year")
    if cover.deposit != 0:
        faults += check_share(cover.deposit, f"{field}.deposit")
    names = [cover.provider, *(backer.name for backer in cover.backers)]
    for place, name in enumerate(names):
        path = f"{field}.backers[{place - 1}].name" if place else f"{field}.provider"
        if not name.strip():
            faults.append(Fault(Code.REQUIRED, path))
        elif name in names[:place]:
            faults.append(Fault(Code.REPEATED, path, {"value": name}))
    if faults:
        return faults
    if cover.most_share < cover.least_share:
        values = {"value": f"{cover.most_share:f}", "least": f"{cover.least_share:f}"}
        faults.append(Fault(Code.TOO_SMALL, f"{field}.most_share", values))
    for name in ("amount", "months"):
        least, most = getattr(cover, f"{name}_min"), getattr(cover, f"{name}_max")
        if most is not None and most < least:
            values = {"value": most, "after": least}
            faults.append(Fault(Code.OUT_OF_ORDER, f"{field}.{name}_max", values))
    behind = sum((backer.share for backer in cover.backers), Decimal(0))
    if behind > cover.most_share - LEAST_SHARE:
        # A provider that bears nothing itself only passes on what others cover.
        most = f"{cover.most_share - LEAST_SHARE:f}"
        faults.append(Fault(Code.TOO_LARGE, f"{field}.backers", {"value": f"{behind:f}", "most": most}))
    return faults


def _check_rate(rate: Decimal, field: str) -> list[Fault]:
    if not rate.is_finite():
        return [Fault(Code.NOT_FINITE, field, {"value": str(rate)})]
    if rate < 0:
        return [Fault(Code.TOO_SMALL, field, {"value": str(rate), "least": "0"})]
    if rate > 1:
        return [Fault(Code.TOO_LARGE, field, {"value": str(rate), "most": "1"})]
    if quantise(rate) != rate:
        return [Fault(Code.TOO_MANY_DECIMALS, field, {"value": str(rate), "most": RATE_PLACES})]
    return []


def _levied(
    cover: Cover,
    terms: LoanTerms | LeaseTerms,
    part: Decimal,
    rate: Decimal,
    first_year: Decimal | None,
    payee: str,
    name: str,
) -> tuple[Fee, ...]:
    """Return the fees of a yearly rate on a part of the loan; none where the rate is zero throughout."""
    if rate == 0 and not first_year:
        return ()
    first = rate if first_year is None else first_year
    if cover.levy is Levy.WHOLE_TERM:
        months = min(terms.months, 12)
        whole = (Fraction(first) * months + Fraction(rate) * (terms.months - months)) / 12
        written = _decimal(whole)
        if whole == 0:
            return ()
        if written is not None:
            return (Fee(name, FeeTiming.UPFRONT, payee, rate=written, part=part),)
        amount = round_half_up(terms.principal * Fraction(part) * whole)
        return (Fee(name, FeeTiming.UPFRONT, payee, amount=amount),)
    basis = FeeBasis.PRINCIPAL if cover.levy is Levy.YEARLY else FeeBasis.OUTSTANDING
    if first == rate:
        return (Fee(name, FeeTiming.YEARLY, payee, basis, rate, part=part),)
    fees = []
    if first:
        fees.append(Fee(name, FeeTiming.UPFRONT, payee, basis, first, part=part))
    if rate and terms.months > 12:
        fees.append(Fee(name, FeeTiming.YEARLY, payee, basis, rate, part=part, from_month=12))
    return tuple(fees)


def _decimal(value: Fraction) -> Decimal | None:
    """Return a fraction as an exact decimal, or None where it has more than the places of a fee's rate."""
    scaled = value * 10**FEE_PLACES
    return Decimal(int(scaled)).scaleb(-FEE_PLACES).normalize() if scaled.denominator == 1 else None
