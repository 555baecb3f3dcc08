"""The words for imports: their states, the columns of the table, and what each column accepts."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext

from market.import_vocabulary import ImportFormat, ImportState

LABELS: dict[type[Enum], dict[Any, Any]] = {
    ImportState: {
        ImportState.WAITING: lazy_pgettext("import", "Waits for confirmation"),
        ImportState.RUNNING: lazy_pgettext("import", "Running"),
        ImportState.DONE: lazy_pgettext("import", "Done"),
        ImportState.CANCELLED: lazy_pgettext("import", "Cancelled"),
        ImportState.FAILED: lazy_pgettext("import", "Failed"),
    },
    ImportFormat: {
        ImportFormat.OCDS: lazy_pgettext("import", "Open contracting data"),
        ImportFormat.TABLE: lazy_pgettext("import", "Spreadsheet"),
    },
}

#: Columns of the table that no other fault names.
FIELDS: dict[str, Any] = {
    "agency": lazy_gettext("Agency"),
    "currency": lazy_gettext("Currency"),
    "ends_on": lazy_gettext("Last day"),
    "number": lazy_gettext("Contract number"),
    "package": lazy_gettext("Package"),
    "payment_days": lazy_gettext("Payment days"),
    "plan_number": lazy_gettext("Plan filing number"),
    "process_id": lazy_gettext("Project number"),
    "purchaser_code": lazy_gettext("Purchaser's credit code"),
    "purchaser_name": lazy_gettext("Purchaser"),
    "quantity": lazy_gettext("Quantity"),
    "retention": lazy_gettext("Retention"),
    "signed_on": lazy_gettext("Day of signing"),
    "starts_on": lazy_gettext("First day"),
    "status": lazy_gettext("State"),
    "supplier_code": lazy_gettext("Supplier's credit code"),
    "supplier_name": lazy_gettext("Supplier"),
    "title": lazy_gettext("Title"),
    "unit_price": lazy_gettext("Unit price"),
}

_AMOUNT = lazy_gettext("an amount such as 1000500.00, in yuan or with its unit")
_DAY = lazy_gettext("a day that exists, such as 2026-03-05 or 2026/3/5")
_TEXT = lazy_gettext("a text; it must not be empty")
_CODE = lazy_gettext("the 18 characters of a unified social credit code")
#: What a column accepts, said beside every fault in it.
ACCEPTED: dict[str, Any] = {
    "amount": _AMOUNT,
    "unit_price": _AMOUNT,
    "retention": _AMOUNT,
    "quantity": lazy_gettext("a number such as 12 or 3.5"),
    "payment_days": lazy_gettext("whole days from 0 to 60"),
    "signed_on": _DAY,
    "starts_on": _DAY,
    "ends_on": _DAY,
    "published_on": _DAY,
    "supplier_code": _CODE,
    "purchaser_code": _CODE,
    "process_id": _TEXT,
    "number": _TEXT,
    "supplier_name": _TEXT,
    "package": lazy_gettext("one package in a row"),
}
