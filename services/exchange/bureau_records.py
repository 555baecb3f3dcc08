"""What a bureau's lists say, item by item, as records: award notices, contracts, payments.

The names are those that we serve ourselves (``/api/v1/bureau``). Every reader raises ``Invalid`` with the
field for what cannot be used; what a bureau adds of its own is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from market import credit_code, money
from market.contract_record import (
    LONGEST_NAME,
    LONGEST_TITLE,
    ContractRecord,
    Obstacle,
    PaymentRecord,
    normalise_currency,
)
from market.errors import Code, invalid
from services.exchange.fields import name_kind, plain
from services.exchange.texts import read_day, read_id, read_moment, read_text

_LONGEST_PLAN = 200
_LONGEST_ACCOUNT = 40
_LONGEST_CODE = 80


@dataclass(frozen=True, slots=True)
class AwardRecord:
    """An award notice as published: ``price`` in fen, None where it states none."""

    project_number: str
    package_number: str
    plan_number: str | None
    title: str
    purchaser_name: str | None
    purchaser_code: str | None
    supplier_name: str
    supplier_code: str | None
    price: int | None
    currency: str | None
    agency: str | None
    published_on: date


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a bureau says of a contract beside its record; anything may be absent (None, empty plan)."""

    project_number: str | None = None
    plan_number: str | None = None
    package_number: str | None = None
    agency: str | None = None
    budget_unit_code: str | None = None
    funding_source: str | None = None
    prepayment_ratio: Decimal | None = None
    delivered_on: date | None = None
    accepted_on: date | None = None
    retention: int | None = None
    payment_days: int | None = None
    plan: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ContractItem:
    """A contract: what the registry's own import reads of it, and its particulars."""

    record: ContractRecord
    particulars: Particulars


@dataclass(frozen=True, slots=True)
class PaymentItem:
    """A payment, and the contract that it was made on."""

    process_id: str
    contract_id: str
    number: str
    payment: PaymentRecord


def read_award(item: Any) -> AwardRecord:
    """Return an award notice."""
    data = _object(item)
    published_on = read_day(data.get("notice_date"), "notice_date")
    if published_on is None:
        raise invalid(Code.REQUIRED, "notice_date")
    price = _yuan(data, "award_price")
    return AwardRecord(
        project_number=_id(data, "project_number"),
        package_number=read_text(data.get("package_number"), "package_number", 80) or "",
        plan_number=read_id(data.get("plan_number"), "plan_number"),
        title=read_text(data.get("title"), "title", LONGEST_TITLE) or "",
        purchaser_name=read_text(data.get("purchaser_name"), "purchaser_name", LONGEST_NAME),
        purchaser_code=read_text(data.get("purchaser_code"), "purchaser_code", _LONGEST_CODE),
        supplier_name=_text(data, "supplier_name", LONGEST_NAME),
        supplier_code=_code(data)[0],
        # A price of nothing is none.
        price=price if price else None,
        currency=_currency(data),
        agency=read_text(data.get("agency"), "agency", LONGEST_NAME),
        published_on=published_on,
    )


def read_contract(item: Any) -> ContractItem:
    """Return a contract; a bureau that knows no process id means the project's number by it."""
    data = _object(item)
    number = _id(data, "contract_number")
    project = read_id(data.get("project_number"), "project_number")
    process = read_id(data.get("process_id"), "process_id") or project
    if process is None:
        raise invalid(Code.REQUIRED, "process_id")
    code, is_doubtful = _code(data)
    record = ContractRecord(
        process_id=process,
        contract_id=read_id(data.get("contract_id"), "contract_id") or number,
        number=number,
        title=read_text(data.get("title"), "title", LONGEST_TITLE),
        status=read_text(data.get("status"), "status", 40),
        purchaser_name=read_text(data.get("purchaser_name"), "purchaser_name", LONGEST_NAME),
        purchaser_code=read_text(data.get("purchaser_code"), "purchaser_code", _LONGEST_CODE),
        supplier_name=read_text(data.get("supplier_name"), "supplier_name", LONGEST_NAME),
        supplier_code=code,
        amount=_yuan(data, "amount"),
        currency=_currency(data),
        signed_on=read_day(data.get("signed_on"), "signed_on"),
        starts_on=read_day(data.get("starts_on"), "starts_on"),
        ends_on=read_day(data.get("ends_on"), "ends_on"),
        doubts=frozenset({Obstacle.BAD_CREDIT_CODE} if is_doubtful else ()),
        released_at=read_moment(data.get("published_at")),
    )
    return ContractItem(record, _read_particulars(data, project, record.amount))


