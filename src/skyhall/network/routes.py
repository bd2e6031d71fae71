"""Routes through a mesh whose links stay and whose weights change: shortest, widest, and without what has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra, minimum_spanning_tree

from skyhall.errors import ValueProblem
from skyhall.network.station_links import StationLinks
from skyhall.types import Array

__all__ = ["Router", "Routes", "StationRoutes"]

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Beyond it nothing is reached: a closed link weighs infinity, which is more, so that the search leaves it out.
_REACHED: Final = float(np.finfo(np.float64).max)


class Router:
    """Shortest routes over links whose ends are fixed, and whose weights are written anew at every step.

    Parameters
    ----------
    nodes : how many there are.
    edges : the two nodes of each link, (links, 2), each link once, no node with itself.

    Raises
    ------
    ValueProblem : a link of a node that is not there, with itself, or written twice.

    References
    ----------
    Dijkstra 1959, as in SciPy's compressed graphs.
    """

    def __init__(self, nodes: int, edges: npt.ArrayLike) -> None:
        self.nodes = nodes
        self.edges = np.array(edges, dtype=np.int64).reshape(-1, 2)
        _check(nodes, self.edges)
        tail = np.concatenate([self.edges[:, 0], self.edges[:, 1]])
        head = np.concatenate([self.edges[:, 1], self.edges[:, 0]])
        order = np.lexsort((head, tail))
        self._heads = head[order].astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=nodes))]).astype(np.int32)
        self._link_of = order % max(len(self.edges), 1)  # of each entry of the compressed graph
        self._codes = tail[order] * nodes + head[order]
        self._failed_nodes = np.zeros(nodes, dtype=np.bool_)
        self._failed_links = np.zeros(len(self.edges), dtype=np.bool_)
        self._weight = np.ones(len(self.edges))
        self._data = np.ones(len(order))

    def weigh(self, weight: npt.ArrayLike, standing: npt.ArrayLike | None = None) -> Router:
        """Write the weight of every link, such as its delay; links that do not stand are not used.

        Parameters
        ----------
        weight : (links,), zero or more.
        standing : (links,), left out: all stand.
        """
        weights = np.broadcast_to(np.asarray(weight, dtype=np.float64), len(self.edges))
        if np.any(weights < 0.0) or np.any(np.isnan(weights)):
            raise ValueProblem("a link weighs less than nothing", right="give weights of zero or more")
        closed = self._failed_links | self._failed_nodes[self.edges].any(axis=1)
        if standing is not None:
            closed |= ~np.asarray(standing, dtype=np.bool_)
        self._weight = np.where(closed, np.inf, weights)
        self._data = self._weight[self._link_of]
        return self

    def fail(self, nodes: npt.ArrayLike | None = None, links: npt.ArrayLike | None = None) -> Router:
        """Say which nodes (nodes,) and links (links,) have failed, as masks; it holds from the next `weigh` on."""
        self._failed_nodes = np.zeros(self.nodes, bool) if nodes is None else np.array(nodes, dtype=bool)
        self._failed_links = np.zeros(len(self.edges), bool) if links is None else np.array(links, dtype=bool)
        return self

    def shortest(self, sources: npt.ArrayLike) -> Routes:
        """Return the shortest routes from each of `sources` (nodes, (k,)) to every node."""
        begins = np.atleast_1d(np.asarray(sources, dtype=np.int64))
        graph = csr_array((self._data, self._heads, self._starts), shape=(self.nodes, self.nodes))
        distance, before = dijkstra(graph, indices=begins, return_predecessors=True, limit=_REACHED)
        return Routes(begins, distance, before)

    def between_stations(
        self,
        links: StationLinks,
        weight: npt.ArrayLike | None = None,
        *,
        sources: npt.ArrayLike | None = None,
        paths: bool = True,
    ) -> StationRoutes:
        """Return the shortest routes from stations to all stations, up, through the mesh and down.

        A station is where a route begins or ends, never on the way.

        Parameters
        ----------
        links : which stations see which satellites.
        weight : of each of these links, in the unit of the mesh's weights (k,); left out: their delay, s.
        sources : stations from which routes are wanted, (k,); left out: all.
        paths : whether to remember the way; without it the distances come a sixth sooner.
        """
        up = links.delay if weight is None else np.asarray(weight, dtype=np.float64)
        up = np.where(self._failed_nodes[links.satellite], np.inf, up)
        starts = self._starts[-1] + links.starts[1:].astype(np.int32)
        size = self.nodes + links.stations
        graph = csr_array(
            (
                np.concatenate([self._data, up]),
                np.concatenate([self._heads, links.satellite.astype(np.int32)]),
                np.concatenate([self._starts, starts]),
            ),
            shape=(size, size),
        )
        begins = np.arange(links.stations) if sources is None else np.atleast_1d(np.asarray(sources))
        found = dijkstra(graph, indices=self.nodes + begins, return_predecessors=paths, limit=_REACHED)
        distance, before = found if paths else (found, None)
        best = np.full((len(begins), links.stations), np.inf)
        last = np.full(best.shape, -1, dtype=np.int64)
        seeing = np.flatnonzero(np.diff(links.starts) > 0)
        if seeing.size:
            arrived = distance[:, links.satellite] + up
            starts = links.starts[seeing]
            best[:, seeing] = np.minimum.reduceat(arrived, starts, axis=1)
            if paths:
                each = np.repeat(best[:, seeing], np.diff(links.starts)[seeing], axis=1)
                place = np.where(arrived == each, np.arange(arrived.shape[1]), arrived.shape[1] - 1)
                last[:, seeing] = links.satellite[np.minimum.reduceat(place, starts, axis=1)]
        last[~np.isfinite(best)] = -1
        best[np.arange(len(begins)), begins], last[np.arange(len(begins)), begins] = 0.0, -1
        return StationRoutes(begins, best, distance[:, : self.nodes], before, last)

    def links_of(self, path: npt.ArrayLike) -> Index:
        """Return the links along a path of nodes, by their index, (nodes of the path - 1,)."""
        nodes = np.asarray(path, dtype=np.int64)
        code = nodes[:-1] * self.nodes + nodes[1:]
        if not np.isin(code, self._codes).all():
            raise ValueProblem("the path uses a link that is not there", right="give the nodes of a route")
        return self._link_of[np.searchsorted(self._codes, code)]

    def bottleneck(self, path: npt.ArrayLike, rate: npt.ArrayLike) -> float:
        """Return the lowest rate along a path of nodes; infinite where the path has no link.

        Parameters
        ----------
        rate : of each link, (links,).
        """
        return float(np.asarray(rate)[self.links_of(path)].min(initial=np.inf))

    def widest(self, source: int, rate: npt.ArrayLike) -> tuple[Array, Index]:
        """Return the highest rate at which each node can be reached, (nodes,), and the node before it.

        Links that do not stand are left out. The route to a node is the one in the heaviest spanning tree.

        Parameters
        ----------
        rate : of each link, (links,), above zero.

        References
        ----------
        Hu 1961, The maximum capacity route problem, Operations Research 9, 898.
        """
        rates = np.asarray(rate, dtype=np.float64)
        used = np.flatnonzero(np.isfinite(self._weight) & (rates > 0.0))
        used = used[np.argsort(-rates[used], kind="stable")]
        tail, head = self.edges[used].T
        rank = np.arange(1.0, len(used) + 1.0)
        tree = minimum_spanning_tree(csr_array((rank, (tail, head)), shape=(self.nodes, self.nodes)))
        order, before = breadth_first_order(tree, source, directed=False, return_predecessors=True)
        width = np.zeros(self.nodes)
        width[source] = np.inf
        step = np.zeros(self.nodes)
        code = before[order[1:]].astype(np.int64) * self.nodes + order[1:]
        step[order[1:]] = rates[self._link_of[np.searchsorted(self._codes, code)]]
        for node in order[1:].tolist():
            width[node] = min(width[before[node]], step[node])
        return width, before.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """Shortest routes from some nodes to all.

    Parameters
    ----------
    sources : (k,). distance : (k, nodes), infinite where no route leads.
    before : the node before each on the route to it, (k, nodes), negative at the source and where none leads.
    """

    sources: Index
    distance: Array
    before: npt.NDArray[np.int32]

    def path(self, source: int, target: int) -> list[int]:
        """Return the nodes from the `source`-th source to `target`; empty where no route leads."""
        if not np.isfinite(self.distance[source, target]):
            return []
        return _walk(self.before[source], target)

    @property
    def hops(self) -> Index:
        """Links of each route, (k, nodes); -1 where none leads."""
        rows, nodes = self.distance.shape
        target = np.broadcast_to(np.arange(nodes), (rows, nodes))
        return _counted(self.before, target, np.isfinite(self.distance))


@dataclass(frozen=True, slots=True, eq=False)
class StationRoutes:
    """Shortest routes from some stations to all over a mesh.

    Parameters
    ----------
    sources : stations at which the routes begin, (k,).
    distance : (k, stations), in the unit of the weights; infinite where no route leads.
    to_satellites : from each source to each satellite, (k, satellites).
    before : the node before each on the route from a source, (k, satellites + stations); None where the ways were not
        remembered.
    last : the satellite over which each route arrives, (k, stations), -1 where none leads.
    """

    sources: Index
    distance: Array
    to_satellites: Array
    before: npt.NDArray[np.int32] | None
    last: Index

    def path(self, source: int, target: int) -> list[int]:
        """Return the satellites from the `source`-th source to a station; empty where no route leads."""
        arrival = int(self.last[source, target])
        return [] if arrival < 0 else _walk(self._ways()[source], arrival)[1:]

    @property
    def hops(self) -> Index:
        """Laser links of each route, up and down not counted, (k, stations); -1 where none leads."""
        hops = _counted(self._ways(), self.last, self.last >= 0) - (self.last >= 0)
        hops[np.arange(len(hops)), self.sources] = 0
        return hops

    def _ways(self) -> npt.NDArray[np.int32]:
        if self.before is None:
            raise ValueProblem("these routes have no paths", right="ask for them with paths=True")
        return self.before


def _walk(before: npt.NDArray[np.int32], target: int) -> list[int]:
    """Return the nodes from the source to `target`."""
    path = [target]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _counted(before: npt.NDArray[np.int32], target: Index, known: Mask) -> Index:
    """Return how many links lead to each `target` (rows, k) of the rows of `before`; -1 where not `known`."""
    row, place = np.nonzero(known)
    node = target[row, place]
    count = np.full(target.shape, -1, dtype=np.int64)
    count[known] = 0
    while row.size:
        node = before[row, node].astype(np.int64)
        going = node >= 0
        row, place, node = row[going], place[going], node[going].astype(np.int64)
        count[row, place] += 1
    return count


def _check(nodes: int, edges: Index) -> None:
    if edges.size and (edges.min() < 0 or edges.max() >= nodes):
        raise ValueProblem(f"a link has an end that is none of the {nodes} nodes", right="number them from 0")
    if np.any(edges[:, 0] == edges[:, 1]):
        raise ValueProblem("a link joins a node with itself", right="give links between two nodes")
    codes = edges.min(axis=1) * nodes + edges.max(axis=1)
    if len(np.unique(codes)) < len(codes):
        raise ValueProblem("a link is given twice", right="give every link once")
