"""No update is lost, however many processes write at once."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from flask import Flask

from market.vocabulary import LimitScope, OrganisationKind
from models.base import db, transaction
from models.organisation import Limit, Organisation
from tests.databases import URL

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, TIMES = 4, 100

#: What each process does: it waits for the word to begin, then reads, adds and writes.
WORK = f"""
import sys
from models.base import transaction
from models.organisation import Limit
from tests.databases import make_app
with make_app(sys.argv[1]).app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range({TIMES}):
        with transaction() as session:
            session.get_one(Limit, int(sys.argv[2]), with_for_update=True).used += 1
"""


def test_four_processes_adding_a_hundred_times_add_up_to_four_hundred(app: Flask, now: datetime) -> None:
    with transaction() as session:
        bank = Organisation(
            kind=OrganisationKind.BANK, credit_code="91000000MA00000000", name_zh="并发银行", created_at=now
        )
        bank.limits = [Limit(scope=LimitScope.TOTAL, cap=10**6, used=0)]
        session.add(bank)
    limit = bank.limits[0].id
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, app.config[URL], str(limit)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Limit, limit).used == PROCESSES * TIMES
