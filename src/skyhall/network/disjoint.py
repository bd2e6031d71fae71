"""Routes that share no link, or no satellite: what is left when one of them fails."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["disjoint_paths"]

Index = npt.NDArray[np.int64]


def disjoint_paths(
    nodes: int,
    edges: npt.ArrayLike,
    weight: npt.ArrayLike,
    source: int,
    target: int,
    count: int = 2,
    *,
    share_nodes: bool = False,
) -> list[list[int]]:
    """Return up to `count` paths that share nothing between them, of the least total weight; shortest first.

    Fewer come back where the mesh has no more (Menger): with a large `count`, all there are.

    Parameters
    ----------
    nodes : how many there are.
    edges : (links, 2), each once.
    weight : (links,), zero or more; links of infinite weight are not used.
    source, target : nodes.
    share_nodes : whether paths may pass the same satellite, as long as they share no link.

    Raises
    ------
    ValueProblem : source and target are one.

    References
    ----------
    Suurballe 1974, Disjoint paths in a network, Networks 4, 125; Bhandari 1999, Survivable Networks: shortest
    augmenting paths of unit capacity, with weights reduced by the distances found so that none is negative.
    """
    if source == target:
        raise ValueProblem("a path from a node to itself has no twin", right="give two different nodes")
    ends, cost = np.asarray(edges, dtype=np.int64), np.asarray(weight, dtype=np.float64)
    ends, cost = ends[np.isfinite(cost)], cost[np.isfinite(cost)]
    arcs = _Arcs(nodes, ends, cost, share_nodes)
    begin, end = (source, target) if share_nodes else (source + nodes, target)
    potential = np.zeros(arcs.size)
    for _ in range(count):
        distance, before = arcs.search(begin, potential)
        if not np.isfinite(distance[end]):
            break
        potential += np.minimum(distance, distance[end])
        arcs.augment(before, begin, end)
    paths = arcs.paths(source, target)
    links = {frozenset(pair): each for pair, each in zip(ends.tolist(), cost.tolist(), strict=True)}

    def length(path: list[int]) -> tuple[float, list[int]]:
        return sum(links[frozenset(pair)] for pair in pairwise(path)), path

    return sorted(paths, key=length)


class _Arcs:
    """The directed arcs of a mesh, each used at most once; satellites that may not be shared are split in two."""

    def __init__(self, nodes: int, ends: Index, cost: Array, share_nodes: bool) -> None:
        tail, head = np.concatenate([ends, ends[:, ::-1]]).T
        cost = np.concatenate([cost, cost])
        self.nodes, self.share_nodes, self.links = nodes, share_nodes, len(ends)
        self.size = nodes if share_nodes else 2 * nodes
        if not share_nodes:
            # A satellite is an arc as well, from where routes enter to where they leave.
            everyone = np.arange(nodes)
            tail = np.concatenate([tail + nodes, everyone])
            head = np.concatenate([head, everyone + nodes])
            cost = np.concatenate([cost, np.zeros(nodes)])
        self.tail, self.head, self.cost = tail, head, cost
        self.used = np.zeros(len(tail), dtype=np.bool_)

    def search(self, source: int, potential: Array) -> tuple[Array, npt.NDArray[np.int32]]:
        """Return distances and predecessors from `source` over unused arcs and back along used ones."""
        open_ = ~self.used
        if self.share_nodes:
            # Against a used arc only its release leads, which is the cheaper of the two arcs in that direction.
            open_[: self.links] &= ~self.used[self.links : 2 * self.links]
            open_[self.links : 2 * self.links] &= ~self.used[: self.links]
        tail = np.concatenate([self.tail[open_], self.head[self.used]])
        head = np.concatenate([self.head[open_], self.tail[self.used]])
        cost = np.concatenate([self.cost[open_], -self.cost[self.used]])
        reduced = np.maximum(cost + potential[tail] - potential[head], 0.0)  # below zero by rounding alone
        graph = csr_array((reduced, (tail, head)), shape=(self.size, self.size))
        distance, before = dijkstra(graph, indices=source, return_predecessors=True)
        return distance, before

    def augment(self, before: npt.NDArray[np.int32], source: int, target: int) -> None:
        """Use the arcs of the path found, and release those that it goes back along."""
        place = {
            pair: index for index, pair in enumerate(zip(self.tail.tolist(), self.head.tolist(), strict=True))
        }
        node = target
        while node != source:
            last = int(before[node])
            back = place.get((node, last))
            if back is not None and self.used[back]:
                self.used[back] = False
            else:
                self.used[place[last, node]] = True
            node = last

    def paths(self, source: int, target: int) -> list[list[int]]:
        """Return the used arcs as paths of nodes."""
        links = self.used[: 2 * self.links].copy()
        both = links[: self.links] & links[self.links :]
        links[: self.links] &= ~both
        links[self.links :] &= ~both
        tail, head = self.tail[: 2 * self.links] % self.nodes, self.head[: 2 * self.links] % self.nodes
        onward: dict[int, list[int]] = {}
        for here, there in zip(tail[links].tolist(), head[links].tolist(), strict=True):
            onward.setdefault(here, []).append(there)
        paths = []
        while onward.get(source):
            path = [source]
            while path[-1] != target:
                path.append(onward[path[-1]].pop())
            paths.append(_without_loops(path))
        return paths


def _without_loops(path: list[int]) -> list[int]:
    """Return the path without the circles that links of no weight allow."""
    kept: list[int] = []
    for node in path:
        if node in kept:
            del kept[kept.index(node) :]
        kept.append(node)
    return kept
