"""Needs: drafted, published, withdrawn by the firm; read by each role as far as it may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from market import lifecycle
from market.calendar import SHANGHAI, add_working_days, local_date
from market.errors import Code, conflict, invalid, not_found
from market.lifecycle import NeedMove
from market.party import Party
from market.reference import calendar
from market.vocabulary import (
    STANDING_AWARDS,
    AlertKind,
    BidState,
    Capability,
    ContractStage,
    LprTenor,
    NeedState,
    ProposalState,
)
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.contract import Contract
from models.need import BidRound, Need
from models.organisation import Organisation
from models.receivable import Receivable
from models.round import Proposal
from services import alerts, audit, contract_steps, invoice_claims, lpr, visibility
from services.financings import WHOLE, check_contract, compute_room, read_room, sum_financed, sum_paid
from services.need_drafts import AMOUNT_MOST, Draft, apply, check
from services.refused_financings import telling

__all__ = [
    "AMOUNT_MOST",
    "BIDDING_LEAST",
    "BIDDING_MOST",
    "WHOLE",
    "Draft",
    "check_contract",
    "check_receivables",
    "compute_room",
    "draft",
    "edit",
    "find",
    "find_own_contract",
    "find_own_receivables",
    "has_standing_award",
    "lapse_proposals",
    "list_open",
    "list_own",
    "list_rounds",
    "list_standing_awards",
    "list_zone",
    "lock",
    "propose_closing",
    "publish",
    "read_room",
    "standing_award",
    "sum_financed",
    "sum_paid",
    "withdraw",
]

#: Bidding lasts at least an hour, so that more than one institution can see the need, and at most 60 days.
BIDDING_LEAST, BIDDING_MOST = timedelta(hours=1), timedelta(days=60)
#: Unless the firm says otherwise bidding closes in the afternoon, three working days on.
BIDDING_USUAL, CLOSING_HOUR = 3, time(17)
#: What every list of needs shows beside them, read along with the list.
_SHOWN = (joinedload(Need.organisation), joinedload(Need.contract))


def draft(content: Draft, *, by: Party, now: datetime) -> Need:
    """Store a draft that nobody but the firm sees; raises ``Invalid`` with every fault."""
    by.require(Capability.ENTERPRISE_MAKER)
    check(content)
    with telling(by=by, now=now), transaction() as session:
        need = Need(
            zone_id=by.zone_id,
            organisation_id=by.organisation_id,
            created_by=by.user_id,
            created_at=now,
            state=NeedState.DRAFT,
        )
        apply(need, content, find_own_contract(session, content, by))
        need.receivables = find_own_receivables(session, content, by=by, now=now)
        session.add(need)
        visibility.name(session, need, content.audience)
        audit.record(session, "need.draft", need, by=by, now=now)
    return need


def edit(need_id: int, content: Draft, *, by: Party, now: datetime) -> Need:
    """Change a draft; what is published already is changed by ``need_changes.change``."""
    by.require(Capability.ENTERPRISE_MAKER)
    check(content)
    with telling(by=by, now=now), transaction() as session:
        need = lock(session, need_id, by)
        lifecycle.move(need.state, NeedMove.EDIT)
        apply(need, content, find_own_contract(session, content, by))
        need.receivables = find_own_receivables(session, content, by=by, now=now)
        visibility.name(session, need, content.audience)
        audit.record(session, "need.edit", need, by=by, now=now)
    return need


def publish(need_id: int, closes_at: datetime, *, by: Party, now: datetime) -> Need:
    """Open a draft for sealed bids until ``closes_at``; freezes the LPR that prices every bid.

    Raises ``Conflict`` for a need that is no draft or a contract already financed elsewhere,
    ``Invalid`` for a bidding time outside one hour to sixty days.
    """
    by.require(Capability.ENTERPRISE_MAKER)
    if closes_at < now + BIDDING_LEAST:
        raise invalid(Code.TOO_EARLY, "closes_at", until=(now + BIDDING_LEAST).isoformat())
    if closes_at > now + BIDDING_MOST:
        raise invalid(Code.TOO_LATE, "closes_at", deadline=(now + BIDDING_MOST).isoformat())
    table = lpr.read_table()
    today = local_date(now)
    one_year, priced_on = table.in_force(LprTenor.ONE_YEAR, today)
    five_year, _ = table.in_force(LprTenor.FIVE_YEAR, today)
    with telling(by=by, now=now), transaction() as session:
        need = lock(session, need_id, by)
        opened = lifecycle.move(need.state, NeedMove.PUBLISH)
        if need.contract_id is not None:
            contract = check_contract(session, need.contract_id, need.organisation, lender_id=None)
            contract_steps.climb_to(session, contract, ContractStage.INTENT, by=by, now=now, need=need.id)
        elif offered := invoice_claims.list_offered(need):
            check_receivables(
                session, [row.id for row in offered], need.amount, firm_id=need.organisation_id, now=now
            )
        need.state, need.published_at, need.closes_at = opened, now, closes_at
        need.lpr_date, need.lpr_1y, need.lpr_5y = priced_on, one_year, five_year
        session.add(BidRound(need_id=need.id, number=1, opened_at=now, closes_at=closes_at))
        audit.record(session, "need.publish", need, by=by, now=now, closes_at=closes_at.isoformat())
    return need


def propose_closing(now: datetime) -> datetime:
    """Return the closing time a publication made now would usually take."""
    day = add_working_days(local_date(now), BIDDING_USUAL, calendar())
    return datetime.combine(day, CLOSING_HOUR, tzinfo=SHANGHAI)


def withdraw(need_id: int, *, by: Party, now: datetime) -> Need:
    """Take a need back before anything was awarded; its bids leave with it."""
    by.require(Capability.ENTERPRISE_MAKER)
    with transaction() as session:
        need = lock(session, need_id, by)
        need.state = lifecycle.move(need.state, NeedMove.WITHDRAW)
        if standing_award(session, need.id) is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="awaiting_confirmation", move="withdraw")
        need.reason = "withdrawn_by_firm"
        for bid in session.scalars(select(Bid).where(Bid.need_id == need.id)):
            if bid.state in (BidState.SEALED, BidState.POSTED):
                bid.state, bid.ended_at = BidState.WITHDRAWN, now
            elif bid.state in (BidState.LIVE, BidState.HELD):
                alerts.settle(session, AlertKind.LOW_BID, f"bid:{bid.id}", "bid_ended", now=now)
                bid.state, bid.ended_at = BidState.LOST, now
        lapse_proposals(session, need.id)
        audit.record(session, "need.withdraw", need, by=by, now=now)
    return need


def find(need_id: int, *, by: Party) -> Need:
    """Return a need as far as the party may know of it at all; raises ``NotFound``.

    The firm sees its own; officers and auditors all of their zone but drafts; institutions what was
    published in their zone and is shown to them. What somebody may not see does not exist for them.
    """
    need = db.session.get(Need, need_id)
    if need is None or need.zone_id != by.zone_id or not visibility.may_see(need, by):
        raise not_found("need", need_id)
    return need


def list_own(by: Party, states: Sequence[NeedState] | None = None) -> list[Need]:
    """Return the needs of the party's firm in its zone, newest first."""
    query = (
        select(Need)
        .where(Need.zone_id == by.zone_id, Need.organisation_id == by.organisation_id)
        .options(*_SHOWN)
        .order_by(Need.id.desc())
    )
    return list(db.session.scalars(query.where(Need.state.in_(states)) if states is not None else query))


