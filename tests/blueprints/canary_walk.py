"""The walk of the canary: every route of the application, filled with what exists, as everybody who may.

A route whose address, or whose body, the walk does not know how to fill raises ``LookupError``: whoever adds
one says here with what it is to be asked.
"""

from __future__ import annotations

import io
import itertools
import json
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from blueprints import access
from blueprints.access import Reach
from blueprints.web.need_wizard import STEPS
from market.deposits import DepositMove
from tests.blueprints.canary_market import CANARY, EARLIER, RIVAL, Cast, Chance, restore
from tests.blueprints.web.market_stall import sign_in

#: Files of the house: nothing in them comes from the database.
FILES = {"web.static", "api_docs.static", "web.favicon"}
#: Texts of an answer that differ from one request to the next by their nature.
CHANGING = [
    (re.compile(rb'(name="csrf-?_?token"[^>]*(?:value|content)=")[^"]*'), rb"\1"),
    (re.compile(rb"cuo_[A-Za-z0-9_-]+"), b"cuo_"),
    (re.compile(rb'"(seconds|milliseconds)": *"?[0-9.]+"?'), rb'"\1": 0'),
]
#: What lists understand beside their page: who asks for a file gets all of it.
QUERIES = {
    "institution.opportunities": ["export=csv", "export=xlsx", "sort=closes_at&page=1&size=50"],
    "institution.bids": ["export=csv", "export=xlsx"],
    "officer.board_needs": [
        "export=csv",
        "export=xlsx",
        "figure=answered",
        "figure=three_bids",
        "state=open",
    ],
    "officer.board_deals": ["export=xlsx"],
    "deals.deals": ["export=csv", "export=xlsx", "bucket=current&sort=late"],
    "deals.deals_change": ["kind=extension", "kind=undo&event=1"],
    "officer.overdue": ["export=csv"],
    "officer.contract_loans": ["export=xlsx", "period=2026-11", "mark=overdue"],
    "lender_reports.received": ["export=csv"],
    "api_lender_reports.ContractReports": ["month=2026-10"],
    "api_lender_reports.ReportDraft": ["month=2026-10"],
    "api_lender_reports.ReportStandings": ["month=2026-10"],
    "officer.members": ["export=csv"],
    "officer.admissions": ["export=csv"],
    "officer.justifications": ["view=decided"],
    "officer.surveillance": ["days=30"],
    "api_needs.Needs": ["page=1&page_size=1"],
    "api_bureau.Awards": ["day=2026-11-20"],
    "api_bureau.Contracts": ["day=2026-11-20&basis=updated", "number=HT-1"],
    "api_bureau.AccountChanges": ["number=HT-1"],
    "api_bureau.Payments": ["day=2026-11-20&basis=updated"],
    "api_surveillance.Surveillance": ["days=30"],
    "enterprise.needs_estimate": ["amount=100&months=12"],
}

