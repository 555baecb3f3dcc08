"""Offers as JSON: the form of ``flask price``, of the API, and of the terms stored with bids and loans.

Pure reading and writing: amounts are yuan strings, rates exact decimals per year, dates year-month-day.
Whatever is wrong is reported at once, each fault with its path (``offers[0].fees[1].rate``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from market.calendar import provisional_years
from market.errors import Code, Fault, Invalid
from market.lpr import LprTable
from market.reference import calendar
from market.terms import BridgeTerms, FlowTerms, LeaseTerms, LoanTerms, Priceable, Terms
from services.exchange import flows, regular, short_terms
from services.exchange.charges import read_fees, read_subsidies, refuse_prepaid_interest
from services.exchange.fields import Fields, load, shorten

__all__ = [
    "ALL_KINDS",
    "FILE_KINDS",
    "Offer",
    "read_document",
    "read_fees",
    "read_file",
    "read_offer",
    "read_subsidies",
    "read_terms",
    "write_offer",
    "write_terms",
]

#: What a bid hands out, and therefore what is stored.
STORED_KINDS = ("loan", "lease")
#: What an offers file may hold.
FILE_KINDS = (*STORED_KINDS, "flows")
ALL_KINDS = (*FILE_KINDS, "bill", "factoring", "bridge", "cover")


@dataclass(frozen=True, slots=True)
class Offer:
    """One entry of an offers file.

    ``declared`` is the annual cost that the offer itself states, ``provisional_years`` the years whose
    working days were not final when its payments were rolled off holidays.
    """

    id: str
    terms: Priceable
    declared: Decimal | None = None
    provisional_years: tuple[int, ...] = ()


def read_file(content: bytes, lpr: LprTable) -> list[Offer]:
    """Return the offers of a JSON file; raises ``Invalid`` with every fault in it."""
    return _read_document(load(content), lpr, FILE_KINDS, may_declare=False)


def read_document(data: Any, lpr: LprTable) -> list[Offer]:
    """Return the offers of JSON values, of any kind and each with the rate it may declare.

    Raises ``Invalid`` with every fault in them.
    """
    return _read_document(data, lpr, ALL_KINDS, may_declare=True)


def read_offer(data: Any, path: str = "", *, lpr: LprTable | None = None) -> Terms:
    """Return the terms of one loan or lease (``kind`` says which); raises ``Invalid`` with every fault.

    Without ``lpr`` a floating rate is refused: what is stored has its rate fixed.
    """
    return cast(Terms, read_terms(data, path, lpr=lpr, kinds=STORED_KINDS))


def read_terms(
    data: Any,
    path: str = "",
    *,
    lpr: LprTable | None = None,
    kinds: Sequence[str] = ALL_KINDS,
    stored: bool = True,
) -> Priceable:
    """Return the terms of one offer (``kind`` says which); raises ``Invalid`` with every fault.

    What is ``stored`` was judged when it came in, and a rule must not make a loan unreadable that was made
    before it: interest deducted in advance, or a fee that begins after the end, is refused at the door only.
    """
    faults: list[Fault] = []
    fields = Fields(data, path, faults)
    kind = _read_kind(fields, kinds)
    terms, _ = _read(fields, kind, lpr, stored=stored)
    if kind:
        fields.finish()
    if faults:
        raise Invalid(*faults)
    return terms


def write_offer(terms: Terms) -> dict[str, Any]:
    """Return the terms as JSON values that ``read_offer`` reads back to the same terms."""
    return regular.write_regular(terms)


def write_terms(terms: Priceable) -> dict[str, Any]:
    """Return the terms of any offer as JSON values that ``read_terms`` reads back to the same terms."""
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        return regular.write_regular(terms)
    if isinstance(terms, FlowTerms):
        return {"kind": "flows", **flows.write_flows(terms)}
    return short_terms.write_short(terms)


def _read_document(data: Any, lpr: LprTable, kinds: Sequence[str], *, may_declare: bool) -> list[Offer]:
    faults: list[Fault] = []
    document = Fields(data, "", faults)
    offers = [
        _read_entry(item, path, faults, lpr, kinds, may_declare) for path, item in document.items("offers")
    ]
    if not offers and not faults:
        document.note(Code.REQUIRED, "offers")
    document.finish()
    seen: set[str] = set()
    for place, offer in enumerate(offers):
        if offer.id and offer.id in seen:
            faults.append(Fault(Code.REPEATED, f"offers[{place}].id", {"value": offer.id}))
        seen.add(offer.id)
    if faults:
        raise Invalid(*faults)
    return offers


def _read_entry(
    item: Any, path: str, faults: list[Fault], lpr: LprTable, kinds: Sequence[str], may_declare: bool
) -> Offer:
    fields = Fields(item, path, faults)
    id = fields.text("id")
    kind = _read_kind(fields, kinds)
    declared = fields.rate("declared_rate", None) if may_declare else None
    terms, rolled = _read(fields, kind, lpr, stored=False)
    # Without a kind nothing else can be judged: one fault says enough.
    if kind:
        fields.finish()
    return Offer(id, terms, declared, provisional_years(rolled, calendar()))


def _read_kind(fields: Fields, kinds: Sequence[str]) -> str:
    kind = fields.text("kind")
    if kind in kinds:
        return str(kind)
    if kind:
        fields.note(Code.NOT_A_CHOICE, "kind", value=shorten(kind), choices=list(kinds))
    return ""


def _read(
    fields: Fields, kind: str, lpr: LprTable | None, *, stored: bool
) -> tuple[Priceable, tuple[date, ...]]:
    """Read the terms of a kind, and the days whose place the working-day calendar decided."""
    terms: Priceable = FlowTerms(())
    rolled: tuple[date, ...] = ()
    if kind == "loan":
        terms, rolled = regular.read_loan(fields, lpr, stored=stored)
    elif kind == "lease":
        terms, rolled = regular.read_lease(fields, lpr, stored=stored)
    elif kind == "flows":
        terms = flows.read_flows(fields)
    elif kind == "bill":
        terms, rolled = short_terms.read_bill(fields, stored=stored)
    elif kind == "factoring":
        terms = short_terms.read_factoring(fields, stored=stored)
    elif kind == "bridge":
        terms = short_terms.read_bridge(fields, stored=stored)
    elif kind == "cover":
        terms = short_terms.read_cover(fields, stored=stored)
    if not stored and isinstance(terms, (LoanTerms, BridgeTerms)):
        refuse_prepaid_interest(fields, terms.fees, short=isinstance(terms, BridgeTerms))
    return terms, rolled
