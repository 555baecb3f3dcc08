"""Several institutions for one need: the parts that a matching round proposes, and their acceptance."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web import syndicate_view
from blueprints.web.forms import Form
from market.errors import Code
from market.vocabulary import Capability
from models.award import Award
from services import comparisons, syndicates
from services.syndicates import Shown

Answer = str | Response | tuple[str, int]


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    address = "/needs/<int(max=2147483647):need_id>/syndicate"
    page.add_url_rule(address, "needs_syndicate", needs_syndicate, methods=["GET", "POST"])


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_syndicate(need_id: int) -> Answer:
    """Show what accepting the proposed parts means, or accept them exactly as they were shown."""
    party = access.acting()
    comparison = comparisons.compare(need_id, by=party)
    words = {"bid_id": lazy_gettext("Offer"), "shown_hash": lazy_gettext("Offer as shown")}
    form = Form(request.form, labels={**words, "parts": lazy_gettext("Parts as shown")})
    if request.method == "POST":
        shown = [part for text in form.chosen("part") if (part := _read(text)) is not None]
        if len(shown) != len(form.chosen("part")):
            form.refuse(Code.STALE, "parts")
        made = form.run(syndicates.accept, need_id, shown, by=party, now=access.now())
        if made:
            say_accepted(made)
            return redirect(url_for("enterprise.needs_award", need_id=need_id), 303)
        comparison = comparisons.compare(need_id, by=party)
    elif not comparison.may_accept_syndicate(access.now()):
        return redirect(url_for("enterprise.needs_offers", need_id=need_id), 303)
    syndicate = syndicates.price(comparison.need, comparison.syndicate)
    return form.page(
        "enterprise/syndicate.html",
        need=comparison.need,
        comparison=comparison,
        syndicate=syndicate,
        rows=syndicate_view.list_rows(syndicate, comparison),
        two_people=comparison.need.organisation.dual_control,
    )


def say_accepted(made: list[Award]) -> None:
    """Say what accepting, or confirming, several parts led to."""
    if any(award.confirmed_at is None for award in made):
        flash(gettext("Accepted. It counts as soon as a second person of your firm confirms it."), "success")
    elif any(award.bid.is_firm is False for award in made):
        flash(
            gettext("Accepted. What an institution that still reviews asks of you stands with its deal."),
            "success",
        )
    else:
        flash(gettext("Accepted. Each institution is now bound to its part."), "success")


def _read(text: str) -> Shown | None:
    """Return a part that the form sent back; None for what the page never held."""
    bid_id, _, rest = text.partition(":")
    amount, _, shown_hash = rest.partition(":")
    if not (bid_id.isdecimal() and amount.isdecimal() and len(bid_id) < 17 and len(amount) < 16):
        return None
    return Shown(int(bid_id), shown_hash[:64], int(amount))
