"""What if: sliders that start at what was typed, and the form as it would be with them moved.

A what-if is the same form with other values in a few fields (``what.amount`` for ``amount``), read by the
same reader: what it shows is what typing those values would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext, ngettext
from werkzeug.datastructures import MultiDict

from blueprints import disclosure, formats
from blueprints.web import charge_rows
from blueprints.web.forms import Form
from market import what_if
from market.terms import Priceable
from market.what_if import Difference, Exploration, Marginal

PREFIX = "what."
#: What is less than half of the last digit shown is nothing.
_SHOWN = Decimal("0.00005")
#: How far one step of a slider goes: percent a year, percent a day, basis points.
PERCENT_STEP, DAILY_STEP, SPREAD_STEP = Decimal("0.05"), Decimal("0.005"), Decimal(5)


@dataclass(frozen=True, slots=True)
class Slider:
    """A field that can be moved: from ``least`` to ``most`` in ``step``, of which the typed value is one."""

    name: str
    words: str
    unit: str
    least: Decimal
    most: Decimal
    step: Decimal
    typed: Decimal
    value: Decimal
    said: str

    @property
    def attributes(self) -> dict[str, str]:
        """Return the range and the value as a slider's attributes are written."""
        return {
            "min": f"{self.least:f}",
            "max": f"{self.most:f}",
            "step": f"{self.step:f}",
            "value": f"{self.value:f}",
        }

    @property
    def moved(self) -> bool:
        """Say whether it stands elsewhere than where it started."""
        return self.value != self.typed


@dataclass(frozen=True, slots=True)
class Choice:
    """A field that can be chosen anew, with its (value, words)."""

    name: str
    words: str
    options: tuple[tuple[str, Any], ...]
    typed: str
    value: str

    @property
    def moved(self) -> bool:
        """Say whether another value is chosen than was typed."""
        return self.value != self.typed


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An offer explored, and what the moved fields make of it.

    ``changed`` says whether anything was moved; ``faults`` are the sentences that then speak against it,
    and ``values`` the whole form as it would be.
    """

    study: Exploration
    sliders: tuple[Slider, ...]
    choices: tuple[Choice, ...]
    values: MultiDict[str, Any]
    faults: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Say whether anything was moved."""
        return any(one.moved for one in self.sliders) or any(one.moved for one in self.choices)

    @property
    def difference(self) -> Difference | None:
        """Return how the moved offer differs from the typed one; None where there is no moved one."""
        study = self.study
        return None if study.changed is None else what_if.difference(study.changed, study.cost)

    @property
    def parts(self) -> list[str]:
        """Return the names of the elements that a moved slider changes, for htmx."""
        return [f"said-{slider.name}" for slider in self.sliders]


def consider(
    terms: Priceable,
    values: Mapping[str, Any],
    sliders: Sequence[Slider],
    choices: Sequence[Choice],
    read: Callable[[MultiDict[str, Any]], tuple[Form, Priceable | None]],
) -> WhatIf:
    """Explore an offer; what the sliders and choices make of it is read by ``read`` and goes along."""
    changed = MultiDict((name, value) for name, value in values.items() if not name.startswith(PREFIX))
    faults: tuple[str, ...] = ()
    other = None
    moved = {one.name: charge_rows.trim(one.value) for one in sliders if one.moved}
    moved |= {one.name: one.value for one in choices if one.moved}
    if moved:
        for name, value in moved.items():
            changed[name] = value
        form, other = read(changed)
        faults = tuple(sentence for _, sentence in form.summary)
    return WhatIf(what_if.explore(terms, other), tuple(sliders), tuple(choices), changed, faults)


