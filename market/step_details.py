"""What somebody gives with a rung that they record: checked by itself, and as it stands in the step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from market import contract_loan
from market.errors import Code, Fault, Invalid
from market.vocabulary import ContractStage

_ACCOUNT_MOST, _BANK_MOST = 40, 120


@dataclass(frozen=True, slots=True)
class StepDetails:
    """Evidence of a rung; ``published_on``, when the contract was published, goes with its filing."""

    evidence: str = ""
    payee_account: str | None = None
    payee_bank: str | None = None
    pledge_number: str | None = None
    pledge_expires_on: date | None = None
    published_on: date | None = None


def check(stage: ContractStage, given: StepDetails, happened_on: date, today: date) -> None:
    """Raise ``Invalid`` with every fault that can be seen without the contract."""
    faults = contract_loan.find_missing(stage, asdict(given))
    for field, day in (("happened_on", happened_on), ("published_on", given.published_on)):
        if day is not None and day > today:
            faults.append(Fault(Code.TOO_LARGE, field, {"value": str(day), "most": str(today)}))
    faults += check_account(given.payee_account, given.payee_bank)
    expires_on = given.pledge_expires_on
    if stage is ContractStage.PLEDGE_REGISTERED and expires_on is not None and expires_on <= today:
        values = {"value": str(expires_on), "after": str(today)}
        faults.append(Fault(Code.OUT_OF_ORDER, "pledge_expires_on", values))
    if faults:
        raise Invalid(*faults)


def check_account(account: str | None, bank: str | None) -> list[Fault]:
    """Return the faults of an account and its bank that are longer than any."""
    # They wait outside the contract's own columns, which take them only once they are confirmed.
    return [
        Fault(Code.TOO_LONG, field, {"value": text[:40], "most": most})
        for field, text, most in (("payee_account", account, _ACCOUNT_MOST), ("payee_bank", bank, _BANK_MOST))
        if text is not None and len(text) > most
    ]


def write(stage: ContractStage, given: StepDetails) -> dict[str, Any]:
    """Return what the step keeps beside its evidence, as JSON values."""
    if stage is ContractStage.ACCOUNT_LOCKED:
        return {"payee_account": given.payee_account, "payee_bank": given.payee_bank}
    if stage is ContractStage.PLEDGE_REGISTERED and given.pledge_expires_on is not None:
        return {"pledge_number": given.pledge_number, "expires_on": given.pledge_expires_on.isoformat()}
    if stage is ContractStage.FILED and given.published_on is not None:
        return {"published_on": given.published_on.isoformat()}
    return {}
