"""Settings from the environment, read by ``wsgi.py`` and the scripts and by nobody else.

=====================  ==========================================================================
``DATABASE_URL``        ``sqlite:///…`` or ``postgresql://…``; default: ``instance/cuohe.db``
``SECRET_KEY``          signs sessions; default: made once and kept in ``instance/secrets.json``
``SEALING_SECRET``      64 hex digits that seal bids; default: as above
``CUOHE_DEMO``          ``1`` shows the demo logins on the sign-in page
``CUOHE_HTTPS``         ``1`` marks cookies secure and sends HSTS
=====================  ==========================================================================
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"


def load(env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the settings that ``env`` (default: the process environment) asks for.

    Raises ``ValueError`` when a setting cannot be used; the message names it.
    """
    env = os.environ if env is None else env
    kept = _Secrets(INSTANCE / "secrets.json")
    sealing = env.get("SEALING_SECRET") or kept.read("SEALING_SECRET")
    if len(sealing) != 64 or any(c not in "0123456789abcdefABCDEF" for c in sealing):
        raise ValueError("SEALING_SECRET must be 64 hexadecimal digits")
    https = env.get("CUOHE_HTTPS") == "1"
    return {
        "SECRET_KEY": env.get("SECRET_KEY") or kept.read("SECRET_KEY"),
        "SEALING_SECRET": bytes.fromhex(sealing),
        "SQLALCHEMY_DATABASE_URI": read_database_url(env),
        "PASSWORD_PROFILE": "standard",
        "DEMO": env.get("CUOHE_DEMO") == "1",
        "SESSION_COOKIE_SECURE": https,
        "PREFERRED_URL_SCHEME": "https" if https else "http",
    }


def read_database_url(env: Mapping[str, str]) -> str:
    """Return the SQLAlchemy URL; plain ``postgres(ql)://`` gets the driver we ship."""
    url = env.get("DATABASE_URL") or f"sqlite:///{INSTANCE / 'cuohe.db'}"
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


class _Secrets:
    """Secrets of a development machine, made once; only the owner may read the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> str:
        """Return the kept secret ``name``, making the whole file first if there is none."""
        if not self._path.exists():
            self._make()
        return str(json.loads(self._path.read_text(encoding="utf-8"))[name])

    def _make(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        content = json.dumps({"SECRET_KEY": secrets.token_hex(32), "SEALING_SECRET": secrets.token_hex(32)})
        # Several processes may start at once: the file appears whole, and the first one wins.
        draft = self._path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(content, encoding="utf-8")
        try:
            os.link(draft, self._path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
