"""A release package of open procurement data, drawn from a seed: as large as asked for.

Each release tells one process: planning, tender with items and documents, buyer, parties with addresses,
awards, contracts, and now and then payments. Supplier codes are valid; nothing of it is anybody's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from market import credit_code

BUYERS, SUPPLIERS = 400, 5_000
_GOODS = ("服务器", "办公家具", "道路养护", "物业管理服务", "医疗设备", "软件开发", "绿化工程", "检测服务")
_PLACES = ("高新区", "任城区", "兖州区", "经开区", "太白湖新区")
_FIRST_DAY = date(2024, 1, 1)


def write(path: Path, size: int, seed: int = 5) -> int:
    """Write a package of at least ``size`` bytes; return how many contracts are in it."""
    draw = random.Random(seed)
    codes = [_code(number) for number in range(BUYERS + SUPPLIERS)]
    contracts = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(
            '{"uri":"https://example.org/package","version":"1.1","publishedDate":"2026-01-01T00:00:00Z",'
        )
        file.write('"publisher":{"name":"公共资源交易中心"},"releases":[\n')
        written = 0
        for number, release in enumerate(_draw_releases(draw, codes)):
            text = json.dumps(release, ensure_ascii=False)
            written += len(text.encode()) + 2
            contracts += len(release["contracts"])
            file.write(f"{',' if number else ''}{text}\n")
            if written >= size:
                break
        file.write("]}\n")
    return contracts


def _code(number: int) -> str:
    return credit_code.complete(f"91370800MA{number:07d}")


def _draw_releases(draw: random.Random, codes: list[str]) -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        yield _draw_release(draw, codes, number)


def _draw_release(draw: random.Random, codes: list[str], number: int) -> dict[str, Any]:
    day = _FIRST_DAY + timedelta(days=draw.randrange(700))
    buyer = draw.randrange(BUYERS)
    lots = 1 if draw.random() < 0.8 else draw.randrange(2, 4)
    winners = [BUYERS + draw.randrange(SUPPLIERS) for _ in range(lots)]
    goods = draw.choice(_GOODS)
    amounts = [draw.randrange(50_000, 30_000_000) + draw.randrange(100) / 100 for _ in winners]
    parties = [
        _draw_party(draw, codes, buyer, "采购中心", ["buyer", "procuringEntity", "payer"]),
        *(
            _draw_party(draw, codes, one, "科技有限公司", ["supplier", "tenderer", "payee"])
            for one in winners
        ),
        *(
            _draw_party(draw, codes, BUYERS + draw.randrange(SUPPLIERS), "有限公司", ["tenderer"])
            for _ in range(draw.randrange(3))
        ),
    ]
    return {
        "ocid": f"ocds-x7c3n1-{number:07d}",
        "id": f"{number:07d}-{day:%Y%m%d}",
        "date": f"{day}T09:00:00+08:00",
        "language": "zh",
        "tag": ["planning", "tender", "award", "contract"],
        "initiationType": "tender",
        "parties": parties,
        "buyer": {"id": codes[buyer], "name": parties[0]["name"]},
        "planning": {
            "budget": {"description": f"{goods}预算", "amount": {"amount": sum(amounts), "currency": "CNY"}}
        },
        "tender": _draw_tender(draw, number, goods, day, lots, sum(amounts)),
        "awards": [
            {
                "id": f"A-{place}",
                "title": f"{goods}第{place + 1}包",
                "status": "active",
                "date": f"{day + timedelta(days=20)}T00:00:00+08:00",
                "value": {"amount": amount, "currency": "CNY"},
                "suppliers": [{"id": codes[winner], "name": _name(winner, "科技有限公司")}],
                **({"relatedLots": [f"{place + 1}"]} if lots > 1 else {}),
            }
            for place, (winner, amount) in enumerate(zip(winners, amounts, strict=True))
        ],
        "contracts": [
            _draw_contract(draw, number, place, goods, day, amount) for place, amount in enumerate(amounts)
        ],
    }


def _draw_party(
    draw: random.Random, codes: list[str], number: int, kind: str, roles: list[str]
) -> dict[str, Any]:
    return {
        "id": codes[number],
        "name": _name(number, kind),
        "identifier": {"scheme": "CN-USCC", "id": codes[number], "legalName": _name(number, kind)},
        "address": {
            "streetAddress": f"{_PLACES[number % len(_PLACES)]}崇文大道{draw.randrange(1, 9999)}号",
            "locality": "济宁",
            "region": "山东",
            "countryName": "中国",
        },
        "roles": roles,
    }


def _name(number: int, kind: str) -> str:
    return f"济宁{_PLACES[number % len(_PLACES)]}{number:05d}{kind}"


def _draw_tender(
    draw: random.Random, number: int, goods: str, day: date, lots: int, amount: float
) -> dict[str, Any]:
    return {
        "id": f"T-{number:07d}",
        "title": f"{goods}采购项目",
        "description": f"{goods}采购项目,按采购文件要求供货、安装、调试并提供售后服务。"
        * draw.randrange(1, 4),
        "status": "complete",
        "procurementMethod": "open",
        "value": {"amount": amount, "currency": "CNY"},
        "tenderPeriod": {
            "startDate": f"{day}T00:00:00+08:00",
            "endDate": f"{day + timedelta(days=18)}T00:00:00+08:00",
        },
        "lots": [{"id": f"{place + 1}", "title": f"第{place + 1}包"} for place in range(lots)],
        "items": [
            {
                "id": f"{place}",
                "description": f"{goods}规格{place}",
                "classification": {"scheme": "CPV", "id": f"{draw.randrange(10**8):08d}"},
                "quantity": draw.randrange(1, 500),
                "unit": {"name": "台", "value": {"amount": draw.randrange(10**6) / 100, "currency": "CNY"}},
            }
            for place in range(draw.randrange(1, 6))
        ],
        "documents": [
            {
                "id": f"{place}",
                "documentType": "tenderNotice",
                "title": f"采购文件{place}",
                "url": f"https://example.org/documents/{number}/{place}.pdf",
                "datePublished": f"{day}T00:00:00+08:00",
                "format": "application/pdf",
            }
            for place in range(draw.randrange(1, 4))
        ],
    }


def _draw_contract(
    draw: random.Random, number: int, place: int, goods: str, day: date, amount: float
) -> dict[str, Any]:
    signed = day + timedelta(days=30)
    contract: dict[str, Any] = {
        "id": f"HT-{number:07d}-{place}",
        "awardID": f"A-{place}",
        "title": f"{goods}采购合同第{place + 1}包",
        "status": "active",
        "dateSigned": f"{signed}T00:00:00+08:00",
        "value": {"amount": amount, "currency": "CNY"},
        "period": {"startDate": f"{signed}", "endDate": f"{signed + timedelta(days=365)}"},
    }
    if draw.random() < 0.3:
        contract["implementation"] = {
            "transactions": [
                {
                    "id": f"P-{number}-{place}-{turn}",
                    "date": f"{signed + timedelta(days=60 * turn + 30)}T00:00:00+08:00",
                    "value": {"amount": round(amount / 4, 2), "currency": "CNY"},
                }
                for turn in range(draw.randrange(1, 4))
            ]
        }
    return contract
