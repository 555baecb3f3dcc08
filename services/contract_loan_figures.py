"""What a list of contract loans comes to: firms, projects and amount, lateness, concentration, by month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from market.concentration import Concentration, concentrate
from market.lending_vocabulary import Bucket
from market.report_vocabulary import LoanMark
from services.contract_loan_board import ContractLoanRow


@dataclass(frozen=True, slots=True)
class Financed:
    """What was financed: distinct firms (家, 去重), distinct contracts (projects) and the fen paid out.

    ``period`` is the month (``2026-11``), or "" for all.
    """

    firms: int
    projects: int
    amount: int
    period: str = ""


@dataclass(frozen=True, slots=True)
class Late:
    """Contract loans of one bucket, or of one purchaser, that are late: how many, and the fen they owe."""

    key: str
    rows: int
    outstanding: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a list of contract loans; amounts in fen, concentrations of what is outstanding."""

    financed: Financed
    approved: int
    drawn: int
    repaid: int
    outstanding: int
    overdue: int
    room: int
    marks: dict[LoanMark, int]
    months: tuple[Financed, ...]
    buckets: tuple[Late, ...]
    late_purchasers: tuple[Late, ...]
    purchasers: Concentration[str]
    lenders: Concentration[int]
    firms: Concentration[str]
    #: How purchasers, firms and lenders of the list are called, by their keys.
    names: dict[str | int, str]


def sum_up(rows: Sequence[ContractLoanRow]) -> Summary:
    """Return the figures of a list, each counted from rows that its filter finds again."""
    owing = [row for row in rows if LoanMark.OUTSTANDING in row.marks]
    late = [row for row in rows if LoanMark.OVERDUE in row.marks]
    names: dict[str | int, str] = {}
    for row in rows:
        names[row.purchaser] = row.contract.purchaser_name or row.purchaser
        names[row.firm] = row.contract.supplier_name or row.firm
        names[row.lender.id] = row.lender.name_zh
    return Summary(
        financed=_count(rows),
        approved=sum(row.approved for row in rows),
        drawn=sum(row.drawn for row in rows),
        repaid=sum(row.repaid for row in rows),
        outstanding=sum(row.outstanding for row in rows),
        overdue=sum(row.overdue for row in late),
        room=sum(row.room for row in rows),
        marks={mark: sum(1 for row in rows if mark in row.marks) for mark in LoanMark},
        months=_count_months(rows),
        buckets=tuple(
            Late(bucket.value, len(found), sum(row.outstanding for row in found))
            for bucket in Bucket
            if (found := [row for row in owing if row.bucket is bucket])
        ),
        late_purchasers=_count_late(late, names),
        purchasers=concentrate((row.purchaser, row.outstanding) for row in owing),
        lenders=concentrate((row.lender.id, row.outstanding) for row in owing),
        firms=concentrate((row.firm, row.outstanding) for row in owing),
        names=names,
    )


def _count(rows: Iterable[ContractLoanRow], period: str = "") -> Financed:
    drawn = [row for row in rows if LoanMark.FINANCED in row.marks]
    return Financed(
        firms=len({row.firm for row in drawn}),
        projects=len({row.contract.id for row in drawn}),
        amount=sum(row.drawn for row in drawn),
        period=period,
    )


def _count_months(rows: Iterable[ContractLoanRow]) -> tuple[Financed, ...]:
    """Return the months of first drawdowns, oldest first, as the filter by period counts them."""
    firms: dict[str, set[str]] = defaultdict(set)
    projects: dict[str, set[int]] = defaultdict(set)
    amounts: dict[str, int] = defaultdict(int)
    for row in rows:
        for loan in row.loans:
            if loan.drawn_on is None or loan.drawn == 0:
                continue
            month = loan.drawn_on.isoformat()[:7]
            firms[month].add(row.firm)
            projects[month].add(row.contract.id)
            amounts[month] += loan.drawn
    return tuple(
        Financed(len(firms[month]), len(projects[month]), amounts[month], month) for month in sorted(amounts)
    )


def _count_late(late: Iterable[ContractLoanRow], names: dict[str | int, str]) -> tuple[Late, ...]:
    found: dict[str, list[ContractLoanRow]] = defaultdict(list)
    for row in late:
        found[row.purchaser].append(row)
    counted = [
        Late(key, len(some), sum(row.overdue for row in some), names[key]) for key, some in found.items()
    ]
    return tuple(sorted(counted, key=lambda one: -one.outstanding))
