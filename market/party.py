"""Who acts: the value every service verb takes as ``by``."""

from __future__ import annotations

from dataclasses import dataclass

from market.errors import Code, forbidden
from market.vocabulary import INSTITUTION_KINDS, Capability, OrganisationKind


@dataclass(frozen=True, slots=True)
class Party:
    """A user acting for one organisation in one zone, with what they may do there.

    ``user_id`` is None for the clock, which acts for nobody and holds no capability.
    """

    user_id: int | None
    organisation_id: int | None
    kind: OrganisationKind | None
    zone_id: int
    capabilities: frozenset[Capability] = frozenset()

    def may(self, *wanted: Capability) -> bool:
        """Say whether the party holds at least one of the wanted capabilities."""
        return not self.capabilities.isdisjoint(wanted)

    def require(self, *wanted: Capability) -> None:
        """Raise ``Forbidden`` unless the party holds at least one of the wanted capabilities."""
        if not self.may(*wanted):
            raise forbidden(Code.NOT_ALLOWED, capability=[c.value for c in wanted])

    @property
    def is_institution(self) -> bool:
        """Say whether the party sells: bank, guarantor, lessor, insurer, fund or bridge platform."""
        return self.kind in INSTITUTION_KINDS


def clock(zone_id: int) -> Party:
    """Return the party that stands for the passing of time in one zone."""
    return Party(user_id=None, organisation_id=None, kind=None, zone_id=zone_id)
