"""Contracts out of Open Contracting data (OCDS 1.0 and 1.1), read from an open binary stream.

Understood: release packages, record packages, single records and releases, arrays of them, JSON lines,
any of these gzipped, in any Unicode encoding. Of a record the compiled release counts, else its embedded
releases joined in the order of their dates; linked releases are addresses only and are refused. Amounts
stay exact decimals from the file to the fen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from market.contract_record import ContractRecord, amend
from market.errors import Code, Fault, Invalid
from services.exchange.documents import Documents
from services.exchange.mapping import Surroundings, map_contract, objects
from services.exchange.pruning import Kind, Part
from services.exchange.rejection import RejectedRow
from services.exchange.stream import Source
from services.exchange.texts import read_id, read_moment

#: Parties and awards remembered between releases of the same process, over all processes.
REMEMBERED = 50_000

Finding = ContractRecord | RejectedRow
_NEVER = datetime.min.replace(tzinfo=UTC)


class Reading:
    """An iterator over the contracts of a stream and the rows that had to be refused.

    ``bytes_read`` and ``line`` say how far it is, ``releases`` how many releases and records were read.
    Iterating raises nothing but the ``OSError`` of a stream that fails, after all that was read before.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.releases = 0
        self._source = Source(stream)
        self._documents = Documents(self._source)
        self._known: OrderedDict[str, Surroundings] = OrderedDict()
        self._weight = 0
        self._findings = self._find()

    @property
    def bytes_read(self) -> int:
        """Return how many bytes of the stream were read."""
        return self._source.bytes_read

    @property
    def line(self) -> int:
        """Return the line the reading stands in, from 1."""
        return self._documents.line

    def __iter__(self) -> Iterator[Finding]:
        return self

    def __next__(self) -> Finding:
        return next(self._findings)

    def _find(self) -> Iterator[Finding]:
        for part in self._documents.parts():
            if isinstance(part, RejectedRow):
                yield part
                continue
            self.releases += 1
            if part.kind is Kind.RECORD:
                yield from _read_record(part)
            else:
                yield from self._read_release(part)
        if self._source.failure is not None:
            raise self._source.failure

    def _read_release(self, part: Part) -> Iterator[Finding]:
        release = part.value
        if _is_link(release):
            yield _reject_link(release, part.line)
            return
        try:
            process_id = read_id(release.get("ocid"), "ocid")
        except Invalid:
            process_id = None
        # A release of a process may refer to awards and parties that an earlier one has told.
        around = self._remember(process_id) if process_id is not None else Surroundings()
        around.absorb(release)
        yield from _read_contracts(release, None, around, part.line)
        if process_id is not None:
            self._forget(process_id)

    def _remember(self, process_id: str) -> Surroundings:
        """Return what is known around a process, taken out of the account until ``_forget``."""
        around = self._known.setdefault(process_id, Surroundings())
        self._weight -= around.weight
        return around

    def _forget(self, process_id: str) -> None:
        """Enter a process into the account again, as the freshest, and forget the stalest beyond it."""
        self._known.move_to_end(process_id)
        self._weight += self._known[process_id].weight
        while self._weight > REMEMBERED:
            _, forgotten = self._known.popitem(last=False)
            self._weight -= forgotten.weight


def read(stream: IO[bytes]) -> Reading:
    """Return the reading of an open binary stream; nothing is read before it is iterated."""
    return Reading(stream)


def _read_record(part: Part) -> Iterator[Finding]:
    record = part.value
    compiled = record.get("compiledRelease")
    if isinstance(compiled, dict):
        around = Surroundings()
        around.absorb(compiled)
        yield from _read_contracts(compiled, record.get("ocid"), around, part.line)
        return
    releases = [release for release in objects(record.get("releases")) if not _is_link(release)]
    if link := next((release for release in objects(record.get("releases")) if _is_link(release)), None):
        yield _reject_link(link, part.line)
    elif not releases:
        yield RejectedRow(Fault(Code.REQUIRED, "compiledRelease"), part.line)
    releases.sort(key=lambda release: read_moment(release.get("date")) or _NEVER)
    around = Surroundings()
    for release in releases:
        around.absorb(release)
    joined: dict[tuple[str, str], ContractRecord] = {}
    refused: dict[tuple[str | None, str, Code], RejectedRow] = {}
    for release in releases:
        for finding in _read_contracts(release, record.get("ocid"), around, part.line):
            if isinstance(finding, RejectedRow):
                # Each release tells its contracts anew, and would have each of its faults told anew.
                refused.setdefault((finding.contract_id, finding.path, finding.fault.code), finding)
            else:
                key = (finding.process_id, finding.contract_id)
                joined[key] = amend(joined[key], finding) if key in joined else finding
    yield from refused.values()
    yield from joined.values()


def _read_contracts(
    release: Mapping[str, Any], record_ocid: Any, around: Surroundings, line: int
) -> Iterator[Finding]:
    """Yield the contracts of one release; a release without any yields nothing."""
    contracts = release.get("contracts")
    if contracts is None:
        contracts = []
    if not isinstance(contracts, list):
        yield RejectedRow(Fault(Code.NOT_OCDS, "contracts"), line, "contracts")
        return
    process_id: str | None = None
    fault: Fault | None = None
    try:
        process_id = read_id(release.get("ocid"), "ocid") or read_id(record_ocid, "ocid")
        fault = Fault(Code.REQUIRED, "ocid") if process_id is None else None
    except Invalid as error:
        fault = error.faults[0]
    if fault is not None and not contracts:
        yield RejectedRow(fault, line)
    released_at = read_moment(release.get("date"))
    for position, raw in enumerate(contracts):
        began = raw.get("_line", line) if isinstance(raw, dict) else line
        path = f"contracts[{position}]"
        if process_id is None:
            assert fault is not None
            yield RejectedRow(fault, began, path)
            continue
        try:
            yield map_contract(raw, process_id, around, released_at)
        except Invalid as error:
            yield RejectedRow(error.faults[0], began, path, process_id, _name(raw))


def _name(raw: Any) -> str | None:
    try:
        return read_id(raw.get("id")) if isinstance(raw, dict) else None
    except Invalid:
        return None


def _is_link(release: Mapping[str, Any]) -> bool:
    return ("url" in release or "uri" in release) and not release.keys() & {
        "ocid",
        "contracts",
        "awards",
        "parties",
        "buyer",
    }


def _reject_link(release: Mapping[str, Any], line: int) -> RejectedRow:
    address = release.get("url") or release.get("uri")
    return RejectedRow(Fault(Code.LINKED_RELEASE, None, {"url": str(address)[:200]}), line)
