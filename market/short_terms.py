"""Short financings into cash flows: bills, factored receivables and bridge loans, which count in days.

A cover by itself stands here too: it becomes the loan that carries nothing but its price.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from market import charges
from market.money import common_ratios, ratio, share
from market.schedule import Flow, Line, Part, Schedule, Unit
from market.terms import LENDER, BillTerms, BridgeTerms, CoverTerms, FactoringTerms, Fee, LoanTerms
from market.vocabulary import PAYMENT_BASES, FeeBasis, FeeTiming, Repayment

Short = BillTerms | FactoringTerms | BridgeTerms


def build(terms: Short) -> Schedule:
    """Return the schedule of a financing that is paid out once and ends once."""
    if isinstance(terms, BillTerms):
        return _bill(terms)
    return _factoring(terms) if isinstance(terms, FactoringTerms) else _bridge(terms)


def covered_loan(terms: CoverTerms) -> LoanTerms:
    """Return the interest-free loan whose annual cost is the cover's own.

    What is charged on rents or interest has nothing to be charged on.
    """
    return LoanTerms(
        principal=terms.amount,
        months=terms.months,
        rate=Decimal(0),
        repayment=Repayment.BULLET,
        start=terms.start,
        fees=tuple(fee for fee in terms.fees if fee.basis not in PAYMENT_BASES),
        subsidies=tuple(subsidy for subsidy in terms.subsidies if subsidy.basis not in PAYMENT_BASES),
        deposit=terms.deposit,
        deposit_holder=terms.provider,
    )


def bridge_interest(terms: BridgeTerms) -> int:
    """Return the interest of a bridge loan in fen: every day at that day's rate, rounded once."""
    numbers, denominator = common_ratios((terms.daily_rate, *(rate for _, rate in terms.steps)))
    begins = [1, *(day for day, _ in terms.steps)]
    ends = [*(day for day, _ in terms.steps), terms.days + 1]
    owed = sum(
        number * max(min(end, terms.days + 1) - min(begin, terms.days + 1), 0)
        for number, begin, end in zip(numbers, begins, ends, strict=True)
    )
    return int(share(terms.principal, owed, denominator))


def list_fees(terms: Short) -> list[tuple[Fee, int, int]]:
    """Return each fee with the day it is due and its fen.

    What lasts days has no months or years: what is not due at the start is due at the end, except that a
    yearly fee is due when its first year begins (one on the interest comes with it).
    """
    principal, outstanding, interest = _bases(terms)
    bases = {FeeBasis.PRINCIPAL: principal, FeeBasis.OUTSTANDING: outstanding}
    listed = []
    for fee in terms.fees:
        yearly = fee.when is FeeTiming.YEARLY and fee.basis not in PAYMENT_BASES
        day = 0 if yearly or fee.when is FeeTiming.UPFRONT else terms.days
        if fee.rate is None:
            amount = fee.amount or 0
        else:
            amount = charges.part(bases.get(fee.basis, interest), fee.rate * fee.part)
        listed.append((fee, day, amount))
    return listed


def _bases(terms: Short) -> tuple[int, int, int]:
    """Return what fees can be taken of, in fen: the principal, what was paid out, the interest."""
    if isinstance(terms, BridgeTerms):
        return terms.principal, terms.principal, bridge_interest(terms)
    paid_out = terms.face if isinstance(terms, BillTerms) else charges.part(terms.face, terms.advance)
    return terms.face, paid_out, _pro_rata(paid_out, terms.rate, terms.days, terms.basis)


def _bill(terms: BillTerms) -> Schedule:
    face, _, discount = _bases(terms)
    first = [
        Flow(0, face, LENDER, Part.PRINCIPAL),
        Flow(0, -discount, LENDER, Part.INTEREST),
        Flow(0, -_pro_rata(face, terms.fee_rate, terms.days, terms.basis), LENDER, Part.FEE),
    ]
    return _schedule(terms, face, first, [Flow(terms.days, -face, LENDER, Part.PRINCIPAL)])


def _factoring(terms: FactoringTerms) -> Schedule:
    _, paid_out, interest = _bases(terms)
    at_start = terms.interest_when is FeeTiming.UPFRONT
    taken = Flow(0 if at_start else terms.days, -interest, LENDER, Part.INTEREST)
    # The debtor pays the factor, who keeps what was paid out: the rest is the firm's as it was before.
    repaid = Flow(terms.days, -paid_out, LENDER, Part.PRINCIPAL)
    first = [Flow(0, paid_out, LENDER, Part.PRINCIPAL)]
    return _schedule(
        terms, paid_out, [*first, taken] if at_start else first, [repaid] if at_start else [taken, repaid]
    )


def _bridge(terms: BridgeTerms) -> Schedule:
    principal, _, interest = _bases(terms)
    end = [
        Flow(terms.days, -interest, LENDER, Part.INTEREST),
        Flow(terms.days, -principal, LENDER, Part.PRINCIPAL),
    ]
    return _schedule(terms, principal, [Flow(0, principal, LENDER, Part.PRINCIPAL)], end)


def _pro_rata(amount: int, rate: Decimal, days: int, basis: int) -> int:
    numerator, denominator = ratio(rate)
    return int(share(amount, numerator * days, denominator * basis))


def _schedule(terms: Short, principal: int, first: Sequence[Flow], end: Sequence[Flow]) -> Schedule:
    """Return the lines and flows of day 0 and of the last day, the fees added to them."""
    flows = {0: list(first), terms.days: list(end)}
    for fee, day, amount in list_fees(terms):
        flows[day].append(Flow(day, -amount, fee.payee, Part.FEE, fee.name))
    lines = []
    for day, own in flows.items():
        repaid, balance = (0, principal) if day == 0 else (principal, 0)
        interest = -sum(flow.amount for flow in own if flow.part is Part.INTEREST)
        fees = -sum(flow.amount for flow in own if flow.part is Part.FEE)
        if repaid or interest or fees:
            lines.append(Line(day, None, repaid, interest, fees, 0, balance))
    return Schedule(
        Unit.DAY, tuple(lines), tuple(flow for own in flows.values() for flow in own if flow.amount)
    )
