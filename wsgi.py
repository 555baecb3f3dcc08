"""The composition root: puts the house together, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_migrate import Migrate

import blueprints
import config as settings
import models  # noqa: F401  (importing the package knows every table)
from models.base import db
from services.passwords import Passwords
from services.sealing import Sealer


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the application, set up from the environment with ``config`` on top.

    Touches no database: ``flask price`` and ``flask clear`` work without one.
    """
    app = Flask(
        "cuohe", root_path=str(settings.ROOT), instance_path=str(settings.INSTANCE), static_folder=None
    )
    app.config.from_mapping({**settings.load(), **(config or {})})
    db.init_app(app)
    Migrate(app, db, directory=str(settings.ROOT / "models" / "migrations"), render_as_batch=True)
    app.extensions["sealer"] = Sealer(app.config["SEALING_SECRET"])
    app.extensions["passwords"] = Passwords(app.config["PASSWORD_PROFILE"])
    blueprints.register(app)
    return app
