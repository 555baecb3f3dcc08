"""What the bureau's desk is asked, and how it answers: awards, contracts, accounts, payments, reports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from blueprints.api import fields
from blueprints.api.contract_views import PlannedAnswer
from blueprints.api.paging import Page
from blueprints.api.parsing import Answer, Body
from blueprints.bureau_labels import FIGURES
from market import contract_loan
from market.bureau_vocabulary import ChangeStatus, DayBasis
from market.money import yuan
from market.party import Party
from market.vocabulary import ContractStage
from models.bureau import RepaymentReport
from models.contract import Contract
from models.payment import PurchaserPayment
from models.procurement import AwardNotice
from services import bureau
from services.bureau import Change

_FEN = frozenset({"amount", "returned"})


class DayQuery(Page):
    """Which days."""

    day = fields.Day("The day asked about, in Shanghai.", required=True)
    until = fields.Day("The last day of a span that starts with `day`; at most 31 days.")
    basis = fields.Word(
        DayBasis,
        "`published`: the day that the record itself bears (notice, publication, payment). `updated`: the "
        "day on which the registry took it in or changed it, so that nothing that came late is missed.",
        load_default=DayBasis.PUBLISHED,
    )


class ContractQuery(Page):
    """Which contracts: those of a day or span, or those of a number, a supplier, or both."""

    day = fields.Day("The day asked about, in Shanghai.")
    until = fields.Day("The last day of a span that starts with `day`; at most 31 days.")
    basis = fields.Word(DayBasis, "As for awards; only with `day`.", load_default=DayBasis.PUBLISHED)
    number = fields.Text(
        "Number of the contract; case, full width, blanks and dashes do not matter.", most=160
    )
    supplier_code = fields.Text("Credit code of the supplier.", most=40)


class AccountQuery(Page):
    """Which contracts' accounts."""

    number = fields.Text("Number of the contract, in any spelling.", most=160, required=True)
    supplier_code = fields.Text("Credit code of the supplier.", most=40)


class BureauAward(Answer):
    """An award notice (中标公告)."""

    id = fields.Count()
    project_number = fields.Said("Number of the procurement project.")
    plan_number = fields.Said("Filing number of the procurement plan.", allow_none=True)
    package_number = fields.Said("Number of the package; empty where the project is not divided.")
    title = fields.Said()
    purchaser_name = fields.Said(allow_none=True)
    purchaser_code = fields.Said(allow_none=True)
    supplier_name = fields.Said()
    supplier_code = fields.Said("Unified social credit code.", allow_none=True)
    award_price = fields.Money("Null where the notice states none.", allow_none=True)
    unit = fields.Said("The unit of `award_price`: always `yuan`.")
    currency = fields.Said("`CNY` for the yuan.", allow_none=True)
    notice_date = fields.Day()
    agency = fields.Said("The procurement agency.", allow_none=True)
    recorded_at = fields.Moment("When the registry took it in.")


