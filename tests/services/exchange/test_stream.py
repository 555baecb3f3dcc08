"""Text out of streams: whatever is cut where, the same text comes out."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange import stream
from services.exchange.stream import DAMAGE, Source


def text_of(data: bytes) -> str:
    return b"".join(Source(io.BytesIO(data)).blocks()).decode()


@pytest.fixture(params=[1, 3, 64, 1 << 16])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the stream in blocks of some size."""
    monkeypatch.setattr(stream, "BLOCK", request.param)


@pytest.fixture(params=range(64, 90))
def mend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Mend a text in small pieces, with borders in all sorts of places."""
    monkeypatch.setattr(stream, "PIECE", request.param)
    return lambda text: b"".join(stream._mend(bytes([byte]) for byte in text.encode())).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("packed", [False, True])
def test_blocks_of_any_size_join_into_the_same_text(block: None, encoding: str, packed: bool) -> None:
    text = json.dumps(
        ["供应链金融", "\U0001f600\U0001f600", "é" * 50, "x" * 100, 3.5, None] * 3, ensure_ascii=False
    )
    data = text.encode(encoding)
    assert text_of(gzip.compress(data) if packed else data) == text


@given(st.text().filter(lambda text: DAMAGE not in text))
def test_escaped_texts_survive_mending(text: str) -> None:
    written = json.dumps([text, "\\", '"', "NaN", 1, text * 9])
    assert json.loads(text_of(written.encode())) == json.loads(written) or "\\ud" in written.lower()


def test_escapes_survive_every_border(mend: Callable[[str], str]) -> None:
    text = "\U0001f600" * 60 + "中" * 30 + "x" * 99 + "\\" * 50 + '"\n' * 40 + "é" * 40 + "7" * 250
    for written in (json.dumps([text]), json.dumps([text], ensure_ascii=False)):
        assert mend(written) == written


def test_no_border_hides_what_must_be_mended(mend: Callable[[str], str]) -> None:
    text = "[" + ", ".join(["NaN", "-Infinity", '"\\ud800"', '"\\udc00!"'] * 20) + "]"
    mended = "[" + ", ".join(["1e999999", "1e999999", '"\\ufdd0"', '"\\ufdd0!"'] * 20) + "]"
    assert mend(text) == mended


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "7" * 400])
def test_what_json_has_no_number_for_becomes_a_number_beyond_all_amounts(block: None, written: str) -> None:
    assert text_of(f'{{"a": {written}, "b": "NaN"}}'.encode()).endswith(', "b": "NaN"}')
    assert "1e999999" in text_of(f'{{"a": {written}}}'.encode())


def test_bytes_that_are_no_text_are_marked_where_they_stand() -> None:
    assert text_of(b'["a\xffb", "\xe4\xb8", "ok"]') == f'["a{DAMAGE}b", "{DAMAGE}", "ok"]'


def test_control_characters_become_spaces() -> None:
    assert text_of(b'["a\tb\x00c"]\r\n') == '["a b c"] \n'


@pytest.mark.parametrize("unit", ["x", "供应链", "\\u4e2d", "\\\\", "é\\n"])
def test_texts_of_many_blocks_lose_their_middle_but_stay_texts(unit: str) -> None:
    long = unit * (1_000_000 // len(unit))
    shortened = text_of(f'{{"long": "{long}", "next": "kept"}}'.encode())
    read = json.loads(shortened)
    assert read["next"] == "kept"
    if unit != "\\\\":
        # Backslashes alone give no place to cut; they are rare enough to be read as they are.
        assert len(shortened) < 300_000
        assert set(read["long"]) == set(json.loads(f'"{unit}"'))


def test_ordinary_texts_lose_nothing() -> None:
    long = '供应链\\"金融' * 2000
    assert text_of(f'{{"a": "{long}", "b": "{long}"}}'.encode()) == f'{{"a": "{long}", "b": "{long}"}}'
