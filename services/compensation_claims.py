"""Compensation claims (代偿): opened by the lender, decided by the guarantor, shared by the agreed list.

The guarantor pays the lender all but the lender's own share; that is a compensation in the loan's book, and
the guarantee ends with what it stood for. What the others of the list bear they pay the guarantor; what the
borrower pays later goes back to all by the same list.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import money
from market.calendar import local_date
from market.claims_vocabulary import ClaimState
from market.compensation import LENDING, check_list, propose, sum_payable
from market.errors import Code, conflict, invalid, not_found
from market.ledger.claims import share_claim
from market.ledger.replay import compute_payoff
from market.lending_vocabulary import LoanEventKind
from market.party import Party
from market.remarks import read_remark
from market.risk_sharing import SHARE_PLACES, RiskSharing, Role
from market.vocabulary import Capability, LoanState, OrganisationKind
from models.base import db, transaction
from models.claim import ClaimRecovery, ClaimShare, CompensationClaim
from models.loan import Guarantee, Loan, LoanEvent
from services import audit, contract_steps, exposures, guarantee_terms, guarantees, loan_book, loans

MOST_TEXT = 300
_INSTITUTION = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: Deals of which something can be claimed: money is owed, or was given up.
_CLAIMABLE = (LoanState.DRAWN, LoanState.WRITTEN_OFF)


def open_claim(
    loan_id: int,
    amount: int,
    basis: str,
    evidence: str,
    *,
    by: Party,
    now: datetime,
    sharing: RiskSharing | None = None,
) -> CompensationClaim:
    """Claim a loss of ``amount`` fen from the guarantor of a loan, divided by the list that was agreed.

    The list is the product's; without one ``sharing`` says it, and without both the guarantee by itself does.
    Raises ``Invalid``: amount (too_large) above what would pay the loan off; ``Conflict``: too_early until
    the loan is late enough, illegal_move where nothing is late, covered, or owed.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    basis = read_remark(basis, "basis", MOST_TEXT)
    evidence = read_remark(evidence, "evidence", MOST_TEXT)
    contract_id = loans.find_own(loan_id, by).contract_id
    with transaction() as session:
        loan = _lock_loan(session, loan_id, contract_id, by)
        guarantee = guarantees.find(session, loan_id)
        if guarantee is None:
            raise not_found("guarantee", loan_id)
        if loan.state not in _CLAIMABLE or guarantee.ended_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="claim")
        terms = guarantee_terms.find(session, guarantee.product_id)
        days = _check_late(loan, guarantee, terms.claim_after_days if terms is not None else None, now)
        agreed = guarantee_terms.read_list(terms)
        if agreed is not None:
            guarantee_terms.require_absent(sharing)
        covered = measure_cover(guarantee)
        chosen = agreed or sharing or _propose(loan, guarantee, covered)
        check_list(chosen, covered)
        parts = share_claim(amount, [(sharer.name, sharer.share) for sharer in chosen])
        payable = sum_payable((sharer.role, part) for sharer, (_, part) in zip(chosen, parts, strict=True))
        _check_amount(loan, guarantee, amount, payable, local_date(now))
        assert by.user_id is not None, "only a person holds a lender's capability"
        claim = CompensationClaim(
            loan_id=loan.id,
            guarantee_id=guarantee.id,
            amount=amount,
            payable=payable,
            opened_on=local_date(now),
            days_past_due=days,
            basis=basis,
            evidence=evidence,
            opened_by=by.user_id,
            opened_at=now,
            shares=[
                ClaimShare(
                    place=place,
                    party=sharer.name,
                    role=sharer.role,
                    share=sharer.share,
                    amount=parts[place][1],
                )
                for place, sharer in enumerate(chosen)
            ],
        )
        session.add(claim)
        audit.record(session, "claim.open", claim, by=by, now=now, loan=loan.id, amount=amount)
    return claim


