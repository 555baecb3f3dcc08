"""The nightly pass: every deal that is out is looked at once a day, in a few statements for all of them.

What it finds is what ``market.ledger`` would say of each: how late it is, what it accrued, what fell due. A
deal whose day cannot be told from the columns kept with it is worked out by itself. Late interest by the day
is worked out when somebody looks at the deal, or pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CursorResult,
    String,
    and_,
    case,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    union,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from market.calendar import local_date
from market.ledger.ageing import FIRST_DAYS, find_thresholds
from market.lending_vocabulary import Account, Bucket, RiskClass
from market.party import Party
from market.vocabulary import AlertKind
from models.alert import Alert
from models.base import db, transaction
from models.days import add_days, count_days
from models.loan import SINGULAR, Instalment, LateSpan, Loan, Movement, NightlyPass
from services import loans


def is_due(zone_id: int, now: datetime) -> bool:
    """Say whether the deals of a zone were not looked at today."""
    done = select(NightlyPass.id).where(NightlyPass.zone_id == zone_id, NightlyPass.day == local_date(now))
    return db.session.scalar(done) is None


def look(zone_id: int, *, by: Party, now: datetime) -> NightlyPass:
    """Look at every drawn deal of a zone that was not looked at today; doing it twice changes nothing.

    Of several clocks at once one looks; the others wait for its row and find nothing left.
    """
    today = local_date(now)
    singles = _list_singles(zone_id, today)
    for loan_id in singles:
        loans.look_again(loan_id, by=by, now=now)
    with transaction() as session:
        row = _open(session, zone_id, today, now)
        waiting = _mine(zone_id, today)
        _book_due(session, waiting, today, now)
        late = _raise_alerts(session, waiting, today, now)
        _write_spans(session, waiting, today, now)
        _turn_periods(session, waiting, today)
        looked = _look_at(session, waiting, today)
        row.looked, row.single = row.looked + looked + len(singles), row.single + len(singles)
        row.newly_late, row.finished_at = row.newly_late + late, now
    return row


def _open(session: Session, zone_id: int, today: date, now: datetime) -> NightlyPass:
    """Return the row of today's pass, locked; whoever comes second waits here for the first."""
    made = {"zone_id": zone_id, "day": today, "looked": 0, "single": 0, "newly_late": 0, "finished_at": now}
    dialect = session.get_bind().dialect.name
    put = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(put(NightlyPass).values(made).on_conflict_do_nothing())
    mine = (NightlyPass.zone_id == zone_id, NightlyPass.day == today)
    return session.scalars(select(NightlyPass).where(*mine).with_for_update()).one()


def _look_at(session: Session, which: Sequence[ColumnElement[bool]], today: date) -> int:
    """Say of each deal how it stands; return how many they are. Most are not late: they are asked less."""
    plain = {"accrued": _accrued(today), "looked_on": today}
    late = {
        "overdue_since": Loan.oldest_due_on,
        "days_past_due": _days_late(today),
        "bucket": _bucket(today),
        "risk_class": _risk(today),
        **plain,
    }
    ended = {"risk_class": RiskClass.NORMAL, "observed_until": None}
    # Whoever is late is looked at first, whoever was watched long enough next; what is left is the rest.
    count = 0
    for condition, values in (
        ((_is_overdue(today),), late),
        ((Loan.observed_until < today,), {**ended, **plain}),
        ((), plain),
    ):
        done = session.execute(
            update(Loan).where(*which, *condition).values(values).execution_options(synchronize_session=False)
        )
        count += int(cast("CursorResult[Any]", done).rowcount)
    return count


def _mine(zone_id: int, today: date) -> tuple[ColumnElement[bool], ...]:
    """Say which deals wait for their look. The state is written out, so that the partial index serves."""
    return (Loan.state == literal_column("'drawn'"), Loan.zone_id == zone_id, Loan.looked_on < today)


