"""The last days: what a visitor finds to act on, counted in working days from the day the market opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from random import Random

from market.bidding_vocabulary import BidPolicy
from market.party import Party
from market.vocabulary import OfferKind, Purpose, Security
from scripts.demo.cast import WAN, Cast
from scripts.demo.demand import Fate, Plan, write_draft
from scripts.demo.timeline import Deed, Timeline, at_minute, shift
from services import needs

S = Security


@dataclass(frozen=True, slots=True)
class Live:
    """One need of the last days: opened ``opened`` working days ago, closing ``closes`` from the day on."""

    firm: str
    opened: int
    closes: int
    minute: int
    answers: int
    fate: Fate
    purpose: Purpose | None = None
    amount: int | None = None
    months: int | None = None
    securities: tuple[Security, ...] = ()
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    words: str | None = None
    policy: BidPolicy = BidPolicy.SEALED
    approves: bool = False


_WAIT, _SECOND, _ACCEPT = Fate.DECIDE_LATER, Fate.SECOND_WAITS, Fate.ACCEPT
_W, _E, _R, _F = Purpose.WORKING_CAPITAL, Purpose.EQUIPMENT, Purpose.RESEARCH, Purpose.FACTORY

LIVE: tuple[Live, ...] = (
    # Closed, with offers to compare: loans beside leases for the firm, loans alone for the start-up.
    Live(
        "lantu",
        6,
        -1,
        15 * 60,
        7,
        _WAIT,
        _E,
        600,
        36,
        (S.EQUIPMENT, S.MORTGAGE, S.GUARANTEE, S.IP_PLEDGE),
        ("lujiang", "dongyu", "luming", "yuheng", "qihang"),
        words="购置五轴加工中心及自动上下料系统",
    ),
    Live(
        "xingmiao",
        5,
        -1,
        11 * 60,
        5,
        _WAIT,
        _W,
        80,
        12,
        (S.UNSECURED, S.GUARANTEE),
        ("lujiang", "dongyu", "qihang"),
        words="首批临床检测试剂备货",
    ),
    Live("guangyu", 5, -1, 16 * 60, 4, _WAIT, _W, 500, 12, (S.UNSECURED, S.GUARANTEE), ("dongyu",)),
    Live(
        "haiji",
        6,
        -1,
        10 * 60 + 30,
        4,
        _WAIT,
        _E,
        420,
        36,
        (S.EQUIPMENT, S.GUARANTEE),
        ("luming", "dongyu", "lianqiao"),
    ),
    Live(
        "anqi",
        5,
        -1,
        15 * 60,
        5,
        _WAIT,
        _W,
        600,
        12,
        (S.UNSECURED, S.GUARANTEE, S.MORTGAGE),
        ("lujiang", "tailu"),
    ),
    Live("mosheng", 4, -1, 16 * 60, 3, _WAIT, _R, 300, 12, (S.IP_PLEDGE, S.UNSECURED), ("beichen",)),
    # Accepted by one person of the firm; the other has not looked yet.
    Live(
        "lantu",
        8,
        -2,
        16 * 60,
        5,
        _SECOND,
        _W,
        500,
        12,
        (S.UNSECURED, S.GUARANTEE),
        ("lujiang", "dongyu"),
        words="年度框架订单备料",
    ),
    # Accepted the day before: under the bank's review, and approved and not drawn.
    Live(
        "zhuoyi",
        8,
        -2,
        15 * 60,
        4,
        _ACCEPT,
        _W,
        300,
        12,
        (S.UNSECURED, S.GUARANTEE),
        ("lujiang",),
        approves=True,
    ),
    Live("yucheng", 8, -2, 15 * 60, 4, _ACCEPT, _E, 480, 36, (S.EQUIPMENT, S.GUARANTEE), ("luming",)),
    # Open, with deadlines over the next weeks and some bids under seal.
    Live(
        "lantu",
        2,
        2,
        15 * 60,
        3,
        _WAIT,
        _R,
        400,
        12,
        (S.IP_PLEDGE, S.UNSECURED),
        ("dongyu",),
        ("lujiang",),
        words="高速主轴样机中试",
    ),
    Live(
        "xingmiao",
        1,
        4,
        10 * 60 + 30,
        2,
        _WAIT,
        _W,
        60,
        12,
        (S.UNSECURED, S.GUARANTEE),
        ("qihang",),
        ("lujiang", "dongyu"),
    ),
    Live("ruiyan", 3, 0, 17 * 60, 4, _WAIT, _W, 200, 12, (S.UNSECURED, S.GUARANTEE), ("lujiang", "dongyu")),
    Live(
        "xintang",
        3,
        1,
        11 * 60,
        4,
        _WAIT,
        _E,
        900,
        36,
        (S.EQUIPMENT, S.MORTGAGE, S.IP_PLEDGE),
        ("luming",),
        ("lujiang",),
    ),
    Live(
        "zhifeng", 2, 1, 16 * 60, 3, _WAIT, _W, 400, 12, (S.UNSECURED, S.GUARANTEE), ("lujiang",), ("dongyu",)
    ),
    Live(
        "feiyan", 2, 3, 15 * 60, 2, _WAIT, _E, 180, 36, (S.EQUIPMENT, S.GUARANTEE), (), ("luming", "lujiang")
    ),
    Live("muyang", 1, 5, 16 * 60, 2, _WAIT, _F, 2000, 60, (S.MORTGAGE,), (), ("lujiang",)),
    Live(
        "beilan", 1, 8, 15 * 60, 1, _WAIT, _W, 300, 12, (S.UNSECURED, S.MORTGAGE), (), ("lujiang", "dongyu")
    ),
    Live("taige", 1, 15, 15 * 60, 0, _WAIT, _W, 80, 6, (S.UNSECURED,)),
    Live(
        "jiquan",
        3,
        1,
        15 * 60,
        4,
        _WAIT,
        _R,
        1000,
        24,
        (S.IP_PLEDGE, S.UNSECURED, S.GUARANTEE),
        ("dongyu",),
        ("lujiang",),
    ),
    Live(
        "shuohe", 2, 2, 16 * 60, 3, _WAIT, _E, 700, 36, (S.EQUIPMENT, S.MORTGAGE), ("jichuan",), ("luming",)
    ),
    # Bidders of this one see the best cost and their own rank.
    Live(
        "luhe",
        2,
        3,
        11 * 60,
        3,
        _WAIT,
        _W,
        300,
        12,
        (S.UNSECURED, S.GUARANTEE),
        ("lujiang",),
        policy=BidPolicy.ANONYMOUS,
    ),
    Live("quanyin", 1, 6, 15 * 60, 1, _WAIT, _W, 200, 12, (S.UNSECURED,), (), ("lujiang", "dongyu")),
    Live("hanmo", 1, 12, 15 * 60, 0, _WAIT, _E, 350, 36, (S.EQUIPMENT, S.MORTGAGE)),
)
#: Drafts nobody else sees.
DRAFTS = (
    ("lantu", _F, 1500, 60, (S.MORTGAGE,)),
    ("xingmiao", _R, 100, 12, (S.UNSECURED,)),
    ("anqi", _W, 400, 12, (S.UNSECURED,)),
)


def plan_ending(cast: Cast, seed: int, end: date) -> list[Plan]:
    """Return the needs of the last days."""
    return [_plan(cast, live, end, Random(f"{seed} live {number}")) for number, live in enumerate(LIVE)]


def play_drafts(cast: Cast, timeline: Timeline, seed: int, end: date) -> None:
    """Let some firms write drafts on the last day."""
    for number, (slug, purpose, amount, months, securities) in enumerate(DRAFTS):
        firm = cast.members[slug]
        live = Live(slug, 1, 1, 0, 0, _WAIT, purpose, amount, months, securities)
        draft = _write(cast, live, Random(f"{seed} draft {number}"))
        when = at_minute(shift(end, -1), 16 * 60 + 40 + number)
        timeline.at(when, _storing(draft, next(iter(firm.parties.values()))))


def _storing(draft: needs.Draft, by: Party) -> Deed:
    def store(now: datetime) -> None:
        needs.draft(draft, by=by, now=now)

    return store


def _plan(cast: Cast, live: Live, end: date, rng: Random) -> Plan:
    firm = cast.members[live.firm]
    # A day that is not worked counts as the working day after it.
    closing_day = shift(end, live.closes) if live.closes else shift(end, 0)
    return Plan(
        firm=firm,
        zone_id=_home(cast, live),
        draft=_write(cast, live, rng),
        published=at_minute(shift(end, -live.opened), 9 * 60 + rng.randrange(10, 100)),
        closes=at_minute(closing_day, live.minute),
        fate=live.fate,
        answers=live.answers,
        must=live.must,
        never=live.never,
        decided=at_minute(shift(end, -1), 16 * 60 + 10) if live.fate in {_SECOND, _ACCEPT} else None,
        lender=live.must[0] if live.fate is _ACCEPT else None,
        approves=live.approves,
        rng=rng,
    )


def _home(cast: Cast, live: Live) -> int:
    # Firms with two homes ask in the second zone, so that it has something to show.
    return list(cast.members[live.firm].parties)[-1]


def _write(cast: Cast, live: Live, rng: Random) -> needs.Draft:
    usual = write_draft(cast.members[live.firm], rng, live.purpose)
    accepts = (OfferKind.LOAN, OfferKind.LEASE) if live.purpose is _E else (OfferKind.LOAN,)
    assert live.amount is not None and live.months is not None
    return needs.Draft(
        purpose=usual.purpose,
        amount=live.amount * WAN,
        months=live.months,
        description=live.words or usual.description,
        securities=live.securities,
        accepts=accepts,
        reserve_rate=usual.reserve_rate,
        minimum_bids=3,
        shows_name=usual.shows_name,
        bid_policy=live.policy,
    )
