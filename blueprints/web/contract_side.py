"""What stands beside a contract's ladder on its page: side states, account change, pledge, early end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from market import contract_loan
from market.calendar import local_date
from market.party import Party
from market.vocabulary import PROMISED_LOANS
from models.contract import Contract
from models.loan import Loan
from services import account_changes, drawdowns, pledges, side_states, terminations


def read(contract: Contract, deals: Sequence[Loan], *, by: Party, now: datetime) -> dict[str, Any]:
    """Return what the page of a contract says beside its ladder, as the party may know and do it."""
    today = local_date(now)
    inside = account_changes.may_see(contract, by=by)
    change = account_changes.find_open(contract.id) if inside else None
    return {
        "states": side_states.read(contract, by=by, now=now),
        "deadlines": side_states.list_deadlines(contract),
        "evidence": contract_loan.EVIDENCE,
        "inside": inside,
        "change": change,
        "changes": account_changes.list_all(contract, by=by),
        "may_request": account_changes.may_request(contract, by=by),
        "may_agree": change is not None and account_changes.may_agree(contract, change, by=by),
        "may_refuse": change is not None and account_changes.may_refuse(contract, by=by),
        "may_withdraw": change is not None and account_changes.may_withdraw(change, by=by),
        "pledge": _read_pledge(contract, today) if inside else None,
        "pledges": pledges.list_all(contract.id) if inside else [],
        "may_renew": pledges.may_renew(contract, by=by),
        "ended": terminations.find(contract.id),
        "may_terminate": terminations.may_terminate(contract, by=by),
        "promised": [loan for loan in deals if loan.state in PROMISED_LOANS],
        "asked": [loan for loan in deals if drawdowns.find_waiting(loan.id) is not None],
    }


def _read_pledge(contract: Contract, today: date) -> dict[str, Any] | None:
    """Return the standing registration with its days left, and whether the loans outlast it."""
    standing = pledges.find_standing(contract.id)
    if standing is None:
        return None
    ends_on = pledges.find_loan_end(contract.id, today)
    return {
        "row": standing,
        "days": (standing.expires_on - today).days,
        "warns": contract_loan.find_warning(standing.expires_on, today) is not None,
        "outlasted_until": ends_on if ends_on is not None and ends_on > standing.expires_on else None,
    }
