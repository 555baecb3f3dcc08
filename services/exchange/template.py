"""The house's own table of contracts and award notices: its sheets, columns and words.

One table describes what the template says and what is read back. Heads are bilingual; a head is known by its
Chinese or English words or the field's own name, with or without its unit, in any order of the columns.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Cell(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    CODE = "code"
    MONEY = "money"
    COUNT = "count"
    DAY = "day"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field, its heads, what it holds, an example, and other heads it is known by."""

    field: str
    zh: str
    en: str
    cell: Cell = Cell.TEXT
    example: str = ""
    is_required: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    most: int = 160

    @property
    def head(self) -> str:
        """Return the head in both languages, with the unit of amounts."""
        unit = ("（元）", " (yuan)") if self.cell is Cell.MONEY else ("", "")
        star = "*" if self.is_required else ""
        return f"{star}{self.zh}{unit[0]} / {self.en}{unit[1]}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name and its columns; ``is_notices`` tells award notices from contracts."""

    zh: str
    en: str
    columns: tuple[Column, ...]
    is_notices: bool = False

    @property
    def name(self) -> str:
        """Return the name in both languages."""
        return f"{self.zh} {self.en}"


#: What a state is called in the table, and its word in open contracting data.
STATES = {"履行中": "active", "未生效": "pending", "已取消": "cancelled", "已终止": "terminated"}
CURRENCIES = ("人民币", "CNY", "USD", "EUR", "HKD", "JPY")

_PARTIES = (
    Column(
        "purchaser_name",
        "采购人",
        "Purchaser",
        example="高新区财政局",
        aliases=("采购单位", "甲方"),
        most=300,
    ),
    Column(
        "purchaser_code",
        "采购人信用代码",
        "Purchaser's credit code",
        Cell.CODE,
        "11990000MB0000002Q",
        aliases=("采购人统一社会信用代码",),
    ),
    Column(
        "supplier_name",
        "供应商",
        "Supplier",
        example="测试科技有限公司",
        is_required=True,
        aliases=("中标供应商", "成交供应商", "中标人", "乙方", "供应商名称"),
        most=300,
    ),
    Column(
        "supplier_code",
        "供应商信用代码",
        "Supplier's credit code",
        Cell.CODE,
        "91990000MA0000001B",
        aliases=("供应商统一社会信用代码", "统一社会信用代码"),
    ),
)
_PRICES = (
    Column("unit_price", "单价", "Unit price", Cell.MONEY),
    Column("quantity", "数量", "Quantity", Cell.COUNT),
)
_CURRENCY = Column("currency", "币种", "Currency", Cell.CHOICE, "人民币", choices=CURRENCIES)
_PACKAGE = Column("package", "包号", "Package", example="包1", aliases=("标段", "分包号"), most=80)

CONTRACTS = Sheet(
    "合同",
    "Contracts",
    (
        Column(
            "process_id",
            "项目编号",
            "Project number",
            example="GX-2026-001",
            is_required=True,
            aliases=("采购项目编号",),
        ),
        Column("number", "合同编号", "Contract number", example="GXHT-2026-018", is_required=True),
        _PACKAGE,
        Column("title", "合同名称", "Title", example="智慧园区建设", aliases=("项目名称",), most=400),
        Column("status", "合同状态", "State", Cell.CHOICE, "履行中", choices=tuple(STATES)),
        *_PARTIES,
        *_PRICES,
        Column(
            "amount",
            "总价",
            "Total",
            Cell.MONEY,
            "1000500.00",
            is_required=True,
            aliases=("合同金额", "合同总价", "金额", "合同总金额"),
        ),
        _CURRENCY,
        Column("signed_on", "签订日期", "Signed on", Cell.DAY, "2026-01-05", aliases=("合同签订日期",)),
        Column("starts_on", "开始日期", "Starts on", Cell.DAY, "2026-01-05"),
        Column("ends_on", "结束日期", "Ends on", Cell.DAY, "2026-12-31", aliases=("交付日期",)),
        Column("payment_days", "付款期限（天）", "Payment days", Cell.COUNT, "30"),
        Column("retention", "质保金", "Retention", Cell.MONEY, "50000.00"),
    ),
)
NOTICES = Sheet(
    "中标公告",
    "Award notices",
    (
        Column(
            "process_id",
            "项目编号",
            "Project number",
            example="GX-2026-001",
            is_required=True,
            aliases=("采购项目编号",),
        ),
        _PACKAGE,
        Column("plan_number", "计划备案号", "Plan filing number", example="2026-0118"),
        Column("title", "项目名称", "Title", example="智慧园区建设", most=400),
        *_PARTIES,
        *_PRICES,
        Column(
            "amount",
            "中标金额",
            "Award price",
            Cell.MONEY,
            "1000500.00",
            is_required=True,
            aliases=("成交金额", "中标价", "总价", "中标（成交）金额"),
        ),
        _CURRENCY,
        Column(
            "agency",
            "代理机构",
            "Agency",
            example="某某招标代理有限公司",
            aliases=("采购代理机构",),
            most=300,
        ),
        Column(
            "published_on",
            "公告日期",
            "Published on",
            Cell.DAY,
            "2026-01-02",
            is_required=True,
            aliases=("发布日期", "中标日期"),
        ),
    ),
    is_notices=True,
)
SHEETS = (CONTRACTS, NOTICES)

_BRACKETS = re.compile(r"\([^)]*\)")
_NOISE = re.compile(r"[\s*:]+")


def name_head(head: str) -> str:
    """Return a head as it is compared: half-width, without unit, blanks and stars, in small letters."""
    return _NOISE.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", head))).lower()


def find_columns(sheet: Sheet, heads: list[str]) -> dict[int, Column]:
    """Return which column of the table stands at which place of a file's head."""
    known = {
        name_head(word): column
        for column in sheet.columns
        for word in (column.zh, column.en, column.field, *column.aliases)
    }
    found: dict[int, Column] = {}
    for place, head in enumerate(heads):
        words = [head, *re.split(r"[/\n]", head)]
        column = next((known[name_head(word)] for word in words if name_head(word) in known), None)
        if column is not None and column not in found.values():
            found[place] = column
    return found


def find_sheet(heads: list[str]) -> tuple[Sheet, dict[int, Column]] | None:
    """Return the sheet that a head belongs to and its columns, None where too little of it is known."""
    best: tuple[int, Sheet, dict[int, Column]] | None = None
    for sheet in SHEETS:
        found = find_columns(sheet, heads)
        fields = {column.field for column in found.values()}
        own = {"published_on", "agency", "plan_number"} if sheet.is_notices else {"number", "signed_on"}
        score = len(found) + 5 * len(fields & own)
        if len(found) >= 2 and (best is None or score > best[0]):
            best = (score, sheet, found)
    return None if best is None else (best[1], best[2])
