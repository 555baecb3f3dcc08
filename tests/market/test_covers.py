"""Covers: what a guarantor or insurer charges, what it bears, and which offers cannot be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from market import cost
from market.covers import Backer, Bearer, Cover, Levy, check_cover
from market.errors import Code
from market.risk_sharing import Role
from market.terms import Fee, LoanTerms
from market.vocabulary import CoverKind, FeeBasis, FeeTiming, Repayment

D = Decimal
MILLION = 100_000_000
GUARANTEE = Cover("g", CoverKind.GUARANTEE, "guarantor", D("0.01"), most_share=D(1))
FUND = Backer("national fund", Role.NATIONAL_FUND, D("0.2"))
RE_GUARANTOR = Backer("re-guarantor", Role.RE_GUARANTOR, D("0.2"), D("0.002"))


def lend(months: int = 12, principal: int = MILLION) -> LoanTerms:
    return LoanTerms(principal, months, D("0.0365"), Repayment.EQUAL_PRINCIPAL)


def occurrences(cover: Cover, months: int, share: str = "0.8", principal: int = MILLION) -> dict[int, int]:
    """Return what a cover takes in each month of a loan, as the engine counts it."""
    terms = replace(lend(months, principal), fees=cover.charges(lend(months, principal), D(share)))
    paid: dict[int, int] = {}
    for line in cost.price(terms).schedule.lines:
        if line.fees:
            paid[line.number] = line.fees
    return paid


@pytest.mark.parametrize(
    ("values", "months", "share", "paid"),
    [
        # 1 % of 800,000 yuan for every year begun.
        ({"levy": Levy.YEARLY}, 12, "0.8", {0: 800_000}),
        ({"levy": Levy.YEARLY}, 13, "0.8", {0: 800_000, 12: 800_000}),
        ({"levy": Levy.YEARLY}, 24, "1", {0: 1_000_000, 12: 1_000_000}),
        # Of what is owed at the start of each year: equal principal is half repaid after half the term.
        ({"levy": Levy.YEARLY_OUTSTANDING}, 24, "0.8", {0: 800_000, 12: 433_333}),
        # For the whole term at the start, pro rata of the months.
        ({"levy": Levy.WHOLE_TERM}, 12, "0.8", {0: 800_000}),
        ({"levy": Levy.WHOLE_TERM}, 6, "0.8", {0: 400_000}),
        ({"levy": Levy.WHOLE_TERM}, 18, "0.8", {0: 1_200_000}),
        ({"levy": Levy.WHOLE_TERM}, 7, "0.8", {0: 466_667}),
        ({"levy": Levy.WHOLE_TERM}, 7, "1", {0: 583_333}),
        # The first year at half the price, or free.
        ({"first_year": D("0.005")}, 24, "0.8", {0: 400_000, 12: 800_000}),
        ({"first_year": D("0.005")}, 12, "0.8", {0: 400_000}),
        ({"first_year": D(0)}, 24, "0.8", {12: 800_000}),
        ({"first_year": D(0)}, 12, "0.8", {}),
        ({"first_year": D("0.005"), "levy": Levy.WHOLE_TERM}, 18, "0.8", {0: 800_000}),
        ({"first_year": D(0), "levy": Levy.WHOLE_TERM}, 12, "0.8", {}),
        ({"first_year": D("0.005"), "levy": Levy.YEARLY_OUTSTANDING}, 24, "0.8", {0: 400_000, 12: 433_333}),
        ({"rate": D(0)}, 12, "0.8", {}),
        # Other fees by rate shrink with the share, flat ones do not.
        (
            {"rate": D(0), "fees": (Fee("review", FeeTiming.UPFRONT, "guarantor", rate=D("0.001")),)},
            12,
            "0.8",
            {0: 80_000},
        ),
        ({"rate": D(0), "fees": (Fee("review", FeeTiming.END, amount=5000),)}, 12, "0.8", {12: 5_000}),
    ],
)
def test_a_yearly_rate_becomes_fees_of_the_covered_part(
    values: dict[str, Any], months: int, share: str, paid: dict[int, int]
) -> None:
    assert occurrences(replace(GUARANTEE, **values), months, share) == paid


def test_a_rate_of_the_whole_term_is_written_where_it_can_be_and_an_amount_elsewhere() -> None:
    whole = replace(GUARANTEE, levy=Levy.WHOLE_TERM)
    (half,) = whole.charges(lend(6), D("0.8"))
    assert (half.rate, half.part, half.when, half.payee) == (
        D("0.005"),
        D("0.8"),
        FeeTiming.UPFRONT,
        "guarantor",
    )
    (seventh,) = whole.charges(lend(7, principal=333), D("0.8"))
    # 333 fen × 0.8 × 1 % × 7/12 is 1.554 fen, rounded once.
    assert (seventh.rate, seventh.amount) == (None, 2)


def test_an_outstanding_levy_names_its_basis() -> None:
    (fee,) = replace(GUARANTEE, levy=Levy.YEARLY_OUTSTANDING).charges(lend(), D("0.8"))
    assert (fee.when, fee.basis, fee.part) == (FeeTiming.YEARLY, FeeBasis.OUTSTANDING, D("0.8"))


def test_backers_take_their_shares_off_the_provider_and_shrink_with_the_cover() -> None:
    cover = replace(GUARANTEE, least_share=D("0.3"), most_share=D("0.8"), backers=(RE_GUARANTOR, FUND))
    bearers = [(sharer.name, sharer.role, sharer.share) for sharer in cover.bearers(D("0.8"))]
    assert bearers == [
        ("guarantor", Role.GUARANTOR, D("0.4")),
        ("re-guarantor", Role.RE_GUARANTOR, D("0.2")),
        ("national fund", Role.NATIONAL_FUND, D("0.2")),
    ]
    # 0.2 × 0.7 ÷ 0.8 is 0.175; of 0.35 it is 0.0875; of 0.3001 it is 0.075025, rounded down.
    for share, behind in (("0.7", "0.175"), ("0.35", "0.0875"), ("0.3001", "0.075")):
        own, *others = cover.bearers(D(share))
        assert [sharer.share for sharer in others] == [D(behind), D(behind)]
        assert own.share == D(share) - 2 * D(behind)


def test_an_insurer_bears_as_an_insurer() -> None:
    insurance = Cover("i", CoverKind.INSURANCE, "insurer", D("0.02"))
    assert [(sharer.role, sharer.share) for sharer in insurance.bearers(D("0.8"))] == [
        (Role.INSURER, D("0.8"))
    ]


def test_a_re_guarantee_fee_is_taken_of_the_part_that_is_re_guaranteed() -> None:
    cover = replace(GUARANTEE, backers=(RE_GUARANTOR, replace(FUND, borne_by=Bearer.FIRM, rate=D("0.001"))))
    ((backer, fees),) = cover.backer_charges(lend(24), D(1), Bearer.PROVIDER)
    assert backer is cover.backers[0]
    assert [(fee.payee, fee.when, fee.rate, fee.part) for fee in fees] == [
        ("re-guarantor", FeeTiming.YEARLY, D("0.002"), D("0.2"))
    ]
    ((backer, _),) = cover.backer_charges(lend(24), D(1), Bearer.FIRM)
    assert backer.name == "national fund"
    assert replace(GUARANTEE, backers=(FUND,)).backer_charges(lend(), D(1), Bearer.PROVIDER) == ()


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"least_share": D(0)}, Code.TOO_SMALL, "cover.least_share"),
        ({"most_share": D("1.1")}, Code.TOO_LARGE, "cover.most_share"),
        ({"least_share": D("0.9"), "most_share": D("0.8")}, Code.TOO_SMALL, "cover.most_share"),
        ({"least_share": D("0.80001")}, Code.TOO_MANY_DECIMALS, "cover.least_share"),
        ({"least_share": D("NaN")}, Code.NOT_FINITE, "cover.least_share"),
        ({"rate": D("-0.01")}, Code.TOO_SMALL, "cover.rate"),
        ({"rate": D("1.01")}, Code.TOO_LARGE, "cover.rate"),
        ({"rate": D("Infinity")}, Code.NOT_FINITE, "cover.rate"),
        ({"rate": D("0.000000001")}, Code.TOO_MANY_DECIMALS, "cover.rate"),
        ({"first_year": D("-0.01")}, Code.TOO_SMALL, "cover.first_year"),
        ({"deposit": D("-0.1")}, Code.TOO_SMALL, "cover.deposit"),
        ({"deposit": D("1.1")}, Code.TOO_LARGE, "cover.deposit"),
        ({"provider": " "}, Code.REQUIRED, "cover.provider"),
        ({"backers": (FUND, FUND)}, Code.REPEATED, "cover.backers[1].name"),
        ({"backers": (replace(FUND, name="guarantor"),)}, Code.REPEATED, "cover.backers[0].name"),
        ({"backers": (replace(FUND, share=D(0)),)}, Code.TOO_SMALL, "cover.backers[0].share"),
        ({"backers": (replace(FUND, rate=D(-1)),)}, Code.TOO_SMALL, "cover.backers[0].rate"),
        (
            {"backers": (replace(FUND, share=D("0.8")),), "most_share": D("0.8")},
            Code.TOO_LARGE,
            "cover.backers",
        ),
        ({"amount_min": 10, "amount_max": 9}, Code.OUT_OF_ORDER, "cover.amount_max"),
        ({"months_min": 10, "months_max": 9}, Code.OUT_OF_ORDER, "cover.months_max"),
    ],
)
def test_a_cover_that_cannot_be_is_refused_by_name(values: dict[str, Any], code: Code, field: str) -> None:
    faults = check_cover(replace(GUARANTEE, **values), "cover")
    assert (code, field) in {(fault.code, fault.field) for fault in faults}


def test_a_usual_cover_has_no_fault() -> None:
    assert check_cover(replace(GUARANTEE, backers=(RE_GUARANTOR, FUND), deposit=D("0.1")), "cover") == []
