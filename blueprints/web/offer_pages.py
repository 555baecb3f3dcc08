"""Comparing offers: side by side by annual cost, one by one as a disclosure sheet, on other terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, cautions, endings, explanations, formats
from blueprints.access import allows
from blueprints.web import package_view, payment_words, syndicate_view
from blueprints.web.forms import Form
from market.ranking import Reason
from market.schedule import SUBSIDY
from market.terms import LENDER
from market.vocabulary import BidState, Capability, NeedState, ProposalState
from models.bid import Bid
from models.need import Need
from services import comparisons, fees, needs
from services.comparisons import Comparison, Estimate, Study
from services.exchange.offers import read_offer

Answer = str | Response | tuple[str, int]
#: More payees than this would make the chart unreadable; the rest are summed up as others.
PAYEES_SHOWN = 4
OTHERS = "others"
#: Half of the last shown digit of a rate in percent: less than this is nothing.
_SHOWN = Decimal("0.00005")


@dataclass(frozen=True, slots=True)
class Column:
    """One offer as the comparison shows it: the bid, its figures, why it stands where it stands.

    ``offered`` says that it is the next choice after a decline; ``declines`` how often its institution
    declined after an award, in words.
    """

    bid: Bid
    why: str
    proposed: bool
    acceptable: bool
    costs: dict[str, int]
    terms: Any
    requires: tuple[str, ...]
    study: Study
    offered: bool = False
    declines: str = ""

    @property
    def cost(self) -> dict[str, Any]:
        """Return the stored figures of the bid."""
        return self.bid.cost or {}

    @property
    def payments(self) -> str:
        """Return what is paid month by month, in words: an average would hide a large last payment."""
        return payment_words.say(self.study.payments, self.bid.months or 0, self.terms.interval)

    @property
    def charges(self) -> str:
        """Return what fees add to the annual cost, in words; empty where there are none."""
        add = self.study.charges_add
        if add is None or abs(add) < _SHOWN:
            return ""
        points = formats.rate(abs(add)).removesuffix("%")
        if add < 0:
            return gettext("subsidies take %(points)s points off", points=points)
        return gettext("fees add %(points)s points a year", points=points)

    @property
    def cautions(self) -> list[str]:
        """Return a sentence for each fee that the law forbids."""
        return cautions.fees(fees.warn_bid(self.bid, self.terms.fees))

    @property
    def expired(self) -> bool:
        """Say whether the offer's validity is over."""
        return self.bid.state is BidState.EXPIRED or self.bid.valid_until < access.now()


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    need, bid = "/needs/<int(max=2147483647):need_id>/offers", "<int(max=9007199254740991):bid_id>"
    page.add_url_rule(need, "needs_offers", needs_offers)
    page.add_url_rule(f"{need}/estimate", "needs_estimate", needs_estimate)
    page.add_url_rule(f"{need}/{bid}", "needs_offer", needs_offer)


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_offers(need_id: int) -> Answer:
    """Show the opened offers side by side; before the opening there is nothing to show."""
    party = access.acting()
    need = needs.find(need_id, by=party)
    if need.state in {NeedState.DRAFT, NeedState.OPEN} or need.closed_at is None:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    comparison = comparisons.compare(need_id, by=party)
    columns = [make_column(bid, comparison) for bid in comparison.ranked]
    return render_template(
        "enterprise/offers.html",
        need=need,
        comparison=comparison,
        columns=columns,
        apart=[make_column(bid, comparison) for bid in comparison.apart],
        payees=chart_payees(columns),
        proposal_why=explanations.proposal(comparison.proposal.why) if comparison.proposal else "",
        endings=endings,
        estimates=[],
        form=Form({"amount": _wan(need.amount), "months": need.months}),
        ranges=_ranges(need),
        **syndicate_view.read_proposed(comparison),
    )


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_estimate(need_id: int) -> Answer:
    """Answer what the offers would cost on other terms; a part of a page, for htmx."""
    party = access.acting()
    need = needs.find(need_id, by=party)
    form = Form(request.args)
    amount, months = form.wan("amount"), form.whole("months", least=1, most=360)
    estimates: Sequence[Estimate] = form.run(comparisons.estimate, need_id, amount, months, by=party) or []
    return form.page("enterprise/estimate.html", need=need, estimates=estimates, amount=amount, months=months)


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_offer(need_id: int, bid_id: int) -> Answer:
    """Show one offer whole: every cost with payee and time, the schedule, the conditions, its receipt."""
    comparison, bid = comparisons.find_offer(need_id, bid_id, by=access.acting())
    return render_template(
        "enterprise/offer.html",
        need=comparison.need,
        comparison=comparison,
        column=make_column(bid, comparison),
        packages=package_view.read(bid),
    )


