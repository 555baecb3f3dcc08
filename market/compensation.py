"""Compensation (代偿): who of a risk-sharing list pays how much of a claim, and what caps allow.

The lender bears its own share. The guarantor pays the lender all the rest at once and collects from the
others of the list what they bear; what is recovered later is divided by the same list. All amounts in fen.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from market.errors import Code, Fault, Invalid
from market.money import round_down
from market.risk_sharing import RiskSharing, Role, Sharer

#: The roles that bear their share by not being paid it.
LENDING = frozenset({Role.BANK, Role.LENDER})


def propose(guarantor: str, lender: str, covered: Decimal, *, is_bank: bool) -> RiskSharing:
    """Return the list that a guarantee by itself makes: the guarantor its share, the lender the rest."""
    sharers = [Sharer(guarantor, Role.GUARANTOR, covered)]
    if covered < 1:
        sharers.append(Sharer(lender, Role.BANK if is_bank else Role.LENDER, 1 - covered))
    return RiskSharing(tuple(sharers))


def check_list(sharing: RiskSharing, covered: Decimal) -> None:
    """Raise ``Invalid`` for a list that a guarantee of ``covered`` of a loan cannot bear.

    Exactly one guarantor pays (required, repeated), one lender at most bears what is left (repeated), and
    all but the lender bear no more than is covered (too_large).
    """
    faults: list[Fault] = []
    guarantors = [sharer for sharer in sharing if sharer.role is Role.GUARANTOR]
    lenders = [sharer for sharer in sharing if sharer.role in LENDING]
    if not guarantors:
        faults.append(Fault(Code.REQUIRED, "risk_sharing"))
    for named in (guarantors, lenders):
        if len(named) > 1:
            faults.append(Fault(Code.REPEATED, "risk_sharing", {"value": named[1].name}))
    borne = 1 - sharing.share_of(*LENDING)
    if borne > covered:
        faults.append(Fault(Code.TOO_LARGE, "risk_sharing", {"value": f"{borne:f}", "most": f"{covered:f}"}))
    if faults:
        raise Invalid(*faults)


def sum_payable(parts: Iterable[tuple[Role, int]]) -> int:
    """Return what the lender is paid of a claim: every part but its own."""
    return sum(amount for role, amount in parts if role not in LENDING)


def find_cap(portfolio: int, share: Decimal) -> int:
    """Return the most that may be compensated of a guaranteed portfolio (代偿率上限), rounded down."""
    return round_down(portfolio * Fraction(share))
