"""A hundred megabytes are read in a fraction of them, whatever shape they have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.procurement import make_contract, make_release

MEGABYTES = 100
MOST_MEGABYTES = 512

READ = """
import resource, sys
from services.exchange import ocds
from services.exchange.rejection import RejectedRow
records = refused = 0
with open(sys.argv[1], "rb") as stream:
    for found in ocds.read(stream):
        refused += isinstance(found, RejectedRow)
        records += not isinstance(found, RejectedRow)
try:
    # On Linux the usage would begin with what the test runner had in memory when it started this process.
    status = open("/proc/self/status", encoding="ascii").read()
    most = int(status.partition("VmHWM:")[2].split()[0]) * 1024
except FileNotFoundError:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(records, refused, most >> 20)
"""

#: Texts and goods nobody reads, as real releases carry them.
FILLER = {"description": "供应链金融" * 150, "items": [{"id": str(n), "quantity": n / 8} for n in range(60)]}


def in_one_package_on_one_line() -> Iterator[str]:
    yield '{"version": "1.1", "releases": ['
    for number in count():
        release = make_release(f"o-{number}", make_contract(**FILLER))
        yield ("," if number else "") + json.dumps(release, ensure_ascii=False)


def in_one_release() -> Iterator[str]:
    yield json.dumps({**make_release(), "contracts": []})[:-2]
    for number in count():
        yield ("," if number else "") + json.dumps(make_contract(f"C-{number}", **FILLER), ensure_ascii=False)


def in_one_text() -> Iterator[str]:
    yield '{"ocid": "o", "description": "'
    while True:
        yield "供应链金融" * 10_000


@pytest.mark.parametrize("write", [in_one_package_on_one_line, in_one_release, in_one_text])
def test_a_hundred_megabytes_take_less_than_five_hundred_and_twelve(
    write: Callable[[], Iterator[str]], tmp_path: Path
) -> None:
    path = tmp_path / "large.json"
    size = 0
    with path.open("wb") as file:
        for text in write():
            size += file.write(text.encode())
            if size > MEGABYTES * 1_000_000:
                break
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    records, refused, peak = map(int, ran.stdout.split())
    # All of them end in the middle: one fault, and all that was whole before it.
    assert refused == 1
    assert records > 10_000 or write is in_one_text
    assert peak < MOST_MEGABYTES
    path.unlink()
