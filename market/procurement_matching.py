"""Which firms a procurement intention is of interest to: by industry, qualification or the words they set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from market.procurement_rules import favours
from market.procurement_vocabulary import Favoured, MatchReason
from market.vocabulary import SizeClass

#: The shortest industry code that says something: a division such as C39.
_DIVISION = 3


@dataclass(frozen=True, slots=True)
class Sought:
    """What an intention is about: its words, the industry that delivers it, the qualifications asked for."""

    words: str
    industry: str | None
    tags: frozenset[str]
    is_reserved: bool


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a firm is, and what it watches for: further industries, and words to be found in an intention."""

    industry: str | None
    size: SizeClass | None
    tags: frozenset[str]
    industries: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


def match(sought: Sought, watcher: Watcher) -> list[MatchReason]:
    """Return why an intention reaches a firm, nothing if it does not.

    What is reserved for small and medium firms does not reach a large one.
    """
    if sought.is_reserved and not favours(Favoured.SME, watcher.size):
        return []
    text = sought.words.casefold()
    found = {
        MatchReason.INDUSTRY: _shares_industry(sought.industry, (watcher.industry, *watcher.industries)),
        MatchReason.TAG: not sought.tags.isdisjoint(watcher.tags),
        MatchReason.KEYWORD: any(word.casefold() in text for word in watcher.keywords if word.strip()),
    }
    return [reason for reason in MatchReason if found[reason]]


def _shares_industry(sought: str | None, industries: Iterable[str | None]) -> bool:
    """Say whether one code is the other or lies inside it: C3913 is part of C39."""
    if not sought:
        return False
    wanted = sought.strip().upper()
    for each in industries:
        own = (each or "").strip().upper()
        shorter, longer = sorted((own, wanted), key=len)
        if own == wanted or (len(shorter) >= _DIVISION and longer.startswith(shorter)):
            return True
    return False
