"""The people of the demo market, as the sign-in page lists them; the demo market creates exactly these.

They exist only where the demo market was loaded, and are listed only where ``DEMO`` is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext

PASSWORD = "cuohe-demo-2026"


@dataclass(frozen=True, slots=True)
class Login:
    """One demo account: user name, what the person does, and the icon beside it."""

    username: str
    role: Any
    symbol: str
    password: str = PASSWORD


LOGINS: tuple[Login, ...] = (
    Login("firm", lazy_gettext("Enterprise: posts needs, accepts"), "building-factory-2"),
    Login("firm2", lazy_gettext("Enterprise: second person"), "users"),
    Login("startup", lazy_gettext("Start-up: posts needs, accepts"), "bulb"),
    Login("bank", lazy_gettext("Bank: bids"), "building-bank"),
    Login("approver", lazy_gettext("The bank's second person"), "users"),
    Login("bank2", lazy_gettext("A second bank: bids"), "building-bank"),
    Login("lessor", lazy_gettext("Lessor: bids"), "package"),
    Login("officer", lazy_gettext("Zone officer"), "flag"),
    Login("auditor", lazy_gettext("Auditor: reads everything"), "search"),
    Login("purchaser", lazy_gettext("Purchaser: confirms payments"), "building"),
)
