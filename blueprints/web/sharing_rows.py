"""Risk-sharing lists as people type them: some rows of party, role and percent."""

from __future__ import annotations

from decimal import Decimal

from blueprints.web.forms import Form
from market.errors import MarketError
from market.risk_sharing import RiskSharing, Role, Sharer

#: Nobody shares a loss among more.
ROWS = range(1, 7)


def read(form: Form) -> RiskSharing | None:
    """Return the list that was typed, or None where no row was; what is wrong becomes the form's faults."""
    sharers = []
    for row in ROWS:
        if not any(str(form.value(f"{name}_{row}") or "").strip() for name in ("party", "share")):
            continue
        party, role = form.text(f"party_{row}", most=80), form.choice(f"role_{row}", Role)
        share = form.percent(f"share_{row}", least=0, most=100)
        if party and role and share is not None:
            sharers.append(Sharer(party, role, share))
    if not sharers or not form.ok:
        return None
    try:
        return RiskSharing(tuple(sharers))
    except MarketError as error:
        for fault in error.faults:
            form.refuse(fault.code, "risk_sharing", **fault.values)
        return None


def write(sharing: RiskSharing) -> dict[str, str]:
    """Return the values of the rows that show a list."""
    values: dict[str, str] = {}
    for row, sharer in zip(ROWS, sharing, strict=False):
        values[f"party_{row}"], values[f"role_{row}"] = sharer.name, sharer.role.value
        values[f"share_{row}"] = f"{(sharer.share * Decimal(100)).normalize():f}"
    return values
