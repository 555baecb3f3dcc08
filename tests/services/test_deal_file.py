"""The file of a deal: the whole chain in order of time with who and evidence, no more than one may see."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from market.errors import NotFound
from market.lending_vocabulary import Account, LoanEventKind
from market.report_vocabulary import FileEntry
from market.vocabulary import AlertKind, ContractStage, OrganisationKind
from models.base import db
from models.user import User
from services import alerts, contract_loans, deal_file, loans
from services.clock import run_due
from services.contract_loans import Payment
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan

F = FileEntry


def test_the_file_tells_the_whole_chain_with_people_evidence_and_entries(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, purchaser, contract, loan, _ = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    overdue = datetime(2027, 1, 16, 2, tzinfo=now.tzinfo)
    run_due(firm.zone_id, now=overdue, sealer=sealer)
    payment = contract_loans.record_payment(
        contract.id,
        Payment("T1", 4 * MILLION, date(2027, 1, 16), payee_account=ACCOUNT),
        by=purchaser,
        now=overdue,
    )
    loans.record_repayment(loan.id, MILLION, date(2027, 1, 16), "R1", by=bank, now=overdue)
    file = deal_file.read(loan.id, by=officer, now=overdue + timedelta(days=1))
    days = [(entry.deed.on, entry.deed.at) for entry in file.entries]
    assert days == sorted(days)
    told = [(entry.deed.kind, entry.deed.what) for entry in file.entries]
    for wanted in (
        (F.NEED, loan.origin.need.purpose),
        (F.BIDDING, None),
        (F.AWARD, loan.origin.state),
        (F.APPROVAL, loan.kind),
        (F.CONTRACT, None),
        (F.STEP, ContractStage.ACCOUNT_LOCKED),
        (F.STEP, ContractStage.DRAWN),
        (F.PLEDGE, None),
        (F.EVENT, LoanEventKind.DRAWDOWN),
        (F.PAYMENT, None),
        (F.ALERT, AlertKind.PURCHASER_OVERDUE),
        (F.ALERT_RESOLVED, AlertKind.PURCHASER_OVERDUE),
    ):
        assert wanted in told, wanted
    assert told.count((F.EVENT, LoanEventKind.RECEIPT)) == 2
    by_kind = {entry.deed.kind: entry for entry in file.entries}
    assert by_kind[F.AWARD].deed.evidence == loan.origin.bid.receipt_hash
    (drawdown,) = [entry for entry in file.entries if entry.deed.kind is F.DRAWDOWN_REQUEST]
    assert len({person.name for person in drawdown.who}) == 2
    assert {person.organisation.id for person in drawdown.who if person.organisation} == {
        bank.organisation_id
    }
    lock = next(entry for entry in file.entries if entry.deed.what is ContractStage.ACCOUNT_LOCKED)
    assert lock.deed.evidence == "补充协议 BC-042"
    assert [person.name for person in lock.who] == [
        db.session.get_one(User, party.user_id).name for party in (bank, purchaser)
    ]
    paid = by_kind[F.PAYMENT].deed
    assert (paid.evidence, paid.amount) == (payment.transaction_id, 4 * MILLION)
    assert sum(paid.details.get(part, 0) for part in ("interest", "principal", "remainder")) == 4 * MILLION
    assert sum(file.balances.values()) == 0
    stored = loans.find(loan.id, by=bank)
    assert file.balances[Account.PRINCIPAL] == stored.outstanding


def test_each_side_sees_what_is_its_own_and_nobody_else_anything(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, purchaser, _, loan, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)

    def read(party: object) -> list[deal_file.Entry]:
        return list(deal_file.read(loan.id, by=party, now=later).entries)  # type: ignore[arg-type]

    def count_bids(entries: list[deal_file.Entry]) -> list[object]:
        return [entry.deed.details.get("bids") for entry in entries if entry.deed.kind is F.BIDDING]

    assert (count_bids(read(firm)), count_bids(read(officer)), count_bids(read(bank))) == ([1], [1], [None])
    for party in (firm, bank):
        deeds = [entry for entry in read(party) if entry.deed.kind is F.DEED]
        acted = {person.organisation.id for entry in deeds for person in entry.who if person.organisation}
        assert acted == {party.organisation_id}
    stranger = make_party(OrganisationKind.BANK, now=now)
    for party in (purchaser, stranger):
        with pytest.raises(NotFound):
            deal_file.read(loan.id, by=party, now=later)
    assert alerts.list_for_loan(loan, by=stranger) == []
