"""Out of the events of a JSON parser, the few parts of OCDS that are wanted, handed over release by release.

Everything else is skipped unseen, however large or deep. What is kept at once is one release (of a
package) or one record, and never more than ``MOST`` values of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

#: Values kept at once (long texts count more): about 250 MB of Python objects.
MOST = 2_000_000
#: From here on finished contracts are handed over early where everything they refer to is known.
EARLY = 100_000


class Unfit(Enum):
    """Stands where a value of another kind than OCDS prescribes was found."""

    UNFIT = auto()


UNFIT: Final = Unfit.UNFIT


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is wanted of a value: some keys of an object, every element of an array, or a plain value."""

    keys: Mapping[str, Shape] | None = None
    element: Shape | None = None


def _object(**keys: Shape) -> Shape:
    return Shape(keys=keys)


def _array(element: Shape) -> Shape:
    return Shape(element=element)


LEAF = Shape()
_IDENTIFIER = _object(id=LEAF, legalName=LEAF)
_PARTY = _object(
    id=LEAF,
    name=LEAF,
    legalName=LEAF,
    roles=_array(LEAF),
    identifier=_IDENTIFIER,
    additionalIdentifiers=_array(_IDENTIFIER),
)
_MONEY = _object(amount=LEAF, currency=LEAF)
# Version 1.1 says value, payer and payee where 1.0 said amount, provider- and receiverOrganization.
_TRANSACTION = _object(
    id=LEAF,
    date=LEAF,
    value=_MONEY,
    amount=_MONEY,
    payer=_PARTY,
    payee=_PARTY,
    payeeAccount=LEAF,
    providerOrganization=_PARTY,
    receiverOrganization=_PARTY,
)
CONTRACT = _object(
    id=LEAF,
    awardID=LEAF,
    title=LEAF,
    status=LEAF,
    contractNumber=LEAF,
    dateSigned=LEAF,
    value=_MONEY,
    amount=_MONEY,
    period=_object(startDate=LEAF, endDate=LEAF),
    suppliers=_array(_PARTY),
    implementation=_object(transactions=_array(_TRANSACTION)),
)
CONTRACTS = _array(CONTRACT)
_RELEASE_KEYS = {
    "ocid": LEAF,
    "id": LEAF,
    "date": LEAF,
    "url": LEAF,
    "uri": LEAF,
    "buyer": _PARTY,
    "parties": _array(_PARTY),
    "tender": _object(title=LEAF, procuringEntity=_PARTY),
    "awards": _array(
        _object(
            id=LEAF,
            status=LEAF,
            date=LEAF,
            title=LEAF,
            value=_MONEY,
            amount=_MONEY,
            suppliers=_array(_PARTY),
            relatedLots=_array(LEAF),
        )
    ),
    "contracts": CONTRACTS,
}
RELEASE = Shape(keys=_RELEASE_KEYS)
RELEASES = _array(RELEASE)
RECORD = _object(ocid=LEAF, releases=RELEASES, compiledRelease=RELEASE)
RECORDS = _array(RECORD)
# What stands alone may be any of these; which, its keys tell.
DOCUMENT = Shape(keys={**_RELEASE_KEYS, "records": RECORDS, "releases": RELEASES, "compiledRelease": RELEASE})
DOCUMENTS = _array(DOCUMENT)
#: What a release that grew too large still listens to: nothing.
_DEAF = _object()

_LISTS = frozenset({DOCUMENTS, RECORDS, RELEASES})
_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})


class Kind(Enum):
    """What was handed over."""

    RELEASE = auto()
    RECORD = auto()
    STRANGER = auto()  # neither release nor record nor package
    OVERFULL = auto()  # a release or record that holds more than MOST


@dataclass(frozen=True, slots=True)
class Part:
    """A release or record with only the wanted keys; each contract carries the ``_line`` it began on.

    One that was read quickly (``services.exchange.packages``) has its ``text`` instead: lines are told only
    where somebody asks for them, by reading it again.
    """

    kind: Kind
    line: int
    value: dict[str, Any] = field(default_factory=dict)
    text: str | None = None


