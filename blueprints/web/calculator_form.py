"""The calculator's form: how every kind of financing is typed, and how it becomes an offer as JSON.

Reading has two steps. What a person types (percent, 万元, a share of a price) becomes the plain values of
an offer; the one reader of offers (``services.exchange.offers``) judges them, so that the calculator has no
rules of its own. Faults come back beside the field that was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext

from blueprints.web import charge_rows
from blueprints.web.calculator_kinds import FEES, STEPS, SUBSIDIES, Base, Kind, Span, find_kind, list_words
from blueprints.web.forms import Form
from market.charges import part
from market.covers import Cover, Levy
from market.errors import Code, Invalid
from market.lpr import LprRow, LprTable
from market.money import yuan
from market.terms import LoanTerms, Priceable
from market.vocabulary import (
    CoverKind,
    DayCount,
    FeeTiming,
    LprTenor,
    RentTiming,
    Repayment,
    Rolling,
)
from services.exchange import offers
from services.exchange.charges import write_fee, write_subsidy
from services.exchange.short_terms import MOST_DAYS

LONGEST_TERM = 360
MOST_PERCENT_OF_PRICE = 99


#: What one calls a cover's own fee.
_PREMIUMS: dict[CoverKind, Any] = {
    CoverKind.GUARANTEE: lazy_gettext("Guarantee fee"),
    CoverKind.INSURANCE: lazy_gettext("Insurance premium"),
}
_PROVIDERS = {CoverKind.GUARANTEE: "guarantor", CoverKind.INSURANCE: "insurer"}
_STEP = re.compile(r"(?:rate_)?steps\[(\d+)\](?:\[([01])\])?")
_CHARGE = re.compile(r"(fees|subsidies)\[(\d+)\](?:\.(\w+))?")
#: The last step of a charge's path, where its fault belongs beside another field: what a name gives away
#: concerns the whole charge.
_CHARGE_FIELDS = {"amount": "rate", "name": "rate", "part": "share", "passed_on": "share", "": "rate"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was typed and what it says: ``terms`` is None where ``form`` has faults.

    ``words`` are those of the fields, ``data`` is the offer as it is exchanged. ``principal`` is what is
    financed of a price, in fen. ``base`` is the LPR that the rate rests on and ``base_rate`` the one of its
    tenor; ``provisional_years`` are those whose working days are not final.
    """

    kind: Kind
    form: Form
    words: dict[str, Any]
    data: dict[str, Any]
    terms: Priceable | None = None
    principal: int | None = None
    base: LprRow | None = None
    base_rate: Decimal | None = None
    provisional_years: tuple[int, ...] = ()


def read(values: Mapping[str, Any], table: LprTable, today: date) -> Reading:
    """Read an offer; ``today`` is the pricing date of a floating rate that has no start of its own."""
    kind = find_kind(values)
    words = list_words(kind)
    form = Form(values, labels=words)
    writer = _Writer(form, kind)
    writer.write(table, today)
    base, tenor = writer.base, writer.data.get("lpr", {}).get("tenor")
    base_rate = None if base is None else base.rate(LprTenor(tenor))
    reading = Reading(kind, form, words, writer.data, None, writer.principal, base, base_rate)
    offer = form.run(_judge, writer, table)
    if offer is None:
        return reading
    return replace(reading, terms=offer.terms, provisional_years=offer.provisional_years)


def _judge(writer: _Writer, table: LprTable) -> offers.Offer:
    """Read what was written as every offer is read; faults name the fields of the form."""
    try:
        (offer,) = offers.read_document({"offers": [{"id": "calculator", **writer.data}]}, table)
    except Invalid as error:
        raise Invalid(*(replace(one, field=writer.find(one.field)) for one in error.faults)) from error
    return offer


