"""Surveillance: patterns in bids that an officer should look at; a pattern is a question, never a proof.

The patterns are those that procurement authorities list as signs of bid rigging (OECD Guidelines for
Fighting Bid Rigging in Public Procurement, 2025 update, checklist; 招标投标法实施条例 articles 39–40):
identical bids, one bidder always second behind the same winner, moves in the last minute, and bidders
under one controller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

#: A bidder is "always second" from this many common needs on, and at this share of them.
SECONDS_LEAST = 3
SECONDS_SHARE = Decimal("0.8")

#: What happens so shortly before the close of a bid round is a late move.
LATE_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """One opened bid: ``terms`` is any text that is equal for equal terms, ``effective`` its annual cost.

    ``rank`` is its place among the ranked ones, ``won`` whether the firm took it.
    """

    bid: int
    need: int
    institution: int
    effective: Decimal | None
    total_cost: int
    terms: str
    rank: int | None
    won: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A bid that was placed in place of a former one, or withdrawn, and when its bid round closed."""

    bid: int
    need: int
    institution: int
    at: datetime
    closed_at: datetime
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Identical:
    """Bids of several institutions on one need with the same costs; ``whole`` where all terms are equal."""

    need: int
    bids: tuple[int, ...]
    effective: Decimal
    whole: bool


@dataclass(frozen=True, slots=True)
class AlwaysSecond:
    """``second`` came second on ``times`` of the ``common`` needs that ``winner`` won and both bid on."""

    winner: int
    second: int
    times: int
    common: int


@dataclass(frozen=True, slots=True)
class OneController:
    """Bidders on one need, or a bidder and the firm itself, that the same person or body controls."""

    need: int
    controller: str
    organisations: tuple[int, ...]


def find_identical(answers: Iterable[Answer]) -> list[Identical]:
    """Return the bids of different institutions on one need that cost exactly the same."""
    alike: dict[tuple[int, Decimal, int], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.effective is not None:
            alike[answer.need, answer.effective, answer.total_cost].append(answer)
    found = []
    for (need, effective, _), group in sorted(alike.items(), key=lambda item: item[0]):
        if len({answer.institution for answer in group}) > 1:
            whole = len({answer.terms for answer in group}) == 1
            found.append(Identical(need, tuple(sorted(a.bid for a in group)), effective, whole))
    return found


def find_seconds(answers: Iterable[Answer]) -> list[AlwaysSecond]:
    """Return the pairs of institutions of which one wins and the other comes second, time after time.

    Counted are the needs that the winner won and both ranked on; of an institution with several bids on
    a need the best one counts. The most frequent pair comes first.
    """
    by_need: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.rank is not None:
            by_need[answer.need].append(answer)
    common: dict[tuple[int, int], int] = defaultdict(int)
    times: dict[tuple[int, int], int] = defaultdict(int)
    for field in by_need.values():
        winner = next((answer for answer in field if answer.won), None)
        if winner is None:
            continue
        order = list(dict.fromkeys(a.institution for a in sorted(field, key=lambda a: (a.rank or 0, a.bid))))
        others = [institution for institution in order if institution != winner.institution]
        for place, institution in enumerate(others):
            common[winner.institution, institution] += 1
            times[winner.institution, institution] += place == 0
    found = [
        AlwaysSecond(winner, second, times[winner, second], count)
        for (winner, second), count in common.items()
        if count >= SECONDS_LEAST and times[winner, second] >= SECONDS_SHARE * count
    ]
    return sorted(found, key=lambda pair: (-pair.times, pair.winner, pair.second))


def find_late_moves(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of the last minute before the close of their bid round, the newest first."""
    late = [move for move in moves if timedelta(0) <= move.closed_at - move.at <= LATE_WITHIN]
    return sorted(late, key=lambda move: (move.at, move.bid), reverse=True)


def find_one_controller(
    bidders: Mapping[int, Sequence[int]], firms: Mapping[int, int], controllers: Mapping[int, str]
) -> list[OneController]:
    """Return where organisations under one controller met on a need.

    ``bidders`` lists the institutions by need, ``firms`` the firm of each need, ``controllers`` who
    controls an organisation, as far as that is on record.
    """
    found = []
    for need, institutions in sorted(bidders.items()):
        held: dict[str, set[int]] = defaultdict(set)
        for one, other in combinations({*institutions, firms[need]}, 2):
            if controllers.get(one) and controllers.get(one) == controllers.get(other):
                held[controllers[one]].update((one, other))
        found += [OneController(need, name, tuple(sorted(group))) for name, group in sorted(held.items())]
    return found