def accept(claim_id: int, *, by: Party, now: datetime) -> CompensationClaim:
    """Accept a claim as its guarantor; raises ``Conflict`` (limit_exceeded) above the loss cap."""
    by.require(Capability.INSTITUTION_APPROVER)
    _find_as_guarantor(claim_id, by)
    with transaction() as session:
        claim = _lock(session, claim_id, ClaimState.OPEN, "accept")
        guarantee_terms.check_cap(session, claim.guarantee, claim.payable)
        claim.state, claim.decided_by, claim.decided_at = ClaimState.ACCEPTED, by.user_id, now
        audit.record(session, "claim.accept", claim, by=by, now=now)
    return claim


def refuse(claim_id: int, why: str, *, by: Party, now: datetime) -> CompensationClaim:
    """Refuse a claim as its guarantor, saying why; the lender may open another."""
    by.require(Capability.INSTITUTION_APPROVER)
    why = read_remark(why, "why", MOST_TEXT)
    _find_as_guarantor(claim_id, by)
    with transaction() as session:
        claim = _lock(session, claim_id, ClaimState.OPEN, "refuse")
        claim.state, claim.decided_by, claim.decided_at, claim.why = ClaimState.REFUSED, by.user_id, now, why
        audit.record(session, "claim.refuse", claim, by=by, now=now, why=why)
    return claim


def record_payment(
    claim_id: int, share_id: int, paid_on: date, reference: str, *, by: Party, now: datetime
) -> CompensationClaim:
    """Record that a party of the list paid, as whoever was paid.

    The lender records the guarantor's payment, of all but the lender's share: a compensation in the loan's
    book. The guarantor records what the others pay it of theirs. The lender itself pays nobody (not_found).
    """
    by.require(*_INSTITUTION)
    seen = find(claim_id, by=by)
    share = next((row for row in seen.shares if row.id == share_id and row.role not in LENDING), None)
    if share is None:
        raise not_found("share", share_id)
    is_guarantor = share.role is Role.GUARANTOR
    if by.organisation_id != (seen.loan.lender_id if is_guarantor else seen.guarantee.guarantor_id):
        raise not_found("claim", claim_id)
    reference = read_remark(reference, "reference", loans.LONGEST_REFERENCE)
    if paid_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(paid_on), most=str(local_date(now)))
    if paid_on < seen.opened_on:
        raise invalid(Code.OUT_OF_ORDER, "paid_on", value=str(paid_on), after=str(seen.opened_on))
    loan_id, contract_id = seen.loan_id, seen.loan.contract_id
    with transaction() as session:
        loan = _lock_loan(session, loan_id, contract_id, by) if is_guarantor else None
        claim = _lock(session, claim_id, ClaimState.PAID if loan is None else ClaimState.ACCEPTED, "pay")
        share = session.get_one(ClaimShare, share_id)
        if share.paid_on is not None:
            raise conflict(Code.ALREADY_EXISTS, "share_id", what="payment", value=share.party)
        share.paid_on, share.reference = paid_on, reference
        if loan is not None:
            _compensate(session, claim, loan, paid_on, reference, by=by, now=now)
        audit.record(session, "claim.pay", claim, by=by, now=now, party=share.party)
    return claim


