"""Bids: previewed, placed under seal, withdrawn before the close, read by those who may."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan, cost, lifecycle
from market.calendar import add_months, add_working_days, local_date
from market.cost import Cost, Verdict
from market.eligibility import Failure, judge
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.reference import calendar
from market.terms import Terms
from market.vocabulary import (
    BidState,
    Capability,
    NeedState,
    Recipient,
)
from models.base import db, transaction
from models.bid import Bid
from models.contract import Contract
from models.need import Need
from models.product import Product
from services import audit, fees, fitting, limits, lpr, needs
from services.exchange.offers import write_offer
from services.quotes import Quote, build_terms
from services.sealing import Sealer

#: Below 0.1 % a year a rate was probably typed as 0.0435 where percent were asked for.
_LEAST_LIKELY = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a quote would cost the firm, and what speaks against it.

    ``faults`` are what ``place`` would refuse it for, as far as can be seen without the locks; ``warnings``
    are fees that the law forbids, which it would take all the same.
    """

    terms: Terms
    cost: Cost
    verdict: Verdict | None
    failures: tuple[Failure, ...]
    headroom: int | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


def preview(need_id: int, quote: Quote, *, by: Party, now: datetime) -> Preview:
    """Return the annual cost of a quote without placing it; raises ``Invalid`` for terms that cannot be."""
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    need = needs.find(need_id, by=by)
    product = _own_product(db.session(), quote.product_id, by)
    terms = build_terms(quote, need, product, on=local_date(now))
    judged = judge(fitting.describe(need, local_date(now)), fitting.read_requirement(product))
    headroom = read_headroom(by.organisation_id)
    weighed = _weigh(terms, quote, fitting.veil(judged), headroom)
    faults = _find_faults(db.session(), need, product, quote, weighed, local_date(now))
    warnings = fees.warn_quote(quote.fees, need, product, on=local_date(now))
    return replace(weighed, faults=tuple(faults), warnings=warnings)


def place(need_id: int, quote: Quote, *, by: Party, now: datetime, sealer: Sealer) -> Bid:
    """Place a sealed bid and return it with its receipt; a former bid of the same product is withdrawn.

    Raises ``Conflict`` (too_late) when the need's lock was won after the close, ``Invalid`` for terms
    that break a rule: eligibility, price ceiling, validity, contract room, limit, declared rate.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    with transaction() as session:
        need = needs.lock(session, need_id)
        if need.zone_id != by.zone_id or need.published_at is None:
            raise not_found("need", need_id)
        if need.state is not NeedState.OPEN or need.closes_at is None or now >= need.closes_at:
            deadline = need.closes_at.isoformat() if need.closes_at else ""
            raise conflict(Code.TOO_LATE, deadline=deadline)
        product = _own_product(session, quote.product_id, by)
        if not product.listed or product.offer is None:
            raise invalid(Code.NOT_BIDDABLE, "product_id")
        today = local_date(now)
        terms = build_terms(quote, need, product, on=today)
        judged = judge(fitting.describe(need, today), fitting.read_requirement(product))
        headroom = read_headroom(by.organisation_id)
        weighed = _weigh(terms, quote, fitting.veil(judged), headroom)
        if need.contract is not None:
            needs.check_contract(
                session, need.contract.id, need.organisation, lender_id=product.organisation_id
            )
        faults = _find_faults(session, need, product, quote, weighed, today)
        if faults:
            raise Invalid(*faults)
        _withdraw_former(session, need, product, by, now)
        need.last_receipt += 1
        content = {
            "need": need.id,
            "institution": product.organisation.credit_code,
            "product": product.id,
            # Not its number: the count of arrivals would tell the bidder of rivals before the opening.
            "received_at": now.isoformat(),
            "valid_until": quote.valid_until.isoformat(),
            "declared_rate": str(quote.declared_rate) if quote.declared_rate is not None else None,
            "offer": write_offer(terms),
        }
        sealed = sealer.seal(need.id, content)
        bid = Bid(
            need_id=need.id,
            organisation_id=by.organisation_id,
            product_id=product.id,
            placed_by=by.user_id,
            state=BidState.SEALED,
            receipt_number=need.last_receipt,
            receipt_at=now,
            receipt_hash=sealed.receipt_hash,
            seal=sealed.blob,
            valid_until=quote.valid_until,
        )
        session.add(bid)
        audit.record(session, "bid.place", bid, by=by, now=now, receipt=sealed.receipt_hash)
    return bid


def withdraw(bid_id: int, *, by: Party, now: datetime) -> Bid:
    """Withdraw one's own bid before the close; afterwards a bid is held to (``Conflict`` too_late)."""
    by.require(Capability.INSTITUTION_BIDDER)
    seen = db.session.get(Bid, bid_id)
    if seen is None or seen.organisation_id != by.organisation_id:
        raise not_found("bid", bid_id)
    need_id = seen.need_id
    with transaction() as session:
        need = needs.lock(session, need_id)
        bid = session.get_one(Bid, bid_id)
        if need.zone_id != by.zone_id:
            raise not_found("bid", bid_id)
        if bid.state is not BidState.SEALED or need.closes_at is None or now >= need.closes_at:
            raise conflict(Code.TOO_LATE, deadline=need.closes_at.isoformat() if need.closes_at else "")
        bid.state = BidState.WITHDRAWN
        audit.record(session, "bid.withdraw", bid, by=by, now=now)
    return bid


