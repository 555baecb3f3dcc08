"""Import jobs: opened, followed, cancelled, resumed; and files that wait on a page for a confirmation."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, cast

from sqlalchemy import select

from market.errors import Code, conflict, invalid, not_found
from market.import_vocabulary import RESUMABLE, ImportFormat, ImportState
from market.party import Party
from market.vocabulary import Capability
from models.base import db, transaction
from models.import_job import ImportFile, ImportJob
from services import audit
from services.exchange import table

#: A file is known again by its length and its first bytes, this many of them.
PRINTED = 1 << 20
#: The largest file that a page or request may carry, in bytes; larger ones are for the command.
MOST_FILE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream about to be imported: what it is, how long it is if that is known, how to know it again."""

    stream: IO[bytes]
    format: ImportFormat
    size: int | None
    fingerprint: str


def open_stream(stream: IO[bytes], size: int | None = None) -> Opened:
    """Look at the beginning of a stream; it is read from there on nonetheless."""
    first = _read_first(stream)
    seekable = hasattr(stream, "seekable") and stream.seekable()
    if seekable:
        stream.seek(-len(first), io.SEEK_CUR)
    whole: IO[bytes] = stream if seekable else cast(IO[bytes], _Rejoined(first, stream))
    format = ImportFormat.TABLE if table.is_table(first) else ImportFormat.OCDS
    return Opened(whole, format, size, hashlib.sha256(first).hexdigest())


def start(opened: Opened, file_name: str, *, resume: int | None, by: Party, now: datetime) -> ImportJob:
    """Open a job, or go on with one that stopped; raises ``Invalid`` where that one had another file."""
    # File systems know names that are no text.
    name = file_name.encode(errors="replace").decode()[-300:]
    with transaction() as session:
        if resume is None:
            job = ImportJob(
                zone_id=by.zone_id,
                file_name=name,
                format=opened.format,
                started_at=now,
                started_by=by.user_id,
                bytes_total=opened.size,
                fingerprint=opened.fingerprint,
            )
            session.add(job)
            session.flush()
            return job
        job = _lock(resume, by)
        if job.state not in RESUMABLE:
            raise conflict(Code.ILLEGAL_MOVE, "state", state=job.state.value, move="resume")
        if job.fingerprint != opened.fingerprint or job.bytes_total != opened.size:
            raise invalid(Code.OTHER_FILE, "file", name=job.file_name)
        _begin(job)
        return job


def keep(content: bytes, file_name: str, *, by: Party, now: datetime) -> ImportJob:
    """Keep a file that was sent through a page until its import is confirmed; nothing of it is stored yet."""
    by.require(Capability.OFFICER)
    if not content:
        raise invalid(Code.UNREADABLE_FILE, "file", why="empty")
    if len(content) > MOST_FILE:
        raise invalid(Code.TOO_LARGE, "file", value=len(content), most=MOST_FILE)
    opened = open_stream(io.BytesIO(content))
    with transaction() as session:
        job = ImportJob(
            zone_id=by.zone_id,
            file_name=file_name[-300:],
            format=opened.format,
            state=ImportState.WAITING,
            started_at=now,
            started_by=by.user_id,
            bytes_total=len(content),
            fingerprint=opened.fingerprint,
        )
        session.add(job)
        session.flush()
        session.add(ImportFile(job_id=job.id, content=content))
    return job


def go_on(job_id: int, *, by: Party, now: datetime) -> tuple[ImportJob, Opened]:
    """Begin or go on with a job whose file was kept: on confirmation, or after it stopped."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        job = _lock(job_id, by)
        kept = session.get(ImportFile, job.id)
        if kept is None or job.state not in RESUMABLE | {ImportState.WAITING}:
            raise conflict(Code.ILLEGAL_MOVE, "state", state=job.state.value, move="resume")
        _begin(job)
        audit.record(session, "contracts.import.start", job, by=by, now=now, file=job.file_name)
        return job, open_stream(io.BytesIO(kept.content), len(kept.content))


def read_kept(job_id: int, *, by: Party) -> Opened | None:
    """Return the file that was kept for a job, to look at what an import of it would do; None if none is."""
    find(job_id, by=by)
    kept = db.session.get(ImportFile, job_id)
    return open_stream(io.BytesIO(kept.content), len(kept.content)) if kept is not None else None


def cancel(job_id: int, *, by: Party, now: datetime) -> ImportJob:
    """Ask a running import to stop after its batch; one that only waits is dropped at once, with its file."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        job = _lock(job_id, by)
        if job.state is ImportState.RUNNING:
            job.cancel_requested = True
        elif job.state is ImportState.WAITING:
            job.state, job.finished_at = ImportState.CANCELLED, now
            if (kept := session.get(ImportFile, job.id)) is not None:
                session.delete(kept)
        else:
            raise conflict(Code.ILLEGAL_MOVE, "state", state=job.state.value, move="cancel")
        audit.record(session, "contracts.import.cancel", job, by=by, now=now, file=job.file_name)
    return job


def find(job_id: int, *, by: Party) -> ImportJob:
    """Return a job of the party's zone, else ``NotFound``; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    job = db.session.get(ImportJob, job_id)
    if job is None or job.zone_id != by.zone_id:
        raise not_found("import", job_id)
    return job


def list_all(by: Party, most: int = 200) -> list[ImportJob]:
    """Return the newest jobs of the party's zone; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return list(
        db.session.scalars(
            select(ImportJob).where(ImportJob.zone_id == by.zone_id).order_by(ImportJob.id.desc()).limit(most)
        )
    )


def list_kept(jobs: Sequence[ImportJob]) -> set[int]:
    """Return which jobs still have their file here, so that they go on without it being sent again."""
    numbers = [job.id for job in jobs]
    return set(db.session.scalars(select(ImportFile.job_id).where(ImportFile.job_id.in_(numbers))))


def _begin(job: ImportJob) -> None:
    job.state, job.finished_at, job.failure = ImportState.RUNNING, None, None
    job.cancel_requested = False
    job.run += 1


def _lock(job_id: int, by: Party) -> ImportJob:
    job = db.session.get(ImportJob, job_id, with_for_update=True)
    if job is None or job.zone_id != by.zone_id:
        raise not_found("import", job_id)
    return job


def _read_first(stream: IO[bytes]) -> bytes:
    first = b""
    while len(first) < PRINTED:
        try:
            block = stream.read(PRINTED - len(first))
        except OSError:
            # Whoever reads on is told.
            break
        if not block:
            break
        first += block
    return first


class _Rejoined:
    """A stream that cannot go back, with what was looked at of it before the rest."""

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        self._first = io.BytesIO(first)
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        return self._first.read(size) or self._rest.read(size)

    def seekable(self) -> bool:
        return False
