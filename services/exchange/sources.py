"""A file of contracts and award notices, whatever its format, as records to store and rows to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import IO

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from market.errors import Fault
from market.import_vocabulary import ImportFormat
from services.exchange import ocds, table
from services.exchange.ocds import Position
from services.exchange.rejection import RejectedRow

Record = ContractRecord | NoticeRecord


class Findings:
    """The readable records of a file; refused rows are counted and passed on as they come.

    ``refused`` is what an earlier run counted of contracts and of notices, ``after`` how far that came.
    """

    def __init__(
        self,
        stream: IO[bytes],
        format: ImportFormat,
        *,
        now: datetime,
        after: Position,
        refused: tuple[int, int],
        on_reject: Callable[[RejectedRow], None] | None,
    ) -> None:
        self.format = format
        self.rejected, self.notices_refused = refused
        self.failure: str | None = None
        self.position: Position = after
        self._on_reject = on_reject
        self._reading: ocds.Reading | table.Reading = (
            ocds.read(stream, notices=True, after=after)
            if format is ImportFormat.OCDS
            else table.read(stream, now=now, after=after)
        )
        self._records = self._read()

    @property
    def bytes_read(self) -> int:
        """Return how many bytes of the file were read."""
        return self._reading.bytes_read

    @property
    def line(self) -> int:
        """Return the line or row the reading stands in, from 1."""
        return self._reading.line

    @property
    def releases(self) -> int:
        """Return how many releases, records or rows were read."""
        return self._reading.releases

    @property
    def skipped(self) -> int:
        """Return how many members of a zip package are no JSON."""
        return self._reading.skipped

    def take(self, most: int) -> list[Record]:
        """Return the next records, none at the end."""
        return list(islice(self._records, most))

    def refuse(self, record: Record, fault: Fault) -> None:
        """Refuse a record that could be read but not be stored."""
        is_notice = isinstance(record, NoticeRecord)
        process_id = record.project_number if isinstance(record, NoticeRecord) else record.process_id
        contract_id = None if isinstance(record, NoticeRecord) else record.contract_id
        self._reject(
            RejectedRow(fault, self.line, process_id=process_id, contract_id=contract_id, is_notice=is_notice)
        )

    def _reject(self, row: RejectedRow) -> None:
        if row.is_counted and row.is_notice:
            self.notices_refused += 1
        elif row.is_counted:
            self.rejected += 1
        if self._on_reject is not None:
            self._on_reject(row)

    def _read(self) -> Iterator[Record]:
        try:
            for finding in self._reading:
                if isinstance(finding, RejectedRow):
                    self._reject(finding)
                else:
                    # Only now: a batch ends with a record, and what is refused after it is the next one's.
                    self.position = self._reading.position
                    yield finding
        except OSError as error:
            self.failure = error.strerror or str(error)
