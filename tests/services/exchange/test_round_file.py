"""A round's file: whole numbers of any length, ids that fit together, every fault with its path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from market.clearing import clear
from market.errors import Code, Invalid
from services.exchange.round_file import read_round, write_clearing

ROUND: dict[str, Any] = {
    "divisible": False,
    "lenders": [{"id": "L1", "capacity": 36}],
    "needs": [{"id": "N1", "unplaced_cost": 900}, {"id": "N2"}],
    "offers": [{"need": "N1", "lender": "L1", "uses": 17, "cost": 8}],
}


def faults(content: str) -> list[tuple[str | None, Code]]:
    with pytest.raises(Invalid) as caught:
        read_round(content.encode())
    return [(fault.field, fault.code) for fault in caught.value.faults]


def test_a_round_is_read_as_it_stands() -> None:
    instance = read_round(json.dumps(ROUND).encode())
    assert [(need.id, need.unplaced_cost, need.divisible) for need in instance.needs] == [
        ("N1", 900, False),
        ("N2", None, False),
    ]
    assert instance.capacity == {"L1": 36}
    assert (instance.offers[0].uses, instance.offers[0].cost) == ((("L1", 17),), 8)


@pytest.mark.parametrize("number", [2**53 + 1, 2**64 + 1, -(10**30), 0])
def test_whole_numbers_of_any_length_are_exact(number: int) -> None:
    needs = [{"id": "N1", "unplaced_cost": number}]
    written = write_clearing(clear(read_round(json.dumps({**ROUND, "needs": needs, "offers": []}).encode())))
    assert (written["objective"], written["bound"]) == (number, number)


@pytest.mark.parametrize(
    ("part", "place", "value", "code"),
    [
        ("lenders", "capacity", -1, Code.TOO_SMALL),
        ("lenders", "capacity", 1.5, Code.NOT_A_NUMBER),
        ("lenders", "capacity", float("nan"), Code.NOT_A_NUMBER),
        ("lenders", "capacity", float("inf"), Code.NOT_A_NUMBER),
        ("lenders", "capacity", True, Code.WRONG_SHAPE),
        ("lenders", "capacity", "36", Code.WRONG_SHAPE),
        ("lenders", "capacity", None, Code.REQUIRED),
        ("lenders", "capacity", 10**80, Code.TOO_LONG),
        ("lenders", "id", 7, Code.NOT_TEXT),
        ("lenders", "colour", "red", Code.UNKNOWN_FIELD),
        ("needs", "id", "", Code.REQUIRED),
        ("needs", "unplaced_cost", 1e3, Code.NOT_A_NUMBER),
        ("offers", "uses", -1, Code.TOO_SMALL),
        ("offers", "cost", [], Code.WRONG_SHAPE),
        ("offers", "need", "N9", Code.NOT_FOUND),
        ("offers", "lender", "N1", Code.NOT_FOUND),
    ],
)
def test_what_is_wrong_is_named_with_its_path(part: str, place: str, value: Any, code: Code) -> None:
    broken = {**ROUND, part: [{**ROUND[part][0], place: value}, *ROUND[part][1:]]}
    assert (f"{part}[0].{place}", code) in faults(json.dumps(broken))


def test_every_fault_is_reported_at_once() -> None:
    broken = {**ROUND, "lenders": [{"id": "L1"}, {"id": "L1", "capacity": 1}], "needs": 5, "extra": 1}
    assert faults(json.dumps(broken)) == [
        ("lenders[0].capacity", Code.REQUIRED),
        ("lenders[1].id", Code.REPEATED),
        ("needs", Code.WRONG_SHAPE),
        ("offers[0].need", Code.NOT_FOUND),
        ("extra", Code.UNKNOWN_FIELD),
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", (None, Code.UNREADABLE_FILE)),
        ("[]", (None, Code.WRONG_SHAPE)),
        ("{", (None, Code.UNREADABLE_FILE)),
        ('{"lenders": [], "needs": []}', ("offers", Code.REQUIRED)),
        ('{"lenders": [], "lenders": [], "needs": [], "offers": []}', ("lenders", Code.REPEATED)),
    ],
)
def test_what_is_no_round_is_refused(content: str, fault: tuple[str | None, Code]) -> None:
    assert fault in faults(content)
