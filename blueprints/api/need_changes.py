"""Changes of an open need, and the bids that they voided, confirmed again."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import BidDetail, bid_routes
from blueprints.api.bids import show_whole as show_bid
from blueprints.api.needs import MAKERS, READERS, NeedDetail, NeedEntry, need_routes, show_whole
from blueprints.api.parsing import Answer, Body
from market.money import yuan
from market.vocabulary import Capability
from models.need import NeedChange
from services import bids, need_changes, needs


class ChangeEntry(NeedEntry):
    """An open need as its firm wants it now: every field, as for a draft."""

    revision = fields.Whole("The need's `revision` as seen; refused where it changed since.", least=1)


DIFFERENCES = "`field` with its value `before` and `after`; amounts in yuan."


class PlanAnswer(Answer):
    """What a change would do. Whether anybody has bid is nobody's to know."""

    differences = fields.Many(fields.Facts(DIFFERENCES), "What voids every bid placed so far.")
    others = fields.Many(fields.Said(), "Fields that change without touching bids.")
    closes_at = fields.Moment("End of the running bid round after the change.")
    shuts_out = fields.Flag("Whether institutions may lose sight of the need, and their bids.")


class ChangeAnswer(Answer):
    """A change that voided bids."""

    revision = fields.Count("The need's revision since then.")
    changed_at = fields.Moment()
    differences = fields.Many(fields.Facts(DIFFERENCES))


class ChangeList(Answer):
    """The changes of an open need, oldest first."""

    items = fields.Many(fields.Part(ChangeAnswer), most=10_000)


class Reconfirmation(Body):
    """A voided bid, as it was, on the changed need."""

    revision = fields.Whole("The need's `revision` whose differences were seen.", least=1, required=True)
    valid_until = fields.Moment("The bid's own if left out.", allow_none=True)


@need_routes.route(f"/needs/<{fields.ID}:need_id>/changes")
class NeedChanges(MethodView):
    """Changes of a need while it is open."""

    @need_routes.doc(operationId="listNeedChanges")
    @need_routes.response(200, ChangeList)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """List what was changed while bids were taken, for whoever may see the need."""
        need = needs.find(need_id, by=access.acting())
        return {"items": [show_change(change) for change in need_changes.list_changes(need.id)]}

    @need_routes.doc(operationId="changeNeed")
    @need_routes.arguments(ChangeEntry)
    @need_routes.response(200, NeedDetail)
    @allows(*MAKERS)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Change an open need; what bears on a bid voids the bids placed so far."""
        by, revision = access.acting(), data.pop("revision", None)
        content = needs.Draft(**data)
        need = need_changes.change(need_id, content, by=by, now=access.now(), revision=revision)
        return show_whole(need, by)


@need_routes.route(f"/needs/<{fields.ID}:need_id>/changes/preview")
class NeedChangePreview(MethodView):
    """A change that is not made."""

    @need_routes.doc(operationId="previewNeedChange")
    @need_routes.arguments(NeedEntry)
    @need_routes.response(200, PlanAnswer)
    @allows(*MAKERS)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Say what a change of an open need would do, without doing it."""
        planned = need_changes.plan(need_id, needs.Draft(**data), by=access.acting(), now=access.now())
        return {
            "differences": [show_difference(one) for one in planned.differences],
            "others": list(planned.others),
            "closes_at": planned.closes_at,
            "shuts_out": planned.shuts_out,
        }


@bid_routes.route(f"/bids/<{fields.ID}:bid_id>/reconfirm")
class BidReconfirmation(MethodView):
    """A bid that a change voided."""

    @bid_routes.doc(operationId="reconfirmBid")
    @bid_routes.arguments(Reconfirmation)
    @bid_routes.response(201, BidDetail)
    @allows(Capability.INSTITUTION_BIDDER)
    def post(self, data: dict[str, Any], bid_id: int) -> Any:
        """Place a voided bid anew on the changed need; it gets a receipt of its own."""
        by, sealer = access.acting(), current_app.extensions["sealer"]
        bid = need_changes.reconfirm(bid_id, by=by, now=access.now(), sealer=sealer, **data)
        return show_bid(*bids.read_own(bid.id, by=by, sealer=sealer))


def show_change(change: NeedChange) -> dict[str, Any]:
    """Return a change as far as bidders may know: never how many bids it voided."""
    return {
        "revision": change.revision,
        "changed_at": change.changed_at,
        "differences": [show_difference(one) for one in change.differences],
    }


def show_difference(difference: dict[str, Any]) -> dict[str, Any]:
    """Return a difference, with amounts in yuan."""
    if difference["field"] != "amount":
        return difference
    return {**difference, "before": yuan(difference["before"]), "after": yuan(difference["after"])}
