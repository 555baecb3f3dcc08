"""Every form in which Open Contracting data comes."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from market.contract_record import Obstacle, find_obstacles
from market.errors import Code
from services.exchange import ocds
from tests.procurement import (
    BUYER,
    CODE,
    OTHER,
    lines,
    make_contract,
    make_release,
    make_transaction,
    read,
    read_one,
)
from tests.shared import shared_data

RELEASE = make_release()
EMBEDDED = {"ocid": "ocds-1", "releases": [RELEASE]}
COMPILED = {"ocid": "ocds-1", "compiledRelease": RELEASE}
FORMS: dict[str, Any] = {
    "release package": {"version": "1.1", "publishedDate": "2026-02-01T00:00:00Z", "releases": [RELEASE]},
    "record package, embedded": {"version": "1.1", "records": [EMBEDDED]},
    "record package, compiled": {"records": [COMPILED]},
    "record package, both": {"records": [{**EMBEDDED, **COMPILED}]},
    "record package, linked and compiled": {"records": [{**COMPILED, "releases": [{"url": "https://x/y"}]}]},
    "compiled release without an ocid of its own": {
        "records": [{"ocid": "ocds-1", "compiledRelease": {k: v for k, v in RELEASE.items() if k != "ocid"}}]
    },
    "record": COMPILED,
    "record, embedded": EMBEDDED,
    "record, keys in another order": {"compiledRelease": RELEASE, "releases": [RELEASE], "ocid": "ocds-1"},
    "release": RELEASE,
    "release, keys in another order": dict(sorted(RELEASE.items(), reverse=True)),
    "release, contracts before the rest": {"contracts": RELEASE["contracts"], **RELEASE},
    "array of releases": [RELEASE],
    "array of packages": [{"releases": [RELEASE]}],
}
WRITERS: dict[str, Callable[[Any], bytes]] = {
    "one line": lambda value: json.dumps(value).encode(),
    "pretty": lambda value: json.dumps(value, indent=2).encode(),
    "no indent": lambda value: json.dumps(value, indent=0).encode(),
    "windows": lambda value: json.dumps(value, indent=2).replace("\n", "\r\n").encode(),
    "line": lambda value: lines([value]),
    "marked": lambda value: b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode(),
    "utf-16": lambda value: json.dumps(value, ensure_ascii=False).encode("utf-16"),
    "utf-16-le": lambda value: json.dumps(value, ensure_ascii=False).encode("utf-16-le"),
    "utf-32": lambda value: json.dumps(value, ensure_ascii=False).encode("utf-32"),
    "gzip": lambda value: gzip.compress(json.dumps(value).encode()),
    "gzip in two members": lambda value: _in_two_members(json.dumps(value).encode()),
}


def _in_two_members(data: bytes) -> bytes:
    return gzip.compress(data[:100]) + gzip.compress(data[100:]) + b"\0\0"


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_writing_says_the_same(form: str, writer: str) -> None:
    record = read_one(WRITERS[writer](FORMS[form]))
    assert (record.process_id, record.contract_id, record.number) == ("ocds-1", "C-1", "C-1")
    assert (record.supplier_name, record.supplier_code) == ("测试科技", CODE)
    assert (record.purchaser_name, record.purchaser_code) == ("高新区财政局", BUYER)
    assert (record.amount, record.currency, record.award_id) == (100_050, "CNY", "A")
    assert (record.signed_on, record.starts_on, record.ends_on) == (
        date(2026, 1, 5),
        date(2026, 1, 5),
        date(2026, 12, 31),
    )
    assert find_obstacles(record) == ()


def test_a_record_that_tells_its_releases_before_its_name_is_read_like_a_package() -> None:
    record = {"releases": [RELEASE], "compiledRelease": make_release(date="2026-03-01"), "ocid": "ocds-1"}
    records, refused = read(record)
    # Nothing is lost: the compiled release comes last and wins.
    assert [r.released_at and r.released_at.month for r in records] == [2, 3]
    assert not refused


def test_json_lines_may_mix_all_forms() -> None:
    values = [
        make_release("o-1"),
        {"releases": [make_release("o-2"), make_release("o-3")]},
        {"records": [{"ocid": "o-4", "compiledRelease": make_release("o-4")}]},
        [make_release("o-5")],
        {"ocid": "o-6", "compiledRelease": make_release("o-6")},
    ]
    records, refused = read(lines(values) + b"\n\n" + json.dumps(make_release("o-7")).encode())
    assert [r.process_id for r in records] == [f"o-{n}" for n in range(1, 8)]
    assert not refused


def test_documents_over_many_lines_may_follow_each_other() -> None:
    text = "\n".join(json.dumps(make_release(f"o-{n}"), indent=1) for n in range(3))
    records, refused = read(text.encode())
    assert [r.process_id for r in records] == ["o-0", "o-1", "o-2"]
    assert not refused


def test_linked_releases_without_a_compiled_one_are_refused_with_their_address() -> None:
    linked = {
        "records": [{"ocid": "o", "releases": [{"url": "https://example.org/r.json", "date": "2026-01-01"}]}]
    }
    records, (row,) = read(linked)
    assert not records
    assert (row.fault.code, row.fault.values["url"]) == (Code.LINKED_RELEASE, "https://example.org/r.json")


def test_embedded_releases_are_joined_by_their_dates_not_by_their_order() -> None:
    award = {**make_release(date="2026-01-01T00:00:00Z", tag=["award"]), "contracts": []}
    signed = {
        "ocid": "ocds-1",
        "date": "2026-02-01T00:00:00Z",
        "contracts": [make_contract(implementation={"transactions": [make_transaction("T1", 100)]})],
    }
    amended = {
        "ocid": "ocds-1",
        "date": "2026-03-01T00:00:00Z",
        "contracts": [
            {
                "id": "C-1",
                "value": {"amount": 2000, "currency": "CNY"},
                "implementation": {"transactions": [make_transaction("T1", 110), make_transaction("T2", 5)]},
            }
        ],
    }
    record = read_one({"records": [{"ocid": "ocds-1", "releases": [amended, signed, award]}]})
    assert record.amount == 200_000
    assert record.ends_on == date(2026, 12, 31)
    assert record.supplier_code == CODE
    assert [(p.transaction_id, p.amount) for p in record.payments] == [("T1", 11_000), ("T2", 500)]


def test_a_later_release_may_refer_to_the_award_of_an_earlier_one_in_the_same_file() -> None:
    award = {**make_release(), "contracts": []}
    contract = {"ocid": "ocds-1", "contracts": [make_contract()]}
    record = read_one(lines([award, {"ocid": "other"}, contract]))
    assert (record.supplier_code, record.purchaser_code) == (CODE, BUYER)


def test_a_fault_told_by_each_release_of_a_record_is_told_once() -> None:
    bad = make_release("o", make_contract(value={"amount": "abc"}))
    records, refused = read({"records": [{"ocid": "o", "releases": [bad, bad, bad]}]})
    assert not records
    assert len(refused) == 1


def test_version_1_0_writes_organisations_where_they_are_mentioned() -> None:
    release = {
        "ocid": "o",
        "date": "2026-01-01T00:00:00Z",
        "buyer": {"name": "财政局", "identifier": {"id": BUYER, "legalName": "高新区财政局"}},
        "awards": [
            {"id": "1", "suppliers": [{"name": "测试科技", "identifier": {"scheme": "CN", "id": CODE}}]}
        ],
        "contracts": [
            make_contract(
                "7",
                awardID="1",
                title="HT-2026/014",
                implementation={
                    "transactions": [
                        {
                            "id": "CLC1",
                            "date": "2026-04-08T00:00:00-06:00",
                            "amount": {"amount": 1092.72, "currency": "CNY"},
                            "providerOrganization": {"id": BUYER, "legalName": "财政局"},
                            "receiverOrganization": {"id": CODE, "legalName": "测试科技"},
                        }
                    ]
                },
            )
        ],
    }
    record = read_one(release)
    assert (record.supplier_code, record.purchaser_name, record.purchaser_code) == (CODE, "财政局", BUYER)
    # A bare ordinal is no contract number; the title is one.
    assert record.number == "HT-2026/014"
    (payment,) = record.payments
    assert (payment.amount, payment.paid_on, payment.payer, payment.payee_id) == (
        109_272,
        date(2026, 4, 8),
        "财政局",
        CODE,
    )


def test_releases_and_awards_without_contracts_are_read_and_yield_nothing() -> None:
    planning = {"ocid": "o", "tag": ["planning"], "planning": {}}
    reading = ocds.read(io.BytesIO(lines([planning, {**make_release("p"), "contracts": []}])))
    assert list(reading) == []
    assert reading.releases == 2


def test_contracts_without_an_award_have_a_supplier_only_if_there_is_just_one() -> None:
    contract = make_contract()
    del contract["awardID"]
    release = make_release("o", contract)
    assert read_one(release).supplier_code == CODE
    release["parties"].append({"id": "S2", "roles": ["supplier"], "identifier": {"id": OTHER}})
    del release["awards"]
    assert find_obstacles(read_one(release)) == (Obstacle.NO_CREDIT_CODE,)


def test_a_contract_with_several_suppliers_is_kept_and_doubted() -> None:
    release = make_release()
    release["parties"].append({"id": "S2", "name": "联合体成员", "identifier": {"id": OTHER}})
    release["awards"][0]["suppliers"].append({"id": "S2"})
    record = read_one(release)
    assert record.supplier_code == CODE
    assert find_obstacles(record) == (Obstacle.SEVERAL_SUPPLIERS,)


def test_of_a_key_given_twice_the_last_counts() -> None:
    text = json.dumps(make_release()).replace('"ocid": "ocds-1"', '"ocid": "first", "ocid": "ocds-1"', 1)
    assert read_one(text.encode()).process_id == "ocds-1"


#: Contracts, distinct contracts, payments and refusals in each shared file.
EXPECTED = {
    "ca_buyandsell_compiled_2200.jsonl": (2592, 2592, 0, 0),
    "example_record_package_jalisco.json": (2, 2, 2, 0),
    "mx_cdmx_releases.jsonl": (20, 8, 184, 0),
    "mx_jalisco_record_packages.jsonl": (20, 20, 24, 0),
    "fictional/ocds-213czf-000-00001-withversions.json": (1, 1, 2, 0),
    "fictional/ocds-213czf-000-00001.json": (1, 1, 2, 0),
    "fictional/release_package.json": (2, 1, 2, 0),
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("packed", [False, True])
def test_shared_records_are_read_whole(name: str, packed: bool) -> None:
    content = shared_data(f"ocds/{name}").read_bytes()
    records, refused = read(gzip.compress(content, 1) if packed else content)
    keys = {(r.process_id, r.contract_id) for r in records}
    assert (len(records), len(keys), sum(len(r.payments) for r in records), len(refused)) == EXPECTED[name]
    assert all(Obstacle.FOREIGN_CURRENCY in find_obstacles(r) for r in records)
    assert all(r.supplier_name and r.purchaser_name for r in records)


def test_no_shared_file_is_left_out() -> None:
    folder: Path = shared_data("ocds")
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == set(EXPECTED)