#: Calls that change or try something, with what they send; ``{need}`` and the like are filled in. Those
#: that concern no bid are asked with an empty body, which must say the same everywhere too.
QUOTE = {
    "product_id": "{product}",
    "principal": "5000000.00",
    "months": 12,
    "rate": "0.0385",
    "valid_until": "{later}",
}
NEED = {"purpose": "working_capital", "amount": "5100000.00", "months": 12, "joins_matching": False}
OUTAGE = {"started_at": "{now}", "ended_at": "{week}", "reason": "停电"}
FORM_QUOTE = {
    "product_id": "{product}",
    "principal": "500",
    "months": "12",
    "rate": "3.85",
    "repayment": "interest_monthly",
    "valid_until": "2027-01-31",
}
FORM_NEED = {
    "purpose": "working_capital",
    "amount": "510",
    "months": "12",
    "securities": "unsecured",
    "accepts": "loan",
    "bid_policy": "sealed",
    "go": "apply",
}
BODIES: dict[str, list[dict[str, Any]]] = {
    "api_bids.NeedBids": [QUOTE, {**QUOTE, "rate": "0.0395"}, {}],
    "api_bids.BidPreview": [QUOTE, {**QUOTE, "rate": "0.0395"}],
    "api_bids.BulkBids": [{"rows": [{**QUOTE, "need_id": "{need}"}]}],
    "api_bids.BulkCheck": [{"rows": [{**QUOTE, "need_id": "{need}"}]}],
    "api_bids.BidJustification": [{"text": "自有资金充足"}],
    "api_bids.JustificationDecided": [{"decision": "accepted", "note": "可以"}],
    "api_bids.BidReconfirmation": [{}],
    "api_bids.EarlyOpenings": [{"reason": "查案"}],
    "api_bids.EarlyOpeningDecided": [{"agreed": False}],
    "api_awards.NeedAward": [{"bid_id": "{bid}", "shown_hash": "0" * 64}],
    "api_awards.NeedSyndicate": [
        {"parts": [{"bid_id": "{bid}", "shown_hash": "0" * 64, "amount": "1000000.00"}]}
    ],
    "api_needs.NeedChanges": [NEED, {}],
    "api_needs.NeedChangePreview": [NEED],
    "api_needs.NeedPublication": [{"closes_at": "{later}"}],
    "api_needs.NeedWithdrawal": [{}],
    "api_needs.Need": [NEED],
    "api_questions.Questions": [{"question": "何时还款？"}],
    "api_outages.Outages": [OUTAGE],
    "api_rounds.RoundReplay": [{}],
    "api_rounds.RoundRun": [{}],
    "institution.opportunities_bid": [FORM_QUOTE],
    "institution.opportunities_preview": [FORM_QUOTE],
    "institution.opportunities_ask": [{"question": "何时还款？"}],
    "institution.bids_withdraw": [{}],
    "institution.bids_justify": [{"text": "自有资金充足"}],
    "institution.bids_reconfirm": [{}],
    "institution.bids_bulk": [{"step": "check", "text": "need_id\tproduct_id\n{need}\t{product}"}],
    "enterprise.needs_accept": [{"shown_hash": "0" * 64}],
    "enterprise.needs_award": [{"decision": "confirm"}],
    "enterprise.needs_syndicate": [{"part": "{bid}:1000000:" + "0" * 64}],
    "enterprise.needs_change": [FORM_NEED, {**FORM_NEED, "go": "look"}],
    "enterprise.needs_withdraw": [{}],
    "officer.early_opening_ask": [{"reason": "查案"}],
    "officer.early_opening_decide": [{"decision": "refuse"}],
    "officer.justifications_decide": [{"decision": "accepted", "note": "可以"}],
    "officer.rounds_new": [{}],
    "officer.rounds_replay": [{}],
}
#: Calls that concern neither a need nor a bid.
ELSEWHERE = {
    f"{blueprint}.{endpoint}"
    for blueprint, endpoints in {
        "account": "issue_token revoke_token",
        "api_admissions": "Admissions MemberAdmission MemberSuspension",
        "api_alerts": "AlertResolution",
        "api_awards": "AwardConfirmation AwardRejection",
        "api_bids": "Bid StandingBid StandingBids",
        "api_bureau": "RepaymentReports",
        "api_consents": "ConsentRevocation Consents",
        "api_bridges": "BridgeRules LoanRenewal RenewalReturn",
        "api_claims": (
            "ClaimAcceptance ClaimClosing ClaimPayments ClaimRecoveries ClaimRefusal ClaimTerms LoanClaims"
        ),
        "api_contracts": (
            "AccountChangeConsent AccountChangeRefusal AccountChangeWithdrawal AccountChanges "
            "ContractAcceptance ContractConfirmation ContractImport ContractPayments ContractSteps "
            "ContractTermination ContractTerms Contracts ImportCancellation Pledges "
            "StepConfirmation StepRejection"
        ),
        "api_deposits": (
            "BidDeposits DepositGuarantee DepositPayment DepositRefusal DepositRelease DepositRequest "
            "DepositReturn Deposits"
        ),
        "api_frameworks": "FrameworkEnd FrameworkRequirement Frameworks",
        "api_loans": (
            "DrawdownConfirmation DrawdownTurnedDown EventUndoPreview EventUndoing LoanCancellation "
            "LoanChangePreview LoanChanges LoanDrawdown LoanRelease LoanRepayments"
        ),
        "api_direct_deals": "DirectDealConfirmation DirectDealRefusal DirectDeals",
        "api_lender_reports": "ContractReports",
        "api_needs": "Needs",
        "api_notices": "NoticeReading NoticesReading",
        "api_organisations": "Limits MemberTags MemberController MemberWhitelist Organisations Own",
        "api_payments": (
            "PaymentDate PaymentRedirection PaymentRefund PaymentResolved Payments "
            "UnmatchedAside UnmatchedMatch"
        ),
        "api_prices": "Prices",
        "api_procurement": "AwardNotices IntentionImport Intentions Rules Watch",
        "api_products": "Product Supermarket",
        "api_questions": "QuestionReply",
        "api_receivables": (
            "ReceivableConfirmation ReceivableImport ReceivablePaid ReceivableRefused ReceivableRequest "
            "ReceivableWithdrawal Receivables"
        ),
        "api_reviews": "RequestAnswering ReviewApproval ReviewDecline ReviewGivingUp ReviewRequests",
        "api_tokens": "Token Tokens",
        "api_zones": "ClockMove",
        "bridges": "bridges_commit bridges_draw bridges_return bridges_rule",
        "claims": "claims_decide claims_new claims_pay claims_recover claims_terms",
        "contracts": (
            "contracts_accept contracts_change contracts_change_agree contracts_change_refuse "
            "contracts_change_withdraw contracts_confirm contracts_new contracts_pay contracts_reject "
            "contracts_renew contracts_step contracts_terminate contracts_terms contracts_vouch"
        ),
        "enterprise": (
            "consents consents_revoke firm needs_answer needs_edit needs_fix needs_new needs_publish"
        ),
        "deposits": "deposits_bidding deposits_move deposits_new",
        "deals": (
            "deals_cancel deals_confirm deals_draw deals_record deals_refuse deals_release deals_repay"
        ),
        "direct_deals": "direct_deals_decide direct_deals_new",
        "institution": "limits shelf_new shelf_set_listed shelf_standing",
        "notices": "notices_read notices_read_all",
        "lender_reports": "reports_submit",
        "officer": (
            "bureau_pull bureau_save frameworks_end frameworks_require frameworks_sign procurement_rules_add "
            "admissions_new admissions_papers admissions_reinstate admissions_suspend "
            "alerts_outages alerts_resolve board_clock contract_loans_importgo contract_loans_imports "
            "contract_loans_importstop members_end_tag members_tag "
            "members_controller members_whitelist reference_add"
        ),
        "procurement": "awards_new intentions_import intentions_new intentions_watch",
        "payments": (
            "payments_date payments_follow payments_match payments_reopen payments_report payments_resolve"
        ),
        "public": "register",
        "receivables": (
            "receivables_confirm receivables_new receivables_paid receivables_refuse receivables_request "
            "receivables_withdraw"
        ),
        "reviews": "reviews_answer reviews_approve reviews_ask reviews_decline reviews_give_up",
        "web": "choose_place sign_in sign_out",
    }.items()
    for endpoint in endpoints.split()
}

