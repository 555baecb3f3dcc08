"""Procurement intentions: put on record by purchaser, officer or file, and told to whom they may interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.calendar import local_date
from market.errors import Code, Fault, Invalid, MarketError, conflict, not_found
from market.party import Party
from market.procurement_vocabulary import NoticeKind, ProcurementObject
from market.remarks import read_remark
from market.vocabulary import Capability, OrganisationKind
from models.base import db, transaction
from models.organisation import Organisation
from models.procurement import ProcurementIntention, ProcurementWatch
from models.zone import Membership
from services import audit, notices, procurement_matches

#: The longest title and description, a watch's words, and a tag or industry.
TITLE_MOST, TEXT_MOST, WORDS_MOST, WORD_MOST = 400, 1000, 20, 40


@dataclass(frozen=True, slots=True)
class Entry:
    """An intention as it is entered: ``budget`` in fen, ``expected_month`` any day of the month expected.

    ``purchaser_name`` is left out by a purchaser, who enters its own.
    """

    title: str
    object: ProcurementObject
    expected_month: date
    published_on: date
    purchaser_name: str | None = None
    description: str = ""
    industry: str | None = None
    tags: tuple[str, ...] = ()
    budget: int | None = None
    is_reserved: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a file: rows put on record, rows known already, and the faults of each refused row."""

    added: int = 0
    known: int = 0
    refused: dict[int, tuple[Fault, ...]] = field(default_factory=dict)


def enter(entry: Entry, *, by: Party, now: datetime) -> ProcurementIntention:
    """Put an intention on record and tell firms and lenders; its purchaser or an officer.

    Raises ``Invalid`` with every fault, ``Conflict`` for one on record.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    entry = check(entry, by=by, now=now)
    with transaction() as session:
        if _find_known(session, entry, by.zone_id) is not None:
            raise conflict(Code.ALREADY_EXISTS, "title", what="intention", value=entry.title[:40])
        return _add(session, entry, "form", by=by, now=now)


def load(rows: Sequence[Entry | Invalid], *, by: Party, now: datetime, source: str = "file") -> Loaded:
    """Put the rows of a file on record, each by itself: one that is refused does not hold up the others.

    A row is what was read of it, or why it could not be read. One on record already changes nothing.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    done = Loaded()
    with transaction() as session:
        for number, row in enumerate(rows, 1):
            if isinstance(row, Invalid):
                done.refused[number] = row.faults
                continue
            try:
                entry = check(row, by=by, now=now)
            except MarketError as error:
                done.refused[number] = error.faults
                continue
            if _find_known(session, entry, by.zone_id) is not None:
                done = replace(done, known=done.known + 1)
                continue
            _add(session, entry, source, by=by, now=now)
            done = replace(done, added=done.added + 1)
    return done


def check(entry: Entry, *, by: Party, now: datetime) -> Entry:
    """Return an entry as it is stored: texts trimmed, the month's first day, a purchaser's own name.

    Raises ``Invalid`` with every fault.
    """
    faults: list[Fault] = []
    if not by.may(Capability.OFFICER):
        own = db.session.get(Organisation, by.organisation_id)
        entry = replace(entry, purchaser_name=own.name_zh if own is not None else None)
    texts: dict[str, str] = {}
    for name, most, required in (
        ("title", TITLE_MOST, True),
        ("purchaser_name", 300, True),
        ("description", TEXT_MOST, False),
        ("industry", WORD_MOST, False),
    ):
        try:
            text = read_remark(getattr(entry, name) or "", name, most, required=required)
        except Invalid as error:
            faults.extend(error.faults)
        else:
            texts[name] = text
    if entry.budget is not None and entry.budget <= 0:
        faults.append(Fault(Code.TOO_SMALL, "budget", {"value": entry.budget, "least": 1}))
    today = local_date(now)
    if entry.published_on > today:
        values = {"value": str(entry.published_on), "today": str(today)}
        faults.append(Fault(Code.NOT_YET, "published_on", values))
    month = entry.expected_month.replace(day=1)
    if month < entry.published_on.replace(day=1):
        values = {"value": f"{month:%Y-%m}", "after": f"{entry.published_on:%Y-%m}"}
        faults.append(Fault(Code.OUT_OF_ORDER, "expected_month", values))
    tags = _read_words(entry.tags, "tags", faults)
    if faults:
        raise Invalid(*faults)
    return replace(
        entry,
        title=texts["title"],
        purchaser_name=texts["purchaser_name"],
        description=texts["description"],
        industry=texts["industry"] or None,
        expected_month=month,
        tags=tags,
    )


def list_for(by: Party, *, search: str = "", most: int = 500) -> list[ProcurementIntention]:
    """Return the intentions of the party's zone, newest first: they are published for everybody."""
    query = select(ProcurementIntention).where(ProcurementIntention.zone_id == by.zone_id)
    if search.strip():
        like = f"%{search.strip()}%"
        query = query.where(
            ProcurementIntention.title.ilike(like)
            | ProcurementIntention.description.ilike(like)
            | ProcurementIntention.purchaser_name.ilike(like)
            | ProcurementIntention.industry.ilike(like)
        )
    newest = query.order_by(ProcurementIntention.published_on.desc(), ProcurementIntention.id.desc())
    return list(db.session.scalars(newest.limit(most)))


