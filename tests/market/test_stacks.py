"""Stacks: what goes together, what does not, and why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from market.covers import Backer, Bearer, Cover
from market.errors import Code, Invalid
from market.package_offers import CoverNeed, CoverUse, LoanOffer, Obstacle, SubsidyOffer
from market.risk_sharing import Role
from market.stacks import MOST_STACKS, PartKind, Stack, build
from market.terms import Fee, LoanTerms, Subsidy
from market.vocabulary import CoverKind, FeeTiming, ProductFamily, Recipient, Repayment

D = Decimal
MILLION = 100_000_000
TERMS = LoanTerms(MILLION, 12, D("0.0365"), Repayment.INTEREST_MONTHLY)
REQUIRED = CoverNeed(CoverUse.REQUIRED, D("0.8"))
LOAN = LoanOffer("loan", TERMS, "bank", family=ProductFamily.INNOVATION, cover=REQUIRED)
GUARANTEE = Cover("g", CoverKind.GUARANTEE, "guarantor", D("0.01"), most_share=D(1))
INSURANCE = Cover("i", CoverKind.INSURANCE, "insurer", D("0.02"))
GRANT = SubsidyOffer("s", Subsidy("subsidy", FeeTiming.END, rate=D("0.005")))


def names(stacks: tuple[Stack, ...]) -> list[str]:
    """Return the parts of each stack: ``g 0.8 + s``."""
    return [
        " + ".join(
            [f"{covering.cover.key} {covering.share:f}" for covering in stack.covers]
            + [granted.offer.key for granted in stack.subsidies]
        )
        for stack in stacks
    ]


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        (CoverNeed(), [""]),
        (CoverNeed(CoverUse.OPTIONAL), ["", "g 0.8", "i 0.8"]),
        (CoverNeed(CoverUse.OPTIONAL, D("0.9")), ["", "g 0.9"]),
        (CoverNeed(CoverUse.REQUIRED), ["g 0.8", "i 0.8"]),
        (CoverNeed(CoverUse.REQUIRED, D("0.8")), ["g 0.8", "i 0.8"]),
        (CoverNeed(CoverUse.REQUIRED, D("0.95")), ["g 0.95"]),
        (CoverNeed(CoverUse.REQUIRED, D("0.8"), frozenset({CoverKind.INSURANCE})), ["i 0.8"]),
    ],
)
def test_a_loan_gets_the_covers_it_asks_for_at_the_least_share_that_serves(
    need: CoverNeed, expected: list[str]
) -> None:
    assert names(build(replace(LOAN, cover=need), [GUARANTEE, INSURANCE]).stacks) == expected


def test_two_covers_make_up_together_what_neither_covers_alone() -> None:
    half = replace(GUARANTEE, least_share=D("0.3"), most_share=D("0.6"))
    other = replace(INSURANCE, least_share=D("0.2"), most_share=D("0.5"))
    built = build(LOAN, [half, other])
    assert names(built.stacks) == ["g 0.6 + i 0.2", "g 0.3 + i 0.5"]
    assert built.left_out == ()
    # 80 % are to be covered, and 40 % + 30 % are all there is.
    built = build(LOAN, [replace(half, most_share=D("0.4")), replace(other, most_share=D("0.3"))])
    assert (names(built.stacks), {out.obstacle for out in built.left_out}) == ([], {Obstacle.SHARE_TOO_SMALL})


def test_no_part_of_a_loan_is_covered_twice() -> None:
    optional = replace(LOAN, cover=CoverNeed(CoverUse.OPTIONAL))
    assert "g 0.8 + i 0.8" not in names(build(optional, [GUARANTEE, INSURANCE]).stacks)
    small = replace(INSURANCE, least_share=D("0.2"), most_share=D("0.2"))
    assert "g 0.8 + i 0.2" in names(build(optional, [GUARANTEE, small]).stacks)


def test_two_guarantees_do_not_stand_beside_one_loan() -> None:
    other = replace(GUARANTEE, key="h", provider="other")
    half = CoverNeed(CoverUse.OPTIONAL, D("0.5"))
    assert names(build(replace(LOAN, cover=half), [GUARANTEE, other]).stacks) == ["", "g 0.8", "h 0.8"]


@pytest.mark.parametrize(
    ("loan", "cover", "obstacle", "values"),
    [
        ({"cover": CoverNeed()}, {}, Obstacle.NO_COVER_WANTED, {}),
        (
            {"cover": CoverNeed(CoverUse.REQUIRED, D(0), frozenset({CoverKind.INSURANCE}))},
            {},
            Obstacle.KIND_NOT_ACCEPTED,
            {"kind": "guarantee", "accepted": ["insurance"]},
        ),
        ({}, {"lenders": frozenset({"other bank"})}, Obstacle.LENDER_NOT_ACCEPTED, {"lender": "bank"}),
        (
            {},
            {"amount_min": MILLION + 1},
            Obstacle.AMOUNT_TOO_SMALL,
            {"amount": MILLION, "least": MILLION + 1},
        ),
        (
            {},
            {"amount_max": MILLION - 1},
            Obstacle.AMOUNT_TOO_LARGE,
            {"amount": MILLION, "most": MILLION - 1},
        ),
        ({}, {"months_min": 13}, Obstacle.TERM_TOO_SHORT, {"months": 12, "least": 13}),
        ({}, {"months_max": 11}, Obstacle.TERM_TOO_LONG, {"months": 12, "most": 11}),
        (
            {"cover": CoverNeed(CoverUse.REQUIRED, D("0.9"))},
            {"most_share": D("0.85")},
            Obstacle.SHARE_TOO_SMALL,
            {"share": D("0.85"), "least": D("0.9")},
        ),
        (
            {"terms": replace(TERMS, deposit=D("0.05"))},
            {"deposit": D("0.1")},
            Obstacle.TWO_DEPOSIT_HOLDERS,
            {"holder": "lender", "other": "guarantor"},
        ),
        (
            {"terms": replace(TERMS, deposit=D("0.9"), deposit_holder="guarantor")},
            {"deposit": D("0.2")},
            Obstacle.DEPOSIT_TOO_LARGE,
            {"share": D("1.06")},
        ),
    ],
)
def test_a_cover_that_does_not_fit_is_named_with_the_reason(
    loan: dict[str, Any], cover: dict[str, Any], obstacle: Obstacle, values: dict[str, Any]
) -> None:
    (out,) = build(replace(LOAN, **loan), [replace(GUARANTEE, **cover)]).left_out
    assert (out.key, out.obstacle, out.values) == ("g", obstacle, values)


def test_bounds_include_their_ends() -> None:
    tight = replace(
        GUARANTEE,
        amount_min=MILLION,
        amount_max=MILLION,
        months_min=12,
        months_max=12,
        lenders=frozenset({"bank"}),
    )
    assert names(build(LOAN, [tight]).stacks) == ["g 0.8"]


def test_deposits_of_one_holder_add_up() -> None:
    held = replace(LOAN, terms=replace(TERMS, deposit=D("0.05"), deposit_holder="guarantor"))
    (stack,) = build(held, [replace(GUARANTEE, deposit=D("0.1"))]).stacks
    # A tenth of the 80 % that are covered, and the twentieth that was there.
    assert (stack.terms.deposit, stack.terms.deposit_holder) == (D("0.13"), "guarantor")
    (stack,) = build(LOAN, [replace(GUARANTEE, deposit=D("0.1"))]).stacks
    assert (stack.terms.deposit, stack.terms.deposit_holder) == (D("0.08"), "guarantor")


def test_two_covers_with_a_deposit_each_do_not_go_together() -> None:
    half = replace(GUARANTEE, least_share=D("0.4"), most_share=D("0.4"), deposit=D("0.1"))
    other = replace(INSURANCE, least_share=D("0.4"), most_share=D("0.4"))
    assert names(build(LOAN, [half, other]).stacks) == ["g 0.4 + i 0.4"]
    assert build(LOAN, [half, replace(other, deposit=D("0.1"))]).stacks == ()


@pytest.mark.parametrize(
    ("values", "goes_with"),
    [
        ({}, {"", "g", "i"}),
        ({"kinds": frozenset({CoverKind.GUARANTEE})}, {"g"}),
        ({"covers": frozenset({"i"})}, {"i"}),
        ({"payees": frozenset({"insurer"})}, {"i"}),
        ({"kinds": frozenset({CoverKind.GUARANTEE}), "payees": frozenset({"insurer"})}, set()),
        ({"of_cover": True}, {"g", "i"}),
        ({"families": frozenset({ProductFamily.INNOVATION})}, {"", "g", "i"}),
        ({"families": frozenset({ProductFamily.LEASE})}, set()),
        ({"subsidy": replace(GRANT.subsidy, budget=0)}, set()),
        ({"group": "interest"}, set()),
    ],
)
def test_a_subsidy_goes_with_the_covers_it_names(values: dict[str, Any], goes_with: set[str]) -> None:
    loan = replace(LOAN, cover=CoverNeed(CoverUse.OPTIONAL), taken=frozenset({"interest"}))
    stacks = build(loan, [GUARANTEE, INSURANCE], [replace(GRANT, **values)]).stacks
    with_it = {stack.keys[1] if stack.covers else "" for stack in stacks if stack.subsidies}
    assert with_it == goes_with
    assert len(stacks) == 3 + len(goes_with)


@pytest.mark.parametrize(
    ("loan", "values", "obstacle"),
    [
        ({}, {"families": frozenset({ProductFamily.LEASE})}, Obstacle.OTHER_FAMILY),
        ({}, {"subsidy": replace(GRANT.subsidy, cap=0)}, Obstacle.BUDGET_USED_UP),
        ({"taken": frozenset({"interest"})}, {"group": "interest"}, Obstacle.GROUP_TAKEN),
        ({}, {"covers": frozenset({"other"})}, Obstacle.NEEDS_COVER),
        ({"cover": CoverNeed(CoverUse.REQUIRED, D("0.99"))}, {}, Obstacle.NO_PACKAGE),
    ],
)
def test_a_subsidy_that_goes_with_nothing_is_named_with_the_reason(
    loan: dict[str, Any], values: dict[str, Any], obstacle: Obstacle
) -> None:
    left_out = build(replace(LOAN, **loan), [INSURANCE], [replace(GRANT, **values)]).left_out
    assert [out.obstacle for out in left_out if out.key == "s"] == [obstacle]


def test_of_a_group_at_most_one_counts_and_what_is_automatic_always() -> None:
    offers = [
        replace(GRANT, key="a", group="fee"),
        replace(GRANT, key="b", group="fee"),
        replace(GRANT, key="c"),
        replace(GRANT, key="d", automatic=True, covers=frozenset({"g"})),
    ]
    stacks = build(LOAN, [GUARANTEE, INSURANCE], offers).stacks
    guaranteed = [name for name in names(stacks) if name.startswith("g")]
    assert guaranteed == [
        *("g 0.8 + d", "g 0.8 + c + d", "g 0.8 + a + d"),
        *("g 0.8 + a + c + d", "g 0.8 + b + d", "g 0.8 + b + c + d"),
    ]
    assert len(stacks) == 12 and not any("d" in name for name in names(stacks) if name.startswith("i"))


def test_a_subsidy_of_a_cover_is_taken_of_the_covered_part() -> None:
    offer = replace(GRANT, of_cover=True, subsidy=replace(GRANT.subsidy, part=D("0.5")))
    stack = build(LOAN, [GUARANTEE], [offer]).stacks[-1]
    assert stack.terms.subsidies[0].part == D("0.4")


def test_merged_terms_keep_what_the_loan_had() -> None:
    fee = Fee("review", FeeTiming.UPFRONT, amount=5000)
    own = Subsidy("own", FeeTiming.END, rate=D("0.001"))
    loan = replace(LOAN, terms=replace(TERMS, fees=(fee,), subsidies=(own,)))
    stack = build(loan, [GUARANTEE], [GRANT]).stacks[-1]
    assert stack.terms == replace(
        TERMS,
        fees=(fee, Fee("guarantee fee", FeeTiming.YEARLY, "guarantor", rate=D("0.01"), part=D("0.8"))),
        subsidies=(own, GRANT.subsidy),
    )
    assert stack.stages[0] == loan.terms and stack.terms == stack.stages[-1]


def test_what_the_firm_pays_a_re_guarantor_is_a_part_of_its_own() -> None:
    backers = (
        Backer("re-guarantor", Role.RE_GUARANTOR, D("0.2"), D("0.002"), Bearer.FIRM),
        Backer("national fund", Role.NATIONAL_FUND, D("0.2"), D("0.001")),
    )
    (stack,) = build(LOAN, [replace(GUARANTEE, backers=backers, most_share=D("0.8"))]).stacks
    assert [(part.kind, part.party) for part in stack.additions] == [
        (PartKind.GUARANTEE, "guarantor"),
        (PartKind.RE_GUARANTEE, "re-guarantor"),
    ]
    assert [fee.payee for fee in stack.terms.fees] == ["guarantor", "re-guarantor"]
    assert [(sharer.name, sharer.share) for sharer in stack.risk] == [
        ("bank", D("0.2")),
        ("guarantor", D("0.4")),
        ("re-guarantor", D("0.2")),
        ("national fund", D("0.2")),
    ]


def test_who_stands_behind_two_covers_bears_both_shares() -> None:
    pool = Backer("pool", Role.GOVERNMENT_POOL, D("0.1"))
    half = replace(GUARANTEE, least_share=D("0.4"), most_share=D("0.4"), backers=(pool,))
    other = replace(INSURANCE, least_share=D("0.6"), most_share=D("0.6"), backers=(pool,))
    (stack,) = build(LOAN, [half, other]).stacks
    # Nothing is left to the lender, which then does not stand in the list.
    assert [(sharer.name, sharer.share) for sharer in stack.risk] == [
        ("guarantor", D("0.3")),
        ("pool", D("0.2")),
        ("insurer", D("0.5")),
    ]


@pytest.mark.parametrize(
    ("loan", "covers", "subsidies", "code", "field"),
    [
        ({}, [GUARANTEE, GUARANTEE], [], Code.REPEATED, "covers[1].key"),
        ({}, [replace(GUARANTEE, key="loan")], [], Code.REPEATED, "covers[0].key"),
        ({}, [GUARANTEE], [replace(GRANT, key="g")], Code.REPEATED, "subsidies[0].key"),
        ({}, [replace(GUARANTEE, provider="bank")], [], Code.REPEATED, "covers[0].provider"),
        ({}, [replace(GUARANTEE, rate=D(-1))], [], Code.TOO_SMALL, "covers[0].rate"),
        ({"cover": CoverNeed(CoverUse.REQUIRED, D("1.2"))}, [], [], Code.TOO_LARGE, "loan.cover.least"),
        ({"cover": CoverNeed(CoverUse.REQUIRED, D("-0.1"))}, [], [], Code.TOO_SMALL, "loan.cover.least"),
        (
            {},
            [],
            [replace(GRANT, subsidy=replace(GRANT.subsidy, rate=D("-0.1")))],
            Code.TOO_SMALL,
            "subsidies[0].rate",
        ),
        (
            {},
            [],
            [replace(GRANT, subsidy=replace(GRANT.subsidy, rate=D("NaN")))],
            Code.NOT_FINITE,
            "subsidies[0].rate",
        ),
        (
            {},
            [],
            [replace(GRANT, subsidy=replace(GRANT.subsidy, amount=5))],
            Code.ONE_OF,
            "subsidies[0]",
        ),
        ({}, [], [replace(GRANT, automatic=True, group="fee")], Code.ONE_OF, "subsidies[0]"),
    ],
)
def test_offers_that_cannot_be_are_refused_by_name(
    loan: dict[str, Any], covers: list[Cover], subsidies: list[SubsidyOffer], code: Code, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        build(replace(LOAN, **loan), covers, subsidies)
    assert (code, field) in {(fault.code, fault.field) for fault in refused.value.faults}


def test_more_stacks_than_anybody_compares_are_refused_before_they_are_built() -> None:
    many = [replace(GRANT, key=f"s{number}") for number in range(60)]
    with pytest.raises(Invalid) as refused:
        build(LOAN, [GUARANTEE], many)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values) == (Code.TOO_LARGE, {"value": 2**60, "most": MOST_STACKS})


def test_a_subsidy_of_an_institution_is_a_part_like_others() -> None:
    drawn = replace(GRANT, subsidy=replace(GRANT.subsidy, recipient=Recipient.INSTITUTION), automatic=True)
    (stack,) = build(LOAN, [GUARANTEE], [drawn]).stacks
    assert (stack.keys, stack.size) == (("loan", "g", "s"), 2)
