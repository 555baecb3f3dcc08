"""A firm's needs: the list, and where each one stands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from blueprints import access, cautions, explanations, formats, messages
from blueprints.access import allows
from blueprints.web import need_words, paging
from blueprints.web.forms import Form
from market import lifecycle
from market.bidding_vocabulary import BidPolicy
from market.errors import MarketError
from market.lifecycle import NeedMove
from market.vocabulary import AwardState, Capability, NeedState, ProposalState
from models.need import Need
from services import awards, need_changes, needs, questions, rounds, visibility

Answer = str | Response | tuple[str, int]
SORTS = ("newest", "amount", "closing")


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    number = "<int(max=2147483647):need_id>"
    page.add_url_rule("/needs", "needs", needs_list)
    page.add_url_rule(f"/needs/{number}", "needs_show", needs_show)
    page.add_url_rule(f"/needs/{number}/withdraw", "needs_withdraw", needs_withdraw, methods=["POST"])


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_list() -> Answer:
    """List the firm's needs; state, order and page stand in the address."""
    own = needs.list_own(access.acting())
    state = paging.chosen("state", NeedState)
    part = paging.asked(SORTS, "newest")
    rows = [need for need in own if state is None or need.state is state]
    orders: dict[str, Any] = {
        "newest": lambda need: -need.id,
        "amount": lambda need: (need.amount, need.id),
        "closing": lambda need: (need.closes_at is None, need.closes_at, need.id),
    }
    rows.sort(key=orders[part.sort], reverse=part.descending)
    counts = {member: sum(1 for need in own if need.state is member) for member in NeedState}
    return render_template(
        "enterprise/needs.html",
        page=paging.slice_rows(rows, part),
        counts=counts,
        state=state,
        total=len(own),
    )


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_show(need_id: int) -> Answer:
    """Show where a need stands, what happened and what comes."""
    party = access.acting()
    need = needs.find(need_id, by=party)
    award = awards.find_for_need(need.id)
    is_maker = party.may(Capability.ENTERPRISE_MAKER)
    is_running = need.closes_at is not None and access.now() < need.closes_at
    return render_template(
        "enterprise/need.html",
        need=need,
        need_words=need_words,
        named=visibility.list_named(need.id),
        bidding=need_words.describe_bidding(need),
        changes=need_words.describe_changes(need.id),
        award=award,
        story=tell_story(need),
        questions=questions.list_for(need.id, by=party),
        questions_open=questions.is_open(need, access.now()),
        answering=Form(),
        why_unsuccessful=explanations.unsuccessful(need.reason),
        may_change=lifecycle.may(need.state, NeedMove.CHANGE) and is_running and is_maker,
        may_withdraw=lifecycle.may(need.state, NeedMove.WITHDRAW) and award is None and is_maker,
    )


@allows(Capability.ENTERPRISE_MAKER)
def needs_withdraw(need_id: int) -> Answer:
    """Take a need back; its bids leave with it."""
    try:
        need = needs.withdraw(need_id, by=access.acting(), now=access.now())
    except MarketError as error:
        if error.status != 409:
            raise
        flash(" ".join(messages.sentences(error)), "danger")
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    flash(gettext("The need is withdrawn. Nobody can bid on it any more."), "success")
    if need.published_at is None:
        return redirect(url_for("enterprise.needs"), 303)
    return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)


def tell_story(need: Need) -> list[dict[str, Any]]:
    """Return what happened to a need and what comes next, as the timeline macro reads it."""
    told: list[dict[str, Any]] = [{"title": gettext("Drafted"), "when": need.created_at, "state": "done"}]
    ended = need.state in {NeedState.WITHDRAWN, NeedState.UNSUCCESSFUL}
    if need.published_at is None:
        if need.state is NeedState.DRAFT:
            told.append({"title": gettext("Publish it, and institutions can bid"), "state": "now"})
        else:
            told.append({"title": gettext("Withdrawn before publication"), "state": "done"})
        return told
    told.append(
        {
            "title": gettext("Published"),
            "when": need.published_at,
            "state": "done",
            "text": gettext(
                "Floating offers are priced on the LPR of %(day)s: %(rate)s for one year.",
                day=cautions.lpr_day(need.lpr_date, need.published_at),
                rate=formats.rate(need.lpr_1y),
            ),
        }
    )
    told.extend(_tell_bidding(need))
    if need.state is NeedState.OPEN:
        return told
    told.extend(_tell_opening(need))
    if need.state is NeedState.CLOSED:
        told.append(
            {
                "title": gettext("You compare and accept"),
                "state": "now",
                "text": gettext(
                    "Accept by %(time)s.", time=formats.moment_text(need.accept_until, zone=True)
                ),
            }
        )
    elif need.state is NeedState.AWARDED:
        told.extend(_tell_award(need))
    elif ended:
        title = (
            gettext("Withdrawn") if need.state is NeedState.WITHDRAWN else gettext("Ended without an award")
        )
        told.append(
            {
                "title": title,
                "state": "done",
                "text": explanations.unsuccessful(need.reason)
                if need.state is NeedState.UNSUCCESSFUL
                else None,
            }
        )
    return told