def find(intention_id: int, *, by: Party) -> ProcurementIntention:
    """Return an intention of the party's zone; raises ``NotFound``."""
    row = db.session.get(ProcurementIntention, intention_id)
    if row is None or row.zone_id != by.zone_id:
        raise not_found("intention", intention_id)
    return row


def set_watch(
    industries: Sequence[str], keywords: Sequence[str], *, by: Party, now: datetime
) -> ProcurementWatch:
    """Set what the party's firm watches for beside its own industry; empty lists watch for nothing more."""
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    faults: list[Fault] = []
    wanted = {
        "industries": list(_read_words(industries, "industries", faults)),
        "keywords": list(_read_words(keywords, "keywords", faults)),
    }
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        # The seat is locked, so that two colleagues who save at once make one row.
        session.scalar(
            select(Membership)
            .where(Membership.zone_id == by.zone_id, Membership.organisation_id == by.organisation_id)
            .with_for_update()
        )
        watch = _find_watch(session, by)
        if watch is None:
            watch = ProcurementWatch(zone_id=by.zone_id, organisation_id=by.organisation_id, updated_at=now)
            session.add(watch)
        watch.industries, watch.keywords, watch.updated_at = wanted["industries"], wanted["keywords"], now
        audit.record(session, "procurement_watch.set", watch, by=by, now=now, **wanted)
    return watch


def find_watch(by: Party) -> ProcurementWatch | None:
    """Return what the party's firm watches for, or None while it has set nothing."""
    return _find_watch(db.session(), by)


def _find_watch(session: Session, by: Party) -> ProcurementWatch | None:
    return session.scalar(
        select(ProcurementWatch).where(
            ProcurementWatch.zone_id == by.zone_id, ProcurementWatch.organisation_id == by.organisation_id
        )
    )


def _find_known(session: Session, entry: Entry, zone_id: int) -> int | None:
    return session.scalar(
        select(ProcurementIntention.id).where(
            ProcurementIntention.zone_id == zone_id,
            ProcurementIntention.purchaser_name == entry.purchaser_name,
            ProcurementIntention.title == entry.title,
            ProcurementIntention.expected_month == entry.expected_month,
        )
    )


def _add(session: Session, entry: Entry, source: str, *, by: Party, now: datetime) -> ProcurementIntention:
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    row = ProcurementIntention(
        **{**values, "tags": list(entry.tags)},
        zone_id=by.zone_id,
        purchaser_id=_find_purchaser(session, entry, by),
        source=source,
        recorded_by=by.user_id,
        recorded_at=now,
    )
    session.add(row)
    audit.record(session, "intention.enter", row, by=by, now=now, source=source)
    _announce(session, row, now=now)
    return row


def _announce(session: Session, row: ProcurementIntention, *, now: datetime) -> None:
    """Tell the firms that an intention is for, and the institutions that lend on contracts."""
    details: dict[str, Any] = {
        "title": row.title,
        "purchaser": row.purchaser_name,
        "amount": row.budget,
        "month": f"{row.expected_month:%Y-%m}",
        "reserved": row.is_reserved,
    }
    subject = f"intention:{row.id}"
    told = [
        (firm_id, subject, {**details, "reasons": [reason.value for reason in reasons]})
        for firm_id, reasons in procurement_matches.find_firms(session, row, local_date(now))
    ]
    told += [(lender, subject, details) for lender in procurement_matches.list_lenders(session, row.zone_id)]
    notices.send_all(session, row.zone_id, NoticeKind.INTENTION, told, now=now)


def _find_purchaser(session: Session, entry: Entry, by: Party) -> int | None:
    """Return the purchaser that an entry names: whoever enters its own, else the one of that very name."""
    if not by.may(Capability.OFFICER):
        return by.organisation_id
    return session.scalar(
        select(Organisation.id)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(
            Membership.zone_id == by.zone_id,
            Organisation.kind == OrganisationKind.PURCHASER,
            Organisation.name_zh == entry.purchaser_name,
        )
        .limit(1)
    )


def _read_words(words: Sequence[str], name: str, faults: list[Fault]) -> tuple[str, ...]:
    """Return words without blanks and repetitions; what is too long or too many goes to the faults."""
    found = tuple(dict.fromkeys(text for word in words if (text := word.strip())))
    if len(found) > WORDS_MOST:
        faults.append(Fault(Code.TOO_LARGE, name, {"value": len(found), "most": WORDS_MOST}))
    faults.extend(
        Fault(Code.TOO_LONG, name, {"value": word[:40], "most": WORD_MOST})
        for word in found
        if len(word) > WORD_MOST
    )
    return found
