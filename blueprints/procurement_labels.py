"""The words for the vocabulary of public procurement, its deposits and its notices."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask_babel import lazy_pgettext

from market.deposits import DepositMove
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
    DepositMove: {
        DepositMove.PAY: lazy_pgettext("deposit", "Record the cash"),
        DepositMove.ASK: lazy_pgettext("deposit", "Ask for a guarantee"),
        DepositMove.DECLINE: lazy_pgettext("deposit", "Decline"),
        DepositMove.ISSUE: lazy_pgettext("deposit", "Issue the guarantee"),
        DepositMove.RETURN: lazy_pgettext("deposit", "Record the cash returned"),
        DepositMove.RELEASE: lazy_pgettext("deposit", "Release"),
        DepositMove.EXPIRE: lazy_pgettext("deposit", "Expire"),
    },
}

#: The words for the fields of procurement.
FIELDS: dict[str, Any] = {
    "abolished": lazy_pgettext("procurement", "Bid deposits abolished"),
    "agency": lazy_pgettext("procurement", "Procurement agency"),
    "amount_from": lazy_pgettext("procurement", "Projects above"),
    "amount_to": lazy_pgettext("procurement", "Projects up to"),
    "award_notice_id": lazy_pgettext("procurement", "Award notice"),
    "budget_wan": lazy_pgettext("procurement", "Budget"),
    "document": lazy_pgettext("procurement", "Document number"),
    "evidence": lazy_pgettext("procurement", "Evidence"),
    "expected_month": lazy_pgettext("procurement", "Expected month"),
    "favoured": lazy_pgettext("procurement", "Favoured firms"),
    "guarantee_number": lazy_pgettext("procurement", "Number of the guarantee"),
    "guarantor_id": lazy_pgettext("procurement", "Guarantor"),
    "high": lazy_pgettext("procurement", "Highest share"),
    "industries": lazy_pgettext("procurement", "Further industries"),
    "industry": lazy_pgettext("procurement", "Industry"),
    "is_reserved": lazy_pgettext("procurement", "Reserved for small and medium firms"),
    "issuer": lazy_pgettext("procurement", "Issuer"),
    "keywords": lazy_pgettext("procurement", "Words to watch for"),
    "low": lazy_pgettext("procurement", "Lowest share"),
    "number": lazy_pgettext("procurement", "Number"),
    "object": lazy_pgettext("procurement", "What is bought"),
    "package_number": lazy_pgettext("procurement", "Package number"),
    "plan_number": lazy_pgettext("procurement", "Plan filing number"),
    "price": lazy_pgettext("procurement", "Award price"),
    "project_number": lazy_pgettext("procurement", "Project number"),
    "purchaser_code": lazy_pgettext("procurement", "Purchaser's credit code"),
    "purchaser_name": lazy_pgettext("procurement", "Purchaser"),
    "released_on": lazy_pgettext("procurement", "Released on"),
    "returned_on": lazy_pgettext("procurement", "Returned on"),
    "source": lazy_pgettext("procurement", "Source"),
    "supplier_code": lazy_pgettext("procurement", "Supplier's credit code"),
    "supplier_name": lazy_pgettext("procurement", "Supplier"),
    "tags": lazy_pgettext("procurement", "Qualifications asked for"),
    "title": lazy_pgettext("procurement", "Title"),
    "valid_from": lazy_pgettext("procurement", "Valid from"),
    "valid_to": lazy_pgettext("procurement", "Valid to"),
    "why": lazy_pgettext("procurement", "Reason"),
}

#: Nouns of procurement, as refusals name them.
NOUNS: dict[str, Any] = {
    "award_notice": lazy_pgettext("procurement", "Award notice"),
    "deposit": lazy_pgettext("deposit", "Deposit"),
    "framework": lazy_pgettext("procurement", "Framework agreement"),
    "guarantee": lazy_pgettext("deposit", "Letter of guarantee"),
    "intention": lazy_pgettext("notice", "Procurement intention"),
    "notice": lazy_pgettext("notice", "Notice"),
    "procurement_rule": lazy_pgettext("procurement", "Rule"),
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
