"""What speaks against a bid: the rules of product, need, law and contract, checked in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from market import bidding, contract_loan, cost, lifecycle
from market.calendar import add_months, add_working_days, local_date
from market.cost import Cost, Verdict
from market.eligibility import Failure
from market.errors import Code, Fault
from market.reference import calendar
from market.terms import Terms
from market.vocabulary import Purpose, Recipient
from models.contract import Contract
from models.need import Need
from models.product import Product
from services import frameworks, guarantees, invoice_claims, limits, lpr, needs
from services.guarantees import Backing
from services.quotes import Quote

#: Below 0.1 % a year a rate was probably typed as 0.0435 where percent were asked for.
_LEAST_LIKELY = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a quote would cost the firm, and what speaks against it.

    ``headroom`` fen is the most that the institution's limits leave for it (None: no limit), ``backing`` the
    guarantee it leans on. ``faults`` are what ``bids.place`` would refuse it for, as far as can be seen
    without the locks; ``warnings`` are fees that the law forbids, which it would take all the same.
    """

    terms: Terms
    cost: Cost
    verdict: Verdict | None
    failures: tuple[Failure, ...]
    headroom: int | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    backing: Backing | None = None


def earliest_validity(need: Need, number: int = 1) -> datetime:
    """Return until when a bid of round ``number`` must hold: the last close plus the acceptance window."""
    closes = need.closes_at
    assert closes is not None, "only a published need takes bids"
    closes = bidding.last_close(closes, number=number, planned=need.round_count, hours=need.round_hours)
    return lifecycle.end_of_day(add_working_days(local_date(closes), need.zone.acceptance_days, calendar()))


def read_headroom(organisation_id: int | None) -> int | None:
    """Return what an institution may still lend in total, in fen; None without a limit."""
    limit = limits.find_total(organisation_id)
    return None if limit is None else limit.cap - limit.used


def weigh(
    terms: Terms,
    quote: Quote,
    failures: Sequence[Failure],
    headroom: int | None,
    backing: Backing | None = None,
) -> Preview:
    """Return what terms cost and whether a declared annual cost agrees; nothing is checked yet."""
    priced = cost.price(terms)
    verdict = None
    if quote.declared_rate is not None and priced.effective is not None:
        verdict = cost.check_declared(quote.declared_rate, priced.effective)
    return Preview(terms, priced, verdict, tuple(failures), headroom, backing=backing)


def find_faults(
    session: Session,
    need: Need,
    product: Product,
    quote: Quote,
    weighed: Preview,
    today: date,
    *,
    number: int,
) -> list[Fault]:
    """Return all that speaks against a quote in bid round ``number``.

    The contract's lock and lender are ``bids.place``'s to check.
    """
    faults: list[Fault] = []
    if weighed.failures:
        failing = [
            {"fact": f.condition.fact, "test": f.condition.test, "value": f.condition.value, "found": f.found}
            for f in weighed.failures
        ]
        faults.append(Fault(Code.NOT_ELIGIBLE, "product_id", {"conditions": failing}))
    shelf = {(item["name"], item.get("recipient", Recipient.FIRM.value)) for item in product.subsidies}
    for position, subsidy in enumerate(quote.subsidies):
        # Public money that the product does not name would buy a rank with somebody else's promise.
        if (subsidy.name, subsidy.recipient.value) not in shelf:
            choices = sorted(name for name, _ in shelf)
            values = {"value": subsidy.name[:40], "choices": choices}
            faults.append(Fault(Code.NOT_A_CHOICE, f"subsidies.{position}.name", values))
    effective = weighed.cost.effective
    if effective is None:
        faults.append(Fault(Code.NO_RATE, "rate", {"note": weighed.cost.note}))
    else:
        ceiling = lpr.read_ceiling(today)
        if effective > ceiling:
            faults.append(
                Fault(Code.ABOVE_CEILING, "rate", {"value": str(round(effective, 8)), "most": str(ceiling)})
            )
        elif not quote.confirmed and (odd := _find_odd(weighed.terms, effective)) is not None:
            faults.append(Fault(Code.LOOKS_MISTYPED, "rate", {"value": str(odd)}))
        if weighed.verdict is Verdict.REFUSE:
            faults.append(
                Fault(
                    Code.DECLARED_RATE_WRONG,
                    "declared_rate",
                    {"declared": str(quote.declared_rate), "computed": str(round(effective, 8))},
                )
            )
    if not product.amount_min <= quote.principal <= product.amount_max:
        code = Code.TOO_SMALL if quote.principal < product.amount_min else Code.TOO_LARGE
        faults.append(
            Fault(
                code,
                "principal",
                {"value": quote.principal, "least": product.amount_min, "most": product.amount_max},
            )
        )
    if product.months_max > 0 and not product.months_min <= quote.months <= product.months_max:
        code = Code.TOO_SMALL if quote.months < product.months_min else Code.TOO_LARGE
        bounds = {"least": product.months_min, "most": product.months_max}
        faults.append(Fault(code, "months", {"value": quote.months, **bounds}))
    least = earliest_validity(need, number)
    if quote.valid_until < least:
        faults.append(
            Fault(
                Code.OUT_OF_ORDER,
                "valid_until",
                {"value": quote.valid_until.isoformat(), "after": least.isoformat()},
            )
        )
    faults.extend(_check_parts(need, product, quote))
    # A bid that may be taken in part asks for no more than its smallest one: the round finds the rest.
    asked, field = (quote.principal, "principal") if quote.least is None else (quote.least, "least")
    if weighed.headroom is not None and asked > weighed.headroom:
        faults.append(Fault(Code.LIMIT_EXCEEDED, field, {"asked": asked, "left": weighed.headroom}))
    if weighed.backing is not None:
        faults.extend(
            guarantees.find_faults(session, weighed.backing, need, weighed.terms, today, asked=asked)
        )
    if need.purpose is Purpose.CONTRACT:
        lacking = frameworks.find_fault(session, need.zone_id, product.organisation_id, today, "product_id")
        faults.extend([lacking] if lacking is not None else [])
    if need.contract is not None:
        faults.extend(_check_contract(session, need.contract, need, product, quote))
    elif offered := invoice_claims.list_offered(need):
        ratio = product.contract_ratio or needs.WHOLE
        room = invoice_claims.compute_room(session, offered, ratio=ratio).total
        faults.extend(_check_backing(room, invoice_claims.find_latest_end(offered), need, quote))
    return faults


