"""Deals closed off the platform (线下成交): recorded by their lender, real once their borrower has confirmed.

Until then nothing counts: no limit is taken and nothing can be drawn. They have no award, and are counted
apart from what the market brought together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market import cashflow, cost, credit_code, money
from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.ledger.book import DealTerms, Policy
from market.lending_vocabulary import DealKind
from market.party import Party
from market.remarks import read_remark
from market.terms import BridgeTerms, CoverTerms, FactoringTerms, LeaseTerms, LoanTerms
from market.vocabulary import Capability, LoanState, OrganisationKind, Repayment
from models.base import db, transaction
from models.loan import Loan
from models.organisation import Organisation
from models.zone import Membership
from services import audit, guarantees, limits, loan_book, loans
from services.exchange.offers import read_terms, write_terms
from services.limits import Exposure

_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
_FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
MOST_EVIDENCE = 300
MOST_MONTHS = 360
MOST_GRACE = 30
#: Late interest is at most half as much again as the contract's rate (银发〔2003〕251号).
MOST_PENALTY = Decimal("1.5")

#: What each kind of institution closes by its licence.
KINDS: dict[OrganisationKind, tuple[DealKind, ...]] = {
    OrganisationKind.BANK: (DealKind.LOAN, DealKind.FACTORING, DealKind.GUARANTEE),
    OrganisationKind.LESSOR: (DealKind.LEASE, DealKind.FACTORING),
    OrganisationKind.FUND: (DealKind.FUND, DealKind.LOAN, DealKind.BRIDGE),
    OrganisationKind.BRIDGE_PLATFORM: (DealKind.BRIDGE,),
    OrganisationKind.GUARANTOR: (DealKind.GUARANTEE,),
    OrganisationKind.INSURER: (DealKind.GUARANTEE,),
}
#: How the terms of each kind are written (``services.exchange.offers``).
TERMS = {
    DealKind.LOAN: "loan",
    DealKind.LEASE: "lease",
    DealKind.FACTORING: "factoring",
    DealKind.BRIDGE: "bridge",
    DealKind.GUARANTEE: "cover",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a lender says of a deal: ``terms`` as ``read_terms`` reads them, None for a fund.

    ``months`` is asked of a fund only: the others say it in their terms.
    """

    kind: DealKind
    borrower_code: str
    amount: int
    evidence: str
    terms: dict[str, Any] | None = None
    months: int | None = None
    policy: Policy = field(default_factory=Policy)


def record(draft: Draft, *, by: Party, now: datetime) -> Loan:
    """Record a deal that was closed elsewhere; it waits for its borrower.

    Raises ``Invalid``: kind (not_a_choice) for what the institution does not do, terms[...] whatever is
    wrong with them, amount (amount_mismatch) where the terms say another, penalty_rate (too_large).
    """
    by.require(*_LENDER)
    assert by.kind is not None and by.organisation_id is not None, "a lender acts for an institution"
    choices = KINDS.get(by.kind, ())
    if draft.kind not in choices:
        names = [kind.value for kind in choices]
        raise invalid(Code.NOT_A_CHOICE, "kind", value=draft.kind.value, choices=names)
    evidence = read_remark(draft.evidence, "evidence", MOST_EVIDENCE)
    terms = _read_terms(draft)
    _check(draft, terms)
    code = credit_code.parse(draft.borrower_code, "borrower")
    with transaction() as session:
        borrower = _find_borrower(session, code, by.zone_id)
        loan = Loan(
            zone_id=by.zone_id,
            lender_id=by.organisation_id,
            borrower_id=borrower.id,
            sector=borrower.industry,
            kind=draft.kind,
            state=LoanState.UNCONFIRMED,
            principal=draft.amount,
            months=_count_months(draft, terms),
            effective=_price(terms, now),
            terms={} if terms is None else write_terms(terms),
            evidence=evidence,
            is_revolving=draft.policy.is_revolving,
            grace_days=draft.policy.grace_days,
            penalty_rate=draft.policy.penalty_rate,
            allocation=draft.policy.allocation,
            prepayment=draft.policy.prepayment,
            approved_at=now,
            bound=0,
        )
        session.add(loan)
        loan_book.promise(loan)
        audit.record(session, "deal.record", loan, by=by, now=now, kind=draft.kind.value, amount=draft.amount)
    return loan


def confirm(loan_id: int, *, by: Party, now: datetime) -> Loan:
    """Confirm, for the borrower, that a deal was closed as recorded; its lender's limits are taken now.

    Raises ``Conflict``: limit_exceeded, guarantor_full; illegal_move for a deal that does not wait.
    """
    by.require(*_FIRM)
    seen = _find_for_borrower(loan_id, by)
    # Before any limit is looked at; what is locked below is asked once more.
    _require_waiting(seen, "confirm")
    taken = Exposure(seen.lender_id, seen.borrower_id, seen.sector, None, seen.principal)
    is_guarantee = seen.kind is DealKind.GUARANTEE
    with transaction() as session:
        limits.consume(session, [taken])
        loan = _lock_waiting(session, loan_id, "confirm")
        loan.state, loan.bound, loan.approved_at = LoanState.APPROVED, loan.principal, now
        session.flush()
        if is_guarantee and loan.lender.kind is OrganisationKind.GUARANTOR:
            guarantees.hold(session, loan, loan.lender_id, loan.principal, now=now)
        audit.record(session, "deal.confirm", loan, by=by, now=now)
    return loan


