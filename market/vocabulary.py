"""The words of the trade, as enumerations.

The member values are what the database stores and the API speaks; the Chinese and English words a
person reads live in the catalogue of ``blueprints``. Sources: the glossary of the field and the
public notices of the zones (Xiamen Torch "1+1+N+M", Jining 政采贷).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class OrganisationKind(StrEnum):
    """Who takes part (机构类型)."""

    ENTERPRISE = "enterprise"
    BANK = "bank"
    GUARANTOR = "guarantor"
    LESSOR = "lessor"
    INSURER = "insurer"
    FUND = "fund"
    BRIDGE_PLATFORM = "bridge_platform"
    PURCHASER = "purchaser"
    ZONE_AUTHORITY = "zone_authority"
    AGENCY = "agency"


#: Organisations that sell: they may post products.
INSTITUTION_KINDS = frozenset(
    {
        OrganisationKind.BANK,
        OrganisationKind.GUARANTOR,
        OrganisationKind.LESSOR,
        OrganisationKind.INSURER,
        OrganisationKind.FUND,
        OrganisationKind.BRIDGE_PLATFORM,
    }
)

#: Institutions that hand out money against a schedule, so that their bid can be priced on its own.
LENDING_KINDS = frozenset(
    {
        OrganisationKind.BANK,
        OrganisationKind.LESSOR,
        OrganisationKind.FUND,
        OrganisationKind.BRIDGE_PLATFORM,
    }
)


class Capability(StrEnum):
    """What a user may do for one organisation in one zone (权限)."""

    ENTERPRISE_MAKER = "enterprise_maker"
    ENTERPRISE_APPROVER = "enterprise_approver"
    INSTITUTION_BIDDER = "institution_bidder"
    INSTITUTION_APPROVER = "institution_approver"
    OFFICER = "officer"
    AUDITOR = "auditor"
    PURCHASER = "purchaser"


class SizeClass(StrEnum):
    """Size class of a firm (企业规模), MIIT 2011 No. 300."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"


class ProductFamily(StrEnum):
    """Product families (产品类别)."""

    INNOVATION = "innovation"
    CONTRACT = "contract"
    SECURED = "secured"
    GUARANTEE = "guarantee"
    INSURANCE = "insurance"
    LEASE = "lease"
    BRIDGE = "bridge"
    GRANT = "grant"
    EQUITY = "equity"


class Pricing(StrEnum):
    """How a product states its price (定价方式)."""

    FIXED = "fixed"
    LPR_1Y = "lpr_1y"
    LPR_5Y = "lpr_5y"
    FEE = "fee"
    PER_DAY = "per_day"
    GRANT = "grant"
    EQUITY = "equity"


#: Prices that move with the loan prime rate.
FLOATING = frozenset({Pricing.LPR_1Y, Pricing.LPR_5Y})


class OfferKind(StrEnum):
    """What a bid hands to the firm (报价类型)."""

    LOAN = "loan"
    LEASE = "lease"


class Repayment(StrEnum):
    """Repayment styles (还款方式)."""

    EQUAL_INSTALLMENT = "equal_installment"
    EQUAL_PRINCIPAL = "equal_principal"
    INTEREST_MONTHLY = "interest_monthly"
    BULLET = "bullet"
    REVOLVING = "revolving"


class RentTiming(StrEnum):
    """When a lease's rents fall due (租金支付方式)."""

    ARREARS = "arrears"
    ADVANCE = "advance"


class DayCount(StrEnum):
    """Day-count conventions for interest (计息基础)."""

    THIRTY_360 = "30/360"
    ACT_360 = "act/360"
    ACT_365 = "act/365"


class FeeTiming(StrEnum):
    """When a fee or subsidy occurs (收取时点)."""

    UPFRONT = "upfront"
    YEARLY = "yearly"
    MONTHLY = "monthly"
    EACH_PAYMENT = "each_payment"
    END = "end"


class FeeBasis(StrEnum):
    """What a fee's rate is taken of (计费基数).

    ``rent`` is what falls due to the lender as principal and interest (a lease's rents, a loan's
    instalments), ``interest`` the interest in it.
    """

    PRINCIPAL = "principal"
    OUTSTANDING = "outstanding"
    RENT = "rent"
    INTEREST = "interest"


#: Bases that are themselves payments: a share of them is known only with the payments it is taken of.
PAYMENT_BASES = frozenset({FeeBasis.RENT, FeeBasis.INTEREST})


class Rolling(StrEnum):
    """Where a payment goes whose day is not worked (节假日调整)."""

    NONE = "none"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"
    PRECEDING = "preceding"


class Interval(IntEnum):
    """Months between two payments (还款间隔): monthly, quarterly, half-yearly, yearly."""

    MONTHLY = 1
    QUARTERLY = 3
    HALF_YEARLY = 6
    YEARLY = 12


class CoverKind(StrEnum):
    """What covers a lender's risk for a fee (增信方式)."""

    GUARANTEE = "guarantee"
    INSURANCE = "insurance"


class Recipient(StrEnum):
    """Who receives a subsidy (补贴对象); only the firm's own lowers the firm's cost."""

    FIRM = "firm"
    INSTITUTION = "institution"


class LprTenor(StrEnum):
    """The two published tenors of the loan prime rate (贷款市场报价利率)."""

    ONE_YEAR = "1y"
    FIVE_YEAR = "5y"


