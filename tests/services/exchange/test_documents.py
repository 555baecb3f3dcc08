"""Broken files: what is lost, what is not, and where the fault is said to be."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from market.errors import Code
from services.exchange import ocds, pruning
from services.exchange.rejection import RejectedRow
from tests.procurement import lines, make_contract, make_release, read

GOOD = [make_release(f"o-{n}") for n in range(4)]


def summary(content: Any) -> tuple[list[str], list[tuple[int, Code]]]:
    records, refused = read(content)
    return [r.process_id for r in records], [(row.line, row.fault.code) for row in refused]


@pytest.mark.parametrize(
    "broken",
    [
        b"not json",
        b'{"ocid": "x", "contracts": [',
        b'{"ocid": "x" "contracts": []}',
        b'{"ocid": "x',
        b"{'ocid': 'x'}",
        b"]",
        b'{"ocid": "x"}}',
        b"\xff\xfe\xfa",
        b'{"ocid": \xff}',
        b'{"x": 1e99999999999999999999}',
        b'{"x": tru}',
    ],
)
def test_a_broken_line_costs_that_line_only(broken: bytes) -> None:
    first, *rest = GOOD
    content = lines([first]) + broken + b"\n" + lines(rest)
    assert summary(content) == (["o-0", "o-1", "o-2", "o-3"], [(2, Code.BAD_JSON)])


@pytest.mark.parametrize(
    "stranger", [b"5", b'"text"', b"null", b"{}", b'{"a": {"ocid": 1}}', b"[1]", b"[[]]"]
)
def test_a_line_that_is_json_but_no_procurement_is_refused(stranger: bytes) -> None:
    content = lines(GOOD[:1]) + stranger + b"\n" + lines(GOOD[1:])
    assert summary(content) == (["o-0", "o-1", "o-2", "o-3"], [(2, Code.NOT_OCDS)])


def test_a_first_line_cut_short_does_not_take_the_others_with_it() -> None:
    assert summary(b'{"ocid": "x", "tag": "y"\n' + lines(GOOD)) == (
        ["o-0", "o-1", "o-2", "o-3"],
        [(2, Code.BAD_JSON)],
    )


def test_a_bad_byte_costs_the_contract_it_is_in() -> None:
    damaged = json.dumps(
        make_release("o-9", make_contract("a"), make_contract("b", title="@")), ensure_ascii=False
    )
    content = lines(GOOD[:1]) + damaged.encode().replace(b"@", b"\xb2\xe2") + b"\n" + lines(GOOD[1:2])
    records, (row,) = read(content)
    assert [(r.process_id, r.contract_id) for r in records] == [("o-0", "C-1"), ("o-9", "a"), ("o-1", "C-1")]
    assert (row.line, row.fault.code, row.fault.field, row.contract_id) == (
        2,
        Code.BAD_ENCODING,
        "title",
        "b",
    )


def test_a_bad_byte_in_what_is_not_wanted_costs_nothing() -> None:
    content = json.dumps(make_release(description="@")).encode().replace(b"@", b"\xff")
    assert summary(content) == (["ocds-1"], [])


def test_half_a_surrogate_pair_is_a_bad_character_like_any_other() -> None:
    release = json.dumps(
        make_release("o", make_contract("a", title="@"), make_contract("b", title="\U0001f600"))
    )
    records, (row,) = read(release.replace("@", "\\ud83d!").encode())
    assert [(r.contract_id, r.title) for r in records] == [("b", "\U0001f600")]
    assert row.fault.code is Code.BAD_ENCODING


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_what_was_complete_before_the_break_is_kept(indent: int | None) -> None:
    whole = json.dumps({"releases": GOOD}, indent=indent).encode()
    cut = whole[: whole.index(b'"o-2"') + 200]
    names, faults = summary(cut)
    assert names == ["o-0", "o-1"]
    assert [code for _, code in faults] == [Code.CUT_SHORT]


def test_contracts_complete_before_the_break_are_kept_if_their_supplier_is_known() -> None:
    release = make_release("o", *(make_contract(f"C-{n}") for n in range(4)))
    text = json.dumps(release)
    records, (row,) = read(text[: text.index('"C-3"') + 20].encode())
    assert [r.contract_id for r in records] == ["C-0", "C-1", "C-2"]
    assert row.fault.code is Code.CUT_SHORT


def test_of_a_record_cut_short_the_whole_releases_are_kept() -> None:
    text = json.dumps({"records": [{"ocid": "o", "releases": [make_release("o"), make_release("o")]}]})
    names, faults = summary(text[:-60].encode())
    assert (names, [code for _, code in faults]) == (["o"], [Code.CUT_SHORT])


def test_after_a_break_in_a_package_lines_that_are_releases_still_count() -> None:
    rows = [json.dumps(release) for release in GOOD]
    rows[1] = rows[1][:-40]
    text = '{"releases": [\n' + ",\n".join(rows) + "\n]}\n"
    assert summary(text.encode()) == (["o-0", "o-2", "o-3"], [(3, Code.BAD_JSON)])


def test_a_gzip_cut_short_keeps_what_could_be_unpacked() -> None:
    many = [make_release(f"o-{n}", make_contract(title=f"{n * 7919}")) for n in range(2000)]
    packed = gzip.compress(lines(many))
    names, faults = summary(packed[: len(packed) // 2])
    assert 100 < len(names) < 2000
    assert [code for _, code in faults] == [Code.CUT_SHORT]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(lines(GOOD), mtime=0)[:12], "cut_short"),
        (b"\x1f\x8bnonsense", "bad_gzip"),
        (b"\x1f\x8b", "cut_short"),
    ],
)
def test_files_of_which_nothing_can_be_read_say_why(content: bytes, why: str) -> None:
    records, (row,) = read(content)
    assert not records
    assert (row.fault.code, row.fault.values["why"]) == (Code.UNREADABLE_FILE, why)


def test_a_file_that_is_something_else_is_given_up_soon() -> None:
    page = b"<!doctype html>\n" + b"<p>line</p>\n" * 100_000
    records, refused = read(page)
    assert not records
    assert len(refused) < 60
    assert (refused[-1].fault.code, refused[-1].fault.values["why"]) == (Code.UNREADABLE_FILE, "not_json")


def test_nesting_without_end_is_no_danger() -> None:
    deep = b'{"ocid": "o", "x": ' + b"[" * 300_000 + b"]" * 300_000 + b"}\n"
    names, faults = summary(deep + lines(GOOD))
    assert names == ["o-0", "o-1", "o-2", "o-3"]
    assert faults == []
    assert summary(b"[" * 300_000) == ([], [(1, Code.NOT_OCDS), (1, Code.CUT_SHORT)])


def test_a_release_beyond_all_measure_is_refused_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pruning, "MOST", 3_000)
    parties = [{"id": str(n)} for n in range(40_000)]
    huge = [
        make_release("huge", parties=parties),
        {"releases": [make_release("huge", parties=parties)]},
        {"records": [{"ocid": "huge", "releases": [make_release(parties=parties), make_release()]}]},
        {"ocid": "huge", "releases": [make_release(parties=parties), make_release()]},
        {"records": [{"ocid": "huge", "compiledRelease": make_release(parties=parties)}]},
    ]
    names, faults = summary(b"".join(lines([release, GOOD[0]]) for release in huge))
    assert names == ["o-0"] * len(huge)
    assert faults == [(n, Code.RELEASE_TOO_LARGE) for n in (1, 3, 5, 7, 9)]


def test_contracts_of_a_huge_release_are_handed_over_as_they_come() -> None:
    release = json.dumps(make_release("o", *(make_contract(f"n-{n}") for n in range(30_000))))
    content = release.encode()
    taken = 0
    stream = io.BytesIO(content)
    for found in ocds.read(stream):
        assert not isinstance(found, RejectedRow)
        taken += 1
        if taken == 1:
            assert stream.tell() < len(content)
    assert taken == 30_000


def test_a_stream_that_fails_half_way_says_so() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError("gone")
            return super().read(len(lines(GOOD)))

    reading, found = ocds.read(Failing(lines(GOOD) * 2)), []
    with pytest.raises(OSError, match="gone"):
        for one in reading:
            found.append(one)
    assert len(found) == len(GOOD)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "ocid",
                        "id",
                        "releases",
                        "records",
                        "compiledRelease",
                        "contracts",
                        "awards",
                        "parties",
                    ),
                    *("suppliers", "value", "amount", "currency", "period", "endDate", "implementation"),
                    *(
                        "transactions",
                        "date",
                        "buyer",
                        "identifier",
                        "awardID",
                        "url",
                        "title",
                        "status",
                        "roles",
                    ),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(values)
@settings(max_examples=300)
def test_arbitrary_json_yields_contracts_and_refusals_only(value: Any) -> None:
    read(json.dumps(value).encode())


@given(st.binary(max_size=400))
@example(b"\x1f\x8b\x08\x00")
@example(b"\xff\xfe{\x00")
@example(b"\x00\x00\xfe\xff")
def test_arbitrary_bytes_yield_refusals_only(content: bytes) -> None:
    records, _ = read(content)
    assert not records


@given(st.data())
@settings(max_examples=300)
def test_a_good_file_with_some_bytes_changed_never_breaks_the_reader(data: st.DataObject) -> None:
    packed = data.draw(st.booleans())
    good = lines(GOOD[:2]) if data.draw(st.booleans()) else json.dumps({"records": GOOD}, indent=1).encode()
    content = bytearray(gzip.compress(good) if packed else good)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read(bytes(content))