def make_column(bid: Bid, comparison: Comparison) -> Column:
    """Return an offer with everything the comparison says about it."""
    alone = (comparison.proposal,) if comparison.proposal is not None else ()
    proposed = comparison.syndicate or alone
    return Column(
        bid=bid,
        why=say_place(bid),
        proposed=any(
            one.bid_id == bid.id and one.state in {ProposalState.PROPOSED, ProposalState.ACCEPTED}
            for one in proposed
        ),
        acceptable=comparison.may_accept(bid, access.now()),
        costs=dict((bid.cost or {}).get("breakdown", {})),
        terms=read_offer(bid.terms, "terms"),
        requires=tuple(explanations.condition(item) for item in bid.product.conditions),
        study=comparisons.study(bid),
        offered=comparison.offered is not None and comparison.offered.id == bid.id,
        declines=endings.decline_rate(comparison.decline_rates.get(bid.organisation_id)),
    )


def say_place(bid: Bid) -> str:
    """Return why an offer stands where it stands, as its firm wants to know it."""
    reason = bid.reason or {}
    if reason.get("code") == Reason.DEARER:
        gap = formats.rate(Decimal(str(reason["effective_gap"]))).removesuffix("%")
        return gettext("%(gap)s points a year dearer than the one before it", gap=gap)
    if reason.get("code") == Reason.OTHER_TERMS:
        return _say_difference(bid.need, bid)
    return explanations.rank(reason)


def _say_difference(need: Need, bid: Bid) -> str:
    parts = []
    amount, months = (bid.amount or 0) - need.amount, (bid.months or 0) - need.months
    if amount:
        off = formats.money_text(abs(amount))
        more, less = gettext("%(off)s more than asked", off=off), gettext("%(off)s less than asked", off=off)
        parts.append(more if amount > 0 else less)
    if months:
        off = formats.months(abs(months))
        more, less = (
            gettext("%(off)s longer than asked", off=off),
            gettext("%(off)s shorter than asked", off=off),
        )
        parts.append(more if months > 0 else less)
    return gettext(", ").join(parts)


def chart_payees(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Return (payee, costs of each offer) for the chart: the lender, the largest others, the rest as one."""
    totals: dict[str, int] = {}
    for column in columns:
        for payee, amount in column.costs.items():
            totals[payee] = totals.get(payee, 0) + abs(amount)
    third = [payee for payee in totals if payee not in {LENDER, SUBSIDY}]
    others = sorted(third, key=lambda one: (-totals[one], one))
    shown = [LENDER, *others[: PAYEES_SHOWN - 1], *([SUBSIDY] if SUBSIDY in totals else [])]
    rows = [(payee, [column.costs.get(payee, 0) for column in columns]) for payee in shown if payee in totals]
    rest = others[PAYEES_SHOWN - 1 :]
    if rest:
        rows.append((OTHERS, [sum(column.costs.get(payee, 0) for payee in rest) for column in columns]))
    return rows


def _ranges(need: Need) -> dict[str, Any]:
    """Return how far the sliders of the what-if go: half to one and a half times what was asked."""
    amount = need.amount // 1_000_000 or 1
    step = max(1, round(amount / 40))
    return {
        "amount": (max(step, amount // 2), amount + amount // 2, step),
        "months": (max(1, need.months - 12), min(360, need.months + 12), 1),
    }


def _wan(fen: int) -> str:
    text = f"{Decimal(fen) / 1_000_000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
