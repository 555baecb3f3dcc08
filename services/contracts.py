"""The contract registry: contracts found, listed and entered by hand (imports: ``contract_import``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import joinedload

from market import contract_loan, credit_code, financing_key
from market.calendar import local_date
from market.contract_record import Obstacle
from market.errors import Code, Fault, Invalid, conflict, not_found
from market.party import Party
from market.vocabulary import Capability, ContractStage
from models.base import db, transaction
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.need import Need
from models.organisation import Organisation
from models.payment import PlannedPayment
from services import audit, contract_steps, payment_matching, payment_states, visibility


@dataclass(frozen=True, slots=True)
class Entry:
    """A contract as it is typed in: amounts in fen, the plan as (due date, amount)."""

    process_id: str
    number: str
    title: str
    amount: int
    purchaser_code: str
    supplier_code: str
    signed_on: date
    ends_on: date | None = None
    retention: int = 0
    payment_days: int | None = None
    accepted_on: date | None = None
    plan: Sequence[tuple[date, int]] = ()
    project_number: str | None = None
    plan_number: str | None = None
    package_number: str | None = None
    agency: str | None = None
    budget_unit_code: str | None = None
    funding_source: str | None = None
    prepayment_ratio: Decimal | None = None
    delivered_on: date | None = None


#: What is written down beside and decides nothing.
_PARTICULARS = (
    "project_number",
    "plan_number",
    "package_number",
    "agency",
    "budget_unit_code",
    "funding_source",
    "prepayment_ratio",
    "delivered_on",
)


def register(entry: Entry, *, by: Party, now: datetime) -> Contract:
    """Enter a signed contract by hand: its supplier, its purchaser or an officer.

    What the supplier enters cannot be financed until its purchaser or an officer confirms it.
    Raises ``Invalid`` with every fault, ``Conflict`` when the process already has this contract.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.PURCHASER, Capability.OFFICER)
    entry = replace(
        entry, process_id=entry.process_id.strip(), number=entry.number.strip(), title=entry.title.strip()
    )
    check(entry, now)
    supplier_code = credit_code.parse(entry.supplier_code, "supplier_code")
    purchaser_code = credit_code.parse(entry.purchaser_code, "purchaser_code")
    with transaction() as session:
        supplier = session.scalar(select(Organisation).where(Organisation.credit_code == supplier_code))
        purchaser = session.scalar(select(Organisation).where(Organisation.credit_code == purchaser_code))
        if by.may(Capability.ENTERPRISE_MAKER) and (supplier is None or supplier.id != by.organisation_id):
            raise Invalid(Fault(Code.WRONG_SUPPLIER, "supplier_code", {"supplier": supplier_code}))
        if by.may(Capability.PURCHASER) and (purchaser is None or purchaser.id != by.organisation_id):
            raise Invalid(Fault(Code.NOT_ALLOWED, "purchaser_code", {"capability": ["purchaser"]}))
        taken = session.scalar(
            select(Contract.id).where(
                Contract.process_id == entry.process_id, Contract.contract_id == entry.number
            )
        )
        if taken is not None:
            raise conflict(Code.ALREADY_EXISTS, "number", what="contract", value=entry.number)
        # What only its supplier says of a contract is nothing yet that money may lean on.
        vouched = by.may(Capability.PURCHASER, Capability.OFFICER)
        contract = Contract(
            zone_id=by.zone_id,
            process_id=entry.process_id,
            contract_id=entry.number,
            number=entry.number,
            title=entry.title,
            status="active",
            purchaser_code=purchaser_code,
            purchaser_name=purchaser.name_zh if purchaser else None,
            purchaser_id=purchaser.id if purchaser else None,
            supplier_code=supplier_code,
            supplier_name=supplier.name_zh if supplier else None,
            supplier_id=supplier.id if supplier else None,
            amount=entry.amount,
            currency="CNY",
            retention=entry.retention,
            payment_days=entry.payment_days,
            signed_on=entry.signed_on,
            ends_on=entry.ends_on,
            accepted_on=entry.accepted_on,
            last_due_on=find_last_due(entry),
            obstacles=[] if vouched else [Obstacle.UNCONFIRMED.value],
            financing_key=financing_key.make_key(entry.number, supplier_code),
            **{name: getattr(entry, name) or None for name in _PARTICULARS},
            source="form",
            stage=ContractStage.AWARDED,
            created_at=now,
            updated_at=now,
            plan=[
                PlannedPayment(number=position, due_on=due_on, amount=amount)
                for position, (due_on, amount) in enumerate(entry.plan, start=1)
            ],
        )
        session.add(contract)
        session.flush()
        contract_steps.climb_to(session, contract, ContractStage.SIGNED, by=by, now=now)
        payment_matching.match_waiting(session, {contract.id: contract.number}, by=by, now=now)
        audit.record(session, "contract.register", contract, by=by, now=now)
    return contract


