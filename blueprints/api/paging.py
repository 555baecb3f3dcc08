"""Lists in pages: newest first, continued after the last row seen, so that new rows never shift a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from blueprints.api.fields import MOST_ID, Count, Many, Number, Part
from blueprints.api.parsing import Answer, Body

USUAL, MOST = 20, 100


class Page(Body):
    """Which page of a list."""

    after = Number("Continue after this row: the `next` of the page before.", least=1, most=MOST_ID)
    limit = Number("Rows on a page.", least=1, most=MOST, load_default=USUAL)


def page_of(schema: type[Answer], name: str) -> type[Answer]:
    """Return the schema of a page of rows."""
    fields = {
        "items": Many(Part(schema), "The rows, newest first.", most=MOST),
        "next": Count("Pass this as `after` to get the next page; null on the last one.", allow_none=True),
    }
    return Answer.from_dict(fields, name=name)  # type: ignore[return-value]


def cut(rows: Iterable[Any], page: dict[str, Any]) -> dict[str, Any]:
    """Return one page of rows (anything with an ``id``), newest first, and where the next one starts."""
    after, limit = page.get("after"), page["limit"]
    ordered = sorted(rows, key=lambda row: row.id, reverse=True)
    rest = [row for row in ordered if after is None or row.id < after]
    return {"items": rest[:limit], "next": rest[limit - 1].id if len(rest) > limit else None}
