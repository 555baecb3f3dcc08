"""The words of receivables and of what may be financed once only."""

from __future__ import annotations

from enum import StrEnum


class FinancingMode(StrEnum):
    """How a contract's money is financed (融资方式): whole by one lender, or by invoices; never both."""

    WHOLE = "whole"
    INVOICES = "invoices"


class ReceivableState(StrEnum):
    """How far the right to a receivable is confirmed (确权进度).

    Entered by its supplier; confirmation requested of the debtor; confirmed or refused; or withdrawn.
    """

    ENTERED = "entered"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ReceivableUse(StrEnum):
    """What becomes of a receivable's money (融资情况).

    Free; promised to a lender whose loan is not paid out yet; financed; paid by its debtor.
    """

    FREE = "free"
    PROMISED = "promised"
    FINANCED = "financed"
    PAID = "paid"


class ReceivableObstacle(StrEnum):
    """Why no loan may lean on a receivable (不可融资原因)."""

    UNCONFIRMED = "unconfirmed"
    RIGHT_REFUSED = "right_refused"
    WITHDRAWN = "withdrawn"
    PAID = "paid"
    PAST_DUE = "past_due"
