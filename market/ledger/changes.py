"""What changes a deal's schedule: drawdowns, charges, other rates and terms, and the end of the claim."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise

from market.calendar import add_months
from market.errors import Code, conflict, invalid
from market.ledger.events import Event
from market.ledger.layout import Piece, plan, share_by, spread
from market.ledger.walk import NEVER, Period, Row, Walk
from market.lending_vocabulary import Account, DealKind
from market.money import round_half_up
from market.vocabulary import RentTiming, Repayment


def draw(walk: Walk, event: Event) -> None:
    """Pay money out: the first drawdown lays the schedule out, a further one adds to what is not due yet.

    Raises ``Invalid``: amount (too_large) above what was approved and not drawn, on (too_late) once the
    last line is due.
    """
    assert event.amount is not None
    day, most = event.on, find_available(walk)
    if event.amount > most:
        raise invalid(Code.TOO_LARGE, "amount", value=event.amount, most=most)
    if walk.ends_on is not None and walk.ends_on <= day:
        raise invalid(Code.TOO_LATE, "on", deadline=walk.ends_on.isoformat())
    if walk.drawn_on is None:
        walk.drawn_on = day
        _lay_out(walk, day)
    walk.accrue(day)
    rows = [row for row in walk.undue_rows if row.period is not None or row.weight]
    for row, part in zip(rows, share_by(event.amount, [row.weight for row in rows]), strict=True):
        row.principal += part
    walk.balance += event.amount
    walk.drawn += event.amount
    walk.book(day, walk.cash, walk.claim, event.amount)
    _keep_back(walk, day, event.amount)


def find_available(walk: Walk) -> int:
    """Return what can still be drawn, by the amounts alone."""
    if walk.policy.is_revolving:
        return max(walk.deal.principal - walk.outstanding, 0)
    return walk.deal.principal - walk.drawn


def charge(walk: Walk, event: Event) -> None:
    """Ask for a fee or a penalty more: with the next line, after the last one at once.

    Raises ``Invalid``: account (not_a_choice).
    """
    assert event.amount is not None
    if event.account not in (Account.FEES_DUE, Account.PENALTY_DUE):
        choices = f"{Account.FEES_DUE.value}, {Account.PENALTY_DUE.value}"
        raise invalid(Code.NOT_A_CHOICE, "account", value=event.account, choices=choices)
    row = next((row for row in walk.undue_rows if row.due_on != NEVER), None)
    if row is None:
        row = Row(max((row.number for row in walk.rows), default=0) + 1, event.on)
        walk.rows.insert(walk.next, row)
    if event.account is Account.FEES_DUE:
        row.fees += event.amount
    else:
        row.charged += event.amount
        row.penalty += event.amount


def reset_rate(walk: Walk, event: Event) -> None:
    """Let another rate hold from a day on: the running period is split there, later ones laid out anew."""
    rate, day = _rate(walk, event), event.on
    assert walk.frame is not None
    walk.accrue(day)
    walk.frame = walk.frame.at(rate)
    later = []
    for row in walk.undue_rows:
        period = row.period
        if period is None:
            continue
        if period.starts_on >= day:
            later.append(row)
        period.pieces = [part for piece in period.pieces for part in _reprice(piece, day, rate)]
    _lay_anew(walk, later)


def extend(walk: Walk, event: Event) -> None:
    """Add months to the term: what is not due yet is laid out anew up to the new end.

    Raises ``Invalid``: months (required, too_small), on (too_late) once the last line is due.
    """
    months, frame, ends_on = _months(event), walk.frame, walk.ends_on
    if frame is None or ends_on is None:
        raise _wrong_kind(walk)
    if ends_on <= event.on:
        raise invalid(Code.TOO_LATE, "on", deadline=ends_on.isoformat())
    walk.accrue(event.on)
    last = max((row for row in walk.undue_rows if row.period is not None), key=lambda row: row.due_on)
    added = frame.stretch(last.due_on, months, reached=frame.span or 0)
    if frame.span is not None:
        walk.frame = frame.spanning(frame.anchor, frame.span + months)
    if frame.style is Repayment.BULLET:
        # One repayment, one period: it becomes longer.
        assert last.period is not None
        last.period.pieces += added
        last.due_on = added[-1].ends_on
    else:
        number = max(row.number for row in walk.rows)
        for place, piece in enumerate(added, start=1):
            row = Row(number + place, piece.ends_on, period=Period([piece], piece.starts_on))
            walk.rows.append(row)
        _lay_anew(walk, [row for row in walk.undue_rows if row.period is not None])
    _sort(walk)


def restructure(walk: Walk, event: Event) -> None:
    """Lay out anew, from a day on, what is not due yet, at another rate, for other months, in another style.

    With ``capitalise`` what is due and unpaid becomes principal, else it stays due. Interest that has
    accrued comes with the first new line. Raises ``Invalid`` (months required where the term is over) and
    ``Conflict`` (illegal_move) where there is nothing to lay out.
    """
    day, frame = event.on, walk.frame
    if frame is None or walk.ends_on is None:
        raise _wrong_kind(walk)
    if event.months is None and walk.ends_on <= day:
        raise invalid(Code.REQUIRED, "months")
    months = _months(event) if event.months is not None else _months_until(day, walk.ends_on)
    running = walk.accrue(day)
    rate = _rate(walk, event) if event.rate is not None else _rate_on(walk, day)
    frame = frame.at(rate).styled(event.repayment or frame.style).spanning(day, months)
    carried = Fraction(0)
    if running is not None and running.period is not None:
        carried = running.period.done - running.paid_interest
    total = walk.balance + (_capitalise(walk, day) if event.capitalise else 0)
    if not total:
        raise conflict(Code.ILLEGAL_MOVE, "on", state="overdue", move=event.kind.value)
    kept = [row for row in walk.undue_rows if _strip(row)]
    pieces = frame.stretch(day, months)
    rows = []
    for piece, principal in zip(pieces, spread(frame.style, total, pieces), strict=True):
        row = Row(0, piece.ends_on, principal=principal, period=Period([piece], piece.starts_on))
        row.weight = principal
        rows.append(row)
    assert rows[0].period is not None
    rows[0].period.done = carried
    walk.rows[walk.next :] = [*kept, *rows]
    walk.balance, walk.frame, walk.restructured_on = total, frame, day
    walk.restart()
    _sort(walk)


def write_off(walk: Walk, event: Event) -> None:
    """End the claim on everything that is open; what still comes in is recovered."""
    day = event.on
    for row in walk.rows:
        if not row.is_due:
            row.interest, row.fees = row.paid_interest, row.paid_fees
            row.penalty = row.charged = row.booked_penalty = row.paid_penalty
        parts = (
            (walk.claim, row.open_principal),
            (Account.INTEREST_DUE, row.interest - row.paid_interest),
            (Account.FEES_DUE, row.fees - row.paid_fees),
            (Account.PENALTY_DUE, row.penalty - row.paid_penalty),
        )
        for account, amount in parts:
            walk.book(day, account, Account.WRITTEN_OFF, amount)
            walk.written_off += amount
        row.principal, row.interest, row.fees = row.paid_principal, row.paid_interest, row.paid_fees
        row.penalty = row.booked_penalty = row.paid_penalty
        row.is_due, row.period = True, None
    walk.next, walk.balance, walk.written_off_on = len(walk.rows), 0, day


def _lay_out(walk: Walk, day: date) -> None:
    if walk.is_fund:
        walk.rows = [Row(1, NEVER, weight=1)]
        return
    if walk.deal.terms is None:
        raise _wrong_kind(walk)
    planned = plan(walk.deal.terms, day)
    walk.frame, walk.kept_back = planned.frame, planned.kept_back
    for slot in planned.slots:
        period = Period(list(slot.pieces), day) if slot.pieces else None
        row = Row(slot.number, slot.due_on, fees=slot.fees, period=period, weight=slot.principal)
        row.is_shown = slot.is_planned
        if period is not None:
            period.since = period.starts_on
        walk.rows.append(row)


def _keep_back(walk: Walk, day: date, amount: int) -> None:
    """Keep the interest of a factored receivable back from what is paid out, for the days that are left."""
    if not walk.kept_back:
        return
    assert walk.drawn_on is not None and walk.ends_on is not None
    left = Fraction((walk.ends_on - day).days, max((walk.ends_on - walk.drawn_on).days, 1))
    interest = round_half_up(amount * walk.kept_back * left)
    row = next((row for row in walk.rows if row.number == 0), None)
    if row is None:
        row = Row(0, walk.drawn_on, is_shown=False)
        walk.rows.insert(0, row)
    row.paid_interest += interest
    row.interest = row.paid_interest
    walk.book(day, Account.INTEREST_INCOME, Account.INTEREST_DUE, interest)
    walk.book(day, Account.INTEREST_DUE, Account.CASH, interest)


def _lay_anew(walk: Walk, rows: list[Row]) -> None:
    """Spread the principal of these rows anew over their periods; what was paid ahead stays paid."""
    assert walk.frame is not None
    if walk.frame.style is RentTiming.ADVANCE and len(rows) > 1:
        # Rents in advance: the last day of the term has no payment.
        rows = rows[:-1]
    balance = sum(row.open_principal for row in rows)
    if not balance:
        return
    periods = [_whole(row) for row in rows]
    for row, principal in zip(rows, spread(walk.frame.style, balance, periods), strict=True):
        row.principal = row.paid_principal + principal
        row.weight = row.principal


def _whole(row: Row) -> Piece:
    """Return a row's period as one piece."""
    assert row.period is not None
    pieces = row.period.pieces
    if len(pieces) == 1:
        return pieces[0]
    years = sum((piece.years for piece in pieces), Fraction(0))
    # Of a period whose rate changed within, the last rate is the one that holds from now on.
    last = pieces[-1]
    rate = last.factor / last.years if last.years else Fraction(0)
    return Piece(pieces[0].starts_on, last.ends_on, years, rate * years)


