"""Meshes of shells: who is linked to whom, and what stands."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import EARTH_RADIUS, SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.network.bisection import bisection
from skyhall.network.mesh import (
    ACROSS_PLANES,
    WITHIN_PLANE,
    Mesh,
    chords,
    joined,
    open_links,
    plus_grid,
)
from skyhall.orbit import circular_position, walker_delta, walker_star


def grid(planes: int, slots: int, **asked: object) -> Mesh:
    return plus_grid(np.repeat(np.arange(planes), slots), np.tile(np.arange(slots), planes), **asked)  # type: ignore[arg-type]


def graph(mesh: Mesh) -> nx.Graph:
    made = nx.Graph()
    made.add_nodes_from(range(mesh.satellites))
    made.add_edges_from(mesh.edges.tolist())
    return made


@pytest.mark.parametrize(("count", "step", "each"), [(60, 7, 2), (60, 7, 1), (61, 8, 1), (59, 9, 2)])
def test_chords_respect_the_terminals_that_they_are_given(count: int, step: int, each: int) -> None:
    ring = np.random.default_rng(1).permutation(count)
    edges = chords(ring, step, each=each)
    degree = np.bincount(edges.ravel(), minlength=count)
    assert degree.max() == each
    if each == 2 or count % 2 == 0:
        assert (degree == each).all()
    place = np.empty(count, np.int64)
    place[ring] = np.arange(count)
    odd = step - (each == 1 and step % 2 == 0)
    assert set(((place[edges[:, 1]] - place[edges[:, 0]]) % count).tolist()) == {odd}
    assert len({frozenset(edge) for edge in edges.tolist()}) == len(edges)


def test_a_ring_with_chords_is_a_torus_to_a_cut() -> None:
    ring = plus_grid(np.zeros(64, np.int64), np.arange(64), terminals=2)
    bare = bisection(64, ring.edges, slot=np.arange(64))
    both = np.concatenate([ring.edges, chords(np.arange(64), 8, each=2)])
    assert bare.links == 2
    assert (
        bisection(64, both, slot=np.arange(64)).links == 2 * 8
    )  # columns of 8, or 8 chords and the ring at each end


def test_chords_that_cannot_be_are_refused() -> None:
    for count, step, each in ((60, 30, 2), (60, 2, 2), (60, 7, 3)):
        with pytest.raises(ValueProblem, match="do not fit into a ring"):
            chords(np.arange(count), step, each=each)


def test_a_delta_shell_is_a_torus_of_four_links_each() -> None:
    mesh = grid(6, 8)
    assert len(mesh) == 2 * 48
    assert set(mesh.degree.tolist()) == {4}
    assert nx.is_isomorphic(graph(mesh), nx.grid_graph((6, 8), periodic=True))


def test_a_star_shell_has_no_link_over_its_seam() -> None:
    mesh = grid(6, 8, seam=False)
    assert len(mesh) == 48 + 40
    ends = mesh.edges[mesh.kind == ACROSS_PLANES] // 8
    assert np.abs(np.diff(ends, axis=1)).max() == 1
    assert nx.is_connected(graph(mesh))


def test_one_plane_is_a_ring_and_its_other_terminals_stay_free() -> None:
    mesh = grid(1, 9, terminals=4)
    assert nx.is_isomorphic(graph(mesh), nx.cycle_graph(9))
    assert set(mesh.kind.tolist()) == {WITHIN_PLANE}


@pytest.mark.parametrize(("planes", "slots"), [(1, 2), (2, 1)])
def test_two_satellites_are_one_link(planes: int, slots: int) -> None:
    assert grid(planes, slots).edges.tolist() == [[0, 1]]


def test_one_satellite_has_no_mesh() -> None:
    with pytest.raises(ValueProblem, match="a shell with one satellite has no mesh"):
        grid(1, 1)


def test_planes_with_different_slots_have_no_grid() -> None:
    with pytest.raises(ValueProblem, match="planes with the same slots"):
        plus_grid([0, 0, 0, 1], [0, 1, 2, 0])
    with pytest.raises(ValueProblem, match="planes with the same slots"):
        plus_grid([0, 0, 1, 1], [0, 1, 0, 2])
    with pytest.raises(ValueProblem, match="terminals"):
        grid(3, 3, terminals=0)


def test_three_terminals_make_a_brick_wall_that_holds_together() -> None:
    mesh = grid(6, 8, terminals=3)
    assert set(mesh.degree.tolist()) == {3}
    assert nx.is_connected(graph(mesh))


def test_two_terminals_make_rings_and_one_makes_pairs() -> None:
    assert nx.number_connected_components(graph(grid(6, 8, terminals=2))) == 6
    assert set(grid(6, 8, terminals=1).degree.tolist()) == {1}


@given(
    planes=st.integers(1, 9),
    slots=st.integers(1, 9),
    terminals=st.integers(1, 6),
    phasing=st.integers(0, 8),
    seam=st.booleans(),
)
def test_no_satellite_has_more_links_than_terminals_and_no_link_stands_twice(
    planes: int, slots: int, terminals: int, phasing: int, seam: bool
) -> None:
    if planes * slots < 2:
        return
    mesh = grid(planes, slots, terminals=terminals, phasing=phasing % planes, seam=seam)
    assert mesh.degree.max() <= min(terminals, 4)
    pairs = {frozenset(edge) for edge in mesh.edges.tolist()}
    assert len(pairs) == len(mesh)
    assert all(len(pair) == 2 for pair in pairs)
    if terminals >= 4:
        assert nx.is_connected(graph(mesh))


def test_the_order_of_the_satellites_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(48)
    plane, slot = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    straight = {frozenset(edge) for edge in plus_grid(plane, slot, phasing=2).edges.tolist()}
    shuffled = plus_grid(plane[order], slot[order], phasing=2).edges
    assert {frozenset(edge) for edge in order[shuffled].tolist()} == straight


@pytest.mark.parametrize("phasing", [0, 1, 5, 17, 36, 39, 71])
def test_links_across_planes_go_to_the_nearest_in_phase_even_over_the_seam(phasing: int) -> None:
    elements, plane, slot = walker_delta(550e3, np.radians(53.0), 1584, 72, phasing)
    mesh = plus_grid(plane, slot, phasing=phasing)
    ends = mesh.edges[mesh.kind == ACROSS_PLANES]
    lead = (
        np.mod(elements.mean_anomaly[ends[:, 1]] - elements.mean_anomaly[ends[:, 0]] + np.pi, 2 * np.pi)
        - np.pi
    )
    assert np.abs(lead).max() <= np.pi / 22 + 1e-9
    assert np.ptp(lead) < 1e-9


def test_links_of_a_delta_shell_all_stand_above_80_km() -> None:
    elements, plane, slot = walker_delta(550e3, np.radians(53.0), 1584, 72, 39)
    mesh = plus_grid(plane, slot, phasing=39)
    states = open_links(mesh.edges, circular_position(elements, 0.0))
    assert states.open.all()
    inside = mesh.kind == WITHIN_PLANE
    chord = 2 * (EARTH_RADIUS + 550e3) * np.sin(np.pi / 22)
    assert states.length[inside] == pytest.approx(np.full(inside.sum(), chord), abs=0.1)
    assert states.delay == pytest.approx(states.length / SPEED_OF_LIGHT)


def test_a_shell_of_few_satellites_has_links_through_the_air_that_do_not_stand() -> None:
    elements, plane, slot = walker_delta(550e3, np.radians(53.0), 6, 1)
    mesh = plus_grid(plane, slot)
    assert not open_links(mesh.edges, circular_position(elements, 0.0)).open.any()


def test_a_link_longer_than_the_terminals_reach_does_not_stand() -> None:
    elements, plane, slot = walker_delta(550e3, np.radians(53.0), 22, 1)
    mesh, position = plus_grid(plane, slot), circular_position(elements, 0.0)
    length = float(open_links(mesh.edges, position).length.max())
    assert open_links(mesh.edges, position, longest_range=length + 1.0).open.all()
    assert not open_links(mesh.edges, position, longest_range=length - 1.0).open.any()


def test_links_between_planes_that_cross_near_the_poles_turn_too_fast() -> None:
    """Iridium's star: a terminal of 0.08 deg/s loses its neighbours across planes beyond some 68 degrees."""
    elements, plane, slot = walker_star(780e3, np.radians(86.4), 66, 6, 2)
    mesh = plus_grid(plane, slot, phasing=2, seam=False)
    position = circular_position(elements, 0.0)
    velocity = circular_position(elements, 0.5) - circular_position(elements, -0.5)
    states = open_links(mesh.edges, position, velocity, slew_limit=np.radians(0.08))
    across = mesh.kind == ACROSS_PLANES
    height = position[mesh.edges, 2] / np.linalg.norm(position[mesh.edges], axis=2)
    latitude = np.degrees(np.abs(np.arcsin(height))).mean(axis=1)
    assert states.open[~across].all()
    assert latitude[across & ~states.open].min() > 65.0
    assert 60.0 < latitude[across & states.open].max() < 72.0
    assert open_links(mesh.edges, position, velocity, slew_limit=np.radians(0.2)).open.all()


