"""Purchasers: how one paid so far, as facts with their count and no score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from market import contract_loan
from models.base import db
from models.contract import Contract


@dataclass(frozen=True, slots=True)
class Record:
    """What a purchaser owed and paid over the contracts known in one zone; amounts in fen.

    ``due`` counts the payments that fell due by now: ``on_time`` were covered by their day, ``late``
    afterwards, ``unpaid`` not yet. ``longest_late`` is in days, of those that are late or unpaid.
    """

    contracts: int
    amount: int
    paid: int
    due: int
    on_time: int
    late: int
    unpaid: int
    longest_late: int


def read_record(contract: Contract, on: date) -> Record:
    """Return how the purchaser of a contract paid on all its contracts in the same zone, up to a day."""
    same = [Contract.id == contract.id]
    if contract.purchaser_id is not None:
        same.append(Contract.purchaser_id == contract.purchaser_id)
    if contract.purchaser_code:
        same.append(Contract.purchaser_code == contract.purchaser_code)
    contracts = list(
        db.session.scalars(
            select(Contract)
            .where(Contract.zone_id == contract.zone_id, or_(*same))
            .options(selectinload(Contract.payments), selectinload(Contract.plan))
        )
    )
    delays = [delay for each in contracts for delay in _delays(each, on)]
    lateness = [(days, settled) for days, settled in delays if days > 0]
    return Record(
        contracts=len(contracts),
        amount=sum(each.amount or 0 for each in contracts),
        paid=sum(p.amount for each in contracts for p in each.payments if p.paid_on is not None),
        due=len(delays),
        on_time=len(delays) - len(lateness),
        late=sum(1 for _, settled in lateness if settled),
        unpaid=sum(1 for _, settled in lateness if not settled),
        longest_late=max((days for days, _ in lateness), default=0),
    )


def _delays(contract: Contract, on: date) -> Iterator[tuple[int, bool]]:
    """Yield (days late, is it paid by now) for every payment that fell due before ``on``."""
    dated = [(p.paid_on, p.amount) for p in contract.payments if p.paid_on is not None]
    paid = sorted((day, amount) for day, amount in dated if day <= on)
    owed = 0
    for due_on, amount in list_owed(contract):
        owed += amount
        if due_on >= on:
            return
        covered = 0
        settled_on = None
        for paid_on, part in paid:
            covered += part
            if covered >= owed:
                settled_on = paid_on
                break
        yield max(0, ((settled_on or on) - due_on).days), settled_on is not None


def list_owed(contract: Contract) -> list[tuple[date, int]]:
    """Return what a purchaser owes and when: by the plan, else less retention by the statutory term."""
    if contract.plan:
        return [(planned.due_on, planned.amount) for planned in contract.plan]
    if contract.accepted_on is None or contract.amount is None:
        return []
    due_on = contract_loan.statutory_due(contract.accepted_on, contract.payment_days)
    return [(due_on, contract.amount - contract.retention)]