def list_offers(need_id: int, *, by: Party) -> list[Bid]:
    """Return the opened bids of a need, best first; the firm's own, or an officer's or auditor's view.

    Before the opening there is nothing to list, for anybody.
    """
    need = needs.find(need_id, by=by)
    if need.organisation_id != by.organisation_id:
        by.require(Capability.OFFICER, Capability.AUDITOR)
    bids = db.session.scalars(
        select(Bid).where(Bid.need_id == need.id, Bid.opened_at.is_not(None)).order_by(Bid.receipt_number)
    )
    return sorted(bids, key=lambda b: (b.rank is None, b.rank or 0, b.receipt_number))


def list_own(by: Party) -> list[Bid]:
    """Return the bids of the party's institution in its zone, newest first."""
    return list(
        db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == by.zone_id, Bid.organisation_id == by.organisation_id)
            .order_by(Bid.id.desc())
        )
    )


def read_own(bid_id: int, *, by: Party, sealer: Sealer) -> tuple[Bid, dict[str, Any], str]:
    """Return one's own bid with its content and salt, unsealed for the bidder's eyes only."""
    bid = db.session.get(Bid, bid_id)
    if bid is None or bid.organisation_id != by.organisation_id or bid.need.zone_id != by.zone_id:
        raise not_found("bid", bid_id)
    salt, canonical = sealer.open(bid.need_id, bid.seal)
    return bid, json.loads(canonical), salt


def earliest_validity(need: Need) -> datetime:
    """Return until when a bid must hold at least: close plus the zone's acceptance window."""
    closes = need.closes_at
    assert closes is not None, "only a published need takes bids"
    return lifecycle.end_of_day(add_working_days(local_date(closes), need.zone.acceptance_days, calendar()))


def read_headroom(organisation_id: int | None) -> int | None:
    """Return what an institution may still lend in total, in fen; None without a limit."""
    limit = limits.find_total(organisation_id)
    return None if limit is None else limit.cap - limit.used


def _own_product(session: Session, product_id: int, by: Party) -> Product:
    product = session.get(Product, product_id)
    if product is None or (product.organisation_id, product.zone_id) != (by.organisation_id, by.zone_id):
        raise not_found("product", product_id)
    return product


def _weigh(terms: Terms, quote: Quote, failures: Sequence[Failure], headroom: int | None) -> Preview:
    priced = cost.price(terms)
    verdict = None
    if quote.declared_rate is not None and priced.effective is not None:
        verdict = cost.check_declared(quote.declared_rate, priced.effective)
    return Preview(terms, priced, verdict, tuple(failures), headroom)


def _find_faults(
    session: Session, need: Need, product: Product, quote: Quote, weighed: Preview, today: date
) -> list[Fault]:
    """Return all that speaks against a quote; the contract's lock and lender are ``place``'s to check."""
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
        elif (weighed.terms.rate < _LEAST_LIKELY or effective <= 0) and not quote.confirmed:
            faults.append(Fault(Code.LOOKS_MISTYPED, "rate", {"value": str(weighed.terms.rate)}))
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
    least = earliest_validity(need)
    if quote.valid_until < least:
        faults.append(
            Fault(
                Code.OUT_OF_ORDER,
                "valid_until",
                {"value": quote.valid_until.isoformat(), "after": least.isoformat()},
            )
        )
    if weighed.headroom is not None and quote.principal > weighed.headroom:
        faults.append(
            Fault(Code.LIMIT_EXCEEDED, "principal", {"asked": quote.principal, "left": weighed.headroom})
        )
    if need.contract is not None:
        faults.extend(_check_contract(session, need.contract, need, product, quote))
    return faults


def _check_contract(
    session: Session, contract: Contract, need: Need, product: Product, quote: Quote
) -> list[Fault]:
    room = needs.compute_room(session, contract, ratio=product.contract_ratio or Decimal(1))
    faults = []
    if quote.principal > room:
        faults.append(Fault(Code.ABOVE_FINANCEABLE, "principal", {"asked": quote.principal, "most": room}))
    if contract.last_due_on is not None and need.closes_at is not None:
        latest = contract_loan.latest_end(contract.last_due_on)
        ends = add_months(local_date(need.closes_at), quote.months)
        if ends > latest:
            faults.append(
                Fault(Code.ENDS_TOO_LATE, "months", {"ends": ends.isoformat(), "latest": latest.isoformat()})
            )
    return faults


def _withdraw_former(session: Session, need: Need, product: Product, by: Party, now: datetime) -> None:
    former = session.scalar(
        select(Bid).where(Bid.need_id == need.id, Bid.product_id == product.id, Bid.state == BidState.SEALED)
    )
    if former is not None:
        former.state = BidState.WITHDRAWN
        audit.record(session, "bid.withdraw", former, by=by, now=now, replaced=True)
        session.flush()
