"""Purchasers: how one paid so far, as facts with their count and no score."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from market import purchaser_score
from market.calendar import local_date
from market.errors import Code, Fault, Forbidden, not_found
from market.party import Party
from market.purchaser_payments import Part
from market.purchaser_score import PurchaserScore
from market.vocabulary import Capability
from models import payment as rows
from models.base import db, transaction
from models.contract import Contract
from models.organisation import Organisation
from models.zone import Zone
from services import payment_states

#: Contracts are read and compared so many at a time.
BATCH = 500


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


@dataclass(frozen=True, slots=True)
class ScoredPart:
    """A row behind a purchaser's figures: one part that fell due, and how many days after it was paid."""

    contract: Contract
    part: Part
    lag: int


def read_record(contract: Contract, on: date) -> Record:
    """Return how the purchaser of a contract paid on all its contracts in the same zone, up to a day."""
    same = [Contract.id == contract.id]
    if contract.purchaser_id is not None:
        same.append(Contract.purchaser_id == contract.purchaser_id)
    if contract.purchaser_code:
        same.append(Contract.purchaser_code == contract.purchaser_code)
    contracts = list(
        db.session.scalars(
            _with_payments(select(Contract).where(Contract.zone_id == contract.zone_id, or_(*same)))
        )
    )
    parts = [
        part
        for each in contracts
        for part in payment_states.compare(each, on).parts
        if part.due_on is not None and part.due_on < on
    ]
    lags = [(part.lag(on) or 0, part.covered_on is not None) for part in parts]
    lateness = [(days, settled) for days, settled in lags if days > 0]
    return Record(
        contracts=len(contracts),
        amount=sum(each.amount or 0 for each in contracts),
        paid=sum(p.amount for each in contracts for p in each.payments if p.paid_on is not None),
        due=len(lags),
        on_time=len(lags) - len(lateness),
        late=sum(1 for _, settled in lateness if settled),
        unpaid=sum(1 for _, settled in lateness if not settled),
        longest_late=max((days for days, _ in lateness), default=0),
    )


def read_scores(zone_id: int, codes: Collection[str]) -> dict[str, rows.PurchaserScore]:
    """Return how purchasers pay, by their code, as the zone's clock counted it last; one question for all."""
    if not codes:
        return {}
    stored = rows.PurchaserScore
    found = db.session.scalars(
        select(stored).where(stored.zone_id == zone_id, stored.purchaser_code.in_(codes))
    )
    return {row.purchaser_code: row for row in found}


def read_score(contract: Contract) -> rows.PurchaserScore | None:
    """Return how the purchaser of a contract pays, None where nothing of it has been counted yet."""
    if contract.purchaser_code is None:
        return None
    return read_scores(contract.zone_id, [contract.purchaser_code]).get(contract.purchaser_code)


def say(row: rows.PurchaserScore) -> PurchaserScore:
    """Return a stored record as the rules read it."""
    return PurchaserScore(row.payments, row.on_time, row.unpaid, row.median_lag, row.p90_lag)


def list_rows(code: str, *, by: Party, now: datetime) -> list[ScoredPart]:
    """Return the rows behind a purchaser's figures in the party's zone, the latest due day first.

    For officers and auditors, and for the purchaser itself: the rows name contracts of others.
    """
    own = by.organisation_id is not None and by.may(Capability.PURCHASER)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        if not own:
            raise Forbidden(Fault(Code.NOT_ALLOWED, None, {"capability": [Capability.OFFICER.value]}))
        if db.session.get_one(Organisation, by.organisation_id).credit_code != code:
            raise not_found("organisation", code)
    on = local_date(now)
    query = _with_payments(
        select(Contract).where(Contract.zone_id == by.zone_id, Contract.purchaser_code == code)
    )
    found = [
        ScoredPart(contract, part, lag)
        for contract in db.session.scalars(query.order_by(Contract.id))
        for part in payment_states.compare(contract, on).parts
        if (lag := part.lag(on)) is not None
    ]
    return sorted(found, key=lambda row: (row.part.due_on or date.max, row.contract.id), reverse=True)


def is_due(zone_id: int, now: datetime) -> list[date]:
    """Return the day for which a zone's records of purchasers have not been counted yet, if there is one."""
    today = local_date(now)
    last = db.session.scalar(
        select(func.max(rows.PurchaserScore.computed_on)).where(rows.PurchaserScore.zone_id == zone_id)
    )
    return [] if last is not None and last >= today else [today]


def refresh(zone_id: int, *, now: datetime) -> int:
    """Count anew how every purchaser pays, once a day, and bring payment states up to the day.

    Contracts of the whole platform count, but those of other zones that only try things out. Counting takes
    no lock; what changed is then written in short transactions. Returns how many purchasers were counted.
    """
    today = local_date(now)
    parts: dict[str, list[Part]] = defaultdict(list)
    contracts: Counter[str] = Counter()
    stale: list[int] = []
    for contract in _list_measurable(zone_id):
        compared = payment_states.compare(contract, today)
        shown = [(row.state, row.lag_days, row.excess) for row in contract.payments]
        if contract.zone_id == zone_id and shown != [(s.state, s.days, s.excess) for s in compared.payments]:
            stale.append(contract.id)
        if contract.purchaser_code is not None:
            parts[contract.purchaser_code] += compared.parts
            contracts[contract.purchaser_code] += 1
    scores = {code: purchaser_score.score(own, today) for code, own in parts.items()}
    for contract_id in stale:
        with transaction() as session:
            payment_states.assign(session.get_one(Contract, contract_id, with_for_update=True), today)
    with transaction() as session:
        # The zone's row stands for its records: of two clocks at once the second one writes the same again.
        session.get_one(Zone, zone_id, with_for_update=True)
        known = {
            row.purchaser_code: row
            for row in session.scalars(
                select(rows.PurchaserScore).where(rows.PurchaserScore.zone_id == zone_id)
            )
        }
        for code, row in known.items():
            if code not in scores:
                session.delete(row)
        for code, score in scores.items():
            row = known.get(code) or rows.PurchaserScore(zone_id=zone_id, purchaser_code=code)
            row.computed_on, row.contracts = today, contracts[code]
            row.payments, row.on_time, row.unpaid = score.payments, score.on_time, score.unpaid
            row.median_lag, row.p90_lag = score.median_lag or 0, score.p90_lag or 0
            session.add(row)
    return len(scores)


def _list_measurable(zone_id: int) -> Iterator[Contract]:
    """Yield the contracts of which it is known when something falls due, in batches."""
    counted = select(Zone.id).where((Zone.id == zone_id) | Zone.is_sandbox.is_(False))
    begun = Contract.accepted_on.is_not(None) | Contract.delivered_on.is_not(None)
    planned = select(rows.PlannedPayment.contract_id)
    query = _with_payments(
        select(Contract)
        .where(Contract.zone_id.in_(counted), begun | Contract.id.in_(planned))
        .order_by(Contract.id)
    )
    last = 0
    while batch := list(db.session.scalars(query.where(Contract.id > last).limit(BATCH))):
        yield from batch
        last = batch[-1].id


def _with_payments(query: Select[Contract]) -> Select[Contract]:
    return query.options(
        selectinload(Contract.payments), selectinload(Contract.plan), joinedload(Contract.purchaser)
    )
