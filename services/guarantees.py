"""Guarantees: a listed guarantee answers with a lender's bid, is held with the loan and ends with it.

A guarantor answers by itself only inside the conditions of its product and the caps of the law; what it
stands for is counted by weight (``market.guarantees``). What others' sealed bids would ask of it nobody can
read before their opening, so its caps are shared by all bids and decided at the award.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from market import guarantees as law
from market.covers import Cover
from market.eligibility import judge
from market.errors import Code, Fault, conflict, invalid, not_found
from market.guarantees import Excess, Load
from market.risk_sharing import SHARE_PLACES
from market.terms import Terms
from market.vocabulary import LIVE_LOANS, LimitScope, ProductFamily, SizeClass
from models.base import db
from models.bid import Bid
from models.loan import Guarantee, Loan
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from services import fitting, limits
from services.limits import Exposure
from services.quotes import Quote
from services.shelf_covers import read_cover

_SMALL = (SizeClass.SMALL, SizeClass.MICRO)


@dataclass(frozen=True, slots=True)
class Backing:
    """A listed guarantee that a quote leans on, and the share of the loan that it covers."""

    product: Product
    cover: Cover
    share: Decimal

    def amount(self, principal: int) -> int:
        """Return what the guarantor stands for, in fen."""
        return law.cover_amount(principal, self.share)


def read_backing(session: Session, quote: Quote, need: Need) -> Backing | None:
    """Return the guarantee that a quote leans on, or None where it names none.

    Raises ``NotFound`` for what is no listed guarantee of the need's zone, ``Invalid`` for a share that the
    product does not cover.
    """
    if quote.guarantee_product_id is None:
        if quote.guarantee_share is not None:
            raise invalid(Code.REQUIRED, "guarantee_product_id")
        return None
    product = session.get(Product, quote.guarantee_product_id)
    if product is None or (product.zone_id, product.family, product.listed) != (
        need.zone_id,
        ProductFamily.GUARANTEE,
        True,
    ):
        raise not_found("product", quote.guarantee_product_id)
    provider = read_cover(product) if product.offer is None else None
    if provider is None:
        raise invalid(Code.NOT_BIDDABLE, "guarantee_product_id")
    most = provider.cover.most_share
    share = most if quote.guarantee_share is None else quote.guarantee_share
    values = {"value": str(share), "most": str(most)}
    if share <= 0:
        raise invalid(Code.TOO_SMALL, "guarantee_share", value=str(share), least=str(Decimal(1).scaleb(-4)))
    if share > most:
        raise invalid(Code.TOO_LARGE, "guarantee_share", **values)
    if share != round(share, SHARE_PLACES):
        raise invalid(Code.TOO_MANY_DECIMALS, "guarantee_share", value=str(share), most=SHARE_PLACES)
    # One share is written in one way, whoever typed it.
    return Backing(product, provider.cover, share.normalize())


def list_listed(zone_id: int) -> list[Product]:
    """Return the guarantees of a zone's shelf that can stand behind a bid, by guarantor."""
    found = db.session.scalars(
        select(Product)
        .join(Product.organisation)
        .where(
            Product.zone_id == zone_id,
            Product.listed,
            Product.family == ProductFamily.GUARANTEE,
            Product.offer.is_(None),
        )
        .options(contains_eager(Product.organisation))
        .order_by(Organisation.name_zh, Product.id)
    )
    return [product for product in found if read_cover(product) is not None]


def find_faults(
    session: Session, backing: Backing, need: Need, terms: Terms, today: date, *, asked: int
) -> list[Fault]:
    """Return why a guarantor does not answer with this loan: a condition of its product, or a cap.

    Of its caps ``asked`` fen of the loan must fit: all of it, or the smallest part that may be taken.
    """
    faults: list[Fault] = []
    facts = {**fitting.describe(need, today), "amount": terms.principal, "months": terms.months}
    failures = fitting.veil(judge(facts, fitting.read_requirement(backing.product)))
    if failures:
        failing = [
            {"fact": f.condition.fact, "test": f.condition.test, "value": f.condition.value, "found": f.found}
            for f in failures
        ]
        faults.append(Fault(Code.NOT_ELIGIBLE, "guarantee_product_id", {"conditions": failing}))
    if not _has_room(session, backing, need, asked):
        # Nothing more is said: how full another institution's books are is its own affair.
        faults.append(Fault(Code.GUARANTOR_FULL, "guarantee_product_id"))
    return faults


def part_of(bid: Bid, amount: int) -> int:
    """Return what the guarantee of a bid stands for where ``amount`` fen of the bid are taken."""
    return law.count_in_force(bid.guaranteed or 0, amount, bid.amount or 1)


def weigh_alone(firm: Organisation, amount: int) -> int:
    """Return what a guarantee of ``amount`` fen weighs for a firm that has no other in force."""
    return law.weigh(amount, in_force=amount, is_small=firm.size_class in _SMALL)