def _list_singles(zone_id: int, today: date) -> list[int]:
    """Return the deals of which the columns do not tell enough.

    A pause runs, a line or a guarantee may have ended, or a bucket was passed over while the clock stood.
    """
    ending = literal_column(f"({SINGULAR})", Boolean)
    skipped = and_(
        Loan.oldest_due_on < today,
        Loan.looked_on < today - timedelta(days=1),
        _bucket(today) != Loan.bucket,
    )
    found = (
        db.session.scalars(select(Loan.id).where(*_mine(zone_id, today), each)) for each in (ending, skipped)
    )
    return sorted({loan_id for ids in found for loan_id in ids})


def _is_overdue(today: date) -> ColumnElement[bool]:
    return Loan.oldest_due_on < today


def _days_late(today: date) -> ColumnElement[int]:
    """Return the days past due: none within the days of grace, after them from the due date."""
    days = count_days(Loan.oldest_due_on, literal(today)) - Loan.paused_days
    return case((and_(_is_overdue(today), days > Loan.grace_days), days), else_=0)


def _bucket(today: date) -> ColumnElement[Any]:
    days = _days_late(today)
    steps = sorted(zip(FIRST_DAYS, Bucket, strict=True), reverse=True)
    return case(*((days >= first, bucket.value) for first, bucket in steps[:-1]), else_=Bucket.CURRENT.value)


def _risk(today: date) -> ColumnElement[Any]:
    rule = find_thresholds(today)
    if rule is None:
        return literal(RiskClass.NORMAL.value)
    days = _days_late(today)
    return case(
        (days > rule.loss, RiskClass.LOSS.value),
        (days > rule.doubtful, RiskClass.DOUBTFUL.value),
        (days > rule.substandard, RiskClass.SUBSTANDARD.value),
        (
            or_(days > rule.special_mention, func.coalesce(Loan.observed_until >= today, False)),
            RiskClass.SPECIAL_MENTION.value,
        ),
        else_=RiskClass.NORMAL.value,
    )


def _accrued(today: date) -> ColumnElement[Any]:
    """Return the interest of the running period by today, half-up to the fen (``Accrual.accrued_on``)."""
    length, passed = Loan.accrual_days, count_days(Loan.accrual_from, literal(today))
    return case(
        (
            Loan.accrual_to > today,
            Loan.accrual_base + (2 * Loan.accrual_interest * passed + length) // (2 * length),
        ),
        else_=func.coalesce(Loan.accrual_base + Loan.accrual_interest, 0),
    )


def _book_due(session: Session, which: Sequence[ColumnElement[bool]], today: date, now: datetime) -> None:
    """Book what fell due since the last look: what of a line was paid ahead of its day is booked already."""
    fell_due = (
        *which,
        # Only of these has a line come up.
        Loan.id.in_(
            union(
                *(
                    select(Loan.id).where(*which, reached <= today)
                    for reached in (Loan.accrual_to, Loan.oldest_due_on)
                )
            )
        ),
        Instalment.loan_id == Loan.id,
        Instalment.due_on > Loan.looked_on,
        Instalment.due_on <= today,
    )
    for owed, paid, source, target in (
        (Instalment.interest, Instalment.paid_interest, Account.INTEREST_INCOME, Account.INTEREST_DUE),
        (Instalment.fees, Instalment.paid_fees, Account.FEE_INCOME, Account.FEES_DUE),
    ):
        rows = select(
            Instalment.loan_id,
            Instalment.due_on,
            literal(source.value),
            literal(target.value),
            owed - paid,
            literal(now, Movement.posted_at.type),
        ).where(*fell_due, owed > paid)
        session.execute(
            insert(Movement).from_select(
                ["loan_id", "booked_on", "source", "target", "amount", "posted_at"], rows
            )
        )


