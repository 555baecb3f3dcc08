"""Demand: which firm asks when for how much and what becomes of it, over the year and on its last days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from random import Random

from market.vocabulary import OfferKind, OrganisationKind, Purpose, Repayment, Security
from scripts.demo.cast import WAN, Cast, Member
from scripts.demo.timeline import at_minute, office_moment, shift, working_days
from services import needs

S = Security

#: How many needs the year brings before its last days, in the first and the second zone.
YEAR = (112, 56)


class Fate(Enum):
    """What the firm does once it may."""

    ACCEPT = auto()
    SECOND_WAITS = auto()  # accepted, the second person has not looked yet
    DECIDE_LATER = auto()  # nothing yet: its offers wait to be compared
    LAPSE = auto()  # nothing, until the window is over
    NOBODY_BIDS = auto()
    WITHDRAW_OPEN = auto()
    WITHDRAW_CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """One need: who asks for what, when bidding opens and closes, and what becomes of it.

    ``must`` bid (if their products fit), ``never`` do; ``answers`` is how many bid in all. Where
    ``approves`` is set every bid is subject to its institution's approval.
    """

    firm: Member
    zone_id: int
    draft: needs.Draft
    published: datetime
    closes: datetime
    fate: Fate
    answers: int
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    decided: datetime | None = None
    lender: str | None = None
    approves: bool = False
    rng: Random = field(default_factory=Random)


_WORDS: dict[Purpose, tuple[str, ...]] = {
    Purpose.WORKING_CAPITAL: (
        "采购原材料，订单已签，账期约 60 天",
        "旺季备货，补充流动资金",
        "支付供应商货款与工资",
        "新客户放量，垫付生产成本",
        "年度框架订单启动资金",
        "海外订单备料",
    ),
    Purpose.EQUIPMENT: (
        "购置数控加工中心两台",
        "新建自动化装配线",
        "购置检测与老化设备",
        "更新注塑与模具设备",
        "购置激光切割与焊接工作站",
    ),
    Purpose.RESEARCH: (
        "新一代产品中试",
        "专利产业化样机开发",
        "核心算法与软件平台研发",
        "与高校联合攻关项目配套资金",
    ),
    Purpose.FACTORY: ("购置园区标准厂房", "扩建洁净车间", "厂房二期建设"),
    Purpose.BRIDGE: ("原贷款到期，银行已同意续贷",),
}
#: Weekdays on which most biddings of a zone close, so that its matching rounds see several needs at once.
_USUAL_DAYS = ((1, 3), (2,))
#: The bank whose limit is tight now and then, and the headroom it has then, in 万.
TIGHT_BANK, TIGHT_ROOM = "yunfan", 560
_ANSWERS = (1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7)


def plan_year(cast: Cast, seed: int, start: date, end: date) -> list[Plan]:
    """Return the needs of the year, all decided before its last week, in order of publication."""
    plans: list[Plan] = []
    for zone_id, count, usual in zip(cast.zone_ids, YEAR, _USUAL_DAYS, strict=True):
        rng = Random(f"{seed} demand {zone_id}")
        days = working_days(start + timedelta(days=6), shift(end, -14))
        firms = [firm for firm in cast.of_kind(OrganisationKind.ENTERPRISE) if zone_id in firm.parties]
        # The market grows: the later a day, the likelier it is chosen.
        weights = [1 + position / len(days) for position in range(len(days))]
        for day in sorted(rng.choices(days, weights, k=count)):
            own = Random(f"{seed} need {zone_id} {len(plans)}")
            plans.append(_plan(rng.choice(firms), zone_id, day, own, usual))
        for slug, purpose, back, lender in _OLD_DEALS:
            firm = cast.members[slug]
            if zone_id in firm.parties:
                own, day = Random(f"{seed} deal {slug} {back}"), shift(end, -back)
                plans.append(_plan(firm, zone_id, day, own, usual, purpose=purpose, lender=lender))
    return sorted(plans, key=lambda plan: plan.published)


#: Deals that visitors should find: firm, purpose, how many working days ago bidding opened, and who lent.
_OLD_DEALS = (
    ("lantu", Purpose.WORKING_CAPITAL, 215, "lujiang"),
    ("lantu", Purpose.EQUIPMENT, 130, "luming"),
    ("lantu", Purpose.RESEARCH, 60, "dongyu"),
    ("xingmiao", Purpose.WORKING_CAPITAL, 95, "dongyu"),
    ("haiji", Purpose.EQUIPMENT, 180, "luming"),
    ("jiming", Purpose.EQUIPMENT, 75, "luming"),
    ("zhanyun", Purpose.EQUIPMENT, 110, "luming"),
)


def _plan(
    firm: Member,
    zone_id: int,
    day: date,
    rng: Random,
    usual: tuple[int, ...],
    *,
    purpose: Purpose | None = None,
    lender: str | None = None,
) -> Plan:
    """Return a need of the year; one whose lender is given ends in a deal."""
    published = office_moment(day, rng, 9, 16)
    closes = at_minute(_closing_day(day, usual, rng), rng.choice((15, 16, 16, 17)) * 60)
    draft = write_draft(firm, rng, purpose)
    return Plan(
        firm=firm,
        zone_id=zone_id,
        draft=draft,
        published=published,
        closes=closes,
        fate=Fate.ACCEPT if lender else _choose_fate(rng),
        answers=5 if lender else rng.choice(_ANSWERS),
        lender=lender,
        must=(lender,) if lender else (),
        rng=rng,
    )


def _closing_day(day: date, usual: tuple[int, ...], rng: Random) -> date:
    """Return when bidding closes: two to seven working days on, mostly on the zone's usual days."""
    closes = shift(day, rng.randrange(2, 8))
    if rng.random() < 0.8:
        for ahead in range(4):
            later = shift(closes, ahead) if ahead else closes
            if later.weekday() in usual:
                return later
    return closes


