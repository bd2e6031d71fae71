from __future__ import annotations

import pytest

from skyhall.costing import cost_inputs, price
from skyhall.economics.launch import payload_to_orbit
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet, design
from skyhall.scenario import load

DEFAULT = "dawn-dusk-200mw"


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return design(load(DEFAULT))


def test_the_bill_weighs_what_the_satellite_does(fleet: Fleet) -> None:
    (batch,) = cost_inputs(fleet, 0.95).batches
    masses = fleet.designs[0].masses
    priced_apart = sum(masses[line] for line in ("payload", "array", "battery", "radiator"))
    priced_apart += masses["heat_transport"] + masses["terminals"]
    priced_apart += fleet.catalogue.part("propulsions", "hall-krypton")("mass", "kg")
    assert batch.bill.bus_kg + priced_apart + fleet.designs[0].propellant == pytest.approx(batch.bill.mass_kg)


def test_every_satellite_and_accelerator_is_paid_for(fleet: Fleet) -> None:
    sheet = price(fleet, 0.95)
    assert sheet.gpus == fleet.accelerators
    assert sum(loading.satellites for loading in sheet.manifests) == len(fleet)


def test_a_sun_synchronous_orbit_leaves_starship_60_tonnes_of_its_100(fleet: Fleet) -> None:
    (batch,) = cost_inputs(fleet, 0.95).batches
    assert batch.payload_to_orbit_kg == pytest.approx(60.5e3, abs=300)


def payload(*overrides: str) -> float:
    (batch,) = cost_inputs(design(load(DEFAULT, overrides=overrides)), 0.95).batches
    return float(batch.payload_to_orbit_kg or 0.0)


def test_a_satellite_that_climbs_by_itself_still_pays_for_its_inclination() -> None:
    # 473 m/s of the Earth's rotation are lost from 28.5 degrees to a sun-synchronous plane, at 200 km as well.
    expected = payload_to_orbit(100e3, 120e3, 375.0, 465.1 * (0.8788 + 0.1390))
    assert payload("satellite.transfer_delta_v=260 m/s") == pytest.approx(float(expected), rel=2e-3)


def test_a_token_climb_is_refused_with_what_it_would_take() -> None:
    with pytest.raises(ValueProblem, match="1 m/s do not lift a satellite from 200 km") as caught:
        payload("satellite.transfer_delta_v=1 m/s")
    assert caught.value.place.key == "satellite.transfer_delta_v"
    assert caught.value.right is not None
    assert "254 m/s" in caught.value.right


def test_the_speed_to_the_geostationary_ring_has_the_plane_change_in_it() -> None:
    (batch,) = cost_inputs(design(load("geo-1gw")), 0.95).batches
    assert batch.payload_to_orbit_kg == pytest.approx(100e3)


def test_spares_are_launched_and_paid_for(fleet: Fleet) -> None:
    accelerator = fleet.catalogue.part("accelerators", "gb300-nvl72")("mass", "kg")
    works = fleet.designs[0].accelerators
    spares = round(0.2 * works)
    assert fleet.designs[0].masses["payload"] == pytest.approx(accelerator * (works + spares))
    assert cost_inputs(fleet, 0.95).reliability.spares_share == pytest.approx(spares / works)


def test_a_lone_accelerator_has_no_fifth_of_a_spare() -> None:
    assert cost_inputs(design(load("starcloud-1")), 0.5).reliability.spares_share == 0.0


def test_a_price_typed_in_a_scenario_has_no_floor() -> None:
    typed = design(load(DEFAULT, overrides=["catalogue.starlink-silicon.cost=2 USD/W"]))
    lowest = cost_inputs(typed, 0.95).parts.lowest
    assert lowest is not None
    assert (lowest.array_usd_per_w, lowest.bus_usd_per_kg) == (0.0, 500.0)


def test_a_demonstrator_is_not_charged_a_constellation_s_engineering() -> None:
    sheet = price(design(load("suncatcher-81")), 0.95)
    engineering = next(line for line in sheet.orbit if line.name == "engineering")
    assert engineering.capital_usd < 0.5 * sheet.capital()


def test_the_scenario_s_launch_price_replaces_the_vehicle_s() -> None:
    cheap = design(load(DEFAULT, overrides=["launch.price=50 USD/kg"]))
    assert price(cheap, 0.95).launch_price_usd_per_kg == pytest.approx(50)


def test_a_shared_flight_is_paid_by_the_kilogram() -> None:
    fleet = design(load("starcloud-1"))
    launch = price(fleet, 0.5).lines("launch")[0]
    assert launch.capital_usd == pytest.approx(fleet.mass * 7000)


def test_every_cost_line_names_parts_of_the_catalogue(fleet: Fleet) -> None:
    sheet = price(fleet, 0.95)
    for line in (*sheet.orbit, *sheet.ground):
        assert line.sources
        assert all(name in fleet.catalogue.parts for name in line.sources)


def test_wear_out_and_cold_spares_are_the_scenarios_choice() -> None:
    def surviving(*overrides: str) -> float:
        asked = design(load("dawn-dusk-200mw", overrides=["orbit.shells.0.satellites=2", *overrides]))
        return cost_inputs(asked, 0.95).surviving

    part = "catalogue.orbit-first-model"
    plain = surviving()
    assert surviving(f"{part}.failure_shape=3") > plain  # what wears out works while it is young
    assert surviving(f"{part}.cold_spares=1") > plain
    assert surviving(f"{part}.spares_share=0") < plain
