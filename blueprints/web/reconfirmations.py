"""A bid that a change of its need voided, confirmed again as it was."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints import messages
from blueprints.access import acting, allows, now
from blueprints.web.forms import Form
from market.errors import MarketError
from market.vocabulary import Capability
from services import need_changes

Answer = Any


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule(
        "/bids/<int(max=9007199254740991):bid_id>/reconfirm", view_func=bids_reconfirm, methods=["POST"]
    )


@allows(Capability.INSTITUTION_BIDDER)
def bids_reconfirm(bid_id: int) -> Answer:
    """Place a voided bid anew on the need whose differences its bidder saw."""
    form = Form(request.form)
    revision, valid_until = form.whole("revision", least=1), form.moment("valid_until", required=False)
    back = redirect(url_for("institution.bids_show", bid_id=bid_id), 303)
    if not form.ok:
        flash(" ".join(sentence for _, sentence in form.summary), "danger")
        return back
    try:
        bid = need_changes.reconfirm(
            bid_id,
            revision,
            by=acting(),
            now=now(),
            sealer=current_app.extensions["sealer"],
            valid_until=valid_until,
        )
    except MarketError as error:
        if error.status not in {409, 422}:
            raise
        flash(" ".join(messages.sentences(error)), "danger")
        return back
    flash(
        gettext("Your bid stands again, on the need as it is now. This is its new receipt: keep it."), "done"
    )
    return redirect(url_for("institution.bids_show", bid_id=bid.id), 303)
