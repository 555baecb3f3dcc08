"""Early openings: one officer asks for the bids of a need to be opened before the close, another agrees."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.errors import Code, conflict, not_found
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, NeedState
from models.base import db, transaction
from models.need import EarlyOpening, Need
from models.user import User
from services import audit, needs, opening
from services.sealing import Sealer

REASON_MOST = 300


def ask(need_id: int, reason: str, *, by: Party, now: datetime) -> EarlyOpening:
    """Ask for the bids of an open need to be opened at once, saying why; another officer decides.

    Raises ``Invalid`` without a reason, ``Conflict`` where bidding is over or a request waits already.
    """
    by.require(Capability.OFFICER)
    reason = read_remark(reason, "reason", REASON_MOST)
    with transaction() as session:
        need = _lock_open(session, need_id, by=by, now=now, move="open_early")
        waiting = _find_waiting(session, need.id)
        if waiting is not None:
            raise conflict(Code.ALREADY_EXISTS, what="early_opening", value=str(waiting.id))
        assert by.user_id is not None, "only a person holds an officer's capability"
        asked = EarlyOpening(need_id=need.id, reason=reason, asked_by=by.user_id, asked_at=now)
        session.add(asked)
        session.flush()
        audit.record(session, "need.ask_early_opening", need, by=by, now=now, reason=reason, request=asked.id)
    return asked


def decide(request_id: int, agreed: bool, *, by: Party, now: datetime, sealer: Sealer) -> EarlyOpening:
    """Agree to a request of another officer, which ends all bidding and opens the bids at once; or refuse it.

    Raises ``Conflict``: same person, decided already, or bidding is over.
    """
    by.require(Capability.OFFICER)
    seen = db.session.get(EarlyOpening, request_id)
    if seen is None:
        raise not_found("early_opening", request_id)
    need_id = seen.need_id
    with transaction() as session:
        need = _lock_open(session, need_id, by=by, now=now, move="open_early", request_id=request_id)
        asked = session.get_one(EarlyOpening, request_id, with_for_update=True)
        if asked.decided_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="decided", move="decide")
        if asked.asked_by == by.user_id:
            raise conflict(Code.SAME_PERSON)
        asked.decided_by, asked.decided_at, asked.agreed = by.user_id, now, agreed
        action = "need.agree_early_opening" if agreed else "need.refuse_early_opening"
        audit.record(session, action, need, by=by, now=now, request=asked.id)
        if agreed:
            opening.close(session, need, by=by, now=now, sealer=sealer, early=True)
    return asked


def list_for_need(need_id: int, *, by: Party) -> list[EarlyOpening]:
    """Return the requests on a need, oldest first: to officers and auditors all, to others what was agreed.

    Raises ``NotFound`` for a need the party may not see.
    """
    need = needs.find(need_id, by=by)
    query = select(EarlyOpening).where(EarlyOpening.need_id == need.id).order_by(EarlyOpening.id)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(EarlyOpening.agreed.is_(True))
    return list(db.session.scalars(query))


def find_waiting(need_id: int, *, by: Party) -> EarlyOpening | None:
    """Return the request that waits for a second officer while the need is open; officers and auditors."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    need = needs.find(need_id, by=by)
    return _find_waiting(db.session(), need.id) if need.state is NeedState.OPEN else None


def list_waiting(by: Party) -> list[EarlyOpening]:
    """Return the requests of the party's zone that wait for a second officer; officers and auditors."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return list(
        db.session.scalars(
            select(EarlyOpening)
            .join(Need, EarlyOpening.need_id == Need.id)
            .where(
                Need.zone_id == by.zone_id,
                Need.state == NeedState.OPEN,
                EarlyOpening.decided_at.is_(None),
            )
            .order_by(EarlyOpening.id)
        )
    )


def read_names(requests: list[EarlyOpening]) -> dict[int, str]:
    """Return the names of the officers behind requests that the party may see, by their user ids."""
    ids = {user_id for one in requests for user_id in (one.asked_by, one.decided_by) if user_id is not None}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {user_id: name for user_id, name in rows}


def _lock_open(
    session: Session, need_id: int, *, by: Party, now: datetime, move: str, request_id: int | None = None
) -> Need:
    """Return the need under its lock while its bidding runs, else refuse."""
    need = needs.lock(session, need_id)
    if need.zone_id != by.zone_id or need.published_at is None:
        raise not_found("need", need_id) if request_id is None else not_found("early_opening", request_id)
    if need.state is not NeedState.OPEN:
        raise conflict(Code.ILLEGAL_MOVE, state=need.state.value, move=move)
    if need.closes_at is not None and now >= need.closes_at:
        raise conflict(Code.TOO_LATE, deadline=need.closes_at.isoformat())
    return need


def _find_waiting(session: Session, need_id: int) -> EarlyOpening | None:
    return session.scalar(
        select(EarlyOpening).where(EarlyOpening.need_id == need_id, EarlyOpening.decided_at.is_(None))
    )
