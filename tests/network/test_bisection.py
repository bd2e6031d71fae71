"""Bisection: against textbook formulas, and against all cuts of small graphs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.network.bisection import all_reduce_time, bisection, clos_bisection, cut_capacity
from skyhall.network.mesh import Mesh, plus_grid
from skyhall.orbit import circular_position, walker_delta


def grid(planes: int, slots: int, **asked: object) -> tuple[Mesh, np.ndarray, np.ndarray]:
    plane, slot = np.repeat(np.arange(planes), slots), np.tile(np.arange(slots), planes)
    return plus_grid(plane, slot, **asked), plane, slot  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [4, 6, 12, 50])
def test_a_ring_is_cut_by_two_links(count: int) -> None:
    mesh, plane, slot = grid(1, count)
    assert bisection(count, mesh.edges, plane=plane, slot=slot).links == 2


@pytest.mark.parametrize(("planes", "slots"), [(4, 4), (6, 8), (8, 6), (4, 16), (10, 10), (12, 22)])
def test_a_torus_is_cut_by_twice_its_shorter_side(planes: int, slots: int) -> None:
    """Dally and Towles: the cut goes across the longer side, twice because it closes on itself."""
    mesh, plane, slot = grid(planes, slots)
    found = bisection(mesh.satellites, mesh.edges, 100e9, plane=plane, slot=slot)
    assert found.links == 2 * min(planes, slots)
    assert found.capacity == pytest.approx(2 * min(planes, slots) * 100e9)
    assert found.side.sum() == planes * slots // 2


@pytest.mark.parametrize(("planes", "slots"), [(4, 8), (8, 4), (6, 6), (6, 14)])
def test_a_star_is_cut_once_across_its_planes_or_twice_along_them(planes: int, slots: int) -> None:
    mesh, plane, slot = grid(planes, slots, seam=False)
    found = bisection(mesh.satellites, mesh.edges, plane=plane, slot=slot)
    assert found.links == min(slots, 2 * planes)


def test_it_is_found_without_being_told_the_pattern() -> None:
    mesh, _, _ = grid(6, 8)
    order = np.random.default_rng(5).permutation(48)
    assert bisection(48, order[mesh.edges]).links == 12


def brute(nodes: int, edges: np.ndarray, capacity: np.ndarray) -> float:
    best = np.inf
    for half in combinations(range(nodes), nodes // 2):
        side = np.zeros(nodes, dtype=bool)
        side[list(half)] = True
        best = min(best, cut_capacity(edges, side, capacity))
    return best


def test_small_random_graphs_are_never_below_the_least_cut_and_mostly_on_it() -> None:
    rng = np.random.default_rng(11)
    exact = 0
    for _ in range(60):
        nodes = int(rng.integers(4, 11))
        pairs = np.array(list(combinations(range(nodes), 2)))
        edges = pairs[rng.random(len(pairs)) < 0.45]
        if not len(edges):
            continue
        capacity = rng.integers(1, 5, len(edges)).astype(float)
        least, found = brute(nodes, edges, capacity), bisection(nodes, edges, capacity)
        assert found.capacity >= least - 1e-9
        assert found.capacity <= 1.5 * least + 1.0
        assert found.capacity == pytest.approx(cut_capacity(edges, found.side, capacity))
        assert found.side.sum() == nodes // 2
        exact += found.capacity <= least + 1e-9
    assert exact >= 50


def test_links_that_do_not_stand_do_not_count() -> None:
    mesh, plane, slot = grid(1, 8)
    capacity = np.ones(8)
    capacity[0] = 0.0
    assert bisection(8, mesh.edges, capacity, plane=plane, slot=slot).capacity == 1.0


def test_starlinks_first_shell_is_cut_by_44_links_however_it_is_looked_at() -> None:
    elements, plane, slot = walker_delta(550e3, np.radians(53.0), 1584, 72, 39)
    mesh = plus_grid(plane, slot, phasing=39)
    position = circular_position(elements, 0.0)
    found = bisection(1584, mesh.edges, 100e9, plane=plane, slot=slot, position=position)
    assert found.links == 44
    assert found.capacity == pytest.approx(4.4e12)


def test_a_clos_of_h100_carries_200_gbit_s_a_gpu_across_its_middle() -> None:
    assert clos_bisection(1024, 400e9) == pytest.approx(1024 * 200e9)


def test_an_all_reduce_takes_what_the_nodes_or_the_cut_take() -> None:
    # 1 GB on 4 nodes of 8 Gbit/s: 2 x 3/4 GB through each.
    assert all_reduce_time(1e9, 4, 8e9, 1e15) == pytest.approx(1.5)
    assert all_reduce_time(1e9, 4, 8e9, 2e9) == pytest.approx(4.0)
    assert all_reduce_time(1e9, 1, 8e9, 0.0) == 0.0
    assert all_reduce_time(1e9, 2, 8e9, 0.0) == np.inf


def test_one_satellite_has_no_halves() -> None:
    with pytest.raises(ValueProblem, match="no halves"):
        bisection(1, [])
