"""What could not be taken over from a foreign file, one row each, with the place and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from market.errors import Fault


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One refused row: ``line`` (from 1) and the path inside it, the ids if they could be read, the fault.

    ``is_notice`` tells an award from a contract: the two are counted apart. A row of a table may have several
    faults; only the first ``is_counted``.
    """

    fault: Fault
    line: int
    path: str = ""
    process_id: str | None = None
    contract_id: str | None = None
    is_notice: bool = False
    is_counted: bool = True
