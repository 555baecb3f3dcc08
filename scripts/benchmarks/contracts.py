"""Contract loans at scale: what the registry takes in, and the night's look over the whole book."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scripts.benchmarks import contracts_import, loans_nightly

#: What is measured, in order; each part takes a size of its own or its default.
PARTS: Sequence[Callable[[int | None], int]] = (contracts_import.main, loans_nightly.main)


def main(size: int | None = None) -> int:
    """Measure every part; return the first code that is not 0."""
    return next((code for part in PARTS if (code := part(size))), 0)
