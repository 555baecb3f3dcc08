"""Pulls: what a bureau published on a day, fetched and stored once, however often it is asked.

A pull is three: it is noted as begun (short transaction), its pages are fetched with no transaction open, and
then they are stored batch by batch through the registry's own import. Nothing is stored of a day that did not
come whole; what went wrong stands in the pull, and the last good day stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.bureau_vocabulary import BureauKind, DayBasis, PullFailure
from market.calendar import SHANGHAI, local_date
from market.errors import Code, Fault, Invalid, MarketError, conflict, invalid
from market.party import Party
from market.vocabulary import Capability
from models.base import db, transaction
from models.bureau import BureauLink, BureauPull
from services import audit, bureau_links, bureau_store
from services.bureau_links import lock
from services.exchange import bureau_client, bureau_records
from services.exchange.bureau_client import Bureau, BureauError, Patience
from services.sealing import Sealer

#: From this hour on yesterday's records can be had.
FROM_HOUR = time(6)
#: After a failure the clock leaves a bureau alone for so long.
REST = timedelta(minutes=30)
#: So many days are made up for after a bureau, or we, were away.
MADE_UP = 14
#: Records per transaction.
BATCH = 200
ATTEMPTS = 5
MOST_LISTED = 20
PAGE = "100"
_PASSING = frozenset({Code.STALE, Code.BUSY})

_READERS: dict[BureauKind, Callable[[Any], Any]] = {
    BureauKind.AWARDS: bureau_records.read_award,
    BureauKind.CONTRACTS: bureau_records.read_contract,
    BureauKind.PAYMENTS: bureau_records.read_payment,
}
_STORES: dict[BureauKind, Callable[..., bureau_store.Stored]] = {
    BureauKind.AWARDS: bureau_store.store_awards,
    BureauKind.CONTRACTS: bureau_store.store_contracts,
    BureauKind.PAYMENTS: bureau_store.store_payments,
}


@dataclass(slots=True)
class _Tally:
    """What came of a pull so far."""

    imported: int = 0
    updated: int = 0
    rejected: int = 0
    rejections: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, place: str, fault: Fault) -> None:
        self.rejected += 1
        if len(self.rejections) < MOST_LISTED:
            values = {name: str(value)[:80] for name, value in fault.values.items()}
            self.rejections.append(
                {"place": place[:160], "code": fault.code.value, "field": fault.field, "values": values}
            )


def pull(
    link_id: int,
    kind: BureauKind,
    day: date,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
    patience: Patience = bureau_client.USUAL,
) -> BureauPull:
    """Fetch the records of one kind that a bureau took in on a day, and store them; returns the pull.

    A failure of the bureau is in the pull's ``failure`` and raises nothing; records that cannot be used are
    counted and listed, the others are stored. A day that is not over can be asked for, but is not had by it.
    Raises ``Invalid`` for a day to come.
    """
    if by.user_id is not None:
        by.require(Capability.OFFICER)
    if day > local_date(now):
        raise invalid(Code.NOT_YET, "day", value=str(day), today=str(local_date(now)))
    pull_id, link = _open(link_id, kind, day, by=by, now=now)
    try:
        peer = _open_up(link, sealer)
        items = _fetch(peer, kind, day, patience)
    except BureauError as error:
        failure = {"why": error.why.value, "values": error.values}
        return _close(pull_id, _Tally(), failure, by=by, now=now)
    tally = _Tally()
    records = list(_read(items, _READERS[kind], tally))
    for start in range(0, len(records), BATCH):
        _store(kind, records[start : start + BATCH], tally, by=by, now=now)
    return _close(pull_id, tally, None, by=by, now=now)


def pull_day(
    link_id: int,
    day: date,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
    patience: Patience = bureau_client.USUAL,
) -> list[BureauPull]:
    """Pull every kind of a day, in the order in which they lean on each other; stops at a failure."""
    done: list[BureauPull] = []
    for kind in BureauKind:
        done.append(pull(link_id, kind, day, by=by, now=now, sealer=sealer, patience=patience))
        if done[-1].failure is not None:
            break
    return done


def list_due(zone_id: int, now: datetime) -> list[int]:
    """Return the links whose bureau has a day for us that we have not had, unless it failed just now."""
    if now.astimezone(SHANGHAI).time() < FROM_HOUR:
        return []
    links = db.session.scalars(
        select(BureauLink.id)
        .where(BureauLink.zone_id == zone_id, BureauLink.is_active)
        .order_by(BureauLink.id)
    ).all()
    return [link_id for link_id in links if _list_missing(link_id, now) and not _is_resting(link_id, now)]


def pull_due(link_id: int, *, by: Party, now: datetime, sealer: Sealer) -> list[BureauPull]:
    """Pull the oldest day that a link has missed; stops at a failure, which a later tick repairs."""
    done: list[BureauPull] = []
    missing = _list_missing(link_id, now)
    for day, kind in missing:
        if day > missing[0][0]:
            # One day at a time: what else is due must not wait for a bureau.
            break
        done.append(pull(link_id, kind, day, by=by, now=now, sealer=sealer, patience=bureau_client.HURRIED))
        if done[-1].failure is not None:
            break
    return done


def _list_missing(link_id: int, now: datetime) -> list[tuple[date, BureauKind]]:
    """Return the days that are over and were not had, by day and kind, of the last fortnight.

    What lies before the first attempt is nobody's loss: it can be pulled by hand.
    """
    yesterday = local_date(now) - timedelta(days=1)
    oldest = yesterday - timedelta(days=MADE_UP - 1)
    attempts = db.session.execute(
        select(BureauPull.kind, BureauPull.day, bureau_links.is_had().label("had"))
        .where(BureauPull.link_id == link_id, BureauPull.day >= oldest, BureauPull.day <= yesterday)
        .distinct()
    ).all()
    missing: list[tuple[date, BureauKind]] = []
    for kind in BureauKind:
        tried = {row.day for row in attempts if row.kind is kind}
        had = {row.day for row in attempts if row.kind is kind and row.had}
        first = min(tried, default=yesterday)
        days = (first + timedelta(days=number) for number in range((yesterday - first).days + 1))
        missing.extend((day, kind) for day in days if day not in had)
    order = list(BureauKind)
    return sorted(missing, key=lambda piece: (piece[0], order.index(piece[1])))


def _is_resting(link_id: int, now: datetime) -> bool:
    """Say whether an attempt, failed or cut off, is too recent for another."""
    last = db.session.scalar(
        select(func.max(BureauPull.started_at)).where(
            BureauPull.link_id == link_id,
            BureauPull.failure.is_not(None) | BureauPull.finished_at.is_(None),
        )
    )
    return last is not None and last > now - REST


def _open(link_id: int, kind: BureauKind, day: date, *, by: Party, now: datetime) -> tuple[int, BureauLink]:
    with transaction() as session:
        link = lock(session, link_id, by)
        if not link.is_active:
            raise conflict(Code.ILLEGAL_MOVE, state="suspended", move="fetch")
        row = BureauPull(
            link_id=link.id,
            kind=kind,
            day=day,
            is_whole=day < local_date(now),
            started_at=now,
            started_by=by.user_id,
        )
        session.add(row)
        session.flush()
        return row.id, link


def _open_up(link: BureauLink, sealer: Sealer) -> Bureau:
    try:
        return bureau_links.open_up(link, sealer)
    except Invalid as error:
        raise BureauError(PullFailure.TOKEN_UNREADABLE) from error


def _fetch(peer: Bureau, kind: BureauKind, day: date, patience: Patience) -> list[Any]:
    """Return all items of a day; no transaction is open while the network is waited for."""
    query = {"day": day.isoformat(), "basis": DayBasis.UPDATED.value, "limit": PAGE}
    return [
        item for page in bureau_client.read_pages(peer, kind.value, query, patience=patience) for item in page
    ]


def _read(items: Iterable[Any], read: Callable[[Any], Any], tally: _Tally) -> Iterable[Any]:
    for place, item in enumerate(items, start=1):
        try:
            yield read(item)
        except MarketError as error:
            tally.reject(str(place), error.faults[0])


def _store(kind: BureauKind, batch: Sequence[Any], tally: _Tally, *, by: Party, now: datetime) -> None:
    """Store a batch in one transaction, tried again if another writer was faster.

    If one record cannot be stored, each is stored by itself and that one is refused.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction() as session:
                stored = _STORES[kind](session, batch, by=by, now=now)
        except MarketError as error:
            if error.faults[0].code in _PASSING and attempt < ATTEMPTS:
                continue
            if len(batch) == 1:
                tally.reject(bureau_store.name_record(batch[0]), error.faults[0])
                return
            break
        tally.imported += stored.imported
        tally.updated += stored.updated
        for place, fault in stored.refused:
            tally.reject(place, fault)
        return
    for record in batch:
        _store(kind, [record], tally, by=by, now=now)


def _close(
    pull_id: int, tally: _Tally, failure: dict[str, Any] | None, *, by: Party, now: datetime
) -> BureauPull:
    with transaction() as session:
        row: BureauPull = session.get_one(BureauPull, pull_id, with_for_update=True)
        row.finished_at, row.failure = now, failure
        row.imported, row.updated, row.rejected = tally.imported, tally.updated, tally.rejected
        row.rejections = tally.rejections
        _record(session, row, by=by, now=now)
    return row


def _record(session: Session, row: BureauPull, *, by: Party, now: datetime) -> None:
    audit.record(
        session,
        "bureau.pull",
        row,
        by=by,
        now=now,
        kind=row.kind.value,
        day=row.day.isoformat(),
        imported=row.imported,
        updated=row.updated,
        rejected=row.rejected,
        failed=None if row.failure is None else row.failure["why"],
    )
