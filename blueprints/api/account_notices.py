"""Published notices of locked, changed and released payee accounts."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints.access import public
from blueprints.api import fields
from blueprints.api.contracts import contract_routes
from blueprints.api.paging import MOST, USUAL
from blueprints.api.parsing import Answer, Body
from blueprints.api.products import find_zone
from market.ladder_vocabulary import AccountNoticeKind
from services import account_notices


class AccountNoticeQuery(Body):
    """Which notices."""

    zone = fields.Text("Code of a zone; without it the caller's, or the default one.", most=40)
    after = fields.Number("Leave out so many of the newest.", load_default=0)
    limit = fields.Number("Rows on a page.", least=1, most=MOST, load_default=USUAL)


class AccountNoticeAnswer(Answer):
    """What is published of a payee account."""

    kind = fields.Word(AccountNoticeKind)
    contract_number = fields.Said()
    purchaser_name = fields.Said(allow_none=True)
    published_at = fields.Moment()
    account = fields.Said("Its last four characters.")


class AccountNoticeList(Answer):
    """Notices of one zone."""

    items = fields.Many(fields.Part(AccountNoticeAnswer), "Newest first.", most=MOST)
    next = fields.Count("Pass this as `after` to get the next page; null on the last one.", allow_none=True)


@contract_routes.route("/account-notices")
class AccountNotices(MethodView):
    """What anybody may look up."""

    @contract_routes.doc(operationId="listAccountNotices")
    @contract_routes.arguments(AccountNoticeQuery, location="query")
    @contract_routes.response(200, AccountNoticeList)
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """List the locks, changes and releases of payee accounts of a zone, for purchasers to check by."""
        offset, limit = query["after"], query["limit"]
        found = account_notices.find_page(find_zone(query.get("zone")), offset=offset, most=limit)
        more = offset + len(found.rows) < found.total
        return {"items": found.rows, "next": offset + len(found.rows) if more else None}
