"""Why things are as they are, in words: conditions, ranks, rounds and contracts explain themselves.

The services store codes and values; each function here turns one such explanation into a sentence in the
reader's language. Unknown codes are shown as they are rather than hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from blueprints import formats, labels, low_prices
from market.eligibility import AMOUNTS
from market.eligibility_fixes import Fix
from market.vocabulary import (
    OfferKind,
    OrganisationKind,
    Purpose,
    Repayment,
    Security,
    SizeClass,
)

#: Why an offer has no annual cost (``market.root.NoRate``).
NO_RATE: dict[str, Any] = {
    "all_zero": lazy_gettext("nothing is received or paid"),
    "one_sided": lazy_gettext("money flows in one direction only"),
    "no_root": lazy_gettext("no rate makes what is received and what is paid equal"),
    "beyond": lazy_gettext("the rate is beyond any sensible figure"),
}

#: Why no loan may lean on a contract (``market.contract_record.Obstacle``).
OBSTACLES: dict[str, Any] = {
    "no_credit_code": lazy_gettext("its supplier has no credit code"),
    "bad_credit_code": lazy_gettext("its supplier's credit code is not valid"),
    "several_suppliers": lazy_gettext("it has several suppliers"),
    "no_amount": lazy_gettext("it has no amount"),
    "amount_not_positive": lazy_gettext("its amount is not above zero"),
    "no_currency": lazy_gettext("it names no currency"),
    "foreign_currency": lazy_gettext("it is not in yuan"),
    "not_in_force": lazy_gettext("it is not in force yet"),
    "cancelled": lazy_gettext("it was cancelled"),
    "terminated": lazy_gettext("it has ended"),
    "impossible_dates": lazy_gettext("its dates cannot be true"),
    "doubtful_payments": lazy_gettext("its payments are in doubt"),
    "unconfirmed": lazy_gettext("neither its purchaser nor an officer has confirmed it"),
}

#: Why a receivable cannot be financed, where a contract has no such reason.
RECEIVABLE_OBSTACLES: dict[str, Any] = {
    "right_refused": lazy_gettext("its debtor refused to confirm it"),
    "withdrawn": lazy_gettext("its supplier withdrew it"),
    "paid": lazy_gettext("it is paid already"),
    "past_due": lazy_gettext("it is past its due date"),
}

#: What the law calls the fees it forbids (``market/reference/forbidden_fees.csv``).
FORBIDDEN_FEES: dict[str, Any] = {
    "commitment_fee": lazy_gettext("commitment fee"),
    "fund_management_fee": lazy_gettext("fund management fee"),
    "early_repayment_penalty": lazy_gettext("penalty for early repayment"),
    "collateral_valuation": lazy_gettext("valuation of collateral, which the bank bears"),
}

#: What a condition asks about (``market.eligibility.FACTS``).
FACTS: dict[str, Any] = {
    "size_class": lazy_gettext("size of the firm"),
    "industry": lazy_gettext("industry"),
    "tags": lazy_gettext("qualification"),
    "age_months": lazy_gettext("age of the firm"),
    "staff_count": lazy_gettext("number of staff"),
    "annual_revenue": lazy_gettext("annual revenue"),
    "tax_grade": lazy_gettext("tax credit grade"),
    "whitelisted": lazy_gettext("on the zone's whitelist"),
    "purpose": lazy_gettext("purpose"),
    "securities": lazy_gettext("security offered"),
    "accepts": lazy_gettext("kind of offer accepted"),
    "amount": lazy_gettext("amount"),
    "months": lazy_gettext("tenor"),
    "repayment": lazy_gettext("way of repayment"),
    "zone": lazy_gettext("zone"),
    "ip_grade": lazy_gettext("knowledge-value grade"),
    "exposure": lazy_gettext("owed to lenders of this zone"),
    "has_contract": lazy_gettext("government contract behind it"),
    "contract_amount": lazy_gettext("amount of the contract"),
    "contract_retention": lazy_gettext("retention of the contract"),
    "contract_days_left": lazy_gettext("days left in the contract"),
    "purchaser_kind": lazy_gettext("kind of purchaser"),
    "purchaser_on_time_share": lazy_gettext("share of the purchaser's payments on time"),
    "purchaser_p90_lag_days": lazy_gettext("days late of the purchaser in nine of ten payments"),
}

#: Qualifications of firms, by the code of the tag.
TAGS: dict[str, Any] = {
    "tech_sme": lazy_gettext("technology SME"),
    "high_tech": lazy_gettext("high-tech enterprise"),
    "specialised": lazy_gettext("specialised and sophisticated"),
    "little_giant": lazy_gettext("national little giant"),
    "gazelle": lazy_gettext("gazelle"),
    "unicorn": lazy_gettext("unicorn"),
    "listed": lazy_gettext("listed or about to list"),
    "incubated": lazy_gettext("incubated firm"),
    "talent": lazy_gettext("founded by recognised talent"),
    "knowledge_a": lazy_gettext("knowledge-value grade A"),
    "knowledge_b": lazy_gettext("knowledge-value grade B"),
    "knowledge_c": lazy_gettext("knowledge-value grade C"),
    "knowledge_d": lazy_gettext("knowledge-value grade D"),
    "knowledge_e": lazy_gettext("knowledge-value grade E"),
}

_KINDS: dict[str, Any] = {
    "size_class": SizeClass,
    "purpose": Purpose,
    "securities": Security,
    "accepts": OfferKind,
    "repayment": Repayment,
    "purchaser_kind": OrganisationKind,
}
#: Facts that are counted from a purchaser's payments, and of which too few say nothing.
_COUNTED_FACTS = frozenset({"purchaser_on_time_share", "purchaser_p90_lag_days"})
_MONTH_FACTS = frozenset({"months", "age_months"})

_NEED_REASONS: dict[str, Any] = {
    "no_bids": lazy_gettext("No institution placed a bid."),
    "no_ranked_bid": lazy_gettext("No bid could be ranked."),
    "too_few_bids": lazy_gettext("Fewer bids came than the firm wanted to compare."),
    "low_bids_refused": lazy_gettext("Every bid that was left was refused as unusually low."),
    "not_accepted_in_time": lazy_gettext("No bid was accepted within the acceptance window."),
    "declined": lazy_gettext(
        "The chosen institution declined after its review, and no other bid still held."
    ),
}


def condition(item: Any) -> str:
    """Return a condition in words: "age of the firm at least 24 months".

    ``item`` is a condition as a mapping or object with ``fact``, ``test`` and ``value``; a ``found`` that
    says what there is instead is added.
    """
    is_failed = hasattr(item, "condition") or (isinstance(item, Mapping) and "found" in item)
    if not isinstance(item, Mapping):
        inner = getattr(item, "condition", item)
        item = {
            "fact": inner.fact,
            "test": inner.test,
            "value": inner.value,
            "found": getattr(item, "found", None),
        }
    fact, test = str(item.get("fact", "")), str(item.get("test", ""))
    what = str(FACTS.get(fact, fact))
    if isinstance(item.get("value"), bool):
        return what if item["value"] else gettext("not %(what)s", what=what)
    value = say_fact(fact, item.get("value"))
    if test == "at_least":
        said = gettext("%(what)s at least %(value)s", what=what, value=value)
    elif test == "at_most":
        said = gettext("%(what)s at most %(value)s", what=what, value=value)
    elif test in {"in", "has_any"}:
        said = gettext("%(what)s one of %(value)s", what=what, value=value)
    else:
        said = gettext("%(what)s %(value)s", what=what, value=value)
    found = item.get("found")
    if is_failed and found is None and fact in _COUNTED_FACTS:
        return gettext("%(said)s (too few payments of this purchaser are known)", said=said)
    if found is None or isinstance(found, bool) or test not in {"at_least", "at_most"}:
        return said
    return gettext("%(said)s (now %(found)s)", said=said, found=say_fact(fact, found))


def fix(change: Fix) -> str:
    """Return what a single change of a need would open: "With 3 million yuan instead, 2 more would fit"."""
    value, opens = say_fact(change.fact, change.value), change.opens
    if change.fact == "months":
        return ngettext(
            "Over %(value)s instead, %(num)s more product would fit.",
            "Over %(value)s instead, %(num)s more products would fit.",
            opens,
            value=value,
        )
    if change.fact == "accepts":
        return ngettext(
            "Open to %(value)s as well, %(num)s more product would fit.",
            "Open to %(value)s as well, %(num)s more products would fit.",
            opens,
            value=value,
        )
    if change.fact == "repayment":
        return ngettext(
            "Repaid as “%(value)s”, %(num)s more product would fit.",
            "Repaid as “%(value)s”, %(num)s more products would fit.",
            opens,
            value=value,
        )
    if change.fact == "securities":
        return ngettext(
            "With “%(value)s” as security as well, %(num)s more product would fit.",
            "With “%(value)s” as security as well, %(num)s more products would fit.",
            opens,
            value=value,
        )
    if change.fact == "tags":
        return ngettext(
            "With the qualification “%(value)s”, %(num)s more product would fit.",
            "With the qualification “%(value)s”, %(num)s more products would fit.",
            opens,
            value=value,
        )
    return ngettext(
        "With %(value)s instead, %(num)s more product would fit.",
        "With %(value)s instead, %(num)s more products would fit.",
        opens,
        value=value,
    )


def say_fact(fact: str, value: Any) -> str:
    """Return the value of a fact in words: fen as money, months as months, words by their labels."""
    if value is None:
        return formats.ABSENT
    if isinstance(value, list | tuple | set | frozenset):
        return gettext(", ").join(say_fact(fact, inner) for inner in value) or formats.ABSENT
    if fact in AMOUNTS:
        return formats.money_text(int(value))
    if fact in _MONTH_FACTS:
        return formats.months(int(value))
    if fact == "purchaser_on_time_share":
        return f"{int(value)}%"
    if fact == "purchaser_p90_lag_days":
        return ngettext("%(num)s day", "%(num)s days", int(value))
    if fact == "tags":
        return str(TAGS.get(str(value), value))
    kind = _KINDS.get(fact)
    if kind is not None and value in {member.value for member in kind}:
        return str(labels.label(kind(value)))
    return str(value)


def rank(reason: Mapping[str, Any] | None) -> str:
    """Return why a bid stands where it stands (``market.ranking.Ranked.describe``)."""
    if not reason:
        return ""
    code, values = str(reason.get("code", "")), reason
    if code == "best":
        return gettext("Lowest annual cost of all bids.")
    if code == "dearer":
        return gettext(
            "%(gap)s points dearer per year than the bid above; below %(rate)s it would rank higher.",
            gap=_percent(values.get("effective_gap")).removesuffix("%"),
            rate=_percent(values.get("to_rank_higher")),
        )
    if code == "higher_total":
        return gettext(
            "Same annual cost as the bid above, %(gap)s yuan more in total.",
            gap=values.get("total_gap", formats.ABSENT),
        )
    if code == "later":
        return gettext("Same cost as the bid above, received later.")
    if code in low_prices.REFUSALS:
        return str(low_prices.REFUSALS[code])
    if code == "other_terms":
        return gettext(
            "Listed apart: it differs from what was asked by %(amount)s and %(months)s months.",
            amount=_yuan(values.get("amount_difference")),
            months=values.get("months_difference", formats.ABSENT),
        )
    if code == "no_rate":
        note = str(values.get("note"))
        return gettext("Not ranked: %(note)s.", note=NO_RATE.get(note, note))
    if code == "suspended":
        return gettext("Not opened to the firm: the institution was suspended at the close.")
    if code == "seal_broken":
        return gettext("Its seal did not open: it does not match its receipt.")
    return code


def unsuccessful(reason: str | None) -> str:
    """Return why a need ended without an award."""
    return "" if not reason else str(_NEED_REASONS.get(reason, reason))


def proposal(why: Mapping[str, Any] | None) -> str:
    """Return why a matching round proposed this bid, or none (``market.clearing.explain``)."""
    if not why:
        return ""
    code = str(why.get("code", ""))
    if code == "cheapest":
        return gettext("The cheapest of %(count)s live bids.", count=why.get("compared", 1))
    if code == "cheaper_used_up":
        return gettext(
            "A cheaper bid could not be placed: its institution's limit serves other needs at a lower total "
            "cost. This one costs %(more)s a year more.",
            more=_money(why.get("more")),
        )
    if code == "shared":
        count = int(why.get("compared") or 1)
        if missing := why.get("missing"):
            return ngettext(
                "The %(num)s live bid, as far as limits carry it; %(amount)s are not covered.",
                "Of %(num)s live bids, the cheapest parts that limits carry; %(amount)s are not covered.",
                count,
                amount=_money(missing),
            )
        return ngettext(
            "The %(num)s live bid, as far as limits carry it.",
            "Of %(num)s live bids, the cheapest parts that limits carry.",
            count,
        )
    if code == "no_live_bid":
        return gettext("No live bid stood when the round was opened.")
    if code == "above_reserve":
        return gettext("Every bid costs more than the firm said it would pay.")
    if code == "limit_used_up":
        return gettext(
            "The limit of the best institution went to other needs: %(left)s were left, %(asked)s needed.",
            left=_money(why.get("left")),
            asked=_money(why.get("asked")),
        )
    return code


def obstacles(codes: Sequence[str]) -> str:
    """Return why a contract or receivable cannot be financed; empty if it can."""
    words = OBSTACLES | RECEIVABLE_OBSTACLES
    return gettext(", ").join(str(words.get(code, code)) for code in codes)


def tag(code: str) -> str:
    """Return the name of a qualification."""
    return str(TAGS.get(code, code))


def _moment(text: Any) -> str:
    return formats.ABSENT if text is None else formats.moment_text(datetime.fromisoformat(str(text)))


def _percent(text: Any) -> str:
    return formats.ABSENT if text is None else formats.rate(Decimal(str(text)))


def _yuan(text: Any) -> str:
    """Return a difference that is kept as yuan with two places, sign first."""
    return formats.ABSENT if text is None else formats.money_text(int(Decimal(str(text)) * 100))


def _money(fen: Any) -> str:
    return formats.money_text(fen) if isinstance(fen, int) else formats.ABSENT
