"""A day of a fleet's network: what of it stands, what it is worth beside the ground, and what comes down."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet, design
from skyhall.fleet_contacts import contact_table
from skyhall.fleet_network import fleet_mesh
from skyhall.ground_segment import ground_segment
from skyhall.network_survey import NetworkSurvey, survey
from skyhall.scenario import load
from skyhall.studies.resilience import resilience
from skyhall.twin import forecast

SMALL = ["orbit.shells.0.satellites=96", "orbit.shells.0.planes=12", "orbit.shells.0.phasing=5"]


@pytest.fixture(scope="module")
def walker() -> Fleet:
    return design(load("starlink-shell-53", overrides=SMALL))


@pytest.fixture(scope="module")
def found(walker: Fleet) -> NetworkSurvey:
    return survey(walker)


def test_a_ring_says_to_its_other_half_what_two_links_carry() -> None:
    bare = ["work.it_power=6 MW", "satellite.terminals=2"]
    ring = survey(design(load("dawn-dusk-200mw", overrides=bare))).mesh
    assert ring is not None
    assert ring.narrowest.capacity == pytest.approx(2.0 * 100e9)
    assert ring.stands == ring.connected == 1.0
    assert ring.of_clos == pytest.approx(200e9 / ring.clos)


def test_chords_of_spare_terminals_widen_a_ring() -> None:
    wide = survey(design(load("dawn-dusk-200mw", overrides=["work.it_power=12 MW"]))).mesh  # 100 satellites
    assert wide is not None
    assert wide.narrowest.links >= 10  # a bare ring has 2; a torus of 7 by 14 with one chord each some 14
    assert wide.connected == 1.0


def test_the_ground_fabric_is_half_the_accelerators_at_the_rate_of_their_cards(
    walker: Fleet, found: NetworkSurvey
) -> None:
    assert found.mesh is not None
    assert found.mesh.clos == pytest.approx(0.5 * walker.accelerators * 400e9)


def test_a_handover_moves_all_memory_at_the_mean_rate(walker: Fleet, found: NetworkSurvey) -> None:
    mesh = found.mesh
    assert mesh is not None
    assert mesh.memory_bits == pytest.approx(walker.designs[0].accelerators * 6.87e11)
    assert mesh.handover_s == pytest.approx(mesh.memory_bits / mesh.mean_rate)


def test_what_comes_down_is_what_the_passes_brought(found: NetworkSurvey) -> None:
    ground = found.ground
    assert ground is not None
    assert ground.fleet_bits == pytest.approx(ground.drawn.bits.sum())
    assert (ground.drawn.bits <= ground.table.clear + 1.0).all()
    assert 0.0 < ground.busy <= 1.0
    assert ground.sampled == 64
    assert ground.satellites == 96


def test_results_wait_where_the_stations_are_too_slow() -> None:
    def waiting(rate: str) -> float:
        fleet = design(load("starlink-shell-53", overrides=[*SMALL, f"network.results={rate}"]))
        ground = survey(fleet).ground
        assert ground is not None
        drawn = ground.drawn
        total = drawn.delivered.sum() + drawn.waiting.sum() + drawn.dropped.sum()
        assert drawn.arrived.sum() == pytest.approx(total, rel=1e-9)
        makers = len(fleet)
        assert drawn.arrived.sum() == pytest.approx(makers * float(rate.split()[0]) * 1e9 * DAY, rel=1e-9)
        return ground.waiting_share

    assert waiting("0.01 Gbit/s") < 0.01
    assert waiting("100 Gbit/s") > 0.9


def test_the_weather_of_a_seed_is_always_the_same(walker: Fleet) -> None:
    optical = design(load("dawn-dusk-200mw", overrides=["work.it_power=3 MW"]))
    first, again, other = (survey(optical, rng=np.random.default_rng(seed)).ground for seed in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.fleet_bits == again.fleet_bits != other.fleet_bits


def test_a_mesh_of_which_nothing_stands_is_none_or_an_error_where_it_was_asked_for() -> None:
    sets = [*SMALL, "satellite.terminal=optical-short-range"]
    result = survey(design(load("starlink-shell-53", overrides=sets)))
    assert result.mesh is None
    assert "none of 192 laser links stands" in result.no_mesh
    with pytest.raises(ValueProblem, match="optical-short-range reaches 300 km") as caught:
        survey(design(load("starlink-shell-53", overrides=[*sets, "network.mesh=grid"])))
    assert caught.value.place.key == "satellite.terminal"
    low = [*SMALL, "network.mesh=grid", "network.grazing_altitude=540 km"]
    with pytest.raises(ValueProblem, match="pass below 540 km"):
        survey(design(load("starlink-shell-53", overrides=low)))


def test_a_way_holds_as_long_as_satellites_are_left(walker: Fleet) -> None:
    dense = design(load("starlink-shell-53", overrides=["satellite.it_power=2 kW"]))
    mesh = fleet_mesh(dense)
    north, east = np.radians([51.5, 40.7]), np.radians([-0.1, -74.0])
    held = resilience(dense, mesh, north, east, mask=np.radians(25.0), rng=np.random.default_rng(3))
    assert held.bottleneck_gbps == 100.0
    assert held.disjoint_paths >= 4
    assert held.failed_reachable == 1.0
    again = resilience(dense, mesh, north, east, mask=np.radians(25.0), rng=np.random.default_rng(3))
    assert held == again
    few = resilience(
        walker, fleet_mesh(walker), north, east, mask=np.radians(25.0), rng=np.random.default_rng(3)
    )
    assert few.failed_reachable < 1.0
    assert few.disjoint_paths < held.disjoint_paths


def test_a_fleet_without_lasers_and_downlink_says_why_it_is_silent() -> None:
    scenario = load("starcloud-1")
    silent = scenario.model_copy(update={"network": scenario.network.model_copy(update={"downlink": None})})
    result = survey(design(silent))
    assert result.mesh is None
    assert result.ground is None
    assert "no terminal" in result.no_ground
    assert "no laser terminals" in result.no_mesh


def test_windows_hold_links_and_contacts_of_every_slot(walker: Fleet) -> None:
    windows = forecast(walker, start=3600.0, duration=7200.0, slot=1800.0)
    slots = list(windows.links())
    assert [each.start_s for each in slots] == [3600.0, 5400.0, 7200.0, 9000.0]
    assert all(len(each) == 192 for each in slots)
    contacts = windows.contacts()
    assert (contacts.start, contacts.stop) == (3600.0, 10800.0)
    direct = contact_table(walker, ground_segment(walker.scenario, walker.catalogue), 3600.0, 10800.0)
    np.testing.assert_array_equal(contacts.passes.rise, direct.passes.rise)
    assert set(contacts.columns()) == {
        *("satellite", "site", "rise_s", "set_s", "highest_s", "max_elevation_deg", "bits_clear", "bits")
    }


def test_contacts_of_chosen_satellites_are_those_of_the_fleet(walker: Fleet) -> None:
    ground = ground_segment(walker.scenario, walker.catalogue)
    whole = contact_table(walker, ground, 0.0, 20_000.0)
    some = contact_table(walker, ground, 0.0, 20_000.0, np.array([7, 50]))
    rows = np.isin(whole.passes.satellite, [7, 50])
    order = np.argsort(whole.passes.rise[rows], kind="stable")
    assert some.passes.rise == pytest.approx(whole.passes.rise[rows][order], abs=1e-6)
    assert set(some.columns()["satellite"].tolist()) == {7, 50}


def test_a_terminal_for_the_ground_is_weighed_powered_and_paid_for() -> None:
    from skyhall.costing import cost_inputs

    plain, extra = (
        design(load("dawn-dusk-200mw", overrides=["work.it_power=3 MW", *more]))
        for more in ([], ["network.downlink=ka-band-radio"])
    )
    radio = extra.catalogue.part("terminals", "ka-band-radio")
    terminals = [fleet.designs[0].masses["terminals"] for fleet in (plain, extra)]
    assert terminals[1] - terminals[0] == pytest.approx(radio("mass", "kg"))
    assert extra.designs[0].fixed_load - plain.designs[0].fixed_load >= radio("power", "W")
    bill, prices = (cost_inputs(extra, 0.9).batches[0].bill, cost_inputs(extra, 0.9).parts)
    assert bill.downlinks * prices.downlink_usd == radio("price", "USD")
