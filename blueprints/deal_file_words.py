"""A deal's file in words: what happened, who did it, and what else its record says."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_pgettext

from blueprints import alert_words, endings, formats, labels
from market.report_vocabulary import FileEntry
from market.vocabulary import AlertKind
from services.deal_file import Entry, Person
from services.deeds import AMOUNTS, Deed

#: The words of what a record says beside its amount; what is not here is not for people.
FACTS: dict[str, Any] = {
    "need": lazy_pgettext("fact", "need"),
    "bid": lazy_pgettext("fact", "bid"),
    "number": lazy_pgettext("fact", "no."),
    "months": lazy_pgettext("fact", "months"),
    "bids": lazy_pgettext("fact", "bids"),
    "ranked": lazy_pgettext("fact", "ranked"),
    "effective": lazy_pgettext("fact", "all-in annual cost"),
    "confirmed_at": lazy_pgettext("fact", "confirmed"),
    "due_at": lazy_pgettext("fact", "due"),
    "answer": lazy_pgettext("fact", "answer"),
    "drawn_on": lazy_pgettext("fact", "paid out on"),
    "fees": lazy_pgettext("fact", "fees"),
    "penalty": lazy_pgettext("fact", "late interest"),
    "interest": lazy_pgettext("fact", "interest"),
    "principal": lazy_pgettext("fact", "principal"),
    "recovered": lazy_pgettext("fact", "recovered"),
    "remainder": lazy_pgettext("fact", "on to the supplier"),
    "undoes": lazy_pgettext("fact", "takes back no."),
    "superseded_on": lazy_pgettext("fact", "superseded"),
    "ended_on": lazy_pgettext("fact", "ended"),
    "purchaser": lazy_pgettext("fact", "purchaser"),
    "fields": lazy_pgettext("fact", "changed"),
    "former_amount": lazy_pgettext("fact", "amount before"),
    "pledge": lazy_pgettext("fact", "registration"),
    "pledge_number": lazy_pgettext("fact", "registration"),
    "expires_on": lazy_pgettext("fact", "until"),
    "pledge_expires_on": lazy_pgettext("fact", "until"),
    "payee_account": lazy_pgettext("fact", "account"),
    "account": lazy_pgettext("fact", "account"),
    "old_account": lazy_pgettext("fact", "from account"),
    "new_account": lazy_pgettext("fact", "to account"),
}
_RATES = frozenset({"effective"})


def title(deed: Deed) -> str:
    """Return what happened in a few words: ``Ladder: account locked``."""
    kind = str(labels.label(deed.kind))
    if deed.what is None:
        return kind
    return gettext("%(kind)s: %(what)s", kind=kind, what=labels.label(deed.what))


def text(deed: Deed) -> str:
    """Return what else the record says, facts after the note."""
    if deed.kind is FileEntry.ALERT and isinstance(deed.what, AlertKind):
        return alert_words.alert(deed.what, deed.details)
    note = alert_words.resolution(deed.note) if deed.kind is FileEntry.ALERT_RESOLVED else deed.note
    said = [note] if note else []
    said += [_say(name, value) for name, value in deed.details.items() if name in FACTS]
    if deed.details.get("undone"):
        said.append(gettext("taken back later"))
    if deed.kind is FileEntry.REVIEW and "reason" in deed.details:
        said.append(str(endings.reason(deed.details["reason"])))
    if deed.details.get("settled") is False:
        said.append(gettext("settled nothing"))
    return gettext("; ").join(said)


def who(entry: Entry) -> str:
    """Return who did it, each with the organisation; the clock where nobody did."""
    if not entry.who:
        return gettext("the market's clock") if _is_clocks(entry.deed) else ""
    return gettext(", ").join(_name(person) for person in entry.who)


def _is_clocks(deed: Deed) -> bool:
    return deed.kind in {FileEntry.LATENESS, FileEntry.ALERT, FileEntry.BIDDING, FileEntry.DEED}


def _name(person: Person) -> str:
    if person.organisation is None:
        return person.name
    named = person.organisation
    house = named.name_zh if formats.speaks_chinese() else named.name_en or named.name_zh
    return gettext("%(person)s (%(organisation)s)", person=person.name, organisation=house)


def _say(key: str, value: Any) -> str:
    words, shown = FACTS[key], str(value)
    if key in AMOUNTS and isinstance(value, int):
        shown = formats.exact(value)
    elif key in _RATES:
        shown = formats.rate(Decimal(shown))
    elif key.endswith("_at"):
        shown = formats.moment_text(datetime.fromisoformat(shown))
    elif key.endswith("_on"):
        shown = formats.day(date.fromisoformat(shown))
    return gettext("%(fact)s %(value)s", fact=words, value=shown)
