"""Receivables: entered by their supplier, confirmed by the debtor, offered in needs, paid in the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session, joinedload

from market import credit_code, financing_key, receivable
from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.receivable_vocabulary import ReceivableState, ReceivableUse
from market.remarks import read_remark
from market.vocabulary import AlertKind, Capability, OrganisationKind
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.need import Need
from models.organisation import Organisation
from models.receivable import Receivable
from services import alerts, audit, receivable_uses

#: So many invoices can be entered at once, by a form or a file.
ENTRIES_MOST = 500
NUMBER_MOST, NAME_MOST, EVIDENCE_MOST, WHY_MOST = 160, 300, 300, 300
_FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
_DEBTOR = (Capability.PURCHASER, *_FIRM)
_UNDECIDED = (ReceivableState.ENTERED, ReceivableState.REFUSED)


@dataclass(frozen=True, slots=True)
class Entry:
    """An invoice as it is typed in: amount in fen; the debtor by credit code, or by name without one."""

    contract_number: str
    invoice_number: str
    amount: int
    issued_on: date
    due_on: date
    debtor_code: str = ""
    debtor_name: str = ""
    evidence: str = ""


def enter(entries: Sequence[Entry], *, by: Party, now: datetime) -> list[Receivable]:
    """Enter invoices of the party's firm, all or none.

    Raises ``Invalid`` with every fault (``3.amount`` is the fourth entry's), ``Conflict`` (already_exists)
    for an invoice that the firm has entered before, in whichever zone and under whichever contract.
    """
    by.require(Capability.ENTERPRISE_MAKER)
    check(entries, now)
    with transaction() as session:
        firm = session.get_one(Organisation, by.organisation_id)
        debtors = _find_debtors(session, entries)
        keys = [financing_key.normalise(entry.invoice_number) for entry in entries]
        known = set(
            session.scalars(
                select(Receivable.invoice_key).where(
                    Receivable.supplier_id == firm.id,
                    Receivable.invoice_key.in_(keys),
                    Receivable.state != ReceivableState.WITHDRAWN,
                )
            )
        )
        rows = []
        for place, (entry, invoice_key) in enumerate(zip(entries, keys, strict=True)):
            if invoice_key in known:
                field = f"{place}.invoice_number"
                raise conflict(Code.ALREADY_EXISTS, field, what="receivable", value=entry.invoice_number)
            row = _make(session, entry, firm, debtors, by=by, now=now)
            if row.debtor_code == firm.credit_code:
                raise invalid(Code.REPEATED, f"{place}.debtor_code", value=entry.debtor_code)
            session.add(row)
            rows.append(row)
            audit.record(session, "receivable.enter", row, by=by, now=now)
    return rows


def check(entries: Sequence[Entry], now: datetime) -> None:
    """Raise ``Invalid`` with every fault of entries that can be seen without the database."""
    faults: list[Fault] = []
    if not entries:
        faults.append(Fault(Code.REQUIRED, "invoice_number"))
    if len(entries) > ENTRIES_MOST:
        faults.append(Fault(Code.TOO_LARGE, None, {"value": len(entries), "most": ENTRIES_MOST}))
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        faults += [
            Fault(fault.code, f"{place}.{fault.field}", fault.values) for fault in _find_faults(entry, now)
        ]
        key = financing_key.normalise(entry.invoice_number)
        if key and key in seen:
            faults.append(Fault(Code.REPEATED, f"{place}.invoice_number", {"value": entry.invoice_number}))
        seen.add(key)
    if faults:
        raise Invalid(*faults)


def request_confirmation(receivable_id: int, *, by: Party, now: datetime) -> Receivable:
    """Ask the debtor to confirm the right to a receivable (确权); 30 days run from this day."""
    by.require(*_FIRM)
    with transaction() as session:
        row = _lock_own(session, receivable_id, by)
        if row.state not in _UNDECIDED:
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="request_confirmation")
        row.state, row.requested_on, row.why = ReceivableState.REQUESTED, local_date(now), None
        audit.record(session, "receivable.request", row, by=by, now=now)
    return row


def confirm(receivable_id: int, *, by: Party, now: datetime) -> Receivable:
    """Confirm as its debtor, or as an officer, that a receivable is owed as it stands."""
    return _decide(receivable_id, ReceivableState.CONFIRMED, None, by=by, now=now)


def refuse(receivable_id: int, why: str, *, by: Party, now: datetime) -> Receivable:
    """Refuse as its debtor, or as an officer, to confirm a receivable, saying why; it can be asked again."""
    why = read_remark(why, "why", WHY_MOST)
    return _decide(receivable_id, ReceivableState.REFUSED, why, by=by, now=now)


def note_paid(receivable_id: int, paid: int, *, by: Party, now: datetime) -> Receivable:
    """Record how many fen of a receivable its debtor has paid so far, partly or in full.

    By the debtor, an officer or the lender that finances it; what was paid is never less than before.
    """
    with transaction() as session:
        row = _lock(session, receivable_id, by)
        if not may_note_paid(row, by=by):
            by.require(Capability.OFFICER)
        if paid < row.paid or paid > row.amount:
            code = Code.TOO_SMALL if paid < row.paid else Code.TOO_LARGE
            raise invalid(code, "paid", value=paid, least=row.paid, most=row.amount)
        row.paid = paid
        audit.record(session, "receivable.paid", row, by=by, now=now, paid=paid)
    return row


def withdraw(receivable_id: int, *, by: Party, now: datetime) -> Receivable:
    """Take back a receivable that was entered wrongly; not while a lender has a claim on it."""
    by.require(*_FIRM)
    with transaction() as session:
        row = _lock_own(session, receivable_id, by)
        if row.state is ReceivableState.WITHDRAWN:
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="withdraw")
        if receivable_uses.find_lender(session, row.id) is not None:
            raise conflict(Code.ALREADY_FINANCED, key=row.financing_key)
        row.state, row.why = ReceivableState.WITHDRAWN, None
        alerts.settle(session, AlertKind.RIGHT_UNCONFIRMED, _subject(row.id), "withdrawn", now=now)
        audit.record(session, "receivable.withdraw", row, by=by, now=now)
    return row


def find(receivable_id: int, *, by: Party) -> Receivable:
    """Return a receivable to its supplier, its debtor, a lender with a claim, officers and auditors."""
    row = db.session.scalar(
        select(Receivable).where(
            Receivable.id == receivable_id, Receivable.zone_id == by.zone_id, _concerning(by)
        )
    )
    if row is None:
        raise not_found("receivable", receivable_id)
    return row


def list_all(by: Party, *, states: Collection[ReceivableState] | None = None) -> list[Receivable]:
    """Return the receivables that are the party's to know in its zone, newest first."""
    query = (
        select(Receivable)
        .where(Receivable.zone_id == by.zone_id, _concerning(by))
        .options(joinedload(Receivable.supplier), joinedload(Receivable.debtor))
        .order_by(Receivable.id.desc())
    )
    return list(db.session.scalars(query if states is None else query.where(Receivable.state.in_(states))))


def list_for_contract(contract: Contract, *, by: Party) -> list[tuple[Receivable, ReceivableUse]]:
    """Return the invoices of a contract that are the party's to know, with what becomes of their money."""
    rows = [row for row in list_all(by) if row.contract_key == contract.financing_key]
    uses = receivable_uses.read_uses(rows)
    return [(row, uses[row.id]) for row in rows]


def is_debtor_shown(row: Receivable, need: Need) -> bool:
    """Say whether bidders learn who owes a receivable before the award.

    A public purchaser buys from many, and is named as with contracts; of an enterprise it might be guessed
    whom it owes, so that it is named only where the need shows its firm.
    """
    public = row.debtor is not None and row.debtor.kind is OrganisationKind.PURCHASER
    return need.shows_name or public


def may_decide(row: Receivable, *, by: Party) -> bool:
    """Say whether the party can confirm or refuse a receivable: its debtor, or an officer."""
    if row.state in {ReceivableState.CONFIRMED, ReceivableState.WITHDRAWN} or row.zone_id != by.zone_id:
        return False
    return by.may(Capability.OFFICER) or (row.debtor_id == by.organisation_id and by.may(*_DEBTOR))


def may_note_paid(row: Receivable, *, by: Party) -> bool:
    """Say whether the party can record a payment on a receivable: debtor, officer, or lender with a claim."""
    if row.debtor_id == by.organisation_id:
        return by.may(*_DEBTOR)
    if by.may(Capability.OFFICER):
        return True
    lender = by.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    return lender and receivable_uses.find_lender(db.session(), row.id) == by.organisation_id


def list_unconfirmed(zone_id: int, now: datetime) -> list[int]:
    """Return the receivables of a zone whose debtor let its 30 days pass, of which nobody was warned yet."""
    today = local_date(now)
    waiting = db.session.execute(
        select(Receivable.id, Receivable.requested_on)
        .where(Receivable.zone_id == zone_id, Receivable.state == ReceivableState.REQUESTED)
        .order_by(Receivable.id)
    ).all()
    late = {_subject(number): (number, day) for number, day in waiting if day and _is_late(day, today)}
    told = db.session.scalars(
        select(Alert).where(Alert.kind == AlertKind.RIGHT_UNCONFIRMED, Alert.subject.in_(late))
    ).all()
    # One warning per request: what an officer closed is not raised again before the firm asks again.
    known = {(alert.subject, alert.details.get("due_on")) for alert in told}
    return [
        number
        for subject, (number, day) in late.items()
        if (subject, receivable.confirmation_due(day).isoformat()) not in known
    ]


def note_unconfirmed(receivable_id: int, *, by: Party, now: datetime) -> None:
    """Warn that a debtor let its 30 days pass, if it did; warning twice changes nothing."""
    with transaction() as session:
        row = session.get_one(Receivable, receivable_id, with_for_update=True)
        requested_on = row.requested_on
        if row.state is not ReceivableState.REQUESTED or requested_on is None:
            return
        if _is_late(requested_on, local_date(now)):
            alerts.raise_alert(
                session,
                row.zone_id,
                AlertKind.RIGHT_UNCONFIRMED,
                _subject(row.id),
                now=now,
                contract_id=row.contract_id,
                due_on=receivable.confirmation_due(requested_on).isoformat(),
                number=row.invoice_number,
                name=row.debtor_name,
            )


def _decide(
    receivable_id: int, state: ReceivableState, why: str | None, *, by: Party, now: datetime
) -> Receivable:
    with transaction() as session:
        row = _lock(session, receivable_id, by)
        if row.debtor_id != by.organisation_id:
            by.require(Capability.OFFICER)
        if not may_decide(row, by=by):
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move=state.value)
        row.state, row.why, row.decided_by, row.decided_at = state, why, by.user_id, now
        alerts.settle(session, AlertKind.RIGHT_UNCONFIRMED, _subject(row.id), state.value, now=now)
        audit.record(session, f"receivable.{state.value}", row, by=by, now=now)
    return row


