"""Terms: all that pricing may know about an offer, as frozen values.

Amounts are integer fen, rates are exact decimals per year (``Decimal("0.0365")`` is 3.65 %), months
are whole numbers. Nothing here computes, and nothing here is looked up: a floating rate is already
LPR + spread, a day rolled off a holiday is already a date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from market.vocabulary import DayCount, FeeBasis, FeeTiming, Interval, Recipient, RentTiming, Repayment

#: The payee of interest, rents and of every fee that names nobody else.
LENDER = "lender"


@dataclass(frozen=True, slots=True)
class Fee:
    """A cost beside interest (费用): ``rate`` of ``basis`` per occurrence, or a flat ``amount`` in fen.

    Exactly one of ``rate`` and ``amount`` is given. A rate is per occurrence, never pro rata; ``part``
    is the share of the basis that it is taken of (the guaranteed part of a loan). Occurrences before
    ``from_month`` are left out (a fee of which the first year is free starts at 12).

    Of ``principal`` and ``outstanding`` (the balance just before that point's payment), ``upfront`` is
    month 0, ``yearly`` months 0, 12, 24 … before the end, ``monthly`` every month from 1 on,
    ``each_payment`` every date on which a payment falls due, ``end`` the last month. Of ``rent`` and
    ``interest``, ``upfront`` and ``end`` take the sum of the whole schedule, ``yearly`` what fell due in
    each year, with that year's last month (the last year's with the end), ``monthly`` and
    ``each_payment`` what falls due then.
    """

    name: str
    when: FeeTiming
    payee: str = LENDER
    basis: FeeBasis = FeeBasis.PRINCIPAL
    rate: Decimal | None = None
    amount: int | None = None
    part: Decimal = Decimal(1)
    from_month: int = 0


@dataclass(frozen=True, slots=True)
class Subsidy:
    """Public money that lowers a cost (补贴), counted as a fee is; ``basis`` interest is 贴息.

    It counts for the firm as far as the firm receives it: whole when it is the ``recipient``, else the
    share ``passed_on`` by the institution. ``cap`` fen is the most that one deal gets over all
    occurrences, ``budget`` fen what its programme has left (None: no such bound); the lesser binds and
    earlier occurrences use it up first. It is paid ``lag_months`` after the month that earns it.
    """

    name: str
    when: FeeTiming
    recipient: Recipient = Recipient.FIRM
    basis: FeeBasis = FeeBasis.PRINCIPAL
    rate: Decimal | None = None
    amount: int | None = None
    part: Decimal = Decimal(1)
    from_month: int = 0
    cap: int | None = None
    budget: int | None = None
    lag_months: int = 0
    passed_on: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """A loan: ``principal`` fen for ``months`` at ``rate`` per year.

    ``start`` is needed by the day counts ``act/360`` and ``act/365``; with ``30/360`` it only labels
    the due dates. ``draws`` belong to the revolving style alone: (month, fen) pairs, + drawn and
    - repaid early, within ``principal``; without them the whole principal is drawn for the whole term.

    ``interval`` is the months between payments; the last payment closes the term, be it short.
    ``rate_steps`` are (month, rate) pairs, ascending: the rate from that month on (分段利率), in force
    from the first payment period that begins then or later; where a period begins at another rate than the
    one before, a level instalment is spread anew over what is left. ``deposit`` is a share of the
    principal held by ``deposit_holder`` from start to end (保证金).

    ``due`` are the payment dates where they are not simply every ``interval`` months from ``start``: an odd
    first period, days rolled off holidays. They are dated flows: interest runs by ``day_count`` to each
    date (or to the date at the same place in ``accrual``, where a rolled payment bears no more interest),
    and the cost is annualised in actual days whatever the day count. Months are then counted from
    ``start``; the first payment whose interest runs to a month's day or beyond stands for that month.
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
    interval: Interval = Interval.MONTHLY
    rate_steps: tuple[tuple[int, Decimal], ...] = ()
    due: tuple[date, ...] = ()
    accrual: tuple[date, ...] = ()
    deposit: Decimal = Decimal(0)
    deposit_holder: str = LENDER


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """A finance lease: rents every ``interval`` months amortise ``principal``; ``deposit`` is a share of it,
    paid at the start and returned at the end; ``buyout`` fen come on top at the end.

    With ``prelease_months`` the price is paid out that long before the first rental period begins: the
    interest of that time (租前息, at ``prelease_rate``, None: at ``rate``) is paid in one sum when it
    begins, and every month below is counted from the paying out. ``due`` and ``accrual`` are as in a
    loan; rents in advance then fall due at ``start`` and on all these dates but the last.
    """

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
    interval: Interval = Interval.MONTHLY
    rate_steps: tuple[tuple[int, Decimal], ...] = ()
    due: tuple[date, ...] = ()
    accrual: tuple[date, ...] = ()
    deposit_holder: str = LENDER
    prelease_months: int = 0
    prelease_rate: Decimal | None = None


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
    """A discounted bill (票据贴现): ``face`` fen fall due after ``days``.

    The discount and a yearly fee, both pro rata of ``basis`` days, are kept back at the start.
    """

    face: int
    days: int
    rate: Decimal
    fee_rate: Decimal = Decimal(0)
    basis: int = 360
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class FactoringTerms:
    """A factored receivable (保理): of ``face`` fen due after ``days``, the share ``advance`` is paid out.

    Interest runs on what is paid out, by days over ``basis``; it is kept back at the start
    (``interest_when`` upfront) or taken at the end. The debtor pays the factor ``face``, who passes the
    rest on to the firm. A fee's ``principal`` is the receivable and its ``outstanding`` what was paid out.
    """

    face: int
    days: int
    rate: Decimal
    advance: Decimal = Decimal(1)
    interest_when: FeeTiming = FeeTiming.END
    basis: int = 360
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class BridgeTerms:
    """A bridge loan (应急转贷): ``principal`` fen for ``days`` at a ``daily_rate``, repaid in one sum.

    ``steps`` are (day, daily rate) pairs, ascending: the rate of that day (counted from 1) and later ones.
    """

    principal: int
    days: int
    daily_rate: Decimal
    fees: tuple[Fee, ...] = ()
    steps: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class CoverTerms:
    """A guarantee or credit insurance by itself (担保 / 信用保险): it covers ``amount`` fen for ``months``.

    It hands out no money; its price is the annual cost it would give an interest-free loan of what it
    covers, repaid in one sum: what the cover alone costs a year. ``deposit`` is the share of the amount
    that the firm leaves with the provider until the end.
    """

    amount: int
    months: int
    fees: tuple[Fee, ...]
    deposit: Decimal = Decimal(0)
    provider: str = "guarantor"
    subsidies: tuple[Subsidy, ...] = ()
    start: date | None = None


Terms = LoanTerms | LeaseTerms
#: Everything that ``market.cost`` can price.
Priceable = Terms | FlowTerms | BillTerms | FactoringTerms | BridgeTerms | CoverTerms
