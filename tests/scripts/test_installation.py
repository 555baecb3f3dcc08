"""Preparing a folder: done once, noticed when it is out of date, never half."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts import installation
from scripts.installation import alone, copy_assets, digest, is_stamped, set_stamp
from scripts.progress import StepFailed

ROOT = Path(__file__).resolve().parents[2]


def test_a_stamp_holds_for_the_same_content_only(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "packages"
    assert not is_stamped(stamp, digest(b"a"))
    set_stamp(stamp, digest(b"a"))
    assert is_stamped(stamp, digest(b"a"))
    assert not is_stamped(stamp, digest(b"b"))
    assert digest(b"a", b"b") != digest(b"ab")


def test_assets_are_copied_as_the_manifest_says_and_replace_the_old_ones(tmp_path: Path) -> None:
    source, target = tmp_path / "node_modules", tmp_path / "vendor"
    (source / "lib" / "fonts").mkdir(parents=True)
    (source / "lib" / "a.js").write_text("a")
    (source / "lib" / "fonts" / "b.woff2").write_text("b")
    target.mkdir()
    (target / "old.js").write_text("old")
    assert copy_assets({"js/a.js": "node_modules/lib/a.js", "fonts": "lib/fonts"}, source, target) == 2
    assert sorted(str(file.relative_to(target)) for file in target.rglob("*.*")) == [
        "fonts/b.woff2",
        "js/a.js",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("vendor")] == ["vendor"]


@pytest.mark.parametrize(
    ("manifest", "named"), [({"a.js": "lib/none.js"}, "lib/none.js"), ({"../a.js": "lib"}, r"\.\./a\.js")]
)
def test_a_wrong_manifest_entry_is_named_and_the_old_assets_stay(
    manifest: dict[str, str], named: str, tmp_path: Path
) -> None:
    source, target = tmp_path / "node_modules", tmp_path / "vendor"
    (source / "lib").mkdir(parents=True)
    target.mkdir()
    (target / "old.js").write_text("old")
    with pytest.raises(StepFailed, match=named):
        copy_assets(manifest, source, target)
    assert (target / "old.js").exists()


def test_two_preparations_of_one_folder_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def say(text: str, **_options: object) -> None:
        assert "waiting for it" in text
        waiting.set()

    def second() -> None:
        with alone(tmp_path):
            order.append("second")

    monkeypatch.setattr(installation, "print", say, raising=False)
    thread = threading.Thread(target=second)
    with alone(tmp_path):
        thread.start()
        assert waiting.wait(timeout=20)
        order.append("first")
    thread.join(timeout=20)
    assert order == ["first", "second"]


def test_assets_and_typeface_are_made_again_when_a_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "assets"
    (assets / "node_modules").mkdir(parents=True)
    (assets / "node_modules" / "a.js").write_text("a")
    (assets / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/a": {}}}')
    (assets / "manifest.json").write_text('{"a.js": "a.js"}')
    runs: list[int] = []
    made: list[list[str]] = []
    monkeypatch.setattr(installation, "ASSETS", assets)
    monkeypatch.setattr(installation, "VENDOR", tmp_path / "static" / "vendor")
    monkeypatch.setattr(installation, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(installation, "TYPEFACES", tmp_path / "typefaces")
    monkeypatch.setattr(installation, "packaged_node", lambda: tmp_path)

    def run(command: list[str], **_options: object) -> str:
        if "npm-cli.js" in command[1]:
            runs.append(1)
        else:
            made.append(command)
            Path(command[-1]).mkdir(exist_ok=True)
            for name in installation.FACES:
                (Path(command[-1]) / name).write_text(name)
        return ""

    monkeypatch.setattr(installation, "run", run)

    def build() -> int:
        with installation.step("Page assets") as current:
            installation.build_assets(current)
        return len(runs)

    assert (build(), build()) == (1, 1)
    (tmp_path / "static" / "vendor" / "a.js").unlink()
    assert build() == 2
    assert len(made) == 1, "the typeface was still there"
    (tmp_path / "typefaces" / "NotoSansSC-Bold.ttf").unlink()
    assert (build(), len(made)) == (3, 2)
    assert made[0][1:3] == ["-m", "scripts.typefaces"]
    assert (build(), len(made)) == (3, 2)


def test_what_runs_before_the_environment_exists_needs_the_standard_library_only() -> None:
    # -S leaves out site-packages: an import from there would fail.
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import scripts.launcher, scripts.checks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
