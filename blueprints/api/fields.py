"""The values the API speaks, each read strictly and written in one way.

Amounts are decimal yuan strings (``"1000000.00"``), rates decimal strings per year (``"0.0385"``), days
ISO dates, moments ISO times in UTC (``"2026-11-20T02:00:00Z"``; any offset is understood, none is refused).
A JSON number is never an amount or a rate: a program that sent one may have rounded it already.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import marshmallow as ma

from market import money
from market.errors import Code, Fault, Invalid
from services.exchange.fields import name_kind

#: Row numbers are 64 bits; a larger one is nobody's.
MOST_ID = 2**63 - 1
#: The path of one row by its number.
ID = f"int(max={MOST_ID})"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
#: Days outside are typing mistakes, and the last of them still leaves room to count months onwards.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
_KEPT_CONTROLS = frozenset("\n\r\t")


def refuse(code: Code, **values: Any) -> ma.ValidationError:
    """Return the refusal of a value; where it stands is added by ``parsing``."""
    return ma.ValidationError([Fault(code, None, values)])


def refuse_shape(value: Any, expected: str) -> ma.ValidationError:
    """Return the refusal of a value whose JSON type is another than expected."""
    return refuse(Code.WRONG_SHAPE, kind=name_kind(value), expected=expected)


class Field(ma.fields.Field[Any]):
    """What all fields share: their faults are codes, and ``metadata`` says how the value looks."""

    default_error_messages = {
        "required": Code.REQUIRED.value,
        "null": Code.REQUIRED.value,
        "validator_failed": Code.NOT_A_CHOICE.value,
    }
    #: The JSON type, and what else the description says of every such value.
    json_type: str | None = None
    looks: Mapping[str, Any] = {}

    def __init__(self, description: str = "", **options: Any) -> None:
        said = {"description": description} if description else {}
        self.metadata: dict[str, Any]
        super().__init__(metadata={**self.looks, **said, **options.pop("metadata", {})}, **options)


class Money(Field):
    """An amount: fen inside, yuan with two decimals outside."""

    json_type = "string"
    looks = {"pattern": r"^-?[0-9]+(\.[0-9]{1,2})?$", "example": "1000000.00"}

    def __init__(self, description: str = "", *, least: int | None = 0, **options: Any) -> None:
        super().__init__(description, **options)
        self._least = least
        if least is not None and least >= 0:
            self.metadata["pattern"] = r"^[0-9]+(\.[0-9]{1,2})?$"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        try:
            return money.parse_yuan(value, least=self._least)
        except Invalid as error:
            raise ma.ValidationError(list(error.faults)) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else money.yuan(value)


class Rate(Field):
    """A rate per year or a share, as an exact decimal: ``"0.0385"`` is 3.85 %."""

    json_type = "string"
    looks = {"pattern": r"^-?[0-9]+(\.[0-9]+)?$", "example": "0.0385"}

    def __init__(
        self,
        description: str = "",
        *,
        most: Decimal = Decimal(1),
        places: int = money.RATE_PLACES,
        **options: Any,
    ) -> None:
        super().__init__(description, **options)
        self._most, self._places = most, places

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        try:
            return money.parse_rate(value, places=self._places, most=self._most)
        except Invalid as error:
            raise ma.ValidationError(list(error.faults)) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_rate(value)


def write_rate(value: Decimal | str) -> str:
    """Return a rate with at most eight decimals and no zeros at the end: ``"0.0385"``, ``"0"``."""
    text = money.rate_text(Decimal(value))
    return text.rstrip("0").rstrip(".") if "." in text else text


class Day(Field):
    """A calendar day in Shanghai."""

    json_type = "string"
    looks = {"format": "date", "example": "2026-11-20"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        try:
            day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
            raise refuse(Code.NOT_A_DATE, value=value[:40])
        return day

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()


class Moment(Field):
    """A moment; written in UTC."""

    json_type = "string"
    looks = {"format": "date-time", "example": "2026-11-20T02:00:00Z"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        try:
            moment = datetime.fromisoformat(value.upper()) if _MOMENT.fullmatch(value) else None
        except ValueError:
            moment = None
        if moment is None or not _FIRST_DAY <= moment.date() <= _LAST_DAY:
            raise refuse(Code.NOT_A_MOMENT, value=value[:40])
        return moment.astimezone(UTC)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_moment(value)


def write_moment(value: datetime) -> str:
    """Return a moment as ISO time in UTC, with ``Z``."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Text(Field):
    """Text that every database can keep: no control characters but line breaks and tabs."""

    json_type = "string"

    def __init__(self, description: str = "", *, most: int = 200, **options: Any) -> None:
        super().__init__(description, **options)
        self.metadata.setdefault("maxLength", most)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        if len(value) > self._most:
            raise refuse(Code.TOO_LONG, value=value[:40], most=self._most)
        if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in _KEPT_CONTROLS for c in value):
            raise refuse(Code.NOT_TEXT, value=value[:40])
        return value


class Said(Field):
    """Text that is only ever written."""

    json_type = "string"


