"""``python -m scripts.preparation FILE``: bring the database up to date, fill an empty one, note the logins.

One process for what ``flask db upgrade`` and ``python -m scripts.demo`` do singly: loading the house takes
longer than the work, and a second start should take seconds. FILE receives the demo logins, or nothing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from pathlib import Path

import flask_migrate
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from config import ROOT, read_database_url
from scripts.demo import command as demo
from scripts.progress import StepFailed, step
from wsgi import create_app

#: These are the last two steps of the launcher.
DATABASE, DEMO = "[5/6]", "[6/6]"


def main(logins: Path) -> int:
    """Return 0 when the market is ready to be opened, 1 with the reason on stderr when it is not."""
    try:
        upgrade()
    except (StepFailed, ValueError) as failure:
        print(failure, file=sys.stderr)
        return 1
    # The demo market shows a line of its own; this is its number.
    print(f"{DEMO} ", end="", flush=True)
    if code := demo.main(["--if-empty"]):
        return code
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        demo.main(["--logins"])
    logins.write_text(printed.getvalue(), encoding="utf-8")
    return 0


def upgrade() -> None:
    """Create the database or bring its tables up to date; raises ``StepFailed`` saying which and why not."""
    shown = describe(read_database_url(os.environ))
    app = create_app()
    # The migrations report each revision; nobody asked here.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with step(f"{DATABASE} Database") as current:
        try:
            with app.app_context():
                flask_migrate.upgrade()
        except SQLAlchemyError as error:
            reason = str(error).split("\n(Background")[0]
            raise StepFailed(f"{reason}\nThe database {shown} could not be prepared.") from error
        current.done(shown)


def describe(url: str) -> str:
    """Return a database address to show: a file as seen from the project's folder, and never a password.

    Raises ``StepFailed`` for an address of another kind than the two we know.
    """
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise StepFailed(
            "DATABASE_URL is no address of a database, such as postgresql://host/name."
        ) from error
    if parts.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StepFailed(
            f"DATABASE_URL must begin with sqlite:// or postgresql://, not {parts.drivername}://."
        )
    if parts.get_backend_name() == "sqlite" and parts.database:
        file = Path(parts.database)
        return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)
    return parts.render_as_string(hide_password=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
