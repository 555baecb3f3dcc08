"""Proofs: the figures of an offer with all they follow from, made for its parties, checked for anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import rfc8785

from market import cost, proof
from market.cost import Cost
from market.errors import Code, Fault, Invalid, invalid
from market.money import LONGEST, parse_decimal
from market.proof import SCHEMA, TimedFlow
from market.schedule import Unit
from models.bid import Bid
from services.exchange.fields import Number, Table, load, name_kind, shorten
from services.exchange.offers import read_terms, write_terms

#: Members that are there for the reader and that the hash leaves out.
_SPOKEN = frozenset({"words"})
#: A time as an exact fraction of a year.
_TIME = re.compile(r"(-?[0-9]{1,40})/([0-9]{1,40})", re.ASCII)
#: Times beyond this many years are no schedule.
_MOST_YEARS = 10_000


def make(priced: Cost, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the proof document of a cost: ``schema``, ``proof`` and its hash.

    ``about`` says which offer it is (``describe``); two documents of one offer are the same byte for byte.
    """
    facts = proof.compose(priced, write_terms(priced.terms), about or {})
    return {"schema": SCHEMA, "proof": facts, "sha256": proof.seal(facts)}


def describe(bid: Bid) -> dict[str, Any]:
    """Return which offer a proof is of, in facts that are the same for its institution and its firm."""
    need = bid.need
    told = {
        "need": need.id,
        "bid": bid.id,
        "institution": bid.organisation.credit_code,
        "product": bid.product_id,
        "received_at": bid.receipt_at.isoformat(),
        "receipt": bid.receipt_hash,
    }
    if need.lpr_date is None:
        return told
    return told | {
        "lpr": {
            "date": need.lpr_date.isoformat(),
            "one_year": _write_rate(need.lpr_1y),
            "five_year": _write_rate(need.lpr_5y),
        }
    }


def read(content: bytes) -> tuple[dict[str, Any], list[Fault]]:
    """Return a proof document and everything in it that does not follow from the rest; [] for a sound one.

    Looked at by itself, in this order: the hash, the figures that follow from the flows, the flows and
    figures that follow from the terms. Raises ``Invalid`` for what is no proof document at all.
    """
    document = _plain(load(content), "")
    if not isinstance(document, dict):
        raise invalid(Code.WRONG_SHAPE, None, kind=name_kind(document), expected="object")
    faults = [
        Fault(Code.UNKNOWN_FIELD, name, {"value": shorten(name)})
        for name in document
        if name not in {"schema", "proof", "sha256"} | _SPOKEN
    ]
    if document.get("schema") != SCHEMA:
        raise invalid(Code.NOT_A_CHOICE, "schema", value=shorten(document.get("schema")), choices=[SCHEMA])
    facts = document.get("proof")
    if not isinstance(facts, dict):
        raise invalid(Code.WRONG_SHAPE, "proof", kind=name_kind(facts), expected="object")
    try:
        seal = proof.seal(facts)
    except rfc8785.CanonicalizationError as error:
        raise invalid(Code.UNREADABLE_FILE, "proof", why=str(error)) from None
    faults += proof.differences(document, {"sha256": seal}, "")
    unit, flows = _read_flows(facts)
    faults += proof.differences(facts, proof.recompute(unit, flows), "proof")
    faults += _check_terms(facts)
    # One figure may be wrong for two reasons; once is enough to say so.
    return document, list({(fault.field, str(fault.values)): fault for fault in faults}.values())


def _check_terms(facts: Mapping[str, Any]) -> list[Fault]:
    """Return what does not follow from the terms of the offer."""
    about = facts.get("about")
    try:
        priced = cost.price(read_terms(facts.get("terms"), "proof.terms"))
    except Invalid as error:
        return list(error.faults)
    expected = proof.compose(priced, write_terms(priced.terms), about if isinstance(about, dict) else {})
    unknown = [
        Fault(Code.UNKNOWN_FIELD, f"proof.{name}", {"value": shorten(name)})
        for name in facts
        if name not in expected
    ]
    return [*unknown, *proof.differences(facts, expected, "proof")]


def _read_flows(facts: Mapping[str, Any]) -> tuple[Unit, list[TimedFlow]]:
    """Return the flows of a proof as they stand; raises ``Invalid`` with every fault."""
    unit, listed = facts.get("unit"), facts.get("flows")
    if not isinstance(unit, str) or unit not in set(Unit):
        raise invalid(
            Code.NOT_A_CHOICE, "proof.unit", value=shorten(unit), choices=[unit.value for unit in Unit]
        )
    if not isinstance(listed, list):
        raise invalid(Code.WRONG_SHAPE, "proof.flows", kind=name_kind(listed), expected="list")
    faults: list[Fault] = []
    flows: list[TimedFlow] = []
    for place, row in enumerate(listed):
        at = f"proof.flows[{place}]"
        try:
            flows.append(_read_flow(row, at))
        except Invalid as error:
            faults.extend(error.faults)
    if faults:
        raise Invalid(*faults)
    return Unit(unit), flows


def _read_flow(row: Any, at: str) -> TimedFlow:
    if not isinstance(row, dict):
        raise invalid(Code.WRONG_SHAPE, at, kind=name_kind(row), expected="object")
    texts = {name: row.get(name) for name in ("t", "amount", "payee", "part", "name")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise invalid(Code.WRONG_SHAPE, f"{at}.{name}", kind=name_kind(text), expected="text")
    return TimedFlow(
        row.get("when", ""),
        _read_time(str(texts["t"]), f"{at}.t"),
        parse_decimal(texts["amount"], f"{at}.amount", places=None),
        str(texts["payee"]),
        str(texts["part"]),
        str(texts["name"]),
    )


def _read_time(text: str, at: str) -> Fraction:
    match = _TIME.fullmatch(text)
    if match is None or not int(match[2]):
        raise invalid(Code.NOT_A_NUMBER, at, value=shorten(text))
    years = Fraction(int(match[1]), int(match[2]))
    if not 0 <= years <= _MOST_YEARS:
        raise invalid(Code.TOO_LARGE, at, value=shorten(text), most=_MOST_YEARS)
    return years


def _plain(value: Any, at: str) -> Any:
    """Return strict JSON as plain values; names given twice and numbers that are not whole are refused."""
    if isinstance(value, Table) and value.repeated:
        raise invalid(Code.REPEATED, f"{at}{value.repeated[0]}", value=value.repeated[0])
    if isinstance(value, dict):
        return {name: _plain(inner, f"{at}{name}.") for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{at.rstrip('.')}[{place}].") for place, inner in enumerate(value)]
    if isinstance(value, Number):
        if not value.removeprefix("-").isdecimal() or len(value) > LONGEST:
            raise invalid(Code.NOT_A_NUMBER, at.rstrip("."), value=shorten(value))
        return int(value)
    return value


def _write_rate(rate: Decimal | None) -> str | None:
    return None if rate is None else f"{rate.normalize():f}"
