"""The published list of locked, changed and released payee accounts: for purchasers to check by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, func, literal, select, union_all

from market import contract_loan
from market.ladder_vocabulary import AccountChangeState, AccountNoticeKind
from market.vocabulary import ContractStage
from models.account_change import AccountChange
from models.base import db
from models.contract import Contract, ContractStep


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """What is published of an account: masked, without the supplier and without what it is locked for."""

    kind: AccountNoticeKind
    contract_number: str
    purchaser_name: str | None
    published_at: datetime
    account: str


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the list, and how many notices there are in all."""

    rows: Sequence[AccountNotice]
    total: int


def find_page(zone_id: int, *, offset: int = 0, most: int = 50) -> Found:
    """Return the notices of a zone, the newest first.

    A lock that fell with its loan is not listed any more: whoever looks up a contract finds what holds.
    """
    steps = (
        select(
            cast(ContractStep.stage, String).label("kind"),
            ContractStep.id.label("id"),
            func.coalesce(ContractStep.confirmed_at, ContractStep.recorded_at).label("at"),
        )
        .join(Contract, Contract.id == ContractStep.contract_id)
        .where(
            Contract.zone_id == zone_id,
            ContractStep.undone_at.is_(None),
            (ContractStep.stage == ContractStage.UNLOCKED)
            | ((ContractStep.stage == ContractStage.ACCOUNT_LOCKED) & ContractStep.confirmed_at.is_not(None)),
        )
    )
    changes = (
        select(literal("changed"), AccountChange.id, AccountChange.published_at)
        .join(Contract, Contract.id == AccountChange.contract_id)
        .where(Contract.zone_id == zone_id, AccountChange.state == AccountChangeState.DONE)
    )
    found = union_all(steps, changes).subquery()
    total = db.session.scalar(select(func.count()).select_from(found)) or 0
    rows = db.session.execute(
        select(found.c.kind, found.c.id)
        .order_by(found.c.at.desc(), found.c.id.desc())
        .offset(offset)
        .limit(most)
    ).all()
    return Found([_read(str(kind), key) for kind, key in rows], total)


def _read(kind: str, key: int) -> AccountNotice:
    if kind == "changed":
        change = db.session.get_one(AccountChange, key)
        contract, account, at = change.contract, change.new_account, change.published_at
        word = AccountNoticeKind.CHANGED
    else:
        step = db.session.get_one(ContractStep, key)
        contract, at = step.contract, step.confirmed_at or step.recorded_at
        if step.stage is ContractStage.ACCOUNT_LOCKED:
            word, account = AccountNoticeKind.LOCKED, str(step.details.get("payee_account") or "")
        else:
            word, account = AccountNoticeKind.RELEASED, contract.payee_account or ""
    assert at is not None, "what is done is published"
    buyer = contract.purchaser.name_zh if contract.purchaser is not None else contract.purchaser_name
    return AccountNotice(word, contract.number, buyer, at, contract_loan.mask_account(account))