def find(session: Session, loan_id: int) -> Guarantee | None:
    """Return the guarantee of a loan, or None."""
    return session.scalar(select(Guarantee).where(Guarantee.loan_id == loan_id))


def read_guarantor(row: Guarantee) -> Organisation:
    """Return who stands for a guarantee."""
    return db.session.get_one(Organisation, row.guarantor_id)


def read_out(loan: Loan) -> int:
    """Return what a loan binds now, in fen; of a guarantor never more than what was approved."""
    return min(loan.bound, loan.principal) if loan.state in LIVE_LOANS else 0


def give(session: Session, loan: Loan, bid: Bid, *, now: datetime) -> None:
    """Put the guarantee of an awarded bid behind its loan; inside the award's transaction.

    The guarantor's rows are locked already (``exposures.take``). Raises what ``hold`` raises.
    """
    if bid.guarantee_product_id is not None:
        product = session.get_one(Product, bid.guarantee_product_id)
        hold(session, loan, product.organisation_id, part_of(bid, loan.principal), now=now, product=product)


def hold(
    session: Session,
    loan: Loan,
    guarantor_id: int,
    amount: int,
    *,
    now: datetime,
    product: Product | None = None,
) -> None:
    """Let a guarantor stand for ``amount`` fen of a loan; its rows are locked already.

    Raises ``Conflict`` (limit_exceeded) where leverage or the share of one firm would be broken,
    (guarantor_full) where nobody can say what the law allows.
    """
    guarantor = session.get_one(Organisation, guarantor_id)
    leverage = _read_leverage(session, guarantor.id, locked=True)
    if leverage is None or guarantor.net_assets is None:
        raise conflict(Code.GUARANTOR_FULL, "guarantee_product_id")
    firm = session.get_one(Organisation, loan.borrower_id)
    rows = _list_live(session, guarantor.id, [firm.id])
    before = sum(row.weighted for row in rows)
    own = _weigh_all(rows, firm, adding=amount)
    load = _load(session, guarantor.id, firm, leverage.used - before, own)
    excess = law.find_excess(load, leverage=leverage.cap, net_assets=guarantor.net_assets)
    if excess is not None:
        raise _refuse(excess, own - before)
    for row in rows:
        row.weighted = _weigh(row, rows, firm, adding=amount)
    in_force = sum(_count(row) for row in rows) + amount
    session.add(
        Guarantee(
            loan_id=loan.id,
            guarantor_id=guarantor.id,
            firm_id=firm.id,
            product_id=product.id if product is not None else None,
            amount=amount,
            uncovered=0,
            weighted=law.weigh(amount, in_force=in_force, is_small=firm.size_class in _SMALL),
            given_at=now,
        )
    )
    leverage.used = load.total


def follow(session: Session, row: Guarantee, now: datetime, *, grows: bool = False) -> None:
    """Let a guarantee shrink or grow with its loan, or end with it; the guarantor's rows are locked already.

    All that the guarantor has in force for the firm is weighed anew: with less in force a small firm's other
    guarantees may count for less. The others never count for more than before, whatever became of the firm.
    """
    firm = session.get_one(Organisation, row.firm_id)
    rows = _list_live(session, row.guarantor_id, [firm.id])
    before = sum(one.weighted for one in rows)
    for one in rows:
        weight = _weigh(one, rows, firm)
        one.weighted = weight if one is row and grows else min(one.weighted, weight)
    if _count(row) == 0:
        row.weighted, row.ended_at = 0, now
    leverage = _read_leverage(session, row.guarantor_id, locked=True)
    if leverage is not None:
        leverage.used = max(leverage.used + sum(one.weighted for one in rows) - before, 0)


def count_in_force(row: Guarantee, out: int) -> int:
    """Return the fen that are in force of a guarantee while its loan binds ``out`` fen.

    What a compensation left to the lender alone is not covered any more, nor more than was not paid yet.
    """
    covered = law.count_in_force(row.amount, max(out - row.uncovered, 0), row.loan.principal)
    return min(covered, row.amount - row.compensated)


def compensate(session: Session, row: Guarantee, paid: int, uncovered: int, now: datetime) -> None:
    """Count ``paid`` fen more as paid under a guarantee and ``uncovered`` more as its lender's alone.

    Both may be negative: a payment was taken back, or money recovered. The guarantor's limits follow, and
    where nothing is left to stand for the guarantee ends. The guarantor's rows are locked already.
    """
    before = _count(row) if row.ended_at is None else 0
    row.compensated, row.uncovered = row.compensated + paid, max(row.uncovered + uncovered, 0)
    row.ended_at = None
    session.flush()
    moved = _count(row) - before
    loan = row.loan
    exposure = Exposure(row.guarantor_id, row.firm_id, loan.sector, loan.purchaser_id, abs(moved))
    if moved < 0:
        limits.release(session, [exposure])
    elif moved > 0:
        limits.restore(session, [exposure])
    follow(session, row, now, grows=moved > 0)


