"""Offers as a file holds them, and what reading them comes to: shared by the tests of one reader each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from market.errors import Code, Invalid
from market.reference import lpr_table
from services.exchange.offers import Offer, read_document, read_file

LOAN = {
    "id": "A",
    "kind": "loan",
    "principal": "1000000.00",
    "months": 12,
    "rate": "0.0365",
    "repayment": "bullet",
}
LEASE = {"id": "B", "kind": "lease", "principal": "1000000.00", "months": 36, "rate": "0.055"}
FLOWS = {"id": "D", "kind": "flows", "flows": [["2026-01-05", "100"], ["2027-01-05", "-105"]]}
BILL = {"id": "E", "kind": "bill", "face": "1000000.00", "days": 90, "rate": "0.06"}
FACTORING = {"id": "F", "kind": "factoring", "face": "1000000.00", "days": 90, "rate": "0.06"}
BRIDGE = {"id": "G", "kind": "bridge", "principal": "9500000.00", "days": 5, "daily_rate": "0.0002"}
COVER = {
    "id": "H",
    "kind": "cover",
    "amount": "1000000.00",
    "months": 12,
    "fees": [{"name": "fee", "when": "upfront", "rate": "0.01"}],
}


def read(*entries: Any) -> list[Offer]:
    """Read a file of these offers."""
    return read_file(json.dumps({"offers": entries}).encode(), lpr_table())


def read_any(*entries: Any) -> list[Offer]:
    """Read these offers as the API does: any kind."""
    return read_document({"offers": list(entries)}, lpr_table())


def faults_of(*entries: Any) -> list[tuple[str | None, Code]]:
    """Return the paths and codes for which a file of these offers is refused."""
    with pytest.raises(Invalid) as refusal:
        read(*entries)
    return [(fault.field, fault.code) for fault in refusal.value.faults]


def faults_of_any(*entries: Any) -> list[tuple[str | None, Code]]:
    """Return the paths and codes for which the API refuses these offers."""
    with pytest.raises(Invalid) as refusal:
        read_any(*entries)
    return [(fault.field, fault.code) for fault in refusal.value.faults]
