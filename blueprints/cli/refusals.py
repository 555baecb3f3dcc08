"""How a command refuses a file: one line per fault on stderr, exit code 2, nothing on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from blueprints import messages
from market.errors import Fault


def read_bytes(file: Path) -> bytes:
    """Return what a file, or for ``-`` the standard input, holds; refuses one that cannot be read."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        refuse([f"{file}: {error.strerror or error}"])


def refuse_faults(faults: Iterable[Fault], file: Path) -> NoReturn:
    """Say every fault with its path, value and reason, and stop."""
    refuse([_say(fault, file) for fault in faults])


def refuse(lines: Iterable[str]) -> NoReturn:
    """Say the lines, each without line breaks of its own, and stop with exit code 2."""
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    sys.exit(2)


def _say(fault: Fault, file: Path) -> str:
    value = json.dumps(fault.values["value"], ensure_ascii=False) if "value" in fault.values else "-"
    return f"{fault.field or file}: {value}: {messages.reason(fault)}"
