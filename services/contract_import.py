"""Contracts and award notices taken over from files: read from a stream, stored batch by batch.

A contract is known by its process id and contract id, platform-wide; importing it again updates it. Each
batch is one transaction with its job row, which says how far the file was read: an import cut off anywhere
leaves whole contracts, and goes on behind the last stored batch or can simply be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO

from sqlalchemy.orm import Session

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from market.errors import Code, Conflict, Fault, MarketError
from market.import_vocabulary import ImportState
from market.party import Party
from models.base import transaction
from models.import_job import ImportFile, ImportJob
from services import audit, import_jobs, notice_rows
from services.contract_upsert import Outcome, upsert
from services.exchange.rejection import RejectedRow
from services.exchange.sources import Findings
from services.import_jobs import Opened

#: Contracts per transaction: few at first, so that progress is seen and faults are told at once, then more
#: and more, as many as are fast, yet few enough that other writers hardly wait.
BATCH = 200
MOST_BATCH = 1600
#: Two writers may meet at the same contract; whoever is thrown out tries again.
ATTEMPTS = 5
_PASSING = frozenset({Code.STALE, Code.BUSY})


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of an import: contracts new to the platform, contracts known before, rows refused.

    ``releases`` counts releases and records read, ``skipped`` members of a zip package that are no JSON,
    ``notices`` award notices stored and ``notices_refused`` those that could not be; ``job_id`` is the stored
    job. ``failure`` is what the operating system said where the file could not be read to its end.
    """

    imported: int = 0
    updated: int = 0
    rejected: int = 0
    releases: int = 0
    skipped: int = 0
    notices: int = 0
    notices_refused: int = 0
    job_id: int | None = None
    failure: str | None = None
    state: ImportState = ImportState.RUNNING

    @property
    def is_useful(self) -> bool:
        """Say whether anything in the file could be used, be it a release that has no contract yet."""
        return self.imported + self.updated + self.notices > 0 or (
            self.rejected + self.notices_refused == 0 and self.releases > 0
        )

    @property
    def is_cancelled(self) -> bool:
        """Say whether somebody stopped it before its end."""
        return self.state is ImportState.CANCELLED


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: the counts so far, bytes and lines read; ``bytes_total`` None if not known."""

    result: ImportResult
    bytes_read: int
    line: int
    bytes_total: int | None = None


def import_stream(
    stream: IO[bytes],
    *,
    by: Party,
    now: datetime,
    file_name: str = "",
    size: int | None = None,
    resume: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[RejectedRow], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> ImportResult:
    """Take over the contracts and award notices of a stream into the party's zone.

    The stream is OCDS (``services.exchange.ocds``) or the house's own template as workbook or CSV. A contract
    of another zone is updated where it is. ``size`` is the stream's length in bytes, if it is known;
    ``resume`` the number of a job that stopped early, whose file this is. Calls ``on_reject`` for each
    refused row and ``on_progress`` after each batch, outside any transaction; stops after the batch in which
    ``is_cancelled`` became true or somebody asked for it (``import_jobs.cancel``).

    Raises nothing for what the stream holds; ``Invalid`` where a resumed job had another file, ``Conflict``
    (busy, stale) if others keep the rows locked or go on with the job: what was stored stays.
    """
    opened = import_jobs.open_stream(stream, size)
    job = import_jobs.start(opened, file_name, resume=resume, by=by, now=now)
    return run(
        opened, job, by=by, now=now, on_progress=on_progress, on_reject=on_reject, is_cancelled=is_cancelled
    )


def run(
    opened: Opened,
    job: ImportJob,
    *,
    by: Party,
    now: datetime,
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[RejectedRow], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> ImportResult:
    """Do a started job from where it stands to its end, as ``import_stream`` says."""
    result = ImportResult(
        job_id=job.id,
        imported=job.imported,
        updated=job.updated,
        rejected=job.rejected,
        notices=job.notices,
        notices_refused=job.notices_refused,
    )
    findings = Findings(
        opened.stream,
        opened.format,
        now=now,
        after=(job.parts, job.findings),
        refused=(job.rejected, job.notices_refused),
        on_reject=on_reject,
    )
    task = _Task(findings, job.id, job.run, by, now)
    sizes = _list_sizes()
    while batch := findings.take(next(sizes)):
        result = task.store(batch, result)
        if on_progress is not None:
            on_progress(Progress(result, findings.bytes_read, findings.line, job.bytes_total))
        if result.is_cancelled or (is_cancelled is not None and is_cancelled()):
            return task.close(replace(result, state=ImportState.CANCELLED))
    result = task.count(result)
    failed = result.failure is not None or not result.is_useful
    return task.close(replace(result, state=ImportState.FAILED if failed else ImportState.DONE))


def _list_sizes() -> Iterator[int]:
    """Yield how many contracts each batch may have: two small ones, then twice as many every time."""
    size = BATCH
    yield size
    while True:
        yield size
        size = min(2 * size, MOST_BATCH)


@dataclass(slots=True)
class _Task:
    """One run of a job: stores its batches as long as nobody else goes on with it."""

    findings: Findings
    job_id: int
    run: int
    by: Party
    now: datetime

    def store(
        self, batch: list[ContractRecord | NoticeRecord], result: ImportResult, *, is_last: bool = True
    ) -> ImportResult:
        """Store one batch and the job's counts with it, in one transaction.

        Tried again if another writer was faster; if one record cannot be stored, each is stored by itself
        and that one is refused.
        """
        contracts = [one for one in batch if isinstance(one, ContractRecord)]
        notices = [one for one in batch if isinstance(one, NoticeRecord)]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction() as session:
                    job = self._find_job(session)
                    source = self.findings.format.value
                    outcome = (
                        upsert(session, contracts, by=self.by, now=self.now, source=source)
                        if contracts
                        else Outcome()
                    )
                    notice_rows.upsert(session, notices, by=self.by, now=self.now, source=source)
                    stored = self.count(
                        replace(
                            result,
                            imported=result.imported + outcome.imported,
                            updated=result.updated + outcome.updated,
                            notices=result.notices + len(notices),
                        )
                    )
                    self._note(job, stored, moves=is_last)
                    return replace(stored, state=ImportState.CANCELLED) if job.cancel_requested else stored
            except MarketError as error:
                if error.faults[0].code in _PASSING:
                    if attempt == ATTEMPTS or isinstance(error, _Replaced):
                        raise
                elif len(batch) == 1:
                    self.findings.refuse(batch[0], error.faults[0])
                    return result
                else:
                    break
        for record in batch:
            result = self.store([record], result, is_last=record is batch[-1])
        return result

    def count(self, result: ImportResult) -> ImportResult:
        """Return the result with what the reading has counted so far."""
        findings = self.findings
        return replace(
            result,
            rejected=findings.rejected,
            notices_refused=findings.notices_refused,
            releases=findings.releases,
            skipped=findings.skipped,
            failure=findings.failure,
        )

    def close(self, result: ImportResult) -> ImportResult:
        """End the job as the result says; a file that was kept goes once nothing of it is left to do."""
        with transaction() as session:
            job = self._find_job(session)
            self._note(job, result)
            job.state, job.finished_at, job.cancel_requested = result.state, self.now, False
            job.failure = {"why": result.failure} if result.failure is not None else None
            if result.state is ImportState.DONE and (kept := session.get(ImportFile, job.id)) is not None:
                session.delete(kept)
            audit.record(
                session,
                "contracts.import",
                job,
                by=self.by,
                now=self.now,
                file=job.file_name,
                imported=result.imported,
                updated=result.updated,
                rejected=result.rejected,
            )
        return result

    def _note(self, job: ImportJob, result: ImportResult, *, moves: bool = True) -> None:
        job.imported, job.updated, job.rejected = result.imported, result.updated, result.rejected
        job.notices, job.notices_refused = result.notices, result.notices_refused
        if not moves:
            return
        job.parts, job.findings = self.findings.position
        read = self.findings.bytes_read
        job.bytes_read = read if job.bytes_total is None else min(read, job.bytes_total)

    def _find_job(self, session: Session) -> ImportJob:
        """Return the job under its lock; raises ``Conflict`` where another run has taken it over."""
        job = session.get_one(ImportJob, self.job_id, with_for_update=True)
        if job.run != self.run or job.state is not ImportState.RUNNING:
            raise _Replaced(Fault(Code.STALE))
        return job


class _Replaced(Conflict):
    """Another run goes on with the job: this one must not try again."""
