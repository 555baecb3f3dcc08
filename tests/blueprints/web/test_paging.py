from __future__ import annotations

import pytest
from flask import Flask

from blueprints.web import paging
from market.vocabulary import NeedState

SORTS = {"amount", "closes"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (1, 20, "closes", True)),
        ("?page=3&size=50&sort=amount", (3, 50, "amount", False)),
        ("?page=0", (1, 20, "closes", True)),
        ("?page=-5&size=7&sort=password", (1, 20, "closes", True)),
        ("?page=99999999999999999999", (paging.LAST_PAGE, 20, "closes", True)),
        ("?page=x&size=y&sort=-amount", (1, 20, "amount", True)),
    ],
)
def test_the_address_says_which_part_and_nonsense_falls_back(
    site: Flask, query: str, expected: tuple[int, int, str, bool]
) -> None:
    with site.test_request_context(f"/list{query}"):
        part = paging.asked(SORTS, "-closes")
        assert (part.number, part.size, part.sort, part.descending) == expected


def test_a_page_counts_its_rows() -> None:
    part = paging.Asked(3, 20, "closes", True)
    page = paging.slice_rows(list(range(45)), part)
    assert (list(page.rows), page.total, page.last) == ([40, 41, 42, 43, 44], 45, 3)
    assert (page.first_row, page.last_row) == (41, 45)
    empty = paging.Page([], 0, paging.Asked(1, 20, "closes", True))
    assert (empty.last, empty.first_row, empty.last_row) == (1, 0, 0)


def test_far_pages_are_left_out() -> None:
    page = paging.Page(range(20), 2000, paging.Asked(50, 20, "closes", True))
    assert page.near == [1, None, 49, 50, 51, None, 100]
    assert paging.Page(range(20), 40, paging.Asked(1, 20, "closes", True)).near == [1, 2]


def test_a_filter_is_a_word_or_nothing(site: Flask) -> None:
    with site.test_request_context("/list?state=open&other=open%27--"):
        assert paging.chosen("state", NeedState) is NeedState.OPEN
        assert paging.chosen("other", NeedState) is None
        assert paging.chosen("missing", NeedState) is None
