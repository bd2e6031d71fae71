"""A fleet's mesh: who is linked, over which distance, at which rate, and what acquisition takes."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet, design
from skyhall.fleet_network import RECHOSEN, FleetMesh, fleet_mesh, formation_places
from skyhall.network.mesh import ACROSS_PLANES, ACROSS_SHELLS, NEIGHBOURS, WITHIN_PLANE
from skyhall.orbit.elements import kepler_period
from skyhall.scenario import load


def fleet(*overrides: str, source: str = "starlink-shell-53") -> Fleet:
    return design(load(source, overrides=list(overrides)))


WALKER = ("orbit.shells.0.satellites=96", "orbit.shells.0.planes=8", "orbit.shells.0.phasing=1")


@pytest.fixture(scope="module")
def walker() -> FleetMesh:
    return fleet_mesh(fleet(*WALKER))


@pytest.fixture(scope="module")
def formation() -> FleetMesh:
    return fleet_mesh(fleet(source="suncatcher-81"))


def test_a_walker_shell_is_a_grid_of_four_links_each(walker: FleetMesh) -> None:
    assert len(walker.lasting) == 2 * 96
    assert (walker.lasting.degree == 4).all()
    assert sorted(np.unique(walker.lasting.kind).tolist()) == [WITHIN_PLANE, ACROSS_PLANES]


def test_lengths_are_distances_and_delays_are_those_of_light(walker: FleetMesh) -> None:
    links = walker.links(700.0)
    where = walker.fleet.positions(np.array([700.0]))[:, 0]
    one, other = links.edges[5]
    assert links.length[5] == pytest.approx(np.linalg.norm(where[one] - where[other]), rel=1e-12)
    assert links.delay[5] == pytest.approx(links.length[5] / SPEED_OF_LIGHT)


def test_a_link_beyond_the_terminal_or_below_the_air_carries_nothing(walker: FleetMesh) -> None:
    links = walker.links(0.0)
    assert walker.terminal is not None
    too_far = links.length > float(walker.terminal.longest_range)
    assert 0 < too_far.sum() < len(links)  # eight planes are far apart at the equator
    assert not links.stands[too_far].any()
    assert (links.rate[~links.stands] == 0.0).all()
    assert (links.rate[links.stands] > 0.0).all()


def test_links_in_a_plane_stand_all_day_and_keep_their_length(walker: FleetMesh) -> None:
    lengths = []
    for seconds in np.linspace(0.0, 86400.0, 7):
        links = walker.links(float(seconds))
        within = links.kind == WITHIN_PLANE
        assert links.stands[within].all()
        lengths.append(links.length[within])
    assert np.ptp(np.array(lengths), axis=0).max() < 1.0  # m


def test_a_slow_gimbal_breaks_the_links_that_turn(walker: FleetMesh) -> None:
    slow = fleet_mesh(fleet(*WALKER, "catalogue.optical-mass-produced.slew_rate=0.01 deg/s"))
    quick, stiff = walker.links(0.0), slow.links(0.0)
    assert not (stiff.stands & ~quick.stands).any()
    lost = quick.stands & ~stiff.stands
    assert lost.any()
    assert (quick.kind[lost] == ACROSS_PLANES).any()


def test_a_formation_is_linked_along_its_lattice(formation: FleetMesh) -> None:
    assert len(formation.lasting) == 140  # pairs a step apart within five steps, counted row by row
    assert set(formation.lasting.kind.tolist()) == {NEIGHBOURS}
    period = float(kepler_period(650e3))
    for seconds in (0.0, 0.125 * period, 0.25 * period, 0.4 * period):
        length = formation.links(seconds).length
        assert length.min() > 99.0
        assert length.max() < 201.0


def test_places_of_a_formation_turn_as_a_rigid_lattice(formation: FleetMesh) -> None:
    own = np.ones(81, np.bool_)
    first, later = (formation_places(formation.fleet, own, seconds) for seconds in (0.0, 1234.0))
    assert np.linalg.norm(later, axis=1) == pytest.approx(np.linalg.norm(first, axis=1), abs=1e-6)
    assert np.abs(later - first).max() > 100.0


def test_a_lone_satellite_has_no_mesh_and_says_so_when_one_is_asked_for() -> None:
    assert len(fleet_mesh(fleet(source="starcloud-1")).lasting) == 0
    lone = fleet(
        "orbit.shells.0.satellites=1",
        "orbit.shells.0.planes=1",
        "orbit.shells.0.phasing=0",
        "network.mesh=grid",
    )
    with pytest.raises(ValueProblem, match="a shell with one satellite has no mesh") as caught:
        fleet_mesh(lone)
    assert caught.value.place.key == "network.mesh"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("network.mesh=lattice",), "walker_delta shell is no formation"),
        (("network.mesh=grid", "satellite.terminals=0"), "make no mesh"),
        (("network.mesh=grid", "satellite.terminal=x-band-radio"), "make no mesh"),
    ],
)
def test_a_mesh_that_cannot_be_is_an_error(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueProblem, match=message):
        fleet_mesh(fleet(*WALKER, *overrides))


def test_the_mesh_can_be_left_out() -> None:
    found = fleet_mesh(fleet(*WALKER, "network.mesh=none"))
    assert len(found.lasting) == len(found.links(0.0)) == len(found.slot(0.0, 900.0)) == 0
    assert found.looks_down.all()


def test_a_full_grid_looks_down_only_with_a_terminal_for_it() -> None:
    scenario = load("starlink-shell-53", overrides=list(WALKER))
    bare = scenario.model_copy(update={"network": scenario.network.model_copy(update={"downlink": None})})
    assert not fleet_mesh(design(bare)).looks_down.any()
    assert fleet_mesh(design(scenario)).looks_down.all()


SHELLS = {
    "orbit": {
        "shells": [
            {
                "pattern": "walker_delta",
                "altitude": "550 km",
                "inclination": "53 deg",
                "satellites": 40,
                "planes": 1,
            },
            {
                "pattern": "walker_delta",
                "altitude": "700 km",
                "inclination": "53 deg",
                "satellites": 40,
                "planes": 1,
            },
        ]
    },
    "satellite": {"accelerator": "h100-sxm", "it_power": "20 kW"},
}


def test_shells_reach_each_other_with_terminals_that_rings_leave_free() -> None:
    mesh = fleet_mesh(design(load(SHELLS)))
    table = mesh.links(0.0)
    across = table.kind == ACROSS_SHELLS
    assert 30 <= across.sum() <= 40
    ends = table.edges[across]
    assert ((ends < 40).sum(axis=1) == 1).all()
    assert np.bincount(ends.ravel()).max() == 1
    # Two in the ring, one across, one for the ground.
    assert mesh.looks_down.all()


def test_links_between_shells_are_chosen_anew_and_acquired_first() -> None:
    mesh = fleet_mesh(design(load(SHELLS)))
    now, later = mesh.links(10.0), mesh.links(10.0 + 24.0 * RECHOSEN)
    pairs = [set(map(tuple, each.edges[each.kind == ACROSS_SHELLS].tolist())) for each in (now, later)]
    assert pairs[0] != pairs[1]
    slot = mesh.slot(0.0, 7200.0)
    lasting = slot.kind == WITHIN_PLANE
    assert slot.rate[lasting] == pytest.approx(np.full(lasting.sum(), 100e9))
    assert slot.rate[~lasting].max() < 100e9
    single = {**SHELLS, "network": {"cross_shell": "false"}}
    single["satellite"] = {**SHELLS["satellite"], "terminals": 3}  # two for the ring, one for the ground
    assert len(fleet_mesh(design(load(single))).links(0.0)) == 80


def test_what_a_link_carries_in_a_slot_is_what_its_moments_carry() -> None:
    mesh = fleet_mesh(fleet(*WALKER))
    slot = mesh.slot(0.0, 900.0)
    moments = [mesh.links(150.0 + 300.0 * index) for index in range(3)]
    assert slot.stands == pytest.approx(np.mean([each.stands for each in moments], axis=0))
    assert slot.delay == pytest.approx(np.mean([each.delay for each in moments], axis=0))
    before = mesh.links(-150.0).stands
    always = before & np.all([each.stands for each in moments], axis=0)
    expected = np.mean([each.rate for each in moments], axis=0)
    assert slot.rate[always] == pytest.approx(expected[always])
    assert (slot.rate <= expected + 1e-3).all()
    reacquired = ~before & np.all([each.stands for each in moments], axis=0)
    if reacquired.any():
        assert mesh.terminal is not None
        lost = float(mesh.terminal.reacquisition_time) / 900.0
        assert slot.rate[reacquired] == pytest.approx(expected[reacquired] * (1.0 - lost), rel=1e-6)