def _check_parts(need: Need, product: Product, quote: Quote) -> list[Fault]:
    """Return what is wrong with the parts that a quote may be taken in.

    Bids that share a need all answer its whole amount, so that the parts taken of them add up to it.
    """
    if not need.syndicated:
        return [] if quote.least is None else [Fault(Code.UNKNOWN_FIELD, "least", {"value": "least"})]
    faults = []
    if quote.principal != need.amount:
        code = Code.TOO_SMALL if quote.principal < need.amount else Code.TOO_LARGE
        bounds = {"least": need.amount, "most": need.amount}
        faults.append(Fault(code, "principal", {"value": quote.principal, **bounds}))
    if quote.least is not None and not product.amount_min <= quote.least <= quote.principal:
        code = Code.TOO_SMALL if quote.least < product.amount_min else Code.TOO_LARGE
        bounds = {"least": product.amount_min, "most": quote.principal}
        faults.append(Fault(code, "least", {"value": quote.least, **bounds}))
    return faults


def _find_odd(terms: Terms, effective: Decimal) -> Decimal | None:
    """Return the rate of an offer that was probably typed wrongly, or an annual cost that costs nothing."""
    typed = (terms.rate, *(rate for _, rate in terms.rate_steps))
    if (least := min(typed)) < _LEAST_LIKELY:
        return least
    return round(effective, 8) if effective <= 0 else None


def _check_contract(
    session: Session, contract: Contract, need: Need, product: Product, quote: Quote
) -> list[Fault]:
    room = needs.compute_room(session, contract, ratio=product.contract_ratio or Decimal(1))
    last_due_on = contract.last_due_on
    latest = contract_loan.latest_end(last_due_on) if last_due_on is not None else None
    return _check_backing(room, latest, need, quote)


def _check_backing(room: int, latest: date | None, need: Need, quote: Quote) -> list[Fault]:
    """Return what a quote asks beyond what a need leans on: its money, and how long that lasts."""
    faults = []
    if quote.principal > room:
        faults.append(Fault(Code.ABOVE_FINANCEABLE, "principal", {"asked": quote.principal, "most": room}))
    if latest is not None and need.closes_at is not None:
        ends = add_months(local_date(need.closes_at), quote.months)
        if ends > latest:
            faults.append(
                Fault(Code.ENDS_TOO_LATE, "months", {"ends": ends.isoformat(), "latest": latest.isoformat()})
            )
    return faults
