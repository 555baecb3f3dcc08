"""Packages: what an offer that asks for a guarantee costs with one from the zone's shelf."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import ProductBrief, bid_routes
from blueprints.api.parsing import Answer
from blueprints.api.parties import OrganisationBrief
from blueprints.api.terms import CostAnswer, FailureAnswer, Share, show_cost, show_failure
from market.packages import Package
from market.risk_sharing import Concern, Role
from market.stacks import PartKind
from market.vocabulary import Capability, CoverKind
from services import bid_content, packages
from services.packages import Proposal, Standing, Unfit


class PackageStepAnswer(Answer):
    """What one part adds to the cost of all that stands before it."""

    kind = fields.Word(PartKind)
    party = fields.Said("Who is paid; the name of a subsidy.")
    points = fields.Rate("Added to the annual cost, as a rate: `0.0106` is 1.06 points.", allow_none=True)
    amount = fields.Money("Added to the total cost; negative for a subsidy.", least=None)


class RiskSharerAnswer(Answer):
    """A party of the risk-sharing list."""

    party = fields.Said("`lender`, `guarantor`, `insurer`, or a name.")
    role = fields.Word(Role)
    share = fields.Rate()


class RiskNoteAnswer(Answer):
    """What is unusual about a risk-sharing list."""

    concern = fields.Word(Concern)
    values = fields.Facts("The shares behind it.")


class PackageAnswer(Answer):
    """A loan with one cover and the subsidies that come with it, priced on the merged flows."""

    institution = fields.Part(OrganisationBrief)
    product = fields.Part(ProductBrief)
    kind = fields.Word(CoverKind)
    share = fields.Rate("Share of the loan that is covered.")
    share_assumed = fields.Flag("The product does not name its share.")
    cost = fields.Part(CostAnswer)
    steps = fields.Many(fields.Part(PackageStepAnswer), "From the bare loan to the package.")
    payees = fields.Many(fields.Part(Share), "Who keeps what of the total cost.")
    risk_sharing = fields.Many(fields.Part(RiskSharerAnswer), "Who bears which share of a loss; together 1.")
    notes = fields.Many(fields.Part(RiskNoteAnswer))


class UnfitProductAnswer(Answer):
    """A listed guarantee or insurance that does not answer for this firm and loan."""

    institution = fields.Part(OrganisationBrief)
    product = fields.Part(ProductBrief)
    failures = fields.Many(fields.Part(FailureAnswer), "Empty where it lists no price to count with.")


class PackageList(Answer):
    """The packages of an offer, the cheapest first: estimates from listed prices, which nobody has bid."""

    standing = fields.Word(
        Standing,
        "`not_asked`: the loan asks for no guarantee; `included`: its own fees pay for one; else `sought`.",
    )
    bare = fields.Part(CostAnswer, "The loan by itself; null unless a guarantee is sought.", allow_none=True)
    items = fields.Many(fields.Part(PackageAnswer), most=1000)
    unfit = fields.Many(fields.Part(UnfitProductAnswer), most=1000)


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/offers/<{fields.ID}:bid_id>/packages")
class OfferPackages(MethodView):
    """An offer with a guarantee beside it."""

    @bid_routes.doc(operationId="listPackages")
    @bid_routes.response(200, PackageList)
    @allows(
        Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, Capability.OFFICER, Capability.AUDITOR
    )
    def get(self, need_id: int, bid_id: int) -> Any:
        """List what an opened offer would cost with each guarantee or insurance that the zone lists."""
        found = packages.propose(need_id, bid_id, by=access.acting(), now=access.now())
        return {
            "standing": found.standing,
            "bare": show_cost(bid_content.describe_cost(found.packages[0].bare)) if found.packages else None,
            "items": [show_package(package, found) for package in found.packages],
            "unfit": [show_unfit(one) for one in found.unfit],
        }


def show_package(package: Package, found: Proposal) -> dict[str, Any]:
    """Return one package."""
    provider = found.provider(package)
    return {
        "institution": provider.product.organisation,
        "product": provider.product,
        "kind": provider.cover.kind,
        "share": package.stack.covered,
        "share_assumed": provider.assumed,
        "cost": show_cost(bid_content.describe_cost(package.cost)),
        "steps": package.steps,
        "payees": [{"payee": payee, "amount": amount} for payee, amount in package.payees],
        "risk_sharing": [
            {"party": sharer.name, "role": sharer.role, "share": sharer.share} for sharer in package.risk
        ],
        "notes": [
            {
                "concern": note.concern,
                "values": {name: fields.write_rate(value) for name, value in note.values.items()},
            }
            for note in package.notes
        ],
    }


def show_unfit(one: Unfit) -> dict[str, Any]:
    """Return a product that does not answer, with the conditions that are not met."""
    return {
        "institution": one.product.organisation,
        "product": one.product,
        "failures": [show_failure(failure) for failure in one.failures],
    }
