"""The words for every member of the vocabulary, and for the fields that faults name.

``label(member)`` is lazy: it is worded in the language of whoever reads it. A test walks
``market/vocabulary.py`` and fails on a member without a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum
from typing import Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext

from blueprints import (
    bureau_labels,
    claims_labels,
    import_labels,
    ladder_labels,
    lending_labels,
    payment_labels,
    procurement_labels,
    receivable_labels,
    report_labels,
)
from blueprints.field_words import FIELDS
from market.admission import AdmissionState
from market.bidding_vocabulary import (
    BidPolicy,
    Decision,
    DeclineReason,
    FewBids,
    LimitMode,
    ReviewOutcome,
    Visibility,
)
from market.vocabulary import (
    AlertKind,
    AwardState,
    BidState,
    Capability,
    ContractStage,
    CoverKind,
    DayCount,
    FeeBasis,
    FeeTiming,
    Interval,
    LimitScope,
    LoanState,
    Locale,
    LprTenor,
    NeedState,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    ProposalState,
    Purpose,
    Recipient,
    RentTiming,
    Repayment,
    Rolling,
    RoundState,
    Security,
    SizeClass,
)

LABELS: dict[type[Enum], dict[Any, Any]] = {
    AdmissionState: {
        AdmissionState.NOT_ADMITTED: lazy_gettext("Not admitted"),
        AdmissionState.ADMITTED: lazy_gettext("Admitted"),
        AdmissionState.ENDING: lazy_gettext("Agreement ends soon"),
        AdmissionState.ENDED: lazy_gettext("Agreement ended"),
        AdmissionState.SUSPENDED: lazy_gettext("Suspended"),
    },
    OrganisationKind: {
        OrganisationKind.ENTERPRISE: lazy_gettext("Enterprise"),
        OrganisationKind.BANK: lazy_gettext("Bank"),
        OrganisationKind.GUARANTOR: lazy_gettext("Guarantor"),
        OrganisationKind.LESSOR: lazy_gettext("Lessor"),
        OrganisationKind.INSURER: lazy_gettext("Insurer"),
        OrganisationKind.FUND: lazy_gettext("Fund"),
        OrganisationKind.BRIDGE_PLATFORM: lazy_gettext("Bridge-loan platform"),
        OrganisationKind.PURCHASER: lazy_gettext("Purchaser"),
        OrganisationKind.ZONE_AUTHORITY: lazy_gettext("Zone authority"),
        OrganisationKind.AGENCY: lazy_gettext("Service agency"),
    },
    Capability: {
        Capability.ENTERPRISE_MAKER: lazy_gettext("Enterprise: posts and accepts"),
        Capability.ENTERPRISE_APPROVER: lazy_gettext("Enterprise: confirms"),
        Capability.INSTITUTION_BIDDER: lazy_gettext("Institution: bids"),
        Capability.INSTITUTION_APPROVER: lazy_gettext("Institution: approves"),
        Capability.OFFICER: lazy_gettext("Zone officer"),
        Capability.AUDITOR: lazy_gettext("Auditor"),
        Capability.PURCHASER: lazy_gettext("Purchaser: confirms payments"),
    },
    SizeClass: {
        SizeClass.LARGE: lazy_pgettext("size class", "Large"),
        SizeClass.MEDIUM: lazy_pgettext("size class", "Medium"),
        SizeClass.SMALL: lazy_pgettext("size class", "Small"),
        SizeClass.MICRO: lazy_pgettext("size class", "Micro"),
    },
    ProductFamily: {
        ProductFamily.INNOVATION: lazy_gettext("Innovation loan"),
        ProductFamily.CONTRACT: lazy_gettext("Contract loan"),
        ProductFamily.SECURED: lazy_gettext("Secured loan"),
        ProductFamily.GUARANTEE: lazy_gettext("Guarantee product"),
        ProductFamily.INSURANCE: lazy_gettext("Credit insurance"),
        ProductFamily.LEASE: lazy_gettext("Finance lease"),
        ProductFamily.BRIDGE: lazy_gettext("Bridge loan"),
        ProductFamily.GRANT: lazy_gettext("Grant"),
        ProductFamily.EQUITY: lazy_gettext("Equity"),
    },
    Pricing: {
        Pricing.FIXED: lazy_gettext("Fixed rate"),
        Pricing.LPR_1Y: lazy_gettext("1-year LPR plus points"),
        Pricing.LPR_5Y: lazy_gettext("5-year LPR plus points"),
        Pricing.FEE: lazy_gettext("Fee per year"),
        Pricing.PER_DAY: lazy_gettext("Rate per day"),
        Pricing.GRANT: lazy_gettext("No repayment"),
        Pricing.EQUITY: lazy_gettext("Share of equity"),
    },
    OfferKind: {
        OfferKind.LOAN: lazy_gettext("Loan"),
        OfferKind.LEASE: lazy_gettext("Finance lease"),
    },
    Repayment: {
        Repayment.EQUAL_INSTALLMENT: lazy_gettext("Equal instalments"),
        Repayment.EQUAL_PRINCIPAL: lazy_gettext("Equal principal"),
        Repayment.INTEREST_MONTHLY: lazy_gettext("Interest monthly, principal at the end"),
        Repayment.BULLET: lazy_gettext("Single payment at the end"),
        Repayment.REVOLVING: lazy_gettext("Revolving"),
    },
    RentTiming: {
        RentTiming.ARREARS: lazy_gettext("Rent at the end of each period"),
        RentTiming.ADVANCE: lazy_gettext("Rent at the start of each period"),
    },
    DayCount: {
        DayCount.THIRTY_360: lazy_gettext("30/360 (whole months)"),
        DayCount.ACT_360: lazy_gettext("Actual days / 360"),
        DayCount.ACT_365: lazy_gettext("Actual days / 365"),
    },
    FeeTiming: {
        FeeTiming.UPFRONT: lazy_gettext("At drawdown"),
        FeeTiming.YEARLY: lazy_gettext("Every year"),
        FeeTiming.MONTHLY: lazy_gettext("Every month"),
        FeeTiming.EACH_PAYMENT: lazy_gettext("With each payment"),
        FeeTiming.END: lazy_gettext("At the end"),
    },
    FeeBasis: {
        FeeBasis.PRINCIPAL: lazy_gettext("Of the principal"),
        FeeBasis.OUTSTANDING: lazy_gettext("Of the outstanding principal"),
        FeeBasis.RENT: lazy_gettext("Of the rents or instalments"),
        FeeBasis.INTEREST: lazy_gettext("Of the interest"),
    },
    Rolling: {
        Rolling.NONE: lazy_gettext("On the day itself, worked or not"),
        Rolling.FOLLOWING: lazy_gettext("On the next working day"),
        Rolling.MODIFIED_FOLLOWING: lazy_gettext(
            "On the next working day of the same month, else the one before"
        ),
        Rolling.PRECEDING: lazy_gettext("On the working day before"),
    },
    Interval: {
        Interval.MONTHLY: lazy_pgettext("interval", "Monthly"),
        Interval.QUARTERLY: lazy_pgettext("interval", "Quarterly"),
        Interval.HALF_YEARLY: lazy_pgettext("interval", "Half-yearly"),
        Interval.YEARLY: lazy_pgettext("interval", "Yearly"),
    },
    CoverKind: {
        CoverKind.GUARANTEE: lazy_pgettext("cover", "Guarantee"),
        CoverKind.INSURANCE: lazy_pgettext("cover", "Credit insurance"),
    },
    Recipient: {
        Recipient.FIRM: lazy_gettext("Paid to the firm"),
        Recipient.INSTITUTION: lazy_gettext("Paid to the institution"),
    },
    LprTenor: {
        LprTenor.ONE_YEAR: lazy_gettext("1-year LPR"),
        LprTenor.FIVE_YEAR: lazy_gettext("5-year-plus LPR"),
    },
    Purpose: {
        Purpose.WORKING_CAPITAL: lazy_gettext("Working capital"),
        Purpose.EQUIPMENT: lazy_gettext("Buying equipment"),
        Purpose.RESEARCH: lazy_gettext("Research and development"),
        Purpose.FACTORY: lazy_gettext("Building or renting a plant"),
        Purpose.CONTRACT: lazy_gettext("Fulfilling a government contract"),
        Purpose.BRIDGE: lazy_gettext("Bridging a maturing loan"),
    },
    Security: {
        Security.UNSECURED: lazy_gettext("Unsecured"),
        Security.GUARANTEE: lazy_gettext("Guarantee"),
        Security.MORTGAGE: lazy_gettext("Real-estate mortgage"),
        Security.RECEIVABLE_PLEDGE: lazy_gettext("Pledge of receivables"),
        Security.IP_PLEDGE: lazy_gettext("Pledge of intellectual property"),
        Security.EQUITY_PLEDGE: lazy_gettext("Pledge of shares"),
        Security.EQUIPMENT: lazy_gettext("Equipment as security"),
    },
    NeedState: {
        NeedState.DRAFT: lazy_pgettext("need", "Draft"),
        NeedState.OPEN: lazy_pgettext("need", "Open for bids"),
        NeedState.CLOSED: lazy_pgettext("need", "Closed, to be decided"),
        NeedState.AWARDED: lazy_pgettext("need", "Awarded"),
        NeedState.UNSUCCESSFUL: lazy_pgettext("need", "Unsuccessful"),
        NeedState.WITHDRAWN: lazy_pgettext("need", "Withdrawn"),
    },
    BidState: {
        BidState.SEALED: lazy_pgettext("bid", "Sealed"),
        BidState.POSTED: lazy_pgettext("bid", "In bidding"),
        BidState.LIVE: lazy_pgettext("bid", "Live"),
        BidState.HELD: lazy_pgettext("bid", "Held for justification"),
        BidState.WON: lazy_pgettext("bid", "Won"),
        BidState.LOST: lazy_pgettext("bid", "Not chosen"),
        BidState.WITHDRAWN: lazy_pgettext("bid", "Withdrawn"),
        BidState.EXPIRED: lazy_pgettext("bid", "Expired"),
        BidState.REFUSED: lazy_pgettext("bid", "Refused"),
        BidState.REPLACED: lazy_pgettext("bid", "Replaced by a newer one"),
        BidState.VOIDED: lazy_pgettext("bid", "Void: the need changed"),
        BidState.DECLINED: lazy_pgettext("bid", "Declined by the institution"),
    },
    RoundState: {
        RoundState.OPENED: lazy_pgettext("round", "Running"),
        RoundState.SETTLED: lazy_pgettext("round", "Settled"),
        RoundState.ABANDONED: lazy_pgettext("round", "Abandoned"),
    },
    ProposalState: {
        ProposalState.PROPOSED: lazy_pgettext("proposal", "Proposed"),
        ProposalState.UNPLACED: lazy_pgettext("proposal", "Not placed"),
        ProposalState.ACCEPTED: lazy_pgettext("proposal", "Accepted"),
        ProposalState.LAPSED: lazy_pgettext("proposal", "Lapsed"),
    },
    AwardState: {
        AwardState.AWAITING_CONFIRMATION: lazy_pgettext("award", "Waiting for the second person"),
        AwardState.CONFIRMED: lazy_pgettext("award", "Confirmed"),
        AwardState.REJECTED: lazy_pgettext("award", "Rejected"),
        AwardState.DECLINED: lazy_pgettext("award", "Declined by the institution"),
    },
    LoanState: {
        LoanState.UNDER_REVIEW: lazy_pgettext("loan", "Under review"),
        LoanState.UNCONFIRMED: lazy_pgettext("loan", "Waits for the borrower"),
        LoanState.APPROVED: lazy_pgettext("loan", "Approved, not drawn"),
        LoanState.DRAWN: lazy_pgettext("loan", "Drawn"),
        LoanState.REPAID: lazy_pgettext("loan", "Repaid"),
        LoanState.WRITTEN_OFF: lazy_pgettext("loan", "Written off"),
        LoanState.CANCELLED: lazy_pgettext("loan", "Cancelled"),
    },
    ContractStage: {
        ContractStage.AWARDED: lazy_pgettext("contract", "Contract awarded"),
        ContractStage.SIGNED: lazy_pgettext("contract", "Contract signed"),
        ContractStage.FILED: lazy_pgettext("contract", "Contract filed"),
        ContractStage.INTENT: lazy_pgettext("contract", "Financing intended"),
        ContractStage.CREDITED: lazy_pgettext("contract", "Credit approved"),
        ContractStage.ACCOUNT_LOCKED: lazy_pgettext("contract", "Payee account locked"),
        ContractStage.PLEDGE_REGISTERED: lazy_pgettext("contract", "Pledge registered"),
        ContractStage.DRAWN: lazy_pgettext("contract", "Loan drawn"),
        ContractStage.PURCHASER_PAID: lazy_pgettext("contract", "Purchaser paid"),
        ContractStage.REPAID: lazy_pgettext("contract", "Loan repaid"),
        ContractStage.PLEDGE_CANCELLED: lazy_pgettext("contract", "Pledge cancelled"),
        ContractStage.UNLOCKED: lazy_pgettext("contract", "Account released"),
    },
    AlertKind: {
        AlertKind.WRONG_ACCOUNT: lazy_gettext("Paid into another account"),
        AlertKind.PURCHASER_OVERDUE: lazy_gettext("Purchaser pays late"),
        AlertKind.LOAN_OVERDUE: lazy_gettext("Loan overdue"),
        AlertKind.OVERPAID: lazy_gettext("Paid more than the contract"),
        AlertKind.UNDATED_PAYMENT: lazy_gettext("Payment without a date"),
        AlertKind.LOW_BID: lazy_gettext("Unusually low bid"),
        AlertKind.REVIEW_OVERDUE: lazy_gettext("Review overdue"),
        AlertKind.CLOCK_GAP: lazy_gettext("The clock stood still"),
        AlertKind.WORK_MISSED: lazy_gettext("Due work was not done"),
        AlertKind.UNMATCHED_PAYMENT: lazy_gettext("Payment of an unknown contract"),
        AlertKind.PLEDGE_EXPIRING: lazy_gettext("Pledge registration ends"),
        AlertKind.RIGHT_UNCONFIRMED: lazy_gettext("Receivable not confirmed in time"),
        AlertKind.CONTRACT_AMENDED: lazy_gettext("Financed contract changed"),
        AlertKind.CONTRACT_TERMINATED: lazy_gettext("Financed contract terminated"),
        AlertKind.FINANCING_REFUSED: lazy_gettext("Second financing refused"),
        AlertKind.FRAMEWORK_ENDING: lazy_gettext("Framework agreement ends"),
        AlertKind.REPORT_MISSING: lazy_gettext("Monthly report missing"),
        AlertKind.RENEWAL_MISSING: lazy_gettext("Renewal has not come in"),
    },
    LimitScope: {
        LimitScope.TOTAL: lazy_gettext("In total"),
        LimitScope.FIRM: lazy_gettext("To one firm"),
        LimitScope.SECTOR: lazy_gettext("To one industry"),
        LimitScope.PURCHASER: lazy_gettext("On one purchaser's contracts"),
        LimitScope.LEVERAGE: lazy_gettext("All guarantees, weighted"),
    },
    LimitMode: {
        LimitMode.RESERVED: lazy_gettext("Every live bid reserves its amount"),
        LimitMode.SHARED: lazy_gettext("Live bids share the headroom"),
    },
    BidPolicy: {
        BidPolicy.SEALED: lazy_gettext("Sealed: nobody sees anything before the opening"),
        BidPolicy.ANONYMOUS: lazy_gettext("Anonymous: bidders see the best cost and their own rank"),
    },
    Visibility: {
        Visibility.ALL: lazy_gettext("All institutions of the zone"),
        Visibility.CHOSEN: lazy_gettext("Only the institutions I name"),
        Visibility.EXCEPT: lazy_gettext("All but the institutions I name"),
    },
    FewBids: {
        FewBids.OFFER: lazy_gettext("Show me what there is"),
        FewBids.ANOTHER_ROUND: lazy_gettext("Hold another bid round"),
        FewBids.FAIL: lazy_gettext("End without a result"),
    },
    Decision: {
        Decision.ACCEPTED: lazy_pgettext("justification", "Accepted"),
        Decision.REFUSED: lazy_pgettext("justification", "Refused"),
    },
    ReviewOutcome: {
        ReviewOutcome.APPROVED: lazy_pgettext("review", "Approved"),
        ReviewOutcome.DECLINED: lazy_pgettext("review", "Declined"),
    },
    DeclineReason: {
        DeclineReason.CREDIT_HISTORY: lazy_gettext("Credit history"),
        DeclineReason.REPAYMENT_ABILITY: lazy_gettext("Ability to repay"),
        DeclineReason.SECURITY_SHORT: lazy_gettext("Security not sufficient"),
        DeclineReason.DOCUMENTS_MISSING: lazy_gettext("Documents missing"),
        DeclineReason.PURPOSE_DOUBTED: lazy_gettext("Purpose in doubt"),
        DeclineReason.CONTRACT_DOUBTED: lazy_gettext("Contract in doubt"),
        DeclineReason.POLICY: lazy_gettext("Credit policy"),
        DeclineReason.FIRM_WITHDREW: lazy_gettext("The firm withdrew"),
        DeclineReason.OTHER: lazy_gettext("Another reason"),
    },
    # Each language is named in itself, so that whoever needs it can read it.
    Locale: {Locale.ZH: "中文", Locale.EN: "English"},
}

LABELS.update(lending_labels.LABELS)
LABELS.update(ladder_labels.LABELS)
LABELS.update(bureau_labels.LABELS)
LABELS.update(procurement_labels.LABELS)
LABELS.update(payment_labels.LABELS)
LABELS.update(receivable_labels.LABELS)
LABELS.update(import_labels.LABELS)
FIELDS.update(import_labels.FIELDS)
LABELS.update(claims_labels.LABELS)
LABELS.update(report_labels.LABELS)

#: Who is paid, as offers name them; others are named by the institution that wrote the offer.
PAYEES: dict[str, Any] = {
    "lender": lazy_pgettext("payee", "Lender"),
    "guarantor": lazy_pgettext("payee", "Guarantor"),
    "insurer": lazy_pgettext("payee", "Insurer"),
    "platform": lazy_pgettext("payee", "Platform"),
    "agency": lazy_pgettext("payee", "Service agency"),
    "subsidy": lazy_pgettext("payee", "Subsidy"),
}


def payee(name: str) -> str:
    """Return the word for somebody who is paid."""
    return str(PAYEES.get(name, name))


def label(member: Enum | None) -> Any:
    """Return the lazy word for a member of the vocabulary; an em dash for None."""
    if member is None:
        return "—"
    return LABELS[type(member)][member]


def label_all(kind: type[StrEnum], values: Iterable[str]) -> str:
    """Return the words for stored members of one list of the vocabulary, in a row."""
    return gettext(", ").join(str(label(kind(value))) for value in values)


def field_label(path: str) -> str:
    """Return the words for a field path: ``fees.2.rate`` is "Fees 3 › Annual rate"; unknown steps stay."""
    said: list[str] = []
    for step in path.replace("[", ".").replace("]", "").split("."):
        if step.isdigit():
            number = str(int(step) + 1)
            said.append(f"{said.pop()} {number}" if said else number)
        elif step:
            said.append(str(FIELDS.get(step) or procurement_labels.FIELDS.get(step, step)))
    # "terms.rate" is a rate to whoever reads it; where it stands matters only for rows of a list.
    if len(said) > 1 and not any(part[-1:].isdigit() for part in said[:-1]):
        said = said[-1:]
    return " › ".join(said)
