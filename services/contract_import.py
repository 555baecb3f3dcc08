"""Contracts taken over from open procurement data: read from a stream, stored batch by batch.

A contract is known by its process id and contract id, platform-wide; importing it again updates it.
Each batch is one transaction with its job row, so that an import cut off anywhere leaves whole contracts
and can simply be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import IO

from sqlalchemy.orm import Session

from market.contract_record import ContractRecord
from market.errors import Code, Fault, MarketError
from market.party import Party
from models.base import transaction
from models.import_job import ImportJob
from services import audit
from services.contract_upsert import Outcome, upsert
from services.exchange import ocds
from services.exchange.rejection import RejectedRow

#: Contracts per transaction: enough to be fast, few enough that other writers hardly wait.
BATCH = 200
#: Two writers may meet at the same contract; whoever is thrown out tries again.
ATTEMPTS = 5
_PASSING = frozenset({Code.STALE, Code.BUSY})


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of an import: contracts new to the platform, contracts known before, rows refused.

    ``releases`` counts releases and records read, ``job_id`` the stored job. ``failure`` is what the
    operating system said where the file could not be read to its end.
    """

    imported: int = 0
    updated: int = 0
    rejected: int = 0
    releases: int = 0
    job_id: int | None = None
    failure: str | None = None

    @property
    def is_useful(self) -> bool:
        """Say whether anything in the file could be used, be it a release that has no contract yet."""
        return self.imported + self.updated > 0 or (self.rejected == 0 and self.releases > 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: the counts so far, bytes and lines read."""

    result: ImportResult
    bytes_read: int
    line: int


def import_stream(
    stream: IO[bytes],
    *,
    by: Party,
    now: datetime,
    file_name: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[RejectedRow], None] | None = None,
) -> ImportResult:
    """Take over the contracts of an OCDS stream (``services.exchange.ocds``) into the party's zone.

    A contract of another zone is updated where it is. Calls ``on_reject`` for each refused row and
    ``on_progress`` after each batch, outside any transaction. Raises nothing for what the stream holds;
    ``Conflict`` (busy, stale) if others keep the rows locked: what was stored stays, a second run goes on.
    """
    reading = ocds.read(stream)
    result = _open_job(file_name, by=by, now=now)
    source = _Source(reading, on_reject)
    while batch := source.take(BATCH):
        outcome = _store(batch, result, source, by=by, now=now)
        result = _count(result, outcome, source, reading)
        if on_progress is not None:
            on_progress(Progress(result, reading.bytes_read, reading.line))
    result = _count(result, Outcome(), source, reading)
    _close_job(result, by=by, now=now)
    return result


class _Source:
    """The readable records of a reading; refused rows are counted and passed on as they come."""

    def __init__(self, reading: ocds.Reading, on_reject: Callable[[RejectedRow], None] | None) -> None:
        self.rejected = 0
        self.failure: str | None = None
        self._on_reject = on_reject
        self._reading = reading
        self._records = self._read()

    def take(self, most: int) -> list[ContractRecord]:
        return list(islice(self._records, most))

    def refuse(self, record: ContractRecord, fault: Fault) -> None:
        """Refuse a record that could be read but not be stored."""
        self._reject(
            RejectedRow(
                fault, self._reading.line, process_id=record.process_id, contract_id=record.contract_id
            )
        )

    def _reject(self, row: RejectedRow) -> None:
        self.rejected += 1
        if self._on_reject is not None:
            self._on_reject(row)

    def _read(self) -> Iterator[ContractRecord]:
        try:
            for finding in self._reading:
                if isinstance(finding, ContractRecord):
                    yield finding
                else:
                    self._reject(finding)
        except OSError as error:
            self.failure = error.strerror or str(error)


def _count(result: ImportResult, outcome: Outcome, source: _Source, reading: ocds.Reading) -> ImportResult:
    return replace(
        result,
        imported=result.imported + outcome.imported,
        updated=result.updated + outcome.updated,
        rejected=source.rejected,
        releases=reading.releases,
        failure=source.failure,
    )


def _open_job(file_name: str, *, by: Party, now: datetime) -> ImportResult:
    # File systems know names that are no text.
    name = file_name.encode(errors="replace").decode()[-300:]
    with transaction() as session:
        job = ImportJob(zone_id=by.zone_id, file_name=name, started_at=now, started_by=by.user_id)
        session.add(job)
        session.flush()
        return ImportResult(job_id=job.id)


def _store(
    batch: list[ContractRecord], result: ImportResult, source: _Source, *, by: Party, now: datetime
) -> Outcome:
    """Store one batch and the job's counts with it, in one transaction.

    Tried again if another writer was faster; if one contract cannot be stored, each is stored by itself
    and that one is refused.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction() as session:
                outcome = upsert(session, batch, by=by, now=now)
                job = _find_job(session, result)
                job.imported = result.imported + outcome.imported
                job.updated = result.updated + outcome.updated
                job.rejected = source.rejected
            return outcome
        except MarketError as error:
            if error.faults[0].code in _PASSING:
                if attempt == ATTEMPTS:
                    raise
            elif len(batch) == 1:
                source.refuse(batch[0], error.faults[0])
                return Outcome()
            else:
                break
    total = Outcome()
    for record in batch:
        so_far = replace(
            result, imported=result.imported + total.imported, updated=result.updated + total.updated
        )
        one = _store([record], so_far, source, by=by, now=now)
        total.imported += one.imported
        total.updated += one.updated
    return total


def _close_job(result: ImportResult, *, by: Party, now: datetime) -> None:
    with transaction() as session:
        job = _find_job(session, result)
        job.finished_at, job.rejected = now, result.rejected
        job.failure = {"why": result.failure} if result.failure is not None else None
        audit.record(
            session,
            "contracts.import",
            job,
            by=by,
            now=now,
            file=job.file_name,
            imported=result.imported,
            updated=result.updated,
            rejected=result.rejected,
        )


def _find_job(session: Session, result: ImportResult) -> ImportJob:
    return session.get_one(ImportJob, result.job_id)
