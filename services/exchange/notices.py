"""The awards of an OCDS release as award notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from market.award_notice import LONGEST_PACKAGE, NoticeRecord
from market.contract_record import LONGEST_NAME, LONGEST_TITLE
from market.errors import Code, Invalid, invalid
from services.exchange.mapping import Surroundings, objects, read_money, read_organisation
from services.exchange.pruning import UNFIT
from services.exchange.rejection import RejectedRow
from services.exchange.texts import read_day, read_id, read_text

_LONGEST_CODE = 80


def read_notices(
    release: Mapping[str, Any],
    process_id: str,
    around: Surroundings,
    released_at: datetime | None,
    line: int,
) -> Iterator[NoticeRecord | RejectedRow]:
    """Yield a notice for every supplier of every award in force; one without a day or a name is refused."""
    found: list[tuple[str, NoticeRecord]] = []
    for position, award in enumerate(objects(release.get("awards"))):
        status = award.get("status")
        if not isinstance(status, str) or status.strip().lower() != "active":
            # Pending and cancelled awards give nobody anything; without a state none can be told to be one.
            continue
        try:
            number = read_id(award.get("id"), "id") or str(position + 1)
            found += (
                (number, notice) for notice in _map_award(release, award, process_id, around, released_at)
            )
        except Invalid as error:
            path = f"awards[{position}]"
            yield RejectedRow(error.faults[0], line, path, process_id, is_notice=True)
    # Two awards to one supplier in one project are two packages, whatever they are called.
    known = Counter((notice.package_number, notice.supplier_name) for _, notice in found)
    for number, notice in found:
        if known[notice.package_number, notice.supplier_name] > 1:
            name = f"{notice.package_number} {number}".strip()
            notice = replace(notice, package_number=name[:LONGEST_PACKAGE])
        yield notice


def _map_award(
    release: Mapping[str, Any],
    award: Mapping[str, Any],
    process_id: str,
    around: Surroundings,
    released_at: datetime | None,
) -> list[NoticeRecord]:
    suppliers = [
        supplier
        for raw in objects(award.get("suppliers"))
        if (supplier := read_organisation(raw, around, "suppliers")) is not None
    ]
    if not suppliers:
        raise invalid(Code.REQUIRED, "suppliers")
    published_on = read_day(award.get("date"), "date") or read_day(release.get("date"), "date")
    if published_on is None:
        raise invalid(Code.REQUIRED, "date")
    money = award.get("value", award.get("amount"))
    price, currency = read_money(None if money is UNFIT else money, "value")
    tender = release.get("tender")
    tender = tender if isinstance(tender, dict) else {}
    title = read_text(award.get("title"), "title", LONGEST_TITLE)
    purchaser = read_organisation(around.purchaser, around, "buyer")
    lots = award.get("relatedLots")
    named = [read_id(lot, "relatedLots") for lot in lots] if isinstance(lots, list) else []
    # What several share is not the price of any of them.
    is_own = price is not None and price > 0 and len(suppliers) == 1
    return [
        NoticeRecord(
            project_number=process_id,
            package_number="、".join(lot for lot in named if lot)[:LONGEST_PACKAGE],
            title=title or read_text(tender.get("title"), "title", LONGEST_TITLE),
            purchaser_name=purchaser.name if purchaser else None,
            purchaser_code=(purchaser.code or purchaser.ids[0][:_LONGEST_CODE])
            if purchaser and purchaser.ids
            else None,
            supplier_name=(supplier.name or supplier.ids[0])[:LONGEST_NAME],
            supplier_code=supplier.code,
            price=price if is_own else None,
            currency=currency if is_own else None,
            published_on=published_on,
            released_at=released_at,
        )
        for supplier in suppliers
    ]
