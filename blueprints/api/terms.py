"""Terms as the API speaks them: fees, subsidies, conditions, and what an offer costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import marshmallow as ma

from blueprints.api import fields
from blueprints.api.parsing import Answer, Body
from market.eligibility import AMOUNTS, FACTS, Failure
from market.errors import Code, Fault, Invalid
from market.money import MOST_FEN, parse_yuan, yuan
from market.vocabulary import FeeBasis, FeeTiming, Recipient
from services.exchange.fields import name_kind
from services.exchange.offers import read_fees, read_subsidies
from services.exchange.regular import read_rate_steps

#: Facts whose figures are amounts: fen inside, yuan outside.
MONEY_FACTS = AMOUNTS


class FeeEntry(Body):
    """A cost beside interest: a `rate` of its basis per occurrence, or a flat `amount`."""

    name = fields.Text("What the fee is for.", most=200)
    when = fields.Word(FeeTiming, "When it is charged.", required=True)
    payee = fields.Text("Who receives it; `lender` if left out.", most=200)
    basis = fields.Word(FeeBasis, "What the rate is taken of; `principal` if left out.")
    rate = fields.Rate("Share of the basis per occurrence.", most=Decimal(10))
    amount = fields.Money("Flat amount per occurrence.")
    part = fields.Rate("Share of the basis that counts, such as the guaranteed part.")
    from_month = fields.Whole("Occurrences before this month are left out.", most=600)


class SubsidyEntry(Body):
    """Public money that lowers a cost; it counts for the firm only if the firm receives it."""

    name = fields.Text("Name of the programme.", most=200)
    when = fields.Word(FeeTiming, "When it is earned.", required=True)
    recipient = fields.Word(Recipient, "Who receives it; `firm` if left out.")
    basis = fields.Word(FeeBasis, "What the rate is taken of; `principal` if left out.")
    rate = fields.Rate("Share of the basis per occurrence.", most=Decimal(10))
    amount = fields.Money("Flat amount per occurrence.")
    part = fields.Rate("Share of the basis that the rate is taken of.")
    from_month = fields.Whole("Occurrences before this month are left out.", most=600)
    cap = fields.Money("The most that one deal gets, over all occurrences.")
    budget = fields.Money("What its programme has left.")
    lag_months = fields.Whole("Months between earning it and its payment.", most=24)
    passed_on = fields.Rate("Share that the institution hands on to the firm.")


class Fees(fields.Many):
    """A list of fees, read by the same rules as an offers file; ``raw`` keeps them as they were written."""

    entry: type[Body] = FeeEntry
    read: Callable[[Any, str], tuple[Any, ...]] = staticmethod(read_fees)

    def __init__(self, description: str = "", *, raw: bool = False, **options: Any) -> None:
        super().__init__(fields.Part(self.entry), description, most=20, **options)
        self._raw = raw

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, attr, data, **kwargs)
        try:
            charges = self.read(value, "")
        except Invalid as error:
            raise ma.ValidationError(list(error.faults)) from error
        return value if self._raw else charges


class Subsidies(Fees):
    """A list of subsidies."""

    entry = SubsidyEntry
    read = staticmethod(read_subsidies)


class RateSteps(fields.Pairs):
    """Later rates, read by the same rules as an offers file."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(int, description, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, attr, data, **kwargs)
        try:
            return read_rate_steps(value, "")
        except Invalid as error:
            raise ma.ValidationError(list(error.faults)) from error


class FeeAnswer(Answer):
    """A fee."""

    name = fields.Said()
    when = fields.Word(FeeTiming)
    payee = fields.Said()
    basis = fields.Word(FeeBasis)
    rate = fields.Rate(allow_none=True)
    amount = fields.Money(allow_none=True)
    part = fields.Rate("Share of the basis that the rate is taken of.")
    from_month = fields.Count("Occurrences before this month are left out.")


class SubsidyAnswer(Answer):
    """A subsidy."""

    name = fields.Said()
    when = fields.Word(FeeTiming)
    recipient = fields.Word(Recipient)
    basis = fields.Word(FeeBasis)
    rate = fields.Rate(allow_none=True)
    amount = fields.Money(allow_none=True)
    part = fields.Rate("Share of the basis that the rate is taken of.")
    from_month = fields.Count("Occurrences before this month are left out.")
    cap = fields.Money("The most that one deal gets.", allow_none=True)
    budget = fields.Money("What its programme has left.", allow_none=True)
    lag_months = fields.Count("Months between earning it and its payment.")
    passed_on = fields.Rate("Share that the institution hands on to the firm.")


