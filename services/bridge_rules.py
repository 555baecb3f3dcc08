"""What a zone allows of bridge loans: dated rows, the platform's own where the zone set none."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from market.bridging import Rule
from market.errors import Code, Fault, Invalid
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability
from models.base import db, transaction
from models.bridge import BridgeRule
from services import audit

MOST_DAYS = 60


def find(zone_id: int, on: date) -> Rule:
    """Return what holds in a zone on a day; raises ``LookupError`` before there was any rule."""
    row = db.session.scalar(
        select(BridgeRule)
        .where(BridgeRule.from_on <= on, (BridgeRule.zone_id == zone_id) | BridgeRule.zone_id.is_(None))
        # The zone's own stands before the platform's, of each the newest.
        .order_by(BridgeRule.zone_id.is_(None), BridgeRule.from_on.desc())
        .limit(1)
    )
    if row is None:
        raise LookupError(f"no rule for bridge loans on {on}")
    return Rule(row.most_share, row.most_days)


def set_rule(
    from_on: date, most_share: Decimal, most_days: int, source: str, *, by: Party, now: datetime
) -> BridgeRule:
    """Set what holds in the officer's zone from a day on; the same day's rule is said anew."""
    by.require(Capability.OFFICER)
    source = read_remark(source, "source", 300)
    faults = []
    if not 0 < most_share <= 1:
        faults.append(Fault(Code.TOO_LARGE, "most_share", {"value": f"{most_share:f}", "most": "1"}))
    if not 1 <= most_days <= MOST_DAYS:
        faults.append(Fault(Code.TOO_LARGE, "most_days", {"value": most_days, "most": MOST_DAYS}))
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        row = session.scalar(
            select(BridgeRule)
            .where(BridgeRule.zone_id == by.zone_id, BridgeRule.from_on == from_on)
            .with_for_update()
        )
        if row is None:
            row = BridgeRule(zone_id=by.zone_id, from_on=from_on)
            session.add(row)
        row.most_share, row.most_days, row.source = most_share, most_days, source
        audit.record(
            session,
            "bridge_rule.set",
            row,
            by=by,
            now=now,
            from_on=from_on.isoformat(),
            most_share=f"{most_share:f}",
            most_days=most_days,
        )
    return row
