"""Rows of fees and subsidies in a form: how people type them, and what terms they become.

A fee stands in the fields ``fees.0.name``, ``.payee``, ``.rate`` (in percent, or in yuan where ``.basis`` is
``flat``), ``.basis``, ``.when``, ``.share`` (the part of the basis it is taken of, in percent) and
``.from_month``; a subsidy in ``subsidies.0.…`` with ``.recipient``, ``.cap`` and ``.lag_months`` besides, and
``.share`` for what an institution passes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from blueprints import formats
from blueprints.web.forms import Form
from market.terms import LENDER, Fee, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Recipient
from services.exchange.charges import MOST_LAG

#: A basis of our own: the charge is an amount in yuan and no share of anything.
FLAT = "flat"
#: Shares are typed in percent; more than the whole is a slip of the pen.
WHOLE = 100
_LONGEST_NAME = 40


def list_labels(fees: int, subsidies: int = 0) -> dict[str, Any]:
    """Return the words of the fields, for the summary of what is wrong."""
    words: dict[str, Any] = {}
    for row in range(fees):
        at = {"number": row + 1}
        words |= {
            f"fees.{row}.name": gettext("Name of fee %(number)s", **at),
            f"fees.{row}.rate": gettext("Size of fee %(number)s", **at),
            f"fees.{row}.basis": gettext("Basis of fee %(number)s", **at),
            f"fees.{row}.payee": gettext("Payee of fee %(number)s", **at),
            f"fees.{row}.when": gettext("Time of fee %(number)s", **at),
            f"fees.{row}.share": gettext("Part that fee %(number)s is taken of", **at),
            f"fees.{row}.from_month": gettext("First month of fee %(number)s", **at),
        }
    for row in range(subsidies):
        at = {"number": row + 1}
        words |= {
            f"subsidies.{row}.rate": gettext("Size of subsidy %(number)s", **at),
            f"subsidies.{row}.basis": gettext("Basis of subsidy %(number)s", **at),
            f"subsidies.{row}.when": gettext("Time of subsidy %(number)s", **at),
            f"subsidies.{row}.recipient": gettext("Recipient of subsidy %(number)s", **at),
            f"subsidies.{row}.share": gettext("Passed-on part of subsidy %(number)s", **at),
            f"subsidies.{row}.cap": gettext("Cap of subsidy %(number)s", **at),
            f"subsidies.{row}.lag_months": gettext("Months until subsidy %(number)s is paid", **at),
        }
    return words


def count_rows(form: Form, most: int, kind: str = "fees", by: str = "name") -> int:
    """Return how many rows a form has, filled in or not."""
    rows = [row for row in range(most) if f"{kind}.{row}.{by}" in form.values]
    return rows[-1] + 1 if rows else 0


def read_fee(form: Form, row: int, *, named: bool = True, payee: str = LENDER) -> Fee | None:
    """Read one row; an empty one is no fee. Faults are noted beside its fields.

    ``named`` fees need a name; what names nobody goes to ``payee``.
    """
    at = f"fees.{row}"
    if not _is_typed(form, f"{at}.rate") and not (named and _is_typed(form, f"{at}.name")):
        return None
    name = form.text(f"{at}.name", required=named, most=_LONGEST_NAME) or ""
    paid_to = form.text(f"{at}.payee", required=False, most=_LONGEST_NAME) or payee
    common = _read_common(form, at, FeeTiming.UPFRONT, FeeBasis.PRINCIPAL)
    share = form.percent(f"{at}.share", required=False, least=0, most=WHOLE)
    if common is None or not form.ok:
        return None
    part = Decimal(1) if share is None or "amount" in common else share
    return Fee(name, payee=paid_to, part=part, **common)


def read_subsidy(form: Form, row: int) -> Subsidy | None:
    """Read one row; an empty one is no subsidy."""
    at = f"subsidies.{row}"
    if not _is_typed(form, f"{at}.rate"):
        return None
    recipient = form.choice(f"{at}.recipient", Recipient, required=False) or Recipient.FIRM
    passed_on = form.percent(f"{at}.share", required=False, least=0, most=WHOLE)
    if recipient is Recipient.FIRM:
        # What the firm receives itself is not passed on; the field is hidden then, and what it holds idle.
        passed_on = None
    cap = form.yuan(f"{at}.cap", required=False)
    lag = form.whole(f"{at}.lag_months", required=False, least=0, most=MOST_LAG)
    common = _read_common(form, at, FeeTiming.END, FeeBasis.INTEREST)
    if common is None or not form.ok:
        return None
    return Subsidy(
        form.text(f"{at}.name", required=False, most=_LONGEST_NAME) or "",
        recipient=recipient,
        cap=cap,
        lag_months=lag or 0,
        passed_on=passed_on or Decimal(0),
        **common,
    )


def write_fees(fees: Sequence[Fee]) -> dict[str, Any]:
    """Return fees as the values of a form."""
    values: dict[str, Any] = {}
    for row, fee in enumerate(fees):
        at = f"fees.{row}"
        values |= {
            f"{at}.name": fee.name,
            f"{at}.payee": fee.payee,
            f"{at}.basis": FLAT if fee.rate is None else fee.basis.value,
            f"{at}.rate": formats.plain(fee.amount or 0) if fee.rate is None else percent(fee.rate),
            f"{at}.when": fee.when.value,
        }
        if fee.part != 1:
            values[f"{at}.share"] = percent(fee.part)
        if fee.from_month:
            values[f"{at}.from_month"] = fee.from_month
    return values


def percent(rate: Decimal) -> str:
    """Return a rate or share as the percent that people type."""
    return trim(rate.scaleb(2))


def trim(number: Decimal) -> str:
    """Return a number without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_typed(form: Form, name: str) -> bool:
    return bool(str(form.value(name)).strip())


def _read_common(form: Form, at: str, when: FeeTiming, basis: FeeBasis) -> dict[str, Any] | None:
    """Read what fees and subsidies share; ``when`` and ``basis`` stand in where nothing is chosen."""
    known = len(form.faults)
    chosen = form.choice(f"{at}.when", FeeTiming, required=False) or when
    begins = form.whole(f"{at}.from_month", required=False, least=0, most=360) or 0
    charge: dict[str, Any] = {"when": chosen, "from_month": begins}
    if str(form.value(f"{at}.basis")) == FLAT:
        # The fault of an amount carries fen, which a field named after a rate would say as percent.
        form.aliases[f"{at}.amount"] = f"{at}.rate"
        form.values[f"{at}.amount"] = form.value(f"{at}.rate")
        charge["amount"] = form.yuan(f"{at}.amount")
    else:
        charge["basis"] = form.choice(f"{at}.basis", FeeBasis, required=False) or basis
        charge["rate"] = form.percent(f"{at}.rate", least=0, most=WHOLE)
    return None if len(form.faults) > known else charge