def list_open(by: Party, now: datetime) -> list[Need]:
    """Return the needs an institution may bid on now, the one closing first on top."""
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    return list(
        db.session.scalars(
            select(Need)
            .where(Need.zone_id == by.zone_id, Need.state == NeedState.OPEN, Need.closes_at > now)
            .where(visibility.is_shown_to(by.organisation_id))
            .options(*_SHOWN)
            .order_by(Need.closes_at, Need.id)
        )
    )


def list_zone(by: Party, states: Sequence[NeedState] | None = None) -> list[Need]:
    """Return every published need of the zone, newest first; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    query = (
        select(Need)
        .where(Need.zone_id == by.zone_id, Need.published_at.is_not(None))
        .options(*_SHOWN)
        .order_by(Need.id.desc())
    )
    return list(db.session.scalars(query.where(Need.state.in_(states)) if states is not None else query))


def list_rounds(need_id: int) -> list[BidRound]:
    """Return the bid rounds held on a need, in order."""
    return list(
        db.session.scalars(select(BidRound).where(BidRound.need_id == need_id).order_by(BidRound.number))
    )


def lock(session: Session, need_id: int, by: Party | None = None) -> Need:
    """Return the need under its row lock; with ``by``, only to its own firm (else ``NotFound``)."""
    # Zone and firm come along in the same question: whoever locks a need asks about both.
    need = session.get(
        Need,
        need_id,
        options=(joinedload(Need.zone, innerjoin=True), joinedload(Need.organisation, innerjoin=True)),
        with_for_update={"of": Need},
    )
    if need is None or (
        by is not None and (need.zone_id, need.organisation_id) != (by.zone_id, by.organisation_id)
    ):
        raise not_found("need", need_id)
    return need


def standing_award(session: Session, need_id: int) -> Award | None:
    """Return the acceptance that stands on a need, confirmed or waiting, or None (of a syndicate one)."""
    return next(iter(list_standing_awards(session, need_id)), None)


def list_standing_awards(session: Session, need_id: int) -> list[Award]:
    """Return the acceptances that stand on a need: one, or the parts of a syndicate."""
    found = select(Award).where(Award.need_id == need_id, Award.state.in_(STANDING_AWARDS))
    return list(session.scalars(found.order_by(Award.id)))


def has_standing_award() -> ColumnElement[bool]:
    """Return the condition that an acceptance stands on a need of the query around it."""
    return select(Award.id).where(Award.need_id == Need.id, Award.state.in_(STANDING_AWARDS)).exists()


def lapse_proposals(session: Session, need_id: int) -> None:
    """Let what a matching round proposed to a need lapse, inside the caller's transaction."""
    session.execute(
        update(Proposal)
        .where(Proposal.need_id == need_id, Proposal.state == ProposalState.PROPOSED)
        .values(state=ProposalState.LAPSED)
    )


