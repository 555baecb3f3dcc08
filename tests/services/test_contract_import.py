"""Contracts taken over into the registry: new, amended, paid; in batches that are whole or not there."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.errors import Code, conflict
from market.party import clock
from market.vocabulary import AlertKind, ContractStage, LoanState, OrganisationKind
from models.alert import Alert
from models.base import db
from models.contract import Contract, ContractRevision
from models.import_job import ImportJob
from models.loan import Loan
from models.organisation import Organisation
from models.payment import PurchaserPayment
from services import audit, contract_import, contract_loans, contracts, needs, organisations
from services.contract_import import ImportResult
from services.exchange.rejection import RejectedRow
from tests.factories import MILLION, default_zone_id, make_organisation, make_party, make_zone
from tests.procurement import BUYER, CODE, OTHER, lines, make_contract, make_release, make_transaction
from tests.services import racing
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan


def bring(*releases: Any, now: datetime, zone_id: int | None = None, **options: Any) -> ImportResult:
    stream = io.BytesIO(lines(releases))
    return contract_import.import_stream(stream, by=clock(zone_id or default_zone_id()), now=now, **options)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return result.imported, result.updated, result.rejected


def only_contract() -> Contract:
    db.session.rollback()
    return db.session.scalars(select(Contract)).one()


def test_a_contract_is_stored_with_all_it_says(app: Flask, now: datetime) -> None:
    supplier = organisations.register(
        OrganisationKind.ENTERPRISE, CODE, "测试科技有限公司", zone_id=default_zone_id(), now=now
    )
    transactions = [
        make_transaction("T1", 300.5, payer={"id": "B"}, payee={"id": "S"}),
        make_transaction("T2", 5, None),
    ]
    release = make_release("o", make_contract(implementation={"transactions": transactions}))
    assert counts(bring(release, now=now)) == (1, 0, 0)
    row = only_contract()
    assert (row.process_id, row.contract_id, row.number, row.title) == ("o", "C-1", "C-1", "智慧园区")
    assert (row.amount, row.currency, row.supplier_id, row.supplier_code) == (
        100_050,
        "CNY",
        supplier.id,
        CODE,
    )
    assert (row.obstacles, row.source, row.stage) == ([], "ocds", ContractStage.SIGNED)
    assert (row.ends_on, row.last_due_on) == (date(2026, 12, 31), date(2027, 1, 30))
    assert row.financing_key == f"C1|{CODE}"
    assert {(p.transaction_id, p.amount, p.paid_on, p.payee) for p in row.payments} == {
        ("T1", 30_050, date(2026, 3, 1), "测试科技"),
        ("T2", 500, None, None),
    }


def test_importing_again_updates_and_leaves_no_trace_where_nothing_changed(app: Flask, now: datetime) -> None:
    release = make_release("o", make_contract(implementation={"transactions": [make_transaction("T1", 5)]}))
    bring(release, now=now)
    assert counts(bring(release, now=now + timedelta(days=1))) == (0, 1, 0)
    row = only_contract()
    assert row.updated_at == now
    assert len(row.payments) == 1
    assert db.session.scalars(select(ContractRevision)).all() == []


def test_an_amendment_keeps_what_was_said_before(app: Flask, now: datetime) -> None:
    bring(make_release("o", date="2026-02-01"), now=now)
    amended = make_contract(value={"amount": 2000, "currency": "CNY"}, period={"endDate": "2027-06-30"})
    bring(make_release("o", amended, date="2026-03-01"), now=now)
    row = only_contract()
    assert (row.amount, row.ends_on, row.starts_on) == (200_000, date(2027, 6, 30), date(2026, 1, 5))
    (revision,) = db.session.scalars(select(ContractRevision))
    assert (revision.number, revision.former) == (1, {"amount": 100_050, "ends_on": "2026-12-31"})


def test_an_older_release_never_undoes_a_newer_one(app: Flask, now: datetime) -> None:
    old = make_release(
        "o",
        make_contract(
            implementation={"transactions": [make_transaction("T1", 5), make_transaction("T0", 1)]}
        ),
        date="2026-02-01",
    )
    new = make_release(
        "o",
        make_contract(
            value={"amount": 2000, "currency": "CNY"},
            implementation={"transactions": [make_transaction("T1", 7)]},
        ),
        date="2026-03-01",
    )
    assert counts(bring(new, old, now=now)) == (1, 1, 0)
    row = only_contract()
    assert row.amount == 200_000
    assert {p.transaction_id: p.amount for p in row.payments} == {"T1": 700, "T0": 100}


def test_versions_of_one_contract_in_one_file_count_as_one_new_and_the_rest_updates(
    app: Flask, now: datetime
) -> None:
    releases = [
        make_release("o", make_contract(value={"amount": n, "currency": "CNY"}), date=f"2026-0{n}-01")
        for n in range(1, 5)
    ]
    assert counts(bring(*releases, now=now)) == (1, 3, 0)
    assert only_contract().amount == 400
    assert db.session.scalar(select(func.count(ContractRevision.id))) == 3


def test_contract_ids_are_unique_inside_their_process_only(app: Flask, now: datetime) -> None:
    first, second = make_contract("1", title="A-1/2026"), make_contract("1", title="A-2/2026")
    assert counts(bring(make_release("o-1", first), make_release("o-2", second), now=now)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("fields", "obstacles"),
    [
        ({"value": {"amount": 5, "currency": "MXN"}}, ["foreign_currency"]),
        ({"awardID": "nobody"}, ["no_credit_code"]),
        ({"value": {"amount": -5, "currency": "CNY"}}, ["amount_not_positive"]),
        ({"status": "cancelled"}, ["cancelled"]),
    ],
)
def test_what_cannot_be_financed_is_stored_with_the_reason(
    app: Flask, now: datetime, fields: dict[str, Any], obstacles: list[str]
) -> None:
    release = make_release("o", make_contract(**fields))
    release["parties"] = [
        party for party in release["parties"] if "awardID" not in fields or party["id"] == "B"
    ]
    assert counts(bring(release, now=now)) == (1, 0, 0)
    assert only_contract().obstacles == obstacles


def test_a_later_record_clears_an_obstacle(app: Flask, now: datetime) -> None:
    bring(make_release("o", make_contract(status="pending", period={"endDate": "2026-99-99"})), now=now)
    assert only_contract().obstacles == ["not_in_force", "impossible_dates"]
    bring(make_release("o"), now=now)
    assert only_contract().obstacles == []


def test_a_published_record_vouches_for_what_the_supplier_entered(app: Flask, now: datetime) -> None:
    firm = make_party(now=now)
    supplier = db.session.get_one(Organisation, firm.organisation_id).credit_code
    entry = contracts.Entry("o", "C-1", "智慧园区", 100_050, BUYER, supplier, date(2026, 1, 5))
    contracts.register(entry, by=firm, now=now)
    assert only_contract().obstacles == ["unconfirmed"]
    silent = {"ocid": "o", "contracts": [{"id": "C-1", "status": "active"}]}
    bring(silent, now=now)
    assert only_contract().obstacles == ["unconfirmed"]
    awards = [{"id": "A", "suppliers": [{"name": "测试", "identifier": {"id": supplier}}]}]
    bring(make_release("o", awards=awards), now=now)
    assert only_contract().obstacles == []


def test_a_payment_dated_in_the_future_is_kept_undated_and_doubted(app: Flask, now: datetime) -> None:
    future = make_transaction("T1", 5, "2026-12-24")
    bring(make_release("o", make_contract(implementation={"transactions": [future]})), now=now)
    row = only_contract()
    assert [p.paid_on for p in row.payments] == [None]
    assert row.obstacles == ["doubtful_payments"]


def test_faults_are_per_contract_and_told_one_by_one(app: Flask, now: datetime) -> None:
    told: list[RejectedRow] = []
    bad = make_contract("bad", value={"amount": "abc"})
    release = make_release("o", make_contract("a"), bad, make_contract("b"))
    assert counts(bring(release, {"no": "ocds"}, now=now, on_reject=told.append)) == (2, 0, 2)
    assert [(row.line, row.contract_id, row.fault.code) for row in told] == [
        (1, "bad", Code.NOT_A_NUMBER),
        (2, None, Code.NOT_OCDS),
    ]


def test_a_contract_of_another_zone_is_updated_where_it_is(app: Flask, now: datetime) -> None:
    other = make_zone(now=now)
    bring(make_release("o"), now=now, zone_id=other.id)
    assert counts(bring(make_release("o"), now=now)) == (0, 1, 0)
    assert only_contract().zone_id == other.id


def test_the_job_says_what_came_of_it(app: Flask, now: datetime) -> None:
    steps: list[tuple[int, int]] = []
    releases = [make_release(f"o-{n}") for n in range(450)]
    result = bring(
        *releases,
        "x",
        now=now,
        file_name="notices.jsonl",
        on_progress=lambda p: steps.append((p.result.imported, p.line)),
    )
    assert [imported for imported, _ in steps] == [200, 400, 450]
    (job,) = db.session.scalars(select(ImportJob))
    assert (job.id, job.file_name, job.finished_at) == (result.job_id, "notices.jsonl", now)
    assert (job.imported, job.updated, job.rejected, job.failure) == (450, 0, 1, None)
    (entry,) = audit.list_entries("import_jobs", job.id)
    assert (entry.action, entry.details["imported"]) == ("contracts.import", 450)


def test_an_import_cut_off_between_batches_leaves_whole_contracts_and_goes_on_when_run_again(
    app: Flask, now: datetime
) -> None:
    releases = [
        make_release(f"o-{n}", make_contract(implementation={"transactions": [make_transaction("T", 5)]}))
        for n in range(450)
    ]

    def stop(progress: contract_import.Progress) -> None:
        if progress.result.imported == 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(*releases, now=now, on_progress=stop)
    db.session.rollback()
    assert db.session.scalar(select(func.count(Contract.id))) == 400
    assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 400
    (job,) = db.session.scalars(select(ImportJob))
    assert (job.imported, job.finished_at) == (400, None)
    assert counts(bring(*releases, now=now)) == (50, 400, 0)
    assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 450


def test_a_stream_that_fails_is_told_and_what_was_read_stays(app: Flask, now: datetime) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read()

    result = contract_import.import_stream(
        Failing(lines([make_release("o")])), by=clock(default_zone_id()), now=now
    )
    assert counts(result) == (1, 0, 0)
    assert result.failure == "Input/output error"
    (job,) = db.session.scalars(select(ImportJob))
    assert job.failure == {"why": "Input/output error"}


def test_a_contract_that_cannot_be_stored_does_not_stop_its_batch(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert = contract_import.upsert

    def refuse_one(session: Any, records: Any, **options: Any) -> Any:
        outcome = upsert(session, records, **options)
        if any(record.process_id == "o-2" for record in records):
            raise conflict(Code.ILLEGAL_MOVE, state="drawn", move="signed")
        return outcome

    monkeypatch.setattr(contract_import, "upsert", refuse_one)
    told: list[RejectedRow] = []
    result = bring(*(make_release(f"o-{n}") for n in range(5)), now=now, on_reject=told.append)
    assert counts(result) == (4, 0, 1)
    assert [(row.process_id, row.fault.code) for row in told] == [("o-2", Code.ILLEGAL_MOVE)]
    assert db.session.scalar(select(func.count(Contract.id))) == 4


def test_losing_a_race_is_tried_again(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    upsert, lost = contract_import.upsert, []

    def lose_twice(session: Any, records: Any, **options: Any) -> Any:
        if len(lost) < 2:
            lost.append(1)
            raise conflict(Code.STALE)
        return upsert(session, records, **options)

    monkeypatch.setattr(contract_import, "upsert", lose_twice)
    assert counts(bring(make_release("o"), now=now)) == (1, 0, 0)


def test_the_same_file_imported_four_times_at_once_is_stored_once(app: Flask, now: datetime) -> None:
    transactions = {"transactions": [make_transaction("T1", 5)]}
    # Each has them in another order: locks taken in file order would meet in a circle.
    releases = [make_release(f"o-{n}", make_contract(implementation=transactions)) for n in range(300)]
    orders = [releases, releases[::-1], releases[150:] + releases[:150], releases[::2] + releases[1::2]]
    deeds = [
        partial(contract_import.import_stream, io.BytesIO(lines(order)), by=clock(default_zone_id()), now=now)
        for order in orders
    ]
    assert racing.run(app.config["SQLALCHEMY_DATABASE_URI"], deeds) == ["done"] * 4
    db.session.rollback()
    assert db.session.scalar(select(func.count(Contract.id))) == 300
    assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 300
    jobs = db.session.scalars(select(ImportJob)).all()
    assert sum(job.imported for job in jobs) == 300
    assert sum(job.imported + job.updated for job in jobs) == 1200


def test_a_registered_firm_finds_its_contracts_whichever_came_first(app: Flask, now: datetime) -> None:
    bring(make_release("o"), now=now)
    assert only_contract().supplier_id is None
    firm = organisations.register(
        OrganisationKind.ENTERPRISE, CODE, "测试科技有限公司", zone_id=default_zone_id(), now=now
    )
    assert only_contract().supplier_id == firm.id
    # A record that names another supplier takes it away again.
    moved = make_release(
        "o", awards=[{"id": "A", "suppliers": [{"name": "另一家", "identifier": {"id": OTHER}}]}]
    )
    bring(moved, now=now)
    assert only_contract().supplier_id is None
    assert make_organisation(now=now).id != firm.id


def pay(contract: Contract, firm_code: str, *transactions: Any, amount: Any = 10_000_000) -> dict[str, Any]:
    """Return a record of a contract that is known already, with payments."""
    published = make_contract(
        contract.contract_id,
        title=contract.title,
        value={"amount": amount, "currency": "CNY"},
        dateSigned="2026-11-10",
        period=None,
        implementation={"transactions": list(transactions)},
    )
    suppliers = [{"name": "测试", "identifier": {"id": firm_code}}]
    return make_release(contract.process_id, published, awards=[{"id": "A", "suppliers": suppliers}])


def test_payments_found_in_the_data_repay_the_loan(app: Flask, now: datetime, sealer: Any) -> None:
    firm, _, _, contract, loan, later = make_drawn_contract_loan(now, sealer)
    code = db.session.get_one(Organisation, firm.organisation_id).credit_code
    history = make_transaction("T0", 1000, "2026-11-12")
    first = make_transaction("T1", 4_000_000, "2027-01-15")
    last = make_transaction("T2", 6_000_000, "2027-06-15", payeeAccount=ACCOUNT)
    january, june = later + timedelta(days=60), later + timedelta(days=210)

    assert counts(bring(pay(contract, code, history, first), now=january)) == (0, 1, 0)
    row = db.session.get_one(Loan, loan.id)
    assert row.state is LoanState.DRAWN
    assert 300 * MILLION // 100 < row.outstanding < 350 * MILLION // 100
    assert db.session.get_one(Contract, contract.id).stage is ContractStage.PURCHASER_PAID
    owed = row.outstanding
    # The same record again changes nothing.
    bring(pay(contract, code, history, first), now=january)
    assert db.session.get_one(Loan, loan.id).outstanding == owed

    bring(pay(contract, code, history, first, last), now=june)
    assert db.session.get_one(Loan, loan.id).state is LoanState.REPAID
    assert db.session.scalars(select(Alert).where(Alert.kind == AlertKind.WRONG_ACCOUNT)).all() == []
    # What was paid before the drawdown settled nothing.
    settled = {p.transaction_id: p.settled_at for p in db.session.get_one(Contract, contract.id).payments}
    assert settled["T0"] is None
    assert settled["T1"] is not None


def test_a_payment_into_another_account_alerts_and_settles_nothing(
    app: Flask, now: datetime, sealer: Any
) -> None:
    firm, _, _, contract, loan, later = make_drawn_contract_loan(now, sealer)
    code = db.session.get_one(Organisation, firm.organisation_id).credit_code
    wrong = make_transaction("T1", 4_000_000, "2027-01-15", payeeAccount="9999")
    undated = make_transaction("T2", 10, None)
    bring(pay(contract, code, wrong, undated), now=later + timedelta(days=60))
    assert db.session.get_one(Loan, loan.id).outstanding == loan.principal
    kinds = {alert.kind for alert in db.session.scalars(select(Alert))}
    assert kinds == {AlertKind.WRONG_ACCOUNT, AlertKind.UNDATED_PAYMENT}


def test_a_settled_payment_is_not_rewritten_by_a_later_record(app: Flask, now: datetime, sealer: Any) -> None:
    firm, _, _, contract, _, later = make_drawn_contract_loan(now, sealer)
    code = db.session.get_one(Organisation, firm.organisation_id).credit_code
    january = later + timedelta(days=60)
    bring(pay(contract, code, make_transaction("T1", 4_000_000, "2027-01-15")), now=january)
    bring(pay(contract, code, make_transaction("T1", 1, "2027-01-16")), now=january)
    (payment,) = db.session.get_one(Contract, contract.id).payments
    assert payment.amount == 4 * MILLION


def test_what_was_paid_lowers_what_can_be_financed(app: Flask, now: datetime) -> None:
    paid = make_release("o", make_contract(implementation={"transactions": [make_transaction("T1", 600.5)]}))
    bring(paid, now=now)
    assert needs.compute_room(db.session(), only_contract()) == 40_000
    assert contract_loans.read_standing(only_contract()).paid == 60_050
