"""Claims on those who share a loss (代偿分担): fen per party by the risk-sharing list."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from market.risk_sharing import RiskSharing, Role, Sharer


def share_claim(amount: int, shares: Sequence[tuple[str, Decimal]]) -> list[tuple[str, int]]:
    """Divide a loss of ``amount`` fen over (party, share), in order; the parts sum to it exactly.

    Everybody bears the whole fen of their share, the fen that are left go to the largest remainders. What
    is recovered later goes back in the same way, each recovery by itself. Raises ``Invalid`` where the
    shares are not whole (``market.risk_sharing``) or the amount is negative.
    """
    sharing = RiskSharing(tuple(Sharer(party, Role.LENDER, share) for party, share in shares))
    return [(sharer.name, part) for sharer, part in sharing.divide(amount)]
