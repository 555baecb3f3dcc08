"""Award notices: entered by hand or imported, matched to firms by credit code, and told to whom they name.

An award notice reaches the firm it names. Institutions are told only that awards were published, how many:
who was awarded what they see when the firm itself posts a need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from market import credit_code
from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, not_found
from market.party import Party
from market.procurement_vocabulary import NoticeKind
from market.remarks import read_remark
from market.vocabulary import Capability, OrganisationKind
from models.base import db, transaction
from models.organisation import Organisation
from models.procurement import AwardNotice
from models.zone import Membership
from services import audit, notices, procurement_matches


@dataclass(frozen=True, slots=True)
class Entry:
    """An award notice as it is entered: ``price`` in fen, None where the notice states none."""

    project_number: str
    supplier_name: str
    published_on: date
    supplier_code: str | None = None
    package_number: str = ""
    plan_number: str | None = None
    title: str = ""
    purchaser_name: str | None = None
    purchaser_code: str | None = None
    price: int | None = None
    currency: str | None = "CNY"
    agency: str | None = None


def enter(entry: Entry, *, by: Party, now: datetime) -> AwardNotice:
    """Put an award notice on record by hand and tell the firm it names; officers only.

    Raises ``Invalid`` for a missing name or number, a wrong credit code, a price of nothing, a day to come,
    and ``Conflict`` for a notice on record.
    """
    by.require(Capability.OFFICER)
    code = _check(entry, local_date(now))
    with transaction() as session:
        taken = session.scalar(
            select(AwardNotice.id).where(
                AwardNotice.zone_id == by.zone_id,
                AwardNotice.project_number == entry.project_number.strip(),
                AwardNotice.package_number == entry.package_number.strip(),
                AwardNotice.supplier_name == entry.supplier_name.strip(),
            )
        )
        if taken is not None:
            raise conflict(
                Code.ALREADY_EXISTS, "project_number", what="award_notice", value=entry.project_number
            )
        notice = AwardNotice(
            zone_id=by.zone_id,
            project_number=entry.project_number.strip(),
            package_number=entry.package_number.strip(),
            plan_number=entry.plan_number,
            title=entry.title.strip(),
            purchaser_name=entry.purchaser_name,
            purchaser_code=entry.purchaser_code,
            supplier_name=entry.supplier_name.strip(),
            supplier_code=code,
            price=entry.price,
            currency=entry.currency,
            agency=entry.agency,
            published_on=entry.published_on,
            source="form",
            recorded_at=now,
        )
        session.add(notice)
        audit.record(session, "award_notice.enter", notice, by=by, now=now)
        announce(session, [notice], now=now)
    return notice


def announce(session: Session, found: Iterable[AwardNotice], *, now: datetime) -> int:
    """Match notices to firms by credit code and tell these, inside the caller's transaction.

    Returns how many notices name a firm with a seat in their zone. Calling it again tells nobody twice.
    """
    rows = list(found)
    session.flush()
    days: set[tuple[int, date]] = set()
    told: dict[int, list[tuple[int, str, dict[str, Any]]]] = defaultdict(list)
    codes = {row.supplier_code for row in rows if row.supplier_code is not None}
    firms = {
        firm.credit_code: firm
        for firm in session.scalars(select(Organisation).where(Organisation.credit_code.in_(codes)))
    }
    seats: set[Any] = set(
        session.execute(
            select(Membership.zone_id, Membership.organisation_id).where(
                Membership.organisation_id.in_([firm.id for firm in firms.values()])
            )
        )
    )
    for row in rows:
        firm = firms.get(row.supplier_code or "")
        if firm is None:
            continue
        row.supplier_id = firm.id
        if firm.kind is not OrganisationKind.ENTERPRISE or (row.zone_id, firm.id) not in seats:
            continue
        days.add((row.zone_id, row.published_on))
        details = {
            "title": row.title or row.project_number,
            "purchaser": row.purchaser_name,
            "amount": row.price if row.currency in (None, "CNY") else None,
            "published_on": row.published_on.isoformat(),
        }
        told[row.zone_id].append((firm.id, f"award_notice:{row.id}", details))
    for zone_id, each in told.items():
        notices.send_all(session, zone_id, NoticeKind.AWARD_NOTICE, each, now=now)
    for zone_id, day in sorted(days):
        _tell_lenders(session, zone_id, day, now=now)
    return sum(len(each) for each in told.values())


def claim(session: Session, firm: Organisation, *, now: datetime) -> int:
    """Tell a firm that has just come of the notices that named it before, inside the caller's transaction."""
    rows = session.scalars(select(AwardNotice).where(AwardNotice.supplier_code == firm.credit_code)).all()
    return announce(session, rows, now=now)


def list_for(by: Party, *, search: str = "", most: int = 500) -> list[AwardNotice]:
    """Return the award notices the party may see, newest first.

    Officers and auditors see all of the zone, a firm those that name it, a purchaser its own.
    """
    query = select(AwardNotice).where(AwardNotice.zone_id == by.zone_id, _visible(by))
    if search.strip():
        like = f"%{search.strip()}%"
        query = query.where(
            AwardNotice.title.ilike(like)
            | AwardNotice.project_number.ilike(like)
            | AwardNotice.supplier_name.ilike(like)
            | AwardNotice.purchaser_name.ilike(like)
        )
    return list(
        db.session.scalars(query.order_by(AwardNotice.published_on.desc(), AwardNotice.id.desc()).limit(most))
    )


def find(notice_id: int, *, by: Party) -> AwardNotice:
    """Return an award notice that the party may see; raises ``NotFound``."""
    notice = db.session.scalar(
        select(AwardNotice).where(
            AwardNotice.id == notice_id, AwardNotice.zone_id == by.zone_id, _visible(by)
        )
    )
    if notice is None:
        raise not_found("award_notice", notice_id)
    return notice


def _tell_lenders(session: Session, zone_id: int, day: date, *, now: datetime) -> None:
    """Tell the zone's lenders that firms of the zone were awarded contracts on a day, and nothing more."""
    said = day.isoformat()
    told = [
        (lender, f"awards:{said}", {"published_on": said})
        for lender in procurement_matches.list_lenders(session, zone_id)
    ]
    notices.send_all(session, zone_id, NoticeKind.AWARDS_OF_DAY, told, now=now)


def _visible(by: Party) -> ColumnElement[bool]:
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return true()
    if by.organisation_id is None or by.is_institution:
        return false()
    if by.may(Capability.PURCHASER):
        own = select(Organisation.credit_code).where(Organisation.id == by.organisation_id).scalar_subquery()
        return AwardNotice.purchaser_code == own
    return AwardNotice.supplier_id == by.organisation_id


def _check(entry: Entry, today: date) -> str | None:
    """Return the supplier's credit code, normalised; raise ``Invalid`` with every fault."""
    faults: list[Fault] = []
    code = None
    for field, most in (("project_number", 160), ("supplier_name", 300)):
        try:
            read_remark(getattr(entry, field), field, most)
        except Invalid as error:
            faults.extend(error.faults)
    if entry.supplier_code:
        try:
            code = credit_code.parse(entry.supplier_code, "supplier_code")
        except Invalid as error:
            faults.extend(error.faults)
    if entry.price is not None and entry.price <= 0:
        faults.append(Fault(Code.TOO_SMALL, "price", {"value": entry.price, "least": 1}))
    if entry.published_on > today:
        values = {"value": str(entry.published_on), "today": str(today)}
        faults.append(Fault(Code.NOT_YET, "published_on", values))
    if faults:
        raise Invalid(*faults)
    return code
