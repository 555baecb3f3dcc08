"""For load balancers and the launcher: is this process able to work?"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from blueprints.access import public
from models.base import db


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule("/healthz", view_func=health)


@public
def health() -> tuple[Response, int]:
    """Say whether the database answers, and which version runs; 503 if it does not."""
    try:
        db.session.execute(text("SELECT 1"))
        reachable = True
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        reachable = False
    state = "ok" if reachable else "unavailable"
    body = jsonify(status=state, database=state, version=version(current_app.root_path))
    return body, 200 if reachable else 503


@lru_cache(maxsize=4)
def version(root: str) -> str:
    """Return the version that pyproject.toml names."""
    with (Path(root) / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
