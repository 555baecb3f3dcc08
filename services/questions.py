"""Questions on a need: asked by a bidder who stays unknown, answered by the firm to all bidders alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from market.calendar import local_date
from market.errors import Code, conflict, not_found
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, NeedState
from models.base import db, transaction
from models.need import Need, Question
from services import admissions, audit, needs

#: The longest question and the longest answer, in characters.
QUESTION_MOST, ANSWER_MOST = 500, 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as one party may know it: without who asked, and without when.

    The time would give the asker away to whoever later sees when each bid came in. ``own`` is true for
    the institution that asked only; ``id`` is there for the firm alone, which answers by it.
    """

    id: int | None
    text: str
    answer: str | None
    answered_at: datetime | None
    own: bool


def ask(need_id: int, text: str, *, by: Party, now: datetime) -> Asked:
    """Ask the firm about a need that one may see and bid on, before the close of its bid round.

    Raises ``NotFound`` for a need that is not the party's to see, ``Invalid`` for the text, ``Conflict``
    (too_late) from the close on, or what keeps the institution from bidding at all.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    text = read_remark(text, "question", QUESTION_MOST)
    needs.find(need_id, by=by)
    with transaction() as session:
        need = needs.lock(session, need_id)
        _require_open(need, now)
        admissions.require(session, need.zone_id, by.organisation_id, local_date(now))
        row = Question(
            need_id=need.id,
            organisation_id=by.organisation_id,
            asked_by=by.user_id,
            asked_at=now,
            text=text,
        )
        session.add(row)
        # The log names nobody: whoever may read it must not learn who asked.
        audit.record(session, "need.question", need, by=None, now=now)
    return _show(row, by, may_answer=False)


def answer(need_id: int, question_id: int, text: str, *, by: Party, now: datetime) -> Asked:
    """Answer a question on the firm's own need; from now on all bidders read it with its answer.

    Raises ``Conflict`` for a question that is answered (illegal_move) and from the close on (too_late):
    a later answer could reach no bid.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    text = read_remark(text, "answer", ANSWER_MOST)
    with transaction() as session:
        need = needs.lock(session, need_id, by)
        row = session.get(Question, question_id)
        if row is None or row.need_id != need.id:
            raise not_found("question", question_id)
        if row.answered_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="answered", move="answer")
        _require_open(need, now)
        row.answer, row.answered_at, row.answered_by = text, now, by.user_id
        audit.record(session, "need.answer", need, by=by, now=now)
    return _show(row, by, may_answer=True)


def list_for(need_id: int, *, by: Party) -> list[Asked]:
    """Return the questions on a need that are the party's to read: those that wait, then by the answer.

    A question without an answer is the firm's and the asker's alone; all others read it once it is
    answered. Raises ``NotFound`` for a need that is not the party's to see.
    """
    need = needs.find(need_id, by=by)
    owner = need.organisation_id == by.organisation_id
    query = select(Question).where(Question.need_id == need.id)
    if not owner:
        query = query.where(
            Question.answered_at.is_not(None) | (Question.organisation_id == by.organisation_id)
        )
    rows = sorted(
        db.session.scalars(query),
        key=lambda row: (row.answered_at is not None, row.answered_at or row.asked_at, row.id),
    )
    return [_show(row, by, may_answer=owner) for row in rows]


def find(need_id: int, question_id: int, *, by: Party) -> Asked:
    """Return one question to the firm that answers it; raises ``NotFound``."""
    for asked in list_for(need_id, by=by):
        if asked.id == question_id:
            return asked
    raise not_found("question", question_id)


def is_open(need: Need, now: datetime) -> bool:
    """Say whether questions on a need are still taken and answered."""
    return need.state is NeedState.OPEN and need.closes_at is not None and now < need.closes_at


def count_waiting(by: Party, now: datetime) -> dict[int, int]:
    """Return, per open need of the party's firm in its zone, how many questions wait for an answer."""
    found = db.session.execute(
        select(Question.need_id, func.count())
        .join(Need, Question.need_id == Need.id)
        .where(
            Need.organisation_id == by.organisation_id,
            Need.zone_id == by.zone_id,
            Need.state == NeedState.OPEN,
            Need.closes_at > now,
            Question.answered_at.is_(None),
        )
        .group_by(Question.need_id)
    )
    return {need_id: count for need_id, count in found}


def _show(row: Question, by: Party, *, may_answer: bool) -> Asked:
    return Asked(
        id=row.id if may_answer else None,
        text=row.text,
        answer=row.answer,
        answered_at=row.answered_at,
        own=row.organisation_id == by.organisation_id,
    )


def _require_open(need: Need, now: datetime) -> None:
    if not is_open(need, now):
        raise conflict(Code.TOO_LATE, deadline=need.closes_at.isoformat() if need.closes_at else "")