def may_confirm(contract: Contract, *, by: Party) -> bool:
    """Say whether the party can vouch for a contract that waits for it: its purchaser, or an officer."""
    if Obstacle.UNCONFIRMED.value not in contract.obstacles or contract.zone_id != by.zone_id:
        return False
    if by.may(Capability.OFFICER):
        return True
    return by.may(Capability.PURCHASER) and contract.purchaser_id == by.organisation_id


def confirm(contract_id: int, *, by: Party, now: datetime) -> Contract:
    """Vouch that a contract its supplier entered is real, so that it can be financed.

    Raises ``NotFound`` for whoever is no party to it, ``Conflict`` where nothing waits for confirmation.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if not by.may(Capability.OFFICER) and contract.purchaser_id != by.organisation_id:
            raise not_found("contract", contract_id)
        if not may_confirm(contract, by=by):
            raise conflict(Code.ILLEGAL_MOVE, state=contract.stage.value, move="confirm")
        left = [obstacle for obstacle in contract.obstacles if obstacle != Obstacle.UNCONFIRMED.value]
        contract.obstacles, contract.updated_at = left, now
        audit.record(session, "contract.confirm", contract, by=by, now=now)
    return contract


def may_accept(contract: Contract, *, by: Party) -> bool:
    """Say whether the party can note that delivery was accepted, which happens once: purchaser or officer."""
    if contract.accepted_on is not None:
        return False
    if by.may(Capability.OFFICER):
        return True
    return by.may(Capability.PURCHASER) and contract.purchaser_id == by.organisation_id


def note_acceptance(contract_id: int, accepted_on: date, *, by: Party, now: datetime) -> Contract:
    """Record that the purchaser accepted delivery: the day the statutory payment term starts."""
    by.require(Capability.PURCHASER, Capability.OFFICER)
    if accepted_on > local_date(now):
        raise Invalid(
            Fault(Code.TOO_LARGE, "accepted_on", {"value": str(accepted_on), "most": str(local_date(now))})
        )
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if not by.may(Capability.OFFICER) and contract.purchaser_id != by.organisation_id:
            raise not_found("contract", contract_id)
        contract.accepted_on, contract.updated_at = accepted_on, now
        if not contract.plan:
            contract.last_due_on = contract_loan.statutory_due(accepted_on, contract.payment_days)
        payment_states.assign(contract, local_date(now))
        audit.record(session, "contract.accepted", contract, by=by, now=now, on=accepted_on.isoformat())
    return contract


def check(entry: Entry, now: datetime) -> None:
    """Raise ``Invalid`` with every fault of an entry that can be seen without the database."""
    faults: list[Fault] = []
    for field in ("process_id", "number", "title"):
        text, most = getattr(entry, field).strip(), 400 if field == "title" else 160
        if not text:
            faults.append(Fault(Code.REQUIRED, field))
        elif len(text) > most:
            faults.append(Fault(Code.TOO_LONG, field, {"value": text[:40], "most": most}))
    # Without a letter or digit there is no key to tell one contract from another.
    if entry.number.strip() and not financing_key.normalise(entry.number):
        faults.append(Fault(Code.REQUIRED, "number"))
    for field in ("purchaser_code", "supplier_code"):
        if not credit_code.is_valid(getattr(entry, field)):
            faults.append(Fault(Code.BAD_CREDIT_CODE, field, {"value": getattr(entry, field)[:40]}))
    if entry.amount <= 0:
        faults.append(Fault(Code.TOO_SMALL, "amount", {"value": entry.amount, "least": 1}))
    if entry.retention < 0:
        faults.append(Fault(Code.TOO_SMALL, "retention", {"value": entry.retention, "least": 0}))
    elif entry.retention >= max(entry.amount, 1):
        faults.append(Fault(Code.TOO_LARGE, "retention", {"value": entry.retention, "most": entry.amount}))
    if entry.payment_days is not None and entry.payment_days < 0:
        faults.append(Fault(Code.TOO_SMALL, "payment_days", {"value": entry.payment_days, "least": 0}))
    elif entry.payment_days is not None and entry.payment_days > 60:
        faults.append(Fault(Code.TOO_LARGE, "payment_days", {"value": entry.payment_days, "most": 60}))
    if entry.signed_on > local_date(now):
        faults.append(
            Fault(Code.TOO_LARGE, "signed_on", {"value": str(entry.signed_on), "most": str(local_date(now))})
        )
    if entry.ends_on is not None and entry.ends_on < entry.signed_on:
        faults.append(
            Fault(Code.OUT_OF_ORDER, "ends_on", {"value": str(entry.ends_on), "after": str(entry.signed_on)})
        )
    if entry.prepayment_ratio is not None and not 0 <= entry.prepayment_ratio <= 1:
        values = {"value": str(entry.prepayment_ratio), "most": "1"}
        faults.append(Fault(Code.TOO_LARGE, "prepayment_ratio", values))
    if any(later[0] < earlier[0] for earlier, later in pairwise(entry.plan)):
        faults.append(Fault(Code.OUT_OF_ORDER, "plan", {"value": "", "after": ""}))
    if any(amount <= 0 for _, amount in entry.plan):
        least = min(amount for _, amount in entry.plan)
        faults.append(Fault(Code.TOO_SMALL, "plan", {"value": least, "least": 1}))
    planned = sum(amount for _, amount in entry.plan)
    if entry.plan and planned != entry.amount:
        faults.append(Fault(Code.AMOUNT_MISMATCH, "plan", {"given": planned, "expected": entry.amount}))
    if faults:
        raise Invalid(*faults)


def find_last_due(entry: Entry) -> date | None:
    """Return when the last payment falls due: by plan, by acceptance, or a term after the end."""
    if entry.plan:
        return max(due_on for due_on, _ in entry.plan)
    if entry.accepted_on is not None:
        return contract_loan.statutory_due(entry.accepted_on, entry.payment_days)
    return contract_loan.statutory_due(entry.ends_on, entry.payment_days) if entry.ends_on else None


def find(contract_id: int, *, by: Party) -> Contract:
    """Return a contract of the zone to its supplier, its purchaser, its lender, an officer or auditor.

    An institution also sees a contract behind a need that is shown to it.
    """
    contract = db.session.get(Contract, contract_id)
    if contract is None or contract.zone_id != by.zone_id or not _may_see(contract, by):
        raise not_found("contract", contract_id)
    return contract


def find_for_party(contract_id: int, *, by: Party) -> Contract:
    """Return a contract to whoever supplies, buys or has ever financed it, or watches over the zone."""
    contract = find(contract_id, by=by)
    if not is_party(contract, by=by):
        raise not_found("contract", contract_id)
    return contract


def is_party(contract: Contract, *, by: Party) -> bool:
    """Say whether the party supplies, buys or has ever financed a contract, or watches over the zone."""
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return True
    if by.organisation_id in (contract.supplier_id, contract.purchaser_id):
        return True
    lent = select(Financing.id).where(
        Financing.contract_id == contract.id, Financing.lender_id == by.organisation_id
    )
    return db.session.scalar(lent.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list, and how many rows there are in all."""

    rows: Sequence[Contract]
    total: int


