"""Risk-sharing lists: whole or refused by name, and divided to the last fen."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import Code, Invalid
from market.risk_sharing import Concern, RiskSharing, Role, Sharer, check

R = Role


def share_out(*rows: tuple[Role, str]) -> tuple[Sharer, ...]:
    """Name the parties of a list after their place in it."""
    return tuple(
        Sharer(f"party {place}", role, Decimal(share)) for place, (role, share) in enumerate(rows, 1)
    )


#: Lists from public notices, with what each party bears of a loss of 1,000,000.00 yuan.
LISTS = [
    # National fund, provincial re-guarantor, guarantor, bank.
    (
        share_out((R.NATIONAL_FUND, "0.2"), (R.RE_GUARANTOR, "0.2"), (R.GUARANTOR, "0.4"), (R.BANK, "0.2")),
        [20_000_000, 20_000_000, 40_000_000, 20_000_000],
    ),
    (
        share_out((R.BANK, "0.3"), (R.GUARANTOR, "0.3"), (R.GOVERNMENT_POOL, "0.4")),
        [30_000_000, 30_000_000, 40_000_000],
    ),
    # Province, city, bank: the risk-shared tech loan.
    (
        share_out((R.GOVERNMENT_POOL, "0.35"), (R.GOVERNMENT_POOL, "0.35"), (R.BANK, "0.3")),
        [35_000_000, 35_000_000, 30_000_000],
    ),
    (share_out((R.INSURER, "0.8"), (R.BANK, "0.2")), [80_000_000, 20_000_000]),
    # The knowledge-value credit loan: the pool makes good 80 %.
    (share_out((R.GOVERNMENT_POOL, "0.80"), (R.BANK, "0.20")), [80_000_000, 20_000_000]),
]


@pytest.mark.parametrize(("sharers", "parts"), LISTS)
def test_published_lists_are_whole_and_divide_a_loss(sharers: tuple[Sharer, ...], parts: list[int]) -> None:
    sharing = RiskSharing(sharers)
    assert sharing.notes() == ()
    assert sharing.divide(100_000_000) == tuple(zip(sharers, parts, strict=True))


@pytest.mark.parametrize(
    ("shares", "code", "field"),
    [
        ([], Code.REQUIRED, "list"),
        (["0.2", "0.79"], Code.SHARES_NOT_WHOLE, "list"),
        (["0.2", "0.81"], Code.SHARES_NOT_WHOLE, "list"),
        (["0.5", "0.49999999"], Code.SHARES_NOT_WHOLE, "list"),
        (["1", "0"], Code.TOO_SMALL, "list[1].share"),
        (["0.99991", "0.00009"], Code.TOO_SMALL, "list[1].share"),
        (["-0.2", "0.6", "0.6"], Code.TOO_SMALL, "list[0].share"),
        (["1.2", "-0.2"], Code.TOO_LARGE, "list[0].share"),
        (["1E+999999", "0.2"], Code.TOO_LARGE, "list[0].share"),
        (["0.500000001", "0.499999999"], Code.TOO_MANY_DECIMALS, "list[0].share"),
        (["NaN", "0.5"], Code.NOT_FINITE, "list[0].share"),
        (["Infinity", "-Infinity"], Code.NOT_FINITE, "list[0].share"),
    ],
)
def test_a_list_that_is_not_whole_is_refused_by_name(shares: list[str], code: Code, field: str) -> None:
    sharers = share_out(*((R.BANK, share) for share in shares))
    assert (code, field) in {(fault.code, fault.field) for fault in check(sharers, "list")}
    with pytest.raises(Invalid) as refused:
        RiskSharing(sharers)
    assert code in {fault.code for fault in refused.value.faults}


def test_a_sum_that_misses_is_said_exactly() -> None:
    (fault,) = check(share_out((R.INSURER, "0.8"), (R.BANK, "0.1999")))
    assert (fault.code, fault.values) == (Code.SHARES_NOT_WHOLE, {"sum": "0.9999"})


def test_a_party_stands_once_and_has_a_name() -> None:
    twice = (Sharer("A", R.BANK, Decimal("0.5")), Sharer("A", R.GUARANTOR, Decimal("0.5")))
    assert [(f.code, f.field) for f in check(twice)] == [(Code.REPEATED, "risk_sharing[1].party")]
    nameless = (Sharer(" ", R.BANK, Decimal("0.5")), Sharer("B", R.GUARANTOR, Decimal("0.5")))
    assert [(f.code, f.field) for f in check(nameless)] == [(Code.REQUIRED, "risk_sharing[0].party")]


@pytest.mark.parametrize(
    ("rows", "concerns"),
    [
        (((R.BANK, "0.2"), (R.GUARANTOR, "0.8")), []),
        (((R.BANK, "0.19"), (R.GUARANTOR, "0.81")), [Concern.BANK_BELOW_PRINCIPLE]),
        (((R.LENDER, "0.2"), (R.GUARANTOR, "0.8")), []),
        (((R.GUARANTOR, "1"),), [Concern.BANK_BELOW_PRINCIPLE]),
        (((R.BANK, "0.3"), (R.NATIONAL_FUND, "0.4"), (R.GUARANTOR, "0.3")), []),
        (
            ((R.BANK, "0.3"), (R.NATIONAL_FUND, "0.41"), (R.GUARANTOR, "0.29")),
            [Concern.NATIONAL_FUND_ABOVE_PLANS],
        ),
        (((R.NATIONAL_FUND, "1"),), [Concern.BANK_BELOW_PRINCIPLE, Concern.NATIONAL_FUND_ABOVE_PLANS]),
    ],
)
def test_what_is_unusual_is_noted_and_not_refused(
    rows: tuple[tuple[Role, str], ...], concerns: list[Concern]
) -> None:
    assert [note.concern for note in RiskSharing(share_out(*rows)).notes()] == concerns


def test_fen_that_are_left_go_to_the_largest_remainders_then_to_the_earlier_parties() -> None:
    thirds = RiskSharing(
        share_out((R.BANK, "0.33333333"), (R.GUARANTOR, "0.33333334"), (R.GOVERNMENT_POOL, "0.33333333"))
    )
    # Of 100 fen each bears 33 whole ones; the second has the largest remainder.
    assert [part for _, part in thirds.divide(100)] == [33, 34, 33]
    quarters = RiskSharing(share_out(*[(R.BANK, "0.25")] * 4))
    assert [part for _, part in quarters.divide(7)] == [2, 2, 2, 1]
    assert [part for _, part in quarters.divide(0)] == [0, 0, 0, 0]


def test_a_negative_amount_is_no_loss() -> None:
    with pytest.raises(Invalid) as refused:
        RiskSharing(share_out((R.BANK, "1"))).divide(-1)
    assert refused.value.faults[0].code is Code.TOO_SMALL


@st.composite
def lists(draw: st.DrawFn) -> RiskSharing:
    weights = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=8))
    cuts = [Decimal(weight * 10**8 // sum(weights)).scaleb(-8) for weight in weights]
    cuts[0] += 1 - sum(cuts)
    small = [share for share in cuts if share < Decimal("0.0001")]
    if small:
        cuts = [Decimal(1)]
    roles = draw(st.lists(st.sampled_from(Role), min_size=len(cuts), max_size=len(cuts)))
    return RiskSharing(share_out(*((role, str(cut)) for role, cut in zip(roles, cuts, strict=True))))


@given(lists(), st.integers(0, 10**12))
def test_a_division_sums_exactly_and_is_nowhere_off_by_a_fen(sharing: RiskSharing, amount: int) -> None:
    parts = sharing.divide(amount)
    assert sum(part for _, part in parts) == amount
    assert all(abs(part - amount * Fraction(sharer.share)) < 1 for sharer, part in parts)
