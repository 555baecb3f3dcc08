"""Procurement records for tests, as publishers write them: plain JSON values, with a valid supplier code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from market.contract_record import ContractRecord
from services.exchange import ocds
from services.exchange.rejection import RejectedRow

CODE = "91990000MA0000001B"
BUYER = "11990000MB0000002Q"
OTHER = "91990000MA0000003H"


def make_contract(number: str = "C-1", **fields: Any) -> dict[str, Any]:
    """Return a contract of 1,000.50 yuan in force, under the award ``A``."""
    return {
        "id": number,
        "awardID": "A",
        "title": "智慧园区",
        "status": "active",
        "value": {"amount": 1000.5, "currency": "CNY"},
        "dateSigned": "2026-01-05T00:00:00+08:00",
        "period": {"startDate": "2026-01-05", "endDate": "2026-12-31"},
        **fields,
    }


def make_release(ocid: str = "ocds-1", *contracts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a release of OCDS 1.1 whose one award went to the supplier with ``CODE``."""
    return {
        "ocid": ocid,
        "id": f"{ocid}-r",
        "date": "2026-02-01T00:00:00Z",
        "tag": ["contract"],
        "parties": [
            {"id": "B", "name": "高新区财政局", "roles": ["buyer"], "identifier": {"id": BUYER}},
            {
                "id": "S",
                "name": "测试科技",
                "roles": ["supplier"],
                "identifier": {"scheme": "CN", "id": CODE},
            },
        ],
        "buyer": {"id": "B", "name": "高新区财政局"},
        "awards": [{"id": "A", "suppliers": [{"id": "S", "name": "测试科技"}]}],
        "contracts": list(contracts or [make_contract()]),
        **fields,
    }


def make_transaction(number: str | None, amount: Any, date: str | None = "2026-03-01", **fields: Any) -> Any:
    """Return a payment as OCDS 1.1 writes it."""
    said = {"id": number, "date": date, "value": {"amount": amount, "currency": "CNY"}, **fields}
    return {name: value for name, value in said.items() if value is not None}


def lines(values: Iterable[Any]) -> bytes:
    """Return values as JSON lines."""
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def read(content: Any) -> tuple[list[ContractRecord], list[RejectedRow]]:
    """Read bytes, or a value as JSON; return the contracts and the refused rows."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    found = list(ocds.read(BytesIO(data)))
    assert all(isinstance(one, ContractRecord | RejectedRow) for one in found)
    return (
        [one for one in found if isinstance(one, ContractRecord)],
        [one for one in found if isinstance(one, RejectedRow)],
    )


def read_one(content: Any) -> ContractRecord:
    """Read what holds exactly one contract and no fault."""
    records, refused = read(content)
    assert not refused
    (record,) = records
    return record
