"""The contract loan (政采贷): its ladder and its invariants.

Rules of the trade as published by the zones that run such loans (Jining with ICBC and CCB): one
live lender per contract; Σ financed ≤ ratio × (contract amount − retention − already paid); nothing
drawn before account lock and pledge; loan end ≤ last due date + grace. Statutory terms: SME payment
regulation in force 2025-06-01 (government bodies pay within 30 days, by contract at most 60).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from market.calendar import add_months
from market.errors import Code, Fault, conflict, invalid
from market.financing_key import squeeze
from market.money import round_down
from market.vocabulary import ContractStage

LADDER: tuple[ContractStage, ...] = tuple(ContractStage)

#: Rungs that may be climbed more than once.
REPEATING = frozenset({ContractStage.DRAWN, ContractStage.PURCHASER_PAID})

#: Rungs that only hold once a second person has confirmed them.
CONFIRMED_BY_TWO = frozenset({ContractStage.ACCOUNT_LOCKED})

#: The evidence without which a rung is not climbed (进度依据). ``evidence`` is a document with its number:
#: of a filing its record number, of a lock the supplementary agreement to the contract (补充协议).
EVIDENCE: Mapping[ContractStage, tuple[str, ...]] = {
    ContractStage.FILED: ("evidence",),
    ContractStage.ACCOUNT_LOCKED: ("payee_account", "evidence"),
    ContractStage.PLEDGE_REGISTERED: ("pledge_number", "pledge_expires_on"),
}

#: Rungs that may be told of after a higher one was climbed: a contract is often financed before its filing is
#: on record here.
CATCHING_UP = frozenset({ContractStage.FILED})

#: Days before a pledge's registration expires at which its lender is warned, each once.
PLEDGE_WARNINGS = (60, 30, 7)

#: Seen in practice: a contract loan may end three months after the last payment falls due.
GRACE_MONTHS = 3

#: Rungs on which lock and pledge are both in place, and the pledge not yet cancelled.
PLEDGED = LADDER[LADDER.index(ContractStage.PLEDGE_REGISTERED) : 1 + LADDER.index(ContractStage.REPAID)]


def check_step(stage: ContractStage, wanted: ContractStage) -> None:
    """Raise ``Conflict`` (illegal_move) unless ``wanted`` may follow ``stage``.

    Up to the pledge every rung follows the one before it, except that ``filed`` and ``intent`` may be
    skipped (a contract can reach us already filed, or be financed at award). Money moves repeat in
    any order until the loan is repaid; then pledge and account are released in turn.
    """
    if wanted not in following(stage):
        raise conflict(Code.ILLEGAL_MOVE, "stage", state=stage.value, move=wanted.value)


def following(stage: ContractStage) -> tuple[ContractStage, ...]:
    """Return the rungs that may come next, in the order of the ladder."""
    s = ContractStage
    if stage in {s.DRAWN, s.PURCHASER_PAID}:
        return (s.DRAWN, s.PURCHASER_PAID, s.REPAID)
    if stage is s.REPAID:
        # The same lender may lend again on what the purchaser still owes, while the pledge stands.
        return (s.DRAWN, s.PURCHASER_PAID, s.PLEDGE_CANCELLED)
    after = {
        s.AWARDED: (s.SIGNED,),
        s.SIGNED: (s.FILED, s.INTENT, s.CREDITED),
        s.FILED: (s.INTENT, s.CREDITED),
        s.INTENT: (s.CREDITED,),
        s.CREDITED: (s.ACCOUNT_LOCKED,),
        s.ACCOUNT_LOCKED: (s.PLEDGE_REGISTERED,),
        s.PLEDGE_REGISTERED: (s.DRAWN,),
        s.PLEDGE_CANCELLED: (s.UNLOCKED,),
    }
    return after.get(stage, ())


def may_catch_up(stage: ContractStage, wanted: ContractStage, climbed: Iterable[ContractStage]) -> bool:
    """Say whether a rung that was passed over can still be told of; the contract stays where it stands."""
    return wanted in CATCHING_UP and has_reached(stage, wanted) and wanted not in set(climbed)


def find_missing(stage: ContractStage, given: Mapping[str, object]) -> list[Fault]:
    """Return a fault (required) for each field of ``EVIDENCE`` that is not given; spaces say nothing."""
    return [
        Fault(Code.REQUIRED, field)
        for field in EVIDENCE.get(stage, ())
        if given.get(field) is None or not str(given[field]).strip()
    ]


def check_day(
    stage: ContractStage,
    happened_on: date,
    climbed: Iterable[tuple[ContractStage, date]],
    signed_on: date | None = None,
) -> None:
    """Raise ``Invalid`` (out_of_order) where a rung would be dated before one that comes before it.

    ``climbed`` are the rungs that count, with their days; the day a contract was signed counts as one.
    """
    place = LADDER.index(stage)
    before = [day for rung, day in climbed if LADDER.index(rung) < place]
    if signed_on is not None and stage is not ContractStage.SIGNED:
        before.append(signed_on)
    latest = max(before, default=None)
    if latest is not None and happened_on < latest:
        raise invalid(
            Code.OUT_OF_ORDER, "happened_on", value=happened_on.isoformat(), after=latest.isoformat()
        )


def has_reached(stage: ContractStage, rung: ContractStage) -> bool:
    """Say whether a contract at ``stage`` stands on ``rung`` or above it."""
    return LADDER.index(stage) >= LADDER.index(rung)


def may_draw(stage: ContractStage) -> bool:
    """Say whether lock and pledge are both in place, and the pledge not yet cancelled."""
    return stage in PLEDGED


def is_locked(stage: ContractStage) -> bool:
    """Say whether the payee account is locked: from the confirmed lock until it is released."""
    return has_reached(stage, ContractStage.ACCOUNT_LOCKED) and stage is not ContractStage.UNLOCKED


def find_warning(expires_on: date, today: date) -> int | None:
    """Return the narrowest of ``PLEDGE_WARNINGS`` that a pledge has come to (expired or not), or None."""
    left = (expires_on - today).days
    return min((days for days in PLEDGE_WARNINGS if left <= days), default=None)


def compute_financeable(
    *, amount: int, retention: int, paid: int, financed: int, ratio: Decimal, cap: int | None = None
) -> int:
    """Return the fen that may still be financed: ratio × (amount − retention − paid) − financed.

    All in fen; ``ratio`` between 0 and 1; ``cap`` is the product's own. Never negative; fractions of
    a fen are dropped, because rounding up could break the invariant.
    """
    room = round_down(ratio * max(amount - retention - paid, 0)) - financed
    if cap is not None:
        room = min(room, cap - financed)
    return max(room, 0)


def latest_end(last_due_on: date) -> date:
    """Return the last day a loan on this contract may run: last due date plus grace."""
    return add_months(last_due_on, GRACE_MONTHS)


def statutory_due(accepted_on: date, payment_days: int | None) -> date:
    """Return when the purchaser must have paid: 30 days from acceptance, or as agreed up to 60."""
    return accepted_on + timedelta(days=30 if payment_days is None else min(payment_days, 60))


def is_locked_account(account: str | None, locked: str | None) -> bool:
    """Say whether a payment's payee account is the locked one, spelling aside."""
    return account is not None and locked is not None and squeeze(account) == squeeze(locked)


def is_paid_rightly(
    account: str, paid_on: date | None, locked: str, changes: Iterable[tuple[date, str]]
) -> bool:
    """Say whether an account was the locked one when it was paid into.

    ``locked`` is the account now, ``changes`` the days on which it changed, each with the account before.
    On the day of a change both are right; without a day of payment only the account of now is.
    """
    if paid_on is None:
        return is_locked_account(account, locked)
    since, right = date.min, []
    for changed_on, before in sorted(changes):
        right += [before] if since <= paid_on <= changed_on else []
        since = changed_on
    right += [locked] if since <= paid_on else []
    return any(is_locked_account(account, one) for one in right)


def mask_account(account: str) -> str:
    """Return an account as it may be published: its last four characters, or none of a very short one."""
    plain = squeeze(account)
    return "****" + (plain[-4:] if len(plain) >= 8 else "")
