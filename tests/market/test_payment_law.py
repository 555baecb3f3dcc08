"""When purchasers must pay, by the law of the day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from market.errors import Code, Invalid
from market.payment_law import Delivery, check_late_rate, find_accepted, find_due, find_rule
from market.payment_vocabulary import Debtor
from market.reference import lpr_table, payment_rules

SIGNED = date(2026, 6, 1)
ACCEPTED = date(2026, 9, 1)


def due(debtor: Debtor | None, signed_on: date, days: int | None = None) -> int | None:
    """Return the days from acceptance to the due day."""
    rule = find_rule(debtor, signed_on, payment_rules())
    found = find_due(Delivery(signed_on, None, None, ACCEPTED, days), rule, date(2026, 12, 1))
    return None if found is None else (found - ACCEPTED).days


@pytest.mark.parametrize(
    ("debtor", "signed_on", "agreed", "expected"),
    [
        (Debtor.GOVERNMENT, SIGNED, None, 30),
        (Debtor.GOVERNMENT, SIGNED, 45, 45),
        (Debtor.GOVERNMENT, SIGNED, 90, 60),
        (Debtor.LARGE_FIRM, SIGNED, None, 60),
        (Debtor.LARGE_FIRM, SIGNED, 90, 90),
        # The regulation of 2020 named no term for large firms; before it there was none at all.
        (Debtor.GOVERNMENT, date(2025, 5, 31), None, 30),
        (Debtor.LARGE_FIRM, date(2025, 5, 31), None, None),
        (Debtor.LARGE_FIRM, date(2025, 6, 1), None, 60),
        (Debtor.GOVERNMENT, date(2020, 8, 31), None, None),
        (Debtor.GOVERNMENT, date(2020, 8, 31), 90, 90),
        # A firm that is not large owes as agreed.
        (None, SIGNED, None, None),
        (None, SIGNED, 20, 20),
    ],
)
def test_the_term_follows_debtor_day_and_agreement(
    debtor: Debtor | None, signed_on: date, agreed: int | None, expected: int | None
) -> None:
    assert due(debtor, signed_on, agreed) == expected


def test_what_is_not_inspected_in_time_counts_as_accepted() -> None:
    delivery = Delivery(SIGNED, date(2026, 8, 1), 10, None, None)
    last = date(2026, 8, 11)
    assert find_accepted(delivery, last) is None
    assert find_accepted(delivery, last + timedelta(days=1)) == last
    rule = find_rule(Debtor.GOVERNMENT, SIGNED, payment_rules())
    assert find_due(delivery, rule, date(2026, 12, 1)) == last + timedelta(days=30)
    # Nothing is assumed of a term that was never agreed.
    assert find_accepted(Delivery(SIGNED, date(2026, 8, 1), None, None, None), date(2026, 12, 1)) is None


def test_an_agreed_late_rate_is_not_below_the_lpr_at_signing() -> None:
    table = lpr_table()
    least, published_on = table.row(SIGNED).one_year, table.row(SIGNED).published_on
    check_late_rate(least, SIGNED, table)
    with pytest.raises(Invalid) as refused:
        check_late_rate(least - Decimal("0.0001"), SIGNED, table)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values["published_on"]) == (Code.BELOW_LPR, published_on.isoformat())
    check_late_rate(Decimal(0), date(2019, 1, 1), table)
    with pytest.raises(Invalid):
        check_late_rate(least, None, table)


def test_every_day_since_the_first_regulation_has_one_rule_per_debtor() -> None:
    for debtor in Debtor:
        spans = sorted((rule.valid_from, rule.valid_to) for rule in payment_rules() if rule.debtor is debtor)
        assert spans[0][0] == date(2020, 9, 1) and spans[-1][1] is None
        assert all(end + timedelta(days=1) == after for (_, end), (after, _) in pairwise(spans) if end)
