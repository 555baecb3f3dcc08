"""One contract of an OCDS release, with whatever its release says around it, as a ``ContractRecord``.

OCDS 1.1 says who takes part in ``parties`` and refers to them by id; 1.0 writes each organisation out
where it is mentioned. Here both are read the same way: an organisation is what stands at the place,
completed by the party of the same id, if there is one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from market import credit_code, money
from market.contract_record import (
    LONGEST_NAME,
    LONGEST_TITLE,
    ContractRecord,
    Obstacle,
    PaymentRecord,
    normalise_currency,
)
from market.errors import Code, Invalid, invalid
from services.exchange.pruning import UNFIT
from services.exchange.texts import read_day, read_id, read_text

#: Ids such as "1" count contracts within a process and name none of them to the outside.
_ORDINAL = re.compile(r"[0-9]{1,4}", re.ASCII)
#: A title that is a contract number rather than words: no blanks, some digit.
_NUMBER_LIKE = re.compile(r"(?=.*[0-9])[\w./()（）〔〕\[\]【】号第#-]{3,60}")
_CODE_LIKE = re.compile(r"[0-9A-Z]{18}", re.ASCII)
#: Beyond this many digits a number stands for one that JSON does not have, such as NaN.
_DIGITS = 1000
_LONGEST_AMOUNT = 120
_LONGEST_ACCOUNT = 40
_LONGEST_STATUS = 40
_LONGEST_CODE = 80


@dataclass(slots=True)
class Surroundings:
    """What contracts refer to: parties by id, suppliers by award id, the purchaser; as read, pruned only."""

    parties: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    awards: dict[str, list[Any]] = field(default_factory=dict)
    purchaser: Mapping[str, Any] | None = None

    def absorb(self, release: Mapping[str, Any]) -> None:
        """Add what a release says; what it says anew replaces what an earlier one said."""
        for party in objects(release.get("parties")):
            if (key := _key(party.get("id"))) is not None:
                self.parties[key] = party
        for award in objects(release.get("awards")):
            if award.get("suppliers") and (key := _key(award.get("id"))) is not None:
                self.awards[key] = award["suppliers"]
        buyer = release.get("buyer")
        tender = release.get("tender")
        if not isinstance(buyer, dict) or not buyer:
            buyer = tender.get("procuringEntity") if isinstance(tender, dict) else None
        if not isinstance(buyer, dict) or not buyer:
            buyer = next((p for p in objects(release.get("parties")) if "buyer" in _roles(p)), None)
        if buyer is not None:
            self.purchaser = buyer

    @property
    def weight(self) -> int:
        """Return how many organisations and awards are held."""
        return len(self.parties) + len(self.awards)


@dataclass(frozen=True, slots=True)
class _Organisation:
    name: str | None
    ids: tuple[str, ...]

    @property
    def code(self) -> str | None:
        return find_code(self.ids)


def map_contract(
    raw: Any, process_id: str, around: Surroundings, released_at: datetime | None
) -> ContractRecord:
    """Return one contract; raises ``Invalid`` naming the field that makes it unusable.

    Refused: no id, an amount that is no number, texts in a broken encoding. Days that cannot be and
    payments that cannot be read are left out; the contract is kept and carries a doubt instead.
    """
    if not isinstance(raw, dict):
        raise invalid(Code.NOT_OCDS)
    contract_id = read_id(raw.get("id"), "id")
    if contract_id is None:
        raise invalid(Code.REQUIRED, "id")
    doubts: set[Obstacle] = set()
    award_id = read_id(raw.get("awardID"), "awardID")
    title = read_text(raw.get("title"), "title", LONGEST_TITLE)
    amount, currency = read_money(raw.get("value", raw.get("amount")), "value")
    suppliers = _read_suppliers(raw, award_id, around)
    supplier = next((s for s in suppliers if s.code), suppliers[0] if suppliers else None)
    if len({s.code or s.name for s in suppliers}) > 1:
        doubts.add(Obstacle.SEVERAL_SUPPLIERS)
    if (
        supplier is not None
        and supplier.code is None
        and any(_CODE_LIKE.fullmatch(t) for t in _tails(supplier.ids))
    ):
        doubts.add(Obstacle.BAD_CREDIT_CODE)
    purchaser = read_organisation(around.purchaser, around, "buyer")
    signed_on, starts_on, ends_on = _read_days(raw, doubts)
    payments = tuple(_read_payments(raw, currency, around, doubts))
    status = read_text(raw.get("status"), "status", _LONGEST_STATUS)
    return ContractRecord(
        process_id=process_id,
        contract_id=contract_id,
        number=_read_number(raw, process_id, contract_id, title),
        title=title,
        status=status.lower()[:_LONGEST_STATUS] if status else None,
        award_id=award_id,
        purchaser_name=purchaser.name if purchaser else None,
        purchaser_code=(purchaser.code or purchaser.ids[0][:_LONGEST_CODE])
        if purchaser and purchaser.ids
        else None,
        supplier_name=supplier.name if supplier else None,
        supplier_code=supplier.code if supplier else None,
        amount=amount,
        currency=currency,
        signed_on=signed_on,
        starts_on=starts_on,
        ends_on=ends_on,
        payments=payments,
        doubts=frozenset(doubts),
        released_at=released_at,
    )


@lru_cache(maxsize=4096)
def find_code(ids: tuple[str, ...]) -> str | None:
    """Return the first valid unified social credit code among identifiers, with or without a list prefix."""
    return next((credit_code.normalise(text) for text in _tails(ids) if credit_code.is_valid(text)), None)


def read_amount(value: Any, name: str) -> int | None:
    """Return an amount in fen, halves of a fen rounded away from zero; None if there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, Decimal) and value and value.adjusted() > money.LONGEST:
        if value.adjusted() > _DIGITS:
            raise invalid(Code.NOT_FINITE, name, value="NaN")
        raise invalid(Code.TOO_LARGE, name, value=str(value)[:40], most=money.yuan(money.MOST_FEN))
    if isinstance(value, str):
        value = unicodedata.normalize("NFKC", value).strip()
    if isinstance(value, Decimal) and value.is_zero():
        value = 0
    number = money.parse_decimal(value, name, places=None, longest=_LONGEST_AMOUNT)
    fen = money.round_half_up(number * money.FEN)
    if abs(fen) > money.MOST_FEN:
        raise invalid(Code.TOO_LARGE, name, value=f"{number:f}"[:40], most=money.yuan(money.MOST_FEN))
    return fen


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of what should be an array of objects."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def read_money(value: Any, name: str) -> tuple[int | None, str | None]:
    """Return amount (fen) and currency of a value; raises ``Invalid`` for an amount that is no number."""
    if value is None:
        return None, None
    if not isinstance(value, dict):
        raise invalid(Code.NOT_A_NUMBER, name, value="…")
    amount = value.get("amount")
    if amount is UNFIT:
        raise invalid(Code.NOT_A_NUMBER, f"{name}.amount", value="…")
    currency = read_text(value.get("currency"), f"{name}.currency", 40)
    return read_amount(amount, f"{name}.amount"), normalise_currency(currency) if currency else None


