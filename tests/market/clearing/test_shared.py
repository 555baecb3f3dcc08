"""Clearing divisible needs: the linear optimum in exact fractions, each offer within its own least part."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from ortools.linear_solver import pywraplp

from market.clearing import Clearing, Instance, Need, Offer, clear, explain
from tests.market.clearing.cases import make, markets


def solve_linear(instance: Instance) -> float | None:
    """The same linear program, written down once more for another solver."""
    solver = pywraplp.Solver.CreateSolver("SCIP")
    shares = [solver.NumVar(0, 1, "") for _ in instance.offers]
    whole = {need.id: need.unplaced_cost for need in instance.needs}
    for need, cost in whole.items():
        total = solver.Sum([s for s, o in zip(shares, instance.offers, strict=True) if o.need == need])
        solver.Add(total <= 1 if cost is not None else total == 1)
    for limit, capacity in instance.capacity.items():
        used = [dict(o.uses).get(limit, 0) * s for s, o in zip(shares, instance.offers, strict=True)]
        solver.Add(solver.Sum(used) <= capacity)
    saved = [(o.cost - (whole[o.need] or 0)) * s for s, o in zip(shares, instance.offers, strict=True)]
    solver.Minimize(solver.Sum(saved) + sum(cost or 0 for cost in whole.values()))
    return solver.Objective().Value() if solver.Solve() == pywraplp.Solver.OPTIMAL else None


def assert_sound(instance: Instance, result: Clearing) -> None:
    used: dict[object, Fraction] = {}
    cost = Fraction(0)
    for need in instance.needs:
        shares = Fraction(0)
        for placement in result.placed.get(need.id, ()):
            shares += placement.share
            cost += placement.cost
            for limit, amount in placement.offer.uses:
                used[limit] = used.get(limit, Fraction(0)) + placement.share * amount
            assert Fraction(placement.offer.least, need.amount) <= placement.share > 0
        assert shares <= 1 if need.unplaced_cost is not None else shares == 1
        cost += (1 - shares) * (need.unplaced_cost or 0)
    assert cost == result.objective
    assert all(amount <= instance.capacity[limit] for limit, amount in used.items())


@settings(max_examples=60, deadline=None)
@given(markets(divisible=True))
def test_shares_reach_the_linear_optimum_exactly(instance: Instance) -> None:
    result, expected = clear(instance), solve_linear(instance)
    if expected is None:
        assert result.status == "infeasible"
        return
    assert result.status == "optimal" and result.objective == result.bound
    assert abs(float(result.objective or 0) - expected) < 1e-6
    assert_sound(instance, result)


def test_a_need_is_shared_where_no_lender_has_room_for_it() -> None:
    market = make({1: 90}, {7: 6, 8: 3}, [(1, ((7, 10),), 30), (1, ((8, 10),), 40)], divisible=True)
    result = clear(market)
    assert [placement.share for placement in result.placed[1]] == [Fraction(3, 5), Fraction(3, 10)]
    # 0.6 of 30, 0.3 of 40, and a tenth is left out at 90.
    assert result.objective == 39
    assert explain(market, result)[1] == {
        **{"code": "limit_used_up", "bid": 100, "limit": 7, "left": 0, "asked": 10},
        **{"needs": [], "others": 0},
    }


def test_an_offer_takes_nothing_or_its_least_part() -> None:
    offers = (
        Offer(1, "cheap", 1, 30, ((7, 10),), least=7),
        Offer(1, "dear", 2, 50, ((8, 10),), least=5),
    )
    needs = (Need(1, amount=10, unplaced_cost=100, divisible=True),)
    # 0.7 of the one and 0.3 of the other would be cheapest, but 0.3 is less than the other's least part.
    apart = Instance(needs, {7: 7, 8: 10}, offers)
    result = clear(apart)
    assert_sound(apart, result)
    assert (result.status, result.objective) == ("optimal", 50)
    # With more room for the second's part nothing changes; with less room for the first it stays out.
    assert clear(Instance(needs, {7: 6, 8: 4}, offers)).objective == 100


def test_a_search_cut_short_still_places_what_it_can() -> None:
    # One branching is all the work there is; whole and divisible needs compete for the same room.
    needs = (Need(1, unplaced_cost=100), Need(2, unplaced_cost=90, divisible=True), Need(3, unplaced_cost=80))
    offers = tuple(Offer(need, bid, bid, 10 + need, ((7, 7),)) for bid, need in enumerate((1, 2, 3)))
    result = clear(Instance(needs, {7: 10}, offers), work_limit=0.0)
    assert result.status in ("feasible", "optimal")
    assert_sound(Instance(needs, {7: 10}, offers), result)


def test_whole_and_divisible_needs_are_cleared_together() -> None:
    needs = (Need(1, unplaced_cost=100), Need(2, unplaced_cost=90, divisible=True))
    offers = (Offer(1, "a", 1, 10, ((7, 8),)), Offer(2, "b", 2, 20, ((7, 8),)))
    result = clear(Instance(needs, {7: 10}, offers))
    # The whole need goes first, a quarter of the other fits beside it.
    assert (result.status, result.objective) == ("optimal", Fraction(165, 2))