def refuse(loan_id: int, why: str, *, by: Party, now: datetime) -> Loan:
    """Say, for the borrower, that there is no such deal; or take it back as its lender."""
    by.require(*_FIRM, *_LENDER)
    why = read_remark(why, "why", MOST_EVIDENCE)
    seen = loans.find(loan_id, by=by)
    if by.organisation_id == seen.borrower_id:
        by.require(*_FIRM)
    with transaction() as session:
        loan = _lock_waiting(session, loan_id, "refuse")
        loan.state = LoanState.CANCELLED
        audit.record(session, "deal.refuse", loan, by=by, now=now, why=why)
    return loan


def list_waiting(by: Party) -> Sequence[Loan]:
    """Return the deals that wait for a borrower's word and concern the party, newest first."""
    query = (
        select(Loan)
        .where(Loan.zone_id == by.zone_id, Loan.state == LoanState.UNCONFIRMED)
        .options(joinedload(Loan.lender), joinedload(Loan.borrower))
        .order_by(Loan.id.desc())
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where((Loan.lender_id == by.organisation_id) | (Loan.borrower_id == by.organisation_id))
    return list(db.session.scalars(query))


def may_decide(loan: Loan, by: Party) -> bool:
    """Say whether the party may confirm or refuse a deal as its borrower."""
    return loan.state is LoanState.UNCONFIRMED and loan.borrower_id == by.organisation_id and by.may(*_FIRM)


def _read_terms(draft: Draft) -> DealTerms | None:
    if draft.kind is DealKind.FUND:
        if draft.terms:
            raise invalid(Code.UNKNOWN_FIELD, "terms")
        return None
    if draft.terms is None:
        raise invalid(Code.REQUIRED, "terms")
    terms = read_terms(draft.terms, "terms", kinds=(TERMS[draft.kind],), stored=False)
    assert isinstance(terms, (LoanTerms, LeaseTerms, FactoringTerms, BridgeTerms, CoverTerms))
    return terms


def _check(draft: Draft, terms: DealTerms | None) -> None:
    """Raise ``Invalid`` with all that does not fit together."""
    policy, faults = draft.policy, []
    if draft.amount <= 0:
        faults.append(Fault(Code.TOO_SMALL, "amount", {"value": draft.amount, "least": 1}))
    elif terms is not None and (expected := _find_amount(terms)) != draft.amount:
        faults.append(Fault(Code.AMOUNT_MISMATCH, "amount", {"given": draft.amount, "expected": expected}))
    if not 0 <= policy.grace_days <= MOST_GRACE:
        faults.append(Fault(Code.TOO_LARGE, "grace_days", {"value": policy.grace_days, "most": MOST_GRACE}))
    if policy.penalty_rate is not None:
        most = MOST_PENALTY * _find_rate(terms)
        values = {"value": f"{policy.penalty_rate:f}", "least": "0"}
        if policy.penalty_rate < 0:
            faults.append(Fault(Code.TOO_SMALL, "penalty_rate", values))
        elif policy.penalty_rate > most:
            values = {"value": f"{policy.penalty_rate:f}", "most": money.rate_text(most)}
            faults.append(Fault(Code.TOO_LARGE, "penalty_rate", values))
    if policy.is_revolving and not (isinstance(terms, LoanTerms) and terms.repayment is Repayment.REVOLVING):
        choices = [Repayment.REVOLVING.value]
        faults.append(Fault(Code.NOT_A_CHOICE, "repayment", {"value": "is_revolving", "choices": choices}))
    if draft.kind is DealKind.FUND and not 1 <= (draft.months or 0) <= MOST_MONTHS:
        faults.append(Fault(Code.REQUIRED, "months"))
    if faults:
        raise Invalid(*faults)


def _find_amount(terms: DealTerms) -> int:
    """Return the fen that terms hand out, or stand for."""
    if isinstance(terms, CoverTerms):
        return terms.amount
    if isinstance(terms, FactoringTerms):
        return sum(line.principal for line in cashflow.build(terms).lines)
    return terms.principal


def _find_rate(terms: DealTerms | None) -> Decimal:
    """Return the highest rate per year of terms; nothing where no interest is agreed."""
    if isinstance(terms, BridgeTerms):
        return max(terms.daily_rate, *(rate for _, rate in terms.steps), Decimal(0)) * 360
    if terms is None or isinstance(terms, CoverTerms):
        return Decimal(0)
    steps = () if isinstance(terms, FactoringTerms) else terms.rate_steps
    return max(terms.rate, *(rate for _, rate in steps), Decimal(0))


def _count_months(draft: Draft, terms: DealTerms | None) -> int:
    if isinstance(terms, (BridgeTerms, FactoringTerms)):
        # What runs some days takes up the months that it begins.
        return max(-(-terms.days // 30), 1)
    return draft.months or 0 if terms is None else terms.months


def _price(terms: DealTerms | None, now: datetime) -> Decimal | None:
    if terms is None:
        return None
    effective = cost.price(terms, as_of=local_date(now)).effective
    return None if effective is None else Decimal(money.rate_text(effective))


def _find_borrower(session: Session, code: str, zone_id: int) -> Organisation:
    borrower = session.scalar(
        select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(
            Organisation.credit_code == code,
            Organisation.kind == OrganisationKind.ENTERPRISE,
            Membership.zone_id == zone_id,
        )
    )
    if borrower is None:
        raise invalid(Code.NOT_FOUND, "borrower", what="organisation", id=code)
    return borrower


def _find_for_borrower(loan_id: int, by: Party) -> Loan:
    loan = loans.find(loan_id, by=by)
    if loan.borrower_id != by.organisation_id:
        raise not_found("loan", loan_id)
    return loan


def _lock_waiting(session: Session, loan_id: int, move: str) -> Loan:
    loan = session.get_one(Loan, loan_id, with_for_update=True)
    _require_waiting(loan, move)
    return loan


def _require_waiting(loan: Loan, move: str) -> None:
    if loan.state is not LoanState.UNCONFIRMED:
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move=move)