def _read_number(raw: Mapping[str, Any], process_id: str, contract_id: str, title: str | None) -> str:
    """Return the contract number: as stated, else the id, unless that only counts within the process."""
    stated = read_id(raw.get("contractNumber"), "contractNumber")
    if stated:
        return stated
    if not _ORDINAL.fullmatch(contract_id):
        return contract_id
    if title and _NUMBER_LIKE.fullmatch(title):
        return title
    return f"{process_id}/{contract_id}"[-160:]


def _read_suppliers(
    raw: Mapping[str, Any], award_id: str | None, around: Surroundings
) -> list[_Organisation]:
    listed = raw.get("suppliers")
    if not isinstance(listed, list) or not listed:
        if award_id is not None:
            listed = around.awards.get(award_id, [])
        else:
            listed = next(iter(around.awards.values())) if len(around.awards) == 1 else []
    if not listed:
        listed = [party for party in around.parties.values() if "supplier" in _roles(party)]
        # Without an award only a single supplier can be told to be the one of this contract.
        listed = listed if len(listed) == 1 else []
    read = (read_organisation(item, around, "suppliers") for item in objects(listed))
    return [organisation for organisation in read if organisation is not None]


def read_organisation(raw: Any, around: Surroundings, name: str) -> _Organisation | None:
    """Return what stands at a place, completed by the party of the same id; None where nothing does."""
    if not isinstance(raw, dict):
        return None
    key = _key(raw.get("id"))
    known = around.parties.get(key) if key is not None else None
    places = [raw] if known is None or known is raw else [raw, known]
    said: str | None = None
    ids: list[str] = []
    for place in places:
        identifier = place.get("identifier")
        identifier = identifier if isinstance(identifier, dict) else {}
        for text in (place.get("name"), identifier.get("legalName"), place.get("legalName")):
            said = said or read_text(text, f"{name}.name", LONGEST_NAME)
        for holder in (identifier, *objects(place.get("additionalIdentifiers")), place):
            one = read_text(holder.get("id"), f"{name}.identifier.id", LONGEST_NAME)
            if one is not None and one not in ids:
                ids.append(one)
    return _Organisation(said, tuple(ids)) if said or ids else None


