"""Deposits demanded: by the purchaser of a contract or award, or of those who bid for a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import procurement_rules
from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.procurement_vocabulary import DepositKind, DepositState, NoticeKind, ProcurementObject
from market.remarks import read_remark
from market.vocabulary import Capability, OrganisationKind
from models.base import transaction
from models.contract import Contract
from models.deposit import Deposit
from models.organisation import Organisation
from models.procurement import AwardNotice
from models.zone import Membership, Zone
from services import audit, deposits
from services import procurement_rules as rule_rows
from services.deposits import NOTE_MOST

PROJECT_MOST = 160


@dataclass(frozen=True, slots=True)
class Entry:
    """A deposit as it is demanded, ``amount`` in fen, for exactly one thing.

    A contract, an award notice, or a project by its number with the credit code of a supplier that bids.
    """

    kind: DepositKind
    amount: int
    contract_id: int | None = None
    award_notice_id: int | None = None
    project_number: str | None = None
    supplier_code: str | None = None
    note: str = ""


def demand(entry: Entry, *, by: Party, now: datetime) -> Deposit:
    """Demand a deposit and tell the supplier: the purchaser of the contract or award, or an officer.

    Raises ``Conflict`` (deposit_abolished) for a deposit of bidders where the zone has none, ``Invalid``
    (too_large) above what the law allows on the contract or award, ``NotFound`` for what is not the party's.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    if entry.amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=entry.amount, least=1)
    note = read_remark(entry.note, "note", NOTE_MOST, required=False)
    named = [entry.contract_id, entry.award_notice_id, (entry.project_number or "").strip() or None]
    if sum(each is not None for each in named) != 1:
        raise invalid(Code.ONE_OF, None, choices=["contract_id", "award_notice_id", "project_number"])
    with transaction() as session:
        zone = session.get_one(Zone, by.zone_id)
        if entry.kind is DepositKind.BID and zone.bid_deposits_abolished:
            raise conflict(Code.DEPOSIT_ABOLISHED, "kind")
        secured = _find_secured(session, entry, by)
        most = _find_most(entry.kind, secured.get("base"), by.zone_id, local_date(now))
        if most is not None and entry.amount > most:
            raise invalid(Code.TOO_LARGE, "amount", value=entry.amount, most=most)
        secured.pop("base", None)
        row = Deposit(
            zone_id=by.zone_id,
            kind=entry.kind,
            state=DepositState.DEMANDED,
            contract_id=entry.contract_id,
            award_notice_id=entry.award_notice_id,
            amount=entry.amount,
            note=note,
            demanded_by=by.user_id,
            demanded_at=now,
            **secured,
        )
        session.add(row)
        audit.record(session, "deposit.demand", row, by=by, now=now, kind=row.kind.value, amount=row.amount)
        deposits.tell(session, row, NoticeKind.DEPOSIT_DEMANDED, [row.supplier_id], now=now)
    return row


def abolish_bid_deposits(abolished: bool, *, by: Party, now: datetime) -> Zone:
    """Let the officer's zone do without deposits of bidders (取消投标保证金), or with them again."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        zone = session.get_one(Zone, by.zone_id, with_for_update=True)
        zone.bid_deposits_abolished = abolished
        audit.record(session, "zone.abolish_bid_deposits", zone, by=by, now=now, abolished=abolished)
    return zone


def _find_secured(session: Session, entry: Entry, by: Party) -> dict[str, Any]:
    """Return supplier and purchaser of what a deposit secures, and the amount it may be measured by."""
    officer = by.may(Capability.OFFICER)
    if entry.contract_id is not None:
        contract = session.get(Contract, entry.contract_id)
        if (
            contract is None
            or contract.zone_id != by.zone_id
            or not (officer or contract.purchaser_id == by.organisation_id)
        ):
            raise not_found("contract", entry.contract_id)
        if contract.supplier_id is None:
            raise conflict(Code.WRONG_SUPPLIER, "contract_id", supplier=contract.supplier_name)
        return {
            "supplier_id": contract.supplier_id,
            "purchaser_id": contract.purchaser_id,
            "purchaser_name": contract.purchaser_name,
            "base": contract.amount,
        }
    own = session.get_one(Organisation, by.organisation_id)
    if entry.award_notice_id is not None:
        award = session.get(AwardNotice, entry.award_notice_id)
        if (
            award is None
            or award.zone_id != by.zone_id
            or not (officer or award.purchaser_code == own.credit_code)
        ):
            raise not_found("award_notice", entry.award_notice_id)
        if award.supplier_id is None:
            raise conflict(Code.WRONG_SUPPLIER, "award_notice_id", supplier=award.supplier_name)
        purchaser = session.scalar(
            select(Organisation).where(
                Organisation.credit_code == award.purchaser_code,
                Organisation.kind == OrganisationKind.PURCHASER,
            )
        )
        return {
            "supplier_id": award.supplier_id,
            "purchaser_id": purchaser.id if purchaser is not None else None,
            "purchaser_name": award.purchaser_name,
            "base": award.price,
        }
    supplier = session.scalar(
        select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(
            Organisation.credit_code == (entry.supplier_code or "").strip(),
            Organisation.kind == OrganisationKind.ENTERPRISE,
            Membership.zone_id == by.zone_id,
        )
    )
    if supplier is None:
        raise not_found("organisation", entry.supplier_code or "")
    return {
        "supplier_id": supplier.id,
        "purchaser_id": None if officer else own.id,
        "purchaser_name": own.name_zh,
        "project_number": read_remark(entry.project_number or "", "project_number", PROJECT_MOST),
    }


def _find_most(kind: DepositKind, base: int | None, zone_id: int, on: date) -> int | None:
    """Return the most that may be demanded of a contract or award; the highest of works, goods, services."""
    if base is None:
        return None
    rules = rule_rows.read(zone_id)
    found = [procurement_rules.find_most(kind, base, thing, rules, on) for thing in ProcurementObject]
    return max((most for most in found if most is not None), default=None)
