"""kill -9 at marked points of opening, clearing, award and review: nothing is half done, lost or doubled.

After each kill the next process takes the work up, dies at the next mark, and the last one finishes. What
then stands, audit log and alerts included, is what stands in a twin of the scene where nobody died. More
seeds than one by ``CUOHE_SEEDS``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from market.bidding_vocabulary import DeclineReason
from market.party import Party
from market.vocabulary import BidState, LoanState, NeedState, RoundState
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.review import Review
from models.round import MatchingRound
from services import awards, reviews
from services.clock import run_due
from services.sealing import Sealer
from tests.databases import URL
from tests.operation.actors import DONE, KILLED, Actors, Deed, Mark, When
from tests.operation.scenes import LATER, Scene, list_proposed, make_scene, tell
from tests.services.conftest import take_print

SEEDS = range(1, 1 + int(os.environ.get("CUOHE_SEEDS", "1")))

ENTRY = "INSERT INTO audit_entries"

OPENING = (
    Mark("on the way into an opening", When.CALLED, "services.opening.close"),
    Mark("bids put in clear", When.WRITTEN, "UPDATE bids"),
    Mark("the alert of a low bid raised", When.WRITTEN, "INSERT INTO alerts"),
    Mark("the opening noted", When.WRITTEN, ENTRY, "need.open_bids"),
    Mark("the opening about to be committed", When.COMMITTING, ENTRY, "need.open_bids"),
    Mark("one of two openings committed", When.COMMITTED, ENTRY, "need.open_bids"),
    Mark("the second opening about to be committed", When.COMMITTING, ENTRY, "need.open_bids"),
    Mark("the second opening committed", When.COMMITTED, ENTRY, "need.open_bids"),
)
CLEARING = (
    Mark("the round written", When.WRITTEN, "INSERT INTO matching_rounds"),
    Mark("the round about to be opened", When.COMMITTING, ENTRY, "round.open"),
    Mark("the round opened, not solved", When.COMMITTED, ENTRY, "round.open"),
    Mark("the round solved, not settled", When.RETURNED, "market.clearing.clear"),
    Mark("proposals written", When.WRITTEN, "INSERT INTO proposals"),
    Mark("the round about to be settled", When.COMMITTING, ENTRY, "round.settle"),
    Mark("the round settled", When.COMMITTED, ENTRY, "round.settle"),
)
ACCEPTANCE = (
    Mark("the acceptance written", When.WRITTEN, "INSERT INTO awards"),
    Mark("the acceptance about to be committed", When.COMMITTING, ENTRY, "award.accept"),
)
AWARD = (
    Mark("the limit consumed", When.WRITTEN, "UPDATE limits"),
    Mark("the rivals told", When.WRITTEN, "UPDATE bids"),
    Mark("the proposal accepted", When.WRITTEN, "UPDATE proposals"),
    Mark("the loan opened", When.WRITTEN, "INSERT INTO loans"),
    Mark("its instalments laid out", When.WRITTEN, "INSERT INTO instalments"),
    Mark("the review opened", When.WRITTEN, "INSERT INTO reviews"),
    Mark("the award about to be committed", When.COMMITTING, ENTRY, "award.settle"),
    Mark("the award committed", When.COMMITTED, ENTRY, "award.settle"),
)
DECLINE = (
    Mark("the limit released", When.WRITTEN, "UPDATE limits"),
    Mark("the loan called off", When.WRITTEN, "UPDATE loans"),
    Mark("the rivals offered again", When.WRITTEN, "UPDATE bids"),
    Mark("the decline about to be committed", When.COMMITTING, ENTRY, "review.decline"),
    Mark("the decline committed", When.COMMITTED, ENTRY, "review.decline"),
)
APPROVAL = (
    Mark("the review decided", When.WRITTEN, "UPDATE reviews"),
    Mark("the approval about to be committed", When.COMMITTING, ENTRY, "review.approve"),
    Mark("the approval committed", When.COMMITTED, ENTRY, "review.approve"),
)
#: What an attempt at a round leaves, whatever became of it.
ATTEMPT = {"matching_rounds", "audit_entries"}


def read_choice(scene: Scene) -> tuple[int, int]:
    """Return the first need of a scene and the best bid on it that can be accepted."""
    query = select(Bid.id).where(Bid.need_id == scene.need_ids[0], Bid.state == BidState.LIVE)
    return scene.need_ids[0], db.session.scalars(query.order_by(Bid.rank)).all()[0]


def accept(scene: Scene, now: datetime) -> None:
    need_id, bid_id = read_choice(scene)
    shown = db.session.get_one(Bid, bid_id).receipt_hash
    award = awards.accept(need_id, bid_id, shown, by=scene.maker, now=now)
    if scene.maker is not scene.approver:
        awards.confirm(award.id, by=scene.approver, now=now)


def read_review(scene: Scene) -> tuple[int, Party]:
    """Return the review of a scene that waits for its decision, and who may decide."""
    query = select(Review).join(Loan).where(Loan.zone_id == scene.zone_id, Review.outcome.is_(None))
    review = db.session.scalars(query).one()
    return review.id, scene.deciders[review.loan.lender_id]


def die_at(mark: Mark, actors: Actors, url: str, deed: Deed) -> set[str]:
    """Let a process die at a mark of a deed; return the tables that hold anything else than before."""
    before = take_print()
    assert actors.run(url, deed, mark) == KILLED, mark.name
    after = take_print()
    return {table for table in before if before[table] != after[table]}


def die_at_each(marks: Sequence[Mark], actors: Actors, url: str, deed: Deed) -> None:
    """Let processes die at the marks of a deed that is one transaction: only the last leaves anything."""
    for mark in marks:
        changed = die_at(mark, actors, url, deed)
        assert bool(changed) == (mark.when is When.COMMITTED), (mark.name, changed)


def refuse(actors: Actors, url: str, deed: Deed, code: str) -> None:
    """Let a person who got no answer try again: refused, because it is done, and nothing is done twice."""
    before = take_print()
    assert actors.run(url, deed) == code
    assert take_print() == before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clock_killed_at_any_point_opens_and_clears_once(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer, seed: int
) -> None:
    url, later = app.config[URL], now + LATER
    scene, twin = (make_scene(seed, now=now, sealer=sealer) for _ in range(2))
    undisturbed, tick = (partial(run_due, each.zone_id, now=later, sealer=sealer) for each in (twin, scene))
    assert actors.rehearse(url, undisturbed) == DONE
    for mark in OPENING:
        changed = die_at(mark, actors, url, tick)
        assert bool(changed) == (mark.when is When.COMMITTED), (mark.name, changed)
    for mark in CLEARING:
        changed = die_at(mark, actors, url, tick)
        opened = mark.what != "INSERT INTO matching_rounds" and mark.name != "the round about to be opened"
        left = ATTEMPT if opened else set()
        assert changed == (left | {"proposals"} if mark.name == "the round settled" else left), mark.name
    (row,) = db.session.scalars(select(MatchingRound).where(MatchingRound.zone_id == scene.zone_id))
    assert (row.state, row.fence) == (RoundState.SETTLED, 5)
    # The clock that comes back has its look over the deals left, which comes last, and does nothing twice.
    before = take_print()
    assert actors.run(url, tick) == DONE
    after = take_print()
    assert {table for table in before if before[table] != after[table]} == {"nightly_passes"}
    assert actors.run(url, tick) == DONE
    assert take_print() == after
    assert tell(scene.zone_id) == tell(twin.zone_id)
    assert len(list_proposed(scene.zone_id)) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_an_award_killed_at_any_point_stands_once_or_not_at_all(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer, seed: int
) -> None:
    url, later = app.config[URL], now + LATER
    scene, twin = (make_scene(seed, now=now, sealer=sealer) for _ in range(2))
    for each in (scene, twin):
        run_due(each.zone_id, now=later, sealer=sealer)
    assert actors.rehearse(url, partial(accept, twin, later)) == DONE
    need_id, bid_id = read_choice(scene)
    shown = db.session.get_one(Bid, bid_id).receipt_hash
    deed = partial(awards.accept, need_id, bid_id, shown, by=scene.maker, now=later)
    if scene.maker is scene.approver:
        die_at_each((*ACCEPTANCE[:1], *AWARD), actors, url, deed)
    else:
        die_at_each(ACCEPTANCE, actors, url, deed)
        committed = Mark("the acceptance committed", When.COMMITTED, ENTRY, "award.accept")
        assert die_at(committed, actors, url, deed)
        refuse(actors, url, deed, "already_exists")
        award_id = db.session.scalars(select(Award.id).where(Award.need_id == need_id)).one()
        deed = partial(awards.confirm, award_id, by=scene.approver, now=later)
        die_at_each(AWARD, actors, url, deed)
    refuse(actors, url, deed, "illegal_move")
    assert tell(scene.zone_id) == tell(twin.zone_id)
    award = db.session.scalars(select(Award).where(Award.need_id == need_id)).one()
    assert db.session.scalars(select(Loan).where(Loan.award_id == award.id)).one().principal
    assert db.session.get_one(Need, need_id).state is NeedState.AWARDED


@pytest.mark.parametrize("seed", SEEDS)
def test_a_review_killed_at_any_point_is_decided_once(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer, seed: int
) -> None:
    url, later = app.config[URL], now + LATER
    scene, twin = (make_scene(seed, now=now, sealer=sealer) for _ in range(2))
    for each in (scene, twin):
        run_due(each.zone_id, now=later, sealer=sealer)
        accept(each, later)
    decline = partial(reviews.decline, reason=DeclineReason.REPAYMENT_ABILITY, now=later, sealer=sealer)
    review, decider = read_review(twin)
    assert actors.rehearse(url, partial(decline, review, by=decider)) == DONE
    review, decider = read_review(scene)
    die_at_each(DECLINE, actors, url, partial(decline, review, by=decider))
    refuse(actors, url, partial(decline, review, by=decider), "illegal_move")
    assert tell(scene.zone_id) == tell(twin.zone_id)
    # The next bid is taken instead, and its institution agrees.
    for each in (scene, twin):
        accept(each, later)
    review, decider = read_review(twin)
    assert actors.rehearse(url, partial(reviews.approve, review, by=decider, now=later)) == DONE
    review, decider = read_review(scene)
    deed = partial(reviews.approve, review, by=decider, now=later)
    die_at_each(APPROVAL, actors, url, deed)
    refuse(actors, url, deed, "illegal_move")
    assert tell(scene.zone_id) == tell(twin.zone_id)
    lent = db.session.scalars(select(Loan.state).where(Loan.zone_id == scene.zone_id).order_by(Loan.id))
    assert list(lent) == [LoanState.CANCELLED, LoanState.APPROVED]