def _read_days(raw: Mapping[str, Any], doubts: set[Obstacle]) -> tuple[date | None, date | None, date | None]:
    period = raw.get("period")
    period = period if isinstance(period, dict) else {}
    days: list[date | None] = []
    for value in (raw.get("dateSigned"), period.get("startDate"), period.get("endDate")):
        try:
            days.append(read_day(value, "date"))
        except Invalid:
            doubts.add(Obstacle.IMPOSSIBLE_DATES)
            days.append(None)
    signed_on, starts_on, ends_on = days
    if ends_on is not None and starts_on is not None and ends_on < starts_on:
        doubts.add(Obstacle.IMPOSSIBLE_DATES)
        ends_on = None
    return signed_on, starts_on, ends_on


def _read_payments(
    raw: Mapping[str, Any], currency: str | None, around: Surroundings, doubts: set[Obstacle]
) -> Iterator[PaymentRecord]:
    """Yield what was paid; what cannot be read leaves a doubt, for less would seem paid than was."""
    implementation = raw.get("implementation")
    transactions = implementation.get("transactions") if isinstance(implementation, dict) else None
    for transaction in transactions if isinstance(transactions, list) else []:
        try:
            payment = _read_payment(transaction, around)
        except Invalid:
            doubts.add(Obstacle.DOUBTFUL_PAYMENTS)
            continue
        if payment is None:
            continue
        if payment.currency is not None and currency is not None and payment.currency != currency:
            doubts.add(Obstacle.DOUBTFUL_PAYMENTS)
        yield payment


def _read_payment(raw: Any, around: Surroundings) -> PaymentRecord | None:
    if not isinstance(raw, dict):
        raise invalid(Code.NOT_OCDS)
    amount, currency = read_money(raw.get("value", raw.get("amount")), "value")
    if amount is None:
        raise invalid(Code.REQUIRED, "value.amount")
    if amount == 0:
        return None
    payer = read_organisation(raw.get("payer", raw.get("providerOrganization")), around, "payer")
    payee = read_organisation(raw.get("payee", raw.get("receiverOrganization")), around, "payee")
    try:
        paid_on = read_day(raw.get("date"), "date")
    except Invalid:
        paid_on = None
    return PaymentRecord(
        amount=amount,
        transaction_id=_key(raw.get("id")),
        paid_on=paid_on,
        currency=currency,
        payer=payer.name if payer else None,
        payer_id=(payer.code or payer.ids[0]) if payer and payer.ids else None,
        payee=payee.name if payee else None,
        payee_id=(payee.code or payee.ids[0]) if payee and payee.ids else None,
        payee_account=read_text(raw.get("payeeAccount"), "payeeAccount", _LONGEST_ACCOUNT),
    )


def _key(value: Any) -> str | None:
    """Return an identifier that others refer to, or None where it cannot be one."""
    try:
        return read_id(value)
    except Invalid:
        return None


def _roles(party: Mapping[str, Any]) -> list[Any]:
    roles = party.get("roles")
    return roles if isinstance(roles, list) else []


def _tails(ids: tuple[str, ...]) -> Iterator[str]:
    """Yield each identifier, and what follows the prefix of its list, as in ``CN-USCC-9135…``."""
    for text in ids:
        yield credit_code.normalise(text)
        tail = re.split(r"[-:/_]", text)[-1]
        if tail != text:
            yield credit_code.normalise(tail)
