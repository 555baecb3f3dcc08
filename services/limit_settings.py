"""Setting limits: what an institution may have out, who says so, and what a new limit counts at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import credit_code
from market.bidding_vocabulary import LimitMode
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import Capability, LimitScope, OrganisationKind
from models.base import db, transaction
from models.organisation import Limit, Organisation
from models.zone import Membership
from services import audit, guarantees, limits

#: What a limit of a scope names, beside the institution.
NAMES = {
    LimitScope.FIRM: "firm_id",
    LimitScope.SECTOR: "sector",
    LimitScope.PURCHASER: "purchaser_id",
}
LONGEST_SECTOR = 40


def set_limit(
    organisation_id: int,
    scope: LimitScope,
    cap: int | None = None,
    *,
    by: Party,
    now: datetime,
    firm_id: int | None = None,
    sector: str | None = None,
    purchaser_id: int | None = None,
    mode: LimitMode | None = None,
) -> Limit:
    """Set what an institution may have out, in fen; never below what is used.

    By the institution's own approver, or an officer of a zone where it has a seat. A new limit counts what
    is out already. ``mode`` says whether its live bids hold headroom; None leaves it as it is (at first:
    reserved). A guarantor has no bids of its own: its limits are shared. For its ``leverage`` the cap is
    what the law allows on its net assets, or less if ``cap`` says so.
    """
    by.require(Capability.INSTITUTION_APPROVER, Capability.OFFICER)
    if by.may(Capability.INSTITUTION_APPROVER) and organisation_id != by.organisation_id:
        raise not_found("organisation", organisation_id)
    sector = sector.strip() if sector is not None else None
    named = {"firm_id": firm_id, "sector": sector or None, "purchaser_id": purchaser_id}
    _check(scope, cap, named)
    with transaction() as session:
        institution = _find_institution(session, organisation_id, by.zone_id)
        shares = institution.kind is OrganisationKind.GUARANTOR
        if shares and mode is LimitMode.RESERVED:
            choices = [LimitMode.SHARED.value]
            raise invalid(Code.NOT_A_CHOICE, "mode", value=mode.value, choices=choices)
        for field, number in (("firm_id", firm_id), ("purchaser_id", purchaser_id)):
            _check_named(session, field, number)
        row = _find(session, organisation_id, scope, named)
        if row is None:
            # Awards hold the institution while they look for limits: each is counted here or sees this.
            session.get_one(Organisation, organisation_id, with_for_update=True)
            row = _find(session, organisation_id, scope, named)
        if row is None:
            row = Limit(organisation_id=organisation_id, scope=scope, **named)
            row.mode = LimitMode.SHARED if shares else LimitMode.RESERVED
            row.used = _count(session, institution, scope, named)
        if scope is LimitScope.LEVERAGE:
            cap = _bound_leverage(session, institution, cap)
        assert cap is not None, "every other limit was given a cap"
        if cap < row.used:
            raise invalid(Code.TOO_SMALL, "cap", value=cap, least=row.used)
        row.cap = cap
        row.mode = mode or row.mode
        session.add(row)
        audit.record(session, "limit.set", row, by=by, now=now, cap=cap, mode=row.mode.value)
    return row


def find_by_code(code: str) -> int:
    """Return the number of the organisation with a credit code; raises ``Invalid``."""
    code = credit_code.parse(code)
    found = db.session.scalar(select(Organisation.id).where(Organisation.credit_code == code))
    if found is None:
        raise invalid(Code.NOT_FOUND, "credit_code", what="organisation", id=code)
    return found


def _check(scope: LimitScope, cap: int | None, named: dict[str, int | str | None]) -> None:
    faults: list[Fault] = []
    if cap is None and scope is not LimitScope.LEVERAGE:
        faults.append(Fault(Code.REQUIRED, "cap"))
    elif cap is not None and cap < 0:
        faults.append(Fault(Code.TOO_SMALL, "cap", {"value": cap, "least": 0}))
    for field, value in named.items():
        if NAMES.get(scope) == field and value is None:
            faults.append(Fault(Code.REQUIRED, field))
        elif NAMES.get(scope) != field and value is not None:
            faults.append(Fault(Code.UNKNOWN_FIELD, field))
    sector = named["sector"]
    if isinstance(sector, str) and len(sector) > LONGEST_SECTOR:
        faults.append(Fault(Code.TOO_LONG, "sector", {"value": sector[:40], "most": LONGEST_SECTOR}))
    if faults:
        raise Invalid(*faults)


def _find_institution(session: Session, organisation_id: int, zone_id: int) -> Organisation:
    seat = session.scalar(
        select(Membership).where(Membership.organisation_id == organisation_id, Membership.zone_id == zone_id)
    )
    if seat is None:
        raise not_found("organisation", organisation_id)
    return seat.organisation


def _check_named(session: Session, field: str, number: int | None) -> None:
    if number is None:
        return
    row = session.get(Organisation, number)
    if row is None or (field == "firm_id" and row.kind is not OrganisationKind.ENTERPRISE):
        raise invalid(Code.NOT_FOUND, field, what="organisation", id=number)


def _find(
    session: Session, organisation_id: int, scope: LimitScope, named: dict[str, int | str | None]
) -> Limit | None:
    query = select(Limit).where(Limit.organisation_id == organisation_id, Limit.scope == scope)
    for field, value in named.items():
        column = getattr(Limit, field)
        query = query.where(column.is_(None) if value is None else column == value)
    return session.scalar(query.with_for_update())


def _count(
    session: Session, institution: Organisation, scope: LimitScope, named: dict[str, int | str | None]
) -> int:
    """Return what counts against a limit at its birth."""
    if scope is LimitScope.LEVERAGE:
        return guarantees.sum_weighted(session, institution.id)
    counts = guarantees.count_given if institution.kind is OrganisationKind.GUARANTOR else limits.count_out
    narrowed: dict[str, int | str] = {field: value for field, value in named.items() if value is not None}
    return counts(session, institution.id, **narrowed)  # type: ignore[arg-type]


def _bound_leverage(session: Session, institution: Organisation, cap: int | None) -> int:
    """Return the cap on a guarantor's weighted guarantees: what the law allows, or less."""
    if institution.kind is not OrganisationKind.GUARANTOR:
        expected = OrganisationKind.GUARANTOR.value
        raise conflict(Code.WRONG_KIND, "scope", kind=institution.kind.value, expected=expected)
    if institution.net_assets is None:
        raise invalid(Code.REQUIRED, "net_assets")
    most = guarantees.choose_multiple(session, institution.id) * institution.net_assets
    if cap is not None and cap > most:
        raise invalid(Code.TOO_LARGE, "cap", value=cap, most=most)
    return most if cap is None else cap
