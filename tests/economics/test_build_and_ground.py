from __future__ import annotations

from dataclasses import replace

import pytest

from skyhall.economics import Builder, CostInputs, GroundSite
from skyhall.economics.build import learned_costs, learning_factor, subsystem_costs
from skyhall.economics.ground import ground_lines
from skyhall.errors import ValueProblem


def test_each_subsystem_has_its_own_price(inputs: CostInputs) -> None:
    bill = replace(inputs.batches[0].bill, cooling_kw=140, terminals=4)
    prices = replace(inputs.parts, cooling_usd_per_kw=300, terminal_usd=1e5)
    assert subsystem_costs(bill, prices) == {
        "bus": 400e3,
        "solar array": 1.7e6,
        "battery": 18e3,
        "radiator": 600e3,
        "coolant loop": 42e3,
        "terminals": 400e3,
        "propulsion": 0.0,
        "propellant": 0.0,
    }


def test_thruster_and_propellant_are_paid_for(inputs: CostInputs) -> None:
    bill = replace(inputs.batches[0].bill, propellant_kg=200)
    prices = replace(inputs.parts, propulsion_usd=1e5, propellant_usd_per_kg=1000)
    costs = subsystem_costs(bill, prices)
    assert (costs["propulsion"], costs["propellant"]) == (1e5, 2e5)


def test_learning_stops_at_the_lowest_price_known(inputs: CostInputs) -> None:
    prices = replace(inputs.parts, lowest=replace(inputs.parts, array_usd_per_w=6, bus_usd_per_kg=80))
    learned = learned_costs(inputs.batches[0].bill, prices, 0.5)
    assert learned["solar array"] == pytest.approx(170e3 * 6)
    assert learned["bus"] == pytest.approx(0.5 * 400e3)


def test_a_million_satellites_do_not_teach_the_market_of_propellant(inputs: CostInputs) -> None:
    bill = replace(inputs.batches[0].bill, propellant_kg=200)
    prices = replace(inputs.parts, propellant_usd_per_kg=1000)
    assert learned_costs(bill, prices, 0.1)["propellant"] == 2e5


def test_a_newcomer_pays_more_for_its_first_satellites_than_an_old_hand() -> None:
    old_hand = Builder(0.85, 5.2e6, 5.2e6)
    newcomer = replace(old_hand, experience_kg=0.0)
    assert learning_factor(1e6, newcomer) > 1.9 * learning_factor(1e6, old_hand)


def test_a_fleet_of_the_same_mass_costs_the_same_whatever_its_number_of_satellites(
    inputs: CostInputs,
) -> None:
    builder = inputs.builder
    assert learning_factor(1600 * 2500, builder) == learning_factor(800 * 5000, builder)


SITE = GroundSite(
    "site", 11.7, 15, pue=1.2, energy_usd_per_kwh=0.087, accelerator_failures=0.1, repair_share=0.5
)


def price(site: GroundSite, name: str) -> float:
    lines = ground_lines(site, accelerators=100, accelerator_usd=30e3, it_power_w=100e3, wacc=0.0)
    return sum(line.levelized_usd_per_year for line in lines if line.name == name)


def test_electricity_is_it_energy_times_pue_times_price() -> None:
    assert price(SITE, "electricity") == pytest.approx(100 * 8766 * 1.2 * 0.087)


def test_a_facility_is_paid_over_its_own_life() -> None:
    assert price(SITE, "facility") == pytest.approx(11.7 * 100e3 / 15)


def test_servers_are_paid_over_theirs() -> None:
    assert price(SITE, "accelerators") == pytest.approx(100 * 30e3 / 5)


def test_failed_accelerators_are_repaired_on_the_ground() -> None:
    assert price(SITE, "repairs") == pytest.approx(100 * 30e3 * 0.1 * 0.5)


def test_own_power_plant_is_sized_for_the_whole_facility() -> None:
    assert price(replace(SITE, plant_usd_per_w=1.8), "power plant") == pytest.approx(1.8 * 1.2 * 100e3 / 15)


def test_water_goes_with_it_energy() -> None:
    wet = replace(SITE, water_l_per_kwh=1.8, water_usd_per_m3=2.0)
    assert price(wet, "water") == pytest.approx(100 * 8766 * 1.8e-3 * 2.0)


def test_the_ground_loses_hours_to_checkpoints_and_restarts() -> None:
    assert replace(SITE, availability=0.9, lost_share=0.05).delivered_share == pytest.approx(0.855)


def test_an_availability_above_one_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="availability"):
        replace(SITE, availability=1.01)
