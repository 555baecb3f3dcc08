"""Interest deducted in advance (预扣利息): no lender may keep it back from the money it lends.

Source: Civil Code (民法典) article 670, in force since 2021-01-01. Discounting of bills and factoring buy a
claim instead of lending; a lease lends no money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from market.terms import LENDER, Fee
from market.vocabulary import PAYMENT_BASES, FeeBasis, FeeTiming

#: A fee with one of these words in its name is interest, whatever basis it states. English is matched by
#: the whole word ("interested party search" is none); Chinese compounds carry their head at the end, so
#: that 预扣利息 and 首期利息 are interest and 利息发票邮寄费 is not. 头息 is what usurers keep back (砍头息).
INTEREST_WORDS = ("interest", "利息", "头息")

_WORDS = re.compile(r"\w+")


def find_prepaid_interest(fees: Iterable[Fee], *, short: bool = False) -> list[int]:
    """Return the places of the fees of a loan by which its lender takes interest at the start.

    ``short`` loans are counted in days: whatever they are charged by the year is due at the start.
    """
    return [
        place
        for place, fee in enumerate(fees)
        if fee.payee == LENDER
        and _falls_at_start(fee, short)
        and ((fee.rate is not None and fee.basis is FeeBasis.INTEREST) or _is_named_so(fee))
    ]


def _falls_at_start(fee: Fee, short: bool) -> bool:
    if fee.from_month > 0 or fee.when not in (FeeTiming.UPFRONT, FeeTiming.YEARLY):
        return False
    # A yearly fee of the principal falls at month 0, too; one of payments at the end of each year.
    of_payments = fee.rate is not None and fee.basis in PAYMENT_BASES
    return fee.when is FeeTiming.UPFRONT or short or not of_payments


def _is_named_so(fee: Fee) -> bool:
    return any(
        part == word or (not word.isascii() and part.endswith(word))
        for part in _WORDS.findall(fee.name.casefold())
        for word in INTEREST_WORDS
    )
