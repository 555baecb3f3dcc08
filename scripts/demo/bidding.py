"""What bidding can do, on the last working day: a question, a changed need, a bid that places itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select

from market.vocabulary import NeedState
from models.base import db
from models.need import Need
from models.product import Product
from scripts.demo.cast import WAN, Cast
from scripts.demo.demand import Plan
from scripts.demo.shelf import Listed
from scripts.demo.timeline import Timeline, at_minute, shift
from services import need_changes, questions, standing_bids

#: Who changes what it asks for, who is asked and by whom, and the bank whose bids place themselves.
CHANGES, ASKED, ASKS, AUTOMATIC = "zhifeng", "xintang", "luming", "lianqiao"


def play(
    people: Cast, stalls: dict[int, Listed], plans: Sequence[Plan], timeline: Timeline, day: date
) -> None:
    """Plan these deeds; ``plans`` are the needs of the last days."""
    by_slug = {plan.firm.slug: plan for plan in plans}

    def change(now: datetime) -> None:
        plan = by_slug[CHANGES]
        need = _find_open(plan)
        if need is not None:
            asked = replace(plan.draft, amount=plan.draft.amount + 50 * WAN)
            need_changes.change(need.id, asked, by=plan.firm.parties[plan.zone_id], now=now)

    def ask(now: datetime) -> None:
        plan = by_slug[ASKED]
        need = _find_open(plan)
        if need is None:
            return
        bank, firm = people.members[ASKS].parties[plan.zone_id], plan.firm.parties[plan.zone_id]
        questions.ask(need.id, "设备是否已签订采购合同？交货期预计多久？", by=bank, now=now)
        said = "已签订框架协议，首批设备预计 60 天内到货。"
        (waiting,) = questions.list_for(need.id, by=firm)
        assert waiting.id is not None, "the firm answers by its number"
        questions.answer(need.id, waiting.id, said, by=firm, now=now)

    def start(now: datetime) -> None:
        for listed in stalls.values():
            product = db.session.get_one(Product, listed.product_id)
            if listed.seller.slug == AUTOMATIC and product.rate_from is not None and product.listed:
                orders = standing_bids.Draft(
                    cap=min(500 * WAN, product.amount_max),
                    daily_budget=2000 * WAN,
                    rate=product.rate_to,
                    floor_rate=product.rate_from,
                )
                by = listed.seller.second(product.zone_id)
                standing_bids.start(product.id, orders, by=by, now=now)
                return

    last = shift(day, -1)
    timeline.at(at_minute(last, 9 * 60 + 40), start)
    timeline.at(at_minute(last, 14 * 60 + 5), ask)
    timeline.at(at_minute(last, 15 * 60 + 20), change)


def _find_open(plan: Plan) -> Need | None:
    query = select(Need).where(
        Need.organisation_id == plan.firm.organisation_id,
        Need.zone_id == plan.zone_id,
        Need.state == NeedState.OPEN,
    )
    return db.session.scalars(query.order_by(Need.id.desc())).first()
