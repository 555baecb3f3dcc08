"""The rates of many flows at once, in floating point: the same definition as ``market.root``.

Where the root in question is plainly unique, Newton's method finds it for all offers together; every
other one goes through ``market.root.solve``. Annual rates are good to about 1e-13 for flows that last
months, to about 1e-12 for flows that last days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.layouts import Flags, Floats, Ints, Ragged, Sums, Table
from market.root import NoRate, solve

#: What a column ``note`` holds places of: no note, or the reason why there is no rate.
NOTES: tuple[NoRate | None, ...] = (None, *NoRate)

#: The error that may be left to a force, as a share of it, when Newton stops.
_SETTLED = 1e-13
_MOST_PASSES = 40


@dataclass(frozen=True, slots=True)
class Rates:
    """Annual rates and ``note``, a place in ``NOTES``, of each offer.

    Where ``note`` is not 0 there is no rate: both rates are 0 there and must not be read.
    """

    effective: Floats
    simple: Floats
    note: Ints


def rates(flows: Table | Ragged, per_year: int, within_year: bool | Flags) -> Rates:
    """Return the annual rates of flows whose times count units of which ``per_year`` make a year.

    ``within_year`` says of all offers or of each whether they last a year at most: one repayment alone
    then has its interest pro rata as the simple form. A rate too large for a float is noted as beyond.
    """
    force, sure = forces(flows)
    note = np.zeros(len(flows), dtype=np.int64)
    for place in np.flatnonzero(~sure).tolist():
        root = solve(*flows.one(place))
        if root.force is None:
            note[place] = NOTES.index(root.note)
        else:
            force[place] = float(root.force)
    with np.errstate(over="ignore"):
        effective = np.expm1(force * per_year)
        simple = 12 * np.expm1(force * (per_year / 12))
    if np.any(within_year):
        single = np.flatnonzero(flows.has_two() & within_year)
        simple[single] = _pro_rata(flows.some(single), per_year)
    note[np.isinf(effective)] = NOTES.index(NoRate.BEYOND)
    unpriced = note != 0
    effective[unpriced] = simple[unpriced] = 0.0
    return Rates(effective, simple, note)


def forces(flows: Table | Ragged) -> tuple[Floats, Flags]:
    """Return the force of interest per unit of each offer, and for which of them it is surely the root.

    The others hold 0 and need ``market.root.solve``.
    """
    plain = (flows.first > 0) & (flows.total < flows.first) & flows.pays_from_then_on()
    doubt = np.flatnonzero(~plain & (flows.first != 0))
    if len(doubt):
        plain[doubt] = _is_plain(flows.some(doubt))
    chosen = np.flatnonzero(plain)
    if 2 * len(chosen) >= len(plain):
        # Those in between are not worth sorting out: what comes of them is not read.
        force, settled = _newton(flows, plain)
    else:
        force, settled = np.zeros(len(plain)), plain.copy()
        force[chosen], settled[chosen] = _newton(flows.some(chosen), plain[chosen])
    # What is received beyond what is paid makes a rate negative. A root on the other side of zero is not
    # the one looked for.
    side = np.where(flows.first > 0, -np.sign(flows.total), np.sign(flows.total))
    sure = plain & settled & (np.sign(force) == side)
    force[~sure] = 0.0
    return force, sure


def _is_plain(flows: Ragged) -> Flags:
    """Say of which offers the root in question is told by its side of zero, and by the slope there.

    With signs turned so that the first flow is received: the running total changes sign once, and there is
    one positive root; or never, so that there is none, and run backwards it changes sign once, so that there
    is one negative root, or it ends at zero, which is the root (Norstrom). Or the flows change sign twice and
    more is received than paid: two roots on the same side of zero or none, and of two negative ones the
    value rises through the nearer (Descartes).
    """
    signed = flows.amounts * np.repeat(np.sign(flows.first), flows.length)
    running = np.cumsum(signed)
    running -= np.repeat(running[flows.start] - signed[flows.start], flows.length)
    total, turns = flows.sum(signed), _turns(flows, running >= 0)
    plain: Flags = (turns == 1) & (total < 0) | (turns == 0) & (total == 0)
    rest = np.flatnonzero(total > 0)
    if len(rest):
        part, unturned = flows.some(rest), turns[rest] == 0
        signed = part.amounts * np.repeat(np.sign(part.first), part.length)
        left = np.cumsum(signed[::-1])[::-1]
        left -= np.repeat(left[part.start] - total[rest], part.length)
        plain[rest] = unturned & (_turns(part, left <= 0) == 1) | (_turns(part, signed > 0) == 2)
    return plain


def _turns(flows: Ragged, flags: Flags) -> Ints:
    """Return how often flags change along the flows of each offer."""
    turned = np.diff(flags, prepend=False)
    turned[flows.start] = False
    return flows.count(turned)


def _newton(flows: Table | Ragged, wanted: Flags) -> tuple[Floats, Flags]:
    """Return the force per unit of flows with one root in question, and where it has settled.

    Newton works on the logarithm of what comes later over what comes first, which is nearly straight in
    the force; with its curvature taken in, a pass cubes the error, and few offers need a second one.
    """
    with np.errstate(all="ignore"):
        sums = flows.later()
        force = _start(sums, flows.total / flows.first)
        step, error = _step(sums, force, flows.span)
        force += step
        settled = error <= _SETTLED * np.abs(force)
        for _ in range(_MOST_PASSES):
            again = np.flatnonzero(wanted & ~settled & np.isfinite(force))
            if not len(again):
                break
            part = flows.some(again)
            step, error = _step(part.later(), force[again], part.span)
            force[again] += step
            settled[again] = error <= _SETTLED * np.abs(force[again])
    even = flows.total == 0
    force[even], settled[even] = 0.0, True
    return force, settled


def _start(sums: Sums, gain: Floats) -> Floats:
    """Return a first force: the logarithm's series around zero to its third cumulant, solved.

    ``gain`` is what is received beyond what is paid, as a share of the first flow.
    """
    m1, m2, m3 = sums(None, range(1, 4)) / (1 - gain)
    k2, k3 = m2 - m1 * m1, m3 + m1 * (2 * m1 * m1 - 3 * m2)
    force: Floats = np.log1p(-gain) / m1
    bend, twist = k2 / (2 * m1) * force, k3 / (6 * m1) * force * force
    force *= np.clip(1 + bend + 2 * bend * bend - twist, 0.5, 2.0)
    return force


def _step(sums: Sums, force: Floats, span: Ints) -> tuple[Floats, Floats]:
    """Return the step from a force towards the root, and the error it is likely to leave."""
    value, m1, m2 = sums(force, range(3))
    m1 /= value
    straight = np.log(value) / m1
    bend = (m2 / value - m1 * m1) / (2 * m1)
    step = straight * np.clip(1 + bend * straight, 0.5, 2.0)
    error = np.abs(straight) * (straight * (np.abs(bend) + span)) ** 2
    # Where the value falls as the force grows, the root ahead is not the nearest.
    error[~(m1 > 0)] = np.inf
    return step, error


def _pro_rata(flows: Ragged, per_year: int) -> Floats:
    """Return the simple form of two flows: paid ÷ received - 1, pro rata of a year."""
    growth = np.abs(flows.last) / np.abs(flows.first) - 1
    return np.asarray(growth * per_year / flows.span)
