"""Who pays how much of a claim, and what the cap of a portfolio allows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.compensation import check_list, find_cap, propose, sum_payable
from market.errors import Code, Invalid
from market.ledger.claims import share_claim
from market.risk_sharing import RiskSharing, Role, Sharer

ROLES = (Role.NATIONAL_FUND, Role.RE_GUARANTOR, Role.GUARANTOR, Role.BANK)


@pytest.mark.parametrize(
    ("roles", "shares", "parts", "payable"),
    [
        (ROLES, "20 20 40 20", [20_00, 20_00, 40_00, 20_01], 80_01),
        ((Role.NATIONAL_FUND, Role.GUARANTOR, Role.BANK), "30 30 40", [30_00, 30_00, 40_01], 60_00),
        ((Role.INSURER, Role.BANK), "80 20", [80_01, 20_00], 80_01),
    ],
)
def test_the_lender_is_paid_every_share_but_its_own(
    roles: tuple[Role, ...], shares: str, parts: list[int], payable: int
) -> None:
    percents = [Decimal(share) / 100 for share in shares.split()]
    found = [part for _, part in share_claim(100_01, list(zip(roles, percents, strict=True)))]
    assert sum(found) == 100_01
    assert all(abs(part - expected) <= 1 for part, expected in zip(found, parts, strict=True))
    assert abs(sum_payable(zip(roles, found, strict=True)) - payable) <= 1


def test_a_list_names_one_guarantor_and_bears_no_more_than_is_covered() -> None:
    check_list(propose("担保", "银行", Decimal("0.8"), is_bank=True), Decimal("0.8"))
    check_list(propose("担保", "租赁", Decimal(1), is_bank=False), Decimal(1))
    half = Decimal("0.5")
    for sharers, code in (
        ([Sharer("保险", Role.INSURER, half), Sharer("银行", Role.BANK, half)], Code.REQUIRED),
        ([Sharer("甲", Role.GUARANTOR, half), Sharer("乙", Role.GUARANTOR, half)], Code.REPEATED),
        ([Sharer("甲", Role.GUARANTOR, Decimal(1))], Code.TOO_LARGE),
    ):
        with pytest.raises(Invalid) as refused:
            check_list(RiskSharing(tuple(sharers)), Decimal("0.8"))
        assert code in {fault.code for fault in refused.value.faults}


def test_a_cap_of_three_percent_is_rounded_down() -> None:
    assert find_cap(10_000_000_00, Decimal("0.03")) == 300_000_00
    assert find_cap(33, Decimal("0.05")) == 1
