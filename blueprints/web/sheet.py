"""The words of the disclosure sheet: what each cost is, who is paid, at which rate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext

from blueprints import formats, labels

#: What a part of the cost is (``market.cashflow.Part``).
PARTS: dict[str, Any] = {
    "interest": lazy_gettext("Interest"),
    "fee": lazy_gettext("Fee"),
    "subsidy": lazy_gettext("Subsidy"),
    "buyout": lazy_gettext("Buy-out price"),
    "bare": lazy_gettext("Cost"),
}
#: What the reader of offers calls a charge that has no name of its own.
_NAMELESS = frozenset({"", "fee", "subsidy"})
#: Payees that only the pages know.
_OWN_PAYEES: dict[str, Any] = {
    "appraiser": lazy_gettext("Appraiser"),
    "lessor": lazy_gettext("Lessor"),
    "notary": lazy_gettext("Notary"),
    "registry": lazy_gettext("Registry"),
    "others": lazy_gettext("Others"),
}


def part(row: Mapping[str, Any]) -> str:
    """Return what a row of the sheet is (``market.disclosure.list_parts``), by its own name if it has one."""
    kind, name = str(row.get("part", "")), str(row.get("name") or "")
    return str(PARTS.get(kind, kind)) if name in _NAMELESS else name


def payee(name: str) -> str:
    """Return who is paid, in words."""
    return str(_OWN_PAYEES[name]) if name in _OWN_PAYEES else str(labels.payee(name))


def rate(row: Mapping[str, Any]) -> str:
    """Return the rate of a row as a percentage, or a dash for a flat amount."""
    value = row.get("rate")
    return formats.ABSENT if value is None else formats.rate(Decimal(str(value)))
