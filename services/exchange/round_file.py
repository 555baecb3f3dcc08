"""A matching round as JSON: the form of ``flask clear``; whole numbers only, every fault with its path.

Ids are texts; amounts and costs whole numbers of any length (fen, or the file's own units). A need without
``unplaced_cost`` must be placed. What is not known, given twice or points nowhere is a fault.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from market.clearing import Clearing, Instance, Need, Offer, Placement
from market.errors import Code, Fault, Invalid, invalid
from services.exchange.fields import Fields, Number, load, name_kind, shorten

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
#: More digits than any amount has; a bound, so that a file cannot make work by length alone.
LONGEST_NUMBER = 60


def read_round(content: bytes) -> Instance:
    """Return the instance of a JSON file; raises ``Invalid`` with every fault in it."""
    faults: list[Fault] = []
    document = Fields(load(content), "", faults)
    divisible = document.flag("divisible", False)
    lenders: dict[str, int] = {}
    needs: dict[str, Need] = {}
    offers: list[Offer] = []
    for name in ("lenders", "needs", "offers"):
        document.need(name)
    for path, item in document.items("lenders"):
        fields = Fields(item, path, faults)
        id = _new_id(fields, lenders)
        lenders[id] = _whole(fields, "capacity", least=0)
        fields.finish()
    for path, item in document.items("needs"):
        fields = Fields(item, path, faults)
        id = _new_id(fields, needs)
        cost = _whole(fields, "unplaced_cost") if fields.has("unplaced_cost") else None
        needs[id] = Need(id, unplaced_cost=cost, divisible=divisible)
        fields.finish()
    for path, item in document.items("offers"):
        fields = Fields(item, path, faults)
        need, lender = _known_id(fields, "need", needs), _known_id(fields, "lender", lenders)
        uses, cost = _whole(fields, "uses", least=0), _whole(fields, "cost")
        # Files give no receipts: equal offers of one lender stand in the order of what they cost and use.
        offers.append(Offer(need, (lender, cost, uses), 0, cost, ((lender, uses),)))
        fields.finish()
    document.finish()
    if faults:
        raise Invalid(*faults)
    return Instance(tuple(needs.values()), lenders, tuple(offers))


def write_clearing(clearing: Clearing) -> dict[str, Any]:
    """Return what a clearing proposes as JSON values, without why and how long."""
    return {
        "status": clearing.status,
        "objective": number(clearing.objective),
        "bound": number(clearing.bound),
        "gap": clearing.gap,
        "placed": [_write_placement(placement) for own in clearing.placed.values() for placement in own],
    }


def number(value: int | Fraction | None) -> int | float | None:
    """Return a value as a JSON number: whole if it is whole, else in full double precision."""
    if value is None or isinstance(value, int):
        return value
    return int(value) if value.denominator == 1 else float(value)


def _write_placement(placement: Placement) -> dict[str, Any]:
    ((lender, _),) = placement.offer.uses
    return {
        "need": placement.offer.need,
        "lender": lender,
        "share": number(placement.share),
        "uses": number(placement.use(lender)),
        "cost": number(placement.cost),
    }


def _new_id(fields: Fields, known: dict[str, Any]) -> str:
    id = str(fields.text("id"))
    if id and id in known:
        fields.note(Code.REPEATED, "id", value=id)
    return id


def _known_id(fields: Fields, name: str, known: dict[str, Any]) -> str:
    id = str(fields.text(name))
    if id and id not in known:
        fields.note(Code.NOT_FOUND, name, what=name, id=shorten(id), value=shorten(id))
    return id


def _whole(fields: Fields, name: str, *, least: float = -math.inf) -> int:
    """Read a whole number of any length, written without fraction or exponent."""
    if not fields.has(name):
        fields.note(Code.REQUIRED, name)
        return 0
    value = fields.data[name]
    try:
        if not isinstance(value, Number):
            raise invalid(Code.WRONG_SHAPE, fields.at(name), kind=name_kind(value), expected="whole number")
        if not _WHOLE.fullmatch(value) or value == "-0":
            raise invalid(Code.NOT_A_NUMBER, fields.at(name), value=shorten(value))
        if len(value) > LONGEST_NUMBER:
            raise invalid(Code.TOO_LONG, fields.at(name), value=shorten(value), most=LONGEST_NUMBER)
        if int(value) < least:
            raise invalid(Code.TOO_SMALL, fields.at(name), value=shorten(value), least=int(least))
    except Invalid as error:
        fields.faults.extend(error.faults)
        return 0
    return int(value)
