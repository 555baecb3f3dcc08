"""Procurement's dated rules: what holds on which day, price deductions, reserves, caps, late intentions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from market import procurement_rules
from market.procurement_matching import Sought, Watcher, match
from market.procurement_vocabulary import (
    DepositKind,
    Favoured,
    MatchReason,
    ProcurementObject,
    ProcurementRuleKind,
)
from market.reference import procurement_rules as shipped
from market.vocabulary import SizeClass

GOODS, SERVICES, WORKS = ProcurementObject.GOODS, ProcurementObject.SERVICES, ProcurementObject.WORKS
MILLION = 100_000_000
BEFORE, AFTER = date(2022, 6, 30), date(2022, 7, 1)


@pytest.mark.parametrize(
    ("on", "thing", "low", "high"),
    [
        (BEFORE, GOODS, "0.06", "0.10"),  # 财库〔2020〕46号
        (AFTER, GOODS, "0.10", "0.20"),  # raised by 财库〔2022〕19号
        (AFTER, SERVICES, "0.10", "0.20"),
        (AFTER, WORKS, "0.03", "0.05"),  # works keep theirs
    ],
)
def test_the_price_deduction_is_the_one_of_the_day(
    on: date, thing: ProcurementObject, low: str, high: str
) -> None:
    rule = procurement_rules.find(shipped(), ProcurementRuleKind.PRICE_DEDUCTION, thing, on)
    assert rule is not None
    assert (rule.low, rule.high) == (Decimal(low), Decimal(high))


def test_nothing_is_known_before_the_first_rule() -> None:
    early = date(2014, 1, 1)
    assert procurement_rules.list_in_force(shipped(), early) == []
    assert procurement_rules.compute_reserve(5 * MILLION, GOODS, shipped(), early).sme == 0


def test_a_small_firm_is_compared_below_its_price_and_a_medium_one_at_it() -> None:
    def compare(size: SizeClass | None) -> tuple[int, int]:
        return procurement_rules.compare_price(MILLION, size, GOODS, shipped(), AFTER)

    assert compare(SizeClass.MICRO) == (80_000_000, 90_000_000)
    assert compare(SizeClass.MEDIUM) == compare(None) == (MILLION, MILLION)


def test_a_deduction_of_part_of_a_fen_is_rounded_half_up() -> None:
    assert procurement_rules.deduct(5, Decimal("0.1")) == 4  # half a fen is deducted whole
    assert procurement_rules.deduct(4, Decimal("0.1")) == 4  # and less than half not at all


@pytest.mark.parametrize(
    ("budget", "thing", "sme", "small"),
    [
        (200 * 1_000_000, GOODS, 200 * 1_000_000, 0),  # 200万 of goods: for small firms alone
        (200 * 1_000_000 + 1, GOODS, 60_000_001, 36_000_001),  # one fen more: 30 %, of it 60 %, rounded up
        (400 * 1_000_000, WORKS, 400 * 1_000_000, 0),
        (1000 * 1_000_000, WORKS, 400 * 1_000_000, 240 * 1_000_000),  # 40 % until the end of 2026
    ],
)
def test_what_is_reserved_follows_from_the_budget(
    budget: int, thing: ProcurementObject, sme: int, small: int
) -> None:
    found = procurement_rules.compute_reserve(budget, thing, shipped(), date(2026, 11, 20))
    assert found == procurement_rules.Reserve(sme, small)


def test_a_zones_own_rule_goes_before_the_nations_while_it_holds() -> None:
    nation = procurement_rules.find(shipped(), ProcurementRuleKind.PRICE_DEDUCTION, GOODS, AFTER)
    assert nation is not None
    own = replace(nation, high=None, low=Decimal("0.15"), valid_from=AFTER, valid_to=AFTER, is_local=True)
    rules = [*shipped(), own]
    kind = ProcurementRuleKind.PRICE_DEDUCTION
    assert procurement_rules.find(rules, kind, GOODS, AFTER) == own
    assert procurement_rules.find(rules, kind, GOODS, date(2022, 7, 2)) == nation


def test_deposits_are_capped_by_kind() -> None:
    def most(kind: DepositKind, thing: ProcurementObject = GOODS) -> int | None:
        return procurement_rules.find_most(kind, 1_000_009, thing, shipped(), AFTER)

    assert most(DepositKind.BID) == 20_000
    assert most(DepositKind.PERFORMANCE) == 100_000
    assert most(DepositKind.QUALITY, WORKS) == 30_000
    assert most(DepositKind.QUALITY) is most(DepositKind.ADVANCE) is None


@pytest.mark.parametrize(
    ("published", "month", "late"),
    [
        (date(2026, 11, 1), date(2026, 12, 1), False),
        (date(2026, 11, 20), date(2026, 12, 1), False),  # it may begin on 31 December
        (date(2026, 12, 1), date(2026, 12, 1), False),  # 30 days to the last of the month, as it happens
        (date(2026, 12, 2), date(2026, 12, 31), True),
    ],
)
def test_an_intention_is_late_when_no_day_of_its_month_is_thirty_days_off(
    published: date, month: date, late: bool
) -> None:
    assert procurement_rules.is_late(published, month) is late


SOUGHT = Sought("智慧园区 AI 平台", "C39", frozenset({"HIGH_TECH"}), is_reserved=False)
NOBODY = Watcher("A01", SizeClass.SMALL, frozenset())


@pytest.mark.parametrize(
    ("watcher", "reasons"),
    [
        (NOBODY, []),
        (replace(NOBODY, industry="c3913"), [MatchReason.INDUSTRY]),
        (replace(NOBODY, industry="C"), []),  # a section says too little
        (replace(NOBODY, industries=("C39",)), [MatchReason.INDUSTRY]),
        (replace(NOBODY, tags=frozenset({"HIGH_TECH"})), [MatchReason.TAG]),
        (replace(NOBODY, keywords=("ai", " ")), [MatchReason.KEYWORD]),
        (replace(NOBODY, keywords=("",)), []),
    ],
)
def test_an_intention_reaches_a_firm_by_industry_qualification_or_word(
    watcher: Watcher, reasons: list[MatchReason]
) -> None:
    assert match(SOUGHT, watcher) == reasons


def test_what_is_reserved_for_small_firms_does_not_reach_a_large_one() -> None:
    reserved = replace(SOUGHT, is_reserved=True)
    fits = replace(NOBODY, industry="C39")
    sizes = [SizeClass.LARGE, SizeClass.MEDIUM, None]
    assert [bool(match(reserved, replace(fits, size=size))) for size in sizes] == [False, True, True]
    assert match(SOUGHT, replace(fits, size=SizeClass.LARGE))


def test_every_shipped_rule_says_where_it_comes_from() -> None:
    assert all(rule.source and rule.document and rule.issuer for rule in shipped())
    assert {rule.favoured for rule in shipped()} == set(Favoured)
