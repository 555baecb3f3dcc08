"""The template, filled in and read back: every cell recognised, or refused with row, column and reason."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import xlsxwriter
from flask import Flask

from blueprints.documents import contract_template
from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from market.errors import Code
from services.exchange import table
from services.exchange.rejection import RejectedRow
from services.exchange.template import CONTRACTS, NOTICES, SHEETS
from tests.procurement import BUYER, CODE, lines, make_release

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
HEADS = [
    "项目编号",
    "合同编号",
    "包号",
    "供应商",
    "供应商统一社会信用代码",
    "单价",
    "数量",
    "合同金额（万元）",
]
HEADS += ["签订日期", "开始日期", "结束日期"]
GOOD = ["P-1", "C-1", "", "测试科技", CODE, "", "", "12.5", "2026年1月5日", "", "2026-12-31"]


def read(content: bytes) -> tuple[list[Any], list[RejectedRow]]:
    assert table.is_table(content[: 1 << 20])
    found = list(table.read(io.BytesIO(content), now=NOW))
    refused = [one for one in found if isinstance(one, RejectedRow)]
    return [one for one in found if not isinstance(one, RejectedRow)], refused


def write(*rows: list[Any], heads: list[str] = HEADS, encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([heads, *rows])
    return out.getvalue().encode(encoding)


def change(**cells: Any) -> list[Any]:
    """Return the good row with other cells, by their heads."""
    return [cells.get(head.partition("（")[0], cell) for head, cell in zip(HEADS, GOOD, strict=True)]


def test_the_template_reads_back_as_its_examples(app: Flask) -> None:
    (contract, notice), refused = read(contract_template.write_workbook())
    assert refused == []
    assert contract == ContractRecord(
        process_id="GX-2026-001",
        contract_id="GXHT-2026-018",
        number="GXHT-2026-018",
        title="智慧园区建设",
        status="active",
        purchaser_name="高新区财政局",
        purchaser_code=BUYER,
        supplier_name="测试科技有限公司",
        supplier_code=CODE,
        amount=100_050_000,
        currency="CNY",
        signed_on=date(2026, 1, 5),
        starts_on=date(2026, 1, 5),
        ends_on=date(2026, 12, 31),
        retention=5_000_000,
        payment_days=30,
    )
    assert isinstance(notice, NoticeRecord)
    assert (notice.package_number, notice.price, notice.published_on) == (
        "包1",
        100_050_000,
        date(2026, 1, 2),
    )
    # CSV has the same columns and says the same.
    assert read(contract_template.write_csv(CONTRACTS)) == ([contract], [])
    assert read(contract_template.write_csv(NOTICES)) == ([notice], [])
    assert all(column.zh in column.head and column.en in column.head for s in SHEETS for column in s.columns)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_heads_are_known_by_their_words_in_any_encoding(encoding: str) -> None:
    (contract,), refused = read(write(GOOD, encoding=encoding)) if encoding != "utf-16" else read(write(GOOD))
    assert (contract.amount, contract.signed_on, refused) == (12_500_000, date(2026, 1, 5), [])


@pytest.mark.parametrize(
    ("cells", "field", "code", "cell"),
    [
        ({"合同金额": "详见附件"}, "amount", Code.NOT_A_NUMBER, "H2"),
        ({"合同金额": ""}, "amount", Code.REQUIRED, "H2"),
        ({"合同金额": "", "单价": "5元"}, "amount", Code.UNIT_PRICE_ONLY, "H2"),
        ({"合同金额": "12元/台"}, "amount", Code.UNIT_PRICE_ONLY, "H2"),
        ({"单价": "100", "数量": "3"}, "amount", Code.AMOUNT_MISMATCH, "H2"),
        ({"结束日期": "2026年2月30日"}, "ends_on", Code.NOT_A_DATE, "K2"),
        ({"结束日期": "2025-01-01"}, "ends_on", Code.OUT_OF_ORDER, "K2"),
        ({"供应商统一社会信用代码": CODE[:-1] + "X"}, "supplier_code", Code.BAD_CREDIT_CODE, "E2"),
        ({"包号": "包1、包2"}, "package", Code.PACKAGES_MIXED, "C2"),
        ({"包号": "包1、包2", "合同金额": "包1：5万元；包3：7万元"}, "package", Code.PACKAGES_MIXED, "C2"),
        ({"项目编号": " "}, "process_id", Code.REQUIRED, ""),
    ],
)
def test_a_faulty_row_is_refused_with_its_cell(
    cells: dict[str, Any], field: str, code: Code, cell: str
) -> None:
    heads = [f"*{head}" if head == "项目编号" else head for head in HEADS]
    records, refused = read(write(change(**cells), GOOD, heads=heads))
    assert len(records) == 1
    assert [(row.line, row.fault.field, row.fault.code) for row in refused] == [(2, field, code)]
    assert not cell or refused[0].path.endswith(cell)


def test_every_fault_of_a_row_is_told_and_the_row_counts_once() -> None:
    _, refused = read(write(change(合同金额="x", 结束日期="y", 签订日期="z")))
    assert [row.fault.field for row in refused] == ["signed_on", "ends_on", "amount"]
    assert [row.is_counted for row in refused] == [True, False, False]


def test_unit_price_and_quantity_make_the_total() -> None:
    (contract,), _ = read(write(change(单价="1,000.50", 数量="3台", 合同金额="")))
    assert contract.amount == 300_150
    (contract,), _ = read(write(change(单价="1,000", 数量="3", 合同金额="3000元")))
    assert contract.amount == 300_000


def test_several_packages_in_a_row_are_split_where_each_has_its_amount() -> None:
    records, refused = read(write(change(包号="包1、包2", 合同金额="包1：5万元；包2：7")))
    assert refused == []
    assert [(one.contract_id, one.amount) for one in records] == [
        ("C-1/包1", 5_000_000),
        ("C-1/包2", 7_000_000),
    ]


def test_one_workbook_holds_both_kinds_and_other_sheets_are_passed_over() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for sheet in (CONTRACTS, NOTICES):
        page = book.add_worksheet(sheet.name)
        page.write_row(0, 0, ["年度采购情况"])
        page.write_row(1, 0, [column.en for column in sheet.columns])
        page.write_row(2, 0, [column.example for column in sheet.columns])
    book.add_worksheet("照片").write_row(0, 0, ["一", "二"])
    book.close()
    records, refused = read(out.getvalue())
    assert ([type(one) for one in records], refused) == ([ContractRecord, NoticeRecord], [])


def test_what_is_no_table_is_left_to_open_data() -> None:
    assert not table.is_table(lines([make_release()]))
    assert not table.is_table(b"hello, world\n")
    assert not table.is_table(b"")


def test_a_broken_workbook_says_so() -> None:
    content = contract_template.write_workbook()
    (row,) = table.read(io.BytesIO(content[:-200]), now=NOW)
    assert isinstance(row, RejectedRow)
    assert row.fault.values["why"] == "bad_workbook"
    (row,) = table.read(io.BytesIO(b"a,b\n1,2\n"), now=NOW)
    assert isinstance(row, RejectedRow)
    assert row.fault.code is Code.WRONG_COLUMNS


def test_a_table_goes_on_behind_any_row() -> None:
    content = write(GOOD, change(合同编号="C-2"), change(合同编号="C-3"))
    reading = table.read(io.BytesIO(content), now=NOW)
    first = next(reading)
    rest = list(table.read(io.BytesIO(content), now=NOW, after=reading.position))
    assert [one.number for one in (first, *rest) if isinstance(one, ContractRecord)] == ["C-1", "C-2", "C-3"]
    assert isinstance(first, ContractRecord)
    assert replace(first, number="", contract_id="") == replace(rest[0], number="", contract_id="")  # type: ignore[type-var]
