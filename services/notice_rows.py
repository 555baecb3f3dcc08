"""Award notices into rows: new ones, and known ones that a newer notice corrects.

Used inside a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, tuple_, update
from sqlalchemy.orm import Session

from market.award_notice import NoticeRecord
from market.party import Party
from models.organisation import Organisation
from models.procurement import AwardNotice
from services import award_notices

_NOTICES: Table = AwardNotice.__table__  # type: ignore[assignment]
_KEY = ("project_number", "package_number", "supplier_name")
#: Columns that a notice decides.
_SAID = (
    "plan_number",
    "title",
    "purchaser_name",
    "purchaser_code",
    "supplier_code",
    "price",
    "currency",
    "agency",
    "published_on",
    "released_at",
)


def upsert(
    session: Session, records: Sequence[NoticeRecord], *, by: Party, now: datetime, source: str
) -> int:
    """Store notices in their order, linked to the firms of their credit codes; return how many are new.

    An older notice fills in what the known one leaves open and changes nothing else of it.
    """
    if not records:
        return 0
    rows = _lock_known(session, records, by)
    suppliers = _find_suppliers(session, records)
    fresh: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    for record in records:
        key = (record.project_number, record.package_number, record.supplier_name)
        row = rows.get(key)
        if row is None:
            rows[key] = row = dict(zip(_KEY, key, strict=True)) | _say(record)
            row |= {"zone_id": by.zone_id, "source": source, "recorded_at": now}
            row["supplier_id"] = suppliers.get(record.supplier_code or "")
            fresh.append(row)
            continue
        before = dict(row)
        _amend(row, _say(record))
        row["supplier_id"] = suppliers.get(row["supplier_code"] or "", row["supplier_id"])
        if row != before and "id" in row:
            changed[row["id"]] = row
    if fresh:
        session.execute(insert(_NOTICES), fresh)
        _announce(session, fresh, by, now)
    if changed:
        names = (*_SAID, "supplier_id")
        session.connection().execute(
            update(_NOTICES)
            .where(_NOTICES.c.id == bindparam("its_id"))
            .values({name: bindparam(f"its_{name}") for name in names}),
            [{"its_id": id} | {f"its_{name}": row[name] for name in names} for id, row in changed.items()],
        )
    return len(fresh)


def _announce(session: Session, fresh: Sequence[dict[str, Any]], by: Party, now: datetime) -> None:
    """Tell the firms that new notices name, and the lenders that there were awards."""
    keys = [tuple(row[name] for name in _KEY) for row in fresh if row["supplier_id"] is not None]
    if keys:
        columns = [_NOTICES.c[name] for name in _KEY]
        told = select(AwardNotice).where(AwardNotice.zone_id == by.zone_id, tuple_(*columns).in_(keys))
        award_notices.announce(session, session.scalars(told).all(), now=now)


def _say(record: NoticeRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _SAID} | {"title": record.title or ""}


def _amend(row: dict[str, Any], said: dict[str, Any]) -> None:
    stamps = (row["released_at"], said["released_at"])
    is_older = stamps[1] < stamps[0] if None not in stamps else said["published_on"] < row["published_on"]
    for name, value in said.items():
        if value not in (None, "") and (not is_older or row[name] in (None, "")):
            row[name] = value


def _lock_known(
    session: Session, records: Sequence[NoticeRecord], by: Party
) -> dict[tuple[str, str, str], dict[str, Any]]:
    keys = sorted({(one.project_number, one.package_number, one.supplier_name) for one in records})
    columns = [_NOTICES.c[name] for name in _KEY]
    found = session.execute(
        select(_NOTICES)
        .where(_NOTICES.c.zone_id == by.zone_id, tuple_(*columns).in_(keys))
        .order_by(_NOTICES.c.id)
        .with_for_update()
    ).mappings()
    return {(row["project_number"], row["package_number"], row["supplier_name"]): dict(row) for row in found}


def _find_suppliers(session: Session, records: Sequence[NoticeRecord]) -> dict[str, int]:
    codes = {one.supplier_code for one in records if one.supplier_code is not None}
    found = session.execute(
        select(Organisation.credit_code, Organisation.id).where(Organisation.credit_code.in_(codes))
    )
    return {code: id for code, id in found}
