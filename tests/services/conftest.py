"""What service tests ask for beside the market: proof that a refusal left nothing behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import sqlalchemy as sa

from market.errors import Code, MarketError
from models.base import Base, db

Refusing = Callable[..., AbstractContextManager[None]]


def take_print() -> dict[str, tuple[int, str]]:
    """Return, per table, how many rows it has and a digest of all they hold."""
    db.session.rollback()
    with db.engine.connect() as connection:
        prints = {}
        for table in Base.metadata.tables.values():
            rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all()
            prints[table.name] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
        return prints


@pytest.fixture
def refuses() -> Refusing:
    """``with refuses(Code.X, "field"):`` what is inside is refused for that reason and changes no row."""

    @contextmanager
    def refusing(code: Code, field: str | None = None) -> Iterator[None]:
        before = take_print()
        with pytest.raises(MarketError) as refused:
            yield
        faults = [(fault.code, fault.field) for fault in refused.value.faults]
        assert code in {found for found, _ in faults}, faults
        if field is not None:
            assert (code, field) in faults, faults
        assert take_print() == before

    return refusing