def list_moved(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the sliders and choices stand, as an address carries it."""
    return {name: value for name, value in values.items() if name.startswith(PREFIX)}


def slide_amount(form: Form, words: Any, most: int = 10**9, name: str = "amount") -> Slider:
    """Return the slider of an amount in 万元: half to one and a half times what was typed."""
    typed = _number(form, name)
    step = _nice(typed / 20) if typed else Decimal(1)
    reach = int(typed / 2 / step) if typed else 1
    unit, bounds = gettext("10,000 yuan"), (Decimal("0.01"), Decimal(most))
    return _slide(form, name, words, unit, (step, reach), bounds, _say_wan)


def slide_months(form: Form, words: Any, most: int = 360) -> Slider:
    """Return the slider of a tenor in months: a year either way, or half of a long one."""
    reach = max(12, int(_number(form, "months")) // 2)
    return _slide(form, "months", words, gettext("months"), (Decimal(1), reach), (1, most), _say_months)


def slide_days(form: Form, words: Any, most: int) -> Slider:
    """Return the slider of a time in days: half of it either way."""
    typed = _number(form, "days")
    step = _nice(typed / 40) if typed > 40 else Decimal(1)
    reach = max(5, int(typed / 2 / step))
    return _slide(form, "days", words, gettext("days"), (step, reach), (1, most), _say_days)


def slide_rate(form: Form, name: str, words: Any, *, daily: bool = False, least: Decimal | int = 0) -> Slider:
    """Return the slider of a rate in percent: two points either way, or 0.05 for a rate a day."""
    step, reach = (DAILY_STEP, 10) if daily else (PERCENT_STEP, 40)
    return _slide(form, name, words, "%", (step, reach), (least, 1000), _say_percent)


def slide_spread(form: Form, words: Any) -> Slider:
    """Return the slider of the points over the LPR: two hundred either way."""
    return _slide(form, "spread", words, "bp", (SPREAD_STEP, 40), (-10_000, 10_000), _say_spread)


def slide_fee(form: Form, rows: int) -> Slider:
    """Return the slider of the first fee that was typed, be it a rate or an amount; else of the first row."""
    typed = [row for row in range(rows) if str(form.value(f"fees.{row}.rate")).strip()]
    row = typed[0] if typed else 0
    name, words = f"fees.{row}.rate", str(form.value(f"fees.{row}.name")).strip()
    said = words or gettext("Fee %(number)s", number=row + 1)
    if str(form.value(f"fees.{row}.basis")) != charge_rows.FLAT:
        return slide_rate(form, name, said)
    size = _number(form, name)
    step = _nice(size / 20) if size else Decimal(100)
    return _slide(form, name, said, gettext("yuan"), (step, 40), (0, 10**13), _say_yuan)


def choose(form: Form, name: str, words: Any, options: Sequence[tuple[str, Any]]) -> Choice:
    """Return a choice that starts at what was chosen in the form."""
    typed = str(form.value(name))
    asked = str(form.value(PREFIX + name, typed))
    known = {value for value, _ in options}
    return Choice(name, str(words), tuple(options), typed, asked if asked in known else typed)


def say_difference(one: Difference) -> str:
    """Return a difference in words: ``+0.35 points, 3,650.00 yuan more``."""
    points = None if one.points is None else say_points(one.points)
    if not one.total:
        return points or gettext("no difference")
    more, less = gettext("%(amount)s yuan more"), gettext("%(amount)s yuan less")
    yuan = (more if one.total > 0 else less) % {"amount": formats.exact(abs(one.total))}
    return yuan if points is None else gettext("%(points)s, %(yuan)s", points=points, yuan=yuan)


def say_points(points: Decimal | None) -> str:
    """Return a difference of annual costs in percentage points, signed."""
    if points is None:
        return formats.ABSENT
    if abs(points) < _SHOWN:
        return gettext("±0.00 points")
    sign = "+" if points > 0 else "−"
    return gettext("%(points)s points", points=sign + formats.rate(abs(points)).removesuffix("%"))


def say_charge(one: Marginal) -> str:
    """Return what a charge is, by its own name if it has one."""
    return disclosure.part({"part": one.part.value, "name": one.name})


def say_payee(one: Marginal) -> str:
    """Return who is paid, or receives, in words."""
    return disclosure.payee(one.payee)


def _slide(
    form: Form,
    name: str,
    words: Any,
    unit: str,
    steps: tuple[Decimal, int],
    bounds: tuple[Decimal | int, Decimal | int],
    say: Callable[[Decimal], str],
) -> Slider:
    """Return a slider of so many steps either way, within bounds, on whose steps the typed value lies."""
    typed, (step, reach), (least, most) = _number(form, name), steps, bounds
    down = max(0, min(reach, int((typed - least) / step)))
    up = max(0, min(reach, int((most - typed) / step)))
    lowest, highest = typed - down * step, typed + up * step
    asked = _number(form, PREFIX + name, typed)
    value = min(max(asked, lowest), highest)
    return Slider(name, str(words), unit, lowest, highest, step, typed, value, say(value))


def _say_wan(wan: Decimal) -> str:
    return formats.money_text(int(wan * 1_000_000))


def _say_yuan(yuan: Decimal) -> str:
    return formats.money_text(int(yuan * 100))


def _say_months(months: Decimal) -> str:
    return formats.months(int(months))


def _say_days(days: Decimal) -> str:
    return ngettext("%(num)s day", "%(num)s days", int(days))


def _say_percent(percent: Decimal) -> str:
    return f"{charge_rows.trim(percent)}%"


def _say_spread(points: Decimal) -> str:
    return formats.points(points / 10_000)


def _number(form: Form, name: str, otherwise: Decimal = Decimal(0)) -> Decimal:
    """Return a number of the form as it was typed; what is none is ``otherwise``."""
    read = Form({name: form.value(name)}).decimal(name, required=False, places=12)
    return otherwise if read is None else Decimal(read)


def _nice(size: Decimal) -> Decimal:
    """Return the largest of 1, 2, 5, 10, 20 … (or 0.5, 0.2 …) that is not more than a size."""
    unit = Decimal(1).scaleb(size.adjusted())
    return max(unit * times for times in (1, 2, 5) if unit * times <= size)