def record_recovery(
    claim_id: int, amount: int, recovered_on: date, reference: str, *, by: Party, now: datetime
) -> CompensationClaim:
    """Record what the borrower paid after the compensation, divided by the claim's list, each time by itself.

    By the lender, whose own part is a receipt in the loan's book; of a guarantee that is itself the deal all
    that is not the outside lender's. Raises ``Invalid`` above what was claimed and has not come back.
    """
    by.require(*_INSTITUTION)
    reference = read_remark(reference, "reference", loans.LONGEST_REFERENCE)
    seen = find(claim_id, by=by)
    if by.organisation_id != seen.loan.lender_id:
        raise not_found("claim", claim_id)
    if amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=amount, least=1)
    if recovered_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "recovered_on", value=str(recovered_on), most=str(local_date(now)))
    loan_id, contract_id = seen.loan_id, seen.loan.contract_id
    with transaction() as session:
        loan = _lock_loan(session, loan_id, contract_id, by)
        claim = _lock(session, claim_id, ClaimState.PAID, "recover")
        paid_on = next(share.paid_on for share in claim.shares if share.role is Role.GUARANTOR)
        if paid_on is not None and recovered_on <= paid_on:
            # On one day a receipt acts before a compensation: it lowers the loss and is not shared.
            raise invalid(Code.OUT_OF_ORDER, "recovered_on", value=str(recovered_on), after=str(paid_on))
        left = claim.amount - sum(share.recovered for share in claim.shares)
        if amount > left:
            raise invalid(Code.TOO_LARGE, "amount", value=amount, most=left)
        if any(row.reference == reference for share in claim.shares for row in share.recoveries):
            raise conflict(Code.ALREADY_EXISTS, "reference", what="recovery", value=reference)
        parts = share_claim(amount, [(share.party, share.share) for share in claim.shares])
        own, is_own = 0, loan.lender_id == claim.guarantee.guarantor_id
        assert by.user_id is not None, "only a person holds a lender's capability"
        for share, (_, part) in zip(claim.shares, parts, strict=True):
            share.recoveries.append(
                ClaimRecovery(
                    reference=reference,
                    recovered_on=recovered_on,
                    amount=part,
                    recorded_by=by.user_id,
                    recorded_at=now,
                )
            )
            own += part if (share.role in LENDING) is not is_own else 0
        if own and loan.state in _CLAIMABLE:
            loans.receive(session, loan, own, recovered_on, reference, by=by, now=now)
            if not is_own:
                guarantees.compensate(session, claim.guarantee, 0, -own, now)
        if amount == left:
            claim.state = ClaimState.CLOSED
        audit.record(session, "claim.recover", claim, by=by, now=now, amount=amount, reference=reference)
    return claim


def close(claim_id: int, *, by: Party, now: datetime) -> CompensationClaim:
    """Close a paid claim as its guarantor: nothing more is expected of the borrower."""
    by.require(Capability.INSTITUTION_APPROVER)
    _find_as_guarantor(claim_id, by)
    with transaction() as session:
        claim = _lock(session, claim_id, ClaimState.PAID, "close")
        claim.state = ClaimState.CLOSED
        audit.record(session, "claim.close", claim, by=by, now=now)
    return claim


def reopen(session: Session, event: LoanEvent, now: datetime) -> None:
    """Make a claim unpaid again whose compensation is taken back, inside the caller's transaction.

    Raises ``Conflict`` (illegal_move) once others of the list paid, or something was recovered.
    """
    claim = session.scalar(
        select(CompensationClaim).where(CompensationClaim.event_id == event.id).with_for_update()
    )
    if claim is None:
        return
    others = [share for share in claim.shares if share.role is not Role.GUARANTOR]
    if (
        claim.state is not ClaimState.PAID
        or any(share.paid_on is not None for share in others)
        or any(share.recoveries for share in claim.shares)
    ):
        raise conflict(Code.ILLEGAL_MOVE, state=claim.state.value, move="undo")
    for share in claim.shares:
        share.paid_on = share.reference = None
    claim.state, claim.event_id = ClaimState.ACCEPTED, None
    if claim.loan.lender_id != claim.guarantee.guarantor_id:
        own = claim.amount - claim.payable
        guarantees.compensate(session, claim.guarantee, -claim.payable, -own, now)


def find(claim_id: int, *, by: Party) -> CompensationClaim:
    """Return a claim to its lender, its guarantor, or an officer or auditor of the zone."""
    claim = db.session.get(CompensationClaim, claim_id)
    if claim is None or claim.loan.zone_id != by.zone_id or not _may_see(claim, by):
        raise not_found("claim", claim_id)
    return claim


def measure_cover(guarantee: Guarantee) -> Decimal:
    """Return the share of its loan that a guarantee covers."""
    return money.quantise(Decimal(guarantee.amount) / guarantee.loan.principal, SHARE_PLACES)


