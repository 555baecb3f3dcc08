"""What an import would do, before it does anything: how many rows are sound, every fault of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from services.exchange.rejection import RejectedRow
from services.exchange.sources import Findings
from services.import_jobs import Opened

#: How many faults and sound rows are shown; all of them are counted.
MOST_FAULTS, MOST_SHOWN = 500, 20


@dataclass(slots=True)
class Preview:
    """The file as it was read; ``skipped`` counts members of a zip package that are no JSON."""

    contracts: int = 0
    notices: int = 0
    rejected: int = 0
    notices_refused: int = 0
    skipped: int = 0
    faults: list[RejectedRow] = field(default_factory=list)
    shown: list[ContractRecord | NoticeRecord] = field(default_factory=list)

    @property
    def is_useful(self) -> bool:
        """Say whether anything would be stored."""
        return self.contracts + self.notices > 0


def read(opened: Opened, *, now: datetime) -> Preview:
    """Read a file to its end and store nothing."""
    seen = Preview()

    def note(row: RejectedRow) -> None:
        if len(seen.faults) < MOST_FAULTS:
            seen.faults.append(row)

    findings = Findings(opened.stream, opened.format, now=now, after=(0, 0), refused=(0, 0), on_reject=note)
    while batch := findings.take(1000):
        seen.shown += batch[: MOST_SHOWN - len(seen.shown)]
        notices = sum(isinstance(one, NoticeRecord) for one in batch)
        seen.notices += notices
        seen.contracts += len(batch) - notices
    seen.rejected, seen.notices_refused = findings.rejected, findings.notices_refused
    seen.skipped = findings.skipped
    return seen
