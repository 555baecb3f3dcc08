"""The dated rules of public procurement: the nation's, shipped, and what officers add for their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import or_, select

from market.errors import Code, Fault, Invalid, conflict
from market.party import Party
from market.procurement_rules import ProcurementRule
from market.procurement_vocabulary import Favoured, ProcurementObject, ProcurementRuleKind
from market.remarks import read_remark
from market.vocabulary import Capability
from models.base import db, transaction
from models.procurement import ProcurementRuleRow
from services import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule as an officer enters it: shares as decimals (0.1 is 10 %), amounts in fen."""

    kind: ProcurementRuleKind
    object: ProcurementObject
    favoured: Favoured
    valid_from: date
    issuer: str
    document: str
    low: Decimal | None = None
    high: Decimal | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    valid_to: date | None = None
    source: str = ""


def add(entry: Entry, *, by: Party, now: datetime) -> ProcurementRuleRow:
    """Add a rule of the officer's zone, which goes before the nation's from its first day.

    Raises ``Invalid`` with every fault, ``Conflict`` for a rule of the zone that begins on the same day.
    """
    by.require(Capability.OFFICER)
    texts = _check(entry)
    with transaction() as session:
        taken = session.scalar(
            select(ProcurementRuleRow.id).where(
                ProcurementRuleRow.zone_id == by.zone_id,
                ProcurementRuleRow.kind == entry.kind,
                ProcurementRuleRow.object == entry.object,
                ProcurementRuleRow.favoured == entry.favoured,
                ProcurementRuleRow.valid_from == entry.valid_from,
            )
        )
        if taken is not None:
            value = entry.valid_from.isoformat()
            raise conflict(Code.ALREADY_EXISTS, "valid_from", what="procurement_rule", value=value)
        values = {name: getattr(entry, name) for name in Entry.__slots__}
        row = ProcurementRuleRow(
            **{**values, **texts}, zone_id=by.zone_id, recorded_by=by.user_id, recorded_at=now
        )
        session.add(row)
        audit.record(session, "procurement_rule.add", row, by=by, now=now, document=row.document)
    return row


def list_rows(zone_id: int) -> list[ProcurementRuleRow]:
    """Return every rule that a zone knows, the nation's and its own, newest first."""
    return list(
        db.session.scalars(
            select(ProcurementRuleRow)
            .where(or_(ProcurementRuleRow.zone_id.is_(None), ProcurementRuleRow.zone_id == zone_id))
            .order_by(ProcurementRuleRow.valid_from.desc(), ProcurementRuleRow.id)
        )
    )


def read(zone_id: int) -> list[ProcurementRule]:
    """Return every rule that a zone knows, as the rules of the market read them."""
    return [
        ProcurementRule(
            row.kind,
            row.object,
            row.favoured,
            row.low,
            row.high,
            row.amount_from,
            row.amount_to,
            row.valid_from,
            row.valid_to,
            row.issuer,
            row.document,
            row.source,
            is_local=row.zone_id is not None,
        )
        for row in list_rows(zone_id)
    ]


def _check(entry: Entry) -> dict[str, str]:
    """Return the texts of an entry, trimmed; raise ``Invalid`` with every fault."""
    faults: list[Fault] = []
    texts: dict[str, str] = {}
    for field, most, required in (("issuer", 120, True), ("document", 120, True), ("source", 300, False)):
        try:
            texts[field] = read_remark(getattr(entry, field), field, most, required=required)
        except Invalid as error:
            faults.extend(error.faults)
    if entry.low is None and entry.high is None:
        faults.append(Fault(Code.REQUIRED, "low"))
    for field in ("low", "high"):
        share = getattr(entry, field)
        if share is not None and not 0 <= share <= 1:
            code, bound = (Code.TOO_LARGE, {"most": "1"}) if share > 1 else (Code.TOO_SMALL, {"least": "0"})
            faults.append(Fault(code, field, {"value": str(share), **bound}))
    if entry.low is not None and entry.high is not None and entry.high < entry.low:
        faults.append(Fault(Code.TOO_SMALL, "high", {"value": str(entry.high), "least": str(entry.low)}))
    if entry.amount_to is not None and entry.amount_to <= (entry.amount_from or 0):
        least = (entry.amount_from or 0) + 1
        faults.append(Fault(Code.TOO_SMALL, "amount_to", {"value": entry.amount_to, "least": least}))
    if entry.valid_to is not None and entry.valid_to < entry.valid_from:
        values = {"value": str(entry.valid_to), "after": str(entry.valid_from)}
        faults.append(Fault(Code.OUT_OF_ORDER, "valid_to", values))
    if faults:
        raise Invalid(*faults)
    return texts
