"""Faults: a code, the field it concerns and the values that explain it; never a sentence.

The sentence for each code, in both languages, is written once in ``blueprints/messages.py``. A test
walks ``Code`` and fails on one that has no sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Every way to be refused. Values in braces are what a fault of that code carries."""

    # Reading a value
    REQUIRED = "required"
    UNKNOWN_FIELD = "unknown_field"
    NOT_A_NUMBER = "not_a_number"  # {value}
    NOT_FINITE = "not_finite"  # {value}
    TOO_LONG = "too_long"  # {value, most}
    TOO_MANY_DECIMALS = "too_many_decimals"  # {value, most}
    NOT_A_DATE = "not_a_date"  # {value}
    NOT_A_CHOICE = "not_a_choice"  # {value, choices}
    NOT_TEXT = "not_text"  # {value}
    NOT_A_MOMENT = "not_a_moment"  # {value}
    NOT_JSON = "not_json"  # {line, column} or {why}
    TOO_SMALL = "too_small"  # {value, least}
    TOO_LARGE = "too_large"  # {value, most}
    BAD_CREDIT_CODE = "bad_credit_code"  # {value}
    OUT_OF_ORDER = "out_of_order"  # {value, after}
    ONE_OF = "one_of"  # {choices}
    REPEATED = "repeated"  # {value}
    WRONG_SHAPE = "wrong_shape"  # {kind, expected}
    # Reference tables
    NOT_YET = "not_yet"  # {value, today}
    NOT_PUBLICATION_DAY = "not_publication_day"  # {value, expected}
    NOT_A_STEP = "not_a_step"  # {value, step}
    ON_RECORD = "on_record"  # {value, known}
    # Who may do what
    NOT_SIGNED_IN = "not_signed_in"
    BAD_CREDENTIALS = "bad_credentials"
    BAD_TOKEN = "bad_token"
    NOT_ALLOWED = "not_allowed"  # {capability}
    NOT_FOUND = "not_found"  # {what, id}
    WRONG_KIND = "wrong_kind"  # {kind, expected}
    SAME_PERSON = "same_person"
    # The state of things
    ALREADY_EXISTS = "already_exists"  # {what, value}
    ILLEGAL_MOVE = "illegal_move"  # {state, move}
    TOO_LATE = "too_late"  # {deadline}
    TOO_EARLY = "too_early"  # {until}
    STALE = "stale"
    BUSY = "busy"
    # Bidding
    NOT_ELIGIBLE = "not_eligible"  # {conditions}
    ABOVE_CEILING = "above_ceiling"  # {value, most}
    LOOKS_MISTYPED = "looks_mistyped"  # {value}
    NO_RATE = "no_rate"  # {note}
    BID_EXPIRED = "bid_expired"  # {valid_until}
    LIMIT_EXCEEDED = "limit_exceeded"  # {limit, used, asked}
    GUARANTOR_FULL = "guarantor_full"
    TOO_FEW_BIDS = "too_few_bids"  # {count, least}
    SEAL_BROKEN = "seal_broken"
    DECLARED_RATE_WRONG = "declared_rate_wrong"  # {declared, computed}
    NOT_BIDDABLE = "not_biddable"
    NOT_IMPROVED = "not_improved"  # {value, most}
    NOT_ADMITTED = "not_admitted"
    AGREEMENT_ENDED = "agreement_ended"  # {until}
    SUSPENDED = "suspended"  # {why}
    OFFER_SUSPENDED = "offer_suspended"
    FORBIDDEN_FEE = "forbidden_fee"  # {value, rule, sizes, source}
    INTEREST_IN_ADVANCE = "interest_in_advance"  # {value}
    # Contract loans
    NOT_FINANCEABLE = "not_financeable"  # {reason}
    ABOVE_FINANCEABLE = "above_financeable"  # {asked, most}
    ALREADY_FINANCED = "already_financed"  # {key}
    ONE_LENDER = "one_lender"
    NOT_LOCKED = "not_locked"
    NO_PLEDGE = "no_pledge"
    ENDS_TOO_LATE = "ends_too_late"  # {ends, latest}
    WRONG_SUPPLIER = "wrong_supplier"  # {supplier}
    BELOW_LPR = "below_lpr"  # {value, least, published_on}
    AMOUNT_MISMATCH = "amount_mismatch"  # {given, expected}
    NO_FRAMEWORK = "no_framework"  # {on}
    DEPOSIT_ABOLISHED = "deposit_abolished"
    # Packages
    SHARES_NOT_WHOLE = "shares_not_whole"  # {sum}
    # Documents
    TYPEFACE_MISSING = "typeface_missing"  # {value}
    DOES_NOT_FOLLOW = "does_not_follow"  # {value, computed}
    # Files
    UNIT_PRICE_ONLY = "unit_price_only"  # {value}
    PACKAGES_MIXED = "packages_mixed"  # {value}
    OTHER_FILE = "other_file"  # {name}
    WRONG_COLUMNS = "wrong_columns"  # {value, expected}
    UNREADABLE_FILE = "unreadable_file"  # {why}
    NOTHING_USABLE = "nothing_usable"
    BAD_JSON = "bad_json"
    CUT_SHORT = "cut_short"
    BAD_ENCODING = "bad_encoding"  # {value}
    NOT_OCDS = "not_ocds"
    LINKED_RELEASE = "linked_release"  # {url}
    RELEASE_TOO_LARGE = "release_too_large"  # {most}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One reason for a refusal: what rule (code), where (field path, or None) and with which values."""

    code: Code
    field: str | None = None
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class MarketError(Exception):
    """A refusal with one or more faults. ``status`` is the kind of refusal in the words of HTTP."""

    status = 422

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{f.field or '-'}: {f.code.value} {dict(f.values)}" for f in faults))
        self.faults = faults


class Invalid(MarketError):
    """What was sent cannot be accepted as it stands."""


class Unauthenticated(MarketError):
    """Nobody is signed in, or the sign-in or token is wrong."""

    status = 401


class Forbidden(MarketError):
    """Signed in, but not allowed."""

    status = 403


class NotFound(MarketError):
    """No such thing, or not for the eyes of whoever asks: the two look the same from outside."""

    status = 404


class Conflict(MarketError):
    """The thing exists but its state, or somebody else's action, forbids the move."""

    status = 409


class Unavailable(MarketError):
    """What the answer needs is not there now; whoever runs the market can mend it."""

    status = 503


def invalid(code: Code, field: str | None = None, **values: Any) -> Invalid:
    """Return an ``Invalid`` with one fault."""
    return Invalid(Fault(code, field, values))


def forbidden(code: Code, field: str | None = None, **values: Any) -> Forbidden:
    """Return a ``Forbidden`` with one fault."""
    return Forbidden(Fault(code, field, values))


def not_found(what: str, id: object) -> NotFound:
    """Return a ``NotFound`` for ``what`` (a table's noun) with identifier ``id``."""
    return NotFound(Fault(Code.NOT_FOUND, None, {"what": what, "id": str(id)}))


def conflict(code: Code, field: str | None = None, **values: Any) -> Conflict:
    """Return a ``Conflict`` with one fault."""
    return Conflict(Fault(code, field, values))
