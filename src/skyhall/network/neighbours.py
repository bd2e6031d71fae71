"""Links to whoever is near: between shells, chosen again at intervals, and inside a formation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from skyhall.errors import ValueProblem
from skyhall.network.mesh import ACROSS_SHELLS, NEIGHBOURS, Index, Mesh
from skyhall.types import Array

__all__ = ["nearest_between", "nearest_neighbours", "shortest_first"]

_FURTHER = 1.2  # times the lattice's step; a square's diagonals are 1.41
_CANDIDATES = 8  # nearest ones that are looked at beyond the terminals: a nearer one may have none left


def nearest_between(
    position: npt.ArrayLike,
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    *,
    terminals: npt.ArrayLike = 1,
    longest_range: float = np.inf,
) -> Mesh:
    """Return links from each satellite of one shell to the nearest of another, as they are at this moment.

    Shortest links first, while both ends have a terminal free; among the eight nearest that each one sees.

    Parameters
    ----------
    position : m, (satellites, 3).
    ours, theirs : indices of the two shells.
    terminals : left for such links, of each satellite, (satellites,) or one number.
    longest_range : m; grazing and slew are `open_links`' part.
    """
    there = np.asarray(position, dtype=np.float64)
    near, far = np.asarray(ours, dtype=np.int64), np.asarray(theirs, dtype=np.int64)
    looked = min(_CANDIDATES, len(far))
    distance, found = cKDTree(there[far], balanced_tree=False).query(
        there[near], looked, distance_upper_bound=longest_range
    )
    edges, length = _candidates(near, far, distance.reshape(len(near), -1), found.reshape(len(near), -1))
    free = np.broadcast_to(np.asarray(terminals, dtype=np.int64), len(there))
    kept = shortest_first(edges, length, free)
    return Mesh(len(there), edges[kept], np.full(len(kept), ACROSS_SHELLS, dtype=np.int8))


def nearest_neighbours(
    position: npt.ArrayLike,
    *,
    terminals: int = 4,
    longest_range: float = np.inf,
    scale: npt.ArrayLike = 1.0,
    step: float = np.inf,
) -> Mesh:
    """Return a formation's links: shortest first, while both ends have a terminal free.

    In a lattice these are the lattice's own neighbours; `scale` makes it square, where it is squeezed along an axis.

    Parameters
    ----------
    position : m, (satellites, 3), in any frame that turns with the formation or not.
    terminals : each satellite's.
    longest_range : m.
    scale : factors of the three axes for the comparison of distances alone, (3,): 2 for the radial axis of a
        formation whose satellites circle on ellipses of 2 to 1.
    step : between neighbours of the lattice, m after scaling: what is further by a fifth is no neighbour, even where
        terminals stay free for it.

    Raises
    ------
    ValueProblem : one satellite, or no terminal.
    """
    there = np.asarray(position, dtype=np.float64)
    if len(there) < 2 or terminals < 1:
        raise ValueProblem(
            f"{len(there)} satellites of {terminals} terminals have no mesh",
            right="give at least two satellites and a terminal each",
        )
    looked = min(len(there), 2 * terminals + _CANDIDATES) + 1
    drawn = there * np.asarray(scale, dtype=np.float64)
    distance, found = cKDTree(drawn).query(drawn, min(looked, len(there)))
    everyone = np.arange(len(there))
    edges, length = _candidates(everyone, everyone, distance, found)
    way = there[edges[:, 1]] - there[edges[:, 0]]
    reached = (np.linalg.norm(way, axis=1) <= longest_range) & (length <= _FURTHER * step)
    edges, length = edges[reached], length[reached]
    kept = shortest_first(edges, length, np.full(len(there), terminals))
    return Mesh(len(there), edges[kept], np.full(len(kept), NEIGHBOURS, dtype=np.int8))


def shortest_first(edges: Index, length: Array, free: npt.NDArray[np.int64]) -> Index:
    """Return the indices of the links that are made when the shortest is made first, while both ends have room.

    Parameters
    ----------
    edges : (links, 2). length : (links,); of two alike the first is made first.
    free : terminals of each satellite, (satellites,).
    """
    order = np.argsort(length, kind="stable")
    left, made = np.array(free).tolist(), []
    # One after another: rings side by side make chains of links that each wait for the next, however many are tried
    # at once.
    for index, (one, other) in zip(order.tolist(), edges[order].tolist(), strict=True):
        if left[one] > 0 and left[other] > 0:
            left[one] -= 1
            left[other] -= 1
            made.append(index)
    return np.sort(np.array(made, dtype=np.int64))


def _candidates(near: Index, far: Index, distance: Array, found: Index) -> tuple[Index, Array]:
    """Return each pair that a search found once, with its distance."""
    seen = np.isfinite(distance)
    first = np.broadcast_to(near[:, None], distance.shape)[seen]
    second = far[found[seen]]
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second)], axis=1)
    length = distance[seen]
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, length = pairs[apart], length[apart]
    _, once = np.unique(pairs[:, 0] * (pairs.max(initial=0) + 1) + pairs[:, 1], return_index=True)
    return pairs[once], length[once]
