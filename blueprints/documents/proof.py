"""The proof of an annual cost as a file: JSON for programs, with the way to check it in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import force_locale, gettext

from blueprints import disclosure
from market.cost import Cost
from market.vocabulary import Locale
from services import proofs


def document(cost: Cost, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the proof of a cost with its words; these are no part of what the hash is taken of."""
    words: dict[str, dict[str, list[str]]] = {"convention": {}, "how": {}}
    for language in Locale:
        with force_locale(language.value):
            words["convention"][language.value] = disclosure.convention(cost.convention)
            words["how"][language.value] = steps()
    return {**proofs.make(cost, about), "words": words}


def write_json(cost: Cost, about: Mapping[str, Any] | None = None) -> bytes:
    """Return the document as a file that people can read, too."""
    return json.dumps(document(cost, about), ensure_ascii=False, indent=2).encode() + b"\n"


def steps() -> list[str]:
    """Return how anybody checks a proof, step by step, in the language of the request."""
    return [
        gettext(
            "Amounts are yuan as the firm sees them: above zero is received, below zero is paid. “t” is the "
            "time in years since the first one, an exact fraction."
        ),
        gettext("Add up the amounts of each time; the sums stand under “net”."),
        gettext(
            "The annual cost r (“effective”) makes the sum of amount ÷ (1 + r)^t zero. Of several such rates "
            "it is the positive one nearest zero, else the negative one nearest zero. “residue” is what the "
            "sum is off zero at r as it is written."
        ),
        gettext(
            "The simple form is 12 × ((1 + r)^(1/12) − 1). Where one sum is received and one is paid back "
            "within a year, it is (paid ÷ received − 1) ÷ t."
        ),
        gettext(
            "The total cost is the sum of all amounts with its sign turned, the split by payee the same for "
            "each payee. Money received is the sum of the amounts at t = 0."
        ),
        gettext(
            "“sha256” is the SHA-256 of “proof” in canonical JSON (RFC 8785): names in order, no blanks, "
            "UTF-8."
        ),
        gettext(
            "The command “flask proof check FILE” does all this and works the flows out of the terms again."
        ),
    ]
