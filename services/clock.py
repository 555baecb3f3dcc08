"""The clock's work: everything that is due in a zone by now, derived from what is stored.

Each piece is its own short transaction, and each refuses to happen twice; so a late tick, a crash in
the middle or a second clock changes nothing but the delay.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from market import party
from services import contract_loans, loans, opening, rounds
from services.sealing import Sealer


def run_due(zone_id: int, *, now: datetime, sealer: Sealer) -> Counter[str]:
    """Do all that is due in a zone; returns how many of each kind of work were done."""
    by = party.clock(zone_id)
    done: Counter[str] = Counter()
    for need_id in opening.list_due(zone_id, now):
        opening.open_bids(need_id, by=by, now=now, sealer=sealer)
        done["openings"] += 1
    if rounds.run_scheduled(zone_id, by=by, now=now) is not None:
        done["rounds"] += 1
    for need_id in opening.list_lapsed(zone_id, now):
        opening.lapse(need_id, by=by, now=now)
        done["lapses"] += 1
    for loan_id in loans.list_late(zone_id, now):
        loans.note_lateness(loan_id, by=by, now=now)
        done["late loans"] += 1
    for contract_id in contract_loans.list_overdue(zone_id, now):
        contract_loans.note_overdue(contract_id, by=by, now=now)
        done["late purchasers"] += 1
    return done
