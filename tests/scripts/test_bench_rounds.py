"""./scripts/bench rounds: markets as promised, the same pairs and offers for all sides, replies in order."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from market import bulk
from market.eligibility_match import match
from scripts.benchmarks import eligibility, limits, market_day, whole_round
from scripts.benchmarks.load import Call, post, send_all
from scripts.benchmarks.market_day import AMPLE, LENDERS, LIVE, SCARCE, Market

COUNT = 150


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day.draw(COUNT, 1)


def test_polars_finds_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OURS", "PEERS"):
        monkeypatch.setattr(eligibility, name, 1)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    _, ours = eligibility.find_pairs(COUNT, 100, 1)
    _, theirs = eligibility.find_pairs_by_polars(COUNT, 100, 1)
    assert len(ours[0]) > COUNT
    assert [pair.tolist() for pair in ours] == [pair.tolist() for pair in theirs]


def test_each_product_has_nine_conditions() -> None:
    products = eligibility.draw_products(50, 1)
    assert {len(product.requirement().expand()) for product in products} == {9}


def test_every_need_has_its_live_offers_of_different_products_that_it_fits(market: Market) -> None:
    assert market.need.tolist() == np.repeat(np.arange(COUNT), LIVE).tolist()
    assert match(market.table, market.shelf).hold(market.need, market.product).all()
    products = market.product.reshape(COUNT, LIVE)
    assert all(len(set(row)) == LIVE for row in products.tolist())
    assert (market.receipt.reshape(COUNT, LIVE) == np.arange(1, LIVE + 1)).all()
    assert (market.book.principal == market.amounts[market.need]).all()


def test_a_market_is_the_same_for_its_seed_and_holds_what_it_says(market: Market) -> None:
    again, other = market_day.draw(COUNT, 1, SCARCE), market_day.draw(COUNT, 2)
    assert (again.product == market.product).all() and (other.product != market.product).any()
    for drawn, held in ((market, AMPLE), (again, SCARCE)):
        assert drawn.capacity.sum() / drawn.amounts.sum() == pytest.approx(held / 100, abs=1e-3)


def test_a_book_in_parts_is_priced_as_the_whole(market: Market) -> None:
    whole, found = bulk.price(market.book), []
    for own, part in market_day.cut(market.book, 701):
        assert len(part) == own.stop - own.start
        found += bulk.price(part).total_cost.tolist()
    assert found == whole.total_cost.tolist()


def test_all_limits_include_the_lenders_totals_and_every_offer_fits_alone_in_most(market: Market) -> None:
    asked = limits.everything(market, 1)
    assert (asked.capacity[:LENDERS] == market.capacity).all()
    kinds = np.diff(asked.start)
    assert len(kinds) == len(market.need) and asked.start[-1] == len(asked.limit)
    # A total, a sector and a firm; a purchaser for some; a guarantor and its limit for the firm for others.
    assert kinds.min() == 3 and kinds.max() == 6
    assert (asked.limit[asked.start[:-1]] == market.lender).all()
    assert asked.limit.max() < len(asked.capacity)


@pytest.mark.parametrize("held", [AMPLE, SCARCE])
def test_a_round_is_sound_and_costs_no_less_than_the_flow(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(whole_round, "TIMES", 1)
    monkeypatch.setattr(whole_round, "WORK", 0.2)
    found = whole_round.run_round(40, 1, held)
    flow = whole_round.run_flow(40, 1, held)
    assert found.faults == [] and 0 < found.placed <= 40
    # Half a fen of rounding for each need is all that a placement may seem to be below the flow.
    assert found.objective >= flow.least - 40
    assert list(found.stages) == ["eligibility", "pricing", "ranking", "clearing"]


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"said": json.loads(body), "token": self.headers["Authorization"]}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_replies_come_in_the_order_of_the_calls() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        calls = [Call(post("/", {"number": number}, "secret")) for number in range(30)]
        replies, seconds = send_all(server.server_address[1], calls, 4, time.time())
    finally:
        server.shutdown()
        server.server_close()
    assert [reply.read()["said"]["number"] for reply in replies] == list(range(30))
    assert {(reply.status, reply.read()["token"]) for reply in replies} == {(201, "Bearer secret")}
    assert seconds > 0 and all(reply.seconds > 0 for reply in replies)
