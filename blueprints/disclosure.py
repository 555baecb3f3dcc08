"""The words of the disclosure sheet: what each cost is, who is paid, of what, when and how often.

A row is one item as ``market.disclosure`` lists it, in the page, in the printed sheet and in what is stored
with a bid; ``rows`` lists those of a cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from blueprints import formats, labels
from market import disclosure
from market.cost import Cost
from market.schedule import Part
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Priceable,
)
from market.vocabulary import FeeBasis, FeeTiming, Interval

#: What a part of the cost is (``market.schedule.Part``).
PARTS: dict[str, Any] = {
    "interest": lazy_gettext("Interest"),
    "fee": lazy_gettext("Fee"),
    "subsidy": lazy_gettext("Subsidy"),
    "buyout": lazy_gettext("Buy-out price"),
    "deposit": lazy_gettext("Deposit"),
    "bare": lazy_gettext("Cost"),
}
#: What a single flow is: a part of the cost, or money that comes and goes.
FLOWS: dict[str, Any] = {**PARTS, "principal": lazy_gettext("Principal"), "bare": lazy_gettext("Flow")}
#: What the reader of offers calls a charge that has no name of its own.
_NAMELESS = frozenset({"", "fee", "subsidy"})
#: Payees that only the pages know.
_OWN_PAYEES: dict[str, Any] = {
    "appraiser": lazy_gettext("Appraiser"),
    "lessor": lazy_gettext("Lessor"),
    "notary": lazy_gettext("Notary"),
    "registry": lazy_gettext("Registry"),
    "others": lazy_gettext("Others"),
}
#: A rate of a basis. Percent signs of their own would be read as placeholders.
_OF: dict[FeeBasis, Any] = {
    FeeBasis.PRINCIPAL: lazy_gettext("%(rate)s of the principal"),
    FeeBasis.OUTSTANDING: lazy_gettext("%(rate)s of the balance owed"),
    FeeBasis.RENT: lazy_gettext("%(rate)s of the rents or instalments"),
    FeeBasis.INTEREST: lazy_gettext("%(rate)s of the interest"),
}
#: The halves of a convention (``market.cost.convention``).
_CONVENTIONS: dict[str, Any] = {
    "30/360": lazy_gettext("Interest counts whole months of thirty days (30/360)."),
    "act/360": lazy_gettext("Interest counts the actual days over a year of 360 (act/360)."),
    "act/365": lazy_gettext("Interest counts the actual days over a year of 365 (act/365)."),
    "per day": lazy_gettext("Interest counts every day at the rate of that day."),
    "cover alone": lazy_gettext(
        "The cover is priced by itself: what it costs on a loan of that amount without interest."
    ),
    "months/12": lazy_gettext(
        "The annual cost is the yearly rate at which all that is received and all that is paid are worth the "
        "same; months count as twelfths of a year: (1 + monthly rate)^12 − 1."
    ),
    "days/365": lazy_gettext(
        "The annual cost is the yearly rate at which all that is received and all that is paid are worth the "
        "same; times count in actual days over 365."
    ),
    "years": lazy_gettext(
        "The annual cost is the yearly rate at which all that is received and all that is paid are worth the "
        "same; times count in years."
    ),
}


def rows(cost: Cost) -> list[dict[str, Any]]:
    """Return the items of a cost as JSON values, with what only its terms tell of an interest."""
    listed = disclosure.list_parts(cost)
    flows = cost.schedule.flows
    for row in listed:
        if isinstance(cost.terms, BillTerms) and not row.get("name"):
            # A discount and its fee are kept back of the face amount, by the days.
            row |= {"per": "year", "basis": FeeBasis.PRINCIPAL.value}
        if row["part"] != Part.INTEREST.value:
            continue
        if isinstance(cost.terms, BridgeTerms):
            row["per"] = "day"
        if any(flow.part is Part.INTEREST and flow.month == flows[0].month for flow in flows):
            row["when"] = FeeTiming.UPFRONT.value
    return listed


def part(row: Mapping[str, Any]) -> str:
    """Return what a row is, by its own name if it has one."""
    kind, name = str(row.get("part", "")), str(row.get("name") or "")
    return str(PARTS.get(kind, kind)) if name in _NAMELESS else name


def payee(name: str) -> str:
    """Return who is paid, in words."""
    return str(_OWN_PAYEES[name]) if name in _OWN_PAYEES else str(labels.payee(name))


def basis(row: Mapping[str, Any]) -> str:
    """Return what a row is counted by: a rate and what it is taken of, or a flat amount."""
    rate = _decimal(row.get("rate"))
    if rate is None:
        return gettext("agreed with the flows") if row.get("part") == "bare" else gettext("flat amount")
    if row.get("per") == "year":
        return gettext("%(rate)s a year of the face amount") % {"rate": _percent(rate)}
    if row.get("part") == "interest":
        return _interest_basis(rate, row)
    said = str(_OF[FeeBasis(row.get("basis") or FeeBasis.PRINCIPAL)]) % {"rate": _percent(rate)}
    covered = _decimal(row.get("share"))
    if covered is None or covered == 1:
        return said
    return gettext("%(rate_of_basis)s, on %(share)s of it", rate_of_basis=said, share=formats.share(covered))


def timing(row: Mapping[str, Any]) -> str:
    """Return when a row is paid."""
    when = row.get("when")
    if row.get("part") == "deposit":
        return gettext("at drawdown, given back at the end")
    if row.get("part") == "bare":
        return formats.ABSENT
    if when is None and int(row.get("times") or 0) == 1:
        # Interest in one sum comes with the principal: in advance the law forbids it.
        when = FeeTiming.END.value
    said = str(labels.label(FeeTiming(when))) if when else gettext("With the instalments")
    if begins := int(row.get("from_month") or 0):
        said = gettext("%(when)s, from month %(month)s", when=said, month=begins)
    if late := int(row.get("lag_months") or 0):
        said = ngettext("%(when)s, %(num)s month later", "%(when)s, %(num)s months later", late, when=said)
    return said


def times(row: Mapping[str, Any]) -> str:
    """Return how often a row is paid."""
    return formats.count(int(row.get("times") or 0))


def total(row: Mapping[str, Any]) -> str:
    """Return what a row comes to, in yuan."""
    return formats.exact(int(row.get("total") or 0))


def note(row: Mapping[str, Any]) -> str:
    """Return what an amount does not say by itself; empty for most."""
    held = int(row.get("held") or 0)
    return gettext("%(amount)s held, no cost by itself", amount=formats.exact(held)) if held else ""


def _interest_basis(rate: Decimal, row: Mapping[str, Any]) -> str:
    by_day = row.get("per") == "day"
    pattern = gettext("%(rate)s a day") if by_day else gettext("%(rate)s a year of the balance owed")
    said = pattern % {"rate": _percent(rate)}
    steps: Sequence[Sequence[Any]] = row.get("steps") or ()
    changes = [
        (gettext("%(rate)s from day %(at)s") if by_day else gettext("%(rate)s from month %(at)s"))
        % {"rate": _percent(Decimal(str(step))), "at": at}
        for at, step in steps
    ]
    return gettext("; ").join([said, *changes])


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _percent(rate: Decimal) -> str:
    """Return a rate in percent with at least two decimals, and as many as it has."""
    places = max(2, -int((rate * 100).normalize().as_tuple().exponent))
    return formats.rate(rate, places)


def facts(terms: Priceable) -> list[tuple[str, str]]:
    """Return what was agreed, as (words, value), whatever kind of financing it is."""
    listed: list[tuple[str, str]] = []
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        listed = _regular_facts(terms)
    elif isinstance(terms, (BillTerms, FactoringTerms)):
        listed = [
            (gettext("Face amount"), _yuan(terms.face)),
            (gettext("Days to maturity"), formats.count(terms.days)),
            (gettext("Nominal rate"), _percent(terms.rate)),
        ]
        if isinstance(terms, FactoringTerms):
            listed.insert(1, (gettext("Share paid out"), formats.share(terms.advance)))
    elif isinstance(terms, BridgeTerms):
        listed = [
            (gettext("Principal"), _yuan(terms.principal)),
            (gettext("Days"), formats.count(terms.days)),
            (gettext("Rate a day"), _percent(terms.daily_rate)),
        ]
    elif isinstance(terms, CoverTerms):
        listed = [
            (gettext("Amount covered"), _yuan(terms.amount)),
            (gettext("Tenor"), formats.months(terms.months)),
            (gettext("Provider"), payee(terms.provider)),
        ]
    return listed


def principal(terms: Priceable) -> int | None:
    """Return the amount that is borrowed or covered, in fen; None for bare flows."""
    if isinstance(terms, FlowTerms):
        return None
    if isinstance(terms, (BillTerms, FactoringTerms)):
        return terms.face
    return terms.amount if isinstance(terms, CoverTerms) else terms.principal


def convention(code: str) -> list[str]:
    """Return how interest is counted and how the cost is made annual, in sentences."""
    return [str(_CONVENTIONS[part]) for part in code.split("; ") if part in _CONVENTIONS]


def _regular_facts(terms: LoanTerms | LeaseTerms) -> list[tuple[str, str]]:
    listed = [
        (gettext("Principal"), _yuan(terms.principal)),
        (gettext("Tenor"), formats.months(terms.months)),
        (gettext("Nominal rate"), _percent(terms.rate)),
    ]
    if isinstance(terms, LoanTerms):
        listed.append((gettext("Repayment"), str(labels.label(terms.repayment))))
    else:
        listed.append((gettext("Rent"), str(labels.label(terms.rent))))
    if terms.interval is not Interval.MONTHLY:
        listed.append((gettext("Payments"), str(labels.label(terms.interval))))
    if terms.deposit:
        held = formats.share(terms.deposit)
        held_by = gettext("%(share)s, held by: %(payee)s", share=held, payee=payee(terms.deposit_holder))
        listed.append((gettext("Deposit"), held_by))
    if isinstance(terms, LeaseTerms):
        if terms.buyout:
            listed.append((gettext("Buy-out price"), _yuan(terms.buyout)))
        if terms.prelease_months:
            listed.append((gettext("Before the first rental period"), formats.months(terms.prelease_months)))
    if terms.start is not None:
        listed.append((gettext("Start"), formats.day(terms.start)))
    listed.append((gettext("Day count"), str(labels.label(terms.day_count))))
    return listed


def _yuan(fen: int) -> str:
    return gettext("%(amount)s yuan", amount=formats.exact(fen))
