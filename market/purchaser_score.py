"""How a purchaser pays, as counts and days: facts with their number, never a credit score.

Credit-reporting rules (征信业务管理办法, 2022) leave scores to licensed bureaus: what is shown here are
counts of payments that fell due, how many were covered by their day, and by how many days the others were
late. Under three payments there is too little to say anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from market.purchaser_payments import Part

LEAST_PAYMENTS = 3


@dataclass(frozen=True, slots=True)
class PurchaserScore:
    """What fell due by a day: ``payments`` parts, ``on_time`` of them covered by their day, ``unpaid`` open.

    ``median_lag`` and ``p90_lag`` are days after the due day (below zero: before), of the nearest rank, so
    that each is the delay of one real payment; an open one counts with its age so far.
    """

    payments: int
    on_time: int
    unpaid: int
    median_lag: int | None
    p90_lag: int | None

    @property
    def is_enough(self) -> bool:
        """Say whether there are enough payments to say anything."""
        return self.payments >= LEAST_PAYMENTS

    @property
    def on_time_share(self) -> int | None:
        """Return the share that was on time in whole percent, rounded down; None where there are too few."""
        return self.on_time * 100 // self.payments if self.is_enough else None


def score(parts: Iterable[Part], on: date) -> PurchaserScore:
    """Return how the parts that fell due before ``on``, or were paid by then, were paid."""
    lags: list[int] = []
    unpaid = 0
    for part in parts:
        lag = part.lag(on)
        if lag is None:
            continue
        lags.append(lag)
        unpaid += part.covered_on is None
    lags.sort()
    return PurchaserScore(
        payments=len(lags),
        on_time=sum(1 for lag in lags if lag <= 0),
        unpaid=unpaid,
        median_lag=_rank(lags, 50),
        p90_lag=_rank(lags, 90),
    )


def _rank(lags: list[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of sorted numbers."""
    return lags[-(-len(lags) * percent // 100) - 1] if lags else None
