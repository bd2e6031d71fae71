"""Bisection bandwidth of a mesh: what its halves can say to each other, beside a network on the ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh

from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["Bisection", "all_reduce_time", "bisection", "clos_bisection", "cut_capacity"]

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_DIRECTIONS: Final = 64  # of great circles that halve the globe
_SPECTRAL_MOST: Final = 20_000  # satellites, beyond which the eigenvector takes longer than it tells
_REFINED: Final = 4  # of the best cuts, each refined
_SWAPS: Final = 2_000  # of a refinement, at most


@dataclass(frozen=True, slots=True, eq=False)
class Bisection:
    """The narrowest cut into halves that was found.

    Parameters
    ----------
    capacity : what crosses it one way, in the unit of the links' capacities.
    links : how many cross it.
    side : which half each satellite is in, (satellites,).
    cut : how it was found: "planes", "slots", "hemispheres", "spectral", or with " refined" behind it.
    """

    capacity: float
    links: int
    side: Mask
    cut: str


def cut_capacity(edges: npt.ArrayLike, side: npt.ArrayLike, capacity: npt.ArrayLike = 1.0) -> float:
    """Return what crosses a cut one way: the capacity of the links whose ends are on different sides.

    Parameters
    ----------
    edges : (links, 2). side : of each satellite, (satellites,). capacity : of each link one way, (links,).
    """
    ends, half = np.asarray(edges), np.asarray(side, dtype=np.bool_)
    crossing = half[ends[:, 0]] != half[ends[:, 1]]
    return float(np.broadcast_to(np.asarray(capacity, dtype=np.float64), len(ends))[crossing].sum())


def bisection(
    satellites: int,
    edges: npt.ArrayLike,
    capacity: npt.ArrayLike = 1.0,
    *,
    plane: npt.ArrayLike | None = None,
    slot: npt.ArrayLike | None = None,
    position: npt.ArrayLike | None = None,
) -> Bisection:
    """Return the narrowest of many cuts into halves: an upper bound of the bisection bandwidth.

    To find the least of all cuts is NP-hard (Garey, Johnson and Stockmeyer 1976). Tried are halves of planes, of slots,
    of the globe, and of the second eigenvector of the Laplacian; the best are refined by exchanging satellites. For
    rings, grids and tori with an even side it is exact.

    Parameters
    ----------
    satellites : how many, two or more; of an odd number one half has one more.
    edges : (links, 2).
    capacity : of each link one way, (links,) or one number; 0 for a link that does not stand.
    plane, slot : of each satellite, for cuts along the pattern.
    position : m, (satellites, 3), for cuts of the globe.

    Raises
    ------
    ValueProblem : fewer than two satellites.

    References
    ----------
    Dally and Towles 2004, Principles and Practices of Interconnection Networks, section 3.3.1; Fiedler 1973,
    Czechoslovak Mathematical Journal 23, 298; exchanges: Fiduccia and Mattheyses 1982, DAC '82, 175.
    """
    if satellites < 2:
        raise ValueProblem("one satellite has no halves", right="give two satellites or more")
    ends = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    each = np.array(np.broadcast_to(np.asarray(capacity, dtype=np.float64), len(ends)))
    ends, each = ends[each > 0.0], each[each > 0.0]
    found: list[tuple[float, str, Mask]] = []
    for name, order in _orders(satellites, ends, each, plane, slot, position):
        found += [
            (cut_capacity(ends, side, each), name, side) for side in _halves(order, turn=name in _TURNING)
        ]
    found.sort(key=lambda cut: cut[0])
    if satellites <= _SPECTRAL_MOST:
        found += [_refined(satellites, ends, each, cut) for cut in found[:_REFINED]]
    least, name, side = min(found, key=lambda cut: cut[0])
    return Bisection(least, round(cut_capacity(ends, side)), side, name)


def clos_bisection(accelerators: float, fabric_rate: float) -> float:
    """Return the bisection bandwidth of a Clos network on the ground without oversubscription, bit/s one way.

    Half of the accelerators speak to the other half, each at the rate of its network card.

    Parameters
    ----------
    accelerators : how many. fabric_rate : of each, one way, bit/s.

    References
    ----------
    Al-Fares, Loukissas and Vahdat 2008, A scalable, commodity data center network architecture, SIGCOMM '08.
    """
    return 0.5 * accelerators * fabric_rate


def all_reduce_time(size: float, nodes: int, node_rate: float, bisection_rate: float) -> float:
    """Return the least time in which all nodes get the sum of everybody's data, s.

    Every node sends and receives 2 (n - 1) / n of its data, and each half has to learn the sum of the other: no less
    than the whole crosses the cut each way. Latency and arithmetic are left out.

    Parameters
    ----------
    size : of the data on each node, bytes.
    nodes : how many take part.
    node_rate : one way in and out of a node, all its links together, bit/s.
    bisection_rate : one way across the cut, bit/s.

    References
    ----------
    Patarasuk and Yuan 2009, Bandwidth optimal all-reduce algorithms for clusters of workstations, J. Parallel Distrib.
    Comput. 69, 117; for the cut: Thakur, Rabenseifner and Gropp 2005, Int. J. High Perform. Comput. Appl. 19, 49.
    """
    if nodes < 2:
        return 0.0
    bits = 8.0 * size
    through_node = 2.0 * (nodes - 1) / nodes * bits / node_rate if node_rate > 0.0 else np.inf
    return max(through_node, bits / bisection_rate if bisection_rate > 0.0 else np.inf)


_TURNING: Final = ("planes", "slots")


def _orders(
    satellites: int,
    ends: Index,
    capacity: Array,
    plane: npt.ArrayLike | None,
    slot: npt.ArrayLike | None,
    position: npt.ArrayLike | None,
) -> Iterator[tuple[str, Index]]:
    """Yield orders of the satellites, whose halves are cuts."""
    everyone = np.arange(satellites)
    planes = np.zeros(satellites, np.int64) if plane is None else np.asarray(plane)
    slots = everyone if slot is None else np.asarray(slot)
    yield "planes", np.lexsort((slots, planes))
    yield "slots", np.lexsort((planes, slots))
    if position is not None:
        there = np.asarray(position, dtype=np.float64)
        for axis in _spread_axes(_DIRECTIONS):
            yield "hemispheres", np.argsort(there @ axis, kind="stable")
    if 3 < satellites <= _SPECTRAL_MOST and len(ends):
        for vector in _slow_vectors(satellites, ends, capacity):
            yield "spectral", np.argsort(vector, kind="stable")


def _halves(order: Index, *, turn: bool) -> Iterator[Mask]:
    """Yield the first half of an order; of one that closes on itself, the half that begins at each of 16 places."""
    count = len(order)
    half = count // 2
    begins = np.unique(np.linspace(0, half, 16, endpoint=False).astype(int)) if turn else np.zeros(1, int)
    for begin in begins.tolist():
        side = np.zeros(count, dtype=np.bool_)
        side[order[(np.arange(half) + begin) % count]] = True
        yield side


def _spread_axes(count: int) -> Array:
    """Return directions spread over half of the sphere, (count, 3): a Fibonacci lattice."""
    index = np.arange(count) + 0.5
    height = index / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    level = np.sqrt(1.0 - height * height)
    return np.stack([level * np.cos(angle), level * np.sin(angle), height], axis=1)


def _slow_vectors(satellites: int, ends: Index, capacity: Array) -> Iterator[Array]:
    """Yield the two slowest vectors of the Laplacian, and their sums: of a square torus they are alike."""
    both = np.concatenate([ends, ends[:, ::-1]])
    weight = np.concatenate([capacity, capacity]) / capacity.mean()
    joined = csr_array((weight, both.T), shape=(satellites, satellites))
    degree = joined.sum(axis=1)
    # The largest of a shift less the Laplacian are its smallest; a fixed start gives the same each time.
    shift = 2.0 * float(degree.max())
    diagonal = csr_array((shift - degree, (np.arange(satellites), np.arange(satellites))))
    start = np.cos(np.arange(satellites) * 0.7) + 0.1
    wanted = min(3, satellites - 1)
    _, vectors = eigsh(diagonal + joined, k=wanted, which="LA", v0=start, tol=1e-4, maxiter=20 * satellites)
    first, second = vectors[:, -2], vectors[:, 0]
    yield from (first, second, first + second, first - second)


def _refined(
    satellites: int, ends: Index, capacity: Array, cut: tuple[float, str, Mask]
) -> tuple[float, str, Mask]:
    """Return the cut after exchanging the two satellites that help most, again and again while it helps."""
    least, name, side = cut
    side = side.copy()
    both = np.concatenate([ends, ends[:, ::-1]])
    joined = csr_array((np.concatenate([capacity, capacity]), both.T), shape=(satellites, satellites))
    sign = np.where(side, 1.0, -1.0)
    for _ in range(_SWAPS):
        # What leaves the cut when a satellite changes its side: its crossing links less its others.
        gain = -sign * (joined @ sign)
        here, there = (_best(gain, side == half) for half in (True, False))
        helps = gain[here][:, None] + gain[there] - 2.0 * joined[here][:, there].toarray()
        at = np.unravel_index(int(helps.argmax()), helps.shape)
        if helps[at] <= 1e-9 * max(least, 1.0):
            break
        first, second = here[at[0]], there[at[1]]
        side[first], side[second] = False, True
        sign[first], sign[second] = -1.0, 1.0
    refined = cut_capacity(ends, side, capacity)
    return (refined, f"{name} refined", side) if refined < least else cut


def _best(gain: Array, among: Mask) -> Index:
    """Return the satellites of a half whose move helps most, a few."""
    chosen = np.flatnonzero(among)
    few = min(16, len(chosen))
    return chosen[np.argpartition(-gain[chosen], few - 1)[:few]]
