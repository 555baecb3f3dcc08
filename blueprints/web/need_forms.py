"""The fields of a need on pages: as a person types them, as answers, and what the pages show beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from blueprints import access
from blueprints.web.charge_rows import trim
from blueprints.web.forms import Form
from blueprints.web.need_answers import Answers
from market.bidding import ROUNDS_MOST
from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.calendar import local_date
from market.errors import Code
from market.party import Party
from market.vocabulary import OfferKind, Purpose, Repayment, Security
from models.contract import Contract
from services import need_drafts, needs, receivable_uses, visibility

FIELD_WORDS = {
    "amount": lazy_gettext("Amount"),
    "months": lazy_gettext("Tenor"),
    "contract_id": lazy_gettext("Contract"),
    "receivables": lazy_gettext("Receivables"),
    "reserve_rate": lazy_gettext("Highest annual cost you would pay"),
    "minimum_bids": lazy_gettext("Least number of bids"),
    "bid_policy": lazy_gettext("What bidders see"),
    "round_count": lazy_gettext("Bid rounds"),
    "round_hours": lazy_gettext("Hours of each further round"),
    "few_bids": lazy_gettext("If too few bid"),
    "visibility": lazy_gettext("Who may see it"),
    "audience": lazy_gettext("Institutions"),
}


def make(values: Any) -> Form:
    """Return a form over what was typed, with the words of its fields."""
    return Form(MultiDict(values), labels=FIELD_WORDS)


def describe(contracts: Sequence[Contract], by: Party, *, contract_id: int | None) -> dict[str, Any]:
    """Return what the fields show beside what was typed: contracts with their room, institutions, choices."""
    return {
        "contracts": contracts,
        "rooms": {contract.id: needs.read_room(contract.id) for contract in contracts},
        "contract": next((one for one in contracts if one.id == contract_id), None),
        "receivables": receivable_uses.list_financeable(by, local_date(access.now())),
        "institutions": visibility.list_choices(by.zone_id),
        "repayments": tuple(Repayment),
    }


def read_all(form: Form) -> Answers:
    """Read every field of a need at once."""
    return {name: value for read in READERS.values() for name, value in read(form).items()}


def write(answers: Answers) -> MultiDict[str, Any]:
    """Return answers as a person would have typed them."""
    amount, reserve = answers.get("amount"), answers.get("reserve_rate")
    values: MultiDict[str, Any] = MultiDict(
        {
            "purpose": answers.get("purpose") or "",
            "contract_id": answers.get("contract_id") or "",
            "amount": trim(Decimal(amount) / 1_000_000) if amount else "",
            "months": answers.get("months") or "",
            "repayment": answers.get("repayment") or "",
            "reserve_rate": trim(Decimal(reserve) * 100) if reserve else "",
            "minimum_bids": answers["minimum_bids"],
            "bid_policy": answers["bid_policy"],
            "round_count": answers["round_count"],
            "round_hours": answers["round_hours"],
            "few_bids": answers["few_bids"],
            "visibility": answers["visibility"],
            "syndicated": "1" if answers["syndicated"] else "",
            "joins_matching": "1" if answers["joins_matching"] else "",
            "shows_name": "1" if answers["shows_name"] else "",
            "description": answers["description"],
        }
    )
    values.setlist("securities", answers["securities"])
    values.setlist("accepts", answers["accepts"])
    values.setlist("receivables", [str(number) for number in answers["receivables"]])
    values.setlist("audience", [str(number) for number in answers["audience"]])
    return values


def _read_purpose(form: Form) -> Answers:
    purpose = form.choice("purpose", Purpose)
    contract_id = form.whole("contract_id", least=1, most=2**31) if purpose is Purpose.CONTRACT else None
    offered = [int(number) for number in form.chosen("receivables") if number.isascii() and number.isdigit()]
    answers: Answers = {
        "purpose": purpose.value if purpose else None,
        "contract_id": contract_id,
        # A contract is financed whole or by its invoices: whoever offers the whole offers no invoice.
        "receivables": [] if purpose is Purpose.CONTRACT else [n for n in offered if n < 2**31],
    }
    # What has one lender is not shared, so that the wizard does not ask whether several may.
    one_lender = purpose is Purpose.CONTRACT or answers["receivables"]
    return answers | {"syndicated": False} if one_lender else answers


def _read_amount(form: Form) -> Answers:
    amount = form.wan("amount")
    if amount == 0:
        form.refuse(Code.TOO_SMALL, "amount", value=0, least=1)
    repayment = form.choice("repayment", Repayment, required=False)
    return {
        "amount": amount,
        "months": form.whole("months", least=1, most=360),
        "repayment": repayment.value if repayment else None,
    }


def _read_security(form: Form) -> Answers:
    return {
        "securities": [member.value for member in form.choices("securities", Security)],
        "accepts": [member.value for member in form.choices("accepts", OfferKind)],
    }


def _read_bidding(form: Form) -> Answers:
    policy, few = form.choice("bid_policy", BidPolicy), form.choice("few_bids", FewBids)
    return {
        "bid_policy": policy.value if policy else None,
        "round_count": form.whole("round_count", least=1, most=ROUNDS_MOST),
        "round_hours": form.whole("round_hours", least=1, most=need_drafts.ROUND_HOURS_MOST),
        "minimum_bids": form.whole("minimum_bids", least=1, most=need_drafts.MINIMUM_MOST),
        "few_bids": few.value if few else None,
    }


def _read_audience(form: Form) -> Answers:
    shown = form.choice("visibility", Visibility)
    ticked = {int(text) for text in form.chosen("audience") if text.isdecimal() and len(text) < 10}
    # Who goes back to all institutions has nobody to name, whatever is ticked in the list that closed.
    named = [] if shown in (None, Visibility.ALL) else sorted(ticked)
    if shown not in (None, Visibility.ALL) and not named:
        form.refuse(Code.REQUIRED, "audience")
    return {
        "visibility": shown.value if shown else None,
        "audience": named,
        "shows_name": form.flag("shows_name"),
    }


def _read_options(form: Form) -> Answers:
    reserve = form.percent("reserve_rate", required=False, most=100)
    return {
        "reserve_rate": str(reserve) if reserve is not None else None,
        "joins_matching": form.flag("joins_matching"),
        "syndicated": form.flag("syndicated"),
        "description": form.text("description", required=False, most=500) or "",
    }


READERS: dict[str, Callable[[Form], Answers]] = {
    "purpose": _read_purpose,
    "amount": _read_amount,
    "security": _read_security,
    "bidding": _read_bidding,
    "audience": _read_audience,
    "options": _read_options,
}
