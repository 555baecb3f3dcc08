"""Terms of payment that a contract agrees: delivery, inspection, late interest, and clauses that are void."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from market.calendar import local_date
from market.errors import Code, Fault, Invalid, not_found
from market.party import Party
from market.payment_law import check_late_rate, find_accepted
from market.vocabulary import Capability
from models.base import transaction
from models.contract import Contract
from services import audit, contract_loans, contract_steps, lpr, payment_states


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says, None where nothing; ``late_rate`` per year, ``inspection_days`` from delivery."""

    late_rate: Decimal | None = None
    delivered_on: date | None = None
    inspection_days: int | None = None
    pay_when_paid: bool = False


def may_agree(contract: Contract, *, by: Party) -> bool:
    """Say whether the party may write down the terms of payment: the purchaser, or an officer."""
    if by.may(Capability.OFFICER):
        return True
    return by.may(Capability.PURCHASER) and contract.purchaser_id == by.organisation_id


def agree(contract_id: int, terms: Terms, *, by: Party, now: datetime) -> Contract:
    """Write down a contract's terms of payment, in place of what stood there; states follow at once.

    A "pay when paid" clause (收到第三方付款再付款) is noted and warned of, and changes no due day: it is void
    (regulation of 2025, art. 9). Raises ``Invalid`` for a late rate under the one-year LPR at signing
    (art. 17), with the day of its publication.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    today = local_date(now)
    faults = []
    if terms.delivered_on is not None and terms.delivered_on > today:
        values = {"value": str(terms.delivered_on), "most": str(today)}
        faults.append(Fault(Code.TOO_LARGE, "delivered_on", values))
    for name, found, most in (
        ("inspection_days", terms.inspection_days, 365),
        ("late_rate", terms.late_rate, 1),
    ):
        if found is not None and found < 0:
            faults.append(Fault(Code.TOO_SMALL, name, {"value": str(found), "least": "0"}))
        elif found is not None and found > most:
            faults.append(Fault(Code.TOO_LARGE, name, {"value": str(found), "most": str(most)}))
    if faults:
        raise Invalid(*faults)
    table = lpr.read_table() if terms.late_rate is not None else None
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if not may_agree(contract, by=by):
            raise not_found("contract", contract_id)
        if terms.late_rate is not None and table is not None:
            check_late_rate(terms.late_rate, contract.signed_on, table)
        contract.late_rate, contract.pay_when_paid = terms.late_rate, terms.pay_when_paid
        contract.delivered_on, contract.inspection_days = terms.delivered_on, terms.inspection_days
        contract.updated_at = now
        due_on = payment_states.find_due_day(contract, today)
        if not contract.plan and due_on is not None:
            contract.last_due_on = due_on
        contract_loans.restate(session, contract, now=now)
        audit.record(
            session,
            "contract.payment_terms",
            contract,
            by=by,
            now=now,
            late_rate=f"{terms.late_rate:f}" if terms.late_rate is not None else None,
            delivered_on=terms.delivered_on.isoformat() if terms.delivered_on else None,
            inspection_days=terms.inspection_days,
            pay_when_paid=terms.pay_when_paid,
        )
    return contract


def find_deemed(contract: Contract, on: date) -> date | None:
    """Return the day on which delivery counts as accepted because nobody inspected it in time, or None."""
    if contract.accepted_on is not None:
        return None
    return find_accepted(payment_states.read_delivery(contract), on)