def _may_see(claim: CompensationClaim, by: Party) -> bool:
    sides = (claim.loan.lender_id, claim.guarantee.guarantor_id)
    return by.organisation_id in sides or by.may(Capability.OFFICER, Capability.AUDITOR)


def _find_as_guarantor(claim_id: int, by: Party) -> CompensationClaim:
    claim = find(claim_id, by=by)
    if claim.guarantee.guarantor_id != by.organisation_id:
        raise not_found("claim", claim_id)
    return claim


def _lock_loan(session: Session, loan_id: int, contract_id: int | None, by: Party) -> Loan:
    exposures.lock(session, Loan.id == loan_id)
    if contract_id is not None:
        contract_steps.lock(session, contract_id, by)
    return session.get_one(Loan, loan_id, with_for_update=True)


def _lock(session: Session, claim_id: int, state: ClaimState, move: str) -> CompensationClaim:
    claim = session.get_one(CompensationClaim, claim_id, with_for_update=True)
    if claim.state is not state:
        raise conflict(Code.ILLEGAL_MOVE, state=claim.state.value, move=move)
    return claim


def _check_late(loan: Loan, guarantee: Guarantee, after: int | None, now: datetime) -> int:
    """Return how many days a loan is past due; raises ``Conflict`` where that is not enough to claim.

    The lender of a guarantee that is itself the deal keeps its books elsewhere: its papers say how late.
    """
    if loan.lender_id == guarantee.guarantor_id or loan.state is LoanState.WRITTEN_OFF:
        return loan.days_past_due
    book = loan_book.look(loan, local_date(now))
    if book.overdue_since is None:
        raise conflict(Code.ILLEGAL_MOVE, state="in_time", move="claim")
    least = after or 1
    if book.days_past_due < least:
        until = book.overdue_since + timedelta(days=least + book.paused_days)
        raise conflict(Code.TOO_EARLY, until=until.isoformat())
    return book.days_past_due


def _check_amount(loan: Loan, guarantee: Guarantee, amount: int, payable: int, today: date) -> None:
    if amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=amount, least=1)
    if loan.lender_id == guarantee.guarantor_id:
        # What it stands for is the most it pays, whatever the outside lender lost.
        if payable > loan.outstanding:
            raise invalid(Code.TOO_LARGE, "amount", value=payable, most=loan.outstanding)
        return
    owed = compute_payoff(loan_book.read_deal(loan), loan_book.read_events(loan), today)
    if amount > owed:
        raise invalid(Code.TOO_LARGE, "amount", value=amount, most=owed)
    if payable > guarantee.amount - guarantee.compensated:
        used = guarantee.compensated
        raise conflict(Code.LIMIT_EXCEEDED, "amount", limit=guarantee.amount, used=used, asked=payable)


def _propose(loan: Loan, guarantee: Guarantee, covered: Decimal) -> RiskSharing:
    if loan.lender_id == guarantee.guarantor_id:
        raise invalid(Code.REQUIRED, "risk_sharing")
    guarantor = guarantees.read_guarantor(guarantee)
    is_bank = loan.lender.kind is OrganisationKind.BANK
    return propose(guarantor.name_zh[:80], loan.lender.name_zh[:80], covered, is_bank=is_bank)


def _compensate(
    session: Session,
    claim: CompensationClaim,
    loan: Loan,
    paid_on: date,
    reference: str,
    *,
    by: Party,
    now: datetime,
) -> None:
    row = loans.receive(
        session,
        loan,
        claim.payable,
        paid_on,
        reference,
        by=by,
        now=now,
        kind=LoanEventKind.COMPENSATION,
        source="guarantor",
    )
    claim.state, claim.event_id = ClaimState.PAID, row.event_id
    if loan.lender_id != claim.guarantee.guarantor_id:
        own = claim.amount - claim.payable
        guarantees.compensate(session, claim.guarantee, claim.payable, own, now)
