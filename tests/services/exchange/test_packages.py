"""The quick way through sound files says what the careful way says; links, zip packages, and bombs."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from market.errors import Code
from services.exchange import archive, ocds, packages
from services.exchange.rejection import RejectedRow
from tests.procurement import CODE, lines, make_contract, make_release, read
from tests.shared import shared_data

FILES = (
    "ca_buyandsell_compiled_2200.jsonl",
    "example_record_package_jalisco.json",
    "mx_cdmx_releases.jsonl",
    "mx_jalisco_record_packages.jsonl",
    "fictional/release_package.json",
)


def pack(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def package(*releases: Any, indent: int | None = None) -> bytes:
    return json.dumps({"version": "1.1", "releases": releases, "uri": "u"}, indent=indent).encode()


def list_notices(content: bytes) -> list[NoticeRecord]:
    found = ocds.read(io.BytesIO(content), notices=True)
    return [one for one in found if isinstance(one, NoticeRecord)]


def careful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave everything to the careful way."""
    monkeypatch.setattr(packages, "LONGEST", -1)


@pytest.mark.parametrize("name", FILES)
def test_shared_files_say_the_same_read_quickly_and_carefully(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = shared_data(f"ocds/{name}").read_bytes()[:400_000]
    quick = list(ocds.read(io.BytesIO(content), notices=True))
    careful(monkeypatch)
    assert quick == list(ocds.read(io.BytesIO(content), notices=True))
    assert any(isinstance(one, ContractRecord) for one in quick)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "odd",
    [
        make_release("o-9", make_contract("bad", value={"amount": "x"}), make_contract("good")),
        make_release("o-9", "no contract"),
        make_release("o-9", make_contract(title={"a": 1}, period=[1], suppliers="x")),
        {"contracts": [make_contract()]},
        {"ocid": "o-9", "contracts": {}},
        {"ocid": "o-9", "parties": None, "awards": [None, 3], "contracts": None},
        None,
        "a text",
        [make_release("o-9")],
    ],
)
def test_oddities_are_told_alike_with_their_lines(
    odd: Any, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = package(make_release("o-1"), odd, make_release("o-2"), indent=indent)
    quick = read(content)
    careful(monkeypatch)
    assert quick == read(content)
    assert {record.process_id for record in quick[0]} >= {"o-1", "o-2"}


@pytest.mark.parametrize("cut", [5, 60, 200, 700, 1500, -3])
def test_a_package_cut_anywhere_says_the_same(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = package(*(make_release(f"o-{n}") for n in range(3)))[:cut]
    quick = read(content)
    careful(monkeypatch)
    assert quick == read(content)


def test_a_linked_release_counts_where_it_stands_in_the_same_file() -> None:
    link = {"url": "https://example.org/1.json#o-1-r", "date": "2026-02-01T00:00:00Z", "tag": ["contract"]}
    record = {"ocid": "o-1", "releases": [link]}
    both = json.dumps({"records": [record], "releases": [make_release("o-1")]}).encode()
    records, refused = read(both)
    assert ([one.process_id for one in records], refused) == (["o-1"], [])
    apart = pack(
        **{"records.json": json.dumps({"records": [record]}).encode(), "r.json": package(make_release("o-1"))}
    )
    records, refused = read(apart)
    assert ([one.process_id for one in records], refused) == (["o-1"], [])
    _, refused = read(json.dumps({"records": [record]}).encode())
    assert [(row.fault.code, row.fault.values["url"]) for row in refused] == [
        (Code.LINKED_RELEASE, link["url"])
    ]


def test_members_of_a_zip_package_are_read_and_what_is_no_json_is_skipped_and_counted() -> None:
    content = pack(
        **{
            "a/1.json": package(make_release("o-1")),
            "readme.txt": b"hello",
            "2.jsonl": lines([make_release("o-2")]),
        },
        **{
            "3.json": package(make_release("o-3", make_contract(value={"amount": "x"}))),
            "photo.png": b"\x89PNG",
        },
    )
    reading = ocds.read(io.BytesIO(content))
    found = list(reading)
    assert [one.process_id for one in found if isinstance(one, ContractRecord)] == ["o-1", "o-2"]
    assert [one.path for one in found if isinstance(one, RejectedRow)] == ["3.json contracts[0]"]
    assert reading.skipped == 2


def test_bombs_and_damaged_packages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def why(content: bytes) -> list[Any]:
        return [row.fault.values["why"] for row in read(content)[1]]

    assert why(pack(bomb=b'{"releases": [' + b" " * 30_000_000)) == ["zip_bomb"]
    sound = pack(one=package(make_release("o-1")), two=package(make_release("o-2")))
    assert why(sound[:-30]) == ["bad_zip"]
    monkeypatch.setattr(archive, "MOST_MEMBERS", 1)
    assert why(sound) == ["zip_bomb"]


def test_active_awards_become_notices_each_package_and_supplier_its_own() -> None:
    def award(number: str, **fields: Any) -> dict[str, Any]:
        said = {"status": "active", "date": "2026-01-02T00:00:00+08:00", "suppliers": [{"id": "S"}]}
        return {"id": number, "value": {"amount": 12.5, "currency": "CNY"}, **said, **fields}

    awards = [
        award("1", relatedLots=["包1"]),
        award("2", relatedLots=["包2"], value={"amount": 0, "currency": "CNY"}),
        award("3", status="pending"),
        award("4", suppliers=[]),
        award("5"),
        award("6", date=None),
    ]
    content = package(make_release("o-1", awards=awards))
    notices = list_notices(content)
    assert [(one.package_number, one.price, one.supplier_code, str(one.published_on)) for one in notices] == [
        ("包1", 1250, CODE, "2026-01-02"),
        ("包2", None, CODE, "2026-01-02"),
        ("5", 1250, CODE, "2026-01-02"),
        ("6", 1250, CODE, "2026-02-01"),
    ]
    refused = [one for one in ocds.read(io.BytesIO(content), notices=True) if isinstance(one, RejectedRow)]
    assert [(one.fault.code, one.path, one.is_notice) for one in refused] == [
        (Code.REQUIRED, "awards[3]", True)
    ]


def test_a_reading_goes_on_behind_any_position() -> None:
    split = {"ocid": "o-1", "contracts": [{"id": "late", "awardID": "A"}]}
    content = package(make_release("o-1", make_contract("a"), make_contract("b")), make_release("o-2"), split)
    reading = ocds.read(io.BytesIO(content))
    places = [(one, reading.position) for one in reading]
    assert [one.contract_id for one, _ in places if isinstance(one, ContractRecord)] == [
        "a",
        "b",
        "C-1",
        "late",
    ]
    for number, (_, position) in enumerate(places, 1):
        rest = list(ocds.read(io.BytesIO(content), after=position))
        # The supplier of the last contract was told by the first release, which was stored before.
        assert rest == [one for one, _ in places[number:]]
