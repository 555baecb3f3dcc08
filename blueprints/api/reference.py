"""Reference tables that every zone shares: the loan prime rate and the working days."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from blueprints import access, cautions
from blueprints.access import public
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from market import publication
from market.calendar import CalendarStatus, local_date
from market.errors import not_found
from market.lpr import is_old
from market.reference import calendar, special_days
from services import lpr

reference_routes = Blueprint("reference", __name__, "The LPR and the working days, the same for every zone.")


class LprRowAnswer(Answer):
    """The LPR as it was published on one day."""

    published_on = fields.Day()
    one_year = fields.Rate()
    five_year = fields.Rate()


class LprTableAnswer(Answer):
    """The LPR on record."""

    on = fields.Day("The day asked about.")
    in_force = fields.Part(LprRowAnswer, "The newest publication not after that day.")
    is_old = fields.Flag("Whether a later publication must exist that is not on record.")
    missing = fields.Many(fields.Day(), "Publication days up to then that are not on record.", most=1000)
    items = fields.Many(fields.Part(LprRowAnswer), "Newest first.", most=1000)


class SpecialDayAnswer(Answer):
    """A day that breaks the rule Monday to Friday."""

    day = fields.Day()
    name = fields.Said("What the notice calls it, in the caller's language.")


class CalendarAnswer(Answer):
    """The working days of a year: Monday to Friday but for these."""

    year = fields.Count()
    status = fields.Word(CalendarStatus, "`provisional` until the State Council has published the year.")
    days_off = fields.Many(fields.Part(SpecialDayAnswer), "Weekdays that are not worked.", most=366)
    days_worked = fields.Many(fields.Part(SpecialDayAnswer), "Weekend days worked in exchange.", most=366)
    note = fields.Said("What to know of a provisional year.", allow_none=True)


class LprQuery(Body):
    """On which day."""

    on = fields.Day("The day asked about; today if left out.")


class CalendarQuery(Body):
    """Which year."""

    year = fields.Number("This year if left out.", least=1900, most=2200)


@reference_routes.route("/lpr")
class Lpr(MethodView):
    """The loan prime rate."""

    @reference_routes.doc(operationId="getLpr")
    @reference_routes.arguments(LprQuery, location="query")
    @reference_routes.response(200, LprTableAnswer)
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """Return the LPR on record, and the one in force on a day."""
        on = query.get("on") or local_date(access.now())
        table = lpr.read_table()
        row = table.row(on)
        return {
            "on": on,
            "in_force": row,
            "is_old": is_old(row.published_on, on),
            "missing": publication.list_missing(table, calendar(), on),
            "items": table.rows[::-1],
        }


@reference_routes.route("/calendar")
class Calendar(MethodView):
    """The working calendar."""

    @reference_routes.doc(operationId="getCalendar")
    @reference_routes.arguments(CalendarQuery, location="query")
    @reference_routes.response(200, CalendarAnswer)
    @reference_routes.alt_response(404, "NOT_FOUND")
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """Return the days of a year that break the rule Monday to Friday; no other year is guessed."""
        year = query.get("year", local_date(access.now()).year)
        status = calendar().years.get(year)
        if status is None:
            raise not_found("calendar", year)
        days = [special for special in special_days() if special.day.year == year]
        said = [(each.worked, {"day": each.day, "name": cautions.holiday(each.name)}) for each in days]
        return {
            "year": year,
            "status": status,
            "days_off": [day for worked, day in said if not worked],
            "days_worked": [day for worked, day in said if worked],
            "note": cautions.calendar_note(date(year, 1, 1)) or None,
        }
