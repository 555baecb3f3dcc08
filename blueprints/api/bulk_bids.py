"""Bulk bids: many needs answered in one request, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import current_app
from flask.views import MethodView

from blueprints import access, problem
from blueprints.access import allows
from blueprints.api import fields, parsing
from blueprints.api.bids import BIDDERS, BidDetail, QuoteEntry, bid_routes, show_whole
from blueprints.api.description import Problem
from blueprints.api.parsing import Answer, Body
from market.vocabulary import Capability
from services import bids, bulk_bids
from services.quotes import Quote


class Rows(fields.Many):
    """A list whose faults are named as the service names those of its rows: ``rows.3.rate``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ma.ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            raise ma.ValidationError(
                [
                    replace(fault, field=f"{place}.{fault.field}" if fault.field else str(place))
                    for place, inner in error.messages.items()
                    for fault in parsing.find_faults(inner)
                ]
            ) from error


class BulkRow(QuoteEntry):
    """A bid of many: the need it answers and what it says."""

    need_id = fields.Id(required=True)


class BulkEntry(Body):
    """Bids on many needs, each product once on each."""

    rows = Rows(fields.Part(BulkRow), most=bulk_bids.MOST, required=True)


class BulkAnswer(Answer):
    """The receipts, in the order of the rows."""

    items = fields.Many(fields.Part(BidDetail), most=bulk_bids.MOST)


class BulkFaults(Answer):
    """What speaks against the rows; nothing for rows that would be placed."""

    faults = fields.Many(
        fields.Part(Problem.Refusal), "Each with its row, counted from 0: `rows.3.rate`.", most=10_000
    )


@bid_routes.route("/bids/bulk")
class BulkBids(MethodView):
    """Many bids at once."""

    @bid_routes.doc(operationId="placeBulkBids")
    @bid_routes.arguments(BulkEntry)
    @bid_routes.response(201, BulkAnswer)
    @allows(Capability.INSTITUTION_BIDDER)
    def post(self, data: dict[str, Any]) -> Any:
        """Place up to 200 bids in one go, all or none.

        Refused with every fault of every row, named as `rows.3.rate`; then nothing is stored.
        """
        by, sealer = access.acting(), current_app.extensions["sealer"]
        placed = bulk_bids.place(read_rows(data["rows"]), by=by, now=access.now(), sealer=sealer)
        return {"items": [show_whole(*bids.read_own(bid.id, by=by, sealer=sealer)) for bid in placed]}


@bid_routes.route("/bids/bulk/check")
class BulkCheck(MethodView):
    """Many bids looked at."""

    @bid_routes.doc(operationId="checkBulkBids")
    @bid_routes.arguments(BulkEntry)
    @bid_routes.response(200, BulkFaults)
    @allows(*BIDDERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Say what speaks against each row, without placing any."""
        rows, sealer = read_rows(data["rows"]), current_app.extensions["sealer"]
        faults = bulk_bids.check(rows, by=access.acting(), now=access.now(), sealer=sealer)
        return {"faults": problem.list_faults(faults)}


def read_rows(items: Iterable[dict[str, Any]]) -> list[bulk_bids.Row]:
    """Return the rows of a body."""
    return [
        bulk_bids.Row(item["need_id"], Quote(**{name: item[name] for name in item if name != "need_id"}))
        for item in items
    ]