def count_given(
    session: Session,
    guarantor_id: int,
    *,
    firm_id: int | None = None,
    sector: str | None = None,
    purchaser_id: int | None = None,
) -> int:
    """Return the fen that a guarantor stands for now, as ``limits.count_out`` counts a lender's loans."""
    return sum(
        _count(row)
        for row in _list_live(session, guarantor_id)
        if firm_id in (None, row.firm_id)
        and sector in (None, row.loan.sector)
        and purchaser_id in (None, row.loan.purchaser_id)
    )


def sum_weighted(session: Session, guarantor_id: int) -> int:
    """Return what a guarantor's guarantees weigh now, in fen."""
    return sum(row.weighted for row in _list_live(session, guarantor_id))


def choose_multiple(session: Session, guarantor_id: int) -> int:
    """Return how many times its net assets a guarantor may stand for, by whom it guarantees today."""
    in_force: dict[int, int] = {}
    for row in _list_live(session, guarantor_id):
        in_force[row.firm_id] = in_force.get(row.firm_id, 0) + _count(row)
    found = session.execute(
        select(Organisation.id, Organisation.size_class).where(Organisation.id.in_(in_force))
    )
    sizes = {firm_id: size for firm_id, size in found}
    return law.choose_multiple((amount, sizes[firm] in _SMALL) for firm, amount in in_force.items())


def _has_room(session: Session, backing: Backing, need: Need, principal: int) -> bool:
    guarantor = backing.product.organisation
    amount = backing.amount(principal)
    asked = Exposure(
        guarantor.id,
        need.organisation_id,
        need.organisation.industry,
        need.contract.purchaser_id if need.contract is not None else None,
        amount,
    )
    touched = limits.read(session, [asked])
    if any(asked.touches(limit) and limit.used + amount > limit.cap for limit in touched):
        return False
    leverage = next((limit for limit in touched if limit.scope is LimitScope.LEVERAGE), None)
    if leverage is None or guarantor.net_assets is None:
        # Without net assets and leverage on record nobody can say what the law still allows.
        return False
    rows = _list_live(session, guarantor.id, [need.organisation_id])
    own = _weigh_all(rows, need.organisation, adding=amount)
    others = leverage.used - sum(row.weighted for row in rows)
    load = _load(session, guarantor.id, need.organisation, others, own)
    return law.find_excess(load, leverage=leverage.cap, net_assets=guarantor.net_assets) is None


def _load(session: Session, guarantor_id: int, firm: Organisation, others: int, own: int) -> Load:
    """Return the load of a guarantor that stands for ``own`` towards a firm and ``others`` besides."""
    group = own
    if firm.controller is not None:
        affiliates = session.scalars(
            select(Organisation.id).where(
                Organisation.controller == firm.controller, Organisation.id != firm.id
            )
        ).all()
        group += sum(row.weighted for row in _list_live(session, guarantor_id, affiliates))
    return Load(total=others + own, firm=own, group=group)


def _list_live(session: Session, guarantor_id: int, firm_ids: Sequence[int] | None = None) -> list[Guarantee]:
    query = (
        select(Guarantee)
        .join(Guarantee.loan)
        .where(Guarantee.guarantor_id == guarantor_id, Guarantee.ended_at.is_(None))
        .options(contains_eager(Guarantee.loan))
        .order_by(Guarantee.id)
        .execution_options(populate_existing=True)
    )
    if firm_ids is not None:
        query = query.where(Guarantee.firm_id.in_(firm_ids))
    return list(session.scalars(query))


def _count(row: Guarantee) -> int:
    return count_in_force(row, read_out(row.loan))


def _weigh(row: Guarantee, rows: Sequence[Guarantee], firm: Organisation, *, adding: int = 0) -> int:
    """Return what a guarantee counts for beside the others of its firm, and ``adding`` fen more."""
    in_force = sum(_count(one) for one in rows) + adding
    return law.weigh(_count(row), in_force=in_force, is_small=firm.size_class in _SMALL)


def _weigh_all(rows: Sequence[Guarantee], firm: Organisation, *, adding: int) -> int:
    in_force = sum(_count(one) for one in rows) + adding
    new = law.weigh(adding, in_force=in_force, is_small=firm.size_class in _SMALL)
    return sum(_weigh(row, rows, firm, adding=adding) for row in rows) + new


def _read_leverage(session: Session, guarantor_id: int, *, locked: bool) -> Limit | None:
    query = select(Limit).where(Limit.organisation_id == guarantor_id, Limit.scope == LimitScope.LEVERAGE)
    return session.scalar(query.with_for_update() if locked else query)


def _refuse(excess: Excess, asked: int) -> Exception:
    return conflict(
        Code.LIMIT_EXCEEDED,
        "guarantee_product_id",
        limit=excess.most,
        used=max(excess.asked - asked, 0),
        asked=asked,
    )
