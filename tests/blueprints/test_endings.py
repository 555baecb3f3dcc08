"""What became of a bid is said in words for every way it can end, and never with a name."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import force_locale

from blueprints import endings
from market.diligence import DeclineRate

WHYS: list[dict[str, Any]] = [
    {"code": "withdrawn"},
    {"code": "need_withdrawn"},
    {"code": "replaced"},
    {"code": "voided", "because": "need_changed"},
    {"code": "low_price"},
    {"code": "low_price", "rule": "mean", "cost": "0.02", "against": "0.04", "below": "0.5"},
    {"code": "low_price", "rule": "next", "cost": "0.02", "against": "0.04", "below": "0.5"},
    {"code": "refused", "because": "seal_broken", "note": None},
    {"code": "refused", "because": "something_else", "note": None},
    {"code": "expired", "valid_until": "2026-12-01T00:00:00+00:00"},
    {"code": "declined", "reason": "policy"},
    {"code": "declined", "reason": "firm_withdrew"},
    {"code": "another_won", "rank": 2, "winning": "0.04", "winning_rank": 1},
    {"code": "another_won", "rank": None, "winning": "0.04", "winning_rank": 1},
    {"code": "another_won", "rank": 1, "winning": "0.04", "winning_rank": None},
    {"code": "unsuccessful", "because": "no_ranked_bid"},
    {"code": "unsuccessful", "because": None},
]


def test_every_ending_is_a_sentence(site: Flask) -> None:
    with site.test_request_context(), force_locale("en"):
        for why in WHYS:
            said = endings.bid(why)
            assert said.endswith((".", "”")) and " " in said and "_" not in said, why
        assert endings.bid(None) == ""
        assert endings.decline_rate(None) == endings.decline_rate(DeclineRate(2, 1)) == ""
        assert endings.decline_rate(DeclineRate(4, 1)) == "declined 1 of 4 reviews (25%)"
