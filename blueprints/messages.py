"""The sentence for every fault: what is wrong and what would be accepted, in the reader's language.

``sentence`` names the field first, for a summary or an API answer; ``reason`` leaves it out, for the line
beside the field. Sentences are lazy: written in English here, translated in the catalogue.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints import formats, labels, particulars
from market.errors import Code, Fault, MarketError

SENTENCES: dict[Code, Any] = {
    Code.REQUIRED: lazy_gettext("Please fill this in."),
    Code.UNKNOWN_FIELD: lazy_gettext("This field is not known. Remove it, or check its spelling."),
    Code.NOT_A_NUMBER: lazy_gettext(
        "“%(value)s” is not a number. Write digits only, such as 2400000 or 3.65."
    ),
    Code.NOT_FINITE: lazy_gettext("“%(value)s” is not a finite number. Write digits only, such as 3.65."),
    Code.TOO_LONG: lazy_gettext("This is too long: at most %(most)s characters."),
    Code.TOO_MANY_DECIMALS: lazy_gettext("“%(value)s” has too many decimals: at most %(most)s."),
    Code.NOT_A_DATE: lazy_gettext(
        "“%(value)s” is not a date. Write it as year-month-day, such as 2026-11-20."
    ),
    Code.NOT_A_CHOICE: lazy_gettext("“%(value)s” is not one of the choices: %(choices)s."),
    Code.NOT_TEXT: lazy_gettext(
        "“%(value)s” is not text that can be stored. Retype it without special characters."
    ),
    Code.NOT_A_MOMENT: lazy_gettext(
        "“%(value)s” is not a moment. Write date, time and time zone, such as 2026-11-20T15:00:00+08:00."
    ),
    Code.NOT_JSON: lazy_gettext("This is not valid JSON: look at line %(line)s, column %(column)s."),
    Code.TOO_SMALL: lazy_gettext("%(value)s is too small: at least %(least)s."),
    Code.TOO_LARGE: lazy_gettext("%(value)s is too large: at most %(most)s."),
    Code.BAD_CREDIT_CODE: lazy_gettext(
        "“%(value)s” is not a unified social credit code. It has 18 characters, as on the business licence, "
        "and the last one checks the others: look for a typing mistake."
    ),
    Code.OUT_OF_ORDER: lazy_gettext("%(value)s is too early: it must be later than %(after)s."),
    Code.ONE_OF: lazy_gettext("Give exactly one of these: %(choices)s."),
    Code.REPEATED: lazy_gettext("“%(value)s” stands here more than once. Keep one."),
    Code.WRONG_SHAPE: lazy_gettext("Here stands a JSON %(kind)s; what is expected is: %(expected)s."),
    Code.NOT_YET: lazy_gettext("%(value)s has not come yet: today is %(today)s."),
    Code.NOT_PUBLICATION_DAY: lazy_gettext(
        "The LPR is published on the 20th or the next working day, in that month on %(expected)s; "
        "%(value)s is another day."
    ),
    Code.NOT_A_STEP: lazy_gettext("%(value)s is not published: the LPR moves in steps of %(step)s."),
    Code.ON_RECORD: lazy_gettext(
        "%(known)s is on record, not %(value)s. Look at the announcement; say so if it corrects the record."
    ),
    Code.NOT_SIGNED_IN: lazy_gettext("Please sign in first."),
    Code.BAD_CREDENTIALS: lazy_gettext("User name and password do not match. Check both and try again."),
    Code.BAD_TOKEN: lazy_gettext(
        "This API token is not valid. Send “Authorization: Bearer …” with a token that has not been revoked."
    ),
    Code.NOT_ALLOWED: lazy_gettext(
        "You may not do this here. It takes one of these permissions: %(capability)s."
    ),
    Code.NOT_FOUND: lazy_gettext("%(what)s %(id)s does not exist, or is not yours to see."),
    Code.WRONG_KIND: lazy_gettext("This is for %(expected)s, not for %(kind)s."),
    Code.SAME_PERSON: lazy_gettext(
        "A second person must do this: nobody confirms what they entered themselves."
    ),
    Code.ALREADY_EXISTS: lazy_gettext(
        "%(what)s “%(value)s” exists already. Open that one, or enter another."
    ),
    Code.ILLEGAL_MOVE: lazy_gettext(
        "This cannot be done any more: the state is “%(state)s”, which does not allow “%(move)s”. "
        "Reload the page to see how things stand."
    ),
    Code.TOO_LATE: lazy_gettext("Too late: the deadline was %(deadline)s. Nothing was stored."),
    Code.TOO_EARLY: lazy_gettext("Too early: possible from %(until)s."),
    Code.STALE: lazy_gettext("Somebody changed this meanwhile. Reload the page, check, and send it again."),
    Code.BUSY: lazy_gettext("Somebody else is working on this right now. Wait a moment and send it again."),
    Code.NOT_ELIGIBLE: lazy_gettext("The conditions of the product are not met: %(conditions)s."),
    Code.ABOVE_CEILING: lazy_gettext("%(value)s per year is above the legal ceiling of %(most)s."),
    Code.LOOKS_MISTYPED: lazy_gettext("%(value)s looks mistyped. Correct it, or confirm that it is meant."),
    Code.NO_RATE: lazy_gettext(
        "No annual cost can be computed for this offer, so it cannot be ranked: %(note)s."
    ),
    Code.BID_EXPIRED: lazy_gettext(
        "This bid held until %(valid_until)s. Choose another, or ask for a new one."
    ),
    Code.LIMIT_EXCEEDED: lazy_gettext(
        "This does not fit the limit: %(asked)s asked, %(used)s of %(limit)s used already."
    ),
    Code.GUARANTOR_FULL: lazy_gettext(
        "This guarantor cannot stand for so much more: its limits, or what the law allows on its net assets,"
        " are used up."
    ),
    Code.DECLARED_RATE_WRONG: lazy_gettext(
        "The declared rate of %(declared)s is too far from the computed one, %(computed)s. Correct the terms."
    ),
    Code.NOT_BIDDABLE: lazy_gettext("Products of this kind do not bid: only loans and leases can be ranked."),
    Code.INTEREST_IN_ADVANCE: lazy_gettext(
        "“%(value)s” deducts interest from the loan in advance, which the Civil Code (article 670) forbids. "
        "Let it fall due with the payments or at the end."
    ),
    Code.FORBIDDEN_FEE: lazy_gettext(
        "“%(value)s” looks like this: %(rule)s. Banks may not charge it to firms of these sizes: %(sizes)s "
        "(%(source)s)."
    ),
    Code.NOT_IMPROVED: lazy_gettext(
        "An annual cost of %(value)s does not improve your bid of the round before enough: at most %(most)s "
        "is taken."
    ),
    Code.NOT_ADMITTED: lazy_gettext(
        "Your institution is not admitted to this zone yet. Its licence and agreement have to be on record."
    ),
    Code.AGREEMENT_ENDED: lazy_gettext(
        "Your institution's agreement with the zone ended on %(until)s. It has to be renewed first."
    ),
    Code.SUSPENDED: lazy_gettext("Your institution is suspended in this zone: %(why)s."),
    Code.OFFER_SUSPENDED: lazy_gettext(
        "The institution behind this offer is suspended in this zone. Until it is reinstated, its offer "
        "cannot be accepted."
    ),
    Code.TOO_FEW_BIDS: lazy_gettext("There are %(count)s bids, and at least %(least)s are needed."),
    Code.SEAL_BROKEN: lazy_gettext(
        "A sealed bid does not match its receipt and cannot be opened. An officer must look."
    ),
    Code.NOT_FINANCEABLE: lazy_gettext("This cannot be financed: %(reason)s."),
    Code.ABOVE_FINANCEABLE: lazy_gettext(
        "%(asked)s is more than what stands behind it can carry: at most %(most)s now."
    ),
    Code.ALREADY_FINANCED: lazy_gettext(
        "This is financed already (%(key)s), or its contract is in another way: nothing is financed twice."
    ),
    Code.ONE_LENDER: lazy_gettext(
        "A contract or an invoice is financed by one lender: its need cannot be shared."
    ),
    Code.NOT_LOCKED: lazy_gettext("Nothing can be drawn before the payee account is locked."),
    Code.NO_PLEDGE: lazy_gettext("Nothing can be drawn before the pledge is registered."),
    Code.ENDS_TOO_LATE: lazy_gettext(
        "The loan would end on %(ends)s; %(latest)s is the latest for this contract."
    ),
    Code.WRONG_SUPPLIER: lazy_gettext(
        "The supplier in the procurement record is %(supplier)s, not your organisation."
    ),
    Code.BELOW_LPR: lazy_gettext(
        "%(value)s per year is below %(least)s, the one-year LPR published on %(published_on)s. Late "
        "interest may not be agreed under the LPR at signing."
    ),
    Code.AMOUNT_MISMATCH: lazy_gettext(
        "The amount is %(given)s where %(expected)s is expected. Check it and try again."
    ),
    Code.NO_FRAMEWORK: lazy_gettext(
        "In this zone contract loans are offered under a framework agreement only, and your institution has "
        "none in force on %(on)s. The zone's officer signs it."
    ),
    Code.DEPOSIT_ABOLISHED: lazy_gettext("In this zone no deposit is demanded of bidders any more."),
    Code.SHARES_NOT_WHOLE: lazy_gettext(
        "The shares add up to %(sum)s: together they must make exactly 1, which is 100 percent."
    ),
    Code.TYPEFACE_MISSING: lazy_gettext(
        "PDF documents need a typeface that is not installed: %(value)s. Whoever runs this market can fetch "
        "it with ./scripts/run, which makes it from the locked packages."
    ),
    Code.DOES_NOT_FOLLOW: lazy_gettext(
        "Here stands “%(value)s”; what follows from the rest of the proof is “%(computed)s”."
    ),
    Code.UNIT_PRICE_ONLY: lazy_gettext(
        "“%(value)s” is a unit price, a total is needed: give the total, or the quantity beside the unit "
        "price."
    ),
    Code.PACKAGES_MIXED: lazy_gettext(
        "“%(value)s” names several packages without an amount for each: give each a row of its own, or write "
        "“Lot 1: 1000000; Lot 2: 500000” as the amount."
    ),
    Code.OTHER_FILE: lazy_gettext(
        "This is not the file that the import began with (“%(name)s”). Choose that file, or start a new "
        "import."
    ),
    Code.WRONG_COLUMNS: lazy_gettext("“%(value)s” is not a row of these columns: %(expected)s."),
    Code.UNREADABLE_FILE: lazy_gettext("The file cannot be read: %(why)s. Nothing was stored."),
    Code.BAD_JSON: lazy_gettext(
        "This is not valid JSON. Export the file again, or look for a damaged place."
    ),
    Code.CUT_SHORT: lazy_gettext("The file ends in the middle of a record. Fetch it again."),
    Code.BAD_ENCODING: lazy_gettext(
        "The text is not readable as Unicode (%(value)s). Save the file as UTF-8 and send it again."
    ),
    Code.NOT_OCDS: lazy_gettext("This is no OCDS release, record or package of them."),
    Code.LINKED_RELEASE: lazy_gettext(
        "The record only links to its release (%(url)s). Import a file that has the releases inside."
    ),
    Code.RELEASE_TOO_LARGE: lazy_gettext("This release is too large to read: at most %(most)s values."),
    Code.NOTHING_USABLE: lazy_gettext(
        "The file was read, but nothing in it can be used. Nothing was stored."
    ),
}

#: Sentences for faults of a code that carry this value: the same refusal, known in more or less detail.
VARIANTS: dict[tuple[Code, str], Any] = {
    (Code.NOT_JSON, "why"): lazy_gettext("This is not JSON that can be read: %(why)s."),
    (Code.LIMIT_EXCEEDED, "left"): lazy_gettext(
        "This does not fit the limit: %(asked)s asked, %(left)s left."
    ),
}

_STATUS: dict[int, Any] = {
    400: lazy_gettext("The request could not be understood."),
    401: lazy_gettext("Please sign in first."),
    403: lazy_gettext("You may not see or do this."),
    404: lazy_gettext("There is nothing at this address."),
    405: lazy_gettext("This address does not take that kind of request."),
    406: lazy_gettext("This cannot be given in the format asked for."),
    409: lazy_gettext("Somebody changed this meanwhile."),
    413: lazy_gettext("What was sent is too large."),
    415: lazy_gettext("What was sent is in a format that is not accepted here."),
    422: lazy_gettext("What was sent cannot be accepted as it stands."),
    428: lazy_gettext("This change needs the version it is based on (If-Match)."),
    429: lazy_gettext("Too many requests. Wait a moment and try again."),
    500: lazy_gettext("Something went wrong on our side. Nothing was stored by halves; please try again."),
    503: lazy_gettext("The service is not available right now. Please try again in a minute."),
}


class _Said(dict[str, str]):
    """Values ready for a sentence; one that a fault forgot shows as a dash instead of failing."""

    def __missing__(self, key: str) -> str:
        return formats.ABSENT


def reason(fault: Fault) -> str:
    """Return the sentence of a fault without its field."""
    said = _Said({name: particulars.say(fault, name, value) for name, value in fault.values.items()})
    for name in fault.values:
        if (fault.code, name) in VARIANTS:
            return str(VARIANTS[fault.code, name]) % said
    return str(SENTENCES[fault.code]) % said


def sentence(fault: Fault, label: str | None = None) -> str:
    """Return the sentence of a fault, led by the field it concerns; ``label`` words the field otherwise."""
    if not fault.field:
        return reason(fault)
    return gettext(
        "%(field)s: %(reason)s", field=label or labels.field_label(fault.field), reason=reason(fault)
    )


def sentences(error: MarketError) -> list[str]:
    """Return one sentence per fault of a refusal."""
    return [sentence(fault) for fault in error.faults]


def status_sentence(status: int) -> str:
    """Return what an HTTP status means to a person."""
    return str(_STATUS.get(status) or _STATUS[500 if status >= 500 else 400])
