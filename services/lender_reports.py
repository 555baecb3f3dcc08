"""Lenders' monthly reports on contract loans: prefilled from the book, checked and handed in by the 10th.

Every lender reports that was paid out a contract loan in the month or had one out; from the 11th on the clock
tells of what is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, joinedload

from market import reporting
from market.calendar import local_date
from market.errors import Code, conflict
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import AlertKind, Capability, LoanState
from models.alert import Alert
from models.base import db, transaction
from models.lender_report import LenderReport
from models.loan import Loan
from models.organisation import Organisation
from services import alerts, audit, lender_figures
from services.loans import AGREED_LOANS

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
REASON_MOST = 300
#: How many months back a lender's list goes.
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Draft:
    """A month's report as the book has it now; ``seal`` says which figures are handed in."""

    month: str
    deadline: date
    figures: lender_figures.Figures
    seal: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a lender's report of a month was handed in: the one that stands, or None."""

    month: str
    lender: Organisation
    deadline: date
    report: LenderReport | None
    is_late: bool


def prefill(month: str, *, by: Party, now: datetime) -> Draft:
    """Return a month's report of the party's institution as its book has it.

    Raises ``Invalid`` for what is no month, ``Conflict`` (too_early) for one that is not over.
    """
    by.require(*LENDER)
    _check_over(month, now)
    figures = lender_figures.read(db.session(), by.zone_id, _lender(by), month)
    return Draft(month, reporting.find_deadline(month), figures, lender_figures.seal(figures))


def submit(month: str, seal: str, *, reason: str = "", by: Party, now: datetime) -> LenderReport:
    """Hand a month's report in, as it was shown (``seal``); a second one corrects the first, with a reason.

    Raises ``Conflict``: stale where the book says otherwise by now, too_early for a month that is not over,
    already_exists for a correction that changes nothing; ``Invalid`` for a correction without a reason.
    """
    by.require(*LENDER)
    _check_over(month, now)
    with transaction() as session:
        former = session.scalar(
            _select(by.zone_id, month)
            .where(LenderReport.lender_id == by.organisation_id, LenderReport.superseded_at.is_(None))
            .with_for_update()
        )
        figures = lender_figures.read(session, by.zone_id, _lender(by), month)
        if lender_figures.seal(figures) != seal:
            raise conflict(Code.STALE)
        if former is not None:
            reason = read_remark(reason, "reason", REASON_MOST)
            if former.seal == seal:
                raise conflict(Code.ALREADY_EXISTS, what="report", value=month)
            former.superseded_at = now
            session.flush()
        assert by.user_id is not None
        report = LenderReport(
            zone_id=by.zone_id,
            lender_id=_lender(by),
            month=month,
            number=1 if former is None else former.number + 1,
            figures=figures,
            row_count=len(figures["rows"]),
            seal=seal,
            reason=None if former is None else reason,
            submitted_by=by.user_id,
            submitted_at=now,
        )
        session.add(report)
        session.flush()
        alerts.settle(
            session,
            AlertKind.REPORT_MISSING,
            name_subject(by.zone_id, _lender(by), month),
            "handed_in",
            now=now,
        )
        audit.record(session, "report.submit", report, by=by, now=now, month=month, seal=seal)
    return report


def list_own(by: Party, now: datetime) -> list[Standing]:
    """Return how the party's institution stands with the last months it has to report on, newest first."""
    by.require(*LENDER)
    lender = db.session.get_one(Organisation, _lender(by))
    months = reporting.list_months(local_date(now), MONTHS_SHOWN)
    handed_in: dict[str, list[LenderReport]] = defaultdict(list)
    for report in db.session.scalars(
        select(LenderReport)
        .where(LenderReport.zone_id == by.zone_id, LenderReport.lender_id == lender.id)
        .order_by(LenderReport.number)
    ):
        handed_in[report.month].append(report)
    deals = db.session.execute(
        select(Loan.drawn_on, Loan.repaid_on, Loan.state).where(
            Loan.zone_id == by.zone_id,
            Loan.lender_id == lender.id,
            Loan.contract_id.is_not(None),
            Loan.state.in_(AGREED_LOANS),
            Loan.drawn_on.is_not(None),
        )
    ).all()
    owed = {
        month
        for month in months
        for drawn_on, repaid_on, state in deals
        if drawn_on is not None and _was_out(drawn_on, repaid_on, state, month=month)
    }
    return [
        _stand(month, lender, handed_in.get(month, []), now)
        for month in months
        if month in owed or month in handed_in
    ]