class Value(fields.Field):
    """What a condition compares with: text, a whole number, yes or no, or a list of texts."""

    looks = {
        "oneOf": [
            {"type": "string"},
            {"type": "integer"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string"}},
        ]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        if isinstance(value, list) and (not value or not all(isinstance(item, str) for item in value)):
            raise fields.refuse_shape(value, "list")
        if not all(isinstance(item, (str, bool, int)) for item in items):
            raise fields.refuse_shape(value, "text")
        if any(isinstance(item, str) and len(item) > 200 for item in items) or len(items) > 100:
            raise fields.refuse(Code.TOO_LONG, value=str(items[0])[:40], most=200)
        if isinstance(value, int) and abs(value) > MOST_FEN:
            raise fields.refuse(Code.TOO_LARGE, value=value, most=MOST_FEN)
        return value


class ConditionEntry(Body):
    """One condition of a product on a firm or its need."""

    fact = fields.Text(
        "What is asked about.",
        most=40,
        required=True,
        metadata={"enum": sorted(FACTS), "example": "age_months"},
    )
    test = fields.Text(
        "How it is compared.",
        most=20,
        required=True,
        metadata={"enum": ["in", "is", "has", "has_any", "at_least", "at_most"], "example": "at_least"},
    )
    value = Value("What it is compared with; for amounts a yuan string.", required=True)

    @ma.post_load
    def read_amount(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Turn the yuan of an amount into fen."""
        if data["fact"] not in MONEY_FACTS:
            return data
        if not isinstance(data["value"], str):
            shape = Fault(Code.WRONG_SHAPE, None, {"kind": name_kind(data["value"]), "expected": "text"})
            raise ma.ValidationError({"value": [shape]})
        try:
            return {**data, "value": parse_yuan(data["value"])}
        except Invalid as error:
            raise ma.ValidationError({"value": list(error.faults)}) from error


class ConditionAnswer(Answer):
    """A condition."""

    fact = fields.Said()
    test = fields.Said()
    value = Value()


class FailureAnswer(ConditionAnswer):
    """A condition that is not met: what was found, and for numbers how far it is off."""

    found = fields.Field("What was found; null if nobody has shown it.", allow_none=True)
    distance = fields.Field("How far a number is off, as a string; null for words.", allow_none=True)


class CostPart(Answer):
    """One item of a cost."""

    part = fields.Said("`interest`, `fee`, `subsidy`, `buyout`, `deposit` or `bare`.")
    name = fields.Said(allow_none=True)
    payee = fields.Said()
    total = fields.Money("Over all payments; negative for a subsidy.", least=None)
    times = fields.Count("How many payments.")
    rate = fields.Rate(allow_none=True)
    basis = fields.Word(FeeBasis, allow_none=True)
    when = fields.Word(FeeTiming, allow_none=True)
    share = fields.Rate("Share of the basis that the rate is taken of.")
    steps = fields.Pairs(int, "Later rates: the month (or day) from which each holds, and the rate.")
    from_month = fields.Count("The month before which it is not charged.")
    lag_months = fields.Count("Months between earning a subsidy and its payment.")
    held = fields.Money("What is held and returned: a deposit costs nothing but its time.")


class Share(Answer):
    """What one payee receives of a cost."""

    payee = fields.Said()
    amount = fields.Money(least=None)


class CostAnswer(Answer):
    """What an offer costs the firm, all included."""

    effective = fields.Rate("Compound annual cost; null where `note` says why.", allow_none=True)
    simple = fields.Rate("The simple form of the same rate.", allow_none=True)
    total_cost = fields.Money("What is paid beyond what is received.", least=None)
    net_received = fields.Money("What arrives on the first day.", least=None)
    average_monthly_payment = fields.Money(allow_none=True, least=None)
    convention = fields.Said("How interest is counted and the cost annualised.")
    note = fields.Said("Why there is no rate.", allow_none=True)
    breakdown = fields.Many(fields.Part(Share))
    parts = fields.Many(fields.Part(CostPart))


#: What ``market.disclosure.list_parts`` leaves out, and what that means.
_OPTIONAL_IN_PART: dict[str, Any] = {
    **{"name": None, "rate": None, "basis": None, "when": None},
    **{"share": "1", "steps": [], "from_month": 0, "lag_months": 0, "held": 0},
}


def show_cost(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a described cost (as stored with a bid) in the shape of ``CostAnswer``."""
    return {
        **stored,
        "breakdown": [{"payee": payee, "amount": amount} for payee, amount in stored["breakdown"].items()],
        "parts": [{**_OPTIONAL_IN_PART, **part} for part in stored["parts"]],
    }


def show_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored condition with amounts in yuan."""
    return {**condition, "value": _figure(str(condition["fact"]), condition["value"])}


def show_failure(failure: Failure) -> dict[str, Any]:
    """Return an unmet condition as JSON values, amounts in yuan."""
    fact = failure.condition.fact
    distance = failure.distance
    return {
        "fact": fact,
        "test": failure.condition.test,
        "value": _figure(fact, failure.condition.value),
        "found": _figure(fact, failure.found),
        "distance": None if distance is None else str(_figure(fact, distance)),
    }


def _figure(fact: str, value: Any) -> Any:
    if fact in MONEY_FACTS and isinstance(value, int):
        return yuan(value)
    return f"{value:f}" if isinstance(value, Decimal) else value


def show_facts(stored: Mapping[str, Any] | None, amounts: frozenset[str]) -> dict[str, Any] | None:
    """Return stored facts with the named figures, kept as fen, in yuan."""
    if stored is None:
        return None
    return {
        key: yuan(value) if key in amounts and isinstance(value, int) else value
        for key, value in stored.items()
    }
