"""What comes in: JSON read strictly, unknown fields refused, every fault with its field and its code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, abort
from webargs.core import missing
from webargs.flaskparser import FlaskParser

from market.errors import Code, Fault, Invalid, MarketError, invalid
from services.exchange.fields import name_kind

#: The largest body the API reads, in bytes: no request comes near it.
MOST_BODY = 256 * 1024
#: More faults than this help nobody.
MOST_FAULTS = 50
_LONGEST_PATH = 120


class Unreadable(MarketError):
    """The body is not what it says it is."""

    status = 400


class Body(ma.Schema):
    """What a request may hold: these fields and no others."""

    error_messages = {"unknown": Code.UNKNOWN_FIELD.value}

    class Meta:
        unknown = ma.RAISE


class Answer(ma.Schema):
    """What an answer holds: every field, every time; one that is absent is null."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        field_obj.required = True

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        value = super().get_attribute(obj, attr, default)
        if value is ma.missing:
            raise AttributeError(f"an answer of {type(self).__name__} lacks {attr}")
        return value


class Parser(FlaskParser):
    """Reads bodies and query strings; refuses with the faults of the house."""

    # The schemas decide: unknown fields are refused in the query string, too.
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": None, "query": None}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Return the body as Python values; without a body, as if it were empty."""
        text = req.get_data(cache=True)
        if not text:
            return missing
        if not req.is_json:
            abort(415)
        value = read_json(text)
        if not isinstance(value, dict):
            raise invalid(Code.WRONG_SHAPE, None, kind=name_kind(value), expected="object")
        return value

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Refuse with every fault that was found."""
        messages: Any = error.messages
        # webargs puts the location around what marshmallow said.
        located = next(iter(messages.values())) if isinstance(messages, dict) else messages
        faults = list(find_faults(located))
        raise Invalid(*faults[:MOST_FAULTS]) from error


def read_json(text: bytes) -> Any:
    """Return the values of a JSON text; raises ``Unreadable`` for anything RFC 8259 does not know."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
        # Half of a surrogate pair can be written in JSON, but is no text that anything could store.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _unreadable(line=error.lineno, column=error.colno) from error
    except UnicodeError as error:
        raise _unreadable(why="not_utf8") from error
    except RecursionError as error:
        raise _unreadable(why="too_deep") from error
    except ValueError as error:
        raise _unreadable(why="number_too_long") from error
    return value


def find_faults(messages: Any, path: str = "") -> Iterator[Fault]:
    """Yield the faults in what marshmallow reports, each with the path of its field."""
    if isinstance(messages, Fault):
        yield replace(messages, field=_join(path, messages.field or "") or None)
    elif isinstance(messages, dict):
        for key, inner in messages.items():
            step = f"[{key}]" if isinstance(key, int) else str(key)
            yield from find_faults(inner, path if key == "_schema" else _join(path, step))
    elif isinstance(messages, (list, tuple)):
        for inner in messages:
            yield from find_faults(inner, path)
    else:
        yield Fault(Code(messages), path or None)


def _join(path: str, step: str) -> str:
    joined = f"{path}{'' if step.startswith('[') or not path or not step else '.'}{step}"
    return joined[:_LONGEST_PATH]


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(Fault(Code.NOT_FINITE, None, {"value": name}))


def _unreadable(**values: Any) -> Unreadable:
    return Unreadable(Fault(Code.NOT_JSON, None, values))
