"""Invoices from a CSV file, as accounting programs and our own template write them."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

from market.errors import Code, Fault, Invalid, invalid
from market.money import parse_yuan
from services.exchange.fields import parse_day
from services.receivables import ENTRIES_MOST, Entry

#: The columns of the template, and what else the heading of each may be called.
COLUMNS: dict[str, tuple[str, ...]] = {
    "contract_number": ("合同编号", "合同号", "contract number"),
    "invoice_number": ("发票号码", "发票号", "invoice number"),
    "debtor_code": ("付款方统一社会信用代码", "购买方纳税人识别号", "debtor credit code"),
    "debtor_name": ("付款方名称", "购买方名称", "debtor name"),
    "amount": ("价税合计", "金额", "amount in yuan"),
    "issued_on": ("开票日期", "issued on"),
    "due_on": ("到期日", "应付日期", "due on"),
    "evidence": ("凭证", "evidence"),
}
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", re.ASCII)
_REQUIRED = frozenset({"contract_number", "invoice_number", "amount", "issued_on", "due_on"})


def read(content: bytes) -> list[Entry]:
    """Return the invoices of a file in the order of its rows; amounts there are yuan.

    UTF-8 or GB 18030. Raises ``Invalid`` with every fault: of the file as a whole, or of a row's field
    (``3.amount`` is the fourth invoice's).
    """
    rows = [row for row in csv.reader(io.StringIO(_decode(content), newline="")) if any(map(str.strip, row))]
    if not rows:
        raise invalid(Code.UNREADABLE_FILE, why="empty")
    places = _find_places(rows[0])
    if len(rows) == 1:
        raise invalid(Code.NOTHING_USABLE)
    if len(rows) - 1 > ENTRIES_MOST:
        raise invalid(Code.TOO_LARGE, value=len(rows) - 1, most=ENTRIES_MOST)
    entries, faults = [], []
    for number, cells in enumerate(rows[1:]):
        written = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
        try:
            entries.append(_read_row(written))
        except Invalid as refusal:
            faults += [Fault(fault.code, f"{number}.{fault.field}", fault.values) for fault in refusal.faults]
    if faults:
        raise Invalid(*faults)
    return entries


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            place = error.start
    raise invalid(Code.BAD_ENCODING, value=f"byte {place + 1}")


def _find_places(heading: list[str]) -> dict[str, int]:
    said = [cell.strip().lower() for cell in heading]
    places = {
        name: place
        for name, others in COLUMNS.items()
        for place, cell in enumerate(said)
        if cell in (name, *others)
    }
    if _REQUIRED - places.keys():
        raise invalid(Code.WRONG_COLUMNS, value=", ".join(heading)[:200], expected=", ".join(COLUMNS))
    return places


def _even(day: str) -> str:
    """Return a day as 2026-11-03 that a spreadsheet wrote as 2026/11/3 or 2026年11月3日."""
    found = _DAY.fullmatch(day)
    return day if found is None else f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}"


def _read_row(written: dict[str, str]) -> Entry:
    faults: list[Fault] = []
    amount = 0
    days: dict[str, date] = {}
    try:
        # Spreadsheets write thousands apart.
        amount = parse_yuan(written["amount"].replace(",", "").replace("，", ""), "amount", least=1)
    except Invalid as refusal:
        faults.extend(refusal.faults)
    for field in ("issued_on", "due_on"):
        try:
            days[field] = parse_day(_even(written[field]), field)
        except Invalid as refusal:
            faults.extend(refusal.faults)
    if faults:
        raise Invalid(*faults)
    return Entry(
        contract_number=written["contract_number"],
        invoice_number=written["invoice_number"],
        amount=amount,
        issued_on=days["issued_on"],
        due_on=days["due_on"],
        debtor_code=written.get("debtor_code", ""),
        debtor_name=written.get("debtor_name", ""),
        evidence=written.get("evidence", ""),
    )