class _Writer:
    """Turns the values of a form into an offer's, and remembers which field each came from."""

    def __init__(self, form: Form, kind: Kind) -> None:
        self.form, self.kind = form, kind
        self.data: dict[str, Any] = {"kind": kind.value}
        self.principal: int | None = None
        self.base: LprRow | None = None
        self._fields: dict[str, str] = {}
        self._rows: dict[str, list[int | None]] = {"fees": [], "subsidies": [], "steps": []}

    def write(self, table: LprTable, today: date) -> None:
        """Read the form, noting its faults, and write down what it says."""
        {
            Kind.LOAN: self._write_loan,
            Kind.LEASE: self._write_lease,
            Kind.BILL: self._write_bill,
            Kind.FACTORING: self._write_factoring,
            Kind.BRIDGE: self._write_bridge,
            Kind.COVER: self._write_cover,
        }[self.kind]()
        if "lpr" in self.data:
            # A rate that is frozen today needs a day all the same.
            start = date.fromisoformat(self.data.setdefault("start", today.isoformat()))
            self.base = table.row(start) if table.rows and start >= table.rows[0].published_on else None

    def find(self, path: str | None) -> str | None:
        """Return the field of the form that a fault of the written offer belongs to."""
        if path is None:
            return None
        own = path.removeprefix("offers[0]").removeprefix(".")
        if charge := _CHARGE.fullmatch(own):
            row, last = self._rows[charge[1]][int(charge[2])], charge[3] or ""
            # The fee of a cover comes of its rate.
            return "rate" if row is None else f"{charge[1]}.{row}.{_CHARGE_FIELDS.get(last, last)}"
        if step := _STEP.fullmatch(own):
            return f"steps.{self._rows['steps'][int(step[1])]}.{'rate' if step[2] == '1' else 'at'}"
        return self._fields.get(own, own) or None

    # The kinds

    def _write_loan(self) -> None:
        self._put("principal", "amount", self._amount())
        self._put("repayment", "repayment", self.form.choice("repayment", Repayment))
        self._write_regular()

    def _write_lease(self) -> None:
        price = self._amount()
        down = self.form.percent("down.share", required=False, least=0, most=MOST_PERCENT_OF_PRICE)
        if price is not None:
            self.principal = price - part(price, down or Decimal(0))
        self._put("principal", "amount", self.principal)
        self._put("rent", "rent", self.form.choice("rent", RentTiming, required=False))
        self._put("buyout", "buyout", self.form.yuan("buyout", required=False))
        wait = self.form.whole("prelease_months", required=False, least=0, most=LONGEST_TERM)
        self._put("prelease_months", "prelease_months", wait or None)
        rate = self.form.percent("prelease.rate", required=False, least=0)
        self._put("prelease_rate", "prelease.rate", rate)
        self._write_regular()

    def _write_regular(self) -> None:
        """Write what loans and leases share."""
        form = self.form
        self._put("months", "months", form.whole("months", least=1, most=LONGEST_TERM))
        base = form.choice("base", Base, required=False) or Base.FIXED
        if base is Base.FIXED:
            self._put("rate", "rate", form.percent("rate", least=0))
        else:
            tenor = LprTenor(base.value)
            self.data["lpr"] = {"tenor": tenor.value, "spread_bp": self._spread()}
            self._fields |= {"lpr": "base", "lpr.tenor": "base", "lpr.spread_bp": "spread"}
        self._put("interval", "interval", form.whole("interval", required=False))
        self._put("deposit", "deposit", form.percent("deposit", required=False, least=0, most=100))
        self._put("start", "start", form.day("start", required=False))
        self._put("day_count", "day_count", form.choice("day_count", DayCount, required=False))
        self._put("first_due", "first_due", form.day("first_due", required=False))
        self._put("rolling", "rolling", form.choice("rolling", Rolling, required=False))
        self._write_steps("rate_steps")
        self._write_charges(subsidised=True)

    def _write_bill(self) -> None:
        form = self.form
        self._put("face", "amount", self._amount())
        if (form.choice("span", Span, required=False) or Span.DAYS) is Span.DAYS:
            self._write_days()
        else:
            self._put("issued", "issued", form.day("issued"))
            self._put("matures", "matures", form.day("matures"))
            self._put("rolling", "rolling", form.choice("rolling", Rolling, required=False))
        self._put("rate", "rate", form.percent("rate", least=0))
        self._put("fee_rate", "fee.rate", form.percent("fee.rate", required=False, least=0, most=100))
        self._put("basis", "basis", form.whole("basis", required=False))
        self._write_charges()

    def _write_factoring(self) -> None:
        form = self.form
        self._put("face", "amount", self._amount())
        self._write_days()
        advance = form.percent("advance.share", required=False, least=1, most=100)
        self._put("advance", "advance.share", advance)
        self._put("rate", "rate", form.percent("rate", least=0))
        self._put("interest_when", "interest_when", form.choice("interest_when", FeeTiming, required=False))
        self._put("basis", "basis", form.whole("basis", required=False))
        self._write_charges()

    def _write_bridge(self) -> None:
        self._put("principal", "amount", self._amount())
        self._write_days()
        self._put("daily_rate", "rate", self.form.percent("rate", least=0, most=100))
        self._write_steps("steps")
        self._write_charges()

    def _write_cover(self) -> None:
        form = self.form
        amount = self._amount()
        months = form.whole("months", least=1, most=LONGEST_TERM)
        kind = form.choice("cover", CoverKind, required=False) or CoverKind.GUARANTEE
        rate = form.percent("rate", least=0, most=100)
        levy = form.choice("levy", Levy, required=False) or Levy.WHOLE_TERM
        provider = _PROVIDERS[kind]
        self._put("amount", "amount", amount)
        self._put("months", "months", months)
        self._put("deposit", "deposit", form.percent("deposit", required=False, least=0, most=100))
        self.data["provider"] = provider
        if amount is not None and months is not None and rate is not None:
            cover = Cover("calculator", kind, provider, rate, levy)
            self._add_cover(cover, amount, months)
        self._write_charges(subsidised=True, payee=provider)
        self._fields["fees"] = "rate"

    def _add_cover(self, cover: Cover, amount: int, months: int) -> None:
        """Write the fees that a yearly rate comes to, by the rule of every cover."""
        covered = LoanTerms(amount, months, Decimal(0), Repayment.BULLET)
        for fee in cover.charges(covered, Decimal(1)):
            self.data.setdefault("fees", []).append(write_fee(replace(fee, name=str(_PREMIUMS[cover.kind]))))
            self._rows["fees"].append(None)

    # Pieces of several kinds

    def _put(self, name: str, field: str, value: Any) -> None:
        """Write a value down as offers have it; None is not given."""
        self._fields[name] = field
        if isinstance(value, Decimal):
            self.data[name] = f"{value:f}"
        elif isinstance(value, date):
            self.data[name] = value.isoformat()
        elif isinstance(value, int) and field in {"amount", "buyout"}:
            self.data[name] = yuan(value)
        elif value is not None:
            self.data[name] = value if isinstance(value, int) else str(value)

    def _amount(self) -> Any:
        fen = self.form.wan("amount")
        if fen == 0:
            self.form.refuse(Code.TOO_SMALL, "amount", value=0, least=1)
            return None
        return fen

    def _write_days(self) -> None:
        self._put("days", "days", self.form.whole("days", least=1, most=MOST_DAYS))

    def _spread(self) -> Any:
        spread = self.form.whole("spread", required=False, least=-10_000, most=10_000)
        return 0 if spread is None else spread

    def _write_steps(self, name: str) -> None:
        for row in range(STEPS):
            at, rate = f"steps.{row}.at", f"steps.{row}.rate"
            if not str(self.form.value(at)).strip() and not str(self.form.value(rate)).strip():
                continue
            begins = self.form.whole(at, least=1, most=MOST_DAYS)
            stepped = self.form.percent(rate, least=0)
            if begins is not None and stepped is not None:
                self.data.setdefault(name, []).append([begins, f"{stepped:f}"])
                self._rows["steps"].append(row)

    def _write_charges(self, *, subsidised: bool = False, payee: str = "lender") -> None:
        for row in range(FEES):
            fee = charge_rows.read_fee(self.form, row, named=False, payee=payee)
            if fee is not None:
                self._add("fees", row, write_fee(fee))
        for row in range(SUBSIDIES if subsidised else 0):
            subsidy = charge_rows.read_subsidy(self.form, row)
            if subsidy is not None:
                self._add("subsidies", row, write_subsidy(subsidy))

    def _add(self, kind: str, row: int, charge: dict[str, Any]) -> None:
        # A charge that nobody named is called what the reader calls it.
        self.data.setdefault(kind, []).append({key: value for key, value in charge.items() if value != ""})
        self._rows[kind].append(row)
