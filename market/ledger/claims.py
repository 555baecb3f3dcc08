"""Claims on those who share a loss (代偿分担), and recoveries that go back by the same list."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from market.risk_sharing import RiskSharing, Role, Sharer


def share_claim(amount: int, shares: Sequence[tuple[str, Decimal]]) -> list[tuple[str, int]]:
    """Divide a loss of ``amount`` fen over (party, share), in order; the parts sum to it exactly.

    Everybody bears the whole fen of their share, the fen that are left go to the largest remainders. Raises
    ``Invalid`` where the shares are not whole (``market.risk_sharing``) or the amount is negative.
    """
    sharing = RiskSharing(tuple(Sharer(party, Role.LENDER, share) for party, share in shares))
    return [(sharer.name, part) for sharer, part in sharing.divide(amount)]


def share_recovery(
    recovered: int, before: int, shares: Sequence[tuple[str, Decimal]]
) -> list[tuple[str, int]]:
    """Give back what was recovered on a claim, after ``before`` fen were: each its share of the sum so far.

    However a recovery comes in pieces, the parts of all pieces are those of their sum.
    """
    already = dict(share_claim(before, shares))
    return [(party, part - already[party]) for party, part in share_claim(before + recovered, shares)]
