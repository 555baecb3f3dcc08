"""What a contract can still carry, and who may have it: the three checks against double financing begin here.

All run inside the caller's transaction, but for the reading ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from market import contract_loan
from market.errors import Code, conflict, invalid, not_found
from market.receivable_vocabulary import FinancingMode
from market.vocabulary import ContractStage
from models.base import db
from models.contract import Contract
from models.financing import ContractMode, Financing
from models.organisation import Organisation
from models.payment import PurchaserPayment

WHOLE = Decimal(1)


def check_contract(
    session: Session, contract_id: int, firm: Organisation, *, lender_id: int | None
) -> Contract:
    """Return the contract, locked, if ``firm`` may have it financed (by ``lender_id``, if known).

    Raises ``Invalid`` (not financeable, other supplier) or ``Conflict`` (a live financing by another
    lender on the same key, or of one of its invoices alone, wherever in the system).
    """
    contract = session.get(Contract, contract_id, with_for_update=True)
    if contract is None:
        raise not_found("contract", contract_id)
    if contract.obstacles:
        raise invalid(Code.NOT_FINANCEABLE, "contract_id", reason=list(contract.obstacles))
    if contract.supplier_code != firm.credit_code or contract.financing_key is None:
        raise invalid(Code.WRONG_SUPPLIER, "contract_id", supplier=contract.supplier_name)
    if contract_loan.has_reached(contract.stage, ContractStage.PLEDGE_CANCELLED):
        # The ladder is climbed once: with pledge or account released nothing could be drawn any more.
        move = ContractStage.CREDITED.value
        raise conflict(Code.ILLEGAL_MOVE, "contract_id", state=contract.stage.value, move=move)
    for live in list_live(session, contract.financing_key):
        # One live lender per contract: before an award nobody's, afterwards only the same lender's again.
        if live.contract_id != contract.id or lender_id not in (None, live.lender_id):
            raise conflict(Code.ALREADY_FINANCED, "contract_id", key=contract.financing_key)
    return contract


def list_live(session: Session, contract_key: str) -> Sequence[Financing]:
    """Return the live claims on a contract, known by its key: one on the whole, or some on its invoices."""
    found = select(Financing).where(Financing.live_key == contract_key, Financing.ended_at.is_(None))
    return session.scalars(found.order_by(Financing.id)).all()


def hold_mode(session: Session, contract_key: str, mode: FinancingMode, *, field: str) -> None:
    """Let a contract be financed in a mode, under the lock that all claims on its key wait for.

    Raises ``Conflict`` (already_financed, on ``field``) while live claims of the other mode stand. Several
    contracts are held in the order of their keys.
    """
    held = _lock_mode(session, contract_key)
    if held is None:
        try:
            # Whoever comes second waits here until the first has ended, well or badly.
            with session.begin_nested():
                session.execute(insert(ContractMode).values(contract_key=contract_key, mode=mode))
        except IntegrityError:
            pass
        held = _lock_mode(session, contract_key)
        assert held is not None, "either this insert or another one made the row, and none is deleted"
    if held.mode is mode:
        return
    if list_live(session, contract_key):
        raise conflict(Code.ALREADY_FINANCED, field, key=contract_key)
    held.mode = mode
    session.flush()


def _lock_mode(session: Session, contract_key: str) -> ContractMode | None:
    return session.get(ContractMode, contract_key, with_for_update=True)


def sum_paid(session: Session, contract_id: int, *, undated: bool = False) -> int:
    """Return the fen the purchaser has paid on a contract; payments without a date only if asked for."""
    query = select(func.sum(PurchaserPayment.amount)).where(PurchaserPayment.contract_id == contract_id)
    if not undated:
        query = query.where(PurchaserPayment.paid_on.is_not(None))
    return int(session.scalar(query) or 0)


def sum_financed(session: Session, contract_id: int) -> int:
    """Return the fen of live claims on a contract, whole or by its invoices, from whichever row of it."""
    key = select(Contract.financing_key).where(Contract.id == contract_id).scalar_subquery()
    query = select(func.sum(Financing.financed)).where(
        Financing.ended_at.is_(None), (Financing.live_key == key) | (Financing.contract_id == contract_id)
    )
    return int(session.scalar(query) or 0)


def compute_room(session: Session, contract: Contract, *, ratio: Decimal = WHOLE, besides: int = 0) -> int:
    """Return the fen a contract can still carry at a ratio, after retention, payments and financings.

    ``besides`` fen of what is financed already are left out of the count: what is about to be drawn
    was claimed at its award. A payment without a date moves no state, but the money is gone: it counts.
    """
    return contract_loan.compute_financeable(
        amount=contract.amount or 0,
        retention=contract.retention,
        paid=sum_paid(session, contract.id, undated=True),
        financed=sum_financed(session, contract.id) - besides,
        ratio=ratio,
    )


def read_room(contract_id: int, ratio: Decimal = WHOLE) -> int:
    """Return the fen a contract can still carry now at a product's ratio; at most the whole of it."""
    return compute_room(db.session(), db.session.get_one(Contract, contract_id), ratio=ratio)
