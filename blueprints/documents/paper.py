"""A4 pages with an embedded Chinese typeface: text that wraps as Chinese does, facts, tables, page numbers.

Lengths are millimetres from the upper left corner, sizes are points. The typeface is Noto Sans SC, which the
installation makes from its locked npm package; only the characters that a document uses are embedded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align

from market.errors import Code, Fault, Unavailable

TYPEFACES = Path(__file__).with_name("typefaces")
FAMILY = "Noto Sans SC"
_FACES = {"": "NotoSansSC-Regular.ttf", "B": "NotoSansSC-Bold.ttf"}

HEIGHT = 297.0
LEFT, RIGHT, TOP, BOTTOM = 18.0, 192.0, 16.0, 277.0
INSIDE = RIGHT - LEFT
_FOOTER = 283.0

Ink = tuple[int, int, int]
INK: Ink = (27, 36, 48)
SOFT: Ink = (86, 98, 115)
LINE: Ink = (211, 218, 227)
FAINT: Ink = (243, 245, 248)
ACTION: Ink = (23, 74, 148)
ACTION_SOFT: Ink = (232, 240, 251)

_POINT = 25.4 / 72
_LEADING = 1.42
_TABLE, _NOTE = 8.5, 7.5
#: Sizes that a table tries until its figures fit.
_SIZES = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
_GAP = 2.0
#: What a text may exceed its width by: the dust of fractions.
_SLACK = 0.01
#: What is nothing stands back behind what is something.
_NOTHING = "0.00"
#: What may not begin a line, and what may not end one.
_CLOSING = frozenset("，。；：、）》」』”’！？％%,.;:!?)]}·")
_OPENING = frozenset("（《「『“‘([{")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")


def height_of(size: float) -> float:
    """Return the height of one line of text."""
    return size * _POINT * _LEADING


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head and its share of the width.

    Cells of numbers keep to the right and to one line, those of short words to one line.
    """

    words: str
    share: float
    is_number: bool = False
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table: a text, and a smaller note under it."""

    text: str
    note: str = ""


class Paper(FPDF):
    """A document in the making; ``at`` is how far down the page it is written.

    ``made_at`` dates the file, so that equal content gives equal bytes. ``numbering`` words the page number
    and the count of pages: ``Page {page} of {count}``.
    """

    def __init__(
        self, *, title: str, author: str, language: str, made_at: datetime, footer: str, numbering: str
    ) -> None:
        """Open the first page."""
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.at = TOP
        self._padding, self._size = 0.0, _TABLE
        self._footer_words, self._numbering = footer, numbering
        for style, name in _FACES.items():
            file = TYPEFACES / name
            if not file.is_file():
                raise Unavailable(Fault(Code.TYPEFACE_MISSING, None, {"value": name}))
            self.add_font(FAMILY, style, file)
        self.set_auto_page_break(False)
        # A name that looks like fpdf's place holder for the number of pages is only a name.
        self.alias_nb_pages("")
        self.c_margin = 0
        self.set_title(title)
        self.set_author(author)
        self.set_lang(language)
        self.set_creation_date(made_at)
        self.set_producer("Cuohe")
        self.add_page()

    def finish(self) -> bytes:
        """End every page with its line, now that their number is known, and return the file."""
        count = self.pages_count
        for number in range(1, count + 1):
            self.page = number
            # A page gone back to knows nothing of what the last one set: type, ink and line are set anew.
            self.current_font_is_set_on_page = False
            self.set_draw_color(*INK)
            self.set_line_width(1)
            self.rule(_FOOTER)
            self.say(self._footer_words, LEFT, _FOOTER + 1.6, _NOTE, ink=SOFT)
            words = self._numbering.format(page=number, count=count)
            self.say(words, LEFT, _FOOTER + 1.6, _NOTE, ink=SOFT, right=True)
        return bytes(self.output())

    def turn(self) -> None:
        """Begin a new page."""
        self.add_page()
        self.at = TOP

    def keep(self, height: float) -> bool:
        """Begin a new page unless this much room is left; says whether it did."""
        if self.at + height <= BOTTOM:
            return False
        self.turn()
        return True

    def rule(
        self, y: float, x: float = LEFT, to: float = RIGHT, *, ink: Ink = LINE, weight: float = 0.2
    ) -> None:
        """Draw a level line."""
        self.set_draw_color(*ink)
        self.set_line_width(weight)
        self.line(x, y, to, y)

    def panel(self, x: float, y: float, width: float, height: float, ink: Ink = ACTION_SOFT) -> None:
        """Fill a box with rounded corners."""
        self.set_fill_color(*ink)
        self.rect(x, y, width, height, style="F", round_corners=True, corner_radius=1.6)

    def measure(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return how wide a text is."""
        if not text:
            return 0.0
        self.set_font(FAMILY, "B" if bold else "", size)
        return float(self.get_string_width(text))

    def say(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        bold: bool = False,
        ink: Ink = INK,
        width: float = INSIDE,
        right: bool = False,
    ) -> None:
        """Put one line of text with its upper edge at ``y``."""
        if not text:
            return
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*ink)
        self.set_xy(x, y)
        self.cell(width, height_of(size), text, align=Align.R if right else Align.L)

    def wrap(self, text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
        """Return a text in lines that fit a width; Chinese may break anywhere but before closing marks."""
        lines: list[str] = []
        for paragraph in text.split("\n"):
            if self.measure(paragraph, size, bold=bold) <= width + _SLACK:
                lines.append(paragraph)
                continue
            line = ""
            for piece in _pieces(paragraph):
                for part in self._cut(piece, width, size, bold):
                    if line and self.measure((line + part).rstrip(), size, bold=bold) > width + _SLACK:
                        lines.append(line.rstrip())
                        line = part.lstrip()
                    else:
                        line += part
            lines.append(line.rstrip())
        return lines

    def tell(
        self,
        text: str,
        size: float,
        *,
        bold: bool = False,
        ink: Ink = INK,
        x: float = LEFT,
        width: float = INSIDE,
    ) -> None:
        """Put a wrapped text where the page stands, and move below it."""
        for line in self.wrap(text, width, size, bold=bold):
            self.keep(height_of(size))
            self.say(line, x, self.at, size, bold=bold, ink=ink, width=width)
            self.at += height_of(size)
        self.at += 0.6

    def headline(self, text: str, room: float = 22) -> None:
        """Head a section; ``room`` is what must fit under it on the same page."""
        self.at += 5
        self.keep(height_of(11) + room)
        self.set_fill_color(*ACTION)
        self.rect(LEFT, self.at + 0.9, 1.1, height_of(11) - 1.8, style="F")
        self.say(text, LEFT + 3, self.at, 11, bold=True)
        self.at += height_of(11) + 1.5

    def facts(self, pairs: Sequence[tuple[str, str]], columns: int = 2) -> None:
        """Put words and values in columns, read from left to right and down."""
        width = INSIDE / columns
        words = 0.18 * INSIDE
        for start in range(0, len(pairs), columns):
            row = [
                (self.wrap(name, words - _GAP, _TABLE), self.wrap(value, width - words - _GAP, _TABLE))
                for name, value in pairs[start : start + columns]
            ]
            height = max(max(len(name), len(value)) for name, value in row) * height_of(_TABLE) + 1.4
            self.keep(height)
            for place, (name, value) in enumerate(row):
                x = LEFT + place * width
                self._lines(name, x, self.at + 0.7, words, _TABLE, ink=SOFT)
                self._lines(value, x + words, self.at + 0.7, width - words - _GAP, _TABLE)
            self.at += height
            self.rule(self.at)

    def tabulate(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell | str]],
        *,
        total: Sequence[str] = (),
        padding: float = 1.5,
    ) -> None:
        """Put a table that goes on over the pages, each with the heads again; ``total`` is its last row."""
        listed = [[Cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        last = [Cell(text) for text in total]
        self._padding = padding
        self._size, widths = self._fit(columns, [*listed, last] if total else listed)
        self._table_head(columns, widths)
        for row in listed:
            self._table_row(columns, widths, row)
        if total:
            self._table_row(columns, widths, last, bold=True)

    def _fit(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> tuple[float, list[float]]:
        """Return a size of type and widths at which every figure keeps to one line, if there are such."""
        shares = sum(column.share for column in columns)
        wished = [INSIDE * column.share / shares for column in columns]
        longest = [
            max((self.measure(row[place].text, 1, bold=True) for row in rows), default=0)
            for place in range(len(columns))
        ]
        for size in _SIZES:
            needed = [
                # Only figures claim more than their share; all else is wrapped.
                width * size + _GAP
                if column.is_number or column.is_short
                else min(width * size + _GAP, wish / 2)
                for column, width, wish in zip(columns, longest, wished, strict=True)
            ]
            if sum(needed) <= INSIDE:
                break
        over = [max(wish - need, 0) for wish, need in zip(wished, needed, strict=True)]
        missing = sum(max(need - wish, 0) for wish, need in zip(wished, needed, strict=True))
        taken = min(missing / sum(over), 1) if any(over) else 0
        return size, [
            max(need, wish) - taken * spare for wish, need, spare in zip(wished, needed, over, strict=True)
        ]

    def _table_head(self, columns: Sequence[Column], widths: Sequence[float]) -> None:
        heads = [
            self.wrap(column.words, width - _GAP, _NOTE, bold=True)
            for column, width in zip(columns, widths, strict=True)
        ]
        height = max(len(lines) for lines in heads) * height_of(_NOTE) + 2 * self._padding
        self.keep(height + 2 * height_of(_TABLE))
        self.set_fill_color(*FAINT)
        self.rect(LEFT, self.at, INSIDE, height, style="F")
        x = LEFT
        for column, lines, width in zip(columns, heads, widths, strict=True):
            top = self.at + height - self._padding - len(lines) * height_of(_NOTE)
            self._lines(
                lines, x + _GAP / 2, top, width - _GAP, _NOTE, bold=True, ink=SOFT, right=column.is_number
            )
            x += width
        self.at += height
        self.rule(self.at, ink=SOFT)

    def _table_row(
        self, columns: Sequence[Column], widths: Sequence[float], cells: Sequence[Cell], *, bold: bool = False
    ) -> None:
        texts = [
            (
                self.wrap(cell.text, width - _GAP, self._size, bold=bold),
                self.wrap(cell.note, width - _GAP, _NOTE),
            )
            for cell, width in zip(cells, widths, strict=True)
        ]
        noted = [len(note) if cell.note else 0 for cell, (_, note) in zip(cells, texts, strict=True)]
        height = 2 * self._padding + max(
            len(text) * height_of(self._size) + notes * height_of(_NOTE)
            for (text, _), notes in zip(texts, noted, strict=True)
        )
        if self.keep(height):
            self._table_head(columns, widths)
        x = LEFT
        for column, (text, note), notes, width in zip(columns, texts, noted, widths, strict=True):
            top, right = self.at + self._padding, column.is_number
            ink = SOFT if text == [_NOTHING] and not bold else INK
            self._lines(text, x + _GAP / 2, top, width - _GAP, self._size, bold=bold, ink=ink, right=right)
            top += len(text) * height_of(self._size)
            self._lines(note[:notes], x + _GAP / 2, top, width - _GAP, _NOTE, ink=SOFT, right=right)
            x += width
        self.at += height
        self.rule(self.at)

    def _lines(
        self,
        lines: Sequence[str],
        x: float,
        y: float,
        width: float,
        size: float,
        *,
        bold: bool = False,
        ink: Ink = INK,
        right: bool = False,
    ) -> None:
        for line in lines:
            self.say(line, x, y, size, bold=bold, ink=ink, width=width, right=right)
            y += height_of(size)

    def _cut(self, piece: str, width: float, size: float, bold: bool) -> list[str]:
        """Return a piece in parts that fit a line: words without an end do not run out of their column."""
        if self.measure(piece, size, bold=bold) <= width + _SLACK:
            return [piece]
        parts = [""]
        for character in piece:
            if parts[-1] and self.measure(parts[-1] + character, size, bold=bold) > width + _SLACK:
                parts.append("")
            parts[-1] += character
        return parts


def _pieces(text: str) -> list[str]:
    """Return a text in pieces between which a line may break."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        if pieces and (piece[0] in _CLOSING or pieces[-1][-1] in _OPENING) and not piece.isspace():
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces
