"""Contracts from open data, sent to the API as a file."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from blueprints.api.imports import MOST_FILE
from blueprints.documents import contract_template
from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import Market

PATH = "contracts/import"


def package(*amounts: Any) -> bytes:
    """Return a release package with one process and a contract for each amount."""
    contracts = [
        {"id": f"c{number}", "awardID": "a1", "value": {"amount": amount, "currency": "CNY"}}
        for number, amount in enumerate(amounts, start=1)
    ]
    release = {
        "ocid": "ocds-test-1",
        "id": "r1",
        "date": "2026-11-01T00:00:00Z",
        "tag": ["contract"],
        "awards": [{"id": "a1", "suppliers": [{"id": "S", "name": "供应商"}]}],
        "contracts": contracts,
    }
    return json.dumps({"uri": "https://example.org/1", "version": "1.1", "releases": [release]}).encode()


def test_an_officer_imports_a_file_and_a_faulty_contract_stops_no_other(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    content = package("1000.50", "a lot")
    first = officer.call("POST", PATH, data=content, content_type="application/json")
    assert (first["imported"], first["updated"], first["rejected"]) == (1, 0, 1)
    (rejection,) = first["rejections"]
    assert rejection["contract_id"] == "c2" and rejection["fault"]["detail"]
    again = officer.call(
        "POST",
        PATH,
        data=gzip.compress(content),
        content_type="application/gzip",
        query_string={"file_name": "x.gz"},
    )
    assert (again["imported"], again["updated"], again["rejected"]) == (0, 1, 1)
    (contract,) = officer.get("contracts")["items"]
    assert contract["amount"] == "1000.50" and contract["obstacles"]
    assert officer.get("contracts", financeable="true")["items"] == []


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"\x1f\x8bbroken", b"[1, 2]"])
def test_a_file_of_something_else_is_refused(one_market: Market, content: bytes) -> None:
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    problem = officer.refuse("POST", PATH, 422, data=content, content_type="application/octet-stream")
    assert problem["code"] == "nothing_usable"


def test_only_officers_import_and_only_what_a_request_can_carry(one_market: Market) -> None:
    one_market.sign_up().refuse("POST", PATH, 403, data=b"{}", content_type="application/json")
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    huge = b" " * (MOST_FILE + 1)
    officer.refuse("POST", PATH, 413, data=huge, content_type="application/octet-stream")


def test_imports_are_listed_shown_and_not_stopped_once_done(one_market: Market) -> None:
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    content = package("1000.50")
    job_id = officer.call("POST", PATH, data=content, content_type="application/json")["job_id"]
    (job,) = officer.get("imports")["items"]
    assert job == officer.get(f"imports/{job_id}")
    assert (job["state"], job["imported"], job["bytes_read"], job["bytes_total"]) == (
        "done",
        1,
        len(content),
        len(content),
    )
    officer.refuse("POST", f"imports/{job_id}/cancel", 409)
    again: dict[str, Any] = {"data": content, "content_type": "application/json"}
    officer.refuse("POST", PATH, 409, query_string={"resume": job_id}, **again)
    one_market.sign_up().refuse("GET", f"imports/{job_id}", 403)


def test_the_template_of_the_api_is_a_file_to_import(one_market: Market) -> None:
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    book = contract_template.write_workbook()
    result = officer.call("POST", PATH, data=book, content_type=contract_template.XLSX)
    assert (result["imported"], result["notices"], result["rejected"]) == (1, 1, 0)
