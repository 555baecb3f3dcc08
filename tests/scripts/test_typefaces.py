"""The typeface of documents: both weights, one outline for each character, and Chinese and Latin in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from scripts import typefaces
from scripts.installation import FACES, TYPEFACES

#: What a disclosure sheet must be able to print.
NEEDED = (
    "贷款明白纸综合年化成本壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整零￥¥%−（），。；：“”…·0123456789ABCxyz燚喆"
)


@pytest.mark.parametrize("name", FACES)
def test_each_face_has_all_that_a_sheet_prints_as_outlines_of_its_weight(name: str) -> None:
    font = TTFont(TYPEFACES / name)
    characters = font.getBestCmap()
    assert [sign for sign in NEEDED if ord(sign) not in characters] == []
    assert len(characters) > 13_000
    assert "glyf" in font and "fvar" not in font
    assert font["OS/2"].usWeightClass == FACES[name][0]


def test_figures_are_of_equal_width_and_the_bold_face_is_bolder() -> None:
    areas = {}
    for name in FACES:
        font = TTFont(TYPEFACES / name)
        names = font.getBestCmap()
        assert len({font["hmtx"][names[ord(figure)]][0] for figure in "0123456789"}) == 1
        outline = font["glyf"][names[ord("一")]]
        areas[name] = outline.yMax - outline.yMin
    assert areas["NotoSansSC-Bold.ttf"] > areas["NotoSansSC-Regular.ttf"]


def test_the_licence_comes_along() -> None:
    assert "SIL OPEN FONT LICENSE" in (TYPEFACES / typefaces.LICENCE).read_text(encoding="utf-8")


def test_a_package_without_fonts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typefaces.main([str(tmp_path), str(tmp_path / "out")]) == 1
    assert "holds no fonts" in capsys.readouterr().err
