"""The clock's work: everything that is due in a zone by now, derived from what is stored.

Each piece is its own short transaction, and each refuses to happen twice; so a late tick, a crash in
the middle or a second clock changes nothing but the delay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from market import party
from services import (
    bureau_pulls,
    deposits,
    frameworks,
    justifications,
    late_purchasers,
    lender_reports,
    nightly,
    opening,
    payment_watch,
    pledges,
    purchasers,
    receivables,
    renewals,
    reviews,
    rounds,
    standing_answers,
    workload,
)
from services.sealing import Sealer

Piece = TypeVar("Piece")


def run_due(zone_id: int, *, now: datetime, sealer: Sealer) -> Counter[str]:
    """Do all that is due in a zone; returns how many of each kind of work were done.

    A piece that fails does not hold up the others: at the end the faults are raised together, as an
    ``ExceptionGroup``, and the next tick tries again.
    """
    by = party.clock(zone_id)
    done: Counter[str] = Counter()
    faults: list[Exception] = []

    def do_each(kind: str, find: Callable[[], Iterable[Piece]], work: Callable[[Piece], object]) -> None:
        try:
            due = list(find())
        except Exception as fault:
            faults.append(fault)
            return
        for piece in due:
            try:
                work(piece)
                done[kind] += 1
            except Exception as fault:
                faults.append(fault)

    do_each(
        "standing bids",
        lambda: standing_answers.list_due(zone_id, now, sealer),
        lambda due: standing_answers.answer(due, by=by, now=now, sealer=sealer),
    )
    do_each(
        "openings",
        lambda: opening.list_due(zone_id, now),
        lambda need_id: opening.open_bids(need_id, by=by, now=now, sealer=sealer),
    )
    do_each(
        "unexplained low bids",
        lambda: justifications.list_unexplained(zone_id, now),
        lambda bid_id: justifications.refuse_unexplained(bid_id, by=by, now=now, sealer=sealer),
    )
    do_each(
        "expiries",
        lambda: opening.list_expired(zone_id, now),
        lambda need_id: opening.expire(need_id, by=by, now=now),
    )
    try:
        if rounds.run_scheduled(zone_id, by=by, now=now) is not None:
            done["rounds"] += 1
    except Exception as fault:
        faults.append(fault)
    do_each(
        "rounds taken up",
        lambda: rounds.list_left(zone_id, now),
        lambda round_id: rounds.take_up(round_id, by=by, now=now),
    )
    do_each(
        "lapses",
        lambda: opening.list_lapsed(zone_id, now),
        lambda need_id: opening.lapse(need_id, by=by, now=now),
    )
    do_each(
        "nightly passes",
        lambda: [zone_id] if nightly.is_due(zone_id, now) else [],
        lambda due: nightly.look(due, by=by, now=now),
    )
    do_each(
        "late reviews",
        lambda: reviews.list_overdue(zone_id, now),
        lambda review_id: reviews.note_overdue(review_id, by=by, now=now),
    )
    do_each(
        "ending frameworks",
        lambda: frameworks.list_ending(zone_id, now),
        lambda ending: frameworks.tell_ending(ending, by=by, now=now),
    )
    do_each(
        "expired guarantees",
        lambda: deposits.list_expired(zone_id, now),
        lambda deposit_id: deposits.expire(deposit_id, by=by, now=now),
    )
    do_each(
        "unconfirmed rights",
        lambda: receivables.list_unconfirmed(zone_id, now),
        lambda receivable_id: receivables.note_unconfirmed(receivable_id, by=by, now=now),
    )
    do_each(
        "late purchasers",
        lambda: late_purchasers.list_overdue(zone_id, now),
        lambda contract_id: late_purchasers.note_overdue(contract_id, by=by, now=now),
    )
    do_each(
        "purchaser records",
        lambda: purchasers.is_due(zone_id, now),
        lambda _: purchasers.refresh(zone_id, now=now),
    )
    do_each(
        "payments looked at",
        lambda: payment_watch.list_unwatched(zone_id),
        lambda payment_id: payment_watch.watch(payment_id, by=by, now=now),
    )
    do_each(
        "expiring pledges",
        lambda: pledges.list_expiring(zone_id, now),
        lambda pledge_id: pledges.warn(pledge_id, by=by, now=now),
    )
    do_each(
        "renewals of bridge loans",
        lambda: renewals.list_due(zone_id, now),
        lambda renewal_id: renewals.watch(renewal_id, by=by, now=now),
    )
    do_each(
        "missing reports",
        lambda: lender_reports.list_missing(zone_id, now),
        lambda due: lender_reports.note_missing(*due, by=by, now=now),
    )
    try:
        workload.watch(zone_id, by=by, now=now)
    except Exception as fault:
        faults.append(fault)
    # Last of all, because it waits for others; no transaction is open meanwhile.
    do_each(
        "bureaus asked",
        lambda: bureau_pulls.list_due(zone_id, now),
        lambda link_id: bureau_pulls.pull_due(link_id, by=by, now=now, sealer=sealer),
    )
    if faults:
        raise ExceptionGroup(f"work due in zone {zone_id} failed", faults)
    return done
