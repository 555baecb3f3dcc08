"""The words for the vocabulary of public procurement, its deposits and its notices."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext

from market.procurement_vocabulary import (
    DepositForm,
    DepositKind,
    DepositState,
    Favoured,
    MatchReason,
    NoticeKind,
    ProcurementObject,
    ProcurementRuleKind,
)

LABELS: dict[type[Enum], dict[Any, Any]] = {
    ProcurementObject: {
        ProcurementObject.GOODS: lazy_pgettext("procurement", "Goods"),
        ProcurementObject.SERVICES: lazy_pgettext("procurement", "Services"),
        ProcurementObject.WORKS: lazy_pgettext("procurement", "Works"),
    },
    ProcurementRuleKind: {
        ProcurementRuleKind.RESERVE_WHOLE: lazy_pgettext("procurement", "Small projects reserved whole"),
        ProcurementRuleKind.RESERVE_SHARE: lazy_pgettext("procurement", "Share of the budget reserved"),
        ProcurementRuleKind.RESERVE_SMALL_SHARE: lazy_pgettext(
            "procurement", "Of that for small and micro firms"
        ),
        ProcurementRuleKind.PRICE_DEDUCTION: lazy_pgettext("procurement", "Price deduction"),
        ProcurementRuleKind.CONSORTIUM_DEDUCTION: lazy_pgettext(
            "procurement", "Price deduction for consortia and subcontracts"
        ),
        ProcurementRuleKind.BID_DEPOSIT_MOST: lazy_pgettext("procurement", "Bid deposit at most"),
        ProcurementRuleKind.PERFORMANCE_DEPOSIT_MOST: lazy_pgettext(
            "procurement", "Performance deposit at most"
        ),
        ProcurementRuleKind.QUALITY_DEPOSIT_MOST: lazy_pgettext("procurement", "Quality deposit at most"),
    },
    Favoured: {
        Favoured.ALL: lazy_pgettext("procurement", "All firms"),
        Favoured.SME: lazy_pgettext("procurement", "Medium, small and micro firms"),
        Favoured.SMALL_MICRO: lazy_pgettext("procurement", "Small and micro firms"),
    },
    MatchReason: {
        MatchReason.INDUSTRY: lazy_pgettext("match", "your industry"),
        MatchReason.TAG: lazy_pgettext("match", "a qualification of yours"),
        MatchReason.KEYWORD: lazy_pgettext("match", "a word you watch for"),
    },
    NoticeKind: {
        NoticeKind.AWARD_NOTICE: lazy_pgettext("notice", "You were awarded a contract"),
        NoticeKind.AWARDS_OF_DAY: lazy_pgettext("notice", "Public contracts awarded"),
        NoticeKind.INTENTION: lazy_pgettext("notice", "Procurement intention"),
        NoticeKind.FRAMEWORK_ENDING: lazy_pgettext("notice", "Framework agreement ending"),
        NoticeKind.FRAMEWORK_ENDED: lazy_pgettext("notice", "Framework agreement ended early"),
        NoticeKind.DEPOSIT_DEMANDED: lazy_pgettext("notice", "Deposit demanded"),
        NoticeKind.GUARANTEE_ASKED: lazy_pgettext("notice", "Guarantee asked for"),
        NoticeKind.GUARANTEE_DECLINED: lazy_pgettext("notice", "Guarantee declined"),
        NoticeKind.GUARANTEE_ISSUED: lazy_pgettext("notice", "Guarantee issued"),
        NoticeKind.GUARANTEE_EXPIRED: lazy_pgettext("notice", "Guarantee expired"),
        NoticeKind.DEPOSIT_RELEASED: lazy_pgettext("notice", "Deposit released"),
    },
    DepositKind: {
        DepositKind.BID: lazy_pgettext("deposit", "Bid deposit"),
        DepositKind.PERFORMANCE: lazy_pgettext("deposit", "Performance deposit"),
        DepositKind.ADVANCE: lazy_pgettext("deposit", "Advance-payment deposit"),
        DepositKind.QUALITY: lazy_pgettext("deposit", "Quality deposit"),
    },
    DepositForm: {
        DepositForm.CASH: lazy_pgettext("deposit", "Cash"),
        DepositForm.GUARANTEE: lazy_pgettext("deposit", "Letter of guarantee"),
    },
    DepositState: {
        DepositState.DEMANDED: lazy_pgettext("deposit", "Demanded"),
        DepositState.PAID: lazy_pgettext("deposit", "Paid in cash"),
        DepositState.ASKED: lazy_pgettext("deposit", "Guarantor asked"),
        DepositState.GUARANTEED: lazy_pgettext("deposit", "Guaranteed"),
        DepositState.EXPIRED: lazy_pgettext("deposit", "Guarantee expired"),
        DepositState.RELEASED: lazy_pgettext("deposit", "Released"),
    },
}

#: The words for the fields of procurement.
FIELDS: dict[str, Any] = {
    "abolished": lazy_gettext("Bid deposits abolished"),
    "agency": lazy_gettext("Procurement agency"),
    "amount_from": lazy_gettext("Projects above"),
    "amount_to": lazy_gettext("Projects up to"),
    "award_notice_id": lazy_gettext("Award notice"),
    "budget_wan": lazy_gettext("Budget"),
    "document": lazy_gettext("Document number"),
    "evidence": lazy_gettext("Evidence"),
    "expected_month": lazy_gettext("Expected month"),
    "favoured": lazy_gettext("Favoured firms"),
    "guarantee_number": lazy_gettext("Number of the guarantee"),
    "guarantor_id": lazy_gettext("Guarantor"),
    "high": lazy_gettext("Highest share"),
    "industries": lazy_gettext("Further industries"),
    "industry": lazy_gettext("Industry"),
    "is_reserved": lazy_gettext("Reserved for small and medium firms"),
    "issuer": lazy_gettext("Issuer"),
    "keywords": lazy_gettext("Words to watch for"),
    "low": lazy_gettext("Lowest share"),
    "number": lazy_gettext("Number"),
    "object": lazy_gettext("What is bought"),
    "package_number": lazy_gettext("Package number"),
    "plan_number": lazy_gettext("Plan filing number"),
    "price": lazy_gettext("Award price"),
    "project_number": lazy_gettext("Project number"),
    "purchaser_code": lazy_gettext("Purchaser's credit code"),
    "purchaser_name": lazy_gettext("Purchaser"),
    "released_on": lazy_gettext("Released on"),
    "returned_on": lazy_gettext("Returned on"),
    "source": lazy_gettext("Source"),
    "supplier_code": lazy_gettext("Supplier's credit code"),
    "supplier_name": lazy_gettext("Supplier"),
    "tags": lazy_gettext("Qualifications asked for"),
    "title": lazy_gettext("Title"),
    "valid_from": lazy_gettext("Valid from"),
    "valid_to": lazy_gettext("Valid to"),
    "why": lazy_gettext("Reason"),
}

#: Nouns of procurement, as refusals name them.
NOUNS: dict[str, Any] = {
    "award_notice": lazy_gettext("Award notice"),
    "deposit": lazy_gettext("Deposit"),
    "framework": lazy_gettext("Framework agreement"),
    "guarantee": lazy_gettext("Letter of guarantee"),
    "intention": lazy_gettext("Procurement intention"),
    "notice": lazy_gettext("Notice"),
    "procurement_rule": lazy_gettext("Rule"),
}

#: States and moves of deposits and agreements, as refusals name them.
STATES: dict[str, Any] = {
    "demanded": lazy_pgettext("state", "demanded"),
    "paid": lazy_pgettext("state", "paid in cash"),
    "asked": lazy_pgettext("state", "waiting for the guarantor"),
    "guaranteed": lazy_pgettext("state", "guaranteed"),
    "released": lazy_pgettext("state", "released"),
    "no_cash": lazy_pgettext("state", "no cash held"),
}
MOVES: dict[str, Any] = {
    "pay": lazy_pgettext("move", "record cash"),
    "ask": lazy_pgettext("move", "ask for a guarantee"),
    "issue": lazy_pgettext("move", "issue the guarantee"),
    "return": lazy_pgettext("move", "return the cash"),
    "release": lazy_pgettext("move", "release"),
    "end": lazy_pgettext("move", "end early"),
}
