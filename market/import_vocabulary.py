"""Words of imports: how far one is, and what kind of file it reads."""

from __future__ import annotations

from enum import StrEnum


class ImportState(StrEnum):
    """How far an import is (导入进度); a waiting one was looked at and is not yet confirmed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportFormat(StrEnum):
    """What a file of contracts is: open contracting data, or the house's own spreadsheet."""

    OCDS = "ocds"
    TABLE = "table"


#: States from which an import may go on; a running one whose process died among them.
RESUMABLE = frozenset({ImportState.RUNNING, ImportState.CANCELLED, ImportState.FAILED})
