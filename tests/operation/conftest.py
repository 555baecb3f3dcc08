"""What tests of operation ask for beside the market: processes to act in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operation.actors import Actors
from tests.services.conftest import refuses

__all__ = ["actors", "refuses"]


@pytest.fixture(scope="session")
def actors() -> Iterator[Actors]:
    """Real processes that do a deed each."""
    troupe = Actors()
    yield troupe
    troupe.close()
