"""Import jobs: progress, cancel and resume; notices, amendments under a loan, and payments in any order."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.errors import Code, Conflict, Invalid, NotFound
from market.import_vocabulary import ImportFormat, ImportState
from market.party import Party, clock
from market.vocabulary import AlertKind, OrganisationKind
from models.alert import Alert
from models.base import db
from models.contract import Contract
from models.import_job import ImportFile, ImportJob
from models.organisation import Organisation
from models.payment import PurchaserPayment
from models.procurement import AwardNotice
from services import contract_import, import_jobs, import_preview, organisations
from services.contract_import import ImportResult, Progress
from tests.factories import default_zone_id, make_party, make_zone
from tests.procurement import CODE, lines, make_contract, make_release, make_transaction
from tests.services.test_contract_import import pay
from tests.services.test_path import make_drawn_contract_loan


def bring(content: bytes, now: datetime, **options: Any) -> ImportResult:
    by = clock(default_zone_id())
    return contract_import.import_stream(io.BytesIO(content), by=by, now=now, size=len(content), **options)


def make_officer(now: datetime) -> Party:
    return make_party(OrganisationKind.ZONE_AUTHORITY, now=now)


def find_job(result: ImportResult) -> ImportJob:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(ImportJob, result.job_id)


def test_an_import_that_is_cancelled_goes_on_behind_its_last_batch(app: Flask, now: datetime) -> None:
    paid = {"transactions": [make_transaction("T", 5)]}
    bad = make_release("bad", make_contract(value={"amount": "x"}))
    releases = [make_release(f"o-{n}", make_contract(implementation=paid)) for n in range(500)]
    content = lines([*releases[:100], bad, *releases[100:300], bad, *releases[300:]])
    officer = make_officer(now)
    steps: list[Progress] = []

    def follow(progress: Progress) -> None:
        steps.append(progress)
        if len(steps) == 1:
            import_jobs.cancel(progress.result.job_id or 0, by=officer, now=now)

    stopped = bring(content, now, on_progress=follow)
    assert (stopped.imported, stopped.rejected, stopped.state) == (400, 2, ImportState.CANCELLED)
    job = find_job(stopped)
    assert (job.state, job.parts, job.bytes_total) == (ImportState.CANCELLED, 401, len(content))
    with pytest.raises(Invalid) as refused:
        bring(content + b"\n", now, resume=job.id)
    assert refused.value.faults[0].code is Code.OTHER_FILE
    ended = bring(content, now, resume=job.id)
    assert (ended.imported, ended.updated, ended.rejected, ended.state) == (500, 0, 2, ImportState.DONE)
    job = find_job(ended)
    assert (job.state, job.run, job.bytes_read, job.finished_at) == (ImportState.DONE, 2, len(content), now)
    assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 500
    with pytest.raises(Conflict):
        bring(content, now, resume=job.id)
    with pytest.raises(Conflict):
        import_jobs.cancel(job.id, by=officer, now=now)


def test_a_run_that_was_replaced_stores_nothing_more(app: Flask, now: datetime) -> None:
    content = lines(make_release(f"o-{n}") for n in range(450))

    def take_over(progress: Progress) -> None:
        opened = import_jobs.open_stream(io.BytesIO(content), len(content))
        by = clock(default_zone_id())
        import_jobs.start(opened, "", resume=progress.result.job_id, by=by, now=now)

    with pytest.raises(Conflict):
        bring(content, now, on_progress=take_over)
    assert db.session.scalar(select(func.count(Contract.id))) == 200


def test_a_file_sent_to_a_page_is_looked_at_then_imported_once(app: Flask, now: datetime) -> None:
    officer = make_officer(now)
    content = lines([make_release("o-1"), make_release("o-2", make_contract(value={"amount": "x"}))])
    job = import_jobs.keep(content, "notices.jsonl", by=officer, now=now)
    opened = import_jobs.read_kept(job.id, by=officer)
    assert opened is not None
    seen = import_preview.read(opened, now=now)
    assert (seen.contracts, seen.rejected, [row.line for row in seen.faults]) == (1, 1, [2])
    assert db.session.scalar(select(func.count(Contract.id))) == 0
    with pytest.raises(NotFound):
        import_jobs.find(job.id, by=replace(officer, zone_id=make_zone(now=now).id))
    begun, opened = import_jobs.go_on(job.id, by=officer, now=now)
    result = contract_import.run(opened, begun, by=officer, now=now)
    assert (result.imported, result.rejected, find_job(result).state) == (1, 1, ImportState.DONE)
    assert db.session.scalar(select(func.count(ImportFile.job_id))) == 0
    with pytest.raises(Conflict):
        import_jobs.go_on(job.id, by=officer, now=now)
    dropped = import_jobs.keep(content, "again.jsonl", by=officer, now=now)
    assert import_jobs.cancel(dropped.id, by=officer, now=now).state is ImportState.CANCELLED
    assert import_jobs.read_kept(dropped.id, by=officer) is None


def test_a_table_is_known_by_itself(app: Flask, now: datetime) -> None:
    content = (
        f"项目编号,合同编号,供应商,供应商信用代码,总价（万元）\nP,C-1,测试,{CODE},5\nP,C-2,测试,{CODE},x\n"
    )
    result = bring(content.encode(), now)
    assert (result.imported, result.rejected, find_job(result).format) == (1, 1, ImportFormat.TABLE)
    row = db.session.scalars(select(Contract)).one()
    assert (row.amount, row.obstacles, row.source) == (5_000_000, [], "table")


def test_active_awards_are_stored_as_notices_and_known_again(app: Flask, now: datetime) -> None:
    firm = organisations.register(
        OrganisationKind.ENTERPRISE, CODE, "测试", zone_id=default_zone_id(), now=now
    )

    def tell(date: str, amount: int, **fields: Any) -> bytes:
        award = {"id": "A", "status": "active", "date": "2026-01-02", "title": "智慧园区", **fields}
        award |= {
            "suppliers": [{"id": "S", "name": "测试科技"}],
            "value": {"amount": amount, "currency": "CNY"},
        }
        return lines([make_release("o", awards=[award], date=date, contracts=[])])

    assert bring(tell("2026-03-01", 7), now).notices == 1
    bring(tell("2026-02-01", 5, title="旧"), now)
    notice = db.session.scalars(select(AwardNotice)).one()
    assert (notice.price, notice.title, notice.supplier_id, notice.source) == (
        700,
        "智慧园区",
        firm.id,
        "ocds",
    )
    bring(tell("2026-04-01", 9), now)
    db.session.expire_all()
    assert db.session.scalars(select(AwardNotice)).one().price == 900


def test_an_amendment_of_what_a_live_loan_leans_on_is_alerted_once(
    app: Flask, now: datetime, sealer: Any
) -> None:
    firm, _, _, contract, _, later = make_drawn_contract_loan(now, sealer)
    code = db.session.get_one(Organisation, firm.organisation_id).credit_code

    def list_alerts() -> list[tuple[str, int | None]]:
        db.session.rollback()
        found = select(Alert).where(Alert.kind == AlertKind.CONTRACT_AMENDED)
        return [(alert.subject, alert.contract_id) for alert in db.session.scalars(found)]

    bring(lines([pay(contract, code)]), later)
    assert list_alerts() == []
    for amount in (9_000_000, 8_000_000):
        bring(lines([pay(contract, code, amount=amount)]), later)
        assert list_alerts() == [(f"contract:{contract.id}", contract.id)]


def test_payments_replayed_in_any_order_and_twice_end_the_same(app: Flask, now: datetime) -> None:
    draw = random.Random(5)
    releases = []
    for number in range(12):
        transactions = [
            make_transaction(
                f"T{draw.randrange(8)}", draw.randrange(1, 50), f"2026-03-{draw.randrange(1, 28):02d}"
            )
            for _ in range(draw.randrange(4))
        ]
        fields: dict[str, Any] = {"implementation": {"transactions": transactions}}
        fields |= {"title": f"第{number}版"} if draw.random() < 0.5 else {"title": None}
        fields |= (
            {"value": {"amount": number + 1, "currency": "CNY"}} if draw.random() < 0.5 else {"value": None}
        )
        fields |= {"period": {"endDate": "2026-99-01"}} if draw.random() < 0.3 else {}
        contract = {name: said for name, said in make_contract(**fields).items() if said is not None}
        releases.append(
            make_release("o", contract, date=f"2026-02-{number + 1:02d}T00:00:00Z", id=f"r{number}")
        )

    def tell() -> Any:
        db.session.rollback()
        db.session.expire_all()
        row = db.session.scalars(select(Contract)).one()
        unsaid = {"id", "created_at", "updated_at"}
        columns = {c.name: getattr(row, c.name) for c in Contract.__table__.columns if c.name not in unsaid}
        payments = {(p.transaction_id, p.paid_on, p.amount, p.released_at) for p in row.payments}
        return columns, payments

    ends = []
    for order in (releases, releases, releases[::-1], draw.sample(releases, 12), draw.sample(releases, 12)):
        for one in order:
            for transactions in (one["contracts"][0]["implementation"]["transactions"],):
                draw.shuffle(transactions)
            bring(lines([one]), now + timedelta(days=200))
        ends.append(tell())
        if len(ends) != 1:
            # The second time is told to what the first has left; then everything begins anew.
            db.session.rollback()
            with db.engine.connect().execution_options(write=True) as connection:
                for name in ("contract_revisions", "contract_steps", "purchaser_payments", "contracts"):
                    connection.exec_driver_sql(f"DELETE FROM {name}")
                connection.commit()
    assert all(end == ends[0] for end in ends)