def _tell_bidding(need: Need) -> list[dict[str, Any]]:
    """Return the bid rounds that closed without an opening, what was changed, and what runs now."""
    rounds_held = needs.list_rounds(need.id)
    told: list[dict[str, Any]] = [
        {
            "title": gettext("Bid round %(number)s closed", number=held.number),
            "when": held.closed_at,
            "state": "done",
            "text": gettext("Each bidder learned the best annual cost and its own rank, and could go lower."),
        }
        for held in rounds_held
        if held.closed_at is not None and held.bid_count is None
    ]
    for change in need_changes.list_changes(need.id):
        rows = need_words.describe(change.differences)
        told.append(
            {
                "title": gettext("Changed by you"),
                "when": change.changed_at,
                "state": "done",
                "text": gettext(", ").join(row.field for row in rows),
            }
        )
    told.sort(key=lambda item: item["when"])
    if need.state is not NeedState.OPEN:
        return told
    bidding = need_words.describe_bidding(need, rounds_held)
    assert bidding is not None, "an open need has a bid round"
    sealed = need.bid_policy is BidPolicy.SEALED
    title = gettext("Institutions bid under seal") if sealed else gettext("Institutions bid without names")
    if bidding.planned > 1:
        title = gettext(
            "%(title)s: round %(number)s of %(count)s",
            title=title,
            number=bidding.number,
            count=bidding.planned,
        )
    told.append(
        {
            "title": title,
            "state": "now",
            "text": gettext("Nobody sees how many bids there are, or what they say, before the opening.")
            if sealed
            else gettext(
                "Bidders see the best annual cost and their own rank; you see the bids at the opening."
            ),
        }
    )
    if bidding.last_close is not None:
        told.append({"title": gettext("The next bid round begins"), "when": need.closes_at, "state": "next"})
    when = bidding.last_close or need.closes_at
    told.append({"title": gettext("Bids are opened together"), "when": when, "state": "next"})
    told.append({"title": gettext("You compare and accept"), "state": "next"})
    return told


def _tell_opening(need: Need) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for held in needs.list_rounds(need.id):
        if held.closed_at is not None and held.bid_count is not None:
            count = held.bid_count
            told.append(
                {
                    "title": ngettext("Opened: %(num)s bid", "Opened: %(num)s bids", count),
                    "when": held.closed_at,
                    "state": "done",
                    "text": ngettext(
                        "%(num)s of them is comparable and ranked.",
                        "%(num)s of them are comparable and ranked.",
                        held.ranked_count or 0,
                    )
                    if count
                    else None,
                }
            )
    proposal = rounds.find_proposal(need.id)
    if proposal is not None:
        placed = proposal.state is not ProposalState.UNPLACED
        told.append(
            {
                "title": gettext("The matching round proposed an offer")
                if placed
                else gettext("The matching round proposed none of the offers"),
                "when": proposal.round.settled_at,
                "state": "done",
                "text": explanations.proposal(proposal.why),
            }
        )
    return told


def _tell_award(need: Need) -> list[dict[str, Any]]:
    award = awards.find_for_need(need.id)
    if award is None:
        return []
    told: list[dict[str, Any]] = [
        {"title": gettext("Offer accepted"), "when": award.accepted_at, "state": "done"}
    ]
    if award.two_people and award.state is AwardState.CONFIRMED:
        told.append(
            {"title": gettext("Confirmed by the second person"), "when": award.confirmed_at, "state": "done"}
        )
    told.append({"title": gettext("The institution pays the money out"), "state": "now"})
    return told