def _raise_alerts(session: Session, which: Sequence[ColumnElement[bool]], today: date, now: datetime) -> int:
    """Raise the alert of every deal that is late since the last look; return how many are."""
    newly = session.execute(
        select(Loan.id, Loan.zone_id, Loan.contract_id, Loan.oldest_due_on).where(
            *which, _is_overdue(today), Loan.overdue_since.is_(None), not_(_is_told())
        )
    ).all()
    if not newly:
        return 0
    owed = _sum_overdue(session, which, today)
    session.execute(
        insert(Alert),
        [
            {
                "zone_id": zone_id,
                "kind": AlertKind.LOAN_OVERDUE,
                "subject": f"loan:{loan_id}",
                "loan_id": loan_id,
                "contract_id": contract_id,
                "details": {"due_on": str(due_on), "amount": owed.get(loan_id, 0)},
                "raised_at": now,
            }
            for loan_id, zone_id, contract_id, due_on in newly
        ],
    )
    return len(newly)


def _is_told() -> ColumnElement[bool]:
    """Say whether an alert on the deal of the query around it is open."""
    subject = literal("loan:") + sql_cast(Loan.id, String)
    told = select(Alert.id).where(
        Alert.kind == AlertKind.LOAN_OVERDUE, Alert.subject == subject, Alert.resolved_at.is_(None)
    )
    return told.exists()


def _sum_overdue(session: Session, which: Sequence[ColumnElement[bool]], today: date) -> dict[int, int]:
    """Return what is due and unpaid of each deal that is newly late, in fen."""
    line = Instalment
    asked = line.principal + line.interest + line.fees + line.penalty
    paid = line.paid_principal + line.paid_interest + line.paid_fees + line.paid_penalty
    rows = session.execute(
        select(line.loan_id, func.sum(asked - paid))
        .join(Loan, line.loan_id == Loan.id)
        .where(*which, _is_overdue(today), Loan.overdue_since.is_(None), line.due_on < today)
        .group_by(line.loan_id)
    )
    return {loan_id: int(amount) for loan_id, amount in rows}


def _write_spans(session: Session, which: Sequence[ColumnElement[bool]], today: date, now: datetime) -> None:
    """Write from which day on a deal stands in another bucket than at the last look."""
    bucket = _bucket(today)
    first = case({each.value: days for days, each in zip(FIRST_DAYS, Bucket, strict=True)}, value=bucket)
    reached = case((first > Loan.grace_days, first), else_=Loan.grace_days + 1)
    rows = select(
        Loan.id,
        add_days(Loan.oldest_due_on, reached + Loan.paused_days),
        bucket,
        literal(now, LateSpan.recorded_at.type),
    ).where(*which, bucket != Loan.bucket, _is_overdue(today))
    session.execute(insert(LateSpan).from_select(["loan_id", "from_on", "bucket", "recorded_at"], rows))


def _turn_periods(session: Session, which: Sequence[ColumnElement[bool]], today: date) -> None:
    """Let the interest period that runs today be the running one, where the former ended."""
    line = Instalment
    began = func.lag(line.due_on).over(partition_by=line.loan_id, order_by=line.due_on)
    ended = select(Loan.id).where(*which, Loan.accrual_to <= today)
    periods = (
        select(line.loan_id, line.due_on, line.interest, began.label("began"))
        .where(line.loan_id.in_(ended))
        .subquery()
    )
    runs = (periods.c.began <= today, periods.c.due_on > today)
    session.execute(
        update(Loan)
        .where(*which, Loan.accrual_to <= today, Loan.id == periods.c.loan_id, *runs)
        .values(
            accrual_from=periods.c.began,
            accrual_to=periods.c.due_on,
            accrual_days=count_days(periods.c.began, periods.c.due_on),
            accrual_base=0,
            accrual_interest=periods.c.interest,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Loan)
        .where(*which, Loan.accrual_to <= today)
        .values(accrual_from=None, accrual_to=None, accrual_days=0, accrual_base=0, accrual_interest=0)
        .execution_options(synchronize_session=False)
    )
