"""The record of a deal, for whoever may read it: what happened and by whom, entries, history of lateness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from models.base import db
from models.loan import DrawdownRequest, LateSpan, Loan, LoanEvent, Movement
from models.user import User


@dataclass(frozen=True, slots=True)
class Told:
    """An event with the names of who wrote it down and who confirmed it (None: the clock, or nobody).

    ``undone`` is the event that took it back, ``undone_by`` whose that is.
    """

    event: LoanEvent
    recorded_by: str | None
    confirmed_by: str | None
    undone: LoanEvent | None
    undone_by: str | None


def list_events(loan: Loan) -> list[Told]:
    """Return what happened to a deal, by its day; what takes an event back stands with that event."""
    undone = {row.undoes_id: row for row in loan.events if row.undoes_id is not None}
    names = _name({one for row in loan.events for one in (row.recorded_by, row.confirmed_by)})
    told = []
    for row in sorted(loan.events, key=lambda row: (row.effective_on, row.number)):
        if row.undoes_id is not None:
            continue
        taken_back = undone.get(row.id)
        told.append(
            Told(
                event=row,
                recorded_by=names.get(row.recorded_by),
                confirmed_by=names.get(row.confirmed_by),
                undone=taken_back,
                undone_by=names.get(taken_back.recorded_by) if taken_back is not None else None,
            )
        )
    return told


def list_movements(loan: Loan) -> Sequence[Movement]:
    """Return the double entries of a deal, by the day they count for."""
    return list(
        db.session.scalars(
            select(Movement).where(Movement.loan_id == loan.id).order_by(Movement.booked_on, Movement.id)
        )
    )


def list_spans(loan: Loan) -> Sequence[LateSpan]:
    """Return from which day on a deal stood in which bucket, what was superseded included."""
    return list(
        db.session.scalars(
            select(LateSpan).where(LateSpan.loan_id == loan.id).order_by(LateSpan.from_on, LateSpan.id)
        )
    )


def list_refused(loan: Loan) -> Sequence[tuple[DrawdownRequest, str | None]]:
    """Return the drawdowns of a deal that were turned down or taken back, with who asked for them."""
    rows = list(
        db.session.scalars(
            select(DrawdownRequest)
            .where(DrawdownRequest.loan_id == loan.id, DrawdownRequest.why.is_not(None))
            .order_by(DrawdownRequest.id)
        )
    )
    names = _name({row.requested_by for row in rows})
    return [(row, names.get(row.requested_by)) for row in rows]


def name_person(user_id: int | None) -> str | None:
    """Return the name of whoever wrote something down; None where that was nobody."""
    return _name({user_id}).get(user_id)


def _name(user_ids: set[int | None]) -> dict[int | None, str]:
    wanted = {one for one in user_ids if one is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {user_id: name for user_id, name in rows}