def _reprice(piece: Piece, day: date, rate: Fraction) -> list[Piece]:
    """Return a piece with another rate from a day on."""
    if piece.ends_on <= day:
        return [piece]
    if piece.starts_on >= day:
        return [Piece(piece.starts_on, piece.ends_on, piece.years, rate * piece.years)]
    before = piece.cut(piece.starts_on, day)
    years = piece.years * (1 - before)
    return [
        Piece(piece.starts_on, day, piece.years * before, piece.factor * before),
        Piece(day, piece.ends_on, years, rate * years),
    ]


def _capitalise(walk: Walk, day: date) -> int:
    """Turn what is due and unpaid into principal that is not due; return its sum."""
    total = 0
    for row in walk.due_rows:
        parts = (
            (Account.INTEREST_DUE, row.interest - row.paid_interest),
            (Account.FEES_DUE, row.fees - row.paid_fees),
            (Account.PENALTY_DUE, row.penalty - row.paid_penalty),
        )
        for account, amount in parts:
            walk.book(day, account, Account.PRINCIPAL, amount)
        total += row.open
        row.charged -= row.penalty - row.paid_penalty
        row.principal, row.interest, row.fees = row.paid_principal, row.paid_interest, row.paid_fees
        row.penalty = row.booked_penalty = row.paid_penalty
    return total


