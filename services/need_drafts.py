"""What a firm writes into a need: the draft as a value, what is wrong with it, and its way into the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from market.bidding import ROUNDS_MOST
from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.errors import Code, Fault, Invalid
from market.vocabulary import OfferKind, Purpose, Repayment, Security
from models.contract import Contract
from models.need import Need

AMOUNT_MOST = 10**12  # 100亿 yuan in fen
MONTHS_MOST = 360
MINIMUM_MOST = 9
#: A further bid round lasts at most thirty days.
ROUND_HOURS_MOST = 720
DESCRIPTION_MOST = 500
#: So many invoices can one need offer; each is locked while it is checked.
RECEIVABLES_MOST = 100
_WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A need as a firm writes it: amount in fen, months, what it is for and what can secure it.

    ``reserve_rate`` is the most the firm would pay per year, and its secret. Bidding runs by
    ``bid_policy`` in ``round_count`` bid rounds; those after the first last ``round_hours``. ``few_bids``
    says what follows if fewer than ``minimum_bids`` came. ``audience`` names institutions by id, as
    ``visibility`` asks: the only ones that see the need, or those that do not. ``receivables`` are offered
    to the lender by id; whoever offers some offers their pledge as security.
    """

    purpose: Purpose
    amount: int
    months: int
    description: str = ""
    repayment: Repayment | None = None
    securities: Sequence[Security] = (Security.UNSECURED,)
    accepts: Sequence[OfferKind] = (OfferKind.LOAN,)
    reserve_rate: Decimal | None = None
    minimum_bids: int = 3
    joins_matching: bool = True
    shows_name: bool = False
    contract_id: int | None = None
    receivables: Sequence[int] = ()
    bid_policy: BidPolicy = BidPolicy.SEALED
    round_count: int = 1
    round_hours: int = 24
    few_bids: FewBids = FewBids.OFFER
    visibility: Visibility = Visibility.ALL
    audience: Sequence[int] = ()
    syndicated: bool = False


def check(content: Draft) -> None:
    """Raise ``Invalid`` with every fault of a draft that can be seen without the database."""
    faults = [
        *_bound("amount", content.amount, 1, AMOUNT_MOST),
        *_bound("months", content.months, 1, MONTHS_MOST),
        *_bound("minimum_bids", content.minimum_bids, 1, MINIMUM_MOST),
        *_bound("round_count", content.round_count, 1, ROUNDS_MOST),
        *_bound("round_hours", content.round_hours, 1, ROUND_HOURS_MOST),
    ]
    if len(content.description) > DESCRIPTION_MOST:
        values = {"value": content.description[:40], "most": DESCRIPTION_MOST}
        faults.append(Fault(Code.TOO_LONG, "description", values))
    if not content.securities:
        faults.append(Fault(Code.REQUIRED, "securities"))
    if not content.accepts:
        faults.append(Fault(Code.REQUIRED, "accepts"))
    if content.reserve_rate is not None:
        faults.extend(_bound("reserve_rate", content.reserve_rate, Decimal("0.0001"), _WHOLE))
    if (content.purpose is Purpose.CONTRACT) != (content.contract_id is not None):
        faults.append(Fault(Code.REQUIRED, "contract_id"))
    if content.syndicated and content.purpose is Purpose.CONTRACT:
        # One live lender per contract, wherever in the system.
        faults.append(Fault(Code.ONE_LENDER, "syndicated"))
    if content.receivables and content.purpose is Purpose.CONTRACT:
        # A contract is financed whole or by its invoices, never both.
        choices = ["contract_id", "receivables"]
        faults.append(Fault(Code.ONE_OF, "receivables", {"choices": choices}))
    if content.receivables and content.syndicated:
        faults.append(Fault(Code.ONE_LENDER, "syndicated"))
    if len(content.receivables) > RECEIVABLES_MOST:
        values = {"value": len(content.receivables), "most": RECEIVABLES_MOST}
        faults.append(Fault(Code.TOO_LARGE, "receivables", values))
    if content.syndicated and not content.joins_matching:
        # Only a round says who lends which part.
        faults.append(Fault(Code.REQUIRED, "joins_matching"))
    if content.visibility is Visibility.ALL and content.audience:
        # Whoever names institutions and forgets to say why must not be shown to those it shuts out.
        faults.append(Fault(Code.REQUIRED, "visibility"))
    elif content.visibility is not Visibility.ALL and not content.audience:
        faults.append(Fault(Code.REQUIRED, "audience"))
    if faults:
        raise Invalid(*faults)


def apply(need: Need, content: Draft, contract: Contract | None) -> None:
    """Write a checked draft into a need's row; its audience is ``visibility.name``'s to write."""
    need.purpose, need.amount, need.months = content.purpose, content.amount, content.months
    need.description, need.repayment = content.description.strip(), content.repayment
    need.securities = sorted({security.value for security in list_securities(content)})
    need.accepts = sorted({kind.value for kind in content.accepts})
    need.reserve_rate, need.minimum_bids = content.reserve_rate, content.minimum_bids
    need.joins_matching, need.shows_name = content.joins_matching, content.shows_name
    need.bid_policy, need.few_bids = content.bid_policy, content.few_bids
    need.round_count, need.round_hours = content.round_count, content.round_hours
    need.visibility, need.syndicated = content.visibility, content.syndicated
    need.contract_id = contract.id if contract is not None else None


def list_securities(content: Draft) -> Sequence[Security]:
    """Return what a draft offers as security; receivables are offered as a pledge of them."""
    if not content.receivables:
        return content.securities
    return [*content.securities, Security.RECEIVABLE_PLEDGE]


def _bound(field: str, value: Decimal | int, least: Decimal | int, most: Decimal | int) -> list[Fault]:
    """Return the fault of a number outside its bounds, if it is; rates travel as text."""

    def said(number: Decimal | int) -> str | int:
        return number if isinstance(number, int) else str(number)

    if value < least:
        return [Fault(Code.TOO_SMALL, field, {"value": said(value), "least": said(least)})]
    if value > most:
        return [Fault(Code.TOO_LARGE, field, {"value": said(value), "most": said(most)})]
    return []
