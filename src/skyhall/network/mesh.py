"""Meshes of laser links: who is linked to whom in a shell, and which of the links stand at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from skyhall.constants import SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.network.sight import GRAZING_ALTITUDE, grazing_altitude, nadir_turn, slew_rate
from skyhall.types import Array

__all__ = [
    "ACROSS_PLANES",
    "ACROSS_SHELLS",
    "NEIGHBOURS",
    "WITHIN_PLANE",
    "LinkStates",
    "Mesh",
    "chords",
    "joined",
    "open_links",
    "plus_grid",
]

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WITHIN_PLANE: Final = 0
ACROSS_PLANES: Final = 1
ACROSS_SHELLS: Final = 2
NEIGHBOURS: Final = 3  # of a formation

_CHUNK: Final = 1 << 15  # links at once: their arrays stay in the cache, and memory bounded


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Links among satellites, each written once.

    Parameters
    ----------
    satellites : how many there are, linked or not.
    edges : the two satellites of each link, (links, 2).
    kind : why it is there, (links,): `WITHIN_PLANE`, `ACROSS_PLANES`, `ACROSS_SHELLS` or `NEIGHBOURS`.
    """

    satellites: int
    edges: Index
    kind: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def degree(self) -> Index:
        """Links of each satellite, (satellites,)."""
        return np.bincount(self.edges.ravel(), minlength=self.satellites)


@dataclass(frozen=True, slots=True, eq=False)
class LinkStates:
    """What the links are like at one moment, (links,) each.

    Parameters
    ----------
    open : whether light passes and the terminals follow.
    length : m, of open and closed links alike.
    """

    open: Mask
    length: Array

    @property
    def delay(self) -> Array:
        """One-way delay of light, s."""
        return self.length / SPEED_OF_LIGHT


def plus_grid(
    plane: npt.ArrayLike,
    slot: npt.ArrayLike,
    *,
    terminals: int = 4,
    phasing: int = 0,
    seam: bool = True,
) -> Mesh:
    """Return the +grid of a shell: each satellite linked ahead and behind, and to the planes on both sides.

    The neighbour in the next plane is the one nearest in phase, by the same number of slots in every plane. With
    three terminals every second link across is left out, so that each satellite keeps one (a brick wall); with two
    the planes are rings that are not joined; with one there are pairs. Terminals beyond four, and those for which the
    pattern has no neighbour (one plane is a ring, two satellites one link), stay free.

    Parameters
    ----------
    plane, slot : of each satellite, in any order (satellites,): every plane with the slots 0, 1, ...
    terminals : each satellite's, at least 1.
    phasing : Walker's F: a satellite of the next plane leads by F turns / T.
    seam : whether last and first plane are neighbours: True for planes around the whole equator (Walker delta), False
        for a Walker star, where they fly against each other.

    Raises
    ------
    ValueProblem : one satellite, no terminal, or planes that do not have the same slots.

    References
    ----------
    Bhattacherjee and Singla 2019, Network topology design at 27,000 km/hour, CoNEXT '19 (+Grid); the rules for fewer
    terminals are ours.
    """
    sites, planes, slots = _table(plane, slot)
    if terminals < 1:
        raise ValueProblem(f"{terminals} terminals make no mesh", right="give each satellite at least one")
    step = -int(np.floor(phasing / planes + 0.5))
    kept, kinds = _within(
        list(_matchings(sites, planes, slots, step, step + phasing, seam)), terminals, sites.size
    )
    return Mesh(sites.size, kept, kinds)


