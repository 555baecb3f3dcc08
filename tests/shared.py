"""Public data that stands beside the project, never inside it: tests that use it skip loudly without."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return a file or folder of the shared data; skip the test, saying so, where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"shared data is absent here: {name}")
    return path
