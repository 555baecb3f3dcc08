from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from blueprints import explanations, labels, messages, particulars
from market import contract_record, eligibility, lifecycle, root, vocabulary
from market.errors import Code, Fault, Invalid

#: One plausible value for every name that any sentence may use.
VALUES = {
    **{"value": "24o", "most": "10", "least": "1", "choices": ["a", "b"], "after": date(2026, 11, 20)},
    **{"capability": ["officer"], "what": "need", "id": "7", "kind": "bank", "expected": ["enterprise"]},
    **{"state": "draft", "move": "publish", "deadline": datetime(2026, 11, 20, 7, tzinfo=UTC)},
    **{"until": "2026-11-20T07:00:00+00:00", "conditions": [], "note": "no_root"},
    **{"valid_until": "2026-11-20T07:00:00+00:00", "limit": 100, "used": 50, "asked": 70, "count": 1},
    **{"declared": "0.0365", "computed": "0.0410", "reason": ["no_amount"], "key": "HT-1/9135"},
    **{"ends": "2027-01-01", "latest": "2026-12-01", "supplier": "9135", "given": 1, "expected_amount": 2},
    "why": "not_json",
}


@pytest.fixture(autouse=True, params=["zh", "en"])
def language(request: pytest.FixtureRequest, site: Flask) -> Iterator[str]:
    with site.test_request_context("/"), force_locale(request.param):
        yield request.param


def documented() -> dict[Code, list[str]]:
    """Return the names of the values that ``market/errors.py`` promises for each code."""
    text = (Path(messages.__file__).parent.parent / "market" / "errors.py").read_text(encoding="utf-8")
    found = re.findall(r'^    [A-Z_]+ = "(\w+)"(?:  # \{([\w, ]*)\})?', text, flags=re.MULTILINE)
    return {Code(code): names.split(", ") if names else [] for code, names in found}


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_sentence_with_its_values(code: Code, language: str) -> None:
    names = documented()[code]
    used = set(re.findall(r"%\((\w+)\)s", str(messages.SENTENCES[code])))
    assert used <= set(names), f"the sentence of {code} uses values that its faults do not carry"
    said = messages.reason(Fault(code, None, {name: VALUES.get(name, "7") for name in names}))
    assert "%" not in re.sub(r"\d%", "", said)
    assert "—" not in said or not names or code is Code.NOT_ELIGIBLE
    assert said[-1] in ".。"
    assert bool(re.search(r"[一-鿿]", said)) is (language == "zh")


@pytest.mark.parametrize("code", list(Code))
def test_a_fault_that_forgot_its_values_still_makes_a_sentence(code: Code) -> None:
    assert messages.sentence(Fault(code, "amount"))


def test_a_sentence_names_its_field_and_a_row_its_number(language: str) -> None:
    said = messages.sentence(Fault(Code.REQUIRED, "fees.2.rate"))
    assert (
        said
        == {"zh": "费用 3 › 年利率：请填写此项。", "en": "Fees 3 › Annual rate: Please fill this in."}[
            language
        ]
    )
    said = messages.sentence(Fault(Code.REQUIRED, "terms.rate"))
    assert said == {"zh": "年利率：请填写此项。", "en": "Annual rate: Please fill this in."}[language]
    said = messages.sentence(Fault(Code.REQUIRED, "amount"), "你要多少钱")
    assert said.startswith("你要多少钱")


def test_amounts_are_said_as_people_say_them_and_sent_to_programs_exactly(language: str) -> None:
    fault = Fault(Code.TOO_LARGE, "principal", {"value": 12_800_000_000, "most": 5_000_000_000})
    said = messages.reason(fault)
    assert (
        said
        == {
            "zh": "1.28亿元 过大，最多为 5,000万元。",
            "en": "¥128 million is too large: at most ¥50 million.",
        }[language]
    )
    assert particulars.for_programs(fault) == {"value": "128000000.00", "most": "50000000.00"}
    left = Fault(Code.LIMIT_EXCEEDED, "principal", {"asked": 200_000_000, "left": 100_000_000})
    assert {"zh": "100万元", "en": "¥1 million"}[language] in messages.reason(left)


