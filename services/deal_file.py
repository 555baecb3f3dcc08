"""The file of a deal (档案): all that happened on it, in order of time, with who and on which evidence.

Gathered from the records themselves: nothing is kept twice. A deal on a contract has the contract's ladder,
pledge, account and payments with it, up to the end of its lender's claim on the contract.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market.lending_vocabulary import Account
from market.party import Party
from models.base import db
from models.loan import Guarantee, Loan, Movement
from models.organisation import Organisation
from models.user import Role, User
from services import contract_deeds, deal_deeds, loans
from services.deeds import Deed


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something, and for which organisation of the zone, where it is known."""

    name: str
    organisation: Organisation | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed with the names of those who did it."""

    deed: Deed
    who: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Posting:
    """A double entry, and what stands on its two accounts after it, in fen."""

    movement: Movement
    source_balance: int
    target_balance: int


@dataclass(frozen=True, slots=True)
class DealFile:
    """The whole of one deal as at ``made_at``; ``balances`` add up to zero."""

    loan: Loan
    made_at: datetime
    entries: tuple[Entry, ...]
    postings: tuple[Posting, ...]
    balances: Mapping[Account, int]
    guarantee: Guarantee | None
    guarantor: Organisation | None


def read(loan_id: int, *, by: Party, now: datetime) -> DealFile:
    """Return the file of a deal to its borrower, its lender, an officer or auditor of its zone.

    Each sees what else it may see: how many bid is the firm's and the officers' to know, of the log of deeds
    a party has its own, and alerts are those that concern it. Raises ``NotFound`` to everybody else.
    """
    loan = loans.find(loan_id, by=by)
    session = db.session()
    deeds = [*deal_deeds.gather(session, loan, by), *contract_deeds.gather(session, loan, by)]
    people = _read_people(session, loan, deeds)
    postings = tuple(_post(session, loan))
    guarantee = session.scalar(select(Guarantee).where(Guarantee.loan_id == loan.id))
    return DealFile(
        loan=loan,
        made_at=now,
        entries=tuple(
            Entry(deed, tuple(people[user] for user in deed.users if user in people))
            for deed in sorted(deeds, key=lambda deed: (deed.on, deed.at))
        ),
        postings=postings,
        balances=_balance(postings),
        guarantee=guarantee,
        guarantor=session.get(Organisation, guarantee.guarantor_id) if guarantee is not None else None,
    )


def _post(session: Session, loan: Loan) -> Iterator[Posting]:
    balances: Counter[Account] = Counter()
    for movement in session.scalars(
        select(Movement).where(Movement.loan_id == loan.id).order_by(Movement.booked_on, Movement.id)
    ):
        balances[movement.source] -= movement.amount
        balances[movement.target] += movement.amount
        yield Posting(movement, balances[movement.source], balances[movement.target])


def _balance(postings: Iterable[Posting]) -> dict[Account, int]:
    balances: dict[Account, int] = {}
    for posting in postings:
        balances[posting.movement.source] = posting.source_balance
        balances[posting.movement.target] = posting.target_balance
    return {account: balances[account] for account in Account if balances.get(account)}


def _read_people(session: Session, loan: Loan, deeds: Sequence[Deed]) -> dict[int, Person]:
    """Return by number who did the deeds; of somebody's organisations the one that is a side of the deal."""
    wanted = {user for deed in deeds for user in deed.users}
    names = {row.id: row.name for row in session.scalars(select(User).where(User.id.in_(wanted)))}
    sides = {loan.lender_id, loan.borrower_id}
    found: dict[int, Organisation] = {}
    for role in session.scalars(
        select(Role)
        .where(Role.user_id.in_(wanted), Role.zone_id == loan.zone_id)
        .options(joinedload(Role.organisation))
        .order_by(Role.id)
    ):
        if role.user_id not in found or role.organisation_id in sides:
            found[role.user_id] = role.organisation
    return {user: Person(name, found.get(user)) for user, name in names.items()}