def test_bodies_that_keep_their_attitude_turn_their_terminals_even_within_a_plane() -> None:
    elements, plane, slot = walker_delta(550e3, 0.9, 24, 1)
    mesh, position = plus_grid(plane, slot), circular_position(elements, 0.0)
    velocity = circular_position(elements, 0.5) - circular_position(elements, -0.5)
    limit = np.radians(0.05)  # an orbit in 96 minutes is 0.063 deg/s
    assert open_links(mesh.edges, position, velocity, slew_limit=limit).open.all()
    assert not open_links(mesh.edges, position, velocity, slew_limit=limit, attitude="stars").open.any()


def test_a_slew_limit_without_velocities_is_refused() -> None:
    with pytest.raises(ValueProblem, match="needs velocities"):
        open_links([[0, 1]], np.eye(3)[:2] * 7e6, slew_limit=0.01)


def test_shells_are_joined_side_by_side() -> None:
    both = joined([grid(2, 3), grid(3, 4)])
    assert both.satellites == 18
    parts = sorted(nx.connected_components(graph(both)), key=min)
    assert [len(part) for part in parts] == [6, 12]


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    elements, plane, slot = walker_delta(550e3, 0.9, 240, 12, 1)
    mesh, position = plus_grid(plane, slot, phasing=1), circular_position(elements, 0.0)
    whole = open_links(mesh.edges, position)
    monkeypatch.setattr("skyhall.network.mesh._CHUNK", 7)
    parts = open_links(mesh.edges, position)
    assert np.array_equal(whole.open, parts.open)
    assert np.array_equal(whole.length, parts.length)
