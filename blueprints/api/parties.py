"""Who is who in answers: zones and organisations in brief."""

from __future__ import annotations

from blueprints.api import fields
from blueprints.api.parsing import Answer
from market.vocabulary import OrganisationKind


class ZoneAnswer(Answer):
    """A zone: one marketplace."""

    code = fields.Said("How requests name the zone.", metadata={"example": "default"})
    name_zh = fields.Said()
    name_en = fields.Said()
    is_default = fields.Flag("Used where a request names none.")
    is_sandbox = fields.Flag("A practice zone, whose clock an officer may move forward.")


class OrganisationBrief(Answer):
    """An organisation in brief."""

    id = fields.Count()
    kind = fields.Word(OrganisationKind)
    credit_code = fields.Said("Unified social credit code.", metadata={"example": "91990000MA0000001X"})
    name_zh = fields.Said()
    name_en = fields.Said(allow_none=True)