class Purpose(StrEnum):
    """What a need is for (资金用途)."""

    WORKING_CAPITAL = "working_capital"
    EQUIPMENT = "equipment"
    RESEARCH = "research"
    FACTORY = "factory"
    CONTRACT = "contract"
    BRIDGE = "bridge"


class Security(StrEnum):
    """What can secure a financing (担保方式)."""

    UNSECURED = "unsecured"
    GUARANTEE = "guarantee"
    MORTGAGE = "mortgage"
    RECEIVABLE_PLEDGE = "receivable_pledge"
    IP_PLEDGE = "ip_pledge"
    EQUITY_PLEDGE = "equity_pledge"
    EQUIPMENT = "equipment"


class NeedState(StrEnum):
    """A need's life (融资需求状态)."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    AWARDED = "awarded"
    UNSUCCESSFUL = "unsuccessful"
    WITHDRAWN = "withdrawn"


class BidState(StrEnum):
    """A bid's life (报价状态).

    Sealed (or posted, where bidding is anonymous) until the opening, live until it wins, loses, leaves
    or expires. ``replaced`` by a better one of its bidder, ``voided`` by a change of the need, ``held``
    until its unusually low price is justified, ``declined`` by its institution after the award.
    """

    SEALED = "sealed"
    POSTED = "posted"
    LIVE = "live"
    HELD = "held"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUSED = "refused"
    DECLINED = "declined"


#: Bids that still bind their institution before an award.
STANDING_BIDS = (BidState.SEALED, BidState.POSTED, BidState.LIVE, BidState.HELD)


class RoundState(StrEnum):
    """A matching round's life (撮合轮次状态): three short steps, open, solve, settle."""

    OPENED = "opened"
    SETTLED = "settled"
    ABANDONED = "abandoned"


class ProposalState(StrEnum):
    """What became of one need in a matching round (撮合建议)."""

    PROPOSED = "proposed"
    UNPLACED = "unplaced"
    ACCEPTED = "accepted"
    LAPSED = "lapsed"


class AwardState(StrEnum):
    """An acceptance: by one person, or waiting for the firm's second person (成交状态)."""

    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DECLINED = "declined"


#: Acceptances that keep others from their need.
STANDING_AWARDS = (AwardState.AWAITING_CONFIRMATION, AwardState.CONFIRMED)


class LoanState(StrEnum):
    """A loan's life (贷款状态).

    Under its institution's review (only where the bid was subject to approval), or, where it was closed off
    the platform, until its borrower has confirmed it; approved, then drawn, then repaid or written off; or
    cancelled before any drawdown.
    """

    UNDER_REVIEW = "under_review"
    UNCONFIRMED = "unconfirmed"
    APPROVED = "approved"
    DRAWN = "drawn"
    REPAID = "repaid"
    WRITTEN_OFF = "written_off"
    CANCELLED = "cancelled"


#: Loans that still bind their lender: promised, or out and not repaid.
LIVE_LOANS = (LoanState.UNDER_REVIEW, LoanState.APPROVED, LoanState.DRAWN)

#: Loans of which something was paid out: still owed, or over.
PAID_OUT_LOANS = (LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)

#: Loans that are promised and not drawn yet.
PROMISED_LOANS = (LoanState.UNDER_REVIEW, LoanState.APPROVED)


class ContractStage(StrEnum):
    """The ladder of the contract loan (政采贷进度), in order; ``drawn`` and ``purchaser_paid`` repeat."""

    AWARDED = "awarded"
    SIGNED = "signed"
    FILED = "filed"
    INTENT = "intent"
    CREDITED = "credited"
    ACCOUNT_LOCKED = "account_locked"
    PLEDGE_REGISTERED = "pledge_registered"
    DRAWN = "drawn"
    PURCHASER_PAID = "purchaser_paid"
    REPAID = "repaid"
    PLEDGE_CANCELLED = "pledge_cancelled"
    UNLOCKED = "unlocked"


class AlertKind(StrEnum):
    """What an officer or lender must look at (预警)."""

    WRONG_ACCOUNT = "wrong_account"
    PURCHASER_OVERDUE = "purchaser_overdue"
    LOAN_OVERDUE = "loan_overdue"
    OVERPAID = "overpaid"
    UNDATED_PAYMENT = "undated_payment"
    LOW_BID = "low_bid"
    REVIEW_OVERDUE = "review_overdue"
    CLOCK_GAP = "clock_gap"
    WORK_MISSED = "work_missed"
    UNMATCHED_PAYMENT = "unmatched_payment"
    PLEDGE_EXPIRING = "pledge_expiring"
    RIGHT_UNCONFIRMED = "right_unconfirmed"
    CONTRACT_AMENDED = "contract_amended"
    CONTRACT_TERMINATED = "contract_terminated"
    FINANCING_REFUSED = "financing_refused"
    FRAMEWORK_ENDING = "framework_ending"
    REPORT_MISSING = "report_missing"
    RENEWAL_MISSING = "renewal_missing"


class LimitScope(StrEnum):
    """What a limit caps (额度类型): all, one firm, one industry, one purchaser, or all guarantees."""

    TOTAL = "total"
    FIRM = "firm"
    SECTOR = "sector"
    PURCHASER = "purchaser"
    LEVERAGE = "leverage"


class Locale(StrEnum):
    """Languages of the pages: Chinese first, English complete."""

    ZH = "zh"
    EN = "en"
