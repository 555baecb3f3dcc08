"""``python -m scripts.demo``: fill an empty database with the demo market, or list its logins.

--if-empty          do nothing, successfully, where a market exists already
--seed N            another market of the same kind
--date YYYY-MM-DD   the day on whose morning the market opens; default: today in Shanghai
--logins            print who may sign in, and nothing where the market is not the demo
"""

from __future__ import annotations

import argparse
import logging
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy.exc import SQLAlchemyError

from blueprints.web.demo_logins import LOGINS
from market.calendar import local_date
from scripts.demo import loading
from scripts.demo.loading import State
from scripts.progress import step
from wsgi import create_app

#: A year of history needs prices: the LPR of today's kind was first published in August 2019.
FIRST_DAY = date(2020, 9, 1)

#: Who signs in, in Chinese and English; user names and passwords are the sign-in page's.
PEOPLE = {
    "firm": ("企业经办人：澜图屿智能装备", "enterprise, posts and accepts: Lantuyu Intelligent Equipment"),
    "firm2": ("企业复核人：澜图屿智能装备", "the same enterprise, its second person"),
    "startup": ("初创企业：星苗湾生物科技", "start-up, one person decides: Xingmiaowan Biotech"),
    "bank": ("银行：鹭江海岸银行", "bank: Lujiang Coast Bank"),
    "approver": ("银行复核人：鹭江海岸银行", "the same bank, its second person"),
    "bank2": ("银行：东屿商业银行", "second bank: Dongyu Commercial Bank"),
    "lessor": ("融资租赁：鹭鸣湾融资租赁", "lessor: Lumingwan Leasing"),
    "officer": ("园区管理员：两个高新区", "zone officer of both zones"),
    "auditor": ("审计：只读", "auditor, reads everything"),
    "purchaser": ("采购人：鹭岛市政务数据中心", "purchaser: Ludao Government Data Centre"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the market stands, 1 when it could not be loaded, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description="Load the demo market.")
    parser.add_argument("--if-empty", action="store_true", help="keep a market that exists already")
    parser.add_argument("--seed", type=int, default=loading.SEED, help="another market of the same kind")
    parser.add_argument("--date", type=_read_day, default=None, help="the day the market opens (YYYY-MM-DD)")
    parser.add_argument("--logins", action="store_true", help="print who may sign in")
    options = parser.parse_args(arguments)
    app = create_app()
    with app.app_context():
        try:
            state = loading.find_state()
        except SQLAlchemyError as error:
            if options.logins:
                return 0
            print(f"The database cannot be read; run `flask db upgrade` first. ({error})", file=sys.stderr)
            return 1
        if options.logins:
            if state is State.FINISHED:
                print(list_logins())
            return 0
        if state in {State.FINISHED, State.FOREIGN}:
            return _keep(state, quiet=options.if_empty)
        day = options.date or local_date(datetime.now(UTC))
        with step("Demo market") as current:
            if state is State.UNFINISHED:
                current.note("clearing what an interrupted load left")
                # The migrations report each revision; nobody asked here.
                logging.getLogger("alembic").setLevel(logging.WARNING)
                loading.clear()
            summary = loading.load(app, seed=options.seed, day=day, say=current.note)
            current.done(str(summary))
    return 0


def list_logins() -> str:
    """Return the table of user names and passwords, aligned by what a terminal shows."""
    rows = [("用户名 user", "密码 password", "身份", "who")]
    rows += [(login.username, login.password, *PEOPLE[login.username]) for login in LOGINS]
    widths = [max(_width(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=False))
        + f"  {row[3]}"
        for row in rows
    )


def _keep(state: State, *, quiet: bool) -> int:
    if quiet:
        print("Demo market: the market in the database is kept")
        return 0
    what = "the demo market" if state is State.FINISHED else "a market of its own"
    print(f"The database holds {what} already; the demo is loaded into an empty one only.", file=sys.stderr)
    return 1


def _read_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-11-20") from None
    if day < FIRST_DAY:
        raise argparse.ArgumentTypeError(
            f"the market cannot open before {FIRST_DAY}: a year of history needs the LPR"
        )
    return day


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
