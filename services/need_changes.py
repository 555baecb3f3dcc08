"""Changes of an open need: what bears on a bid voids the bids; their bidders re-confirm, or leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from market import lifecycle, ranking
from market.errors import Code, conflict, invalid, not_found
from market.lifecycle import NeedMove
from market.party import Party
from market.vocabulary import BidState, Capability, ContractStage, NeedState
from models.base import db, transaction
from models.bid import Bid
from models.need import BidRound, Need, NeedChange
from services import audit, bid_checks, bid_content, bids, contract_steps, needs, opening, quotes, visibility
from services.need_drafts import Draft, apply, check, list_securities
from services.refused_financings import telling
from services.sealing import Sealer

#: What bears on a bid. What is asked for decides what it is worth to bid; how bidding runs (who learns
#: what, for how long a bid must stand, what follows if few bid, whether headroom is held) decides what a
#: bidder lets itself in for. The rest leaves bids as they are: the description, the name that is shown or
#: not, and the highest cost the firm would pay, which no bidder ever learns.
MATERIAL = (
    "purpose",
    "amount",
    "months",
    "repayment",
    "securities",
    "accepts",
    "contract_id",
    "receivables",
    "syndicated",
    "bid_policy",
    "round_count",
    "round_hours",
    "minimum_bids",
    "few_bids",
    "joins_matching",
)
IMMATERIAL = ("description", "shows_name", "reserve_rate", "visibility", "audience")
_WAITING = (BidState.SEALED, BidState.POSTED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change would do: ``differences`` void every bid, ``others`` are the names of the rest.

    ``shuts_out`` says that institutions which could see the need may lose it, and their bids with it.
    """

    differences: tuple[dict[str, Any], ...]
    others: tuple[str, ...]
    closes_at: datetime
    shuts_out: bool

    @property
    def is_empty(self) -> bool:
        """Say whether nothing would change."""
        return not self.differences and not self.others


@dataclass(frozen=True, slots=True)
class Chance:
    """A voided bid that can be placed again as it was; ``valid_until`` is what it would have to hold to.

    ``differences`` are all since the bid was placed. A bid that ``fits`` no longer what is asked for, by
    the tolerance of the ranking, would be listed apart.
    """

    bid: Bid
    differences: tuple[dict[str, Any], ...]
    valid_until: datetime
    fits: bool


def plan(need_id: int, content: Draft, *, by: Party, now: datetime) -> Plan:
    """Return what ``change`` would do, without doing it; raises as it does, but for the contract."""
    by.require(Capability.ENTERPRISE_MAKER)
    check(content)
    need = needs.find(need_id, by=by)
    if need.organisation_id != by.organisation_id:
        raise not_found("need", need_id)
    _check_time(need, now)
    return _plan(db.session(), need, content, now)


def change(need_id: int, content: Draft, *, by: Party, now: datetime, revision: int | None = None) -> Need:
    """Change an open need before its bid round closes; ``revision`` is the one its firm saw, if it says.

    A change of anything in ``MATERIAL`` voids every bid that waits for the opening: the need gets a new
    revision, the differences are kept for its bidders, and at least ``needs.BIDDING_LEAST`` is left to bid.
    Institutions shut out lose their bids without being told what else changed. Anything else leaves bids
    as they are; a draft equal to the need does nothing. How many bids there were is told to nobody.

    Raises ``Conflict`` (illegal_move, too_late, stale), ``Invalid`` as a draft, or with fewer bid rounds
    than have begun.
    """
    by.require(Capability.ENTERPRISE_MAKER)
    check(content)
    with telling(by=by, now=now), transaction() as session:
        need = needs.lock(session, need_id, by)
        if revision not in (None, need.revision):
            raise conflict(Code.STALE)
        _check_time(need, now)
        planned = _plan(session, need, content, now)
        if planned.is_empty:
            return need
        contract = needs.find_own_contract(session, content, by)
        if contract is not None and contract.id != need.contract_id:
            contract_steps.climb_to(session, contract, ContractStage.INTENT, by=by, now=now, need=need.id)
        apply(need, content, contract)
        need.receivables = needs.find_own_receivables(session, content, by=by, now=now)
        visibility.name(session, need, content.audience)
        if planned.differences:
            _void_all(session, need, planned, by=by, now=now)
        session.flush()
        for bid in _list_waiting(session, need):
            if not visibility.admits(need, bid.organisation_id):
                _void(session, bid, {"code": "shut_out"}, by=by, now=now)
        told = {"differences": list(planned.differences), "others": list(planned.others)}
        audit.record(session, "need.change", need, by=by, now=now, revision=need.revision, **told)
    return need


