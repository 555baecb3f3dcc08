"""The laws of the house as checks over its own source: each law is one checker, one test, one proof.

The proof matters as much as the rule: a checker that cannot fail guards nothing.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The sentence: each imports only what stands to its left. ``config`` stands apart.
SENTENCE = ["market", "models", "services", "blueprints", "wsgi", "scripts"]
MIGRATIONS = "models/migrations/"

#: What the rules of the trade may be made of: no clock, no file, no network, no chance.
PURE = {
    *(
        "__future__",
        "abc",
        "array",
        "bisect",
        "calendar",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
    ),
    *("fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "numbers"),
    *("operator", "re", "statistics", "string", "types", "typing", "unicodedata", "zoneinfo"),
    *("market", "numpy", "rfc8785", "stdnum"),
}
#: The one reader of the tables that ship with the rules.
READERS = {"csv", "importlib", "io", "pathlib"}
SOLVERS = {"ortools", "scipy", "highspy"}
QUEUES = {
    "apscheduler",
    "celery",
    "dramatiq",
    "huey",
    "multiprocessing",
    "procrastinate",
    "queue",
    "rq",
    "threading",
}
CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"),
    *("time.localtime", "time.gmtime", "func.now", "func.current_timestamp", "func.localtimestamp"),
}
ATTICS = {"base_utils", "common", "helper", "helpers", "misc", "tools", "util", "utils"}

Checker = Callable[[str, ast.Module], Iterator[str]]


@functools.cache
def sources() -> list[str]:
    """Return every Python file of the house, as paths from its root."""
    folders = [path for name in SENTENCE for path in (ROOT / name).rglob("*.py")]
    files = [path for path in (ROOT / "wsgi.py", ROOT / "config.py", *folders) if path.exists()]
    names = [path.relative_to(ROOT).as_posix() for path in files]
    return sorted(name for name in names if "node_modules" not in name and "/static/" not in name)


@functools.cache
def parse(path: str) -> ast.Module:
    """Return a file of the house as Python reads it."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), path)


def room(path: str) -> str:
    """Return the room of the house a file belongs to: its top folder, or its own name."""
    return path.split("/")[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, module) for every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." if node.level else node.module or ""


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for a chain of names, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (front := dotted(node.value)):
        return f"{front}.{node.attr}"
    return ""


def imports_leftwards(path: str, tree: ast.Module) -> Iterator[str]:
    here = room(path)
    for line, module in imports(tree):
        there = module.split(".")[0]
        if module == ".":
            yield f"{path}:{line} imports relatively"
        elif there == "tests":
            yield f"{path}:{line} imports the tests"
        elif there == "config" and here not in {"wsgi", "scripts"}:
            yield f"{path}:{line} imports config"
        elif there in SENTENCE and (here == "config" or SENTENCE.index(there) > SENTENCE.index(here)):
            yield f"{path}:{line} imports {module}"


def market_is_pure(path: str, tree: ast.Module) -> Iterator[str]:
    if room(path) != "market":
        return
    allowed = PURE | READERS if path.startswith("market/reference/") else PURE
    for line, module in imports(tree):
        if (top := module.split(".")[0]) not in allowed and top not in SOLVERS:
            yield f"{path}:{line} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {"open", "print", "input"}:
            yield f"{path}:{node.lineno} calls {dotted(node.func)}"


def solvers_load_late(path: str, tree: ast.Module) -> Iterator[str]:
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in inside:
            for line, module in imports(node):
                if module.split(".")[0] in SOLVERS and room(path) != "scripts":
                    yield f"{path}:{line} imports {module} when it is loaded"


def services_know_no_web(path: str, tree: ast.Module) -> Iterator[str]:
    for line, module in imports(tree):
        top = module.split(".")[0]
        if room(path) == "services" and (top.startswith("flask") or top in {"werkzeug", "jinja2"}):
            yield f"{path}:{line} imports {module}"


def services_know_no_queue(path: str, tree: ast.Module) -> Iterator[str]:
    for line, module in imports(tree):
        if room(path) == "services" and module.split(".")[0] in QUEUES:
            yield f"{path}:{line} imports {module}"


def time_is_an_argument(path: str, tree: ast.Module) -> Iterator[str]:
    if (
        room(path) in {"scripts", "wsgi", "config"}
        or path == "blueprints/clock.py"
        or path.startswith(MIGRATIONS)
    ):
        return
    for node in ast.walk(tree):
        # A reference is enough: `default=datetime.now` reads the clock as much as a call does.
        if isinstance(node, ast.Attribute) and ".".join(dotted(node).split(".")[-2:]) in CLOCKS:
            yield f"{path}:{node.lineno} reads {dotted(node)}"