def find_own_contract(session: Session, content: Draft, by: Party) -> Contract | None:
    """Return the contract a need is written against, checked; raises as ``check_contract`` or ``Invalid``."""
    if content.contract_id is None:
        return None
    firm = session.get_one(Organisation, by.organisation_id)
    contract = session.get(Contract, content.contract_id)
    # A contract of another zone or another supplier does not exist for this firm.
    if contract is None or contract.zone_id != by.zone_id or contract.supplier_code != firm.credit_code:
        raise not_found("contract", content.contract_id)
    check_contract(session, contract.id, firm, lender_id=None)
    room = compute_room(session, contract)
    if content.amount > room:
        raise invalid(Code.ABOVE_FINANCEABLE, "amount", asked=content.amount, most=room)
    return contract


def find_own_receivables(session: Session, content: Draft, *, by: Party, now: datetime) -> list[Receivable]:
    """Return the receivables a need is to offer, checked; raises as ``check_receivables`` or ``NotFound``."""
    ids = list(content.receivables)
    for number in ids:
        row = session.get(Receivable, number)
        # What another zone or another supplier entered does not exist for this firm.
        if row is None or (row.zone_id, row.supplier_id) != (by.zone_id, by.organisation_id):
            raise not_found("receivable", number)
    if not ids:
        return []
    return check_receivables(session, ids, content.amount, firm_id=by.organisation_id or 0, now=now)


def check_receivables(
    session: Session, ids: Sequence[int], amount: int, *, firm_id: int, now: datetime
) -> list[Receivable]:
    """Return receivables, locked, that can carry a need's amount; raises as ``invoice_claims.check``."""
    today = local_date(now)
    rows = invoice_claims.check(session, ids, supplier_id=firm_id, lender_id=None, today=today)
    room = invoice_claims.compute_room(session, rows, ratio=WHOLE).total
    if amount > room:
        raise invalid(Code.ABOVE_FINANCEABLE, "amount", asked=amount, most=room)
    return rows