def list_changes(need_id: int, *, since: int = 0) -> list[NeedChange]:
    """Return what was changed on an open need after revision ``since``, oldest first."""
    return list(
        db.session.scalars(
            select(NeedChange)
            .where(NeedChange.need_id == need_id, NeedChange.revision > since)
            .order_by(NeedChange.revision)
        )
    )


def merge(changes: Iterable[NeedChange]) -> tuple[dict[str, Any], ...]:
    """Return several changes, oldest first, as one; what was changed back is no difference."""
    found: dict[str, dict[str, Any]] = {}
    for one in changes:
        for difference in one.differences:
            field = difference["field"]
            before = found[field]["before"] if field in found else difference["before"]
            found[field] = {"field": field, "before": before, "after": difference["after"]}
    return tuple(found[field] for field in MATERIAL if field in found and _differs(found[field]))


def find_chance(bid: Bid, *, by: Party, now: datetime, sealer: Sealer) -> Chance | None:
    """Return how an own voided bid could be placed again, or None where it cannot.

    Only while bids are taken, by who may see the need, and for the product's last bid on it.
    """
    need = bid.need
    if (
        bid.organisation_id != by.organisation_id
        or bid.state is not BidState.VOIDED
        or (bid.reason or {}).get("code") != "need_changed"
        or need.state is not NeedState.OPEN
        or need.closes_at is None
        or now >= need.closes_at
        or not visibility.may_see(need, by)
        or _find_later(bid) is not None
    ):
        return None
    terms = bid_content.read(bid, sealer).terms
    number = opening.find_round(db.session(), need.id).number
    return Chance(
        bid,
        merge(list_changes(need.id, since=bid.revision)),
        max(bid.valid_until, bid_checks.earliest_validity(need, number)),
        fits=ranking.are_comparable(terms.principal, terms.months, need.amount, need.months),
    )


