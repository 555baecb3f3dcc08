"""The ladder's evidence, order of days and deadlines; the locked account; a pledge that runs out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from market import contract_deadlines, contract_loan
from market.calendar import Calendar, CalendarStatus
from market.errors import Code, Invalid
from market.ladder_vocabulary import Deadline
from market.vocabulary import ContractStage as S

DAY = date(2026, 11, 23)
#: 1 to 7 October 2026 are holidays, 10 October is worked in exchange.
AUTUMN = Calendar(
    {date(2026, 10, day): False for day in range(1, 8)} | {date(2026, 10, 10): True},
    {2026: CalendarStatus.FINAL},
)


def test_each_rung_that_asks_for_evidence_is_refused_without_it() -> None:
    asked = {stage: [fault.field for fault in contract_loan.find_missing(stage, {})] for stage in S}
    assert {stage: fields for stage, fields in asked.items() if fields} == {
        S.FILED: ["evidence"],
        S.ACCOUNT_LOCKED: ["payee_account", "evidence"],
        S.PLEDGE_REGISTERED: ["pledge_number", "pledge_expires_on"],
    }
    assert contract_loan.find_missing(S.FILED, {"evidence": " \u3000"})[0].code is Code.REQUIRED
    assert contract_loan.find_missing(S.FILED, {"evidence": "备案 1"}) == []


def test_no_rung_is_dated_before_those_under_it() -> None:
    climbed = [(S.SIGNED, DAY), (S.CREDITED, DAY + timedelta(days=3))]
    contract_loan.check_day(S.ACCOUNT_LOCKED, DAY + timedelta(days=3), climbed)
    with pytest.raises(Invalid) as early:
        contract_loan.check_day(S.ACCOUNT_LOCKED, DAY + timedelta(days=2), climbed)
    (fault,) = early.value.faults
    assert (fault.code, fault.field, fault.values["after"]) == (
        Code.OUT_OF_ORDER,
        "happened_on",
        "2026-11-26",
    )
    # What is told of late is only bound by what lies under it.
    contract_loan.check_day(S.FILED, DAY, climbed)
    with pytest.raises(Invalid):
        contract_loan.check_day(S.FILED, DAY, [], signed_on=DAY + timedelta(days=1))


def test_only_a_filing_that_was_passed_over_can_be_caught_up_on() -> None:
    assert contract_loan.may_catch_up(S.CREDITED, S.FILED, [S.SIGNED, S.CREDITED])
    assert not contract_loan.may_catch_up(S.CREDITED, S.FILED, [S.SIGNED, S.FILED])
    assert not contract_loan.may_catch_up(S.SIGNED, S.FILED, [S.SIGNED])
    assert not contract_loan.may_catch_up(S.DRAWN, S.PLEDGE_REGISTERED, [S.DRAWN])


def test_filing_and_publication_are_due_in_working_days_of_signing_and_late_is_marked() -> None:
    signed = date(2026, 9, 29)
    filed, published = date(2026, 10, 15), date(2026, 9, 30)
    done = {Deadline.FILING: filed, Deadline.PUBLICATION: published}
    filing, publication = contract_deadlines.mark(signed, done, AUTUMN)
    # 30 September, then 8, 9, 10 (worked), 12, 13 and 14 October.
    assert (filing.due_on, filing.is_late, filing.is_provisional) == (date(2026, 10, 14), True, False)
    assert (publication.due_on, publication.is_late) == (date(2026, 10, 8), False)
    unknown, _ = contract_deadlines.mark(signed, {}, AUTUMN)
    assert (unknown.done_on, unknown.is_late) == (None, False)
    assert contract_deadlines.mark(date(2026, 12, 30), {}, AUTUMN)[0].is_provisional
    assert contract_deadlines.mark(None, {}, AUTUMN) == ()
    # Before the Regulation came into force nothing was said of publication.
    assert [m.deadline for m in contract_deadlines.mark(date(2014, 1, 6), {}, AUTUMN)] == [Deadline.FILING]


@pytest.mark.parametrize(
    ("left", "warning"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-5, 7)],
)
def test_a_pledge_that_runs_out_is_warned_of_at_the_narrowest_threshold(
    left: int, warning: int | None
) -> None:
    assert contract_loan.find_warning(DAY + timedelta(days=left), DAY) == warning


@pytest.mark.parametrize("spelling", ["3700-0001-2345", "３７００ ０００１ ２３４５", "37000001.2345"])
def test_an_account_is_the_same_in_every_spelling(spelling: str) -> None:
    assert contract_loan.is_locked_account(spelling, "3700 0001 2345")
    assert contract_loan.is_paid_rightly(spelling, None, "370000012345", [])


def test_a_payment_is_judged_by_the_account_that_was_locked_on_its_day() -> None:
    changes = [(DAY, "A1"), (DAY + timedelta(days=10), "B2")]

    def right(account: str, days: int) -> bool:
        return contract_loan.is_paid_rightly(account, DAY + timedelta(days=days), "C3", changes)

    assert [right("A1", days) for days in (-1, 0, 1)] == [True, True, False]
    assert [right("B2", days) for days in (-1, 0, 10, 11)] == [False, True, True, False]
    assert [right("C3", days) for days in (9, 10, 50)] == [False, True, True]
    assert not contract_loan.is_paid_rightly("B2", None, "C3", changes)


def test_a_published_account_shows_its_last_four_characters() -> None:
    assert contract_loan.mask_account("3700 0001 2345 6789") == "****6789"
    assert contract_loan.mask_account("6789") == "****"
