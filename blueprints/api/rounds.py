"""Matching rounds: the market cleared at once; an officer may run one now."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer
from blueprints.api.terms import show_facts
from market.vocabulary import Capability, ProposalState, RoundState
from models.round import MatchingRound, Proposal
from services import round_report, rounds

round_routes = Blueprint("rounds", __name__, "Matching rounds.")

#: Figures in a round's explanations that are kept in fen.
_AMOUNTS = frozenset({"left", "asked", "more", "missing", "objective", "bound", "uses", "cost"})
#: How far back a list of rounds reaches.
_MOST = 1000


class ProposalAnswer(Answer):
    """What a round says to one need: a bid to take, or why none."""

    round_id = fields.Count()
    need_id = fields.Count()
    bid_id = fields.Count(allow_none=True)
    amount = fields.Money("What is taken of the bid.", allow_none=True)
    state = fields.Word(ProposalState)
    why = fields.Facts("The reason as a code with its figures.")


class RoundAnswer(Answer):
    """A matching round."""

    id = fields.Count()
    slot = fields.Said("Its unique key: the scheduled time, or when an officer asked.")
    trigger = fields.Said("`clock` or `officer`.")
    state = fields.Word(RoundState)
    scheduled_at = fields.Moment()
    opened_at = fields.Moment()
    settled_at = fields.Moment(allow_none=True)
    need_count = fields.Count("Needs that took part.")
    placed_count = fields.Count("Needs that got a proposal.")
    placed_amount = fields.Money()
    inputs_hash = fields.Said("SHA-256 of the frozen inputs.")
    milliseconds = fields.Count("How long the solving took.", allow_none=True)


class RoundFiguresAnswer(Answer):
    """A round in figures, a year."""

    gap_share = fields.Said("(objective − bound) ÷ objective, as a decimal.", allow_none=True)
    placed_cost_amount = fields.Money("Annual cost of what is placed.")
    left_cost_amount = fields.Money("Annual cost of what is left out.", allow_none=True)
    saved_amount = fields.Money("What proposals cost less than the second-best bids.")
    compared = fields.Count("Needs with a second bid.")
    over_lpr_amount = fields.Money("What proposals cost above the one-year LPR.", allow_none=True)


class ReplayAnswer(Answer):
    """A round solved again, beside the audit log."""

    inputs_kept = fields.Flag("The stored inputs have the hash of the log.")
    same = fields.Flag("The result is the one of the log, byte for byte.")


class RoundDetail(RoundAnswer):
    """A matching round with its result and proposals."""

    result = fields.Facts("How the solver ended; amounts in yuan.", allow_none=True)
    figures = fields.Part(RoundFiguresAnswer)
    proposals = fields.Many(fields.Part(ProposalAnswer), most=100_000)


@round_routes.route("/rounds")
class Rounds(MethodView):
    """Rounds of the zone."""

    @round_routes.doc(operationId="listRounds")
    @round_routes.arguments(Page, location="query")
    @round_routes.response(200, page_of(RoundAnswer, "RoundPage"))
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, page: dict[str, Any]) -> Any:
        """List the matching rounds of the zone."""
        return cut(rounds.list_rounds(access.acting().zone_id, _MOST), page)


@round_routes.route("/rounds/run")
class RoundRun(MethodView):
    """Running a round."""

    @round_routes.doc(operationId="runRound")
    @round_routes.response(201, RoundDetail)
    @allows(Capability.OFFICER)
    def post(self) -> Any:
        """Run a matching round now: the same deed as the clock's."""
        by = access.acting()
        return show(rounds.run_now(by.zone_id, by=by, now=access.now()))


@round_routes.route(f"/rounds/<{fields.ID}:round_id>")
class Round(MethodView):
    """One round."""

    @round_routes.doc(operationId="getRound")
    @round_routes.response(200, RoundDetail)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, round_id: int) -> Any:
        """Return a round with what it proposed, and why."""
        return show(rounds.find(round_id, by=access.acting()))


@round_routes.route(f"/rounds/<{fields.ID}:round_id>/replay")
class RoundReplay(MethodView):
    """Proving a round."""

    @round_routes.doc(operationId="replayRound")
    @round_routes.response(200, ReplayAnswer)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def post(self, round_id: int) -> Any:
        """Solve a settled round again and compare it with what the audit log vouches for."""
        return rounds.replay(round_id, by=access.acting())


def show(row: MatchingRound) -> dict[str, Any]:
    """Return a round with its result, amounts in yuan."""
    result = show_facts(row.result, _AMOUNTS)
    if result is not None and "placed" in result:
        result["placed"] = [show_facts(placed, _AMOUNTS) for placed in result["placed"]]
    plain = {name: getattr(row, name) for name in RoundAnswer().fields}
    summary = round_report.summarise(row)
    figures = {
        "gap_share": None if summary.gap is None else f"{summary.gap:.8f}",
        "placed_cost_amount": summary.placed_cost,
        "left_cost_amount": summary.left_cost,
        "saved_amount": summary.saved,
        "compared": summary.compared,
        "over_lpr_amount": summary.over_lpr,
    }
    proposals = [show_proposal(proposal) for proposal in row.proposals]
    return {**plain, "result": result, "figures": figures, "proposals": proposals}


def show_proposal(row: Proposal) -> dict[str, Any]:
    """Return a proposal, amounts of its reason in yuan."""
    plain = {name: getattr(row, name) for name in ProposalAnswer().fields if name != "why"}
    return {**plain, "why": show_facts(row.why, _AMOUNTS)}
