"""Strict JSON, and a reader of its objects that collects every fault with its path.

Numbers keep the text they were written with, so that amounts are exact; duplicate names, NaN and
endless nesting are faults, not guesses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from market.errors import Code, Fault, Invalid, invalid
from market.money import parse_rate, parse_yuan

Word = TypeVar("Word", bound=StrEnum)
Value = TypeVar("Value")
Other = TypeVar("Other")

LONGEST_TEXT = 200
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_REQUIRED: Any = object()


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Table(dict[str, Any]):
    """A JSON object that remembers which names it was given more than once."""

    repeated: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Table:
        """Return the object of (name, value) pairs."""
        table = cls(pairs)
        if len(table) != len(pairs):
            counted = Counter(name for name, _ in pairs)
            table.repeated = tuple(name for name, count in counted.items() if count > 1)
        return table


def load(content: bytes) -> Any:
    """Return the value of a JSON document; raises ``Invalid`` (unreadable_file) with the fault's place."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid(Code.UNREADABLE_FILE, None, why="not_utf8") from None
    try:
        return json.loads(
            text, object_pairs_hook=Table.of, parse_float=Number, parse_int=Number, parse_constant=Number
        )
    except json.JSONDecodeError as error:
        why = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise invalid(Code.UNREADABLE_FILE, None, why=why) from None
    except RecursionError:
        raise invalid(Code.UNREADABLE_FILE, None, why="too_deep") from None


class Fields:
    """Reads one object field by field; what is wrong is noted in ``faults`` and reading goes on.

    A value that could not be read comes back as a harmless stand-in, so the caller must ``finish`` and
    look at ``faults`` before using anything.
    """

    def __init__(self, data: Any, path: str, faults: list[Fault]) -> None:
        """Start reading ``data``, which stands at ``path``."""
        self.path, self.faults = path, faults
        self._read: set[str] = set()
        self._unsound: set[str] = set()
        self._broken = False
        if not isinstance(data, Mapping):
            self.note(Code.WRONG_SHAPE, None, kind=name_kind(data), expected="object")
            # What has no fields misses none of them.
            self._broken = True
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        for name in getattr(data, "repeated", ()):
            self.note(Code.REPEATED, name, value=name)

    def at(self, name: str | None) -> str:
        """Return the path of a field."""
        return self.path if name is None else f"{self.path}.{name}" if self.path else name

    def note(self, code: Code, name: str | None, **values: Any) -> None:
        """Note a fault of a field (None: of the object itself)."""
        if not self._broken:
            self.faults.append(Fault(code, self.at(name) or None, values))

    def has(self, name: str) -> bool:
        """Say whether a field is given; null counts as not given."""
        self._read.add(name)
        return self.data.get(name) is not None

    def sound(self, name: str) -> bool:
        """Say whether a field that was read is given and was what it should be."""
        return self.has(name) and name not in self._unsound

    def need(self, name: str) -> None:
        """Note once that a field is required which may be left out elsewhere."""
        missing = Fault(Code.REQUIRED, self.at(name))
        if not self.has(name) and missing not in self.faults:
            self.note(Code.REQUIRED, name)

    def finish(self) -> None:
        """Note every field that nobody read."""
        for name in self.data:
            if name not in self._read:
                self.note(Code.UNKNOWN_FIELD, name, value=name)

    def text(self, name: str, default: Any = _REQUIRED) -> Any:
        """Read a non-empty text of at most 200 characters."""
        return self._value(name, default, "", _parse_text)

    def yuan(self, name: str, default: Any = _REQUIRED, *, least: int = 0) -> Any:
        """Read an amount in yuan as fen."""
        return self._value(name, default, least, lambda value, at: parse_yuan(plain(value), at, least=least))

    def rate(self, name: str, default: Any = _REQUIRED, *, most: Decimal = Decimal(100)) -> Any:
        """Read a rate or share of at least 0, with at most twelve places."""
        return self._value(
            name, default, Decimal(0), lambda value, at: parse_rate(plain(value), at, places=12, most=most)
        )

    def whole(self, name: str, default: Any = _REQUIRED, *, least: int, most: int) -> Any:
        """Read a whole number written as a JSON number."""
        return self._value(
            name, default, least, lambda value, at: parse_whole(value, at, least=least, most=most)
        )

    def day(self, name: str, default: Any = _REQUIRED) -> Any:
        """Read a date written year-month-day."""
        return self._value(name, default, date.min, parse_day)

    def choice(self, name: str, words: type[Word], default: Any = _REQUIRED) -> Any:
        """Read one word of a list."""
        return self._value(name, default, next(iter(words)), lambda value, at: _parse_word(value, at, words))

    def step(self, name: str, steps: Sequence[int], default: Any = _REQUIRED) -> Any:
        """Read one of a few whole numbers."""
        return self._value(name, default, steps[0], lambda value, at: _parse_step(value, at, steps))

    def flag(self, name: str, default: Any = _REQUIRED) -> Any:
        """Read yes or no."""
        return self._value(name, default, False, _parse_flag)

    def items(self, name: str) -> Iterator[tuple[str, Any]]:
        """Yield (path, item) of a list; an absent list is empty."""
        if not self.has(name):
            return
        listed = self.data[name]
        if isinstance(listed, str) or not isinstance(listed, Sequence):
            self.note(Code.WRONG_SHAPE, name, kind=name_kind(listed), expected="list")
            return
        yield from ((f"{self.at(name)}[{place}]", item) for place, item in enumerate(listed))

    def days(self, name: str) -> list[date]:
        """Read a list of dates, of which any may be missing; look at ``sound`` before using it."""
        return self._each(name, lambda item, at: parse_day(item, at))

    def pairs(
        self, name: str, first: Callable[[Any, str], Value], second: Callable[[Any, str], Other]
    ) -> list[tuple[Value, Other]]:
        """Read a list of pairs, each half by its own parser; look at ``sound`` before using it."""
        return self._each(name, lambda item, at: self._pair(item, at, first, second))

    def _each(self, name: str, parse: Callable[[Any, str], Value]) -> list[Value]:
        known, read = len(self.faults), []
        for at, item in self.items(name):
            try:
                read.append(parse(item, at))
            except Invalid as error:
                self.faults.extend(error.faults)
        if len(self.faults) > known:
            self._unsound.add(name)
        return read

    def _pair(
        self, item: Any, at: str, first: Callable[[Any, str], Value], second: Callable[[Any, str], Other]
    ) -> tuple[Value, Other]:
        if isinstance(item, (str, Mapping)) or not isinstance(item, Sequence) or len(item) != 2:
            raise invalid(Code.WRONG_SHAPE, at, kind=name_kind(item), expected="pair")
        faults: list[Fault] = []
        halves: list[Any] = []
        for place, parse in enumerate((first, second)):
            try:
                halves.append(parse(item[place], f"{at}[{place}]"))
            except Invalid as error:
                faults.extend(error.faults)
        if faults:
            raise Invalid(*faults)
        return halves[0], halves[1]

    def _value(self, name: str, default: Value, instead: Value, parse: Callable[[Any, str], Value]) -> Value:
        if not self.has(name):
            if default is not _REQUIRED:
                return default
            self.note(Code.REQUIRED, name)
            return instead
        try:
            return parse(self.data[name], self.at(name))
        except Invalid as error:
            self._unsound.add(name)
            self.faults.extend(error.faults)
            return instead


