"""Links to whoever is near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.network.neighbours import nearest_between, nearest_neighbours, shortest_first
from skyhall.orbit import circular_position, walker_delta


def test_a_square_lattice_is_linked_to_its_four_neighbours_though_it_is_squeezed() -> None:
    """200 m along the track and 100 m in radius: after the scale of 2 a square."""
    x, y = np.meshgrid(np.arange(-4, 5), np.arange(-4, 5))
    position = np.stack([100.0 * x.ravel(), 200.0 * y.ravel(), np.zeros(81)], axis=1)
    mesh = nearest_neighbours(position, terminals=4, scale=(2.0, 1.0, 1.0), step=200.0)
    assert len(mesh) == 2 * 9 * 8
    steps = np.abs(np.diff(position[mesh.edges], axis=1)[:, 0])
    assert set(map(tuple, steps.tolist())) == {(100.0, 0.0, 0.0), (0.0, 200.0, 0.0)}


def test_terminals_that_the_lattice_leaves_free_reach_further_where_no_step_is_given() -> None:
    position = np.stack([np.arange(5) * 100.0, np.zeros(5), np.zeros(5)], axis=1)
    assert len(nearest_neighbours(position, terminals=2)) > 4
    assert len(nearest_neighbours(position, terminals=2, step=100.0)) == 4
    assert nearest_neighbours(position, terminals=2, longest_range=150.0).edges.tolist() == [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
    ]


def test_one_satellite_has_no_neighbours() -> None:
    with pytest.raises(ValueProblem, match="have no mesh"):
        nearest_neighbours(np.zeros((1, 3)))


def by_hand(edges: list[tuple[int, int]], length: list[float], free: list[int]) -> list[int]:
    left, made = list(free), []
    for index in sorted(range(len(edges)), key=lambda each: length[each]):
        here, there = edges[index]
        if left[here] > 0 and left[there] > 0:
            left[here] -= 1
            left[there] -= 1
            made.append(index)
    return sorted(made)


@given(st.data())
def test_shortest_first_is_what_one_does_link_by_link(data: st.DataObject) -> None:
    nodes = data.draw(st.integers(2, 9))
    pairs = [(a, b) for a in range(nodes) for b in range(a + 1, nodes)]
    edges = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    length = data.draw(st.lists(st.integers(1, 5).map(float), min_size=len(edges), max_size=len(edges)))
    free = data.draw(st.lists(st.integers(0, 3), min_size=nodes, max_size=nodes))
    found = shortest_first(np.array(edges), np.array(length), np.array(free))
    assert found.tolist() == by_hand(edges, length, free)


def test_between_shells_each_satellite_takes_its_nearest_that_is_free() -> None:
    low = walker_delta(550e3, 0.9, 60, 6, 1).elements
    high = walker_delta(1100e3, 0.9, 40, 4, 1).elements
    position = np.concatenate([circular_position(low, 0.0), circular_position(high, 0.0)])
    mesh = nearest_between(position, np.arange(60), np.arange(60, 100))
    assert mesh.degree.max() == 1
    assert len(mesh) <= 40
    lengths = np.linalg.norm(np.diff(position[mesh.edges], axis=1)[:, 0], axis=1)
    whole = np.linalg.norm(position[:60, None] - position[None, 60:], axis=2)
    assert lengths.min() == pytest.approx(whole.min())
    reached = nearest_between(position, np.arange(60), np.arange(60, 100), longest_range=800e3)
    assert np.linalg.norm(np.diff(position[reached.edges], axis=1)[:, 0], axis=1).max() <= 800e3


def test_a_long_row_of_ever_shorter_links_is_made_at_once() -> None:
    """Each link waits for the next, shorter one: in rounds alone this would take as many as there are links."""
    count = 20_001
    edges = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    length = np.linspace(2.0, 1.0, count - 1)
    found = shortest_first(edges, length, np.ones(count, dtype=np.int64))
    assert found.tolist() == list(range(1, count - 1, 2))
