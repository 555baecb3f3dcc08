"""Bodies that the description shows and a test sends: one that works says more than a list of fields."""

from __future__ import annotations

from typing import Any

#: One of each kind, by the name under which the description shows it.
OFFERS: dict[str, dict[str, Any]] = {
    "guaranteed_loan": {
        "id": "A",
        "kind": "loan",
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.0365",
        "repayment": "interest_monthly",
        "declared_rate": "0.0426",
        "fees": [
            {
                "name": "guarantee fee",
                "payee": "guarantor",
                "basis": "principal",
                "rate": "0.0125",
                "part": "0.8",
                "when": "yearly",
            }
        ],
        "subsidies": [
            {
                "name": "fee subsidy",
                "recipient": "firm",
                "basis": "principal",
                "rate": "0.005",
                "when": "end",
                "cap": "20000.00",
                "lag_months": 3,
            }
        ],
    },
    "floating_quarterly_loan": {
        "id": "B",
        "kind": "loan",
        "principal": "1000000.00",
        "months": 24,
        "lpr": {"tenor": "1y", "spread_bp": 55},
        "repayment": "equal_principal",
        "day_count": "act/360",
        "start": "2026-01-05",
        "interval": 3,
        "first_due": "2026-03-20",
        "rolling": "modified_following",
    },
    "lease": {
        "id": "C",
        "kind": "lease",
        "principal": "1000000.00",
        "months": 36,
        "rate": "0.055",
        "rent": "advance",
        "interval": 3,
        "prelease_months": 2,
        "deposit": "0.05",
        "buyout": "100.00",
        "fees": [{"name": "handling", "basis": "principal", "rate": "0.015", "when": "upfront"}],
    },
    "bill": {
        "id": "D",
        "kind": "bill",
        "face": "1000000.00",
        "issued": "2026-06-01",
        "matures": "2026-08-30",
        "rolling": "following",
        "rate": "0.06",
        "fee_rate": "0.003",
        "basis": 365,
    },
    "factoring": {
        "id": "E",
        "kind": "factoring",
        "face": "1000000.00",
        "advance": "0.8",
        "days": 90,
        "rate": "0.058",
        "interest_when": "upfront",
    },
    "bridge": {
        "id": "F",
        "kind": "bridge",
        "principal": "9500000.00",
        "days": 8,
        "daily_rate": "0.0002",
        "steps": [[6, "0.0003"]],
    },
    "cover": {
        "id": "G",
        "kind": "cover",
        "amount": "1000000.00",
        "months": 24,
        "provider": "insurer",
        "fees": [{"name": "premium", "rate": "0.012", "when": "yearly"}],
    },
    "flows": {
        "id": "H",
        "kind": "flows",
        "flows": [["2026-01-05", "1000000.00"], ["2027-01-05", "-1050000.00"]],
    },
}

#: What may be sent to the calculator.
PRICED: dict[str, Any] = {
    name: {"summary": name.replace("_", " ").capitalize(), "value": {"offers": [offer]}}
    for name, offer in OFFERS.items()
}
PRICED["all"] = {"summary": "All of them, ranked", "value": {"offers": list(OFFERS.values())}}