def read_payment(item: Any) -> PaymentItem:
    """Return a payment; an account that was masked for us counts as not stated."""
    data = _object(item)
    number = _id(data, "contract_number")
    process = read_id(data.get("process_id"), "process_id") or read_id(
        data.get("project_number"), "project_number"
    )
    amount = _yuan(data, "amount", least=None)
    if process is None or amount is None:
        raise invalid(Code.REQUIRED, "process_id" if process is None else "amount")
    account = read_text(data.get("payee_account"), "payee_account", _LONGEST_ACCOUNT)
    return PaymentItem(
        process_id=process,
        contract_id=read_id(data.get("contract_id"), "contract_id") or number,
        number=number,
        payment=PaymentRecord(
            amount=amount,
            transaction_id=read_text(data.get("transaction_id"), "transaction_id", 190),
            paid_on=read_day(data.get("paid_on"), "paid_on"),
            currency=_currency(data),
            payer=read_text(data.get("payer"), "payer", LONGEST_NAME),
            payee=read_text(data.get("payee"), "payee", LONGEST_NAME),
            payee_account=None if account is None or "*" in account else account,
        ),
    )


def _read_particulars(data: Mapping[str, Any], project: str | None, amount: int | None) -> Particulars:
    retention = _yuan(data, "retention")
    days = str(data.get("payment_days"))
    ratio = data.get("prepayment_ratio")
    return Particulars(
        project_number=project,
        plan_number=read_id(data.get("plan_number"), "plan_number"),
        package_number=read_text(data.get("package_number"), "package_number", 80),
        agency=read_text(data.get("agency"), "agency", LONGEST_NAME),
        budget_unit_code=read_text(data.get("budget_unit_code"), "budget_unit_code", 40),
        funding_source=read_text(data.get("funding_source"), "funding_source", 80),
        prepayment_ratio=None
        if ratio is None
        else money.parse_rate(plain(ratio), "prepayment_ratio", places=money.RATE_PLACES, most=Decimal(1)),
        delivered_on=read_day(data.get("delivered_on"), "delivered_on"),
        accepted_on=read_day(data.get("accepted_on"), "accepted_on"),
        # What is kept back is less than the whole; anything else is no retention.
        retention=retention if retention is None or (amount is not None and retention < amount) else None,
        payment_days=int(days) if days.isdecimal() and len(days) < 3 and int(days) <= 60 else None,
        plan=_read_plan(data.get("payment_plan")),
    )


def _read_plan(listed: Any) -> tuple[tuple[date, int], ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list) or len(listed) > _LONGEST_PLAN:
        raise invalid(Code.WRONG_SHAPE, "payment_plan", kind=name_kind(listed), expected="list")
    plan = []
    for line in listed:
        entry = _object(line, "payment_plan")
        due_on, amount = read_day(entry.get("due_on"), "payment_plan"), _yuan(entry, "amount")
        if due_on is None or not amount:
            raise invalid(Code.REQUIRED, "payment_plan")
        plan.append((due_on, amount))
    return tuple(sorted(plan))


def _object(item: Any, field: str | None = None) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise invalid(Code.WRONG_SHAPE, field, kind=name_kind(item), expected="object")
    return item


def _id(data: Mapping[str, Any], name: str) -> str:
    text = read_id(data.get(name), name)
    if text is None:
        raise invalid(Code.REQUIRED, name)
    return text


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    text = read_text(data.get(name), name, longest)
    if text is None:
        raise invalid(Code.REQUIRED, name)
    return text


def _code(data: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the supplier's credit code, and whether something stands there that is none."""
    text = read_text(data.get("supplier_code"), "supplier_code", _LONGEST_CODE)
    if text is None:
        return None, False
    return (credit_code.normalise(text), False) if credit_code.is_valid(text) else (None, True)


def _currency(data: Mapping[str, Any]) -> str | None:
    text = read_text(data.get("currency"), "currency", 20)
    return None if text is None else normalise_currency(text)


def _yuan(data: Mapping[str, Any], name: str, *, least: int | None = 0) -> int | None:
    value = data.get(name)
    if value is None or isinstance(value, bool):
        return None
    try:
        return money.parse_yuan(plain(value), name, least=least)
    except (ArithmeticError, ValueError) as error:
        raise invalid(Code.NOT_A_NUMBER, name, value=str(value)[:40]) from error