class BureauContract(Answer):
    """A procurement contract as on record (政府采购合同)."""

    id = fields.Count()
    contract_number = fields.Said()
    process_id = fields.Said("Id of the procurement; with `contract_id` it names the contract platform-wide.")
    contract_id = fields.Said()
    project_number = fields.Said(allow_none=True)
    plan_number = fields.Said("Filing number of the procurement plan.", allow_none=True)
    package_number = fields.Said(allow_none=True)
    title = fields.Said()
    status = fields.Said("As published, such as `active`.", allow_none=True)
    purchaser_name = fields.Said(allow_none=True)
    purchaser_code = fields.Said(allow_none=True)
    budget_unit_code = fields.Said(allow_none=True)
    funding_source = fields.Said(allow_none=True)
    agency = fields.Said("The procurement agency.", allow_none=True)
    supplier_name = fields.Said(allow_none=True)
    supplier_code = fields.Said("Unified social credit code.", allow_none=True)
    amount = fields.Money(allow_none=True)
    unit = fields.Said("The unit of all amounts: always `yuan`.")
    currency = fields.Said(allow_none=True)
    prepayment_ratio = fields.Rate("Share of the amount paid in advance.", allow_none=True)
    retention = fields.Money("Kept back by the purchaser.")
    payment_days = fields.Count("Days to pay after acceptance, as agreed.", allow_none=True)
    payment_plan = fields.Many(fields.Part(PlannedAnswer), "What falls due when.", most=200)
    signed_on = fields.Day(allow_none=True)
    starts_on = fields.Day(allow_none=True)
    ends_on = fields.Day(allow_none=True)
    delivered_on = fields.Day(allow_none=True)
    accepted_on = fields.Day("Acceptance starts the term of payment.", allow_none=True)
    payee = fields.Said("Holder of the locked account; null before the lock.", allow_none=True)
    payee_bank = fields.Said(allow_none=True)
    payee_account = fields.Said(
        "The locked account; all but its end is `*` except for its purchaser and the lender that holds the "
        "claim.",
        allow_none=True,
    )
    published_at = fields.Moment("When the newest record behind it was published.", allow_none=True)
    updated_at = fields.Moment()


class BureauAccount(Answer):
    """The locked account of a contract, and how far a change of it is (账户变更状态)."""

    id = fields.Count("Row of the contract.")
    contract_number = fields.Said()
    process_id = fields.Said()
    supplier_name = fields.Said(allow_none=True)
    supplier_code = fields.Said(allow_none=True)
    is_locked = fields.Flag("Whether payments must go to the locked account and no other.")
    payee = fields.Said(allow_none=True)
    payee_bank = fields.Said(allow_none=True)
    payee_account = fields.Said("As in contracts: masked except for purchaser and lender.", allow_none=True)
    change_status = fields.Word(ChangeStatus)
    change_since = fields.Day("Since when the change stands so.", allow_none=True)


class BureauPayment(Answer):
    """A payment of a purchaser on a contract."""

    id = fields.Count()
    contract_number = fields.Said()
    process_id = fields.Said()
    contract_id = fields.Said()
    supplier_name = fields.Said(allow_none=True)
    supplier_code = fields.Said(allow_none=True)
    transaction_id = fields.Said("Names the payment within its contract.")
    paid_on = fields.Day("Null for a payment that bears no date.", allow_none=True)
    amount = fields.Money("Negative for a refund.")
    unit = fields.Said("Always `yuan`.")
    currency = fields.Said(allow_none=True)
    payer = fields.Said(allow_none=True)
    payee = fields.Said(allow_none=True)
    payee_account = fields.Said(
        "Masked with `*` but for the zone, the purchaser and the claim's holder.", allow_none=True
    )
    recorded_at = fields.Moment()


class RepaymentReportEntry(Body):
    """How a financing on a contract stands."""

    contract_number = fields.Text("In any spelling.", most=160, required=True)
    supplier_code = fields.Text("Credit code of the supplier.", most=40, required=True)
    bank_code = fields.Text("The lender's own code at the bureau.", most=40, allow_none=True)
    financing_date = fields.Day("When the money was paid out.", required=True)
    financing_end = fields.Day("When the last of it is due.", required=True)
    financing_amount = fields.Money("What was paid out.", required=True)
    returned_amount = fields.Money("Principal that came back so far.", required=True)
    last_pay_date = fields.Day("Of the newest payment; required once anything came back.", allow_none=True)


class DifferenceAnswer(Answer):
    """Where a report departs from the loan book."""

    field = fields.Said("Name of the figure; null: the book has no such loan.", allow_none=True)
    reported = fields.Said("As reported: a date, or an amount in yuan.", allow_none=True)
    booked = fields.Said("As the loan book has it.", allow_none=True)


