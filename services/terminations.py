"""Contracts that end early: no new financing, and whoever lends on them is told."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from market.calendar import local_date
from market.contract_record import Obstacle
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import AlertKind, Capability
from models.base import db, transaction
from models.contract import Contract
from models.termination import Termination
from services import alerts, audit, contract_steps


def terminate(
    contract_id: int, terminated_on: date, reason: str, evidence: str, *, by: Party, now: datetime
) -> Termination:
    """Record that a contract ended early, once; by its purchaser or an officer, with reason and evidence.

    Nobody takes up a financing on it any more, and a live lender is alerted. Loans stay what they are: one
    that is promised is called off by its lender alone; pledge and account are released after repayment.
    """
    by.require(Capability.PURCHASER, Capability.OFFICER)
    reason, evidence, today = reason.strip(), evidence.strip(), local_date(now)
    faults = [
        Fault(Code.REQUIRED, field)
        for field, text in (("reason", reason), ("evidence", evidence))
        if not text
    ]
    if terminated_on > today:
        faults.append(
            Fault(Code.TOO_LARGE, "terminated_on", {"value": str(terminated_on), "most": str(today)})
        )
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if not _is_concerned(contract, by):
            raise not_found("contract", contract_id)
        if contract.terminated_on is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="terminated", move="terminate")
        if contract.signed_on is not None and terminated_on < contract.signed_on:
            signed = str(contract.signed_on)
            raise invalid(Code.OUT_OF_ORDER, "terminated_on", value=str(terminated_on), after=signed)
        row = Termination(
            contract_id=contract.id,
            terminated_on=terminated_on,
            reason=reason,
            evidence=evidence,
            recorded_by=by.user_id,
            recorded_at=now,
        )
        session.add(row)
        contract.terminated_on, contract.updated_at = terminated_on, now
        contract.obstacles = [
            obstacle.value
            for obstacle in Obstacle
            if obstacle is Obstacle.TERMINATED or obstacle.value in contract.obstacles
        ]
        if contract_steps.find_lender(session, contract.id) is not None:
            alerts.raise_alert(
                session,
                contract.zone_id,
                AlertKind.CONTRACT_TERMINATED,
                f"contract:{contract.id}",
                now=now,
                contract_id=contract.id,
                why=reason,
            )
        audit.record(session, "contract.terminate", contract, by=by, now=now, on=str(terminated_on))
    return row


def may_terminate(contract: Contract, *, by: Party) -> bool:
    """Say whether the party could record the early end of a contract now."""
    return contract.terminated_on is None and _is_concerned(contract, by)


def find(contract_id: int) -> Termination | None:
    """Return how a contract ended early, or None."""
    return db.session.scalar(select(Termination).where(Termination.contract_id == contract_id))


def _is_concerned(contract: Contract, by: Party) -> bool:
    if by.may(Capability.OFFICER):
        return contract.zone_id == by.zone_id
    return by.may(Capability.PURCHASER) and contract.purchaser_id == by.organisation_id
