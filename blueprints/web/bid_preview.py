"""What a bid would cost the firm, as it is typed; what else it could be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from blueprints import cautions, labels
from blueprints.access import acting, now
from blueprints.web import bid_form, what_if
from blueprints.web.forms import Form
from blueprints.web.what_if import Choice, Slider, WhatIf
from market.cost import Verdict
from market.errors import Fault
from market.terms import LoanTerms, Priceable
from market.what_if import list_styles
from models.product import Product
from services import bids


def look(need_id: int, form: Form, product: Product, *, moved: bool = False) -> dict[str, Any]:
    """Return what the preview shows; ``moved`` says that its sliders are asked about."""
    sealer = current_app.extensions["sealer"]
    preview = form.run(
        bids.preview, need_id, bid_form.read(form, product), by=acting(), now=now(), sealer=sealer
    )
    return {
        "preview": preview,
        "explored": None if preview is None else _consider(need_id, preview, form, product, moved),
        "parts": _split(preview) if preview is not None else [],
        "warnings": [] if preview is None else _say(preview.faults, product),
        "cautions": cautions.fees(preview.warnings) if preview is not None else [],
        "verdicts": Verdict,
    }


def take_over(form: Form) -> None:
    """Put what the sliders say into the fields they move."""
    for name, value in what_if.list_moved(form.values).items():
        form.values[name.removeprefix(what_if.PREFIX)] = value
    _name_fee(form.values)


def _name_fee(values: MultiDict[str, Any]) -> None:
    """Give the first fee a name where a slider made it one and nobody has named it yet."""
    rate = Form(values).decimal("fees.0.rate", required=False)
    if rate and not str(values.get("fees.0.name", "")).strip():
        values["fees.0.name"] = gettext("Fee")


def _consider(need_id: int, preview: bids.Preview, form: Form, product: Product, moved: bool) -> WhatIf:
    # A rate declared for the typed offer says nothing of another one.
    values = {name: value for name, value in form.values.items() if name != "declared_rate"}
    if not moved:
        values = {name: value for name, value in values.items() if not name.startswith(what_if.PREFIX)}
    typed = bid_form.make(values, product)

    def again(changed: MultiDict[str, Any]) -> tuple[Form, Priceable | None]:
        _name_fee(changed)
        other = bid_form.make(changed, product)
        found = other.run(bids.preview, need_id, bid_form.read(other, product), by=acting(), now=now())
        if found is None:
            return other, None
        other.faults.extend(found.faults)
        return other, found.terms

    return what_if.consider(
        preview.terms, values, _list_sliders(typed, product), _list_choices(typed, preview.terms), again
    )


def _list_sliders(form: Form, product: Product) -> list[Slider]:
    words = form.labels
    price = (
        what_if.slide_spread(form, words["spread"])
        if bid_form.is_floating(product)
        else what_if.slide_rate(form, "rate", labels.field_label("rate"))
    )
    return [
        what_if.slide_amount(form, words["principal"], name="principal"),
        what_if.slide_months(form, labels.field_label("months")),
        price,
        what_if.slide_fee(form, max(bid_form.count_fees(form), 1)),
    ]


def _list_choices(form: Form, terms: Priceable) -> list[Choice]:
    options = _options(list_styles(terms))
    if isinstance(terms, LoanTerms):
        return [what_if.choose(form, "repayment", labels.field_label("repayment"), options)]
    return [what_if.choose(form, "rent", labels.field_label("rent"), options)]


def _options(words: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(word.value, labels.label(word)) for word in words]


def _say(faults: Sequence[Fault], product: Product) -> list[str]:
    """Return what speaks against a bid, in the words of its form."""
    form = bid_form.make({}, product)
    form.faults.extend(faults)
    return [sentence for _, sentence in form.summary]


def _split(preview: bids.Preview) -> list[tuple[Any, int]]:
    """Return the total cost by payee in words, the lender first and public money last."""
    return [(labels.payee(payee), amount) for payee, amount in preview.cost.breakdown]
