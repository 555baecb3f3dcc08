"""The whole path in a real browser: a firm, a bank and a zone officer, from a need to a repaid contract loan.

Real web server, real clock, real Chromium; every page on the way must be free of console errors, of requests
to anywhere else, and of faults that axe can see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from market.calendar import local_date
from market.vocabulary import Capability, ContractStage, LoanState, OrganisationKind, ProductFamily, Repayment
from models.base import db, transaction
from models.contract import Contract
from models.loan import Loan
from models.organisation import Organisation
from models.zone import Zone
from services import contracts
from services.contracts import Entry
from tests import factories
from tests.databases import URL
from tests.factories import MILLION
from tests.processes import Site, find_port

pytestmark = pytest.mark.browser

ACCOUNT = "3700 0001 2345 6789"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def market(app: Flask) -> Iterator[str]:
    """A practice zone with a firm that has a contract, two banks and an officer, served by real processes."""
    now = datetime.now(UTC)
    passwords = app.extensions["passwords"]
    with transaction() as session:
        session.get_one(Zone, factories.default_zone_id()).is_sandbox = True

    def sign_up(username: str, *args: object, **values: object) -> factories.Party:
        user = factories.make_user(now=now, username=username, passwords=passwords)
        return factories.make_party(*args, now=now, user=user, **values)  # type: ignore[arg-type]

    firm = sign_up("firm", name="海岸智能装备有限公司")
    supplier = db.session.get_one(Organisation, firm.organisation_id)
    for username, rate in (("bank", "0.0385"), ("bank2", "0.041")):
        bank = sign_up(username, OrganisationKind.BANK, name=f"测试银行{rate}")
        factories.make_product(
            bank,
            now=now,
            name_zh="政采贷",
            family=ProductFamily.CONTRACT,
            contract_ratio=Decimal("0.7"),
            repayment=Repayment.BULLET,
            months_min=1,
            months_max=24,
        )
        if username == "bank":
            lender = db.session.get_one(Organisation, bank.organisation_id)
            sign_up("second", OrganisationKind.BANK, organisation=lender)
    officer = sign_up("officer", OrganisationKind.ZONE_AUTHORITY)
    purchaser = factories.make_party(OrganisationKind.PURCHASER, [Capability.PURCHASER], now=now)
    today = local_date(now)
    contracts.register(
        Entry(
            process_id="ZC-2026-001",
            number="JN-2026-0042",
            title="智慧园区平台",
            amount=10 * MILLION,
            purchaser_code=db.session.get_one(Organisation, purchaser.organisation_id).credit_code,
            supplier_code=supplier.credit_code,
            signed_on=today - timedelta(days=10),
            plan=((today + timedelta(days=200), 10 * MILLION),),
        ),
        by=officer,
        now=now,
    )
    site = Site(app.config[URL], find_port())
    site.start("web")
    site.start("clock")
    yield f"http://127.0.0.1:{site.port}"
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
        self.page.wait_for_url(re.compile("/(enterprise|opportunities|board)"))

    def open(self, path: str) -> None:
        for _ in range(100):
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
def test_a_firm_a_bank_and_an_officer_take_a_contract_need_to_a_repaid_loan(
    app: Flask, market: str, chromium: str
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        people = {
            name: Person(
                browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}), market, name
            )
            for name in ("firm", "bank", "bank2", "second", "officer")
        }
        firm, bank, officer = people["firm"], people["bank"], people["officer"]
        second = people["second"]

        # The firm posts a need against its contract, one thing per page.
        firm.look(375)
        firm.open("/needs/new")
        firm.page.locator("[name=purpose][value=contract]").check()
        firm.page.locator("[name=contract_id]").first.check()
        firm.look(375)
        firm.press("保存并继续")
        firm.page.fill("[name=amount]", "600")
        firm.page.fill("[name=months]", "6")
        firm.press("保存并继续")
        firm.look()
        firm.press("保存并继续")
        firm.look(375)
        firm.press("保存并继续")
        firm.look(375)
        firm.press("保存并继续")
        firm.press("保存并继续")
        firm.look(375)
        firm.press("发布需求")
        need_url = firm.page.url
        need_id = int(re.search(r"/needs/(\d+)", need_url)[1])  # type: ignore[index]

        # Two banks bid under seal, watching the annual cost as they type.
        for name, rate in (("bank", "3.85"), ("bank2", "4.1")):
            person = people[name]
            person.open("/opportunities")
            person.look(375 if name == "bank" else 1440)
            person.page.get_by_role("main").locator(f"a[href*='/opportunities/{need_id}']").first.click()
            person.page.fill("[name=rate]", rate)
            expect(person.page.locator("#preview .cost-rate")).to_contain_text("%")
            person.look()
            person.press("提交密封报价", ask=True)
            expect(person.page.get_by_role("main")).to_contain_text("回执")
        firm.open(f"/needs/{need_id}")
        assert "3.85%" not in firm.page.content() and "测试银行" not in firm.page.content()

        # The officer lets time pass; the bids are opened and a round proposes.
        officer.open("/board")
        officer.look()
        with officer.page.expect_navigation(wait_until="networkidle"):
            officer.page.locator("button[name=to][value=deadline]").click()
        officer.open("/rounds")
        officer.look(375)

        # The firm compares and accepts; its second look is on a phone.
        firm.open(f"/needs/{need_id}/offers")
        firm.look()
        firm.look(375)
        costs = firm.page.locator(".cost-rate").all_inner_texts()
        assert costs[0].startswith("3.8")
        firm.page.get_by_role("main").locator("a[href*='/accept']").first.click()
        firm.page.get_by_role("main").locator("form button.btn-primary").first.click()
        firm.page.wait_for_url(re.compile("award|deals|needs"))
        with app.app_context():
            (loan,) = db.session.query(Loan).all()
            loan_id, contract_id = loan.id, loan.contract_id
            assert (loan.principal, loan.state) == (6 * MILLION, LoanState.APPROVED)

        # The bank locks the account, the officer confirms, the pledge is registered; the bank asks for the
        # drawdown, and its second person pays the loan out.
        bank.open(f"/contracts/{contract_id}")
        bank.page.fill("[name=payee_account]", ACCOUNT)
        bank.page.fill("[name=payee_bank]", "测试银行营业部")
        bank.page.locator("form[action$='/steps'] [name=evidence]").fill("补充协议 BC-042")
        bank.press("登记这一步")
        officer.open(f"/contracts/{contract_id}")
        officer.look()
        officer.press("确认锁定", ask=True)
        bank.open(f"/contracts/{contract_id}")
        bank.page.fill("[name=pledge_number]", "0099 1234 5678")
        bank.page.fill("[name=pledge_expires_on]", date(date.today().year + 2, 12, 31).isoformat())
        bank.press("登记这一步")
        bank.open(f"/deals/{loan_id}")
        bank.press("登记放款", ask=True)
        bank.look()
        second.open("/deals")
        second.look(375)
        second.open(f"/deals/{loan_id}")
        second.look(375)
        second.press("确认放款", ask=True)
        second.look()

        # The purchaser pays, first into a wrong account, then into the locked one.
        for voucher, account in (("P1", "6222 0000"), ("P2", ACCOUNT)):
            officer.open(f"/contracts/{contract_id}")
            officer.page.fill("[name=transaction_id]", voucher)
            officer.page.fill("[name=amount]", "10000000" if voucher == "P2" else "10000")
            officer.page.locator("form[action$='/payments'] [name=payee_account]").fill(account)
            officer.press("登记款项")
        officer.look(375)
        officer.open("/alerts")
        expect(officer.page.get_by_role("main")).to_contain_text("6222 0000")
        firm.open(f"/deals/{loan_id}")
        expect(firm.page.get_by_role("main")).to_contain_text("已结清")
        firm.look(375)
        with app.app_context():
            db.session.expire_all()
            loan = db.session.get_one(Loan, loan_id)
            assert (loan.state, loan.outstanding) == (LoanState.REPAID, 0)
            assert db.session.get_one(Contract, contract_id).stage is ContractStage.REPAID
        browser.close()
    assert {name: person.faults for name, person in people.items() if person.faults} == {}
