"""A stranger's check of a proof: plain decimals and the standard library, nothing of the house."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal, getcontext, localcontext
from typing import Any


def find_faults(document: dict[str, Any]) -> list[str]:
    """Return the names of what does not hold in a proof document; [] for one that holds."""
    with localcontext() as context:
        context.prec = 70
        return [name for name, holds in _check(document) if not holds]


def canonical(value: Any) -> bytes:
    """Return JSON as RFC 8785 writes it, for texts, whole numbers and null under ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def discount(flows: list[tuple[Decimal, Decimal]], rate: Decimal) -> Decimal:
    """Return the sum of (years, amount) at a rate per year."""
    return sum((amount / (1 + rate) ** years for years, amount in flows), Decimal(0))


def _check(document: dict[str, Any]) -> list[tuple[str, bool]]:
    proof = document["proof"]
    flows = [(_years(row["t"]), Decimal(row["amount"])) for row in proof["flows"]]
    sums: dict[Decimal, Decimal] = {}
    payees: dict[str, Decimal] = {}
    for row, (years, amount) in zip(proof["flows"], flows, strict=True):
        sums[years] = sums.get(years, Decimal(0)) + amount
        payees[row["payee"]] = payees.get(row["payee"], Decimal(0)) - amount
    total = -sum(sums.values())
    held = [
        ("sha256", hashlib.sha256(canonical(proof)).hexdigest() == document["sha256"]),
        ("net", {_years(row["t"]): Decimal(row["amount"]) for row in proof["net"]} == sums),
        ("total_cost", Decimal(proof["total_cost"]) == total),
        ("net_received", Decimal(proof["net_received"]) == sums.get(Decimal(0), Decimal(0))),
        ("breakdown", _listed(proof["breakdown"]) == {"lender": Decimal(0)} | payees),
        ("costs", sum(Decimal(row["total"]) for row in proof["costs"]) == total),
    ]
    if proof["effective"] is None:
        return held
    rate = Decimal(proof["effective"])
    near = max(abs(rate), Decimal(1)) * Decimal("1e-18")
    below, above = (discount(flows, other) for other in (rate - near, rate + near))
    residue = discount(flows, rate)
    return [
        *held,
        ("effective", (below > 0) != (above > 0)),
        ("residue", abs(Decimal(proof["residue"]) - residue) <= abs(residue) / 1000),
        ("simple", _is_simple(proof, sums, rate)),
    ]


def _is_simple(proof: dict[str, Any], sums: dict[Decimal, Decimal], rate: Decimal) -> bool:
    stated, close = Decimal(proof["simple"]), Decimal("1e-17")
    monthly = 12 * ((1 + rate) ** (Decimal(1) / 12) - 1)
    if abs(stated - monthly) <= close * max(1, abs(monthly)):
        return True
    moved = sorted((years, amount) for years, amount in sums.items() if amount)
    if len(moved) != 2:
        return False
    (start, received), (end, paid) = moved
    pro_rata = (abs(paid / received) - 1) / (end - start)
    return abs(stated - pro_rata) <= close * max(1, abs(pro_rata))


def _years(text: str) -> Decimal:
    top, bottom = text.split("/")
    assert getcontext().prec > 60, "times must be as exact as the rate"
    return Decimal(int(top)) / Decimal(int(bottom))


def _listed(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    return {row["payee"]: Decimal(row["amount"]) for row in rows}