def reconfirm(
    bid_id: int,
    revision: int,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
    valid_until: datetime | None = None,
) -> Bid:
    """Place what a voided bid said anew, on the changed need, and return the new bid.

    ``revision`` is the need's whose differences the bidder saw; ``valid_until`` the bid's own if left out.
    All checks of ``bids.place`` apply. Raises ``NotFound``, ``Conflict`` (illegal_move for a bid that was
    not voided by a change, already_exists where the product has bid since, stale, too_late), ``Invalid``.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    bid = db.session.scalar(select(Bid).where(Bid.id == bid_id).options(undefer(Bid.seal)))
    if bid is None or bid.organisation_id != by.organisation_id or bid.need.zone_id != by.zone_id:
        raise not_found("bid", bid_id)
    if bid.state is not BidState.VOIDED or (bid.reason or {}).get("code") != "need_changed":
        raise conflict(Code.ILLEGAL_MOVE, state=bid.state.value, move="reconfirm")
    later = _find_later(bid)
    if later is not None:
        raise conflict(Code.ALREADY_EXISTS, what="bid", value=later)
    content = bid_content.read(bid, sealer)
    quote = quotes.quote_again(
        content.fields,
        content.terms,
        valid_until=valid_until or bid.valid_until,
        revision=revision,
    )
    if not bid.need.syndicated:
        # What could be taken in part is taken whole where the need is not shared any more.
        quote = replace(quote, least=None)
    return bids.place(bid.need_id, quote, by=by, now=now, sealer=sealer)


def _check_time(need: Need, now: datetime) -> None:
    """Raise ``Conflict`` where a need is not open, or its bid round over though the clock did not see it."""
    lifecycle.move(need.state, NeedMove.CHANGE)
    if need.closes_at is None or now >= need.closes_at:
        raise conflict(Code.TOO_LATE, deadline=need.closes_at.isoformat() if need.closes_at else "")


def _plan(session: Session, need: Need, content: Draft, now: datetime) -> Plan:
    number = opening.find_round(session, need.id).number
    if content.round_count < min(number, need.round_count):
        least = min(number, need.round_count)
        raise invalid(Code.TOO_SMALL, "round_count", value=content.round_count, least=least)
    before, after = _describe_need(need), _describe_draft(content)
    changed = [field for field in (*MATERIAL, *IMMATERIAL) if before[field] != after[field]]
    differences = tuple(
        {"field": field, "before": before[field], "after": after[field]}
        for field in MATERIAL
        if field in changed
    )
    assert need.closes_at is not None, "an open need has a deadline"
    closes_at = max(need.closes_at, now + needs.BIDDING_LEAST) if differences else need.closes_at
    others = tuple(field for field in IMMATERIAL if field in changed)
    return Plan(differences, others, closes_at, shuts_out=bool({"visibility", "audience"} & {*others}))


def _void_all(session: Session, need: Need, planned: Plan, *, by: Party, now: datetime) -> None:
    """Give a need its next revision: its bids are void, and there is time left to bid anew."""
    need.revision += 1
    held: BidRound = opening.find_round(session, need.id)
    need.closes_at = held.closes_at = planned.closes_at
    waiting = _list_waiting(session, need)
    reason = {
        "code": "need_changed",
        "revision": need.revision,
        "differences": list(planned.differences),
    }
    for bid in waiting:
        # Whoever no longer sees the need does not see what became of it either.
        shown = visibility.admits(need, bid.organisation_id)
        _void(session, bid, reason if shown else {"code": "shut_out"}, by=by, now=now)
    session.add(
        NeedChange(
            need_id=need.id,
            revision=need.revision,
            differences=list(planned.differences),
            voided_count=len(waiting),
            changed_by=by.user_id,
            changed_at=now,
        )
    )


def _list_waiting(session: Session, need: Need) -> list[Bid]:
    query = select(Bid).where(Bid.need_id == need.id, Bid.state.in_(_WAITING)).order_by(Bid.receipt_number)
    return list(session.scalars(query))


def _void(session: Session, bid: Bid, reason: dict[str, Any], *, by: Party, now: datetime) -> None:
    bid.state, bid.ended_at, bid.reason = BidState.VOIDED, now, reason
    audit.record(session, "bid.void", bid, by=by, now=now, why=reason["code"])


def _find_later(bid: Bid) -> int | None:
    """Return the last bid of the same product that came after this one on its need, or None."""
    query = select(Bid.id).where(
        Bid.need_id == bid.need_id, Bid.product_id == bid.product_id, Bid.receipt_number > bid.receipt_number
    )
    return db.session.scalar(query.order_by(Bid.receipt_number.desc()).limit(1))


def _differs(difference: dict[str, Any]) -> bool:
    return bool(difference["before"] != difference["after"])


def _describe_need(need: Need) -> dict[str, Any]:
    """Return everything a draft says, as JSON values, as it stands in a need."""
    return {
        "purpose": need.purpose.value,
        "amount": need.amount,
        "months": need.months,
        "repayment": need.repayment.value if need.repayment else None,
        "securities": list(need.securities),
        "accepts": list(need.accepts),
        "contract_id": need.contract_id,
        "receivables": sorted(row.id for row in need.receivables),
        "syndicated": need.syndicated,
        "bid_policy": need.bid_policy.value,
        "round_count": need.round_count,
        "round_hours": need.round_hours,
        "minimum_bids": need.minimum_bids,
        "few_bids": need.few_bids.value,
        "joins_matching": need.joins_matching,
        "description": need.description,
        "shows_name": need.shows_name,
        "reserve_rate": need.reserve_rate,
        "visibility": need.visibility.value,
        "audience": visibility.list_ids(need.id),
    }


def _describe_draft(content: Draft) -> dict[str, Any]:
    """Return everything a draft says, as JSON values, as it would stand in a need."""
    return {
        "purpose": content.purpose.value,
        "amount": content.amount,
        "months": content.months,
        "repayment": content.repayment.value if content.repayment else None,
        "securities": sorted({security.value for security in list_securities(content)}),
        "accepts": sorted({kind.value for kind in content.accepts}),
        "contract_id": content.contract_id,
        "receivables": sorted(set(content.receivables)),
        "syndicated": content.syndicated,
        "bid_policy": content.bid_policy.value,
        "round_count": content.round_count,
        "round_hours": content.round_hours,
        "minimum_bids": content.minimum_bids,
        "few_bids": content.few_bids.value,
        "joins_matching": content.joins_matching,
        "description": content.description.strip(),
        "shows_name": content.shows_name,
        "reserve_rate": content.reserve_rate,
        "visibility": content.visibility.value,
        "audience": sorted(set(content.audience)),
    }
