"""Receivables over the API: entered, confirmed, offered in a need without naming who owes them."""

from __future__ import annotations

from typing import Any

from market.vocabulary import OrganisationKind
from models.base import db
from models.organisation import Organisation
from tests.blueprints.api.conftest import NEED, Caller, Market

INVOICE = {
    "contract_number": "HT-2026-7",
    "invoice_number": "26370000000001234567",
    "amount": "6000000.00",
    "issued_on": "2026-11-02",
    "due_on": "2027-06-30",
}
FILE = (
    "合同编号,发票号码,付款方统一社会信用代码,价税合计,开票日期,到期日\r\n"
    'HT-2026-8,5001,{code},"1,000.50",2026/11/3,2027-01-31\r\n'
    "HT-2026-8,5002,{code},{amount},2026-11-03,2027-01-31\r\n"
)


def read_code(market: Market, caller: Caller) -> str:
    with market.app.app_context():
        found: Any = db.session.get_one(Organisation, caller.get("organisation")["id"])
        return str(found.credit_code)


def test_an_invoice_goes_from_entry_to_a_need_whose_bidders_do_not_learn_its_debtor(market: Market) -> None:
    debtor, bank = market.sign_up(), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    invoice = INVOICE | {"debtor_code": read_code(market, debtor)}
    (entered,) = firm.post("receivables", {"items": [invoice]})["items"]
    path = f"receivables/{entered['id']}"
    assert (entered["state"], entered["use"]) == ("entered", "free")
    spelt = invoice | {"invoice_number": "2637 0000 0000 0123 4567", "contract_number": "another"}
    assert firm.refuse("POST", "receivables", 409, {"items": [spelt]})["code"] == "already_exists"
    assert firm.post(f"{path}/confirmation-request", {}, 200)["requested_on"]
    need = NEED | {"amount": "5000000.00", "receivables": [entered["id"]]}
    assert firm.refuse("POST", "needs", 422, need)["code"] == "not_financeable"
    bank.refuse("GET", path, 404)
    assert debtor.post(f"{path}/confirmation", {}, 200)["state"] == "confirmed"

    drafted = firm.post("needs", need)
    assert drafted["receivables"][0]["debtor_name"] == entered["debtor_name"]
    firm.post(f"needs/{drafted['id']}/publish", {"closes_at": market.moment(days=3)}, 200)
    shown = bank.get(f"needs/{drafted['id']}")
    (behind,) = shown["receivables"]
    assert (behind["amount"], behind["debtor_name"]) == ("6000000.00", None)
    assert "receivable_pledge" in shown["securities"]
    assert "26370000000001234567" not in str(shown) and "HT-2026-7" not in str(shown)


def test_a_file_of_invoices_is_taken_over_whole_or_not_at_all(market: Market) -> None:
    debtor, firm = market.sign_up(), market.sign_up()
    code = read_code(market, debtor)
    headers = {"Content-Type": "text/csv"}
    wrong = FILE.format(code=code, amount="much").encode("gb18030")
    refused = firm.send("POST", "receivables/import", data=wrong, headers=headers)
    assert refused.status_code == 422 and b"1.amount" in refused.data
    assert firm.get("receivables")["items"] == []
    right = ("\ufeff" + FILE.format(code=code, amount="2000")).encode()
    taken = firm.send("POST", "receivables/import", data=right, headers=headers)
    assert taken.status_code == 201
    assert [row["amount"] for row in taken.get_json()["items"]] == ["1000.50", "2000.00"]
    assert len(debtor.get("receivables")["items"]) == 2
