"""``python -m scripts.typefaces SOURCE TARGET``: the Chinese typeface of documents, from its npm package.

The package brings Noto Sans SC as a hundred compressed variable fonts of some two hundred characters each,
which is what web pages want. A PDF wants one TrueType file for each weight: the characters are drawn at
the two weights that documents use and put together again. Needs the packages of ``.venv``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from scripts.installation import FACES

FAMILY = "Noto Sans SC"
LICENCE = "LICENSE"
#: What a font draws for a character that it does not have.
MISSING = ".notdef"

#: An outline and its width.
Drawing = tuple[Any, int]


@dataclass(frozen=True)
class Piece:
    """What one file of the package holds: for each weight the drawings by character (None: missing ones)."""

    metrics: dict[str, int]
    drawings: dict[int, dict[int | None, Drawing]]


def main(arguments: Sequence[str]) -> int:
    """Make the faces; returns 0, or 1 with the reason on stderr."""
    source, target = Path(arguments[0]), Path(arguments[1])
    # The Latin letters first: their file holds the digits and signs that the others repeat.
    files = sorted(
        (source / "files").glob("*-wght-normal.woff2"), key=lambda file: ("latin-w" not in file.name, file)
    )
    if not files:
        print(f"{source} holds no fonts.", file=sys.stderr)
        return 1
    with ProcessPoolExecutor() as pool:
        pieces = list(pool.map(read_piece, files))
    target.mkdir(parents=True, exist_ok=True)
    for name, (weight, style) in FACES.items():
        fresh = target / f"{name}.new"
        make_face(pieces, weight, style).save(fresh)
        fresh.rename(target / name)
    shutil.copyfile(source / LICENCE, target / LICENCE)
    return 0


def read_piece(file: Path) -> Piece:
    """Return the characters of one file, drawn at each weight."""
    font = TTFont(file)
    characters = font.getBestCmap()
    drawings: dict[int, dict[int | None, Drawing]] = {}
    for weight, _ in FACES.values():
        glyphs = font.getGlyphSet(location={"wght": weight})
        drawings[weight] = {character: draw(glyphs, name) for character, name in characters.items()}
        drawings[weight][None] = draw(glyphs, MISSING)
    metrics = {
        "unitsPerEm": font["head"].unitsPerEm,
        "ascent": font["hhea"].ascent,
        "descent": font["hhea"].descent,
        "capHeight": font["OS/2"].sCapHeight,
        "xHeight": font["OS/2"].sxHeight,
    }
    return Piece(metrics, drawings)


def draw(glyphs: Any, name: str) -> Drawing:
    """Return one glyph without references to others, and its width."""
    recording = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(recording)
    pen = TTGlyphPen(None)
    recording.replay(pen)
    return pen.glyph(), round(glyphs[name].width)


def make_face(pieces: Iterable[Piece], weight: int, style: str) -> Any:
    """Return one font of all pieces; a character that several bring is taken from the first."""
    together: dict[int | None, Drawing] = {}
    metrics: dict[str, int] = {}
    for piece in pieces:
        metrics = metrics or piece.metrics
        together = piece.drawings[weight] | together
    characters = {character: f"u{character:04X}" for character in sorted(filter(None, together))}
    names = {MISSING: together[None]} | {name: together[character] for character, name in characters.items()}
    outlines = {name: outline for name, (outline, _) in names.items()}
    builder = FontBuilder(metrics["unitsPerEm"], isTTF=True)
    builder.setupGlyphOrder(list(names))
    builder.setupCharacterMap(characters)
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics(
        {name: (width, getattr(outlines[name], "xMin", 0)) for name, (_, width) in names.items()}
    )
    ascent, descent = metrics["ascent"], metrics["descent"]
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    builder.setupNameTable({"familyName": FAMILY, "styleName": style})
    builder.setupOS2(
        sTypoAscender=ascent,
        sTypoDescender=descent,
        usWinAscent=ascent,
        usWinDescent=-descent,
        usWeightClass=weight,
        sCapHeight=metrics["capHeight"],
        sxHeight=metrics["xHeight"],
    )
    # With its names written out a font is read in half the time.
    builder.setupPost(keepGlyphNames=True)
    return builder.font


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
