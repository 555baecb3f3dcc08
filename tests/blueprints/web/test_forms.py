from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from blueprints.web.forms import Form
from market.errors import Code, NotFound, conflict, invalid, not_found
from market.vocabulary import Purpose, Security


@pytest.fixture(autouse=True)
def english(site: Flask) -> Iterator[None]:
    with site.test_request_context("/"), force_locale("en"):
        yield


def codes(form: Form) -> list[tuple[Code, str | None]]:
    return [(fault.code, fault.field) for fault in form.faults]


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("240", 240_000_000),
        ("1,200.5", 1_200_500_000),
        ("２４０", 240_000_000),
        (" 0.000001 ", 1),
        ("240.", 240_000_000),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, fen: int) -> None:
    assert Form({"amount": typed}).wan("amount") == fen


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", Code.REQUIRED),
        ("   ", Code.REQUIRED),
        ("24o", Code.NOT_A_NUMBER),
        ("NaN", Code.NOT_A_NUMBER),
        ("Infinity", Code.NOT_A_NUMBER),
        ("1e5", Code.NOT_A_NUMBER),
        ("0x10", Code.NOT_A_NUMBER),
        ("1_000", Code.NOT_A_NUMBER),
        ("--5", Code.NOT_A_NUMBER),
        ("9" * 5000, Code.TOO_LONG),
        ("0.0000001", Code.TOO_MANY_DECIMALS),
        ("-1", Code.TOO_SMALL),
        ("9999999999", Code.TOO_LARGE),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(typed: str, code: Code) -> None:
    form = Form({"amount": typed})
    assert form.wan("amount") is None
    assert codes(form) == [(code, "amount")]
    assert form.status == 422


def test_an_optional_field_may_stay_empty_but_not_be_wrong() -> None:
    form = Form({"a": "", "b": "x"})
    assert form.percent("a", required=False) is None
    assert form.ok
    form.percent("b", required=False)
    assert codes(form) == [(Code.NOT_A_NUMBER, "b")]


def test_percentages_become_rates_per_year() -> None:
    assert Form({"rate": "3.65"}).percent("rate") == Decimal("0.0365")


def test_whole_numbers_days_and_moments() -> None:
    form = Form(
        {"months": "12", "day": "2026-11-20", "at": "2026-11-20T15:00", "half": "1.5", "never": "2026-02-30"}
    )
    assert form.whole("months", least=1, most=360) == 12
    assert form.day("day") == date(2026, 11, 20)
    assert form.moment("at") == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert form.ok
    form.whole("half")
    form.day("never")
    assert codes(form) == [(Code.TOO_MANY_DECIMALS, "half"), (Code.NOT_A_DATE, "never")]


def test_choices_come_from_the_vocabulary() -> None:
    form = Form(
        MultiDict([("purpose", "equipment"), ("s", "mortgage"), ("s", "guarantee"), ("s", "mortgage")])
    )
    assert form.choice("purpose", Purpose) is Purpose.EQUIPMENT
    assert form.choices("s", Security) == [Security.GUARANTEE, Security.MORTGAGE]
    assert form.ok
    wrong = Form(MultiDict([("purpose", "holiday"), ("s", "promise")]))
    assert wrong.choice("purpose", Purpose) is None
    wrong.choices("s", Security)
    assert (Code.NOT_A_CHOICE, "purpose") in codes(wrong)
    assert (Code.NOT_A_CHOICE, "s") in codes(wrong)


def test_text_is_trimmed_bounded_and_free_of_control_characters() -> None:
    form = Form({"a": "  说明 \r\n第二行 ", "b": "x" * 201, "c": "a\x00b"})
    assert form.text("a") == "说明 \r\n第二行"
    form.text("b")
    form.text("c")
    assert codes(form) == [(Code.TOO_LONG, "b"), (Code.NOT_TEXT, "c")]


def test_a_service_is_not_called_while_the_form_is_wrong() -> None:
    called: list[int] = []
    form = Form({})
    form.wan("amount")
    assert form.run(called.append, 1) is None
    assert called == []


def test_the_refusal_of_a_service_lands_beside_its_field() -> None:
    def publish(amount: int) -> int:
        raise invalid(Code.TOO_LARGE, "terms.principal", value=amount, most=5)

    form = Form({"amount": "240"}, aliases={"terms.principal": "amount"}, labels={"amount": "How much"})
    assert form.run(publish, amount=600) is None
    assert form.reasons("amount")
    assert form.summary[0][0] == "amount"
    assert form.summary[0][1].startswith("How much: ")
    assert form.value("amount") == "240"


def test_a_conflict_keeps_its_status() -> None:
    def publish() -> None:
        raise conflict(Code.STALE)

    form = Form({})
    form.run(publish)
    assert (form.ok, form.status, form.summary[0][0]) == (False, 409, None)


def test_what_no_field_can_mend_passes_through() -> None:
    def publish() -> None:
        raise not_found("need", 7)

    with pytest.raises(NotFound):
        Form({}).run(publish)


@pytest.mark.parametrize(("typed", "said"), [("101", "100%"), ("-1", "0%")])
def test_a_percentage_out_of_bounds_is_refused_in_percent(site: Flask, typed: str, said: str) -> None:
    with site.test_request_context(headers={"Accept-Language": "en"}):
        form = Form({"rate_from": typed})
        assert form.percent("rate_from", least=0, most=100) is None
        (sentence,) = form.reasons("rate_from")
        assert f" {said}" in sentence or f" {said[:-1]}.00%" in sentence