def _find_faults(entry: Entry, now: datetime) -> list[Fault]:
    faults: list[Fault] = []
    for field in ("contract_number", "invoice_number"):
        text = getattr(entry, field).strip()
        if len(text) > NUMBER_MOST:
            faults.append(Fault(Code.TOO_LONG, field, {"value": text[:40], "most": NUMBER_MOST}))
        elif not financing_key.normalise(text):
            # Without a letter or digit there is no key to tell one from another.
            faults.append(Fault(Code.REQUIRED, field))
    for field, most in (("debtor_name", NAME_MOST), ("evidence", EVIDENCE_MOST)):
        if len(text := getattr(entry, field).strip()) > most:
            faults.append(Fault(Code.TOO_LONG, field, {"value": text[:40], "most": most}))
    if entry.debtor_code.strip() and not credit_code.is_valid(entry.debtor_code):
        faults.append(Fault(Code.BAD_CREDIT_CODE, "debtor_code", {"value": entry.debtor_code[:40]}))
    if not entry.debtor_code.strip() and not entry.debtor_name.strip():
        faults.append(Fault(Code.REQUIRED, "debtor_name"))
    if entry.amount <= 0:
        faults.append(Fault(Code.TOO_SMALL, "amount", {"value": entry.amount, "least": 1}))
    issued, due, today = entry.issued_on, entry.due_on, local_date(now)
    if issued > today:
        faults.append(Fault(Code.TOO_LARGE, "issued_on", {"value": str(issued), "most": str(today)}))
    if due < issued:
        faults.append(Fault(Code.OUT_OF_ORDER, "due_on", {"value": str(due), "after": str(issued)}))
    return faults


