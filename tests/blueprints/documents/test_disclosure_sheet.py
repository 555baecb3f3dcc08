"""The printed disclosure sheet: every figure of the offer, in the reader's language, in embedded type."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale
from pypdf import PdfReader

from blueprints import disclosure, formats
from blueprints.documents import paper
from blueprints.documents.disclosure_sheet import render
from blueprints.documents.sheet import Sheet
from market.cost import price
from market.errors import Code, Unavailable
from market.terms import Fee, FlowTerms, LeaseTerms, LoanTerms, Priceable, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Repayment
from tests.services.test_proofs import KINDS, MILLION
from wsgi import create_app

LOAN = LoanTerms(
    MILLION,
    12,
    Decimal("0.0365"),
    Repayment.INTEREST_MONTHLY,
    fees=(
        Fee(
            "担保费", FeeTiming.UPFRONT, "guarantor", FeeBasis.PRINCIPAL, Decimal("0.01"), part=Decimal("0.8")
        ),
        Fee("抵押登记费", FeeTiming.UPFRONT, "registry", amount=8_000),
    ),
    subsidies=(Subsidy("园区贴息", FeeTiming.END, basis=FeeBasis.INTEREST, rate=Decimal("0.4")),),
)
MADE = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def site() -> Flask:
    """The application: sheets need its languages, and no database."""
    return create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"})


def make(terms: Priceable = LOAN) -> Sheet:
    return Sheet(
        cost=price(terms),
        seal="7b" * 32,
        issuer="测试高新区，撮合",
        priced_on=date(2026, 11, 20),
        made_at=MADE,
        lender="第一银行",
        product="第一银行贷",
        firm="测试企业",
        number="需求 3，报价 7",
        receipt="a3" * 32,
        lpr="定价基准：1年期LPR 3.00%",
    )


def read(body: bytes) -> str:
    """Return the text of a document as a person reads it, without the breaks of its lines."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).split())


def print_out(site: Flask, sheet: Sheet, language: str = "zh") -> bytes:
    with site.test_request_context(), force_locale(language):
        return render(sheet)


def test_every_cost_stands_there_with_payee_basis_time_and_amount(site: Flask) -> None:
    sheet = make()
    for language in ("zh", "en"):
        text = read(print_out(site, sheet, language)).replace(" ", "")
        with site.test_request_context(), force_locale(language):
            for row in disclosure.rows(sheet.cost):
                said = [disclosure.part(row), disclosure.payee(row["payee"]), disclosure.basis(row)]
                said += [disclosure.timing(row), disclosure.times(row), disclosure.total(row)]
                assert "".join(said).replace(" ", "") in text, language


def test_figures_parties_and_hashes_can_be_read_out_of_the_file(site: Flask) -> None:
    sheet = make()
    text = read(print_out(site, sheet))
    for figure in (
        formats.rate(sheet.cost.effective),
        formats.rate(sheet.cost.simple),
        formats.exact(sheet.cost.total_cost),
        formats.exact(sheet.cost.net_received),
        formats.exact(sheet.cost.average_monthly_payment),
        f"{sheet.cost.cost_per_yuan:.4f}",
        "壹佰万元整",
        "2026-11-20",
    ):
        assert figure in text
    for words in (sheet.lender, sheet.firm, sheet.product, sheet.issuer, sheet.receipt, sheet.seal, "LPR"):
        assert words in text
    assert "复利" in text and "单利" in text


def test_the_schedule_lists_every_payment_and_its_sum(site: Flask) -> None:
    sheet = make(replace(LOAN, day_count=DayCount.ACT_360, start=date(2026, 1, 31)))
    text = read(print_out(site, sheet))
    lines = sheet.cost.schedule.lines
    for line in lines:
        assert line.due is not None
        paid = line.principal + line.interest + line.fees - line.subsidy
        assert f"{line.due.isoformat()} {formats.exact(paid)}" in text
    whole = sheet.cost.total_cost + LOAN.principal
    assert formats.exact(whole) in text


