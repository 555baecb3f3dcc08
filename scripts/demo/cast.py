"""The people of the demo market: zones, organisations with their seats, users with their roles.

Names are invented, and the credit codes carry a region that does not exist (999999): their check characters
hold, but no firm can bear one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from blueprints.web.demo_logins import PASSWORD
from market import credit_code
from market.calendar import add_months, local_date
from market.party import Party
from market.vocabulary import (
    INSTITUTION_KINDS,
    Capability,
    LimitScope,
    OrganisationKind,
    SizeClass,
)
from services import limit_settings, organisations, users, zones
from services.admissions import Papers
from services.passwords import Passwords

WAN = 1_000_000  # 万, ten thousand yuan, in fen

#: The default zone and the second one: code, Chinese name, English name, time of its matching rounds.
LUDAO = ("ludao", "鹭岛火炬高新区", "Ludao Torch High-tech Zone", "10:00")
JISHUI = ("jishui", "济水高新区", "Jishui High-tech Zone", "14:30")

#: Working days a firm has to decide: more than usual, so that a demo stays worth a visit for a week.
ACCEPTANCE_DAYS = 5

_SURNAMES = "林陈黄张吴李王郑蔡杨许苏谢叶洪庄曾何赖沈"
_GIVEN = (
    "思远",
    "雨桐",
    "嘉禾",
    "明轩",
    "若溪",
    "子衿",
    "景行",
    "书言",
    "云舟",
    "清和",
    "知夏",
    "望舒",
    "伯安",
    "静宜",
)

_C = Capability
_FIRM_BOTH = frozenset({_C.ENTERPRISE_MAKER, _C.ENTERPRISE_APPROVER})
_MAKER, _APPROVER = frozenset({_C.ENTERPRISE_MAKER}), frozenset({_C.ENTERPRISE_APPROVER})
_BIDDER = frozenset({_C.INSTITUTION_BIDDER, _C.INSTITUTION_APPROVER})
_CHECKER = frozenset({_C.INSTITUTION_APPROVER})

#: Who signs in: the organisation, and the user name of its first and second person.
LOGINS = {
    "lantu": ("firm", "firm2"),
    "xingmiao": ("startup", None),
    "lujiang": ("bank", "approver"),
    "dongyu": ("bank2", None),
    "luming": ("lessor", None),
    "ludao-zone": ("officer", None),
    "qingyuan": ("auditor", None),
    "zhengwu": ("purchaser", None),
}
#: Issuers of qualifications, and for how many years one holds.
_ISSUERS = {
    "tech_sme": ("科技型中小企业入库登记", 2),
    "high_tech": ("高新技术企业认定办公室", 3),
    "specialised": ("省级工业和信息化主管部门", 3),
    "little_giant": ("国家级中小企业主管部门", 3),
    "gazelle": ("高新区管理委员会", 3),
    "unicorn": ("高新区管理委员会", 3),
    "listed": ("上市后备企业库", 4),
    "incubated": ("高新区孵化器", 3),
    "talent": ("市级人才主管部门", 5),
}
#: What single banks would have out to single firms at most, in 万.
_FIRM_LIMITS = {"lantu": {"lujiang": 6000, "dongyu": 3000}, "xingmiao": {"dongyu": 300}}
_GRADES = ("knowledge_a", "knowledge_b", "knowledge_c", "knowledge_d", "knowledge_e")


@dataclass(slots=True)
class Member:
    """An organisation with who acts for it: the first person by zone, and the second where there is one."""

    slug: str
    kind: OrganisationKind
    organisation_id: int
    code: str
    name_zh: str
    parties: dict[int, Party] = field(default_factory=dict)
    seconds: dict[int, Party] = field(default_factory=dict)
    two_people: bool = False
    appetite: int = 0
    risk: float = 0.0
    revenue: int = 0
    tags: tuple[str, ...] = ()

    def second(self, zone_id: int) -> Party:
        """Return who checks what the first person did."""
        return self.seconds.get(zone_id) or self.parties[zone_id]


@dataclass(slots=True)
class Cast:
    """Everybody, by slug; ``zone_ids`` are the two zones, ``officers`` act for them."""

    zone_ids: tuple[int, int]
    members: dict[str, Member] = field(default_factory=dict)
    officers: dict[int, Party] = field(default_factory=dict)

    def of_kind(self, *kinds: OrganisationKind) -> list[Member]:
        """Return the members of some kinds, in the order of the tables."""
        return [member for member in self.members.values() if member.kind in kinds]


@cache
def read_table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a table that ships with the demo market."""
    with (Path(__file__).parent / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def found_zones(*, now: datetime) -> Cast:
    """Name the default zone, found the second one; both are practice zones."""
    code, zh, en, times = LUDAO
    first = zones.rename_default(
        code, zh, en, is_sandbox=True, matching_times=times, acceptance_days=ACCEPTANCE_DAYS
    )
    code, zh, en, times = JISHUI
    second = zones.found(
        code, zh, en, now=now, is_sandbox=True, matching_times=times, acceptance_days=ACCEPTANCE_DAYS
    )
    return Cast((first.id, second.id))


def assemble(cast: Cast, seed: int, *, now: datetime, passwords: Passwords) -> Iterator[str]:
    """Register every organisation with its people; yields each name, so that progress can be shown."""
    rng = Random(f"{seed} cast")
    for number, row in enumerate(read_table("organisations"), start=1):
        _add_organisation(cast, row, number, rng, now=now + timedelta(minutes=number), passwords=passwords)
        yield row["name_zh"]
    _lend_officer(cast, now=now + timedelta(hours=1))
    for number, row in enumerate(read_table("firms"), start=101):
        _add_firm(cast, row, number, rng, now=now + timedelta(hours=2, minutes=number), passwords=passwords)
        yield row["name_zh"]


def _lend_officer(cast: Cast, *, now: datetime) -> None:
    """Let the officer whom visitors sign in as look after the second zone too."""
    first, second = cast.members["ludao-zone"], cast.members["jishui-zone"]
    user_id = first.parties[cast.zone_ids[0]].user_id
    assert user_id is not None, "the zone authority has its officer"
    users.grant(user_id, cast.zone_ids[1], second.organisation_id, {_C.OFFICER}, now=now)


def make_code(kind: OrganisationKind, number: int) -> str:
    """Return the credit code of the ``number``-th organisation: valid, in a region that does not exist."""
    authority = {OrganisationKind.PURCHASER: "12", OrganisationKind.ZONE_AUTHORITY: "11"}.get(kind, "91")
    body = f"MA{number:06d}"
    # The organisation code has a check character of its own (GB 11714: weights 3 7 9 10 5 8 4 2, modulo 11).
    weighed = sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = "0123456789X0"[(11 - weighed % 11) % 11]
    return credit_code.complete(f"{authority}999999{body}{check}")


def _add_organisation(
    cast: Cast, row: dict[str, str], number: int, rng: Random, *, now: datetime, passwords: Passwords
) -> None:
    kind = OrganisationKind(row["kind"])
    profile: dict[str, object] = {"name_en": row["name_en"]}
    if row["net_assets_wan"]:
        profile["net_assets"] = int(row["net_assets_wan"]) * WAN
    member = _register(cast, row, kind, number, profile, now=now)
    member.appetite = int(row["appetite"] or 0)
    if kind in INSTITUTION_KINDS:
        _hire(cast, member, rng, _BIDDER, _CHECKER, now=now, passwords=passwords)
        if row["cap_wan"]:
            first = next(iter(member.seconds.values()))
            limit_settings.set_limit(
                member.organisation_id, LimitScope.TOTAL, int(row["cap_wan"]) * WAN, by=first, now=now
            )
        if kind is OrganisationKind.GUARANTOR:
            first = next(iter(member.seconds.values()))
            limit_settings.set_limit(member.organisation_id, LimitScope.LEVERAGE, by=first, now=now)
        return
    capabilities = {
        OrganisationKind.ZONE_AUTHORITY: frozenset({_C.OFFICER}),
        OrganisationKind.AGENCY: frozenset({_C.AUDITOR}) if row["slug"] == "qingyuan" else frozenset(),
    }.get(kind, frozenset({_C.PURCHASER}))
    _hire(cast, member, rng, capabilities, None, now=now, passwords=passwords)
    if kind is OrganisationKind.ZONE_AUTHORITY:
        cast.officers.update(member.parties)


def _add_firm(
    cast: Cast, row: dict[str, str], number: int, rng: Random, *, now: datetime, passwords: Passwords
) -> None:
    today = local_date(now)
    two_people = row["two_people"] == "yes"
    profile = {
        "name_en": row["name_en"],
        "industry": row["industry"],
        "size_class": SizeClass(row["size"]),
        "founded_on": add_months(today, -int(row["age_months"])) - timedelta(days=rng.randrange(28)),
        "staff_count": int(row["staff"]),
        "annual_revenue": int(row["revenue_wan"]) * WAN,
        "tax_grade": row["tax"],
        "net_assets": int(row["revenue_wan"]) * WAN * rng.randrange(25, 60) // 100,
        "dual_control": two_people,
    }
    member = _register(cast, row, OrganisationKind.ENTERPRISE, number, profile, now=now)
    member.two_people, member.revenue = two_people, int(row["revenue_wan"]) * WAN
    _hire(
        cast,
        member,
        rng,
        _MAKER if two_people else _FIRM_BOTH,
        _APPROVER if two_people else None,
        now=now,
        passwords=passwords,
    )
    tags = row["tags"].split()
    if "tech_sme" in tags:
        tags.append(_GRADES[min(rng.randrange(4) + (row["size"] == "micro"), 4)])
    officer = cast.officers[next(iter(member.parties))]
    for tag in tags:
        issuer, years = _ISSUERS.get(tag, ("知识价值信用评价中心", 2))
        # Whatever a firm leans on holds through the whole year of history.
        begins = today - timedelta(days=rng.randrange(20, 200 if years == 2 else 330))
        ends = add_months(begins, 12 * years) - timedelta(days=1)
        organisations.tag(member.organisation_id, tag, issuer, begins, ends, by=officer, now=now)
    if "gazelle" in tags or rng.random() < 0.35:
        organisations.whitelist(member.organisation_id, True, by=officer, now=now)
    member.tags = tuple(tags)
    member.risk = _weigh_risk(row, tags)
    for lender, cap in _FIRM_LIMITS.get(row["slug"], {}).items():
        checker = next(iter(cast.members[lender].seconds.values()))
        limit_settings.set_limit(
            checker.organisation_id or 0,
            LimitScope.FIRM,
            cap * WAN,
            by=checker,
            now=now,
            firm_id=member.organisation_id,
        )


def _register(
    cast: Cast,
    row: dict[str, str],
    kind: OrganisationKind,
    number: int,
    profile: dict[str, object],
    *,
    now: datetime,
) -> Member:
    homes = [cast.zone_ids["LJ".index(letter)] for letter in row["zones"]]
    papers = [_write_papers(kind, number, place, now=now) for place in range(len(homes))]
    organisation = organisations.register(
        kind,
        make_code(kind, number),
        row["name_zh"],
        zone_id=homes[0],
        now=now,
        profile=profile,
        papers=papers[0],
    )
    for zone_id, signed in zip(homes[1:], papers[1:], strict=True):
        organisations.join(organisation.id, zone_id, now=now, papers=signed)
    member = Member(row["slug"], kind, organisation.id, organisation.credit_code, row["name_zh"])
    # The parties are filled in by ``_hire``; the keys say already where the organisation has a seat.
    member.parties = {zone_id: Party(None, organisation.id, kind, zone_id) for zone_id in homes}
    cast.members[row["slug"]] = member
    return member


def _write_papers(kind: OrganisationKind, number: int, place: int, *, now: datetime) -> Papers | None:
    """Return the licence and agreement of an institution in one of its zones; None for all others."""
    if kind not in INSTITUTION_KINDS:
        return None
    # All outlast the year of history, whose last day is the visitor's first.
    until = add_months(local_date(now), 24 + 6 * ((number + place) % 5))
    return Papers(f"B{number:04d}H{place + 1}", f"RZ-{local_date(now).year}-{number:03d}-{place + 1}", until)


def _hire(
    cast: Cast,
    member: Member,
    rng: Random,
    first: frozenset[Capability],
    second: frozenset[Capability] | None,
    *,
    now: datetime,
    passwords: Passwords,
) -> None:
    """Give a member its people: one, or two where somebody must check the other's work."""
    login, login2 = LOGINS.get(member.slug, (None, None))
    homes = list(member.parties)
    user_id = _invite(login or f"{member.slug}-1", login is not None, rng, now=now, passwords=passwords)
    member.parties = {zone_id: _grant(user_id, member, zone_id, first, now=now) for zone_id in homes}
    if second is not None:
        user_id = _invite(login2 or f"{member.slug}-2", login2 is not None, rng, now=now, passwords=passwords)
        member.seconds = {zone_id: _grant(user_id, member, zone_id, second, now=now) for zone_id in homes}


def _invite(username: str, signs_in: bool, rng: Random, *, now: datetime, passwords: Passwords) -> int:
    name = rng.choice(_SURNAMES) + rng.choice(_GIVEN)
    password = PASSWORD if signs_in else None
    return users.create(username, name, now=now, password=password, passwords=passwords).id


def _grant(
    user_id: int, member: Member, zone_id: int, capabilities: frozenset[Capability], *, now: datetime
) -> Party:
    users.grant(user_id, zone_id, member.organisation_id, capabilities, now=now)
    return Party(user_id, member.organisation_id, member.kind, zone_id, capabilities)


def _weigh_risk(row: dict[str, str], tags: list[str]) -> float:
    risk = {"A": 0.15, "B": 0.4, "M": 0.55}.get(row["tax"], 0.8)
    risk += {"medium": -0.1, "small": 0.05, "micro": 0.2}[row["size"]]
    return min(max(risk - 0.04 * len(tags), 0.0), 1.0)