def _choose_fate(rng: Random) -> Fate:
    return rng.choices(
        (Fate.ACCEPT, Fate.LAPSE, Fate.NOBODY_BIDS, Fate.WITHDRAW_OPEN, Fate.WITHDRAW_CLOSED),
        (80, 7, 5, 4, 4),
    )[0]


#: Days on which a bank's limit is too small for all it bid on: how many working days ago bidding opened.
CLASHES = (165, 118, 84, 47, 21)


def plan_clashes(cast: Cast, seed: int, end: date) -> list[Plan]:
    """Return needs that close together and lean on one bank's limit, so that a round has to weigh them."""
    plans = []
    for number, back in enumerate(CLASHES):
        rng = Random(f"{seed} clash {number}")
        # The first has other offers, the other two depend on the bank alone.
        firms = rng.sample(["lichuan", "lanqiao", "qiaosheng", "beilan", "shuoguang", "xuanji", "lanting"], 3)
        for place, (slug, amount, others) in enumerate(
            zip(firms, (500, 460, 420), (("nanyan", "lianqiao"), (), ()), strict=True)
        ):
            day = shift(end, -back)
            plans.append(
                Plan(
                    firm=cast.members[slug],
                    zone_id=cast.zone_ids[0],
                    draft=needs.Draft(
                        purpose=Purpose.WORKING_CAPITAL,
                        amount=amount * WAN,
                        months=12,
                        description=rng.choice(_WORDS[Purpose.WORKING_CAPITAL]),
                        securities=(S.UNSECURED, S.GUARANTEE),
                    ),
                    published=at_minute(day, 9 * 60 + 20 + place),
                    closes=at_minute(shift(day, 3), 16 * 60),
                    fate=Fate.ACCEPT,
                    answers=1 + len(others),
                    must=(TIGHT_BANK, *others),
                    rng=rng,
                )
            )
    return plans


def write_draft(firm: Member, rng: Random, purpose: Purpose | None = None) -> needs.Draft:
    """Return a need that suits a firm: its amount follows revenue, its security the purpose."""
    purpose = (
        purpose
        or rng.choices(
            (Purpose.WORKING_CAPITAL, Purpose.EQUIPMENT, Purpose.RESEARCH, Purpose.FACTORY, Purpose.BRIDGE),
            (56, 22, 12, 8, 2),
        )[0]
    )
    amount = firm.revenue * rng.randrange(4, 11) // 100
    accepts: tuple[OfferKind, ...] = (OfferKind.LOAN,)
    securities: tuple[Security, ...]
    match purpose:
        case Purpose.EQUIPMENT:
            months = rng.choice((24, 36, 36, 36))
            securities = rng.choice(
                ((S.EQUIPMENT, S.UNSECURED, S.GUARANTEE), (S.EQUIPMENT, S.MORTGAGE, S.GUARANTEE))
            )
            accepts = (OfferKind.LOAN, OfferKind.LEASE)
        case Purpose.RESEARCH:
            months = rng.choice((12, 12, 24))
            securities = (S.IP_PLEDGE, S.UNSECURED, S.GUARANTEE)
        case Purpose.FACTORY:
            months, amount = rng.choice((36, 48, 60)), amount * 2
            securities = (S.MORTGAGE,)
        case _:
            months = rng.choice((3, 6, 6, 6, 12, 12, 12, 12))
            securities = rng.choice(
                ((S.UNSECURED,), (S.UNSECURED, S.GUARANTEE), (S.UNSECURED, S.GUARANTEE, S.MORTGAGE))
            )
    amount = min(max(amount, 50 * WAN), 2500 * WAN) // (10 * WAN) * (10 * WAN)
    return needs.Draft(
        purpose=purpose,
        amount=amount,
        months=months,
        description=rng.choice(_WORDS[purpose]),
        repayment=Repayment.INTEREST_MONTHLY
        if purpose is Purpose.WORKING_CAPITAL and rng.random() < 0.3
        else None,
        securities=securities,
        accepts=accepts,
        reserve_rate=Decimal(rng.randrange(360, 620, 10)) / 10_000 if rng.random() < 0.35 else None,
        minimum_bids=rng.choice((1, 2, 3, 3, 3)),
        joins_matching=rng.random() < 0.85,
        shows_name=rng.random() < 0.4,
    )