def _find_debtors(session: Session, entries: Sequence[Entry]) -> dict[str, Organisation]:
    codes = {credit_code.normalise(entry.debtor_code) for entry in entries} - {""}
    found = session.scalars(select(Organisation).where(Organisation.credit_code.in_(codes)))
    return {row.credit_code: row for row in found}


def _make(
    session: Session,
    entry: Entry,
    firm: Organisation,
    debtors: Mapping[str, Organisation],
    *,
    by: Party,
    now: datetime,
) -> Receivable:
    code = credit_code.normalise(entry.debtor_code) or None
    debtor = debtors.get(code or "")
    contract_key = financing_key.make_key(entry.contract_number, firm.credit_code)
    contract_id = session.scalar(
        select(Contract.id)
        .where(Contract.financing_key == contract_key)
        # Of several rows of one contract the zone's own is the nearest.
        .order_by(Contract.zone_id != by.zone_id, Contract.id)
        .limit(1)
    )
    number = entry.contract_number.strip()
    return Receivable(
        zone_id=by.zone_id,
        supplier_id=firm.id,
        debtor_id=debtor.id if debtor is not None else None,
        debtor_name=entry.debtor_name.strip() or (debtor.name_zh if debtor is not None else code),
        debtor_code=code,
        contract_id=contract_id,
        contract_number=number,
        invoice_number=entry.invoice_number.strip(),
        contract_key=contract_key,
        financing_key=financing_key.make_key(number, firm.credit_code, entry.invoice_number),
        invoice_key=financing_key.normalise(entry.invoice_number),
        amount=entry.amount,
        paid=0,
        issued_on=entry.issued_on,
        due_on=entry.due_on,
        evidence=entry.evidence.strip(),
        state=ReceivableState.ENTERED,
        entered_by=by.user_id,
        entered_at=now,
    )


def _lock(session: Session, receivable_id: int, by: Party) -> Receivable:
    row = session.get(Receivable, receivable_id, with_for_update=True)
    known = select(Receivable.id).where(Receivable.id == receivable_id, _concerning(by))
    if row is None or row.zone_id != by.zone_id or session.scalar(known) is None:
        raise not_found("receivable", receivable_id)
    return row


def _lock_own(session: Session, receivable_id: int, by: Party) -> Receivable:
    row = session.get(Receivable, receivable_id, with_for_update=True)
    if row is None or (row.zone_id, row.supplier_id) != (by.zone_id, by.organisation_id):
        raise not_found("receivable", receivable_id)
    return row


def _concerning(by: Party) -> ColumnElement[bool]:
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return true()
    own = by.organisation_id
    claimed = select(Financing.receivable_id).where(
        Financing.lender_id == own, Financing.receivable_id.is_not(None)
    )
    return or_(Receivable.supplier_id == own, Receivable.debtor_id == own, Receivable.id.in_(claimed))


def _is_late(requested_on: date, today: date) -> bool:
    return receivable.confirmation_due(requested_on) < today


def _subject(receivable_id: int) -> str:
    return f"receivable:{receivable_id}"
