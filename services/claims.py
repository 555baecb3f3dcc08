"""Claims: which lender finances a contract, for how much, and until when; one live claim per contract.

Loans on receivables claim each of them by itself (``invoice_claims``); the verbs here serve both, and do
nothing for a loan that leans on neither.

All run inside the caller's transaction. What a lender claims at the award it gives back as principal is
repaid, or with the loan that is cancelled.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from market import contract_loan
from market.calendar import add_months, local_date
from market.errors import Code, Fault, Invalid, conflict
from market.party import Party
from market.receivable_vocabulary import FinancingMode
from market.vocabulary import ContractStage, LoanState
from models.bid import Bid
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.need import Need
from services import contract_steps, financings, invoice_claims


def take(session: Session, need: Need, bid: Bid, loan: Loan, *, by: Party, now: datetime) -> None:
    """Claim what a need offers for its lender: the contract (and climb to ``credited``), or receivables.

    A loan that its lender still reviews keeps others from the contract, but ``credit`` comes with the yes.
    """
    ratio = bid.product.contract_ratio or financings.WHOLE
    if need.contract_id is None:
        if invoice_claims.list_offered(need):
            lender_id, today = bid.organisation_id, local_date(now)
            invoice_claims.take(session, need, loan, lender_id=lender_id, ratio=ratio, today=today, now=now)
        return
    lender_id = bid.organisation_id
    contract = financings.check_contract(session, need.contract_id, need.organisation, lender_id=lender_id)
    assert contract.financing_key is not None
    # Another row of the same contract has a lock of its own: whoever claims the key waits here.
    financings.hold_mode(session, contract.financing_key, FinancingMode.WHOLE, field="contract_id")
    live = next(iter(financings.list_live(session, contract.financing_key)), None)
    if live is not None and (live.contract_id, live.lender_id) != (contract.id, lender_id):
        raise conflict(Code.ALREADY_FINANCED, "contract_id", key=contract.financing_key)
    room = financings.compute_room(session, contract, ratio=ratio)
    if loan.principal > room:
        raise conflict(Code.ABOVE_FINANCEABLE, asked=loan.principal, most=room)
    if live is None:
        live = Financing(
            key=contract.financing_key,
            contract_id=contract.id,
            lender_id=lender_id,
            financed=0,
            live_key=contract.financing_key,
            live_mode=FinancingMode.WHOLE,
            started_at=now,
        )
        session.add(live)
    live.financed += loan.principal
    loan.contract_id = contract.id
    if loan.state is not LoanState.UNDER_REVIEW:
        credit(session, contract, loan, by=by, now=now)


def credit(session: Session, contract: Contract, loan: Loan, *, by: Party, now: datetime) -> None:
    """Climb to ``credited`` with a loan that is approved, inside the caller's transaction."""
    contract_steps.climb_to(session, contract, ContractStage.CREDITED, by=by, now=now, loan=loan.id)


def check_drawdown(session: Session, loan: Loan, contract: Contract | None, drawn_on: date) -> None:
    """Raise ``Invalid`` with everything that forbids drawing a loan on what it leans on, on a day."""
    ratio = (loan.award.bid.product.contract_ratio if loan.award is not None else None) or financings.WHOLE
    if contract is None:
        invoice_claims.check_drawdown(session, loan, drawn_on, ratio=ratio)
        return
    faults: list[Fault] = []
    if not contract_loan.has_reached(contract.stage, ContractStage.ACCOUNT_LOCKED):
        faults.append(Fault(Code.NOT_LOCKED))
    if not contract_loan.may_draw(contract.stage):
        faults.append(Fault(Code.NO_PLEDGE))
    if contract.pledge_expires_on is not None and contract.pledge_expires_on <= drawn_on:
        faults.append(Fault(Code.NO_PLEDGE, "pledge_expires_on"))
    ends = add_months(drawn_on, loan.months)
    if contract.last_due_on is not None and ends > contract_loan.latest_end(contract.last_due_on):
        latest = contract_loan.latest_end(contract.last_due_on).isoformat()
        faults.append(Fault(Code.ENDS_TOO_LATE, "drawn_on", {"ends": ends.isoformat(), "latest": latest}))
    room = financings.compute_room(session, contract, ratio=ratio, besides=loan.principal)
    if loan.principal > room:
        faults.append(Fault(Code.ABOVE_FINANCEABLE, None, {"asked": loan.principal, "most": room}))
    if contract_steps.find_lender(session, contract.id) != loan.lender_id:
        faults.append(Fault(Code.ALREADY_FINANCED, None, {"key": contract.financing_key}))
    if faults:
        raise Invalid(*faults)
    borrower = loan.borrower
    financings.check_contract(session, contract.id, borrower, lender_id=loan.lender_id)


def give_back(session: Session, contract_id: int | None, amount: int, *, loan: Loan | None = None) -> None:
    """Take ``amount`` fen of principal that is repaid, or never drawn, off the live claim on a contract.

    A negative amount is put on again: a repayment was taken back. A loan without a contract gives back what
    it claimed of receivables.
    """
    if contract_id is None:
        if loan is not None:
            invoice_claims.give_back(session, loan, amount)
        return
    financing = contract_steps.find_financing(session, contract_id)
    if financing is not None:
        financing.financed -= min(amount, financing.financed)


def leave(
    session: Session, contract: Contract | None, loan: Loan, *, by: Party | None, now: datetime
) -> None:
    """End a lender's claim on a contract with its only loan, unless money moved on it before.

    Where an earlier loan was drawn and repaid the ladder goes on to its end: pledge and account are
    released in turn, and only then the claim ends. Receivables are free at once.
    """
    if contract is None:
        invoice_claims.end(session, loan, now=now)
    elif contract_loan.has_reached(contract.stage, ContractStage.DRAWN):
        finish(session, loan, by=by, now=now)
    elif not contract_steps.has_live_loan(session, contract.id, besides=loan.id):
        financing = contract_steps.find_financing(session, contract.id)
        if financing is not None:
            financing.ended_at = now
        contract_steps.step_back(session, contract, why="loan_cancelled", by=by, now=now)


def finish(session: Session, loan: Loan, *, by: Party | None, now: datetime) -> None:
    """Climb to ``repaid`` once no loan on the contract is open; the claim ends with the unlocking.

    Receivables that a loan leaned on are free once it is over.
    """
    contract = loan.contract
    if contract is None:
        invoice_claims.end(session, loan, now=now)
    elif not contract_steps.has_live_loan(session, contract.id, besides=loan.id):
        contract_steps.climb_to(
            session,
            contract,
            ContractStage.REPAID,
            by=by,
            now=now,
            happened_on=loan.repaid_on,
            loan=loan.id,
        )
