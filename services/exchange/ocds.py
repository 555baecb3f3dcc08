"""Contracts and awards out of Open Contracting data (OCDS 1.0 and 1.1), read from an open binary stream.

Understood: release packages, record packages, single records and releases, arrays of them, JSON lines,
any of these gzipped, in any Unicode encoding, and zip packages of such files. Of a record the compiled
release counts, else its embedded releases joined in the order of their dates. A linked release counts where
it stands itself in the same file or zip package; nothing is ever fetched, and a link that leads elsewhere is
refused. Amounts stay exact decimals from the file to the fen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import IO, Any, NamedTuple

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord, amend
from market.errors import Code, Fault, Invalid
from services.exchange import archive
from services.exchange.documents import Documents
from services.exchange.mapping import Surroundings, map_contract, objects
from services.exchange.notices import read_notices
from services.exchange.packages import Packages
from services.exchange.pruning import Kind, Part
from services.exchange.rejection import RejectedRow
from services.exchange.stream import Counted, Source, Unreadable
from services.exchange.texts import read_id, read_moment

#: Parties and awards remembered between releases of the same process, over all processes.
REMEMBERED = 50_000
#: Linked releases remembered until the end of the file, where it is known whether they stand in it.
MOST_LINKS = 200_000

Finding = ContractRecord | NoticeRecord | RejectedRow
#: How far a reading is: releases and records that were read to their end, and findings of the next one.
Position = tuple[int, int]
START: Position = (0, 0)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Reading:
    """An iterator over the contracts of a stream and the rows that had to be refused.

    With ``notices``, over its awards too. ``after`` is the position up to which an earlier reading of the
    same stream came: what stands before it is read, for later releases refer to it, and not told again.
    ``bytes_read`` and ``line`` say how far it is, ``releases`` how many releases and records were read,
    ``skipped`` how many members of a zip package are no JSON. Iterating raises nothing but the ``OSError``
    of a stream that fails, after all that was read before.
    """

    def __init__(self, stream: IO[bytes], *, notices: bool = False, after: Position = START) -> None:
        self.releases = 0
        self.skipped = 0
        self.position = START
        self._notices = notices
        self._after = after
        self._raw = Counted(stream)
        self._archive: IO[bytes] | None = None
        self._packages: Packages | None = None
        self._member = ""
        self._known: OrderedDict[str, Surroundings] = OrderedDict()
        self._weight = 0
        self._told: set[int] = set()  # releases that were read, by the hash of process and id
        self._links: list[_Link] = []
        self._findings = self._find()

    @property
    def bytes_read(self) -> int:
        """Return how many bytes of the stream were read."""
        return self._raw.bytes_read if self._archive is None else self._archive.tell()

    @property
    def line(self) -> int:
        """Return the line the reading stands in, from 1; of a zip package, in the member that is read."""
        return self._packages.line if self._packages is not None else 1

    def __iter__(self) -> Iterator[Finding]:
        return self

    def __next__(self) -> Finding:
        return next(self._findings)

    def _find(self) -> Iterator[Finding]:
        try:
            for part in self._read_parts():
                done, skip = self.position[0], 0
                if done == self._after[0]:
                    skip = self._after[1]
                findings = self._read_part(part, is_known=done < self._after[0])
                for number, finding in enumerate(findings, 1):
                    if number <= skip:
                        continue
                    self.position = (done, number)
                    yield self._place(finding)
                self.position = (done + 1, 0)
        except OSError as error:
            yield from self._refuse_links()
            raise error
        yield from self._refuse_links()

    def _read_parts(self) -> Iterator[Part | RejectedRow]:
        if not self._raw.starts_with(archive.SIGNATURE):
            yield from self._read_file(self._raw)
            return
        try:
            self._archive = self._raw.unpackable()
            for member in archive.read_members(self._archive):
                if member.is_json:
                    self._member = member.name
                    yield from self._read_file(member.stream)
                else:
                    self.skipped += 1
        except Unreadable as error:
            self._member = ""
            yield RejectedRow(Fault(Code.UNREADABLE_FILE, None, {"why": error.why}), 1)

    def _read_file(self, stream: Any) -> Iterator[Part | RejectedRow]:
        source = Source(stream)
        self._packages = Packages(source)
        yield from self._packages.parts()
        if source.failure is not None:
            raise source.failure

    def _place(self, finding: Finding) -> Finding:
        """Return a refused row with the member of the zip package that it stands in."""
        if self._member and isinstance(finding, RejectedRow):
            return replace(finding, path=f"{self._member} {finding.path}".strip())
        return finding

    def _read_part(self, part: Part | RejectedRow, *, is_known: bool) -> Iterator[Finding]:
        if isinstance(part, RejectedRow):
            if not is_known:
                yield part
            return
        self.releases += 1
        if part.text is None:
            yield from self._read_again(part, is_known=is_known)
            return
        findings = list(self._read_again(part, is_known=is_known))
        if any(isinstance(finding, RejectedRow) for finding in findings):
            # What was read quickly knows no lines inside: the careful way tells where the faults are.
            exact = Documents(iter([part.text.encode()]), line=part.line).parts()
            findings = list(
                chain.from_iterable(
                    [one] if isinstance(one, RejectedRow) else self._read_again(one, is_known=False)
                    for one in exact
                )
            )
        yield from findings

    def _read_again(self, part: Part, *, is_known: bool) -> Iterator[Finding]:
        if part.kind is Kind.RECORD:
            return self._read_record(part, is_known=is_known)
        return self._read_release(part, is_known=is_known)

    def _read_release(self, part: Part, *, is_known: bool) -> Iterator[Finding]:
        release = part.value
        if _is_link(release):
            self._note_links([release], None, part.line)
            return
        try:
            process_id = read_id(release.get("ocid"), "ocid")
        except Invalid:
            process_id = None
        # A release of a process may refer to awards and parties that an earlier one has told.
        around = self._remember(process_id) if process_id is not None else Surroundings()
        around.absorb(release)
        if process_id is not None:
            self._told.add(hash((process_id, _text(release.get("id")))))
        if not is_known:
            yield from self._read_all(release, None, around, part.line)
        if process_id is not None:
            self._forget(process_id)

    def _read_record(self, part: Part, *, is_known: bool) -> Iterator[Finding]:
        record = part.value
        if isinstance(compiled := record.get("compiledRelease"), dict):
            if not is_known:
                around = Surroundings()
                around.absorb(compiled)
                yield from self._read_all(compiled, record.get("ocid"), around, part.line)
            return
        listed = list(objects(record.get("releases")))
        releases = [release for release in listed if not _is_link(release)]
        self._note_links((release for release in listed if _is_link(release)), record.get("ocid"), part.line)
        for release in releases:
            process_id = release.get("ocid") or record.get("ocid")
            self._told.add(hash((_text(process_id), _text(release.get("id")))))
        if is_known:
            return
        if not listed:
            yield RejectedRow(Fault(Code.REQUIRED, "compiledRelease"), part.line)
        yield from self._join(releases, record.get("ocid"), part.line)

    def _join(self, releases: list[dict[str, Any]], ocid: Any, line: int) -> Iterator[Finding]:
        """Yield what several releases of one record say together, in the order of their dates."""
        releases.sort(key=lambda release: read_moment(release.get("date")) or _NEVER)
        around = Surroundings()
        for release in releases:
            around.absorb(release)
        joined: dict[tuple[str, str], ContractRecord] = {}
        refused: dict[tuple[str | None, str, Code], RejectedRow] = {}
        for release in releases:
            for finding in self._read_all(release, ocid, around, line):
                if isinstance(finding, RejectedRow):
                    # Each release tells its contracts anew, and would have each of its faults told anew.
                    refused.setdefault((finding.contract_id, finding.path, finding.fault.code), finding)
                elif isinstance(finding, NoticeRecord):
                    yield finding
                else:
                    key = (finding.process_id, finding.contract_id)
                    joined[key] = amend(joined[key], finding) if key in joined else finding
        yield from refused.values()
        yield from joined.values()

    def _read_all(
        self, release: Mapping[str, Any], record_ocid: Any, around: Surroundings, line: int
    ) -> Iterator[Finding]:
        """Yield the contracts of one release, and its awards if they are wanted."""
        if self._notices and release.get("awards"):
            process_id = _name_process(release, record_ocid)
            if process_id is not None:
                released_at = read_moment(release.get("date"))
                yield from read_notices(release, process_id, around, released_at, line)
        yield from _read_contracts(release, record_ocid, around, line)

    def _note_links(self, links: Any, ocid: Any, line: int) -> None:
        """Remember linked releases of one record, by the process and the id behind the address's hash."""
        told = [
            (str(address)[:200], hash((_text(ocid), str(address).rpartition("#")[2])))
            for link in links
            for address in (link.get("url") or link.get("uri"),)
        ]
        if told:
            self._links.append(_Link(line, self._member, told))

    def _refuse_links(self) -> Iterator[RejectedRow]:
        """Yield, once for each record, the first linked release that does not stand in the same file."""
        for link in self._links:
            for address, key in link.told:
                if "#" not in address or key not in self._told:
                    row = RejectedRow(Fault(Code.LINKED_RELEASE, None, {"url": address}), link.line)
                    self._member = link.member
                    self.position = (self.position[0] + 1, 0)
                    if self.position[0] > self._after[0]:
                        yield self._place(row)  # type: ignore[misc]
                    break

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


def read(stream: IO[bytes], *, notices: bool = False, after: Position = START) -> Reading:
    """Return the reading of an open binary stream; nothing is read before it is iterated."""
    return Reading(stream, notices=notices, after=after)


class _Link(NamedTuple):
    """The linked releases of one record: address and what tells each apart, where they stand."""

    line: int
    member: str
    told: list[tuple[str, int]]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _name_process(release: Mapping[str, Any], record_ocid: Any) -> str | None:
    try:
        return read_id(release.get("ocid"), "ocid") or read_id(record_ocid, "ocid")
    except Invalid:
        return None


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