def find_page(
    by: Party,
    *,
    stage: ContractStage | None = None,
    financeable: bool | None = None,
    search: str = "",
    before_id: int | None = None,
    offset: int = 0,
    most: int = 50,
) -> Found:
    """Return the contracts the party may see in its zone, newest first, ``most`` from ``offset`` on.

    ``before_id`` continues after a row seen before, however many have come since.
    """
    query = select(Contract).where(Contract.zone_id == by.zone_id)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        financed = select(Financing.contract_id).where(Financing.lender_id == by.organisation_id)
        query = query.where(
            or_(
                Contract.supplier_id == by.organisation_id,
                Contract.purchaser_id == by.organisation_id,
                Contract.id.in_(financed),
            )
        )
    if before_id is not None:
        query = query.where(Contract.id < before_id)
    if stage is not None:
        query = query.where(Contract.stage == stage)
    if financeable is not None:
        none = cast(Contract.obstacles, String) == "[]"
        query = query.where(none if financeable else ~none)
    if search.strip():
        query = query.where(
            or_(
                *(
                    column.icontains(search.strip(), autoescape=True)
                    for column in (
                        Contract.number,
                        Contract.title,
                        Contract.supplier_name,
                        Contract.purchaser_name,
                    )
                )
            )
        )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.options(joinedload(Contract.supplier), joinedload(Contract.purchaser))
        .order_by(Contract.id.desc())
        .offset(offset)
        .limit(most)
    )
    return Found(list(rows), total)


def list_financeable(by: Party) -> list[Contract]:
    """Return the contracts that the party's firm can post a need against now."""
    live = select(Financing.key).where(Financing.ended_at.is_(None))
    rows = db.session.scalars(
        select(Contract)
        .where(
            Contract.zone_id == by.zone_id,
            Contract.supplier_id == by.organisation_id,
            or_(
                Contract.financing_key.not_in(live),
                Contract.id.in_(select(Financing.contract_id).where(Financing.ended_at.is_(None))),
            ),
        )
        .order_by(Contract.id.desc())
    )
    return [row for row in rows if not row.obstacles]


def list_pending_steps(by: Party) -> list[ContractStep]:
    """Return the steps of the zone's contracts that wait for a second person, oldest first."""
    return list(
        db.session.scalars(
            select(ContractStep)
            .join(Contract, ContractStep.contract_id == Contract.id)
            .where(
                Contract.zone_id == by.zone_id,
                ContractStep.needs_confirmation,
                ContractStep.confirmed_by.is_(None),
                ContractStep.undone_at.is_(None),
            )
            .order_by(ContractStep.id)
        )
    )


def _may_see(contract: Contract, by: Party) -> bool:
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return True
    if by.organisation_id in (contract.supplier_id, contract.purchaser_id):
        return True
    # Whoever is asked to lend, or lends, must be able to read what it lends on.
    asked = select(Need.id).where(
        Need.contract_id == contract.id,
        Need.published_at.is_not(None),
        visibility.is_shown_to(by.organisation_id),
    )
    return by.is_institution and db.session.scalar(asked.limit(1)) is not None
