"""Risk-sharing lists as JSON: ``[{"party": "…", "role": "bank", "share": "0.2"}, …]``, shares as decimals."""

from __future__ import annotations

from typing import Any

from market.errors import Fault, Invalid
from market.risk_sharing import RiskSharing, Role, Sharer, check
from services.exchange.fields import Fields


def read_sharing(data: Any, path: str = "risk_sharing") -> RiskSharing:
    """Return a list; raises ``Invalid`` with every fault, of reading it and of what it says."""
    faults: list[Fault] = []
    holder = Fields({path: data}, "", faults)
    sharers = []
    for at, item in holder.items(path):
        fields = Fields(item, at, faults)
        sharers.append(Sharer(fields.text("party"), fields.choice("role", Role), fields.rate("share")))
        fields.finish()
    # What could not be read stands here as a harmless value, whose faults would be none of the sender's.
    faults = faults or check(sharers, path)
    if faults:
        raise Invalid(*faults)
    return RiskSharing(tuple(sharers))


def write_sharing(sharing: RiskSharing) -> list[dict[str, str]]:
    """Return a list as JSON values that ``read_sharing`` reads back to the same list."""
    return [
        {"party": sharer.name, "role": sharer.role.value, "share": f"{sharer.share:f}"} for sharer in sharing
    ]