def _strip(row: Row) -> bool:
    """Leave of a row that is laid out anew what was paid ahead and its fees; say whether anything is left."""
    row.principal, row.interest, row.period, row.weight = row.paid_principal, row.paid_interest, None, 0
    return bool(row.principal or row.interest or row.fees or row.penalty)


def _sort(walk: Walk) -> None:
    """Bring the rows that are not due into the order of their days, and number them on."""
    rows = sorted(walk.undue_rows, key=lambda row: row.due_on)
    number = walk.rows[walk.next - 1].number if walk.next else -1
    if any(later.number <= earlier.number for earlier, later in pairwise(rows)) or (
        rows and rows[0].number <= number
    ):
        for place, row in enumerate(rows, start=1):
            row.number = max(number, 0) + place
    walk.rows[walk.next :] = rows


def _rate(walk: Walk, event: Event) -> Fraction:
    if walk.frame is None or walk.is_cover:
        raise _wrong_kind(walk)
    if event.rate is None:
        raise invalid(Code.REQUIRED, "rate")
    if event.rate < 0:
        raise invalid(Code.TOO_SMALL, "rate", value=f"{event.rate:f}", least="0")
    return Fraction(event.rate)


def _rate_on(walk: Walk, day: date) -> Fraction:
    """Return the rate per year that holds on a day: where it steps later, the last one does not yet."""
    assert walk.frame is not None
    row = walk.running
    pieces = row.period.pieces if row is not None and row.period is not None else []
    piece = next((piece for piece in pieces if day < piece.ends_on), None)
    return piece.factor / piece.years if piece is not None and piece.years else walk.frame.rate


def _months(event: Event) -> int:
    if event.months is None:
        raise invalid(Code.REQUIRED, "months")
    if event.months < 1:
        raise invalid(Code.TOO_SMALL, "months", value=event.months, least=1)
    return event.months


def _months_until(day: date, end: date) -> int:
    months = max((end.year - day.year) * 12 + end.month - day.month, 1)
    return months if add_months(day, months) >= end else months + 1


def _wrong_kind(walk: Walk) -> Exception:
    return invalid(Code.WRONG_KIND, kind=walk.deal.kind.value, expected=DealKind.LOAN.value)
