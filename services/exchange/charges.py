"""Fees and subsidies as JSON: ``{"name", "payee", "when", "basis", "rate"}``, or a flat ``amount``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.errors import Code, Fault, Invalid
from market.money import yuan
from market.prepaid_interest import find_prepaid_interest
from market.terms import LENDER, Fee, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Recipient
from services.exchange.fields import Fields

LONGEST_TERM = 600
#: A fee of more than ten times its basis is a slip of the pen.
MOST_FEE = Decimal(10)
#: Public money that comes later than this is not counted on.
MOST_LAG = 24


@dataclass(frozen=True, slots=True)
class Frame:
    """What the charges of an offer stand in: its months, who takes the fees that name nobody, the bases.

    The charges of a ``stored`` offer were judged when it came in: what says nothing, but harms nothing, is
    then no fault.
    """

    term: int = LONGEST_TERM
    payee: str = LENDER
    bases: tuple[FeeBasis, ...] = tuple(FeeBasis)
    stored: bool = False


def read_fees(data: Any, path: str = "fees") -> tuple[Fee, ...]:
    """Return a list of fees; raises ``Invalid`` with every fault."""
    faults: list[Fault] = []
    fees = list_fees(Fields({path: data}, "", faults), Frame(), path)
    if faults:
        raise Invalid(*faults)
    return fees


def read_subsidies(data: Any, path: str = "subsidies") -> tuple[Subsidy, ...]:
    """Return a list of subsidies; raises ``Invalid`` with every fault."""
    faults: list[Fault] = []
    subsidies = list_subsidies(Fields({path: data}, "", faults), Frame(), path)
    if faults:
        raise Invalid(*faults)
    return subsidies


def list_fees(fields: Fields, frame: Frame, name: str = "fees") -> tuple[Fee, ...]:
    """Read the fees of an offer."""
    return tuple(_read_fee(Fields(item, at, fields.faults), frame) for at, item in fields.items(name))


def list_subsidies(fields: Fields, frame: Frame, name: str = "subsidies") -> tuple[Subsidy, ...]:
    """Read the subsidies of an offer."""
    return tuple(_read_subsidy(Fields(item, at, fields.faults), frame) for at, item in fields.items(name))


def refuse_prepaid_interest(fields: Fields, fees: Sequence[Fee], *, short: bool) -> None:
    """Note the fees by which a lender would deduct its interest in advance; ``short`` loans count in days."""
    for place in find_prepaid_interest(fees, short=short):
        fields.note(Code.INTEREST_IN_ADVANCE, f"fees[{place}].name", value=fees[place].name[:40])


def write_fee(fee: Fee) -> dict[str, Any]:
    """Return a fee as JSON values."""
    return {**_write_charge(fee), "payee": fee.payee}


def write_subsidy(subsidy: Subsidy) -> dict[str, Any]:
    """Return a subsidy as JSON values."""
    written = {**_write_charge(subsidy), "recipient": subsidy.recipient.value}
    for name in ("cap", "budget"):
        if (most := getattr(subsidy, name)) is not None:
            written[name] = yuan(most)
    if subsidy.lag_months:
        written["lag_months"] = subsidy.lag_months
    if subsidy.passed_on:
        written["passed_on"] = f"{subsidy.passed_on:f}"
    return written


def write_charges(fees: Sequence[Fee], subsidies: Sequence[Subsidy] = ()) -> dict[str, Any]:
    """Return the fees and subsidies of an offer as the fields they are read from."""
    written: dict[str, Any] = {}
    if fees:
        written["fees"] = [write_fee(fee) for fee in fees]
    if subsidies:
        written["subsidies"] = [write_subsidy(subsidy) for subsidy in subsidies]
    return written


def _read_fee(fields: Fields, frame: Frame) -> Fee:
    common = _read_charge(fields, "fee", frame)
    fee = Fee(**common, payee=fields.text("payee", frame.payee))
    fields.finish()
    return fee


def _read_subsidy(fields: Fields, frame: Frame) -> Subsidy:
    common = _read_charge(fields, "subsidy", frame)
    recipient = fields.choice("recipient", Recipient, Recipient.FIRM)
    passed_on = fields.rate("passed_on", Decimal(0), most=Decimal(1))
    if passed_on and recipient is Recipient.FIRM and not frame.stored:
        # What the firm receives itself cannot be passed on to it.
        choices = [Recipient.INSTITUTION.value]
        fields.note(Code.NOT_A_CHOICE, "recipient", value=recipient.value, choices=choices)
    subsidy = Subsidy(
        **common,
        recipient=recipient,
        cap=fields.yuan("cap", None),
        budget=fields.yuan("budget", None),
        lag_months=fields.whole("lag_months", 0, least=0, most=MOST_LAG),
        passed_on=passed_on,
    )
    fields.finish()
    return subsidy


def _read_charge(fields: Fields, word: str, frame: Frame) -> dict[str, Any]:
    name = fields.text("name", word)
    when = fields.choice("when", FeeTiming)
    basis = fields.choice("basis", FeeBasis, FeeBasis.PRINCIPAL)
    has_rate, has_amount = fields.has("rate"), fields.has("amount")
    rate = fields.rate("rate", most=MOST_FEE) if has_rate or not has_amount else None
    amount = fields.yuan("amount") if has_amount else None
    part = fields.rate("part", Decimal(1), most=Decimal(1))
    # A flat amount is a share of nothing.
    shared = fields.has("basis") or (fields.has("part") and not frame.stored)
    if has_amount and (has_rate or shared):
        fields.note(Code.ONE_OF, "amount", choices=["rate", "amount"])
    elif basis not in frame.bases and not frame.stored:
        choices = [basis.value for basis in frame.bases]
        fields.note(Code.NOT_A_CHOICE, "basis", value=basis.value, choices=choices)
    last = LONGEST_TERM if frame.stored else frame.term
    return {
        "name": name,
        "when": when,
        "basis": basis,
        "rate": rate,
        "amount": amount,
        "part": part,
        "from_month": fields.whole("from_month", 0, least=0, most=last - 1),
    }


def _write_charge(charge: Fee | Subsidy) -> dict[str, Any]:
    written: dict[str, Any] = {"name": charge.name, "when": charge.when.value}
    if charge.rate is None:
        written["amount"] = yuan(charge.amount or 0)
    else:
        written |= {"basis": charge.basis.value, "rate": f"{charge.rate:f}"}
    if charge.part != 1:
        written["part"] = f"{charge.part:f}"
    if charge.from_month:
        written["from_month"] = charge.from_month
    return written
