"""Bridge loans closing their loop (应急转贷闭环): the bank's commitment, the one account, the money back.

A bridge is paid out against a commitment to renew, to the maturing loan's account and to no other; the bank's
renewal comes back to the fund as a receipt and closes the loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from market import bridging, credit_code
from market.bridging import Promise, Run, Turnover
from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.lending_vocabulary import DealKind
from market.party import Party
from market.reference import calendar
from market.remarks import read_remark
from market.terms import BridgeTerms
from market.vocabulary import AlertKind, Capability, LoanState, OrganisationKind
from models.alert import Alert
from models.base import db, transaction
from models.bridge import Renewal
from models.loan import Loan, LoanEvent, Repayment
from models.organisation import Organisation
from services import alerts, audit, bridge_rules, exposures, limits, loan_book, loans

_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: Deals that are not paid out yet: their commitment may still be corrected.
_BEFORE = (LoanState.UNCONFIRMED, LoanState.APPROVED)


@dataclass(frozen=True, slots=True)
class Commitment:
    """A bank's commitment to renew: ``promised`` fen by a day, for the loan it names and its account."""

    bank_code: str
    promised: int
    promised_by: date
    maturing_reference: str
    account: str
    evidence: str


def record_promise(loan_id: int, commitment: Commitment, *, by: Party, now: datetime) -> Renewal:
    """Record the commitment that a bridge leans on, or correct it before anything is paid out."""
    by.require(*_LENDER)
    loans.find_own(loan_id, by)
    code = credit_code.parse(commitment.bank_code, "bank")
    evidence = read_remark(commitment.evidence, "evidence", 300)
    reference = read_remark(commitment.maturing_reference, "maturing_reference", 80)
    account = read_remark(bridging.read_account(commitment.account), "account", 40)
    if commitment.promised <= 0:
        raise invalid(Code.TOO_SMALL, "promised", value=commitment.promised, least=1)
    with transaction() as session:
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        if loan.kind is not DealKind.BRIDGE:
            raise conflict(Code.WRONG_KIND, kind=loan.kind.value, expected=DealKind.BRIDGE.value)
        if loan.state not in _BEFORE:
            raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="commit")
        bank = session.scalar(
            select(Organisation).where(
                Organisation.credit_code == code, Organisation.kind == OrganisationKind.BANK
            )
        )
        if bank is None:
            raise invalid(Code.NOT_FOUND, "bank", what="organisation", id=code)
        renewal = find(loan_id) or Renewal(loan_id=loan.id)
        renewal.bank_id, renewal.promised, renewal.promised_by = (
            bank.id,
            commitment.promised,
            commitment.promised_by,
        )
        renewal.maturing_reference, renewal.account, renewal.evidence = reference, account, evidence
        assert by.user_id is not None, "only a person holds a lender's capability"
        renewal.recorded_by, renewal.recorded_at = by.user_id, now
        session.add(renewal)
        audit.record(
            session, "renewal.commit", renewal, by=by, now=now, loan=loan.id, promised=commitment.promised
        )
    return renewal


def check_drawdown(session: Session, loan: Loan, amount: int, drawn_on: date, paid_to: str) -> None:
    """Raise ``Invalid`` with everything that forbids paying a bridge out, else note where it goes.

    Without a commitment on record (renewal: required); else what ``market.bridging`` finds. Inside the
    drawdown's transaction.
    """
    renewal = session.scalar(select(Renewal).where(Renewal.loan_id == loan.id).with_for_update())
    if renewal is None:
        raise Invalid(Fault(Code.REQUIRED, "renewal"))
    terms = loan_book.read_deal(loan).terms
    assert isinstance(terms, BridgeTerms), "a bridge has the terms of one"
    faults = bridging.find_faults(
        bridge_rules.find(loan.zone_id, drawn_on),
        Promise(renewal.promised, renewal.promised_by, renewal.account),
        drawn=loan.drawn + amount,
        drawn_on=drawn_on,
        days=terms.days,
        paid_to=paid_to,
        calendar=calendar(),
    )
    if faults:
        raise Invalid(*faults)
    renewal.paid_account = renewal.account


