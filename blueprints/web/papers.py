"""The papers of an offer: its disclosure sheet as PDF, its proof as JSON and as a workbook.

The firm has them of its opened offers, the institution of its own bids, both of their deals, and anybody
of what they typed into the calculator. The proof of one offer is the same for its firm and its institution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask_babel import gettext

from blueprints import access, formats, labels
from blueprints.access import allows, public
from blueprints.documents import proof, proof_workbook
from blueprints.documents.sheet import Sheet
from blueprints.web import calculator, elements
from market import cost
from market.calendar import local_date
from market.errors import not_found
from market.terms import Terms
from market.vocabulary import FLOATING, BidState, Capability, LprTenor, Pricing
from models.bid import Bid
from services import bids, comparisons, loans, proofs
from services.exchange.offers import read_offer

#: The papers, in the order in which pages offer them, with what each is served as.
PAPERS = {
    "sheet.pdf": "application/pdf",
    "proof.json": "application/json",
    "proof.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PAPER = f"<any({', '.join(repr(name) for name in PAPERS)}):paper>"
_NUMBER = "int(max=2147483647)"
_BID = "int(max=9007199254740991)"

page = Blueprint("papers", __name__)
page.record_once(lambda state: state.app.jinja_env.globals.update(paper_addresses=addresses))


def addresses(endpoint: str, numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (paper, address) for each paper; without numbers, of what stands in the address of the page."""
    if numbers:
        return [(paper, url_for(endpoint, paper=paper, **numbers)) for paper in PAPERS]
    typed = request.query_string.decode()
    return [(paper, url_for(endpoint, paper=paper) + (f"?{typed}" if typed else "")) for paper in PAPERS]


@page.get(f"/needs/<{_NUMBER}:need_id>/offers/<{_BID}:bid_id>/{_PAPER}")
@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def of_offer(need_id: int, bid_id: int, paper: str) -> Response:
    """Hand out a paper of one opened offer to its firm."""
    comparison, bid = comparisons.find_offer(need_id, bid_id, by=access.acting())
    firm = elements.named(comparison.need.organisation)
    return _of_bid(paper, bid, read_offer(bid.terms, "terms"), firm, bid.is_firm is not False)


@page.get(f"/bids/<{_BID}:bid_id>/{_PAPER}")
@allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
def of_bid(bid_id: int, paper: str) -> Response:
    """Hand out a paper of an own bid, sealed or not; the firm is named only where it shows itself."""
    sealer = current_app.extensions["sealer"]
    bid, content, _ = bids.read_own(bid_id, by=access.acting(), sealer=sealer)
    is_known = bid.need.shows_name or bid.state is BidState.WON
    firm = elements.named(bid.need.organisation) if is_known else ""
    return _of_bid(paper, bid, read_offer(content["offer"], "offer"), firm, content.get("firm", True))


@page.get(f"/deals/<{_NUMBER}:loan_id>/{_PAPER}")
@allows(*Capability)
def of_deal(loan_id: int, paper: str) -> Response:
    """Hand out a paper of the offer that a deal came of."""
    loan = loans.find(loan_id, by=access.acting())
    if loan.award is None:
        raise not_found("award", loan_id)
    bid = loan.award.bid
    firm = elements.named(loan.borrower)
    # Of a bid taken in part the loan has terms of its own.
    return _of_bid(paper, bid, read_offer(loan.terms, "terms"), firm, bid.is_firm is not False)


@page.get(f"/calculator/{_PAPER}")
@public
def of_calculation(paper: str) -> Any:
    """Hand out a paper of what stands in the address, or lead back to the calculator with its faults."""
    form, terms = calculator.read_terms(request.args)
    priced = form.run(cost.price, terms) if terms is not None else None
    if priced is None:
        return redirect(f"{url_for('public.calculator')}?{request.query_string.decode()}", 303)
    now = access.now()
    document = proofs.make(priced)
    sheet = Sheet(priced, document["sha256"], _issuer(access.current_zone()), local_date(now), now)
    return _answer(paper, sheet, {}, "calculator")


def _of_bid(paper: str, bid: Bid, terms: Terms, firm: str, is_firm: bool) -> Response:
    priced, about = cost.price(terms), proofs.describe(bid)
    sheet = Sheet(
        cost=priced,
        seal=proofs.make(priced, about)["sha256"],
        issuer=_issuer(bid.need.zone),
        priced_on=local_date(bid.receipt_at),
        made_at=bid.receipt_at,
        lender=elements.named(bid.organisation),
        product=elements.named(bid.product),
        firm=firm,
        number=gettext("Need %(need)s, bid %(bid)s", need=bid.need_id, bid=bid.id),
        receipt=bid.receipt_hash,
        lpr=_say_lpr(bid, terms),
        binds=gettext("Firm offer") if is_firm else gettext("Subject to approval"),
    )
    return _answer(paper, sheet, about, f"bid-{bid.id}")


def _answer(paper: str, sheet: Sheet, about: dict[str, Any], name: str) -> Response:
    if paper == "sheet.pdf":
        # What makes PDF files takes a third of the time in which everything loads: no command waits for it.
        from blueprints.documents import disclosure_sheet

        body = disclosure_sheet.render(sheet)
    elif paper == "proof.json":
        body = proof.write_json(sheet.cost, about)
    else:
        body = proof_workbook.write(sheet.cost, sheet.seal, sheet.made_at)
    response = Response(body, content_type=PAPERS[paper])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{paper}"'
    return response


def _issuer(zone: Any) -> str:
    names = [elements.named(zone)] if zone is not None else []
    return gettext(", ").join([*names, gettext("Cuohe")])


def _say_lpr(bid: Bid, terms: Terms) -> str:
    """Return which LPR the offer was priced on, the same for all bids of its need."""
    need, pricing = bid.need, bid.product.pricing
    if need.lpr_date is None or need.lpr_1y is None or need.lpr_5y is None:
        return ""
    if pricing not in FLOATING:
        return gettext(
            "A fixed rate. The LPR of the need, published %(day)s: 1 year %(one)s, over 5 years %(five)s.",
            day=formats.day(need.lpr_date),
            one=formats.rate(need.lpr_1y),
            five=formats.rate(need.lpr_5y),
        )
    tenor = LprTenor.ONE_YEAR if pricing is Pricing.LPR_1Y else LprTenor.FIVE_YEAR
    base = need.lpr_1y if tenor is LprTenor.ONE_YEAR else need.lpr_5y
    return gettext(
        "Priced on the %(tenor)s of %(base)s, published %(day)s: %(points)s.",
        tenor=labels.label(tenor),
        base=formats.rate(base),
        day=formats.day(need.lpr_date),
        points=formats.points(terms.rate - base),
    )
