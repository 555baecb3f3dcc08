"""How payments on a contract stand to what is owed: the pure comparison, asked of rows and written back."""

from __future__ import annotations

from datetime import date

from market import purchaser_payments, reference
from market.late_interest import LateInterest, LateRate, count_late_interest
from market.payment_law import Delivery, PaymentRule, find_due, find_rule, law_day
from market.payment_vocabulary import Debtor, PaymentResolution
from market.purchaser_payments import Comparison, Owed, Paid
from market.vocabulary import OrganisationKind, SizeClass
from models.contract import Contract
from models.organisation import Organisation
from models.payment import PurchaserPayment


def read_debtor(purchaser: Organisation | None) -> Debtor | None:
    """Return what a purchaser is by the payment law, None for a firm that is not large.

    Who buys in public procurement and is not registered here is a government body.
    """
    if purchaser is None or purchaser.kind is not OrganisationKind.ENTERPRISE:
        return Debtor.GOVERNMENT
    return Debtor.LARGE_FIRM if purchaser.size_class is SizeClass.LARGE else None


def read_delivery(contract: Contract) -> Delivery:
    """Return what a contract says of delivery and payment."""
    return Delivery(
        contract.signed_on,
        contract.delivered_on,
        contract.inspection_days,
        contract.accepted_on,
        contract.payment_days,
    )


def read_rule(contract: Contract) -> PaymentRule | None:
    """Return the payment law's rule for a contract, by its purchaser and the day of its signing."""
    debtor = read_debtor(contract.purchaser)
    return find_rule(debtor, law_day(read_delivery(contract)), reference.payment_rules())


def find_due_day(contract: Contract, on: date) -> date | None:
    """Return the day by which all must be paid by the statutory term, as known on a day."""
    if contract.accepted_on is None and contract.delivered_on is None:
        # Nothing has begun: asking who the purchaser is would be a question for nothing.
        return None
    return find_due(read_delivery(contract), read_rule(contract), on)


def list_owed(contract: Contract, on: date) -> list[Owed]:
    """Return what a purchaser owes, part by part: by the plan, else less retention by the statutory term.

    What has no day, such as a retention or all of a contract that is not accepted, comes last.
    """
    if contract.plan:
        parts = [Owed(planned.due_on, planned.amount) for planned in contract.plan]
        return purchaser_payments.order_owed(parts, contract.amount)
    due_on = find_due_day(contract, on)
    if contract.amount is None or due_on is None:
        return purchaser_payments.order_owed([], contract.amount)
    return purchaser_payments.order_owed(
        [Owed(due_on, contract.amount - contract.retention)], contract.amount
    )


def compare(contract: Contract, on: date) -> Comparison:
    """Return how the payments on a contract stand on a day, in the order of ``contract.payments``."""
    reversed_ids = {row.reverses_id for row in contract.payments if row.reverses_id is not None}
    paid = [
        Paid(
            key=row.transaction_id,
            paid_on=row.paid_on,
            amount=row.amount,
            went_astray=row.went_astray and row.resolution is not PaymentResolution.ACCEPTED,
            is_reversed=row.id is not None and row.id in reversed_ids,
            is_reversal=row.reverses_id is not None,
        )
        for row in contract.payments
    ]
    return purchaser_payments.compare(
        list_owed(contract, on), paid, on=on, bounded=contract.amount is not None
    )


def assign(contract: Contract, on: date) -> list[PurchaserPayment]:
    """Write the states of a contract's payments as they stand on a day; return those that changed."""
    if not contract.payments:
        return []
    changed = []
    for row, standing in zip(contract.payments, compare(contract, on).payments, strict=True):
        found = (standing.state, standing.days, standing.excess)
        if (row.state, row.lag_days, row.excess) != found:
            row.state, row.lag_days, row.excess = found
            changed.append(row)
    return changed


def find_late(contract: Contract, on: date) -> date | None:
    """Return the due day of the oldest part that a purchaser is late with on a day, or None."""
    return purchaser_payments.find_late(compare(contract, on).parts, on)


def read_late_rate(contract: Contract) -> LateRate | None:
    """Return what a day of delay costs: as agreed, else by the law; None where neither says."""
    if contract.late_rate is not None:
        return LateRate(contract.late_rate, is_agreed=True)
    rule = read_rule(contract)
    return LateRate(rule.late_daily_rate, is_agreed=False) if rule is not None else None


def read_late_interest(contract: Contract, on: date) -> LateInterest:
    """Return the late interest that a contract's purchaser owes up to a day, with its computation."""
    return count_late_interest(compare(contract, on).parts, read_late_rate(contract), on)
