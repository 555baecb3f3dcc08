"""Organisations: limits are set for what exists, or refused with the field that is wrong."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from market.errors import Code, Invalid, NotFound
from market.vocabulary import LimitScope, OrganisationKind
from services import organisations
from tests.factories import MILLION, make_organisation, make_party


def test_a_limit_names_a_firm_where_its_scope_asks_for_one(app: Flask, now: datetime) -> None:
    bank, firm = make_party(OrganisationKind.BANK, now=now), make_organisation(now=now)
    assert bank.organisation_id is not None
    for scope, firm_id, code in (
        (LimitScope.FIRM, None, Code.REQUIRED),
        (LimitScope.TOTAL, firm.id, Code.UNKNOWN_FIELD),
    ):
        with pytest.raises(Invalid) as refused:
            organisations.set_limit(bank.organisation_id, scope, MILLION, by=bank, now=now, firm_id=firm_id)
        assert [(fault.code, fault.field) for fault in refused.value.faults] == [(code, "firm_id")]
    for nobody in (10**9, bank.organisation_id):
        with pytest.raises(NotFound):
            organisations.set_limit(
                bank.organisation_id, LimitScope.FIRM, MILLION, by=bank, now=now, firm_id=nobody
            )
    limit = organisations.set_limit(
        bank.organisation_id, LimitScope.FIRM, MILLION, by=bank, now=now, firm_id=firm.id
    )
    assert (limit.firm_id, limit.cap) == (firm.id, MILLION)
