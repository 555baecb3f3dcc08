"""Forms that never lose what a person typed: values in, faults beside their fields, values back out.

    form = Form(request.form)
    amount, months = form.wan("amount"), form.whole("months", least=1, most=360)
    need = form.run(needs.draft, amount=amount, months=months, by=acting(), now=now())
    if form.ok:
        return redirect(url_for("enterprise.need", need_id=need.id))
    return form.page("enterprise/need_form.html")

Reading methods note a fault and return None where a value is missing or wrong, so that all faults are shown
together; ``run`` calls the service only if there is none. They return ``Any`` because None never gets past
``run``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from flask import render_template
from werkzeug.datastructures import MultiDict

from blueprints import messages
from market.calendar import SHANGHAI
from market.errors import Code, Fault, MarketError

Word = TypeVar("Word", bound=StrEnum)
T = TypeVar("T")
P = ParamSpec("P")

#: Longer than any number a person means; longer texts are refused before they are read.
LONGEST_NUMBER = 24
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_TYPED_AWAY = str.maketrans("０１２３４５６７８９．，－　", "0123456789.,- ")


def _fen(yuan: Decimal) -> int:
    return int(yuan * 100)


def _fen_of_wan(wan: Decimal) -> int:
    return int(wan * 1_000_000)


def _per_year(percent: Decimal) -> Decimal:
    return percent.scaleb(-2)


class Form:
    """The values a person sent, the faults found in them, and the status the answer will have.

    ``aliases`` maps field paths of a service's faults to the names of this form's fields; ``labels`` words
    the fields of this form for the summary where they differ from the words of ``blueprints.labels``.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        aliases: Mapping[str, str] | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        self.values: MultiDict[str, Any] = MultiDict(values or {})
        self.aliases = dict(aliases or {})
        self.labels = dict(labels or {})
        self.faults: list[Fault] = []
        self.status = 200

    # What templates ask

    def value(self, name: str, default: Any = "") -> Any:
        """Return what was typed into a field, or its first value."""
        return self.values.get(name, default)

    def chosen(self, name: str) -> list[str]:
        """Return every value sent for a field that takes several."""
        return [str(value) for value in self.values.getlist(name)]

    def reasons(self, name: str) -> list[str]:
        """Return the sentences that belong beside a field."""
        return [messages.reason(fault) for fault in self.faults if self.place(fault) == name]

    @property
    def summary(self) -> list[tuple[str | None, str]]:
        """Return (field name or None, sentence) for each fault, for the top of the page."""
        return [(self.place(fault), messages.sentence(fault, self._label(fault))) for fault in self.faults]

    def place(self, fault: Fault) -> str | None:
        """Return the field of this form that a fault belongs to, or None."""
        if fault.field is None:
            return None
        return self.aliases.get(fault.field, fault.field)

    # What views ask

    def text(self, name: str, *, required: bool = True, most: int = 200) -> Any:
        """Read a line or paragraph of text, trimmed."""
        text = str(self.values.get(name) or "").strip()
        if not text:
            self._missing(name, required)
            return None
        if len(text) > most:
            self.refuse(Code.TOO_LONG, name, value=text, most=most)
            return None
        if any(ord(char) < 32 and char not in "\r\n\t" for char in text):
            self.refuse(Code.NOT_TEXT, name, value=text)
            return None
        return text

    def decimal(
        self,
        name: str,
        *,
        required: bool = True,
        places: int = 6,
        least: Decimal | int | None = None,
        most: Decimal | int | None = None,
        unit: Callable[[Decimal], Any] = str,
    ) -> Any:
        """Read a number as people type it: thousands separators and full-width digits are fine.

        ``unit`` turns the number into what faults carry for this kind of field (fen, a rate per year).
        """
        typed = str(self.values.get(name) or "").strip()
        if not typed:
            self._missing(name, required)
            return None
        text = typed.translate(_TYPED_AWAY).replace(",", "").replace(" ", "")
        if len(text) > LONGEST_NUMBER:
            self.refuse(Code.TOO_LONG, name, value=typed, most=LONGEST_NUMBER)
            return None
        if not _NUMBER.fullmatch(text):
            self.refuse(Code.NOT_A_NUMBER, name, value=typed)
            return None
        number = Decimal(text)
        if -int(number.normalize().as_tuple().exponent) > places:
            self.refuse(Code.TOO_MANY_DECIMALS, name, value=typed, most=places)
            return None
        if least is not None and number < least:
            self.refuse(Code.TOO_SMALL, name, value=unit(number), least=unit(Decimal(least)))
            return None
        if most is not None and number > most:
            self.refuse(Code.TOO_LARGE, name, value=unit(number), most=unit(Decimal(most)))
            return None
        return number

    def yuan(self, name: str, *, required: bool = True) -> Any:
        """Read an amount typed in yuan; returns fen."""
        number = self.decimal(name, required=required, places=2, least=0, most=10**13, unit=_fen)
        return None if number is None else _fen(number)

    def wan(self, name: str, *, required: bool = True) -> Any:
        """Read an amount typed in 万元 (ten thousand yuan); returns fen."""
        number = self.decimal(name, required=required, places=6, least=0, most=10**9, unit=_fen_of_wan)
        return None if number is None else _fen_of_wan(number)

    def percent(self, name: str, *, required: bool = True, least: int | None = None, most: int = 1000) -> Any:
        """Read a rate or share typed in percent; 3.65 comes back as ``Decimal("0.0365")``."""
        number = self.decimal(name, required=required, places=6, least=least, most=most, unit=_per_year)
        return None if number is None else _per_year(number)

    def whole(
        self, name: str, *, required: bool = True, least: int | None = None, most: int | None = None
    ) -> Any:
        """Read a whole number."""
        number = self.decimal(name, required=required, places=0, least=least, most=most)
        return None if number is None else int(number)

    def day(self, name: str, *, required: bool = True) -> Any:
        """Read a day written as year-month-day."""
        typed = str(self.values.get(name) or "").strip()
        if not typed:
            self._missing(name, required)
            return None
        try:
            return date.fromisoformat(typed)
        except ValueError:
            self.refuse(Code.NOT_A_DATE, name, value=typed)
            return None

    def moment(self, name: str, *, required: bool = True) -> Any:
        """Read a moment typed in Shanghai time; returns aware UTC."""
        typed = str(self.values.get(name) or "").strip()
        if not typed:
            self._missing(name, required)
            return None
        try:
            value = datetime.fromisoformat(typed)
        except ValueError:
            self.refuse(Code.NOT_A_DATE, name, value=typed)
            return None
        return (value if value.tzinfo else value.replace(tzinfo=SHANGHAI)).astimezone(UTC)

    def choice(self, name: str, kind: type[Word], *, required: bool = True) -> Any:
        """Read one member of an enumeration."""
        typed = str(self.values.get(name) or "").strip()
        if not typed:
            self._missing(name, required)
            return None
        return self._member(name, kind, typed)

    def choices(self, name: str, kind: type[Word], *, required: bool = True) -> list[Word]:
        """Read several members of an enumeration, each once, in the enumeration's order."""
        found = {self._member(name, kind, typed) for typed in self.chosen(name) if typed}
        if not found and required:
            self._missing(name)
        return [member for member in kind if member in found]

    def flag(self, name: str) -> bool:
        """Read a check box."""
        return str(self.values.get(name) or "").lower() in {"1", "on", "true", "yes"}

    def refuse(self, code: Code, name: str | None = None, **values: Any) -> None:
        """Note a fault of this form's own."""
        self.faults.append(Fault(code, name, values))
        self.status = 422

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong so far."""
        return not self.faults

    def run(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Call a service with what was read; a refusal becomes this form's faults. Ask ``ok`` afterwards.

        Nothing is called while the form has faults of its own. Refusals that no field can mend (401, 403,
        404) pass through to their own pages.
        """
        if self.faults:
            return None
        try:
            return verb(*args, **kwargs)
        except MarketError as error:
            if error.status not in {409, 422}:
                raise
            self.faults.extend(error.faults)
            self.status = error.status
            return None

    def page(self, template: str, **context: Any) -> tuple[str, int]:
        """Return the page of this form, with what was typed and what is wrong with it."""
        return render_template(template, form=self, **context), self.status

    def _label(self, fault: Fault) -> str | None:
        label = self.labels.get(self.place(fault) or "")
        return None if label is None else str(label)

    def _missing(self, name: str, required: bool = True) -> None:
        if required:
            self.refuse(Code.REQUIRED, name)

    def _member(self, name: str, kind: type[Word], typed: str) -> Word | None:
        try:
            return kind(typed)
        except ValueError:
            self.refuse(Code.NOT_A_CHOICE, name, value=typed, choices=[member.value for member in kind])
            return None