def one_place_commits(path: str, tree: ast.Module) -> Iterator[str]:
    if path == "models/base.py" or path.startswith(MIGRATIONS):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"{path}:{node.lineno} commits"


def no_attic(path: str, tree: ast.Module) -> Iterator[str]:
    for part in Path(path).with_suffix("").parts:
        if part in ATTICS:
            yield f"{path} is an attic"


def files_are_short(path: str, tree: ast.Module) -> Iterator[str]:
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > 400 and not path.startswith(MIGRATIONS):
        yield f"{path} has {last} lines, more than 400: split it by subject"


def public_means_documented(path: str, tree: ast.Module) -> Iterator[str]:
    if room(path) not in {"market", "services"}:
        return
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    outer = [node for node in tree.body if isinstance(node, kinds)]
    inner = [
        node
        for owner in outer
        if isinstance(owner, ast.ClassDef) and not owner.name.startswith("_")
        for node in owner.body
        if isinstance(node, kinds)
    ]
    for node in outer + inner:
        if not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{path}:{node.lineno} {node.name} has no docstring"


def money_is_not_a_float(path: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        name = dotted(node).split(".")[-1]
        if room(path) == "models" and name in {"Float", "Double", "REAL", "float"}:
            yield f"{path}:{getattr(node, 'lineno', 0)} stores a {name}"


#: Each law: its checker, and the smallest breach of it (path, source), so that the checker is known to bite.
LAWS: dict[str, tuple[Checker, list[tuple[str, str]]]] = {
    "each room imports only what stands to its left": (
        imports_leftwards,
        [
            ("market/cost.py", "from models import bid"),
            ("services/bids.py", "def f():\n    import blueprints.clock"),
            ("blueprints/clock.py", "import config"),
            ("config.py", "import market"),
            ("models/bid.py", "from . import need"),
        ],
    ),
    "the market is pure": (
        market_is_pure,
        [
            ("market/cost.py", "import os"),
            ("market/cost.py", "from pathlib import Path"),
            ("market/cost.py", "from flask import request"),
            ("market/cost.py", "import sqlalchemy.orm"),
            ("market/cost.py", "def f():\n    open('x')"),
            ("market/reference/lpr.py", "import socket"),
        ],
    ),
    "solvers are loaded inside the functions that need them": (
        solvers_load_late,
        [("market/clearing.py", "from ortools.graph.python import min_cost_flow")],
    ),
    "services know no web": (
        services_know_no_web,
        [("services/bids.py", "from flask_login import current_user")],
    ),
    "services know no queue": (services_know_no_queue, [("services/bids.py", "import apscheduler.job")]),
    "time comes in as an argument": (
        time_is_an_argument,
        [
            ("market/cost.py", "import datetime\ndatetime.datetime.now()"),
            ("models/bid.py", "x = mapped_column(default=func.now)"),
            ("services/bids.py", "from datetime import date\ndate.today()"),
            ("blueprints/web/needs.py", "time.time()"),
        ],
    ),
    "one place commits": (one_place_commits, [("services/bids.py", "db.session.commit()")]),
    "there is no attic": (no_attic, [("services/utils.py", ""), ("market/common/x.py", "")]),
    "files are short enough to read": (files_are_short, [("market/cost.py", "x = 1\n" * 401)]),
    "what is public is documented": (
        public_means_documented,
        [
            ("market/cost.py", "def f(): ..."),
            ("services/bids.py", "class A:\n    '''A.'''\n    def f(self): ..."),
        ],
    ),
    "nothing is stored as a float": (
        money_is_not_a_float,
        [("models/bid.py", "x = mapped_column(sa.Float)")],
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_the_house_keeps_the_law(law: str) -> None:
    checker, _ = LAWS[law]
    breaches = [breach for path in sources() for breach in checker(path, parse(path))]
    assert not breaches, f"{law}:\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("law", "path", "source"), [(law, *breach) for law, (_, breaches) in LAWS.items() for breach in breaches]
)
def test_a_breach_of_the_law_is_found(law: str, path: str, source: str) -> None:
    checker, _ = LAWS[law]
    assert list(checker(path, ast.parse(source)))


def test_the_checkers_see_the_whole_house() -> None:
    rooms = {room(path) for path in sources()}
    assert rooms == {*SENTENCE, "config"}


@pytest.mark.parametrize("folder", ["market", "models", "services", "blueprints", "scripts", "tests"])
def test_the_law_of_each_folder_stands_in_the_folder(folder: str) -> None:
    law = ROOT / folder / "README.md"
    assert law.is_file(), f"{folder}/README.md is missing"
    assert 5 <= len(law.read_text(encoding="utf-8").split("\n\n", 1)[-1].strip().splitlines()) <= 12
