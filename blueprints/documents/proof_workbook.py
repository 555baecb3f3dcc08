"""The proof of an annual cost as a workbook: every flow, with formulas that work the figures out again.

The formulas carry their values, so that a viewer without arithmetic shows them. Names come from
whoever wrote the offer: they are texts that never run, and no formula selects by them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import xlsxwriter
from flask_babel import gettext

from blueprints import disclosure
from blueprints.documents import proof as words
from market import proof
from market.cost import Cost
from market.proof import TimedFlow
from market.schedule import Unit

#: A text that a spreadsheet would run if somebody typed it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: More periods than this make no table that the spreadsheet's own function could be tried on.
_MOST_PERIODS = 1200
#: XIRR wants days of a calendar; where days are only counted, any first day serves.
_ANY_DAY = date(2000, 1, 1)
_PER_YEAR = {Unit.MONTH: 12, Unit.DAY: 365, Unit.YEAR: 1}
_LOOKS: dict[str, dict[str, Any]] = {
    "head": {"bold": True, "bottom": 1, "bg_color": "#F3F5F8", "text_wrap": True},
    "title": {"bold": True, "font_size": 16},
    "bold": {"bold": True},
    "great": {"bold": True, "font_size": 14, "num_format": "0.0000%", "font_color": "#174A94"},
    "money": {"num_format": "#,##0.00"},
    "rate": {"num_format": "0.00000000%"},
    "factor": {"num_format": "0.000000000000"},
    "tiny": {"num_format": "0.0E+00"},
    "day": {"num_format": "yyyy-mm-dd"},
    "text": {"text_wrap": True, "valign": "top"},
    "quoted": {"quote_prefix": True},
}
#: Lines of the first sheet that other sheets look at: the rate and the first day.
_RATE_LINE, _START_LINE, _PAYEES_LINE = 3, 11, 15
#: A rate and its formula are the same if they differ by less.
_SAME = Decimal("1e-12")


def write(cost: Cost, seal: str, made_at: datetime) -> bytes:
    """Return the workbook of a cost whose proof bears the hash ``seal``, in the language of the request."""
    return _Workbook(cost, made_at).write(seal)


class _Workbook:
    """A workbook in the making; lines and cells are named as the spreadsheet names them."""

    def __init__(self, cost: Cost, made_at: datetime) -> None:
        self.cost, self.unit, self.rate = cost, cost.schedule.unit, cost.effective
        self.flows = proof.list_flows(cost)
        self.rows, self.is_regular = _sum_by_time(self.flows, self.unit)
        self.payees = [payee for payee, _ in cost.breakdown]
        self.out = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(self.out, options)
        self.book.set_properties({"title": gettext("Proof of an annual cost"), "created": made_at})
        self.looks = {name: self.book.add_format(look) for name, look in _LOOKS.items()}
        names = (gettext("Result"), gettext("Flows"), gettext("By time"), gettext("How to check"))
        self.result, self.listed, self.times, self.manual = map(self.book.add_worksheet, names)

    def write(self, seal: str) -> bytes:
        """Fill the sheets and return the file."""
        self._write_flows()
        self._write_times()
        self._write_result(seal)
        self._write_manual()
        self.book.close()
        return self.out.getvalue()

    def _write_flows(self) -> None:
        heads = [
            (gettext("When"), 12),
            (gettext("What"), 14),
            (gettext("Name"), 24),
            (gettext("Payee no."), 10),
            (gettext("Paid to"), 18),
            (gettext("Amount, yuan"), 20),
            (gettext("t, years"), 14),
            (gettext("1 ÷ (1 + r)^t"), 18),
            (gettext("Discounted, yuan"), 20),
        ]
        self._heads(self.listed, heads)
        for line, flow in enumerate(self.flows, start=2):
            self._when(self.listed, f"A{line}", flow)
            self._text(self.listed, f"B{line}", str(disclosure.FLOWS.get(flow.part, flow.part)))
            self._text(self.listed, f"C{line}", flow.name)
            self._number(self.listed, f"D{line}", self.payees.index(flow.payee) + 1)
            self._text(self.listed, f"E{line}", disclosure.payee(flow.payee))
            self._number(self.listed, f"F{line}", flow.amount, "money")
            self._discount(self.listed, line, flow, ("A", "F", "G", "H", "I"))

    def _write_times(self) -> None:
        heads = [
            (gettext("When"), 12),
            (gettext("Sum, yuan"), 20),
            (gettext("t, years"), 14),
            (gettext("1 ÷ (1 + r)^t"), 18),
            (gettext("Discounted, yuan"), 20),
        ]
        if self.unit is Unit.DAY:
            heads.append((gettext("A day for XIRR"), 14))
        self._heads(self.times, heads)
        keys, amounts = self._range("G"), self._range("F")
        for line, row in enumerate(self.rows, start=2):
            self._when(self.times, f"A{line}", row)
            self._formula(self.times, f"B{line}", f"=SUMIF({keys},C{line},{amounts})", row.amount, "money")
            self._discount(self.times, line, row, ("A", "B", "C", "D", "E"))
            if self.unit is Unit.DAY and isinstance(row.when, int):
                day = datetime.combine(_ANY_DAY + timedelta(row.when), time())
                self.times.write_datetime(f"F{line}", day, self.looks["day"])

    def _own_rate(self) -> str | None:
        """Return the formula by which the spreadsheet finds the rate itself, if it has one for such times."""
        last, sheet, guess = len(self.rows) + 1, self.times.get_name(), f"$B${_RATE_LINE}"
        sums = f"'{sheet}'!$B$2:$B${last}"
        if self.unit in (Unit.DAY, Unit.DATE):
            place = "F" if self.unit is Unit.DAY else "A"
            return f"=XIRR({sums},'{sheet}'!${place}$2:${place}${last},{guess})"
        if not self.is_regular:
            return None
        if self.unit is Unit.MONTH:
            return f"=(1+IRR({sums},(1+{guess})^(1/12)-1))^12-1"
        return f"=IRR({sums},{guess})"

    def _write_result(self, seal: str) -> None:
        sheet, cost = self.result, self.cost
        sheet.set_column(0, 0, 46)
        sheet.set_column(1, 1, 24)
        sheet.set_column(2, 2, 70)
        keys, amounts = self._range("D"), self._range("F")
        self._text(sheet, "A1", gettext("Proof of an annual cost"), "title")
        self._text(sheet, f"A{_RATE_LINE}", gettext("All-in annual cost r (compound, IRR)"), "bold")
        if self.rate is None:
            self._text(sheet, f"B{_RATE_LINE}", gettext("cannot be computed"))
        else:
            self._number(sheet, f"B{_RATE_LINE}", self.rate, "great")
            self._text(sheet, f"C{_RATE_LINE}", f"{self.rate:f}")
            self._text(sheet, "A4", gettext("Sum of all discounted amounts at r: zero but for rounding"))
            residue = proof.discount(self.flows, self.rate)
            self._formula(sheet, "B4", f"=SUM({self._range('I')})", residue, "tiny")
            self._text(sheet, "A5", gettext("The rate by this program's own IRR or XIRR"))
            if (own := self._own_rate()) is None:
                self._text(sheet, "B5", gettext("not for these times"))
            else:
                self._formula(sheet, "B5", own, self.rate, "rate")
        self._text(sheet, "A6", gettext("Annual cost, simple form"))
        if cost.simple is not None:
            self._formula(sheet, "B6", self._simple(), cost.simple, "rate")
        self._text(sheet, "A7", gettext("Total cost, yuan"))
        self._formula(sheet, "B7", f"=ROUND(-SUM({amounts}),2)", _yuan(cost.total_cost), "money")
        self._text(sheet, "A8", gettext("Money received, yuan"))
        received = f"=ROUND(SUMIF({self._range('G')},0,{amounts}),2)"
        self._formula(sheet, "B8", received, _yuan(cost.net_received), "money")
        self._text(sheet, "A9", gettext("How it is counted"))
        self._text(sheet, "B9", cost.convention)
        for line, sentence in enumerate(disclosure.convention(cost.convention), start=9):
            self._text(sheet, f"C{line}", sentence, "text")
        if self.unit is Unit.DATE and self.flows:
            self._text(sheet, f"A{_START_LINE}", gettext("First day (t = 0)"))
            start = date.fromisoformat(str(self.flows[0].when)) - timedelta(int(self.flows[0].years * 365))
            sheet.write_datetime(f"B{_START_LINE}", datetime.combine(start, time()), self.looks["day"])
        self._text(sheet, "A12", gettext("SHA-256 of the proof"))
        self._text(sheet, "B12", seal)
        for place, said in zip(
            "ABC", (gettext("No."), gettext("Yuan in all"), gettext("Paid to")), strict=True
        ):
            self._text(sheet, f"{place}{_PAYEES_LINE - 1}", said, "head")
        for number, (payee, amount) in enumerate(cost.breakdown, start=1):
            line = _PAYEES_LINE + number - 1
            self._number(sheet, f"A{line}", number)
            paid = f"=ROUND(-SUMIF({keys},A{line},{amounts}),2)"
            self._formula(sheet, f"B{line}", paid, _yuan(amount), "money")
            self._text(sheet, f"C{line}", disclosure.payee(payee))

    def _write_manual(self) -> None:
        self.manual.set_column(0, 0, 5)
        self.manual.set_column(1, 1, 110)
        own = gettext(
            "This workbook does the same with formulas: “%(flows)s” holds every flow, “%(times)s” their "
            "sums, “%(result)s” the figures. Change an amount and see what follows.",
            flows=self.listed.get_name(),
            times=self.times.get_name(),
            result=self.result.get_name(),
        )
        for line, sentence in enumerate([own, *words.steps()], start=1):
            self._number(self.manual, f"A{line}", line)
            self._text(self.manual, f"B{line}", sentence, "text")

    def _simple(self) -> str:
        """Return the formula of the simple form: of months, or pro rata where that is what it is."""
        moved = [(line, row) for line, row in enumerate(self.rows, start=2) if row.amount]
        if len(moved) == 2 and self.cost.simple is not None:
            (one, first), (two, last) = moved
            years = last.years - first.years
            gained = abs(last.amount / first.amount) - 1
            if abs(gained * years.denominator / years.numerator - self.cost.simple) < _SAME:
                sheet = f"'{self.times.get_name()}'!"
                growth = f"ABS({sheet}$B${two}/{sheet}$B${one})-1"
                return f"=({growth})/({sheet}$C${two}-{sheet}$C${one})"
        return f"=12*((1+$B${_RATE_LINE})^(1/12)-1)"

    def _discount(self, sheet: Any, line: int, flow: TimedFlow, places: Sequence[str]) -> None:
        """Write the time of a flow in years, its factor and its discounted amount."""
        when, amount, years, factor, discounted = (f"{place}{line}" for place in places)
        result = f"'{self.result.get_name()}'!"
        if self.unit is Unit.DATE:
            counted = f"=({when}-{result}$B${_START_LINE})/365"
        elif isinstance(flow.when, int) and Fraction(flow.when, _PER_YEAR[self.unit]) == flow.years:
            counted = f"={when}/{_PER_YEAR[self.unit]}"
        else:
            counted = f"={flow.years.numerator}/{flow.years.denominator}"
        self._formula(sheet, years, counted, flow.years, "factor")
        if self.rate is None:
            return
        worth = proof.factor(self.rate, flow.years)
        self._formula(sheet, factor, f"=1/(1+{result}$B${_RATE_LINE})^{years}", worth, "factor")
        self._formula(sheet, discounted, f"={amount}*{factor}", flow.amount * worth, "money")

    def _range(self, place: str) -> str:
        """Return a column of the sheet of flows."""
        return f"'{self.listed.get_name()}'!${place}$2:${place}${len(self.flows) + 1}"

    def _heads(self, sheet: Any, heads: Sequence[tuple[str, int]]) -> None:
        for place, (said, width) in enumerate(heads):
            sheet.write_string(0, place, said, self.looks["head"])
            sheet.set_column(place, place, width)
        sheet.freeze_panes(1, 0)

    def _text(self, sheet: Any, cell: str, said: str, look: str | None = None) -> None:
        chosen = "quoted" if said.startswith(FORMULA) else look
        sheet.write_string(cell, said, self.looks[chosen] if chosen else None)

    def _number(self, sheet: Any, cell: str, value: Decimal | int, look: str | None = None) -> None:
        sheet.write_number(cell, float(value), self.looks[look] if look else None)

    def _formula(self, sheet: Any, cell: str, formula: str, value: Decimal | Fraction, look: str) -> None:
        sheet.write_formula(cell, formula, self.looks[look], float(value))

    def _when(self, sheet: Any, cell: str, flow: TimedFlow) -> None:
        if self.unit is Unit.DATE:
            day = datetime.combine(date.fromisoformat(str(flow.when)), time())
            sheet.write_datetime(cell, day, self.looks["day"])
        elif isinstance(flow.when, int):
            sheet.write_number(cell, flow.when)
        else:
            sheet.write_string(cell, flow.when)


def _sum_by_time(flows: Sequence[TimedFlow], unit: Unit) -> tuple[list[TimedFlow], bool]:
    """Return the sum of each time, and whether one stands at every period from the first to the last."""
    rows = proof.net(flows)
    counted = bool(rows) and unit in (Unit.MONTH, Unit.YEAR)
    if not counted or not all(isinstance(row.when, int) for row in rows):
        return rows, False
    first, last = (int(row.when) for row in (rows[0], rows[-1]))
    if last - first > _MOST_PERIODS:
        return rows, False
    sums = {row.when: row for row in rows}
    begin, per_year = rows[0].years, _PER_YEAR[unit]
    empty = (
        TimedFlow(when, begin + Fraction(when - first, per_year), Decimal(0))
        for when in range(first, last + 1)
    )
    return [sums.get(row.when, row) for row in empty], True


def _yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100