def prune(value: Any, shape: Shape) -> Any:
    """Return what is wanted of a JSON value, as a ``Pruner`` keeps it."""
    if shape is LEAF:
        return UNFIT if isinstance(value, (dict, list)) else value
    if shape.keys is not None:
        if not isinstance(value, dict):
            return UNFIT
        if shape is RECORD and isinstance(value.get("compiledRelease"), dict):
            value = {name: one for name, one in value.items() if name != "releases"}
        return {
            name: prune(said, inner)
            for name, inner in shape.keys.items()
            if (said := value.get(name)) is not None
        }
    if not isinstance(value, list):
        return UNFIT
    assert shape.element is not None
    return [prune(one, shape.element) for one in value if one is not None]


class _Frame:
    """An open object or array: its shape, what it holds so far, and what may come next."""

    __slots__ = ("items", "key", "line", "next", "shape", "value")

    def __init__(self, shape: Shape, line: int) -> None:
        self.shape = shape
        self.line = line
        self.value: dict[str, Any] = {}
        self.items: list[Any] = []
        self.key = ""
        self.next: Shape | None = shape.element


class Pruner:
    """Follows the events of one parser. ``line`` is set by whoever feeds it."""

    def __init__(self) -> None:
        self.line = 1
        self._stack: list[_Frame] = []
        self._skipped = 0
        self._kept = 0

    @property
    def idle(self) -> bool:
        """Say whether no document is open."""
        return not self._stack

    def take(self, events: Iterable[tuple[str, Any]]) -> Iterator[Part]:
        """Follow some events; yield whatever became whole."""
        stack = self._stack
        for event, value in events:
            if self._skipped:
                if event in _OPENING:
                    self._skipped += 1
                elif event in _CLOSING:
                    self._skipped -= 1
            elif event == "map_key":
                frame = stack[-1]
                frame.key = value
                frame.next = frame.shape.keys.get(value) if frame.shape.keys is not None else None
            elif event in _OPENING:
                yield from self._open(event)
            elif event in _CLOSING:
                yield from self._close(stack.pop())
            elif not stack:
                yield Part(Kind.STRANGER, self.line)
            elif value is not None and stack[-1].next is not None:
                yield from self._keep(stack[-1], value)
        if self._kept > MOST:
            self._drown()

    def abandon(self) -> Iterator[Part]:
        """Forget the open document; yield what is whole in it and known to whom it belongs."""
        stack, parts = self._stack, []
        for index, frame in enumerate(stack):
            inner = stack[index + 1] if index + 1 < len(stack) else None
            if inner is not None and inner.shape is RELEASES and inner.items:
                # A record cut short within its releases: those before the cut are whole.
                parts.append(Part(Kind.RECORD, frame.line, {**frame.value, "releases": inner.items}))
                break
            if inner is not None and inner.shape is RELEASE and "ocid" in frame.value:
                inner.value.setdefault("ocid", frame.value["ocid"])
            if frame.shape in {RELEASE, DOCUMENT} and _is_settled(frame.value):
                cut = inner is not None and inner.shape is CONTRACTS
                contracts = inner.items if inner is not None and cut else frame.value.get("contracts")
                if contracts:
                    parts.append(Part(Kind.RELEASE, frame.line, {**frame.value, "contracts": contracts}))
        stack.clear()
        self._skipped = self._kept = 0
        yield from parts

    def _open(self, event: str) -> Iterator[Part]:
        is_map = event == "start_map"
        shape = DOCUMENT if is_map else DOCUMENTS
        if self._stack:
            frame = self._stack[-1]
            if frame.next is None or (
                frame.next is RELEASES and isinstance(frame.value.get("compiledRelease"), dict)
            ):
                self._skipped = 1
                return
            shape = frame.next
            if (shape.keys if is_map else shape.element) is None:
                self._skipped = 1
                yield from self._misfit(frame)
                return
        self._stack.append(_Frame(shape, self.line))
        self._kept += 2

    def _keep(self, frame: _Frame, value: Any) -> Iterator[Part]:
        if frame.next is not LEAF:
            yield from self._misfit(frame)
            return
        self._kept += 1 + (len(value) >> 6 if isinstance(value, str) else 0)
        if frame.shape.element is not None:
            frame.items.append(value)
        else:
            frame.value[frame.key] = value

    def _misfit(self, frame: _Frame) -> Iterator[Part]:
        if frame.shape in _LISTS:
            yield Part(Kind.STRANGER, self.line)
        elif frame.shape.element is not None:
            frame.items.append(UNFIT)
        else:
            frame.value[frame.key] = UNFIT

    def _close(self, closed: _Frame) -> Iterator[Part]:
        parent = self._stack[-1] if self._stack else None
        if closed.shape is _DEAF:
            yield self._hand_over(Kind.OVERFULL, closed)
        elif closed.shape is RECORD:
            yield self._hand_over(Kind.RECORD, closed)
        elif closed.shape is DOCUMENT:
            yield from self._close_document(closed)
        elif (
            closed.shape is RELEASE
            and parent is not None
            and parent.shape is RELEASES
            and not self._in_record()
        ):
            yield self._hand_over(Kind.RELEASE, closed)
        elif parent is not None:
            if closed.shape is CONTRACT:
                closed.value["_line"] = closed.line
            whole = closed.value if closed.shape.keys is not None else closed.items
            if parent.shape.element is not None:
                parent.items.append(whole)
            else:
                parent.value[parent.key] = whole
            if closed.shape is CONTRACT and self._kept > EARLY:
                yield from self._hand_over_early()

    def _close_document(self, closed: _Frame) -> Iterator[Part]:
        value = closed.value
        if isinstance(value.get("compiledRelease"), dict) or value.get("releases"):
            yield self._hand_over(Kind.RECORD, closed)
        elif "ocid" in value or "contracts" in value:
            yield self._hand_over(Kind.RELEASE, closed)
        elif "releases" not in value and "records" not in value:
            yield self._hand_over(Kind.STRANGER, closed)

    def _hand_over(self, kind: Kind, frame: _Frame) -> Part:
        self._kept = 0
        return Part(kind, frame.line, frame.value)

    def _in_record(self) -> bool:
        """Say whether the list of releases on top of the stack belongs to a record, not to a package."""
        return self._is_record(self._stack[-2])

    @staticmethod
    def _is_record(owner: _Frame) -> bool:
        return owner.shape is RECORD or "ocid" in owner.value

    def _hand_over_early(self) -> Iterator[Part]:
        """Hand over the contracts so far, unless their release is one of several to be joined."""
        contracts, release = self._stack[-1], self._stack[-2]
        joined = (
            len(self._stack) > 3 and self._stack[-3].shape is RELEASES and self._is_record(self._stack[-4])
        )
        if contracts.shape is CONTRACTS and _is_settled(release.value) and not joined:
            self._kept = 0
            yield Part(Kind.RELEASE, release.line, {**release.value, "contracts": contracts.items})
            contracts.items = []

    def _drown(self) -> None:
        """Let go of a release or record that grew beyond MOST, and listen to the rest of it no more."""
        for index, frame in enumerate(self._stack):
            deeper = self._stack[index + 1 :]
            is_package = (
                frame.shape is DOCUMENT
                and "ocid" not in frame.value
                and any(inner.shape is RECORD or inner.shape is RELEASE for inner in deeper)
            )
            if frame.shape in {DOCUMENT, RECORD, RELEASE} and not is_package:
                self._skipped += len(deeper)
                del self._stack[index + 1 :]
                frame.shape, frame.next = _DEAF, None
                frame.value = {name: value for name, value in frame.value.items() if name == "ocid"}
                break
        self._kept = 0


def _is_settled(release: Mapping[str, Any]) -> bool:
    """Say whether everything contracts refer to was read: the process, its awards and who took part."""
    return "ocid" in release and "awards" in release and "parties" in release