def test_the_compound_rate_is_the_largest_of_all_that_is_printed(site: Flask) -> None:
    sheet = make()
    sizes: dict[str, float] = {}

    def note(text: str, _cm: object, matrix: list[float], _font: object, size: float) -> None:
        if text.strip():
            sizes[text.strip()] = max(sizes.get(text.strip(), 0), size)

    PdfReader(io.BytesIO(print_out(site, sheet))).pages[0].extract_text(visitor_text=note)
    compound, simple = formats.rate(sheet.cost.effective), formats.rate(sheet.cost.simple)
    assert sizes[compound] == max(sizes.values())
    assert all(size < sizes[compound] for text, size in sizes.items() if text != compound)
    assert sizes[simple] < sizes[compound] / 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_of_financing_can_be_printed(kind: str, language: str, site: Flask) -> None:
    sheet = make(KINDS[kind])
    body = print_out(site, sheet, language)
    assert len(body) < 200_000
    text = read(body)
    assert formats.rate(sheet.cost.effective) in text
    assert formats.exact(sheet.cost.total_cost) in text
    count = len(PdfReader(io.BytesIO(body)).pages)
    assert (f"共 {count} 页" if language == "zh" else f"of {count}") in text


def test_an_english_sheet_has_no_chinese_but_names_and_the_amount_in_capitals(site: Flask) -> None:
    plain = LeaseTerms(MILLION, 24, Decimal("0.05"), deposit=Decimal("0.05"), buyout=10_000)
    names = {"lender": "A lessor", "firm": "A firm", "product": "A lease", "issuer": "Zone", "number": "1"}
    sheet = replace(make(plain), **names, lpr="")
    text = read(print_out(site, sheet, "en")).replace("人民币壹佰万元整", "")
    assert re.findall(r"[一-鿿]+", text) == []


def test_a_long_schedule_goes_on_over_numbered_pages_under_the_same_heads(site: Flask) -> None:
    sheet = make(replace(LOAN, months=360, principal=10**12, repayment=Repayment.EQUAL_INSTALLMENT))
    body = print_out(site, sheet, "en")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(body)).pages]
    assert len(pages) > 5 and len(body) < 200_000
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
    assert sum("Still owed" in text for text in pages) >= len(pages) - 2
    # No figure runs over the edge of its column into a second line.
    longest = formats.exact(sheet.cost.total_cost + 10**12)
    assert longest in " ".join(pages)


def test_names_without_an_end_or_with_signs_of_other_formats_are_only_text(site: Flask) -> None:
    hostile = "<b>**__" + "超" * 150 + "W" * 150 + "{nb}" + "\u202e𠮷燚"
    terms = replace(LOAN, fees=(Fee(hostile, FeeTiming.UPFRONT, hostile, amount=1),))
    text = read(print_out(site, replace(make(terms), firm=hostile))).replace(" ", "")
    assert "<b>**__超超" in text and "WWWW" in text and "{nb}" in text and "燚" in text


def test_what_has_no_rate_says_why_where_the_rate_would_stand(site: Flask) -> None:
    nothing = FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(10))))
    text = read(print_out(site, make(nothing), "en"))
    assert "cannot be computed: money flows in one direction only" in text


def test_equal_sheets_are_equal_files(site: Flask) -> None:
    assert print_out(site, make()) == print_out(site, make())


def test_the_type_is_embedded_and_only_as_far_as_it_is_used(site: Flask) -> None:
    page = PdfReader(io.BytesIO(print_out(site, make()))).pages[0]
    fonts = page["/Resources"]["/Font"]  # type: ignore[index]
    descriptors = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts.values()
    ]
    assert len(descriptors) == 2
    assert all("/FontFile2" in found and "NotoSansSC" in found["/FontName"] for found in descriptors)


def test_without_the_typeface_the_refusal_says_how_to_get_it(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "TYPEFACES", tmp_path)
    with pytest.raises(Unavailable) as refusal:
        print_out(site, make())
    assert refusal.value.status == 503
    assert refusal.value.faults[0].code is Code.TYPEFACE_MISSING
