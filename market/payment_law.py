"""The payment law: when a purchaser must have paid, and what it owes for paying late, as dated rules.

Regulation on guaranteeing payments to SMEs (保障中小企业款项支付条例): State Council order No. 728, in force
2020-09-01, and its revision, order No. 802, in force 2025-06-01. Government bodies pay within 30 days of
delivery, by contract at most 60; large firms within 60 since 2025-06-01. Where payment hangs on inspection
the clock starts with acceptance, and an inspection that is put off ends with its agreed term. Late interest
is as agreed, not below the one-year LPR at signing, else 0.05 % a day. The rows come from
``market.reference.payment_rules``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from market.errors import Code, invalid
from market.lpr import LprTable
from market.payment_vocabulary import Debtor
from market.vocabulary import LprTenor


@dataclass(frozen=True, slots=True)
class PaymentRule:
    """What holds for one kind of debtor, from ``valid_from`` up to and including ``valid_to`` (None: on).

    ``usual_days`` counts where nothing is agreed, ``most_days`` caps what is (None: no such rule then);
    ``late_daily_rate`` is the share of the open amount owed per day where no rate is agreed.
    """

    debtor: Debtor
    valid_from: date
    valid_to: date | None
    usual_days: int | None
    most_days: int | None
    late_daily_rate: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a contract says of delivery and payment; days that are not known are None."""

    signed_on: date | None
    delivered_on: date | None
    inspection_days: int | None
    accepted_on: date | None
    payment_days: int | None


def find_rule(debtor: Debtor | None, on: date | None, rules: Iterable[PaymentRule]) -> PaymentRule | None:
    """Return the rule for a debtor on a day, None where the law says nothing."""
    if debtor is None or on is None:
        return None
    for rule in rules:
        if rule.debtor is debtor and rule.valid_from <= on and (rule.valid_to is None or on <= rule.valid_to):
            return rule
    return None


def law_day(delivery: Delivery) -> date | None:
    """Return the day whose law governs a contract: its signing, else what is known of its delivery."""
    return delivery.signed_on or delivery.delivered_on or delivery.accepted_on


def find_accepted(delivery: Delivery, on: date) -> date | None:
    """Return the day from which payment runs, as known on ``on``: acceptance, or the end of inspection.

    A purchaser that does not inspect within the agreed time is taken to have accepted on its last day.
    """
    if delivery.accepted_on is not None:
        return delivery.accepted_on
    if delivery.delivered_on is None or delivery.inspection_days is None:
        return None
    ended = delivery.delivered_on + timedelta(days=delivery.inspection_days)
    return ended if ended < on else None


def find_due(delivery: Delivery, rule: PaymentRule | None, on: date) -> date | None:
    """Return the day by which all must be paid, as known on ``on``; None where nothing says so."""
    accepted = find_accepted(delivery, on)
    if accepted is None:
        return None
    days = delivery.payment_days
    if rule is not None:
        days = rule.usual_days if days is None else days
        if days is not None and rule.most_days is not None:
            days = min(days, rule.most_days)
    return None if days is None else accepted + timedelta(days=days)


def check_late_rate(rate: Decimal, signed_on: date | None, table: LprTable) -> None:
    """Raise ``Invalid`` (below_lpr) for an agreed yearly rate under the one-year LPR at signing.

    Where the day of signing is not known, or lies before the first LPR, the law's floor cannot be told:
    then the signing day is asked for (required), or the rate is taken as it is.
    """
    if signed_on is None:
        raise invalid(Code.REQUIRED, "signed_on")
    if not table.rows or signed_on < table.rows[0].published_on:
        return
    least, published_on = table.in_force(LprTenor.ONE_YEAR, signed_on)
    if rate < least:
        raise invalid(
            Code.BELOW_LPR,
            "late_rate",
            value=f"{rate:f}",
            least=f"{least:f}",
            published_on=published_on.isoformat(),
        )