Answers = dict[str, bytes]
#: Where the numbers of bids begin that are placed on the walk.
ANSWERED = 1_000_000_000


@dataclass
class Walk:
    """A walk through one world at one moment; ``answers`` are what everybody was told, by their question.

    ``copy`` is the world's database: whatever a question changed is undone before the next one.
    """

    app: Flask
    cast: Cast
    copy: Path
    now: datetime
    chance: Chance
    answers: Answers = field(default_factory=dict)

    def go(self, names: Collection[str], trying: Collection[str]) -> Answers:
        """Look at everything as the people named, "public" being nobody; some try out every call too."""
        rules = sorted(self.app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
        for name in names:
            client = self.app.test_client()
            self._arrive(name, client)
            for rule in rules:
                for method in sorted((rule.methods or set()) - {"OPTIONS"}) if name in trying else ["GET"]:
                    asked = method in (rule.methods or ()) and rule.endpoint not in FILES
                    if asked and self._is_let_in(name, rule.endpoint, method):
                        self.ask_all(name, client, rule, method)
        return self.answers

    def _arrive(self, name: str, client: FlaskClient) -> None:
        """Sign in anew; half of the people read Chinese."""
        if name != "public":
            sign_in(client, self.cast.parties[name], "zh" if len(name) % 2 else "en")

    def _is_let_in(self, name: str, endpoint: str, method: str) -> bool:
        """Say whether a view would see the question at all: who may call it has tests of its own."""
        policy = access.find_policy(self.app, endpoint, method)
        party = self.cast.parties.get(name)
        if policy is None or policy.reach is Reach.PUBLIC:
            return True
        return party is not None and (policy.reach is Reach.SIGNED_IN or party.may(*policy.capabilities))

    def ask_all(self, name: str, client: FlaskClient, rule: Rule, method: str) -> None:
        """Ask of a route all that is known to be asked; raises ``LookupError`` where that is not enough."""
        if method == "HEAD" and name != "rival":
            return
        bodies = self._choose_bodies(rule, method)
        addresses = self.app.url_map.bind("localhost")
        for values in self._fill(rule):
            address = addresses.build(rule.endpoint, values)
            for query in ["", *(QUERIES.get(rule.endpoint, []) if method == "GET" else [])]:
                for body in bodies:
                    full = f"{address}?{query}" if query else address
                    self._ask(name, client, method, full, self._complete(name, body, values))

    def _choose_bodies(self, rule: Rule, method: str) -> list[dict[str, Any] | None]:
        if method in {"GET", "HEAD"}:
            return [None]
        if method == "DELETE" or rule.endpoint in ELSEWHERE:
            return [{}]
        if rule.endpoint not in BODIES:
            raise LookupError(f"with what is {method} {rule.rule} ({rule.endpoint}) to be called?")
        return list(BODIES[rule.endpoint])

    def _fill(self, rule: Rule) -> Iterator[dict[str, Any]]:
        """Yield values for what stands in an address: everything that there is of that name."""
        known: dict[str, list[Any]] = {
            **self.cast.numbers,
            "need_id": sorted(self.cast.needs.values()),
            # The canary's first bid and its rival's on the sealed need, and one opened long ago.
            "bid_id": [CANARY + 1, RIVAL + 1, EARLIER + 1],
            "product_id": [self.cast.products["canary"], self.cast.products["rival"]],
            "organisation_id": [self.cast.parties[name].organisation_id for name in ("canary", "firm")],
            "question_id": [1],
            "drawdown_id": [1],
            "event_id": [1],
            "step_id": [1],
            "change_id": [1],
            "consent_id": [1],
            "link_id": [1],
            "receivable_id": [1],
            "job_id": [1],
            "claim_id": [1],
            "token_id": [1],
            "payment_id": [1],
            "unmatched_id": [1],
            "month": ["2026-10"],
            "file": ["file.pdf", "file.xlsx"],
            "paper": ["sheet.pdf", "proof.json", "proof.xlsx"],
            "step": list(STEPS),
            "move": [DepositMove.ASK.value, DepositMove.DECLINE.value],
        }
        names = sorted(rule.arguments)
        if len(names) > 1:
            known["need_id"] = [self.cast.needs["sealed"], self.cast.needs["done"]]
        if missing := [name for name in names if name not in known]:
            raise LookupError(f"with what is {missing} in {rule.rule} to be filled?")
        for values in itertools.product(*(known[name] for name in names)):
            yield dict(zip(names, values, strict=True))

    def _complete(
        self, name: str, body: dict[str, Any] | None, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        if body is None:
            return None
        words = {
            "{need}": values.get("need_id", self.cast.needs["sealed"]),
            "{bid}": CANARY + 1,
            "{product}": self.cast.products.get(name, self.cast.products["rival"]),
            "{now}": _write(self.now),
            "{week}": _write(self.now + timedelta(days=7)),
            "{later}": _write(self.now + timedelta(days=40)),
        }

        def put(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: put(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [put(inner) for inner in value]
            if value in words:
                return words[value]
            if isinstance(value, str):
                for word, meant in words.items():
                    value = value.replace(word, str(meant))
            return value

        return {key: put(value) for key, value in body.items()}

    def _ask(
        self, name: str, client: FlaskClient, method: str, address: str, body: dict[str, Any] | None = None
    ) -> None:
        self.chance.begin(ANSWERED)
        if address.startswith(access.API_PREFIX):
            token = self.cast.tokens.get(name)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = client.open(address, method=method, headers=headers, json=body)
        else:
            answer = client.open(address, method=method, data=body, follow_redirects=body is not None)
        asked = f"{name}: {method} {address} {json.dumps(body, ensure_ascii=False) if body else ''}"
        assert answer.status_code != 500, asked
        self.answers[asked] = read(answer)
        if body is not None and (answer.status_code < 400 or answer.history):
            restore(self.app, self.copy)
            self._arrive(name, client)


def read(answer: TestResponse) -> bytes:
    """Return an answer as it went over the line, without what differs from one to the next by nature."""
    body, changing = answer.data, {"Set-Cookie"}
    if str(answer.mimetype).endswith("spreadsheetml.sheet"):
        changing.add("Content-Length")
    if body and "Content-Length" in changing:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            # The moment of writing stands there, and is as long as it is.
            body = b"".join(book.read(one) for one in book.namelist() if one != "docProps/core.xml")
    lines = [answer.status]
    for header, value in sorted(answer.headers):
        lines.append(f"{header}: {'' if header in changing else value}")
    for pattern, put in CHANGING:
        body = pattern.sub(put, body)
    return "\n".join(lines).encode() + b"\n\n" + body


def _write(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