def chords(ring: npt.ArrayLike, step: int, *, each: int) -> Index:
    """Return links that span a ring: from each satellite to the one `step` places on.

    They fold the ring into a torus of `step` columns. Its narrowest cut is the ring's own links between two columns,
    two of each row, or the chords between two rows: widest where the step is the root of the satellites (with one chord
    each, of twice as many).

    Parameters
    ----------
    ring : satellites in their order around it, (k,).
    step : at least 3, below half of the ring.
    each : chords of a satellite: 2, ahead and behind; or 1, from those in even places ahead to odd ones, for which the
        step is made odd; a ring of an odd number has none over its seam.

    Raises
    ------
    ValueProblem : a step or a number of chords that cannot be.
    """
    around = np.asarray(ring, dtype=np.int64)
    if not 3 <= step < 0.5 * len(around) or each not in (1, 2):
        raise ValueProblem(
            f"{each} chords of {step} places do not fit into a ring of {len(around)}",
            right="choose 1 or 2, and a step from 3 to below half of the ring",
        )
    place = np.arange(len(around))
    if each == 1:
        step -= 1 - step % 2
        place = place[::2]
        if len(around) % 2:
            place = place[place + step < len(around)]
    return np.stack([around[place], around[(place + step) % len(around)]], axis=-1)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Return the meshes of several shells as one, satellites numbered shell after shell, without links between them."""
    counts = [mesh.satellites for mesh in meshes]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    edges = [mesh.edges + start for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(sum(counts), np.concatenate(edges), np.concatenate([mesh.kind for mesh in meshes]))


def open_links(
    edges: npt.ArrayLike,
    position: npt.ArrayLike,
    velocity: npt.ArrayLike | None = None,
    *,
    grazing: float = GRAZING_ALTITUDE,
    longest_range: float = np.inf,
    slew_limit: float = np.inf,
    attitude: Literal["nadir", "stars"] = "nadir",
) -> LinkStates:
    """Return which links stand at a moment, and their lengths.

    A link is open when its line stays above the grazing altitude, it is no longer than the terminals reach, and
    the terminals at both ends turn no faster than they can.

    Parameters
    ----------
    edges : the two satellites of each link, (links, 2).
    position : m, Earth-centred inertial, (satellites, 3).
    velocity : m/s, (satellites, 3); needed for a slew limit.
    grazing : m above the equator's radius.
    longest_range : m, of a link or of each (links,).
    slew_limit : rad/s.
    attitude : how the bodies that carry the terminals turn: with the Earth below them, or not at all.

    Raises
    ------
    ValueProblem : a slew limit without velocities.
    """
    if velocity is None and np.isfinite(slew_limit):
        raise ValueProblem("a slew limit needs velocities", right="give the velocity of each satellite")
    ends, there = np.asarray(edges), np.asarray(position, dtype=np.float64)
    reach = np.broadcast_to(np.asarray(longest_range, dtype=np.float64), len(ends))
    length, stands = np.empty(len(ends)), np.empty(len(ends), dtype=np.bool_)
    moving = None if velocity is None or not np.isfinite(slew_limit) else np.asarray(velocity)
    for part in _parts(len(ends)):
        first, second = ends[part, 0], ends[part, 1]
        here, other = there[first], there[second]
        way = other - here
        length[part] = np.sqrt(np.einsum("ij,ij->i", way, way))
        stands[part] = (length[part] <= reach[part]) & (grazing_altitude(here, other) >= grazing)
        if moving is not None:
            follows = _followed(here, other, moving[first], moving[second], attitude) <= slew_limit
            stands[part] &= follows
    return LinkStates(stands, length)


def _followed(here: Array, there: Array, velocity: Array, other_velocity: Array, attitude: str) -> Array:
    """Return the faster of the turns at both ends, rad/s."""
    if attitude == "stars":
        return slew_rate(here, there, velocity, other_velocity)
    return np.maximum(
        slew_rate(here, there, velocity, other_velocity, nadir_turn(here, velocity)),
        slew_rate(there, here, other_velocity, velocity, nadir_turn(there, other_velocity)),
    )


def _parts(count: int) -> Iterator[slice]:
    return (slice(begin, begin + _CHUNK) for begin in range(0, count, _CHUNK))


def _table(plane: npt.ArrayLike, slot: npt.ArrayLike) -> tuple[Index, int, int]:
    """Return the satellite at each (plane, slot), and how many planes and slots there are."""
    planes_of, slots_of = np.asarray(plane, dtype=np.int64), np.asarray(slot, dtype=np.int64)
    if planes_of.size < 2:
        raise ValueProblem("a shell with one satellite has no mesh", right="give it two satellites or more")
    names, row = np.unique(planes_of, return_inverse=True)
    slots = planes_of.size // len(names)
    filled = np.full((len(names), slots), -1, dtype=np.int64)
    whole = slots * len(names) == planes_of.size and slots_of.min() >= 0 and slots_of.max() < slots
    if whole:
        filled[row, slots_of] = np.arange(planes_of.size)
    if not whole or np.any(filled < 0):
        raise ValueProblem(
            "a +grid needs planes with the same slots",
            right="number the slots of every plane from 0, without gaps",
        )
    return filled, len(names), slots


def _matchings(
    sites: Index, planes: int, slots: int, step: int, seam_step: int, seam: bool
) -> Iterator[tuple[int, Index]]:
    """Yield (kind, links) in the order in which terminals are spent; none of them uses a satellite twice."""
    here = np.arange(slots)

    def across(first: Index, second: Index, shift: int, which: npt.NDArray[np.bool_]) -> Index:
        """Return links from the rows `first` to `second`, the slot moved by `shift`, where `which` holds."""
        pairs = np.stack([sites[first], sites[second][:, (here + shift) % slots]], axis=-1)
        return pairs[which]

    for start in (0, 1):
        low = np.arange(start, slots - 1, 2)
        yield WITHIN_PLANE, np.stack([sites[:, low], sites[:, low + 1]], axis=-1).reshape(-1, 2)
    if slots > 2:
        yield WITHIN_PLANE, np.stack([sites[:, -1], sites[:, 0]], axis=-1)
    row = np.arange(planes)
    brick = (row[:, None] + here) % 2 == 0
    last = row[-1:]
    # With two planes the seam may be the same links again.
    seamed = seam and planes > 1 and not (planes == 2 and (step + seam_step) % slots == 0)
    for wanted in (brick, ~brick):
        for start in (0, 1):
            low = np.arange(start, planes - 1, 2)
            yield ACROSS_PLANES, across(low, low + 1, step, wanted[low])
        if seamed:
            yield ACROSS_PLANES, across(last, row[:1], seam_step, wanted[last])


def _within(
    matchings: Sequence[tuple[int, Index]], terminals: int, satellites: int
) -> tuple[Index, npt.NDArray[np.int8]]:
    """Return the links for which both ends still have a terminal, matching after matching."""
    free = np.full(satellites, terminals)
    edges, kinds = [], []
    for kind, links in matchings:
        kept = links[(free[links] > 0).all(axis=1)]
        free[kept.ravel()] -= 1
        edges.append(kept)
        kinds.append(np.full(len(kept), kind, dtype=np.int8))
    return np.concatenate(edges), np.concatenate(kinds)
