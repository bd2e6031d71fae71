from __future__ import annotations

import pytest

from skyhall.costing import cost_inputs, price
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
    assert batch.bill.bus_kg + priced_apart + fleet.designs[0].propellant == pytest.approx(batch.bill.mass_kg)


def test_every_satellite_and_accelerator_is_paid_for(fleet: Fleet) -> None:
    sheet = price(fleet, 0.95)
    assert sheet.gpus == fleet.accelerators
    assert sum(loading.satellites for loading in sheet.manifests) == len(fleet)


def test_a_sun_synchronous_orbit_leaves_starship_60_tonnes_of_its_100(fleet: Fleet) -> None:
    (batch,) = cost_inputs(fleet, 0.95).batches
    assert batch.payload_to_orbit_kg == pytest.approx(60.5e3, abs=300)


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
