"""Procurement before the contracts: framework agreements, intentions, an award notice and a guarantee."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial

from market.calendar import add_months, local_date
from market.party import Party
from market.procurement_vocabulary import DepositKind, ProcurementObject
from market.vocabulary import OrganisationKind, ProductFamily
from scripts.demo.cast import WAN, Cast
from scripts.demo.shelf import FAMILIES
from scripts.demo.timeline import Timeline, at_minute, shift
from services import award_notices, deposit_demands, deposits, frameworks, intentions

#: The bank whose agreement ends soon after the day of the demo; the others' run for three years.
_ENDING, _ENDING_DAYS = "lujiang", 25

#: Days back, purchaser, what, title, industry, budget in 万, months ahead, reserved for small firms.
_INTENTIONS = (
    (18, "zhengwu", ProcurementObject.SERVICES, "政务数据共享平台运维", "软件和信息技术服务业", 360, 2, True),
    (12, "ligong", ProcurementObject.GOODS, "智能装备实训设备", "专用设备制造业", 520, 2, False),
    (8, "yiyuan", ProcurementObject.GOODS, "体外诊断试剂", "医药制造业", 180, 1, True),
    (
        6,
        "jiaoyu",
        ProcurementObject.GOODS,
        "多媒体教室设备",
        "计算机、通信和其他电子设备制造业",
        260,
        2,
        True,
    ),
    (3, "gonglu", ProcurementObject.WORKS, "国道养护工程", "土木工程建筑业", 2400, 3, False),
)


def sign(cast: Cast, day: date, *, now: datetime) -> None:
    """Sign a framework agreement with every seller of contract loans, and ask for one in both zones."""
    sellers = {
        entry.partition(":")[0]
        for family in FAMILIES
        if family.family is ProductFamily.CONTRACT
        for entry in family.sellers.split()
    }
    start = local_date(now)
    for zone_id in cast.zone_ids:
        officer = cast.officers[zone_id]
        for number, slug in enumerate(sorted(sellers), 1):
            member = cast.members[slug]
            if zone_id not in member.parties:
                continue
            until = day + timedelta(_ENDING_DAYS) if slug == _ENDING else add_months(start, 36)
            entry = frameworks.Entry(
                f"KJ-{start.year}-{number:02d}", start, until, f"财政金融档案 {number} 号"
            )
            frameworks.sign(member.organisation_id, entry, by=officer, now=now)
        frameworks.require_frameworks(True, by=officer, now=now)
        deposit_demands.abolish_bid_deposits(True, by=officer, now=now)


def play(cast: Cast, timeline: Timeline, day: date) -> None:
    """Publish intentions in the last weeks, and let one award be secured by a guarantee."""
    for back, slug, thing, title, industry, budget, ahead, reserved in _INTENTIONS:
        (by,) = cast.members[slug].parties.values()
        when = at_minute(shift(day, -back), 10 * 60)
        entry = intentions.Entry(
            title,
            thing,
            add_months(local_date(when), ahead),
            local_date(when),
            industry=industry,
            budget=budget * WAN,
            is_reserved=reserved,
        )
        timeline.at(when, partial(_publish, entry, by))
    timeline.at(at_minute(shift(day, -5), 11 * 60), lambda now: _award(cast, now))


def _publish(entry: intentions.Entry, by: Party, now: datetime) -> None:
    intentions.enter(entry, by=by, now=now)


def _award(cast: Cast, now: datetime) -> None:
    """Record an award to the firm of the demo; its performance deposit is replaced by a guarantee."""
    zone_id = cast.zone_ids[0]
    firm, purchaser = cast.members["lantu"], cast.members["ligong"]
    today = local_date(now)
    entry = award_notices.Entry(
        project_number=f"LGZB-{today.year}-017",
        title="柔性产线实训平台",
        purchaser_name=purchaser.name_zh,
        purchaser_code=purchaser.code,
        supplier_name=firm.name_zh,
        supplier_code=firm.code,
        price=280 * WAN,
        published_on=today,
    )
    row = award_notices.enter(entry, by=cast.officers[zone_id], now=now)
    demanded = deposit_demands.Entry(DepositKind.PERFORMANCE, 14 * WAN, award_notice_id=row.id)
    deposit = deposit_demands.demand(demanded, by=purchaser.parties[zone_id], now=now)
    guarantors = [each for each in cast.of_kind(OrganisationKind.GUARANTOR) if zone_id in each.parties]
    if guarantors:
        chosen = guarantors[0]
        deposits.ask(deposit.id, chosen.organisation_id, by=firm.parties[zone_id], now=now)
        until = add_months(today, 12)
        deposits.issue(deposit.id, "LYBH-0017", until, by=chosen.second(zone_id), now=now)
