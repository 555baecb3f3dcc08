"""Procurement intentions in tables: CSV or JSON rows, in our columns or those of public notices."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from market import money
from market.errors import Code, Fault, Invalid, invalid
from market.procurement_vocabulary import ProcurementObject
from services.exchange.fields import name_kind
from services.intentions import Entry

#: More rows than a year of a zone's intentions are not taken at once.
ROWS_MOST = 2000

#: Column names as official notices write them (采购意向公开), and ours.
COLUMNS = {
    "采购单位": "purchaser_name",
    "采购人": "purchaser_name",
    "采购项目名称": "title",
    "项目名称": "title",
    "采购需求概况": "description",
    "预算金额(万元)": "budget_wan",
    "预算金额(元)": "budget",
    "预计采购时间": "expected_month",
    "预计采购时间(填写到月)": "expected_month",
    "公开时间": "published_on",
    "采购类别": "object",
    "行业": "industry",
    "资质": "tags",
    "是否专门面向中小企业": "is_reserved",
}
_OWN = {*Entry.__slots__, "budget_wan"}
_OBJECTS = {
    "货物": ProcurementObject.GOODS,
    "服务": ProcurementObject.SERVICES,
    "工程": ProcurementObject.WORKS,
} | {member.value: member for member in ProcurementObject}
_YES, _NO = {"是", "yes", "true", "1"}, {"否", "no", "false", "0", ""}
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*月?|\s*[-/.月]\s*\d{1,2}日?)", re.ASCII)
_PARTS = re.compile(r"[,，;；、|]")


def read_csv(text: str, *, today: date) -> list[Entry | Invalid]:
    """Return the rows of a CSV text with a header line, each as an entry or as why it is none.

    Raises ``Invalid`` (wrong_columns, too_large) for a table that cannot be meant.
    """
    return read_rows(list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))), today=today)


def read_rows(rows: Sequence[Mapping[str, Any]], *, today: date) -> list[Entry | Invalid]:
    """Return rows of named values, each as an entry or as why it is none; ``today`` where none is stated."""
    if len(rows) > ROWS_MOST:
        raise invalid(Code.TOO_LARGE, "rows", value=len(rows), most=ROWS_MOST)
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            kind = name_kind(row)
            raise invalid(Code.WRONG_SHAPE, f"rows.{place}", kind=kind, expected="object")
    for row in rows[:1]:
        unknown = [name for name in row if _name(name) not in _OWN]
        if unknown or None in row:
            raise invalid(Code.WRONG_COLUMNS, "rows", value=str(unknown[:1])[:40], expected=sorted(_OWN))
    return [_read(row, today) for row in rows]


def _read(row: Mapping[str, Any], today: date) -> Entry | Invalid:
    values = {_name(name): _plain(value) for name, value in row.items() if _name(name) in _OWN}
    faults: list[Fault] = []

    def take(name: str, read: Callable[[str], Any], default: Any = None, *, required: bool = False) -> Any:
        text = values.get(name, "")
        if not text:
            if required:
                faults.append(Fault(Code.REQUIRED, name))
            return default
        try:
            return read(text)
        except Invalid as error:
            faults.extend(Fault(fault.code, name, fault.values) for fault in error.faults)
            return default

    entry = Entry(
        title=values.get("title", ""),
        object=take("object", _read_object, ProcurementObject.GOODS),
        expected_month=take("expected_month", _read_month, today, required=True),
        published_on=take("published_on", _read_day, today),
        purchaser_name=values.get("purchaser_name") or None,
        description=values.get("description", ""),
        industry=values.get("industry") or None,
        tags=tuple(part.strip() for part in _PARTS.split(values.get("tags", "")) if part.strip()),
        budget=take("budget", money.parse_yuan) or take("budget_wan", _read_wan),
        is_reserved=take("is_reserved", _read_flag, False),
    )
    return Invalid(*faults) if faults else entry


def _name(column: Any) -> str:
    text = unicodedata.normalize("NFKC", str(column)).strip()
    return COLUMNS.get(text, text)


def _plain(value: Any) -> str:
    """Return a cell as text of half-width characters, without outer blanks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "|".join(_plain(part) for part in value)
    return "" if value is None else unicodedata.normalize("NFKC", str(value)).strip()


def _read_object(text: str) -> ProcurementObject:
    if text not in _OBJECTS:
        raise invalid(Code.NOT_A_CHOICE, value=text[:40], choices=list(_OBJECTS))
    return _OBJECTS[text]


def _read_month(text: str) -> date:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12:
        raise invalid(Code.NOT_A_DATE, value=text[:40])
    return date(int(found[1]), int(found[2]), 1)


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError as error:
        raise invalid(Code.NOT_A_DATE, value=text[:40]) from error


def _read_wan(text: str) -> int:
    number = money.parse_decimal(text.replace(",", ""), None, places=6)
    return money.parse_yuan(number * 10_000)


def _read_flag(text: str) -> bool:
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise invalid(Code.NOT_A_CHOICE, value=text[:40], choices=["是", "否"])
