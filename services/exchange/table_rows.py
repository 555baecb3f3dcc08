"""One row of a table of contracts or award notices: recognised, or every fault of it told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from market import credit_code, money
from market.award_notice import NoticeRecord
from market.contract_record import CNY, ContractRecord, normalise_currency
from market.errors import Code, Fault, Invalid, invalid
from services.exchange.amounts import clean, find_unit, read_amount, read_count
from services.exchange.dates import read_day
from services.exchange.rejection import RejectedRow
from services.exchange.template import STATES, Cell, Column, Sheet
from services.exchange.texts import read_text

#: 包1、包2 or 1,2 包: more than one package in a cell.
_BETWEEN = re.compile(r"\s*[、,;，；及和与+&/\n]\s*")
_PACKAGE = re.compile(
    r"(?:第?[0-9一二三四五六七八九十A-Za-z-]+\s*(?:标包|标段|包|号)|(?:标包|标段|包|Package|Lot)\s*[0-9A-Za-z一二三四五六七八九十-]+)",
    re.IGNORECASE,
)
#: 包1：100万元 in the cell of the amount.
_PRICED = re.compile(r"\s*(?P<package>[^::]{1,20}?)\s*[::]\s*(?P<amount>.+?)\s*")
_STATUTORY_MOST = 60


class RowReader:
    """Reads the rows below one head; a fault says where it is: sheet, column letter, row."""

    def __init__(
        self, name: str, sheet: Sheet, columns: Mapping[int, Column], heads: Sequence[str], now: datetime
    ) -> None:
        self._name = name
        self._sheet = sheet
        self._columns = columns
        self._places = {column.field: place for place, column in columns.items()}
        self._units = {
            column.field: find_unit(heads[place]) or 1
            for place, column in columns.items()
            if column.cell is Cell.MONEY
        }
        self._now = now

    def list_missing(self, line: int) -> list[RejectedRow]:
        """Return a fault for every column that must be there and is not."""
        needed = {"process_id", "supplier_name", "amount"}
        needed |= {"published_on"} if self._sheet.is_notices else {"number"}
        if "unit_price" in self._places and "quantity" in self._places:
            needed.discard("amount")
        return [
            RejectedRow(Fault(Code.REQUIRED, column.head), line, self._name, is_notice=self._sheet.is_notices)
            for column in self._sheet.columns
            if column.field in needed and column.field not in self._places
        ]

    def read(self, line: int, row: Sequence[Any]) -> Iterator[ContractRecord | NoticeRecord | RejectedRow]:
        """Yield the records of a row, one for each package with its own amount, or the faults of it."""
        cells = {
            column.field: row[place] if place < len(row) else None for place, column in self._columns.items()
        }
        said: dict[str, Any] = {}
        faults: list[Fault] = []
        for place, column in self._columns.items():
            if column.cell is Cell.MONEY or column.field == "quantity":
                continue
            try:
                said[column.field] = _read_cell(column, row[place] if place < len(row) else None)
            except Invalid as error:
                faults += error.faults
        shares: list[tuple[str, int | None]] = []
        try:
            shares = self._read_shares(cells, said.get("package"))
        except Invalid as error:
            faults += error.faults
        try:
            said["retention"] = read_amount(
                cells.get("retention"), "retention", self._units.get("retention", 1), least=0
            )
        except Invalid as error:
            faults += error.faults
        faults += self._compare(said, shares)
        if faults:
            yield from self._refuse(faults, line, said)
            return
        for package, amount in shares:
            yield self._make(said, package, amount, is_split=len(shares) > 1)

    def _read_shares(self, cells: Mapping[str, Any], package: str | None) -> list[tuple[str, int | None]]:
        """Return each package with its amount; several are told apart only where each has its own."""
        said = clean(cells.get("amount"))
        packages = _list_packages(package)
        parts = [
            _PRICED.fullmatch(part)
            for part in re.split(r"[;；\n]|(?<=[元万亿整])[,，、]", said)
            if part.strip()
        ]
        if parts and all(part is not None for part in parts):
            priced = {
                clean(part["package"]): read_amount(part["amount"], "amount", self._units.get("amount", 1))
                for part in parts
                if part is not None
            }
            if len(priced) == len(parts) and (not packages or set(packages) == set(priced)):
                return list(priced.items())
            raise invalid(Code.PACKAGES_MIXED, "package", value=(package or said)[:60])
        if len(packages) > 1:
            raise invalid(Code.PACKAGES_MIXED, "package", value=(package or "")[:60])
        return [(package or "", self._read_total(cells))]

    def _read_total(self, cells: Mapping[str, Any]) -> int | None:
        """Return the total; it must agree with unit price and quantity, and can be made of them."""
        faults: list[Fault] = []
        read: dict[str, Any] = {}
        for field in ("amount", "unit_price"):
            try:
                read[field] = read_amount(cells.get(field), field, self._units.get(field, 1))
            except Invalid as error:
                faults += error.faults
        try:
            read["quantity"] = read_count(cells.get("quantity"), "quantity")
        except Invalid as error:
            faults += error.faults
        if faults:
            raise Invalid(*faults)
        total, price, quantity = read["amount"], read["unit_price"], read["quantity"]
        product = None
        if price is not None and quantity is not None:
            product = money.round_half_up(Decimal(price) * quantity)
        if total is None and price is not None and product is None:
            raise invalid(Code.UNIT_PRICE_ONLY, "amount", value=clean(cells.get("unit_price"))[:60])
        if total is None and product is None:
            raise invalid(Code.REQUIRED, "amount")
        if total is not None and product is not None and total != product:
            raise invalid(
                Code.AMOUNT_MISMATCH, "amount", given=money.yuan(total), expected=money.yuan(product)
            )
        return total if total is not None else product

    def _compare(self, said: Mapping[str, Any], shares: Sequence[tuple[str, int | None]]) -> list[Fault]:
        """Return what is wrong between cells: required ones, days out of order, more kept back than owed."""
        faults = [
            Fault(Code.REQUIRED, column.field)
            for column in self._columns.values()
            if column.is_required
            and column.field != "amount"
            and column.field in said
            and said[column.field] in (None, "")
        ]
        for first, last in (("signed_on", "ends_on"), ("starts_on", "ends_on")):
            one, other = said.get(first), said.get(last)
            if isinstance(one, date) and isinstance(other, date) and other < one:
                faults.append(
                    Fault(Code.OUT_OF_ORDER, last, {"value": other.isoformat(), "after": one.isoformat()})
                )
                break
        kept, owed = said.get("retention"), sum(amount or 0 for _, amount in shares)
        if kept is not None and shares and kept > owed:
            faults.append(
                Fault(Code.TOO_LARGE, "retention", {"value": money.yuan(kept), "most": money.yuan(owed)})
            )
        return faults

    def _refuse(self, faults: Sequence[Fault], line: int, said: Mapping[str, Any]) -> Iterator[RejectedRow]:
        for number, fault in enumerate(faults):
            place = self._places.get(fault.field or "")
            cell = f"{_letter(place)}{line}" if place is not None else ""
            yield RejectedRow(
                fault,
                line,
                f"{self._name} {cell}".strip(),
                said.get("process_id"),
                said.get("number"),
                is_notice=self._sheet.is_notices,
                is_counted=number == 0,
            )

    def _make(
        self, said: Mapping[str, Any], package: str, amount: int | None, *, is_split: bool
    ) -> ContractRecord | NoticeRecord:
        common = {
            "title": said.get("title"),
            "purchaser_name": said.get("purchaser_name"),
            "purchaser_code": said.get("purchaser_code"),
            "supplier_name": said["supplier_name"],
            "supplier_code": said.get("supplier_code"),
            "currency": normalise_currency(said.get("currency") or CNY),
        }
        if self._sheet.is_notices:
            return NoticeRecord(
                project_number=said["process_id"],
                package_number=package,
                plan_number=said.get("plan_number"),
                agency=said.get("agency"),
                published_on=said["published_on"],
                price=amount,
                **common,
            )
        # Packages of one contract are lent on each for itself, so each needs a number of its own.
        number = f"{said['number']}/{package}"[:160] if is_split else said["number"]
        status = said.get("status")
        return ContractRecord(
            process_id=said["process_id"],
            contract_id=number,
            number=number,
            status=STATES.get(status, status) if status else None,
            amount=amount,
            signed_on=said.get("signed_on"),
            starts_on=said.get("starts_on"),
            ends_on=said.get("ends_on"),
            retention=said.get("retention"),
            payment_days=said.get("payment_days"),
            **common,
        )


def _read_cell(column: Column, value: Any) -> Any:
    if column.cell is Cell.DAY:
        return read_day(value, column.field)
    if column.field == "payment_days":
        days = read_count(value, column.field)
        if days is not None and (days != int(days) or not 0 <= days <= _STATUTORY_MOST):
            raise invalid(Code.TOO_LARGE, column.field, value=f"{days:f}", most=_STATUTORY_MOST)
        return None if days is None else int(days)
    text = read_text(clean(value), column.field, column.most + 1)
    if text is None:
        return None
    if len(text) > column.most:
        raise invalid(Code.TOO_LONG, column.field, value=text[:40], most=column.most)
    if column.cell is Cell.CODE:
        return credit_code.parse(text, column.field)
    if column.cell is Cell.CHOICE and column.field == "status" and text not in (*STATES, *STATES.values()):
        raise invalid(Code.NOT_A_CHOICE, column.field, value=text[:40], choices=list(STATES))
    return text


def _list_packages(text: str | None) -> list[str]:
    """Return the packages that a cell names: one as it stands, several one by one."""
    if not text:
        return []
    parts = [part for part in _BETWEEN.split(text) if part]
    if len(parts) > 1 and all(_PACKAGE.fullmatch(part) or part.isdigit() for part in parts):
        return parts
    return [text]


def _letter(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