def list_month(month: str, *, by: Party, now: datetime) -> list[Standing]:
    """Return who had to report on a month and who has; officers and auditors only. Missing ones first."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    reporting.read_month(month)
    reports: dict[int, list[LenderReport]] = defaultdict(list)
    for report in list_reports(month, by=by):
        reports[report.lender_id].append(report)
    found = {lender.id: lender for lender in _list_owing(db.session(), by.zone_id, month)}
    found |= {lender_id: some[0].lender for lender_id, some in reports.items()}
    standings = [_stand(month, lender, reports.get(lender.id, []), now) for lender in found.values()]
    return sorted(standings, key=lambda one: (one.report is not None, one.lender.id))


def list_reports(month: str, *, by: Party) -> list[LenderReport]:
    """Return the reports on a month, corrected ones too, by lender and number: the party's own, or all.

    Officers and auditors see every lender's.
    """
    by.require(*LENDER, Capability.OFFICER, Capability.AUDITOR)
    reporting.read_month(month)
    query = _select(by.zone_id, month).options(joinedload(LenderReport.lender))
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(LenderReport.lender_id == by.organisation_id)
    return list(db.session.scalars(query.order_by(LenderReport.lender_id, LenderReport.number)))


def list_missing(zone_id: int, now: datetime) -> list[tuple[int, str]]:
    """Return (lender, month) of the reports that are late by now and that no alert has told of yet."""
    month = reporting.find_late_month(local_date(now))
    handed_in = set(
        db.session.scalars(
            select(LenderReport.lender_id).where(LenderReport.zone_id == zone_id, LenderReport.month == month)
        )
    )
    told = set(
        db.session.scalars(
            select(Alert.subject).where(Alert.zone_id == zone_id, Alert.kind == AlertKind.REPORT_MISSING)
        )
    )
    return [
        (lender.id, month)
        for lender in _list_owing(db.session(), zone_id, month)
        if lender.id not in handed_in and name_subject(zone_id, lender.id, month) not in told
    ]


def note_missing(lender_id: int, month: str, *, by: Party, now: datetime) -> None:
    """Raise the alert that a lender's report is late, unless it came in meanwhile."""
    with transaction() as session:
        lender = session.get_one(Organisation, lender_id)
        came_in = session.scalar(
            _select(by.zone_id, month).where(LenderReport.lender_id == lender_id).limit(1)
        )
        if came_in is None:
            alerts.raise_alert(
                session,
                by.zone_id,
                AlertKind.REPORT_MISSING,
                name_subject(by.zone_id, lender_id, month),
                now=now,
                name=lender.name_zh,
                month=month,
            )


def name_subject(zone_id: int, lender_id: int, month: str) -> str:
    """Return what the alert of a missing report is about."""
    return f"{alerts.name_reports(zone_id, lender_id)}{month}"


def _select(zone_id: int, month: str) -> Select[LenderReport]:
    return select(LenderReport).where(LenderReport.zone_id == zone_id, LenderReport.month == month)


def _list_owing(session: Session, zone_id: int, month: str) -> Sequence[Organisation]:
    """Return the lenders that have to report on a month, by number."""
    first, last = reporting.read_month(month), reporting.find_end(month)
    owing = select(Loan.lender_id).where(
        Loan.zone_id == zone_id,
        Loan.contract_id.is_not(None),
        Loan.state.in_(AGREED_LOANS),
        Loan.drawn_on <= last,
        _still_out(first),
    )
    return session.scalars(
        select(Organisation).where(Organisation.id.in_(owing)).order_by(Organisation.id)
    ).all()


def _still_out(first: date) -> ColumnElement[bool]:
    return or_(Loan.state == LoanState.DRAWN, Loan.repaid_on >= first, Loan.drawn_on >= first)


def _was_out(drawn_on: date, repaid_on: date | None, state: LoanState, *, month: str) -> bool:
    first, last = reporting.read_month(month), reporting.find_end(month)
    is_out = state is LoanState.DRAWN or (repaid_on is not None and repaid_on >= first) or drawn_on >= first
    return drawn_on <= last and is_out


def _stand(month: str, lender: Organisation, reports: Sequence[LenderReport], now: datetime) -> Standing:
    """Return how a lender stands with a month; a correction does not make what came in time late."""
    deadline = reporting.find_deadline(month)
    came_on = local_date(reports[0].submitted_at if reports else now)
    return Standing(month, lender, deadline, reports[-1] if reports else None, came_on > deadline)


def _check_over(month: str, now: datetime) -> None:
    begins = reporting.find_end(month) + timedelta(days=1)
    if local_date(now) < begins:
        raise conflict(Code.TOO_EARLY, "month", until=str(begins))


def _lender(by: Party) -> int:
    assert by.organisation_id is not None, "capabilities are held for an organisation"
    return by.organisation_id
