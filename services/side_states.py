"""What holds of a contract beside its rung, derived from what is stored: nobody has to set or clear it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from market import contract_deadlines, contract_loan
from market.calendar import local_date
from market.contract_deadlines import Mark
from market.ladder_vocabulary import Deadline, SideState
from market.party import Party
from market.reference import calendar
from market.vocabulary import Capability, ContractStage, LoanState
from models.base import db
from models.contract import Contract
from models.loan import Loan
from services import account_changes, contract_steps, late_purchasers, pledges


def read(contract: Contract, *, by: Party, now: datetime) -> list[SideState]:
    """Return the side states of a contract that are the party's to know, in the order of ``SideState``.

    That a loan is overdue is for its firm, its lender and the officers, as its alert is.
    """
    session, today = db.session(), local_date(now)
    held: dict[SideState, bool] = {
        SideState.TERMINATED: contract.terminated_on is not None,
        SideState.LOAN_OVERDUE: _is_loan_overdue(contract, by),
        SideState.PURCHASER_OVERDUE: late_purchasers.find_overdue(contract, today) is not None,
    }
    if account_changes.may_see(contract, by=by):
        held[SideState.ACCOUNT_CHANGE_REQUESTED] = account_changes.find_open(contract.id) is not None
        pledge = pledges.find_standing(contract.id)
        if pledge is not None and contract_steps.has_live_loan(session, contract.id):
            is_over = pledge.expires_on <= today
            held[SideState.PLEDGE_EXPIRED] = is_over
            held[SideState.PLEDGE_EXPIRING] = (
                not is_over and contract_loan.find_warning(pledge.expires_on, today) is not None
            )
    return [state for state in SideState if held.get(state)]


def list_deadlines(contract: Contract) -> tuple[Mark, ...]:
    """Return how a contract stands to what the law asks for after its signing, as far as it is on record."""
    filed_on = next((step.happened_on for step in contract.steps if step.stage is ContractStage.FILED), None)
    done = {Deadline.FILING: filed_on, Deadline.PUBLICATION: contract.published_on}
    return contract_deadlines.mark(contract.signed_on, done, calendar())


def _is_loan_overdue(contract: Contract, by: Party) -> bool:
    late = select(Loan.id).where(
        Loan.contract_id == contract.id, Loan.state == LoanState.DRAWN, Loan.overdue_since.is_not(None)
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        own = by.organisation_id
        late = late.where((Loan.lender_id == own) | (Loan.borrower_id == own))
    return db.session.scalar(late.limit(1)) is not None
