"""The file of a deal as JSON: everything that happened on it, in order of time, and its double entries."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.loans import PARTIES, loan_routes
from blueprints.api.parsing import Answer
from blueprints.api.parties import OrganisationBrief
from blueprints.api.terms import show_facts
from market.lending_vocabulary import Account
from market.report_vocabulary import FileEntry
from services import deal_file
from services.deeds import AMOUNTS


class FilePerson(Answer):
    """Who did something."""

    name = fields.Said()
    organisation = fields.Part(OrganisationBrief, allow_none=True)


class FileEntryAnswer(Answer):
    """Something that happened."""

    kind = fields.Word(FileEntry)
    what = fields.Said("A rung, a kind of event, an outcome: a word of the vocabulary.", allow_none=True)
    day = fields.Day("The day it counts for.")
    at = fields.Moment("When it was written down.")
    who = fields.Many(fields.Part(FilePerson), "In the order in which they acted; nobody: the clock.")
    evidence = fields.Said()
    amount = fields.Money(allow_none=True, least=None)
    note = fields.Said()
    details = fields.Facts()


class PostingAnswer(Answer):
    """A double entry with what stands on its accounts after it."""

    day = fields.Day()
    posted_at = fields.Moment()
    source = fields.Word(Account)
    target = fields.Word(Account)
    amount = fields.Money()
    source_balance = fields.Money(least=None)
    target_balance = fields.Money(least=None)


class DealFileAnswer(Answer):
    """The whole of one deal."""

    loan_id = fields.Count()
    made_at = fields.Moment()
    entries = fields.Many(fields.Part(FileEntryAnswer), most=100_000)
    postings = fields.Many(fields.Part(PostingAnswer), most=100_000)


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/file")
class LoanFile(MethodView):
    """The file of a deal."""

    @loan_routes.doc(operationId="getLoanFile")
    @loan_routes.response(200, DealFileAnswer)
    @allows(*PARTIES)
    def get(self, loan_id: int) -> Any:
        """Return everything that happened on a deal, in order of time, as far as the caller may know it."""
        file = deal_file.read(loan_id, by=access.acting(), now=access.now())
        return {
            "loan_id": file.loan.id,
            "made_at": file.made_at,
            "entries": [_show(entry) for entry in file.entries],
            "postings": [
                {
                    "day": row.movement.booked_on,
                    "posted_at": row.movement.posted_at,
                    "source": row.movement.source,
                    "target": row.movement.target,
                    "amount": row.movement.amount,
                    "source_balance": row.source_balance,
                    "target_balance": row.target_balance,
                }
                for row in file.postings
            ],
        }


def _show(entry: deal_file.Entry) -> dict[str, Any]:
    deed = entry.deed
    return {
        "kind": deed.kind,
        "what": deed.what.value if deed.what is not None else None,
        "day": deed.on,
        "at": deed.at,
        "who": entry.who,
        "evidence": deed.evidence,
        "amount": deed.amount,
        "note": deed.note,
        "details": show_facts(deed.details, AMOUNTS),
    }