def test_rates_are_said_as_percentages() -> None:
    said = messages.reason(
        Fault(Code.ABOVE_CEILING, "rate", {"value": "0.36500000", "most": Decimal("0.24")})
    )
    assert "36.50%" in said and "24.00%" in said
    small = Fault(Code.TOO_SMALL, "rate", {"value": "-0.01", "least": "0"})
    assert "−1.00%" in messages.reason(small)


def test_times_are_said_in_beijing_time(language: str) -> None:
    said = messages.reason(Fault(Code.TOO_LATE, None, {"deadline": "2026-11-20T07:00:00+00:00"}))
    assert {"zh": "2026-11-20 15:00（北京时间）", "en": "2026-11-20 15:00 (Beijing time)"}[language] in said


def test_what_a_person_typed_is_repeated_as_typed_but_never_whole_pages() -> None:
    assert "“officer”" in messages.reason(Fault(Code.NOT_A_NUMBER, "amount", {"value": "officer"}))
    assert len(messages.reason(Fault(Code.NOT_A_NUMBER, "amount", {"value": "9" * 5000}))) < 200


def test_a_condition_says_what_is_asked_and_what_there_is(language: str) -> None:
    failing = [
        {"fact": "age_months", "test": "at_least", "value": 24, "found": 11},
        {"fact": "size_class", "test": "in", "value": ["small", "micro"], "found": "large"},
        {"fact": "has_contract", "test": "is", "value": True, "found": False},
    ]
    said = messages.reason(Fault(Code.NOT_ELIGIBLE, None, {"conditions": failing}))
    assert {"zh": "24 个月", "en": "24 months"}[language] in said
    assert {"zh": "小型、微型", "en": "Small, Micro"}[language] in said


def test_several_faults_are_several_sentences() -> None:
    error = Invalid(Fault(Code.REQUIRED, "amount"), Fault(Code.NOT_A_DATE, "start", {"value": "tomorrow"}))
    assert len(messages.sentences(error)) == 2


def enumerations() -> list[type[Enum]]:
    found = [item for item in vars(vocabulary).values() if isinstance(item, type) and issubclass(item, Enum)]
    return [item for item in found if item not in {StrEnum, IntEnum}]


@pytest.mark.parametrize("kind", enumerations())
def test_every_word_of_the_vocabulary_has_a_label(kind: type[Enum], language: str) -> None:
    said = [str(labels.label(member)) for member in kind]
    assert all(said)
    assert len(set(said)) == len(said), "two members of one list read the same"
    if language == "zh" and kind is not vocabulary.Locale:
        assert all(re.search(r"[一-鿿]|LPR|360", word) for word in said)


def test_every_thing_that_is_not_found_has_a_name() -> None:
    house, named = Path(messages.__file__).parent.parent, set()
    for path in (*(house / "services").rglob("*.py"), *(house / "blueprints").rglob("*.py")):
        named |= set(re.findall(r'not_found\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    assert named and named <= set(particulars.NOUNS)


def test_every_state_and_move_that_a_refusal_names_has_words() -> None:
    kinds = [vocabulary.NeedState, vocabulary.BidState, vocabulary.RoundState, vocabulary.ProposalState]
    kinds += [vocabulary.AwardState, vocabulary.LoanState]
    assert {member.value for kind in kinds for member in kind} <= set(particulars.STATES)
    assert {move.value for move in lifecycle.NeedMove} <= set(particulars.MOVES)


def test_every_explanation_of_the_rules_has_words() -> None:
    assert {note.value for note in root.NoRate} == set(explanations.NO_RATE)
    assert {obstacle.value for obstacle in contract_record.Obstacle} == set(explanations.OBSTACLES)
    assert set(eligibility.FACTS) == set(explanations.FACTS)
