"""The menu of each role, and where a person lands after signing in.

An entry appears when its page exists and the party may open it: the page's own policy decides, so the
menu cannot promise what the page refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext

from blueprints import access
from market.party import Party


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: the endpoint it opens, its words and its icon."""

    endpoint: str
    label: Any
    icon: str

    @property
    def is_current(self) -> bool:
        """Say whether the page shown is this entry's or belongs to the same part of the product."""
        here = request.endpoint or ""
        return here == self.endpoint or here.rpartition("_")[0] == self.endpoint


#: In the order shown; the first that a party may open is where it lands.
MENU: tuple[Entry, ...] = (
    Entry("enterprise.home", lazy_gettext("Overview"), "home"),
    Entry("institution.opportunities", lazy_gettext("Opportunities"), "inbox"),
    Entry("officer.board", lazy_gettext("Board"), "chart-bar"),
    Entry("enterprise.needs", lazy_gettext("Needs"), "file-text"),
    Entry("institution.bids", lazy_gettext("Bids"), "lock"),
    Entry("institution.shelf", lazy_gettext("Shelf"), "package"),
    Entry("institution.limits", lazy_gettext("Limits"), "wallet"),
    Entry("officer.rounds", lazy_gettext("Matching rounds"), "refresh"),
    Entry("officer.contract_loans", lazy_gettext("Contract loans"), "route"),
    Entry("reviews.reviews", lazy_gettext("Reviews"), "hourglass"),
    Entry("contracts.contracts", lazy_gettext("Contracts"), "file-certificate"),
    Entry("deals.deals", lazy_gettext("Deals"), "award"),
    Entry("officer.overdue", lazy_gettext("Overdue deals"), "clock"),
    Entry("direct_deals.direct_deals", lazy_gettext("Deals to confirm"), "circle-check"),
    Entry("claims.claims", lazy_gettext("Claims"), "shield-check"),
    Entry("bridges.bridges", lazy_gettext("Bridge loans"), "route"),
    Entry("lender_reports.reports", lazy_gettext("Monthly reports"), "calendar"),
    Entry("lender_reports.received", lazy_gettext("Monthly reports"), "calendar"),
    Entry("officer.alerts", lazy_gettext("Alerts"), "bell"),
    Entry("procurement.intentions", lazy_gettext("Procurement"), "file-text"),
    Entry("deposits.deposits", lazy_gettext("Deposits"), "wallet"),
    Entry("officer.frameworks", lazy_gettext("Framework agreements"), "certificate"),
    Entry("payments.payments", lazy_gettext("Payments of purchasers"), "cash"),
    Entry("receivables.receivables", lazy_gettext("Receivables"), "file-text"),
    Entry("officer.surveillance", lazy_gettext("Surveillance"), "shield-check"),
    Entry("officer.members", lazy_gettext("Members"), "users"),
    Entry("officer.reference", lazy_gettext("Reference rates"), "chart-line"),
    Entry("officer.bureau", lazy_gettext("Finance bureaus"), "building-bank"),
    Entry("enterprise.consents", lazy_gettext("Data consents"), "key"),
    Entry("enterprise.firm", lazy_gettext("Firm file"), "building-factory-2"),
    Entry("public.product_list", lazy_gettext("Products"), "package"),
    Entry("public.calculator", lazy_gettext("Calculator"), "calculator"),
)


#: Links at the foot of every page, shown once their pages exist.
FOOTER: tuple[tuple[str, Any], ...] = (
    ("public.account_notices", lazy_gettext("Payee accounts")),
    ("api.docs", lazy_gettext("API")),
)


def footer_links() -> list[tuple[str, Any]]:
    """Return (endpoint, words) of the links at the foot of the page."""
    return [(endpoint, words) for endpoint, words in FOOTER if endpoint in current_app.view_functions]


def home_address() -> str:
    """Return the address of the public home page, or of the sign-in page where there is none."""
    known = "public.home" in current_app.view_functions
    return url_for("public.home" if known else "web.sign_in")


def menu() -> list[Entry]:
    """Return the entries that the visitor may open, in order."""
    party = access.current_party()
    return [entry for entry in MENU if _is_open(entry, party)]


def landing() -> str | None:
    """Return where the signed-in person starts: the first menu entry that asks for a capability."""
    party = access.current_party()
    for entry in MENU:
        policy = _policy(entry)
        if policy is not None and policy.reach is access.Reach.CAPABLE and _is_open(entry, party):
            return entry.endpoint
    return None


def _policy(entry: Entry) -> access.Policy | None:
    if entry.endpoint not in current_app.view_functions:
        return None
    return access.find_policy(current_app, entry.endpoint, "GET")


def _is_open(entry: Entry, party: Party | None) -> bool:
    policy = _policy(entry)
    if policy is None:
        return False
    if policy.reach is access.Reach.PUBLIC:
        return True
    if party is None:
        return False
    return policy.reach is access.Reach.SIGNED_IN or party.may(*policy.capabilities)
