"""Routes: against networkx on many small graphs, and by hand where it has no like."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.network.disjoint import disjoint_paths
from skyhall.network.routes import Router
from skyhall.network.station_links import StationLinks

Drawn = tuple[int, list[tuple[int, int]], list[float]]
Sky = tuple[Drawn, list[list[int]], list[list[float]]]


@st.composite
def graphs(draw: Callable[..., object], least: float = 0.0) -> Drawn:
    """A graph of a few nodes, not always in one piece, with weights of which some are alike."""
    nodes = int(draw(st.integers(2, 9)))  # type: ignore[call-overload]
    pairs = [(a, b) for a in range(nodes) for b in range(a + 1, nodes)]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    weights = draw(
        st.lists(
            st.one_of(st.integers(1, 4).map(float), st.floats(max(least, 0.01), 9.0)),
            min_size=len(edges),
            max_size=len(edges),
        )
    )
    return nodes, edges, weights  # type: ignore[return-value]


def as_networkx(drawn: Drawn) -> nx.Graph:
    nodes, edges, weights = drawn
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_weighted_edges_from((a, b, w) for (a, b), w in zip(edges, weights, strict=True))
    return graph


def length(graph: nx.Graph, path: list[int]) -> float:
    return sum(graph[a][b]["weight"] for a, b in itertools.pairwise(path))


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_shortest_routes_are_those_of_networkx(drawn: Drawn) -> None:
    nodes, edges, weights = drawn
    graph = as_networkx(drawn)
    routes = Router(nodes, edges).weigh(weights).shortest(np.arange(nodes))
    for source in range(nodes):
        expected = nx.single_source_dijkstra_path_length(graph, source)
        for target in range(nodes):
            found = routes.distance[source, target]
            assert found == pytest.approx(expected.get(target, np.inf))
            path = routes.path(source, target)
            assert bool(path) == (target in expected)
            if path:
                assert (path[0], path[-1]) == (source, target)
                assert length(graph, path) == pytest.approx(found)
                assert routes.hops[source, target] == len(path) - 1
            else:
                assert routes.hops[source, target] == -1


@settings(max_examples=100, deadline=None)
@given(graphs(), st.data())
def test_what_failed_or_does_not_stand_is_as_if_it_were_not_there(drawn: Drawn, data: st.DataObject) -> None:
    nodes, edges, weights = drawn
    dead = data.draw(st.lists(st.booleans(), min_size=nodes, max_size=nodes))
    broken = data.draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    closed = data.draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    graph = as_networkx(drawn)
    graph.remove_edges_from(e for e, b, c in zip(edges, broken, closed, strict=True) if b or c)
    graph.remove_edges_from([e for e in edges if dead[e[0]] or dead[e[1]]])
    router = Router(nodes, edges).fail(dead, broken).weigh(weights, ~np.array(closed))
    routes = router.shortest([0])
    expected = nx.single_source_dijkstra_path_length(graph, 0)
    assert routes.distance[0].tolist() == pytest.approx([expected.get(each, np.inf) for each in range(nodes)])
    # It heals, with weights written anew.
    healed = router.fail().weigh(weights).shortest([0]).distance[0]
    whole = nx.single_source_dijkstra_path_length(as_networkx(drawn), 0)
    assert healed.tolist() == pytest.approx([whole.get(each, np.inf) for each in range(nodes)])


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_the_widest_route_is_the_best_of_all_simple_paths(drawn: Drawn) -> None:
    nodes, edges, rates = drawn
    graph = as_networkx(drawn)
    router = Router(nodes, edges).weigh(1.0)
    width, before = router.widest(0, rates)
    assert width[0] == np.inf
    for target in range(1, nodes):
        widths = [router.bottleneck(path, rates) for path in nx.all_simple_paths(graph, 0, target)]
        assert width[target] == pytest.approx(max(widths, default=0.0))
        if widths:
            path = [target]
            while path[-1] != 0:
                path.append(int(before[path[-1]]))
            assert router.bottleneck(path, rates) == pytest.approx(width[target])


def best_sum(graph: nx.Graph, source: int, target: int, count: int, *, share_nodes: bool) -> float:
    """Return the least total weight of `count` disjoint paths by linear programming of networkx (exact integers)."""
    directed = nx.DiGraph()
    for node in graph:
        capacity = count if share_nodes or node in (source, target) else 1
        directed.add_edge((node, "in"), (node, "out"), capacity=capacity, weight=0)
    for a, b, weight in graph.edges(data="weight"):
        for here, there in ((a, b), (b, a)):
            directed.add_edge((here, "out"), (there, "in"), capacity=1, weight=round(weight * 10**6))
    directed.nodes[source, "out"]["demand"] = -count
    directed.nodes[target, "in"]["demand"] = count
    return nx.min_cost_flow_cost(directed) / 10**6


@settings(max_examples=150, deadline=None)
@given(graphs(least=0.1), st.booleans(), st.integers(1, 4))
def test_disjoint_paths_share_nothing_and_are_the_shortest_together(
    drawn: Drawn, share_nodes: bool, count: int
) -> None:
    nodes, edges, weights = drawn
    graph, source, target = as_networkx(drawn), 0, nodes - 1
    paths = disjoint_paths(nodes, edges, weights, source, target, count, share_nodes=share_nodes)
    if share_nodes:
        most = nx.edge_connectivity(graph, source, target)
    else:
        # networkx counts node-disjoint paths between neighbours without their own link.
        linked = graph.has_edge(source, target)
        rest = graph.copy()
        if linked:
            rest.remove_edge(source, target)
        most = int(linked) + nx.node_connectivity(rest, source, target)
    assert len(paths) == min(count, most)
    used = [frozenset(pair) for path in paths for pair in itertools.pairwise(path)]
    assert len(set(used)) == len(used)
    inner = [node for path in paths for node in path[1:-1]]
    if not share_nodes:
        assert len(set(inner)) == len(inner)
    for path in paths:
        assert (path[0], path[-1]) == (source, target)
        assert len(set(path)) == len(path)
    lengths = [length(graph, path) for path in paths]
    assert lengths == sorted(lengths)
    if paths:
        expected = best_sum(graph, source, target, len(paths), share_nodes=share_nodes)
        assert sum(lengths) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("share_nodes", [False, True])
def test_disjoint_paths_through_a_torus_go_back_on_earlier_ones_where_that_is_shorter(
    share_nodes: bool,
) -> None:
    """Grids are full of traps: with weights far apart the third and fourth path have to undo parts of the first."""
    torus = nx.convert_node_labels_to_integers(nx.grid_graph((5, 5), periodic=True))
    edges = list(torus.edges)
    rng = np.random.default_rng(2)
    for _ in range(40):
        weights = np.round(rng.uniform(0.1, 1.0, len(edges)) ** 3, 6).tolist()
        graph = as_networkx((25, edges, weights))
        target = int(rng.integers(1, 25))
        paths = disjoint_paths(25, edges, weights, 0, target, 4, share_nodes=share_nodes)
        assert len(paths) == 4
        found = sum(length(graph, path) for path in paths)
        assert found == pytest.approx(best_sum(graph, 0, target, 4, share_nodes=share_nodes), abs=1e-5)
        three = disjoint_paths(25, edges, weights, 0, target, 3, share_nodes=share_nodes)
        found = sum(length(graph, path) for path in three)
        assert found == pytest.approx(best_sum(graph, 0, target, 3, share_nodes=share_nodes), abs=1e-5)


def test_the_trap_of_suurballe_is_avoided() -> None:
    """The shortest path alone blocks every second one; the best pair does not hold it."""
    edges = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    weights = [1.0, 1.0, 1.0, 4.0, 4.0]
    assert disjoint_paths(4, edges, weights, 0, 3, 2) == [[0, 1, 3], [0, 2, 3]]


def test_links_of_infinite_weight_are_in_no_disjoint_path() -> None:
    assert disjoint_paths(3, [(0, 1), (1, 2), (0, 2)], [1.0, np.inf, 1.0], 0, 2, 2) == [[0, 2]]
    with pytest.raises(ValueProblem, match="from a node to itself"):
        disjoint_paths(3, [(0, 1)], [1.0], 1, 1)


@pytest.mark.parametrize(
    ("edges", "what"),
    [
        ([(0, 3)], "none of the 3 nodes"),
        ([(-1, 0)], "none of the 3"),
        ([(1, 1)], "with itself"),
        ([(0, 1), (1, 0)], "twice"),
    ],
)
def test_impossible_links_are_refused(edges: list[tuple[int, int]], what: str) -> None:
    with pytest.raises(ValueProblem, match=what):
        Router(3, edges)


def test_negative_weights_and_paths_that_are_not_there_are_refused() -> None:
    router = Router(3, [(0, 1), (1, 2)])
    with pytest.raises(ValueProblem, match="less than nothing"):
        router.weigh([1.0, -1.0])
    with pytest.raises(ValueProblem, match="not there"):
        router.bottleneck([0, 2], [1.0, 1.0])
    with pytest.raises(ValueProblem, match="not there"):
        Router(3, []).links_of([0, 1])
    assert router.links_of([2, 1, 0]).tolist() == [1, 0]
    assert router.bottleneck([0], [1.0, 1.0]) == np.inf


@st.composite
def sky(draw: Callable[..., object]) -> Sky:
    drawn = draw(graphs())  # type: ignore[call-overload]
    nodes = drawn[0]
    seen = draw(
        st.lists(st.lists(st.integers(0, nodes - 1), unique=True, max_size=3), min_size=2, max_size=4)
    )
    ups = [[float(draw(st.integers(1, 9))) for _ in each] for each in seen]  # type: ignore[call-overload]
    return drawn, seen, ups  # type: ignore[return-value]


@settings(max_examples=120, deadline=None)
@given(sky())
def test_between_stations_no_route_passes_a_third_station(
    asked: Sky,
) -> None:
    (nodes, edges, weights), seen, ups = asked
    starts = np.concatenate([[0], np.cumsum([len(each) for each in seen])])
    satellites = np.array([node for each in seen for node in each], dtype=np.int64)
    weight = np.array([up for each in ups for up in each], dtype=np.float64)
    links = StationLinks(starts, satellites, weight)
    router = Router(nodes, edges).weigh(weights)
    found = router.between_stations(links, weight)
    for source in range(len(seen)):
        for target in range(len(seen)):
            graph = as_networkx((nodes, edges, weights))
            for station in {source, target}:
                for node, up in zip(seen[station], ups[station], strict=True):
                    graph.add_edge(("station", station), node, weight=up)
            graph.add_nodes_from([("station", source), ("station", target)])
            expected = 0.0 if source == target else np.inf
            if source != target and nx.has_path(graph, ("station", source), ("station", target)):
                expected = nx.dijkstra_path_length(graph, ("station", source), ("station", target))
            assert found.distance[source, target] == pytest.approx(expected)
            path = found.path(source, target)
            if source != target and np.isfinite(expected):
                whole = [("station", source), *path, ("station", target)]
                assert length(graph, whole) == pytest.approx(expected)
                assert found.hops[source, target] == len(path) - 1
            else:
                assert path == []
                assert found.hops[source, target] == (0 if source == target else -1)
    bare = router.between_stations(links, weight, paths=False)
    assert np.array_equal(bare.distance, found.distance)
    with pytest.raises(ValueProblem, match="no paths"):
        _ = bare.hops


def test_a_station_over_failed_satellites_reaches_nobody() -> None:
    links = StationLinks(np.array([0, 1, 2]), np.array([0, 1]), np.array([5e5, 5e5]))
    router = Router(2, [(0, 1)]).fail([True, False]).weigh(1.0)
    assert np.isinf(router.between_stations(links).distance[0, 1])
    assert np.isfinite(router.fail().weigh(1.0).between_stations(links).distance[0, 1])
