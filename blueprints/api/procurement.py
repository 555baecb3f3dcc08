"""Public procurement before a contract: award notices, intentions, what a firm watches for, dated rules."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access, messages
from blueprints.access import allows, public
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market import procurement_rules as rules
from market.calendar import local_date
from market.errors import not_found
from market.procurement_vocabulary import Favoured, ProcurementObject, ProcurementRuleKind
from market.vocabulary import Capability
from models.procurement import AwardNotice as AwardRow
from models.procurement import ProcurementIntention as IntentionRow
from services import award_notices, intentions, procurement_rules
from services.exchange import intention_rows
from services.exchange.intention_rows import ROWS_MOST
from services.intentions import TEXT_MOST, TITLE_MOST, WORD_MOST, WORDS_MOST

procurement_routes = Blueprint(
    "procurement", __name__, "Award notices, procurement intentions and the rules that favour small firms."
)

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
READERS = (*FIRM, Capability.PURCHASER, Capability.OFFICER, Capability.AUDITOR)
PUBLISHERS = (Capability.PURCHASER, Capability.OFFICER)


class AwardNoticeEntry(Body):
    """An award notice."""

    project_number = fields.Text(most=160, required=True)
    package_number = fields.Text(most=80)
    plan_number = fields.Text("Filing number of the procurement plan.", most=160, allow_none=True)
    title = fields.Text(most=400)
    purchaser_name = fields.Text(most=300, allow_none=True)
    purchaser_code = fields.Text(most=40, allow_none=True)
    supplier_name = fields.Text(most=300, required=True)
    supplier_code = fields.Text("Credit code, by which the firm is found.", most=40, allow_none=True)
    price = fields.Money("Award price.", allow_none=True)
    currency = fields.Text(most=8, allow_none=True)
    agency = fields.Text("Procurement agency.", most=300, allow_none=True)
    published_on = fields.Day(required=True)


class AwardNoticeAnswer(Answer):
    """An award notice."""

    id = fields.Count()
    project_number = fields.Said()
    package_number = fields.Said()
    plan_number = fields.Said(allow_none=True)
    title = fields.Said()
    purchaser_name = fields.Said(allow_none=True)
    purchaser_code = fields.Said(allow_none=True)
    supplier_name = fields.Said()
    supplier_code = fields.Said(allow_none=True)
    supplier_id = fields.Count("The firm of this platform that it names.", allow_none=True)
    price = fields.Money(allow_none=True)
    currency = fields.Said(allow_none=True)
    agency = fields.Said(allow_none=True)
    published_on = fields.Day()
    source = fields.Said()


class SearchQuery(Page):
    """Which of a list."""

    search = fields.Text("Part of a title, number or name.", most=80)


class IntentionEntry(Body):
    """A procurement intention."""

    title = fields.Text(most=TITLE_MOST, required=True)
    description = fields.Text(most=TEXT_MOST)
    object = fields.Word(ProcurementObject, "What is bought.", required=True)
    industry = fields.Text("Code of the industry that delivers it.", most=WORD_MOST, allow_none=True)
    tags = fields.Many(fields.Text(most=WORD_MOST), "Qualifications asked for.", most=WORDS_MOST)
    purchaser_name = fields.Text("Officers name it; a purchaser enters its own.", most=300, allow_none=True)
    budget = fields.Money(allow_none=True)
    expected_month = fields.Day("Any day of the month.", required=True)
    published_on = fields.Day(required=True)
    is_reserved = fields.Flag("Reserved for medium, small and micro firms.")


class IntentionAnswer(Answer):
    """A procurement intention."""

    id = fields.Count()
    title = fields.Said()
    description = fields.Said()
    object = fields.Word(ProcurementObject)
    industry = fields.Said(allow_none=True)
    tags = fields.Many(fields.Said(), most=WORDS_MOST)
    purchaser_name = fields.Said()
    budget = fields.Money(allow_none=True)
    expected_month = fields.Day("The first day of the month.")
    published_on = fields.Day()
    is_reserved = fields.Flag()
    is_late = fields.Flag("Published less than 30 days before the last day of that month.")
    source = fields.Said()


class IntentionRows(Body):
    """Rows of a table, under our column names or those of official notices."""

    rows = fields.Many(fields.Facts(), most=ROWS_MOST, required=True)


class RefusedRow(Answer):
    """A row that was not taken."""

    row = fields.Count("Counted from 1.")
    reasons = fields.Many(fields.Said(), most=50)


class IntentionsLoaded(Answer):
    """What came of the rows."""

    added = fields.Count()
    known = fields.Count("On record already; nothing changed.")
    refused = fields.Many(fields.Part(RefusedRow), most=ROWS_MOST)


class WatchEntry(Body):
    """What a firm watches for among intentions, beside its own industry and qualifications."""

    industries = fields.Many(
        fields.Text(most=WORD_MOST), "Codes, such as C39.", most=WORDS_MOST, required=True
    )
    keywords = fields.Many(fields.Text(most=WORD_MOST), "Words in titles.", most=WORDS_MOST, required=True)


class WatchAnswer(Answer):
    """What a firm watches for."""

    industries = fields.Many(fields.Said(), most=WORDS_MOST)
    keywords = fields.Many(fields.Said(), most=WORDS_MOST)


class RuleEntry(Body):
    """A rule of the zone."""

    kind = fields.Word(ProcurementRuleKind, required=True)
    object = fields.Word(ProcurementObject, required=True)
    favoured = fields.Word(Favoured, required=True)
    low = fields.Rate("A share; for a range, its lower end.", allow_none=True)
    high = fields.Rate("The upper end of a range, or a cap.", allow_none=True)
    amount_from = fields.Money("Speaks of projects above.", allow_none=True)
    amount_to = fields.Money("Speaks of projects up to.", allow_none=True)
    valid_from = fields.Day(required=True)
    valid_to = fields.Day("The last day.", allow_none=True)
    issuer = fields.Text(most=120, required=True)
    document = fields.Text("Number of the document.", most=120, required=True)
    source = fields.Text("Where it was read, and whether it was checked.", most=300)


class RuleAnswer(Answer):
    """A rule."""

    kind = fields.Word(ProcurementRuleKind)
    object = fields.Word(ProcurementObject)
    favoured = fields.Word(Favoured)
    low = fields.Rate(allow_none=True)
    high = fields.Rate(allow_none=True)
    amount_from = fields.Money(allow_none=True)
    amount_to = fields.Money(allow_none=True)
    valid_from = fields.Day()
    valid_to = fields.Day(allow_none=True)
    issuer = fields.Said()
    document = fields.Said()
    source = fields.Said()
    is_local = fields.Flag("The zone's own, which goes before the nation's.")


class RulesAnswer(Answer):
    """What holds on a day."""

    on = fields.Day()
    items = fields.Many(fields.Part(RuleAnswer), most=200)


class RuleQuery(Body):
    """On which day."""

    on = fields.Day("The day asked about; today if left out.")


@procurement_routes.route("/award-notices")
class AwardNotices(MethodView):
    """Who was awarded what."""

    @procurement_routes.doc(operationId="listAwardNotices")
    @procurement_routes.arguments(SearchQuery, location="query")
    @procurement_routes.response(200, page_of(AwardNoticeAnswer, "AwardNoticePage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the notices that name one's firm, or one's own as purchaser; officers see all of the zone."""
        return cut(award_notices.list_for(access.acting(), search=query.get("search", "")), query)

    @procurement_routes.doc(operationId="enterAwardNotice")
    @procurement_routes.arguments(AwardNoticeEntry)
    @procurement_routes.response(201, AwardNoticeAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> AwardRow:
        """Put an award notice on record by hand; the firm it names is told."""
        return award_notices.enter(award_notices.Entry(**data), by=access.acting(), now=access.now())


@procurement_routes.route("/procurement-intentions")
class Intentions(MethodView):
    """What purchasers intend to buy."""

    @procurement_routes.doc(operationId="listIntentions")
    @procurement_routes.arguments(SearchQuery, location="query")
    @procurement_routes.response(200, page_of(IntentionAnswer, "IntentionPage"))
    @allows(*Capability)
    def get(self, query: dict[str, Any]) -> Any:
        """List the intentions published in the zone."""
        found = cut(intentions.list_for(access.acting(), search=query.get("search", "")), query)
        return {**found, "items": [show_intention(row) for row in found["items"]]}

    @procurement_routes.doc(operationId="enterIntention")
    @procurement_routes.arguments(IntentionEntry)
    @procurement_routes.response(201, IntentionAnswer)
    @allows(*PUBLISHERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Put an intention on record; firms it may interest and lenders on contracts are told."""
        entry = intentions.Entry(**{**data, "tags": tuple(data.get("tags", ()))})
        return show_intention(intentions.enter(entry, by=access.acting(), now=access.now()))


@procurement_routes.route("/procurement-intentions/import")
class IntentionImport(MethodView):
    """A table of intentions."""

    @procurement_routes.doc(operationId="importIntentions")
    @procurement_routes.arguments(IntentionRows)
    @procurement_routes.response(200, IntentionsLoaded)
    @allows(*PUBLISHERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Put the rows of a table on record; one that is refused does not hold up the others."""
        now = access.now()
        rows = intention_rows.read_rows(data["rows"], today=local_date(now))
        done = intentions.load(rows, by=access.acting(), now=now, source="api")
        refused = [
            {"row": number, "reasons": [messages.sentence(fault) for fault in faults]}
            for number, faults in done.refused.items()
        ]
        return {"added": done.added, "known": done.known, "refused": refused}


@procurement_routes.route("/procurement-watch")
class Watch(MethodView):
    """What one's firm watches for."""

    @procurement_routes.doc(operationId="getWatch")
    @procurement_routes.response(200, WatchAnswer)
    @allows(*FIRM)
    def get(self) -> Any:
        """Return what the firm watches for."""
        watch = intentions.find_watch(access.acting())
        return watch if watch is not None else {"industries": [], "keywords": []}

    @procurement_routes.doc(operationId="setWatch")
    @procurement_routes.arguments(WatchEntry)
    @procurement_routes.response(200, WatchAnswer)
    @allows(*FIRM)
    def put(self, data: dict[str, Any]) -> Any:
        """Set what the firm watches for; empty lists watch for nothing more."""
        return intentions.set_watch(**data, by=access.acting(), now=access.now())


@procurement_routes.route("/procurement-rules")
class Rules(MethodView):
    """Reserves for small firms, price deductions and caps of deposits, by date."""

    @procurement_routes.doc(operationId="listProcurementRules")
    @procurement_routes.arguments(RuleQuery, location="query")
    @procurement_routes.response(200, RulesAnswer)
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """Return the rules in force on a day, in the caller's zone or the default one."""
        zone = access.current_zone()
        if zone is None:
            raise not_found("zone", "")
        on = query.get("on") or local_date(access.now())
        return {"on": on, "items": rules.list_in_force(procurement_rules.read(zone.id), on)}

    @procurement_routes.doc(operationId="addProcurementRule")
    @procurement_routes.arguments(RuleEntry)
    @procurement_routes.response(201, RuleAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Add a rule of the zone; it goes before the nation's from its first day."""
        row = procurement_rules.add(procurement_rules.Entry(**data), by=access.acting(), now=access.now())
        names = [name for name in RuleAnswer().fields if name != "is_local"]
        return {**{name: getattr(row, name) for name in names}, "is_local": True}


def show_intention(row: IntentionRow) -> dict[str, Any]:
    """Return an intention, with whether it came too late."""
    plain = {name: getattr(row, name) for name in IntentionAnswer().fields if name != "is_late"}
    return {**plain, "is_late": rules.is_late(row.published_on, row.expected_month)}
