"""The catalogue follows the words of pages and messages, and no translation is lost on the way."""

from __future__ import annotations

import json
from gettext import GNUTranslations
from pathlib import Path

import pytest

from scripts import catalogue

PAGE = """<h1>{{ _("Needs") }}</h1>
{% trans count=n %}{{ count }} offer{% pluralize %}{{ count }} offers{% endtrans %}"""
CODE = 'A = lazy_gettext("%(value)s is too late")\nB = lazy_pgettext("bid", "open")\n'


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house of one page and one module, without a catalogue yet."""
    (tmp_path / "blueprints" / "web" / "templates").mkdir(parents=True)
    (tmp_path / "blueprints" / "web" / "templates" / "needs.html").write_text(PAGE)
    (tmp_path / "blueprints" / "messages.py").write_text(CODE)
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "SOURCES", tmp_path / "blueprints")
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "zh" / "messages.po")
    return tmp_path


def fill(house: Path, translations: dict[str, str]) -> int:
    file = house / "fill.json"
    file.write_text(json.dumps(translations), encoding="utf-8")
    return catalogue.main(["fill", str(file)])


ALL = {
    "Needs": "融资需求",
    "%(count)s offer": "%(count)s 个报价",
    "%(value)s is too late": "%(value)s 已过期",
    "bid\x04open": "已开标",
}


def test_every_word_is_found_and_named_as_missing(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogue.main(["update"]) == 0
    capsys.readouterr()
    assert catalogue.main(["missing"]) == 1
    assert json.loads(capsys.readouterr().out) == dict.fromkeys(ALL, "")


def test_filled_words_reach_the_pages(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(house, ALL) == 0
    assert catalogue.main(["missing"]) == 0
    assert catalogue.main(["compile"]) == 0
    with (house / "zh" / "messages.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    assert compiled.gettext("Needs") == "融资需求"
    assert compiled.pgettext("bid", "open") == "已开标"
    assert compiled.ngettext("%(count)s offer", "%(count)s offers", 2) == "%(count)s 个报价"


def test_an_unknown_word_is_named_and_the_others_are_kept(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(house, {"Needs": "融资需求", "Nowhere": "无处"}) == 1
    assert "unknown: 'Nowhere'" in capsys.readouterr().err
    assert catalogue.main(["missing"]) == 1
    assert "Needs" not in json.loads(capsys.readouterr().out)


def test_a_translation_that_loses_a_value_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(house, {"%(value)s is too late": "%(wert)s 已过期"}) == 1
    assert "does not fit: '%(value)s is too late'" in capsys.readouterr().err
    assert catalogue.main(["missing"]) == 1
    assert "%(value)s is too late" in json.loads(capsys.readouterr().out)


def test_a_word_that_goes_and_comes_back_keeps_its_translation(house: Path) -> None:
    fill(house, ALL)
    (house / "blueprints" / "messages.py").write_text("")
    catalogue.main(["update"])
    assert "已开标" in catalogue.CATALOGUE.read_text(encoding="utf-8")
    (house / "blueprints" / "messages.py").write_text(CODE)
    assert catalogue.main(["missing"]) == 0
    (house / "blueprints" / "messages.py").write_text("")
    catalogue.main(["tidy"])
    assert "已开标" not in catalogue.CATALOGUE.read_text(encoding="utf-8")


def test_updating_twice_changes_nothing(house: Path) -> None:
    fill(house, ALL)
    before = catalogue.CATALOGUE.read_bytes()
    catalogue.main(["update"])
    assert catalogue.CATALOGUE.read_bytes() == before


def test_a_page_that_cannot_be_read_leaves_the_catalogue_alone(house: Path) -> None:
    fill(house, ALL)
    before = catalogue.CATALOGUE.read_bytes()
    (house / "blueprints" / "web" / "templates" / "broken.html").write_text("{% trans %}")
    with pytest.raises(Exception, match="unclosed translation block"):
        catalogue.main(["update"])
    assert catalogue.CATALOGUE.read_bytes() == before