def record_return(
    loan_id: int, amount: int, paid_on: date, reference: str, *, by: Party, now: datetime
) -> Repayment:
    """Record that the bank's renewal came in: the receipt pays the bridge back and closes the loop.

    Raises ``Invalid`` for more than is owed, amount (too_small) for less: the loop closes in one sum.
    """
    by.require(*_LENDER)
    loans.find_own(loan_id, by)
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        renewal = session.scalar(select(Renewal).where(Renewal.loan_id == loan.id).with_for_update())
        if renewal is None:
            raise not_found("renewal", loan_id)
        row = loans.receive(session, loan, amount, paid_on, reference, by=by, now=now)
        if loan.state is not LoanState.REPAID:
            owed = amount + sum(loan_book.count_open(line) for line in loan.instalments)
            raise invalid(Code.TOO_SMALL, "amount", value=amount, least=owed)
        renewal.returned_on, renewal.event_id = paid_on, row.event_id
        alerts.settle(session, AlertKind.RENEWAL_MISSING, _subject(renewal), "returned", now=now)
        audit.record(session, "renewal.return", renewal, by=by, now=now, loan=loan.id, amount=amount)
    return row


def reopen(session: Session, event: LoanEvent) -> None:
    """Open the loop again that a receipt closed which is taken back, inside the caller's transaction."""
    renewal = session.scalar(select(Renewal).where(Renewal.event_id == event.id).with_for_update())
    if renewal is not None:
        renewal.returned_on, renewal.event_id = None, None


def list_due(zone_id: int, now: datetime) -> list[int]:
    """Return the renewals of a zone missing without an alert, or with one and missing no more."""
    alerted = (
        select(Alert.id)
        .where(
            Alert.kind == AlertKind.RENEWAL_MISSING,
            Alert.loan_id == Renewal.loan_id,
            Alert.resolved_at.is_(None),
        )
        .exists()
    )
    is_out = Loan.state == LoanState.DRAWN
    return list(
        db.session.scalars(
            select(Renewal.id)
            .join(Renewal.loan)
            .where(
                Loan.zone_id == zone_id,
                or_(and_(Renewal.promised_by < local_date(now), is_out, ~alerted), and_(~is_out, alerted)),
            )
            .order_by(Renewal.id)
        )
    )


def watch(renewal_id: int, *, by: Party, now: datetime) -> None:
    """Raise the alert that a renewal did not come by its day, or close it once the bridge is over."""
    with transaction() as session:
        seen = session.get_one(Renewal, renewal_id)
        loan = session.get_one(Loan, seen.loan_id, with_for_update=True)
        renewal = session.get_one(Renewal, renewal_id, with_for_update=True)
        if loan.state is not LoanState.DRAWN:
            alerts.settle(session, AlertKind.RENEWAL_MISSING, _subject(renewal), "repaid", now=now)
        elif renewal.promised_by < local_date(now):
            alerts.raise_alert(
                session,
                loan.zone_id,
                AlertKind.RENEWAL_MISSING,
                _subject(renewal),
                now=now,
                loan_id=loan.id,
                due_on=renewal.promised_by.isoformat(),
                amount=renewal.promised,
                name=renewal.bank.name_zh,
            )


def find(loan_id: int) -> Renewal | None:
    """Return the commitment behind a bridge, or None."""
    return db.session.scalar(
        select(Renewal).where(Renewal.loan_id == loan_id).options(joinedload(Renewal.bank))
    )


def list_bridges(by: Party) -> list[tuple[Loan, Renewal | None]]:
    """Return the party's bridges that are promised or out, each with its commitment, by the promised day.

    A bank sees those that it committed itself to renew, an officer the zone's.
    """
    query = (
        select(Loan, Renewal)
        .outerjoin(Renewal, Renewal.loan_id == Loan.id)
        .where(
            Loan.zone_id == by.zone_id,
            Loan.kind == DealKind.BRIDGE,
            Loan.state.in_((*_BEFORE, LoanState.DRAWN)),
        )
        .options(joinedload(Loan.borrower), joinedload(Loan.lender), joinedload(Renewal.bank))
        .order_by(Renewal.promised_by, Loan.id)
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where((Loan.lender_id == by.organisation_id) | (Renewal.bank_id == by.organisation_id))
    return [(loan, renewal) for loan, renewal in db.session.execute(query)]


def measure(lender_id: int, zone_id: int, since: date, until: date) -> Turnover:
    """Return what a bridge fund paid out between two days, both included, against its limit in total."""
    found = db.session.scalars(
        select(Loan).where(
            Loan.lender_id == lender_id,
            Loan.zone_id == zone_id,
            Loan.kind == DealKind.BRIDGE,
            Loan.drawn_on.between(since, until),
        )
    )
    total = limits.find_total(lender_id)
    runs = [Run(loan.drawn, loan.drawn_on, loan.repaid_on) for loan in found if loan.drawn_on is not None]
    return bridging.measure(runs, total.cap if total is not None else None)


def _subject(renewal: Renewal) -> str:
    return f"renewal:{renewal.loan_id}"