class RepaymentReportAnswer(Answer):
    """A repayment report as kept (还款上报)."""

    id = fields.Count()
    contract_number = fields.Said()
    supplier_name = fields.Said(allow_none=True)
    supplier_code = fields.Said(allow_none=True)
    lender_name = fields.Said()
    bank_code = fields.Said(allow_none=True)
    financing_date = fields.Day()
    financing_end = fields.Day()
    financing_amount = fields.Money()
    returned_amount = fields.Money()
    last_pay_date = fields.Day(allow_none=True)
    differences = fields.Many(fields.Part(DifferenceAnswer), "Empty where report and loan book agree.")
    reported_at = fields.Moment()


def show_award(row: AwardNotice) -> dict[str, Any]:
    """Return a notice in the shape of ``BureauAward``."""
    made = {"award_price": row.price, "unit": "yuan", "notice_date": row.published_on}
    return {**_plain(row, BureauAward, made), **made}


def show_contract(row: Contract, *, by: Party, claimed: Collection[int]) -> dict[str, Any]:
    """Return a contract in the shape of ``BureauContract``."""
    made = {
        "contract_number": row.number,
        "unit": "yuan",
        "payment_plan": row.plan,
        "published_at": row.released_at,
        **_show_lock(row, by, claimed),
    }
    return {**_plain(row, BureauContract, made), **made}


def show_account(row: Contract, change: Change, *, by: Party, claimed: Collection[int]) -> dict[str, Any]:
    """Return a contract's account in the shape of ``BureauAccount``."""
    made = {
        "contract_number": row.number,
        "is_locked": _is_locked(row),
        **_show_lock(row, by, claimed),
        "change_status": change.status,
        "change_since": change.since,
    }
    return {**_plain(row, BureauAccount, made), **made}


def show_payment(row: PurchaserPayment, *, by: Party, claimed: Collection[int]) -> dict[str, Any]:
    """Return a payment in the shape of ``BureauPayment``."""
    contract = row.contract
    whole = bureau.shows_payee(contract, by=by, claimed=claimed)
    made = {
        "contract_number": contract.number,
        "process_id": contract.process_id,
        "contract_id": contract.contract_id,
        "supplier_name": contract.supplier_name,
        "supplier_code": contract.supplier_code,
        "unit": "yuan",
        "payee_account": row.payee_account if whole else bureau.mask(row.payee_account),
    }
    return {**_plain(row, BureauPayment, made), **made}


def show_report(row: RepaymentReport) -> dict[str, Any]:
    """Return a report in the shape of ``RepaymentReportAnswer``."""
    return {
        "id": row.id,
        "contract_number": row.contract.number,
        "supplier_name": row.contract.supplier_name,
        "supplier_code": row.contract.supplier_code,
        "lender_name": row.lender.name_zh,
        "bank_code": row.bank_code,
        **{said: getattr(row, name) for name, said in FIGURES.items()},
        "differences": [_show_difference(difference) for difference in row.differences],
        "reported_at": row.reported_at,
    }


def page(rows: Sequence[Any], limit: int) -> tuple[Sequence[Any], int | None]:
    """Return one page of rows, of which one more was asked for, and where the next one starts."""
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def _show_difference(difference: dict[str, Any]) -> dict[str, Any]:
    name = difference["field"]
    values = {
        side: yuan(difference[side]) if name in _FEN and difference[side] is not None else difference[side]
        for side in ("reported", "booked")
    }
    return {"field": FIGURES.get(name) if name is not None else None, **values}


def _is_locked(row: Contract) -> bool:
    locked = contract_loan.has_reached(row.stage, ContractStage.ACCOUNT_LOCKED)
    return locked and row.stage is not ContractStage.UNLOCKED


def _show_lock(row: Contract, by: Party, claimed: Collection[int]) -> dict[str, Any]:
    if not _is_locked(row):
        return {"payee": None, "payee_bank": None, "payee_account": None}
    whole = bureau.shows_account(row, by=by, claimed=claimed)
    return {
        "payee": row.supplier_name,
        "payee_bank": row.payee_bank,
        "payee_account": row.payee_account if whole else bureau.mask(row.payee_account),
    }


def _plain(row: Any, schema: type[Answer], made: Collection[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in schema().fields if name not in made}