def parse_whole(value: Any, at: str, *, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    written = isinstance(value, Number) and _WHOLE.fullmatch(value) is not None
    if isinstance(value, bool) or not (isinstance(value, int) or written) or value == "-0":
        raise invalid(Code.NOT_A_NUMBER, at, value=shorten(value))
    number = int(value)
    if number < least:
        raise invalid(Code.TOO_SMALL, at, value=number, least=least)
    if number > most:
        raise invalid(Code.TOO_LARGE, at, value=number, most=most)
    return number


def parse_day(value: Any, at: str) -> date:
    """Return the day of a text year-month-day that exists."""
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise invalid(Code.NOT_A_DATE, at, value=shorten(value))


def _parse_step(value: Any, at: str, steps: Sequence[int]) -> int:
    number = parse_whole(value, at, least=-(10**9), most=10**9)
    if number not in steps:
        raise invalid(Code.NOT_A_CHOICE, at, value=shorten(value), choices=[int(step) for step in steps])
    return number


def _parse_flag(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(Code.WRONG_SHAPE, at, kind=name_kind(value), expected="boolean")
    return value


def plain(value: Any) -> Any:
    """Return a JSON number as the text it was written with, anything else as it is."""
    return str(value) if isinstance(value, Number) else value


def name_kind(value: Any) -> str:
    """Return what JSON calls a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, (Number, int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, Mapping) else "list"


def shorten(value: Any) -> str:
    """Return a value as a short text that can be repeated to whoever sent it."""
    text = str(value) if isinstance(value, (str, int, float, Decimal)) else name_kind(value)
    return text if len(text) <= 40 else text[:40] + "…"


def _parse_text(value: Any, at: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise invalid(Code.NOT_TEXT, at, value=shorten(value))
    if not value.strip():
        raise invalid(Code.REQUIRED, at)
    if len(value) > LONGEST_TEXT:
        raise invalid(Code.TOO_LONG, at, value=shorten(value), most=LONGEST_TEXT)
    if not value.isprintable():
        raise invalid(Code.NOT_TEXT, at, value=shorten(value))
    return value


def _parse_word(value: Any, at: str, words: type[Word]) -> Word:
    if isinstance(value, str) and value in {word.value for word in words}:
        return words(value)
    raise invalid(Code.NOT_A_CHOICE, at, value=shorten(value), choices=[word.value for word in words])
