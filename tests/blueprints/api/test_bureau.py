"""The bureau's desk over the API: who reads what by whose leave, and what lenders report."""

from __future__ import annotations

from typing import Any

import pytest

from market.receivable_vocabulary import FinancingMode
from market.vocabulary import ContractStage, OrganisationKind
from models.base import transaction
from models.contract import Contract
from models.financing import Financing
from services import financings
from tests.blueprints.api.conftest import Caller, Market

NUMBER = "JN-2026/001"


class Desk:
    """A zone with a firm, its contract paid once, its purchaser, an officer and two banks."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
        self.purchaser = market.admit(OrganisationKind.PURCHASER)
        self.bank, self.other = market.admit(OrganisationKind.BANK), market.admit(OrganisationKind.BANK)
        self.firm = market.sign_up()
        self.supplier = self.firm.get("organisation")["credit_code"]
        self.contract = self.officer.post(
            "contracts",
            {
                **{"process_id": "JN", "number": NUMBER, "title": "智慧园区", "amount": "5000000.00"},
                **{"purchaser_code": self.purchaser.get("organisation")["credit_code"]},
                **{"supplier_code": self.supplier, "signed_on": market.today(-5)},
                **{"prepayment_ratio": "0.3", "project_number": "XM-1", "funding_source": "财政性资金"},
                "plan": [{"due_on": market.today(30), "amount": "5000000.00"}],
            },
        )
        payment = {
            "transaction_id": "T",
            "amount": "100.00",
            "paid_on": market.today(),
            "payee_account": "6222001",
        }
        self.officer.post(f"contracts/{self.contract['id']}/payments", payment)

    def lock_account(self, lender: Caller) -> None:
        """Let a bank hold the claim, and the account be locked."""
        lender_id, now = lender.get("organisation")["id"], self.market.now()
        with self.market.app.app_context(), transaction() as session:
            row = session.get_one(Contract, self.contract["id"])
            row.stage, row.payee_account, row.payee_bank = ContractStage.ACCOUNT_LOCKED, "6222001234", "工行"
            key, mode = row.financing_key, FinancingMode.WHOLE
            assert key is not None
            financings.hold_mode(session, key, mode, field="contract_id")
            claim = Financing(key=key, contract_id=row.id, lender_id=lender_id, financed=5, started_at=now)
            claim.live_key, claim.live_mode = key, mode
            session.add(claim)

    def consent(self, whom: Caller | None, scope: str, **values: Any) -> dict[str, Any]:
        number = None if whom is None else whom.get("organisation")["id"]
        said = {"institution_id": number, "scope": scope, "valid_until": self.market.today(30), **values}
        made: dict[str, Any] = self.firm.post("data-consents", said)
        return made

    def seen(self, caller: Caller) -> tuple[int, int, int, int]:
        """Return how many contracts of the day, by number and by supplier, and payments a caller reads."""
        today = self.market.today()
        asked: list[tuple[str, dict[str, str]]] = [
            ("contracts", {"day": today, "basis": "updated"}),
            ("contracts", {"number": "jn 2026 001"}),
            ("contracts", {"supplier_code": self.supplier}),
            ("payments", {"day": today}),
        ]
        first, second, third, fourth = (
            len(caller.get(f"bureau/{path}", **query)["items"]) for path, query in asked
        )
        return first, second, third, fourth


@pytest.fixture
def desk(one_market: Market) -> Desk:
    """The desk on a database of its own."""
    return Desk(one_market)


def test_a_bank_reads_by_the_suppliers_leave_only_and_as_far_as_it_goes(desk: Desk) -> None:
    assert desk.seen(desk.officer) == desk.seen(desk.purchaser) == desk.seen(desk.firm) == (1, 1, 1, 1)
    assert desk.seen(desk.bank) == desk.seen(desk.other) == (0, 0, 0, 0)
    desk.consent(desk.bank, "contracts")
    assert (desk.seen(desk.bank), desk.seen(desk.other)) == ((1, 1, 1, 0), (0, 0, 0, 0))
    everybody = desk.consent(None, "payments")
    assert desk.seen(desk.bank) == desk.seen(desk.other) == (1, 1, 1, 1)
    desk.firm.post(f"data-consents/{everybody['id']}/revoke", status=200)
    assert (desk.seen(desk.bank), desk.seen(desk.other)) == ((1, 1, 1, 0), (0, 0, 0, 0))
    # A new leave takes the place of the former, and one that is over opens nothing.
    desk.consent(desk.bank, "payments")
    assert [row["revoked_at"] is None for row in desk.firm.get("data-consents")["items"]] == [
        True,
        False,
        False,
    ]
    desk.officer.post("clock/fast-forward", {"until": desk.market.moment(days=31)}, status=200)
    found = desk.bank.get("bureau/contracts", number=NUMBER)
    assert found == {"items": [], "next": None}


def test_a_contract_says_what_the_exchange_asks(desk: Desk) -> None:
    (row,) = desk.officer.get("bureau/contracts", number=NUMBER)["items"]
    assert (row["contract_number"], row["process_id"], row["project_number"]) == (NUMBER, "JN", "XM-1")
    assert (row["amount"], row["unit"], row["currency"], row["prepayment_ratio"]) == (
        "5000000.00",
        "yuan",
        "CNY",
        "0.3",
    )
    assert row["payment_plan"] == [{"number": 1, "due_on": desk.market.today(30), "amount": "5000000.00"}]
    assert (row["payee"], row["payee_account"]) == (None, None)


def test_the_locked_account_is_whole_for_its_lender_and_purchaser_alone(desk: Desk) -> None:
    desk.consent(desk.other, "payments")
    desk.lock_account(desk.bank)
    read: dict[str, list[str]] = {}
    for name in ("bank", "purchaser", "other", "officer", "firm"):
        caller: Caller = getattr(desk, name)
        (account,) = caller.get("bureau/account-changes", number=NUMBER)["items"]
        (contract,) = caller.get("bureau/contracts", number=NUMBER)["items"]
        (payment,) = caller.get("bureau/payments", day=desk.market.today())["items"]
        assert account["is_locked"] is True and account["change_status"] == "none"
        assert account["payee_bank"] == "工行"
        read[name] = [account["payee_account"], contract["payee_account"], payment["payee_account"]]
    whole, hidden = "6222001234", "******1234"
    assert read["bank"] == read["purchaser"] == [whole, whole, "6222001"]
    assert read["other"] == read["firm"] == [hidden, hidden, "****2001"]
    # The zone watches where payments went.
    assert read["officer"] == [hidden, hidden, "6222001"]


def test_a_list_that_did_not_change_is_not_sent_again(desk: Desk) -> None:
    path = f"/api/v1/bureau/payments?day={desk.market.today()}"
    first = desk.officer.send("GET", path)
    tag = first.headers["ETag"]
    again = desk.officer.send("GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    payment = {"transaction_id": "T2", "amount": "5.00", "paid_on": desk.market.today()}
    desk.officer.post(f"contracts/{desk.contract['id']}/payments", payment)
    changed = desk.officer.send("GET", path, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag
    page = desk.officer.get("bureau/payments", day=desk.market.today(), limit=1)
    rest = desk.officer.get("bureau/payments", day=desk.market.today(), limit=1, after=page["next"])
    assert [row["transaction_id"] for row in page["items"] + rest["items"]] == ["T2", "T"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        ("contracts", "one_of", None),
        ("contracts?day=2026-11-20&number=1", "one_of", None),
        ("awards", "required", "day"),
        ("awards?day=2026-11-20&until=2026-11-19", "out_of_order", "until"),
        ("payments?day=2026-11-01&until=2026-12-02", "too_large", "until"),
        ("payments?day=2026-02-30", "not_a_date", "day"),
        ("account-changes", "required", "number"),
    ],
)
def test_a_question_without_sense_is_refused(
    one_market: Market, path: str, code: str, field: str | None
) -> None:
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    (fault,) = officer.refuse("GET", f"bureau/{path}", 422)["errors"]
    assert (fault["code"], fault["field"]) == (code, field)


def test_a_report_is_kept_once_and_laid_beside_the_loan_book(desk: Desk) -> None:
    said = {
        **{"contract_number": "jn2026001", "supplier_code": desk.supplier, "bank_code": "102"},
        **{"financing_date": desk.market.today(-3), "financing_end": desk.market.today(90)},
        **{"financing_amount": "1000.00", "returned_amount": "10.00", "last_pay_date": desk.market.today(-1)},
    }
    desk.bank.refuse("POST", "bureau/repayment-reports", 404, said)
    desk.lock_account(desk.bank)
    impossible = {
        **said,
        **{"financing_amount": "0", "financing_end": desk.market.today(-9), "last_pay_date": None},
    }
    faults = desk.bank.refuse("POST", "bureau/repayment-reports", 422, impossible)["errors"]
    assert [(fault["field"], fault["code"]) for fault in faults] == [
        ("financing_amount", "too_small"),
        ("financing_end", "out_of_order"),
        ("last_pay_date", "required"),
    ]
    kept = desk.bank.post("bureau/repayment-reports", said)
    assert kept["differences"] == [{"field": None, "reported": None, "booked": None}]
    assert desk.bank.post("bureau/repayment-reports", said)["id"] == kept["id"]
    assert (
        desk.bank.post("bureau/repayment-reports", {**said, "returned_amount": "20.00"})["id"] != kept["id"]
    )
    assert len(desk.officer.get("bureau/repayment-reports")["items"]) == 2
    assert desk.other.get("bureau/repayment-reports")["items"] == []
    desk.other.refuse("POST", "bureau/repayment-reports", 404, said)


def test_what_only_its_supplier_says_of_a_contract_is_shown_to_no_bank(desk: Desk) -> None:
    desk.consent(desk.bank, "contracts")
    desk.firm.post(
        "contracts",
        {
            **{"process_id": "JN", "number": "X-1", "title": "x", "amount": "100.00"},
            **{"purchaser_code": desk.purchaser.get("organisation")["credit_code"]},
            **{"supplier_code": desk.supplier, "signed_on": desk.market.today(-5)},
        },
    )
    assert desk.bank.get("bureau/contracts", number="X-1")["items"] == []
    assert len(desk.officer.get("bureau/contracts", number="X-1")["items"]) == 1
