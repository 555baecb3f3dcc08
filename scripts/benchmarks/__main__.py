"""./scripts/bench NAME: prepare what is missing, then measure; the figures' lines begin with "ratio".

Standard library only, like the launcher: this runs before ``.venv`` exists.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from scripts.installation import ENVIRONMENT, PYTHON, alone, install_packages, make_environment
from scripts.progress import ROOT, StepFailed, step, tail

#: What there is to measure: modules of this package with a ``main``, which takes a size or its own default.
BENCHES = {
    "pricing": "a million offers from terms to annual cost, and as many dated flows, against pyxirr",
    "contracts": "imports of open procurement data, against json and a bulk insert",
    "rounds": "eligibility, whole rounds, stored rounds and bids, against Polars, OR-Tools and a bare insert",
}


def main(arguments: Sequence[str]) -> int:
    """Return the measurement's own exit code, 2 where there is none of that name."""
    listed = "\n".join(f"  {name:10}{what}" for name, what in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description=f"Measure the market at scale:\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="what to measure")
    parser.add_argument(
        "--size", type=_size, help="of how many offers or needs (for a quick look; default: in full)"
    )
    given = parser.parse_args(arguments)
    if given.name not in BENCHES:
        print(f"There is no measurement named {given.name!r}. There are:\n{listed}", file=sys.stderr)
        return 2
    if Path(sys.prefix) == ENVIRONMENT:
        module = import_module(f"scripts.benchmarks.{given.name}")
        return int(module.main(given.size) if given.size else module.main())
    try:
        with alone():
            with step("[1/2] Python environment") as current:
                make_environment(current)
            with step("[2/2] Python packages") as current:
                install_packages(current, ROOT / "tests" / "requirements.txt")
    except StepFailed as failure:
        print(f"\n{tail(failure.output)}\n\n{failure}".strip(), file=sys.stderr)
        return 1
    print(flush=True)
    return subprocess.run([PYTHON, "-m", "scripts.benchmarks", *arguments], cwd=ROOT, check=False).returncode


def _size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise ValueError
    return size


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
