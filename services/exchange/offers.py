"""Offers as JSON: the form of ``flask price``, of the API, and of the terms stored with bids and loans.

Pure reading and writing: amounts are yuan strings, rates exact decimals per year, dates year-month-day.
Whatever is wrong is reported at once, each fault with its path (``offers[0].fees[1].rate``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from market.cashflow import due_dates
from market.errors import Code, Fault, Invalid, invalid
from market.lpr import LprTable, floating_rate
from market.money import LONGEST, parse_decimal, parse_yuan, yuan
from market.terms import Fee, FlowTerms, LeaseTerms, LoanTerms, Period, Subsidy, Terms
from market.vocabulary import DayCount, FeeBasis, FeeTiming, LprTenor, Recipient, RentTiming, Repayment
from services.exchange.fields import Fields, load, name_kind, parse_day, parse_whole, plain, shorten

LONGEST_TERM = 600
#: A fee of more than ten times its basis is a slip of the pen.
MOST_FEE = Decimal(10)
MOST_SPREAD = 10_000
#: Period numbers beyond this many months or years are no schedule.
MOST_PERIOD = 100_000
KINDS = ("loan", "lease", "flows")

_PERIOD_NUMBER = re.compile(r"(-?[0-9]+)(?:\.([0-9]+)|/([0-9]{1,3}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Offer:
    """One entry of an offers file."""

    id: str
    terms: LoanTerms | LeaseTerms | FlowTerms


def read_file(content: bytes, lpr: LprTable) -> list[Offer]:
    """Return the offers of a JSON file; raises ``Invalid`` with every fault in it."""
    faults: list[Fault] = []
    document = Fields(load(content), "", faults)
    offers = [_read_entry(item, path, faults, lpr) for path, item in document.items("offers")]
    if not offers and not faults:
        document.note(Code.REQUIRED, "offers")
    document.finish()
    seen: set[str] = set()
    for place, offer in enumerate(offers):
        if offer.id and offer.id in seen:
            faults.append(Fault(Code.REPEATED, f"offers[{place}].id", {"value": offer.id}))
        seen.add(offer.id)
    if faults:
        raise Invalid(*faults)
    return offers


def read_offer(data: Any, path: str = "", *, lpr: LprTable | None = None) -> Terms:
    """Return the terms of one loan or lease (``kind`` says which); raises ``Invalid`` with every fault.

    Without ``lpr`` a floating rate is refused: what is stored has its rate fixed.
    """
    faults: list[Fault] = []
    fields = Fields(data, path, faults)
    kind = _read_kind(fields, KINDS[:2])
    terms = _read_regular(fields, kind, lpr)
    fields.finish()
    if faults:
        raise Invalid(*faults)
    return terms


def write_offer(terms: Terms) -> dict[str, Any]:
    """Return the terms as JSON values that ``read_offer`` reads back to the same terms."""
    written: dict[str, Any] = {
        "kind": "loan" if isinstance(terms, LoanTerms) else "lease",
        "principal": yuan(terms.principal),
        "months": terms.months,
        "rate": f"{terms.rate:f}",
        "day_count": terms.day_count.value,
    }
    if terms.start is not None:
        written["start"] = terms.start.isoformat()
    if isinstance(terms, LoanTerms):
        written["repayment"] = terms.repayment.value
        if terms.draws:
            written["draws"] = [[month, yuan(amount)] for month, amount in terms.draws]
    else:
        written |= {"rent": terms.rent.value, "deposit": f"{terms.deposit:f}", "buyout": yuan(terms.buyout)}
    if terms.fees:
        written["fees"] = [{**_write_charge(fee), "payee": fee.payee} for fee in terms.fees]
    if terms.subsidies:
        written["subsidies"] = [
            {**_write_charge(subsidy), "recipient": subsidy.recipient.value} for subsidy in terms.subsidies
        ]
    return written


def read_fees(data: Any, path: str = "fees") -> tuple[Fee, ...]:
    """Return a list of fees; raises ``Invalid`` with every fault."""
    return cast("tuple[Fee, ...]", _read_list(data, path, _read_fee))


def read_subsidies(data: Any, path: str = "subsidies") -> tuple[Subsidy, ...]:
    """Return a list of subsidies; raises ``Invalid`` with every fault."""
    return cast("tuple[Subsidy, ...]", _read_list(data, path, _read_subsidy))


def _read_list(data: Any, path: str, read: Any) -> tuple[Any, ...]:
    faults: list[Fault] = []
    holder = Fields({path: data}, "", faults)
    listed = tuple(read(item, at, faults) for at, item in holder.items(path))
    if faults:
        raise Invalid(*faults)
    return listed


def _read_entry(item: Any, path: str, faults: list[Fault], lpr: LprTable) -> Offer:
    fields = Fields(item, path, faults)
    id = fields.text("id")
    kind = _read_kind(fields, KINDS)
    terms: LoanTerms | LeaseTerms | FlowTerms
    terms = _read_flows(fields) if kind == "flows" else _read_regular(fields, kind, lpr)
    # Without a kind nothing else can be judged: one fault says enough.
    if kind:
        fields.finish()
    return Offer(id, terms)


def _read_kind(fields: Fields, kinds: Sequence[str]) -> str:
    kind = fields.text("kind")
    if kind in kinds:
        return str(kind)
    if kind:
        fields.note(Code.NOT_A_CHOICE, "kind", value=shorten(kind), choices=list(kinds))
    return ""


def _read_regular(fields: Fields, kind: str, lpr: LprTable | None) -> Terms:
    if not kind:
        return LoanTerms(1, 1, Decimal(0), Repayment.BULLET)
    principal = fields.yuan("principal", least=1)
    months = fields.whole("months", least=1, most=LONGEST_TERM)
    day_count = fields.choice("day_count", DayCount, DayCount.THIRTY_360)
    start = fields.day("start", None)
    rate = _read_price(fields, start, lpr)
    fees = tuple(_read_fee(item, at, fields.faults) for at, item in fields.items("fees"))
    subsidies = tuple(_read_subsidy(item, at, fields.faults) for at, item in fields.items("subsidies"))
    if start is None and day_count is not DayCount.THIRTY_360:
        if not fields.has("start"):
            fields.note(Code.REQUIRED, "start")
    elif start is not None:
        try:
            due_dates(start, months)
        except Invalid:
            fields.note(Code.NOT_A_DATE, "start", value=start.isoformat())
    if kind == "loan":
        repayment = fields.choice("repayment", Repayment)
        draws = _read_draws(fields, repayment, months, principal)
        return LoanTerms(principal, months, rate, repayment, day_count, start, fees, subsidies, draws)
    rent = fields.choice("rent", RentTiming, RentTiming.ARREARS)
    deposit = fields.rate("deposit", Decimal(0), most=Decimal(1))
    buyout = fields.yuan("buyout", 0)
    return LeaseTerms(principal, months, rate, rent, deposit, buyout, start, fees, subsidies, day_count)


def _read_price(fields: Fields, start: date | None, lpr: LprTable | None) -> Decimal:
    """Return the fixed rate, or LPR + spread on the day of ``start``."""
    if not fields.has("lpr"):
        return cast(Decimal, fields.rate("rate"))
    if lpr is None:
        fields.note(Code.UNKNOWN_FIELD, "lpr", value="lpr")
        fields.has("rate")
        return Decimal(0)
    if fields.has("rate"):
        fields.note(Code.ONE_OF, "lpr", choices=["rate", "lpr"])
    floating = Fields(fields.data["lpr"], fields.at("lpr"), fields.faults)
    tenor = floating.choice("tenor", LprTenor)
    spread = floating.whole("spread_bp", 0, least=-MOST_SPREAD, most=MOST_SPREAD)
    floating.finish()
    if start is None or start == date.min:
        if not fields.has("start"):
            fields.note(Code.REQUIRED, "start")
        return Decimal(0)
    try:
        rate = floating_rate(lpr, tenor, start, spread)
    except Invalid as error:
        fields.faults.extend(Fault(fault.code, fields.at("start"), fault.values) for fault in error.faults)
        return Decimal(0)
    if rate < 0:
        least = -int(floating_rate(lpr, tenor, start, 0) * 10_000)
        floating.note(Code.TOO_SMALL, "spread_bp", value=spread, least=least)
        return Decimal(0)
    return rate


def _read_draws(
    fields: Fields, repayment: Repayment, months: int, principal: int
) -> tuple[tuple[int, int], ...]:
    """Read the draw list of a revolving loan: [month, yuan], + drawn and - repaid early."""
    draws: list[tuple[int, int]] = []
    for at, item in fields.items("draws"):
        if repayment is not Repayment.REVOLVING:
            fields.note(Code.UNKNOWN_FIELD, "draws", value="draws")
            return ()
        try:
            month, amount = _pair(item, at)
            draws.append(
                (
                    parse_whole(month, f"{at}[0]", least=0, most=months - 1),
                    parse_yuan(plain(amount), f"{at}[1]", least=None),
                )
            )
        except Invalid as error:
            fields.faults.extend(error.faults)
    draws.sort(key=lambda draw: draw[0])
    outstanding = 0
    for place, (month, amount) in enumerate(draws):
        outstanding += amount
        settled = place + 1 == len(draws) or draws[place + 1][0] != month
        if settled and not 0 <= outstanding <= principal:
            if outstanding < 0:
                fields.note(Code.TOO_SMALL, "draws", value=yuan(outstanding), least=yuan(0))
            else:
                fields.note(Code.TOO_LARGE, "draws", value=yuan(outstanding), most=yuan(principal))
            return ()
    return tuple(draws)


def _read_fee(item: Any, path: str, faults: list[Fault]) -> Fee:
    fields = Fields(item, path, faults)
    name, when, basis, rate, amount = _read_charge(fields, "fee")
    fee = Fee(name, when, fields.text("payee", "lender"), basis, rate, amount)
    fields.finish()
    return fee


def _read_subsidy(item: Any, path: str, faults: list[Fault]) -> Subsidy:
    fields = Fields(item, path, faults)
    name, when, basis, rate, amount = _read_charge(fields, "subsidy")
    subsidy = Subsidy(name, when, fields.choice("recipient", Recipient, Recipient.FIRM), basis, rate, amount)
    fields.finish()
    return subsidy


def _read_charge(fields: Fields, word: str) -> tuple[str, FeeTiming, FeeBasis, Decimal | None, int | None]:
    name = fields.text("name", word)
    when = fields.choice("when", FeeTiming)
    basis = fields.choice("basis", FeeBasis, FeeBasis.PRINCIPAL)
    has_rate, has_amount = fields.has("rate"), fields.has("amount")
    rate = fields.rate("rate", most=MOST_FEE) if has_rate or not has_amount else None
    amount = fields.yuan("amount") if has_amount else None
    if has_amount and (has_rate or fields.has("basis")):
        fields.note(Code.ONE_OF, "amount", choices=["rate", "amount"])
    return name, when, basis, rate, amount


def _write_charge(charge: Fee | Subsidy) -> dict[str, Any]:
    written: dict[str, Any] = {"name": charge.name, "when": charge.when.value}
    if charge.rate is None:
        return {**written, "amount": yuan(charge.amount or 0)}
    return {**written, "basis": charge.basis.value, "rate": f"{charge.rate:f}"}


def _read_flows(fields: Fields) -> FlowTerms:
    known = len(fields.faults)
    period = fields.choice("period", Period, None)
    if len(fields.faults) > known:
        # Whether dates or numbers are meant is not known: nothing to say about the flows themselves.
        fields.has("flows")
        return FlowTerms(())
    read_time = parse_day if period is None else parse_period
    listed = list(fields.items("flows"))
    flows: list[tuple[Any, Any]] = []
    for at, item in listed:
        values: list[Any] = []
        try:
            pair = _pair(item, at)
        except Invalid as error:
            fields.faults.extend(error.faults)
            continue
        for place, (value, read) in enumerate(zip(pair, (read_time, _parse_amount), strict=True)):
            try:
                values.append(read(value, f"{at}[{place}]"))
            except Invalid as error:
                fields.faults.extend(error.faults)
        if len(values) == 2:
            flows.append((values[0], values[1]))
    if not listed and not isinstance(fields.data.get("flows"), (str, Mapping)):
        fields.note(Code.REQUIRED, "flows")
    return FlowTerms(tuple(flows), period)


def _parse_amount(value: Any, at: str) -> Decimal:
    return parse_decimal(plain(value), at, places=None)


def parse_period(value: Any, at: str) -> Fraction:
    """Return a period number: whole, decimal (``0.5``) or a simple fraction (``1/3``)."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if text is None:
        raise invalid(Code.NOT_A_NUMBER, at, value=shorten(value))
    if "/" not in text:
        number = Fraction(parse_decimal(text, at, places=None))
    else:
        match = _PERIOD_NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        if match is None or not match[3] or int(match[3]) == 0 or text.startswith("-0/"):
            raise invalid(Code.NOT_A_NUMBER, at, value=shorten(text))
        number = Fraction(int(match[1]), int(match[3]))
    if abs(number) > MOST_PERIOD:
        raise invalid(Code.TOO_LARGE, at, value=shorten(text), most=MOST_PERIOD)
    return number


def _pair(item: Any, at: str) -> tuple[Any, Any]:
    if isinstance(item, (str, Mapping)) or not isinstance(item, Sequence) or len(item) != 2:
        raise invalid(Code.WRONG_SHAPE, at, kind=name_kind(item), expected="pair")
    return item[0], item[1]
