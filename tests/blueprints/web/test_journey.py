"""The whole ladder of one contract in a real browser, from its entry to the release of its account.

Real web server, real clock, real Chromium; a firm, a purchaser, two people of a bank, a rival, an officer.
Every page on the way must be free of console errors, of requests to anywhere else, and of faults that axe can
see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect, sync_playwright

from market.calendar import local_date
from market.vocabulary import Capability, ContractStage, LoanState, OrganisationKind, ProductFamily, Repayment
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.organisation import Organisation
from models.zone import Zone
from tests import factories
from tests.databases import URL
from tests.factories import MILLION
from tests.processes import Site, find_port

pytestmark = pytest.mark.browser

#: The account that is locked first, and the one it becomes.
FIRST, ACCOUNT = "6222 0000 1001 1111", "3700 0001 2345 6789"
#: The contract's whole story, as its page tells it.
LADDER = [
    "中标",
    "合同签订",
    "融资意向",
    "合同备案",
    "获得授信",
    "回款账户锁定",
    "回款账户已变更",
    "应收账款质押登记",
]
LADDER += ["放款", "采购人付款", "采购人付款", "贷款结清", "质押登记注销", "回款账户解锁"]
WINDOW: ViewportSize = {"width": 1440, "height": 900}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, slots=True)
class Market:
    """Where a practice zone is served, and the credit code of its purchaser."""

    address: str
    purchaser_code: str


@pytest.fixture
def market(app: Flask) -> Iterator[Market]:
    """A practice zone with a firm, its purchaser, two banks and an officer, served by real processes."""
    now = datetime.now(UTC)
    passwords = app.extensions["passwords"]
    with transaction() as session:
        session.get_one(Zone, factories.default_zone_id()).is_sandbox = True

    def sign_up(username: str, *args: object, **values: object) -> Organisation:
        user = factories.make_user(now=now, username=username, passwords=passwords)
        party = factories.make_party(*args, now=now, user=user, **values)  # type: ignore[arg-type]
        organisation = db.session.get_one(Organisation, party.organisation_id)
        if username.startswith("bank"):
            factories.make_product(
                party,
                now=now,
                name_zh="政采贷",
                family=ProductFamily.CONTRACT,
                contract_ratio=Decimal("0.7"),
                repayment=Repayment.BULLET,
                months_min=1,
                months_max=24,
            )
        return organisation

    sign_up("firm", name="海岸智能装备有限公司")
    bank = sign_up("bank", OrganisationKind.BANK, name="测试银行甲")
    sign_up("approver", OrganisationKind.BANK, [Capability.INSTITUTION_APPROVER], organisation=bank)
    sign_up("bank2", OrganisationKind.BANK, name="测试银行乙")
    sign_up("officer", OrganisationKind.ZONE_AUTHORITY)
    purchaser = sign_up("purchaser", OrganisationKind.PURCHASER)
    site = Site(app.config[URL], find_port())
    site.start("web")
    site.start("clock")
    yield Market(f"http://127.0.0.1:{site.port}", purchaser.credit_code)
    site.stop()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, context: BrowserContext, address: str, username: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.page.set_default_timeout(20_000)
        self.faults: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._watch)
        self.open("/sign-in?lang=zh")
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", factories.PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="登录").click()
        self.page.wait_for_url(lambda address: "/sign-in" not in address)

    def open(self, path: str) -> None:
        for _ in range(600):
            try:
                self.page.goto(self.address + path)
                return
            except Exception as error:
                if "ERR_CONNECTION_REFUSED" not in str(error):
                    raise
                self.page.wait_for_timeout(100)
        raise AssertionError("the web server does not answer")

    def press(self, name: str, *, ask: bool = False) -> None:
        """Press the button that sends a form, or asks first and then sends it, and wait for the answer."""
        button = self.page.get_by_role("main").get_by_role("button", name=name, exact=True).first
        if ask:
            button.click()
            button = self.page.locator("#ask[open]").get_by_role("button", name=name, exact=True)
        with self.page.expect_navigation(wait_until="networkidle"):
            button.click()

    def send(self, action: str, **values: str) -> None:
        """Fill the form that goes to an address ending so, send it, answer what it asks, and wait."""
        form = self.page.get_by_role("main").locator(f"form[action$='{action}']").first
        for summary in form.locator("xpath=ancestor::details[not(@open)]/summary").all():
            summary.click()
        for name, value in values.items():
            form.locator(f"[name={name}]").fill(value)
        button = form.locator("button[type=submit]").first
        asks = button.get_attribute("data-ask")
        with self.page.expect_navigation(wait_until="networkidle"):
            button.click()
            if asks:
                self.page.locator("#ask[open] [value=yes]").click()
        expect(self.page.get_by_role("main").locator("[aria-invalid=true]")).to_have_count(0)

    def sees(self, *texts: str) -> None:
        """Check that the page says each of these."""
        for text in texts:
            expect(self.page.get_by_role("main")).to_contain_text(text)

    def look(self, width: int = 1440) -> None:
        """Look at the page as axe does, and as it fits the window."""
        self.page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, (self.page.url, found.generate_report())
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, (self.page.url, width, wider)

    def _hear(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.faults.append(f"{self.page.url}: {message.text}")  # type: ignore[attr-defined]

    def _watch(self, request: object) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):  # type: ignore[attr-defined]
            self.faults.append(f"request to {request.url}")  # type: ignore[attr-defined]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_contract_climbs_its_whole_ladder_through_the_pages(
    app: Flask, market: Market, chromium: str
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        people = {
            name: Person(
                browser.new_context(locale="zh-CN", viewport=WINDOW, reduced_motion="reduce"),
                market.address,
                name,
            )
            for name in ("firm", "purchaser", "bank", "approver", "bank2", "officer")
        }
        firm, purchaser, bank, officer = (people[name] for name in ("firm", "purchaser", "bank", "officer"))
        approver = people["approver"]

        # The supplier enters its contract; nobody can lend on it before the purchaser vouches for it.
        today = local_date(datetime.now(UTC))
        signed_on, due_on = today - timedelta(days=10), today + timedelta(days=200)
        firm.open("/contracts/new")
        entry = {"number": "JN-2026-0042", "process_id": "ZC-2026-001", "title": "智慧园区平台"}
        entry |= {"amount": "1000", "signed_on": signed_on.isoformat(), "plan_1_due": due_on.isoformat()}
        entry |= {"plan_1_amount": "1000", "purchaser_code": market.purchaser_code}
        for name, value in entry.items():
            firm.page.fill(f"[name={name}]", value)
        firm.press("保存合同")
        at = re.sub(r"^https?://[^/]+", "", firm.page.url)
        contract_id = int(at.removeprefix("/contracts/"))
        firm.sees("不能融资")
        firm.look(375)
        purchaser.open(at)
        purchaser.send("/confirmation")

        # The firm posts a need against it, one thing per page: the contract's intent.
        firm.open(f"/needs/new?contract={contract_id}")
        firm.page.locator("[name=purpose][value=contract]").check()
        firm.page.locator("[name=contract_id]").first.check()
        firm.look(375)
        firm.press("保存并继续")
        firm.page.fill("[name=amount]", "600")
        firm.page.fill("[name=months]", "6")
        for _ in range(5):
            firm.press("保存并继续")
        firm.look(375)
        firm.press("发布需求")
        need_id = int(re.search(r"/needs/(\d+)", firm.page.url)[1])  # type: ignore[index]

        # Two banks bid under seal, watching the annual cost as they type.
        for name, rate in (("bank", "3.85"), ("bank2", "4.1")):
            person = people[name]
            person.open(f"/opportunities/{need_id}")
            person.page.fill("[name=rate]", rate)
            expect(person.page.locator("#preview .cost-rate")).to_contain_text("%")
            if person is bank:
                person.look(375)
            person.press("提交密封报价", ask=True)
            person.sees("回执")
        firm.open(f"/needs/{need_id}")
        assert "3.85%" not in firm.page.content() and "测试银行" not in firm.page.content()

        # The officer lets time pass, the bids are opened, the firm compares and accepts.
        officer.open("/board")
        with officer.page.expect_navigation(wait_until="networkidle"):
            officer.page.locator("button[name=to][value=deadline]").click()
        firm.open(f"/needs/{need_id}/offers")
        firm.look(375)
        assert firm.page.locator(".cost-rate").first.inner_text().startswith("3.8")
        firm.page.get_by_role("main").locator("a[href*='/accept']").first.click()
        firm.page.get_by_role("main").locator("form button.btn-primary").first.click()
        firm.page.wait_for_url(re.compile("award|deals|needs"))
        with app.app_context():
            (loan,) = db.session.query(Loan).all()
            deal = f"/deals/{loan.id}"
            assert (loan.principal, loan.state) == (6 * MILLION, LoanState.APPROVED)

        # The filing is told of late; the bank locks the account, and the purchaser is the second person.
        firm.open(at)
        firm.send("/steps", evidence="BA-2026-77")
        bank.open(at)
        bank.send("/steps", payee_account=FIRST, payee_bank="测试银行营业部", evidence="补充协议 1")
        purchaser.open(at)
        purchaser.look(375)
        purchaser.send("/confirm")

        # The firm asks for another account; it changes once purchaser and lender have both consented.
        firm.open(at)
        firm.send(
            "/account-changes", new_account=ACCOUNT, change_reason="开户行撤并", change_evidence="补充协议 2"
        )
        firm.look(375)
        for person in (purchaser, approver):
            person.open(at)
            person.send("/agree")
        approver.sees(ACCOUNT)

        # The pledge is registered; one person of the bank asks for the money, another one confirms.
        bank.open(at)
        pledge_until = date(today.year + 2, 12, 31).isoformat()
        bank.send("/steps", pledge_number="0099 1234 5678", pledge_expires_on=pledge_until)
        bank.open(deal)
        bank.send("/drawdown", draw_evidence="放款凭证 1")
        assert bank.page.locator("form[action$='/drawdown/confirm']").count() == 0
        approver.open(deal)
        approver.look(375)
        approver.send("/drawdown/confirm")

        # The purchaser pays into the account of before, then into the right one until nothing is owed.
        purchaser.open(at)
        for voucher, account, yuan in (
            ("P1", FIRST, "10000"),
            ("P2", ACCOUNT, "2000000"),
            ("P3", ACCOUNT, "7000000"),
        ):
            purchaser.send("/payments", transaction_id=voucher, payee_account=account, amount=yuan)
            if voucher == "P1":
                purchaser.sees("回款进入其他账户", FIRST)
                purchaser.look(375)
        officer.open("/alerts")
        officer.sees(FIRST)
        officer.look(375)

        # The lender gives everything back, and the contract tells its whole story.
        bank.open(at)
        bank.send("/steps", evidence="注销登记 5")
        bank.send("/steps", evidence="解除通知 6")
        bank.look()
        firm.open(at)
        firm.look(375)
        told = firm.page.locator(".story").first.locator(".story-done .story-title").all_inner_texts()
        assert told == LADDER
        assert firm.page.locator(".story").first.locator(".story-next").count() == 0

        # The deal tells it from the money's side: every event once, and double entries that sum to nothing.
        bank.open(deal)
        bank.sees("已结清", "放款凭证 1", "P2", "P3")
        assert "P1" not in bank.page.locator(".story").first.inner_text()
        bank.look(375)
        total = bank.page.locator(".fact", has_text="各科目合计").locator("dd").inner_text()
        assert Decimal(total.replace(",", "")) == 0
        firm.open(deal)
        firm.sees("已结清")
        with app.app_context():
            db.session.expire_all()
            (loan,) = db.session.query(Loan).all()
            assert (loan.state, loan.outstanding) == (LoanState.REPAID, 0)
            contract = db.session.get_one(Contract, contract_id)
            assert contract.stage is ContractStage.UNLOCKED
            assert db.session.query(Financing).one().ended_at is not None
        browser.close()
    assert {name: person.faults for name, person in people.items() if person.faults} == {}
