"""Contracts as a bureau publishes them, imported with their payments; some cannot be financed."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, timedelta
from typing import Any

from market.calendar import local_date
from scripts.demo.cast import Cast, read_table
from scripts.demo.timeline import Timeline, at_minute, shift
from services import contract_import

#: Working days before the end on which the bureau published; the later record holds more payments.
_PUBLISHED = (58, 12)
_YUAN = 10_000


def play(cast: Cast, timeline: Timeline, day: date) -> None:
    """Import the published records of both zones, twice."""
    for back in _PUBLISHED:
        for letter, zone_id in zip("LJ", cast.zone_ids, strict=True):
            _import_at(at_minute(shift(day, -back), 8 * 60 + 30), cast, timeline, day, letter, zone_id)


def _import_at(when: datetime, cast: Cast, timeline: Timeline, day: date, letter: str, zone_id: int) -> None:
    def take_over(now: datetime) -> None:
        package = write_package(cast, letter, day, local_date(now))
        contract_import.import_stream(
            io.BytesIO(json.dumps(package, ensure_ascii=False).encode()),
            by=cast.officers[zone_id],
            now=now,
            file_name=f"采购合同公开数据-{local_date(now):%Y%m}.json",
        )

    timeline.at(when, take_over)


def write_package(cast: Cast, letter: str, day: date, published: date) -> dict[str, Any]:
    """Return an OCDS 1.1 release package of what a zone's bureau knew on a day."""
    rows = enumerate(read_table("records"), start=1)
    releases = [
        _write_release(cast, row, number, day, published)
        for number, row in rows
        if row["zone"] == letter and _before(day, row["signed"]) < published
    ]
    return {
        "uri": f"https://example.org/contracts/{letter.lower()}/{published}",
        "version": "1.1",
        "publishedDate": f"{published}T00:00:00Z",
        "publisher": {"name": "采购合同公开平台（演示）"},
        "releases": releases,
    }


def _write_release(
    cast: Cast, row: dict[str, str], number: int, day: date, published: date
) -> dict[str, Any]:
    signed = _before(day, row["signed"])
    ends = signed + timedelta(days=240 if row["flaw"] != "bad_dates" else -30)
    buyer = cast.members[row["purchaser"]]
    contract: dict[str, Any] = {
        "id": f"GK{signed:%Y%m%d}-{number:02d}",
        "awardID": "1",
        "title": row["title"],
        "status": row["status"],
        "period": {"startDate": f"{signed}T00:00:00Z", "endDate": f"{ends}T00:00:00Z"},
        "implementation": {"transactions": _write_payments(row, number, day, published)},
    }
    if row["status"] != "pending":
        contract["dateSigned"] = f"{signed}T00:00:00Z"
    if row["flaw"] != "no_amount":
        contract["value"] = {"amount": int(row["amount_wan"]) * _YUAN, "currency": row["currency"]}
    suppliers = [_write_party(cast, row["supplier"], row["flaw"])]
    if row["flaw"] == "two_suppliers":
        suppliers.append(_write_party(cast, "yuntai", ""))
    return {
        "ocid": f"ocds-cuohe0-{number:04d}",
        "id": f"{number}-{published}",
        "date": f"{published}T00:00:00Z",
        "tag": ["contract"],
        "initiationType": "tender",
        "buyer": {"name": buyer.name_zh, "identifier": {"scheme": "CN-USCC", "id": buyer.code}},
        "awards": [{"id": "1", "status": "active", "suppliers": suppliers}],
        "contracts": [contract],
    }


def _write_payments(row: dict[str, str], number: int, day: date, published: date) -> list[dict[str, Any]]:
    payments = []
    for place, part in enumerate(row["payments"].split(), start=1):
        back, share = part.split(":")
        if (paid := _before(day, back)) < published:
            amount = int(row["amount_wan"]) * _YUAN * int(share) // 100
            payments.append(
                {
                    "id": f"GK{number:02d}-{place}",
                    "date": f"{paid}T00:00:00Z",
                    "value": {"amount": amount, "currency": row["currency"]},
                }
            )
    return payments


def _write_party(cast: Cast, slug: str, flaw: str) -> dict[str, Any]:
    member = cast.members.get(slug)
    if member is None or flaw == "no_code":
        return {"name": member.name_zh if member is not None else slug}
    return {"name": member.name_zh, "identifier": {"scheme": "CN-USCC", "id": member.code}}


def _before(day: date, days: str) -> date:
    return day - timedelta(days=int(days))
