"""The officer's board of contract loans: every financed contract of a zone with its money and its state.

Read with a fixed number of questions, however many there are; figures are counted from the rows they lead to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import joinedload

from market import contract_loan
from market.calendar import local_date
from market.ladder_vocabulary import AccountChangeState, SideState
from market.lending_vocabulary import Bucket
from market.party import Party
from market.report_vocabulary import LoanMark
from market.vocabulary import LIVE_LOANS, AlertKind, Capability, ContractStage
from models.account_change import AccountChange
from models.alert import Alert
from models.base import db
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.loan import Loan, Repayment
from models.organisation import Organisation
from models.payment import PurchaserPayment
from models.pledge import Pledge
from services import needs
from services.loans import AGREED_LOANS


@dataclass(frozen=True, slots=True)
class Which:
    """Which rows: None and "" leave a filter out.

    ``period`` is a month (``2026-11``) or a year (``2026``) in which deals were first drawn; ``purchaser``
    and ``firm`` are keys as rows have them; ``search`` finds numbers, titles and names.
    """

    period: str = ""
    lender_id: int | None = None
    purchaser: str = ""
    firm: str = ""
    stage: ContractStage | None = None
    bucket: Bucket | None = None
    mark: LoanMark | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class ContractLoanRow:
    """A contract and one lender that finances it, or did, with all its deals on it; amounts in fen.

    ``approved``, ``drawn``, ``repaid`` and ``outstanding`` are the principal of those deals; ``room`` is what
    the contract can still carry (of a running claim), ``paid`` what the purchaser paid with a date.
    ``financed_on`` is the first drawdown, ``bucket`` the latest lateness by the clock's last look.
    """

    contract: Contract
    lender: Organisation
    loans: tuple[Loan, ...]
    claimed: int
    approved: int
    drawn: int
    repaid: int
    outstanding: int
    overdue: int
    room: int
    paid: int
    alerts: int
    financed_on: date | None
    bucket: Bucket
    states: tuple[SideState, ...]
    marks: frozenset[LoanMark] = field(default_factory=frozenset)

    @property
    def is_live(self) -> bool:
        """Say whether the lender's claim on the contract runs."""
        return LoanMark.LIVE in self.marks

    @property
    def firm(self) -> str:
        """Return what tells one supplier from another: its credit code, or the name where there is none."""
        return self.contract.supplier_code or self.contract.supplier_name or ""

    @property
    def purchaser(self) -> str:
        """Return what tells one purchaser from another: its code, or the name where there is none."""
        return self.contract.purchaser_code or self.contract.purchaser_name or ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored beside the deals, by contract, and principal repaid by loan."""

    paid: Mapping[int, tuple[int, int]]
    repaid: Mapping[int, int]
    alerts: Mapping[int, Counter[AlertKind]]
    changes: frozenset[int]
    locks: frozenset[int]
    pledges: Mapping[int, date]


def list_rows(by: Party, now: datetime, which: Which = Which()) -> list[ContractLoanRow]:
    """Return the financed contracts of the party's zone, running ones first; officers and auditors only.

    Eight questions to the database, whatever there is.
    """
    by.require(Capability.OFFICER, Capability.AUDITOR)
    deals: dict[tuple[int, int], list[Loan]] = defaultdict(list)
    parties: dict[tuple[int, int], tuple[Contract, Organisation]] = {}
    claims: dict[tuple[int, int], Financing] = {}
    for claim in _list_claims(by.zone_id):
        assert claim.contract is not None and claim.contract_id is not None
        key = (claim.contract_id, claim.lender_id)
        parties[key] = (claim.contract, claim.lender)
        # Of several claims of one lender on a contract the running one counts, else the last.
        if key not in claims or claims[key].ended_at is not None:
            claims[key] = claim
    for loan in _list_loans(by.zone_id):
        assert loan.contract is not None and loan.contract_id is not None
        key = (loan.contract_id, loan.lender_id)
        parties.setdefault(key, (loan.contract, loan.lender))
        if loan.drawn_on is not None or not which.period:
            deals[key].append(loan)
    known = _read_known(by.zone_id)
    today = local_date(now)
    rows = []
    for key, (contract, lender) in parties.items():
        loans = [one for one in deals[key] if str(one.drawn_on or "").startswith(which.period)]
        if which.period and not loans:
            continue
        row = _make_row(contract, lender, loans, claims.get(key), known, today)
        if _passes(row, which):
            rows.append(row)
    return sorted(rows, key=lambda row: (not row.is_live, -row.contract.id, -row.lender.id))


def _list_claims(zone_id: int) -> Sequence[Financing]:
    return db.session.scalars(
        select(Financing)
        .join(Contract, Financing.contract_id == Contract.id)
        .where(Contract.zone_id == zone_id)
        .options(joinedload(Financing.contract), joinedload(Financing.lender))
        .order_by(Financing.id)
    ).all()


def _list_loans(zone_id: int) -> Sequence[Loan]:
    return db.session.scalars(
        select(Loan)
        .where(Loan.zone_id == zone_id, Loan.contract_id.is_not(None), Loan.state.in_(AGREED_LOANS))
        .options(joinedload(Loan.contract), joinedload(Loan.lender))
        .order_by(Loan.id)
    ).all()


def _read_known(zone_id: int) -> _Known:
    """Read what stands beside the deals of a zone, each kind of it with one question."""
    own = Contract.zone_id == zone_id
    dated = func.sum(case((PurchaserPayment.paid_on.is_not(None), PurchaserPayment.amount), else_=0))
    paid = db.session.execute(
        select(PurchaserPayment.contract_id, dated, func.sum(PurchaserPayment.amount))
        .join(Contract, PurchaserPayment.contract_id == Contract.id)
        .where(own)
        .group_by(PurchaserPayment.contract_id)
    ).all()
    repaid = db.session.execute(
        select(Repayment.loan_id, func.sum(Repayment.principal))
        .join(Loan, Repayment.loan_id == Loan.id)
        .where(Loan.zone_id == zone_id, Loan.contract_id.is_not(None))
        .group_by(Repayment.loan_id)
    ).all()
    alerts: dict[int, Counter[AlertKind]] = defaultdict(Counter)
    for contract_id, kind in db.session.execute(
        select(Alert.contract_id, Alert.kind).where(
            Alert.zone_id == zone_id, Alert.resolved_at.is_(None), Alert.contract_id.is_not(None)
        )
    ):
        assert contract_id is not None
        alerts[contract_id][kind] += 1
    changes = db.session.scalars(
        select(AccountChange.contract_id)
        .join(Contract, AccountChange.contract_id == Contract.id)
        .where(own, AccountChange.state == AccountChangeState.REQUESTED)
    )
    locks = db.session.scalars(
        select(ContractStep.contract_id)
        .join(Contract, ContractStep.contract_id == Contract.id)
        .where(
            own,
            ContractStep.stage == ContractStage.ACCOUNT_LOCKED,
            ContractStep.needs_confirmation,
            ContractStep.confirmed_by.is_(None),
            ContractStep.undone_at.is_(None),
        )
    )
    pledges = db.session.execute(
        select(Pledge.contract_id, Pledge.expires_on)
        .join(Contract, Pledge.contract_id == Contract.id)
        .where(own, Pledge.ended_at.is_(None))
    )
    return _Known(
        paid={contract_id: (int(with_date), int(all_of_it)) for contract_id, with_date, all_of_it in paid},
        repaid={loan_id: int(amount) for loan_id, amount in repaid},
        alerts=alerts,
        changes=frozenset(changes),
        locks=frozenset(locks),
        pledges={contract_id: expires_on for contract_id, expires_on in pledges},
    )


def _make_row(
    contract: Contract,
    lender: Organisation,
    loans: Sequence[Loan],
    claim: Financing | None,
    known: _Known,
    today: date,
) -> ContractLoanRow:
    is_live = claim is not None and claim.ended_at is None
    claimed = claim.financed if claim is not None and is_live else 0
    paid, paid_in_all = known.paid.get(contract.id, (0, 0))
    room = 0
    if is_live and not contract.obstacles and contract.terminated_on is None:
        room = contract_loan.compute_financeable(
            amount=contract.amount or 0,
            retention=contract.retention,
            paid=paid_in_all,
            financed=claimed,
            ratio=needs.WHOLE,
        )
    alerts = known.alerts.get(contract.id, Counter())
    drawn = sum(loan.drawn for loan in loans)
    outstanding = sum(loan.outstanding for loan in loans)
    late = [loan for loan in loans if loan.overdue_since is not None]
    states = _find_states(contract, loans, late, alerts, known, today)
    repaid = sum(known.repaid.get(loan.id, 0) for loan in loans)
    held = {
        LoanMark.LIVE: is_live,
        LoanMark.ENDED: not is_live,
        LoanMark.FINANCED: drawn > 0,
        LoanMark.OUTSTANDING: outstanding > 0,
        LoanMark.REPAID: repaid > 0,
        LoanMark.ROOM: room > 0,
        LoanMark.OVERDUE: bool(late),
        LoanMark.ALERTS: bool(alerts),
        LoanMark.LOCK_WAITING: contract.id in known.locks,
        **{mark: state in states for mark, state in _SIDE_MARKS.items()},
    }
    return ContractLoanRow(
        contract=contract,
        lender=lender,
        loans=tuple(loans),
        claimed=claimed,
        approved=sum(loan.principal for loan in loans),
        drawn=drawn,
        repaid=repaid,
        outstanding=outstanding,
        overdue=sum(loan.outstanding for loan in late),
        room=room,
        paid=paid,
        alerts=alerts.total(),
        financed_on=min((loan.drawn_on for loan in loans if loan.drawn_on is not None), default=None),
        bucket=max(
            (loan.bucket for loan in loans if loan.outstanding),
            key=list(Bucket).index,
            default=Bucket.CURRENT,
        ),
        states=tuple(state for state in SideState if state in states),
        marks=frozenset(mark for mark, holds in held.items() if holds),
    )


def _find_bucket(loans: Iterable[Loan]) -> Bucket:
    owed = [loan.bucket for loan in loans if loan.outstanding]
    return max(owed, key=list(Bucket).index, default=Bucket.CURRENT)


#: Side states that are figures of the board; that a loan is overdue is counted from the loans themselves.
_SIDE_MARKS = {
    LoanMark.PURCHASER_OVERDUE: SideState.PURCHASER_OVERDUE,
    LoanMark.PLEDGE_EXPIRING: SideState.PLEDGE_EXPIRING,
    LoanMark.PLEDGE_EXPIRED: SideState.PLEDGE_EXPIRED,
    LoanMark.ACCOUNT_CHANGE: SideState.ACCOUNT_CHANGE_REQUESTED,
    LoanMark.TERMINATED: SideState.TERMINATED,
}


def _find_states(
    contract: Contract,
    loans: Iterable[Loan],
    late: Sequence[Loan],
    alerts: Mapping[AlertKind, int],
    known: _Known,
    today: date,
) -> set[SideState]:
    """Return the side states as ``side_states.read`` has them; lateness is the clock's last look."""
    expires_on = known.pledges.get(contract.id)
    is_pledged = expires_on is not None and any(loan.state in LIVE_LOANS for loan in loans)
    is_over = is_pledged and expires_on is not None and expires_on <= today
    held = {
        SideState.TERMINATED: contract.terminated_on is not None,
        SideState.LOAN_OVERDUE: bool(late),
        SideState.PURCHASER_OVERDUE: alerts.get(AlertKind.PURCHASER_OVERDUE, 0) > 0,
        SideState.ACCOUNT_CHANGE_REQUESTED: contract.id in known.changes,
        SideState.PLEDGE_EXPIRED: is_over,
        SideState.PLEDGE_EXPIRING: is_pledged
        and not is_over
        and expires_on is not None
        and contract_loan.find_warning(expires_on, today) is not None,
    }
    return {state for state, holds in held.items() if holds}


def _passes(row: ContractLoanRow, which: Which) -> bool:
    wanted = which.search.strip().lower()
    return all(
        test(row)
        for asked, test in (
            (which.lender_id is not None, _is_of_lender(which.lender_id)),
            (which.purchaser, lambda row: row.purchaser == which.purchaser),
            (which.firm, lambda row: row.firm == which.firm),
            (which.stage is not None, lambda row: row.contract.stage is which.stage),
            (which.bucket is not None, lambda row: row.bucket is which.bucket and row.outstanding > 0),
            (which.mark is not None, lambda row: which.mark in row.marks),
            (wanted, lambda row: wanted in _name(row)),
        )
        if asked
    )


def _is_of_lender(lender_id: int | None) -> Callable[[ContractLoanRow], bool]:
    return lambda row: row.lender.id == lender_id


def _name(row: ContractLoanRow) -> str:
    contract = row.contract
    words = (contract.number, contract.title, contract.supplier_name, contract.purchaser_name)
    return " ".join(word or "" for word in (*words, row.lender.name_zh, row.lender.name_en)).lower()
