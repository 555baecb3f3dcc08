"""Terms: all that pricing may know about an offer, as frozen values.

Amounts are integer fen, rates are exact decimals per year (``Decimal("0.0365")`` is 3.65 %), months
are whole numbers. Nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment


@dataclass(frozen=True, slots=True)
class Fee:
    """A cost beside interest (费用): ``rate`` of ``basis`` per occurrence, or a flat ``amount`` in fen.

    Exactly one of ``rate`` and ``amount`` is given. A rate is per occurrence, never pro rata.
    """

    name: str
    when: FeeTiming
    payee: str = "lender"
    basis: FeeBasis = FeeBasis.PRINCIPAL
    rate: Decimal | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Subsidy:
    """Public money that lowers a cost (补贴); it counts for the firm only if the firm receives it."""

    name: str
    when: FeeTiming
    recipient: Recipient = Recipient.FIRM
    basis: FeeBasis = FeeBasis.PRINCIPAL
    rate: Decimal | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """A loan: ``principal`` fen for ``months`` at ``rate`` per year.

    ``start`` is needed by the day counts ``act/360`` and ``act/365``; with ``30/360`` it only labels
    the due dates. ``draws`` belong to the revolving style alone: (month, fen) pairs, + drawn and
    - repaid early, within ``principal``; without them the whole principal is drawn for the whole term.
    """

    principal: int
    months: int
    rate: Decimal
    repayment: Repayment
    day_count: DayCount = DayCount.THIRTY_360
    start: date | None = None
    fees: tuple[Fee, ...] = ()
    subsidies: tuple[Subsidy, ...] = ()
    draws: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """A finance lease: monthly rents amortise ``principal``; ``deposit`` is a share of it, paid at the
    start and returned at the end; ``buyout`` fen come on top at the end."""

    principal: int
    months: int
    rate: Decimal
    rent: RentTiming = RentTiming.ARREARS
    deposit: Decimal = Decimal(0)
    buyout: int = 0
    start: date | None = None
    fees: tuple[Fee, ...] = ()
    subsidies: tuple[Subsidy, ...] = ()
    day_count: DayCount = DayCount.THIRTY_360


class Period(StrEnum):
    """What the period number of a bare cash flow counts."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class FlowTerms:
    """Bare cash flows for analysis, signed from the firm's side (+ received), in yuan of any precision.

    Each flow is (when, yuan). Without ``period`` every ``when`` is a date; with one it is a period
    number, of which fractions are allowed.
    """

    flows: tuple[tuple[date | Fraction, Decimal], ...]
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class BillTerms:
    """A discounted bill or factored receivable (票据贴现 / 保理): ``face`` fen fall due after ``days``.

    The discount and a yearly fee, both pro rata of ``basis`` days, are kept back at the start.
    """

    face: int
    days: int
    rate: Decimal
    fee_rate: Decimal = Decimal(0)
    basis: int = 360


@dataclass(frozen=True, slots=True)
class BridgeTerms:
    """A bridge loan (应急转贷): ``principal`` fen for ``days`` at a ``daily_rate``, repaid in one sum."""

    principal: int
    days: int
    daily_rate: Decimal
    fees: tuple[Fee, ...] = ()


Terms = LoanTerms | LeaseTerms
#: Everything that ``market.cost`` can price.
Priceable = LoanTerms | LeaseTerms | FlowTerms | BillTerms | BridgeTerms