class Word(Field):
    """A word of the vocabulary."""

    json_type = "string"

    def __init__(self, kind: type[StrEnum], description: str = "", **options: Any) -> None:
        super().__init__(description, **options)
        # OpenAPI 3.1: null is a word of its own where it is allowed.
        self.metadata["enum"] = [member.value for member in kind] + ([None] if self.allow_none else [])
        self._kind = kind

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> StrEnum:
        if not isinstance(value, str):
            raise refuse_shape(value, "text")
        try:
            return self._kind(value)
        except ValueError as error:
            raise refuse(
                Code.NOT_A_CHOICE, value=value[:40], choices=[member.value for member in self._kind]
            ) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else self._kind(value).value


class Whole(Field):
    """A whole number, written as a JSON number."""

    json_type = "integer"

    def __init__(self, description: str = "", *, least: int = 0, most: int = 10**9, **options: Any) -> None:
        super().__init__(description, **options)
        self.metadata.update(minimum=least, maximum=most)
        self._least, self._most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = self._read(value)
        if number < self._least:
            raise refuse(Code.TOO_SMALL, value=number, least=self._least)
        if number > self._most:
            raise refuse(Code.TOO_LARGE, value=number, most=self._most)
        return number

    def _read(self, value: Any) -> int:
        if type(value) is not int:
            raise refuse_shape(value, "whole number")
        return value


class Choice(Whole):
    """One of a few whole numbers."""

    def __init__(self, choices: Iterable[int], description: str = "", **options: Any) -> None:
        self._choices = {int(choice): choice for choice in choices}
        super().__init__(description, least=min(self._choices), most=max(self._choices), **options)
        self.metadata["enum"] = list(self._choices)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = self._read(value)
        if number not in self._choices:
            raise refuse(Code.NOT_A_CHOICE, value=number, choices=list(self._choices))
        return self._choices[number]


class Number(Whole):
    """A whole number in a query string."""

    def _read(self, value: Any) -> int:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise refuse(Code.NOT_A_NUMBER, value=str(value)[:40])
        return int(value)


class Id(Whole):
    """The number of a row."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(description, least=1, most=MOST_ID, **options)


class Count(Field):
    """A whole number that is only ever written, without bounds."""

    json_type = "integer"


class Flag(Field):
    """Yes or no."""

    json_type = "boolean"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise refuse_shape(value, "boolean")
        return value


class FlagNumber(Field):
    """Yes or no in a query string."""

    json_type = "boolean"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise refuse(Code.NOT_A_CHOICE, value=str(value)[:40], choices=["true", "false"])
        return bool(value == "true")


class Facts(Field):
    """Explanations as data: an object whose keys depend on what is explained."""

    json_type = "object"
    looks = {"additionalProperties": True}


class Pairs(Field):
    """A list of pairs, checked for its shape alone: what the halves mean is read elsewhere."""

    json_type = "array"

    def __init__(
        self, first: type | tuple[type, ...], description: str = "", *, most: int = 600, **options: Any
    ) -> None:
        super().__init__(description, **options)
        self._first = first if isinstance(first, tuple) else (first,)
        pair = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["integer", "string"]}}
        self.metadata.update(maxItems=most, items=pair)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise refuse_shape(value, "list")
        if len(value) > self._most:
            raise refuse(Code.TOO_LARGE, value=len(value), most=self._most)
        faults = {place: found for place, pair in enumerate(value) if (found := self._find_faults(pair))}
        if faults:
            raise ma.ValidationError(faults)
        return value

    def _find_faults(self, pair: Any) -> Any:
        if not isinstance(pair, list) or len(pair) != 2:
            return refuse_shape(pair, "pair").messages
        wrong: dict[int, Any] = {}
        if type(pair[0]) not in self._first:
            expected = "whole number" if self._first == (int,) else "text"
            wrong[0] = refuse_shape(pair[0], expected).messages
        if not isinstance(pair[1], str):
            wrong[1] = refuse_shape(pair[1], "text").messages
        return wrong


class Many(ma.fields.List[Any]):
    """A list."""

    default_error_messages = {"required": Code.REQUIRED.value, "null": Code.REQUIRED.value}

    def __init__(self, inner: Any, description: str = "", *, most: int = 100, **options: Any) -> None:
        said = {"description": description} if description else {}
        super().__init__(inner, metadata={"maxItems": most, **said}, **options)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise refuse_shape(value, "list")
        if len(value) > self._most:
            raise refuse(Code.TOO_LARGE, value=len(value), most=self._most)
        return super()._deserialize(value, attr, data, **kwargs)


class Part(ma.fields.Nested):
    """An object inside another."""

    default_error_messages = {"required": Code.REQUIRED.value, "null": Code.REQUIRED.value}

    def __init__(self, schema: Any, description: str = "", **options: Any) -> None:
        super().__init__(schema, metadata={"description": description} if description else {}, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, dict):
            raise refuse_shape(value, "object")
        return super()._deserialize(value, attr, data, partial=partial, **kwargs)


#: Fields by JSON type, for the description.
ALL = (Money, Rate, Day, Moment, Text, Said, Word, Whole, Count, Flag, FlagNumber, Facts, Pairs)
