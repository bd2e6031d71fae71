"""Heaters: a thermostat that keeps the coolant liquid in the longest night and in safe mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.satellite.flown import fly
from tests.satellite.satellite_inputs import example_inputs

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.satellite.heat import heater_load
from skyhall.satellite.sizing import SizedSatellite, size, to_design

NIGHT = {"eclipse_fraction": np.full(1, 0.33), "beta": np.full(1, 0.5), "irradiance": np.full(1, 1361.0)}
COLDEST = 243.15
GEO = {
    "eclipse_fraction": np.full(1, 0.0483),
    "beta": np.zeros(1),
    "irradiance": np.full(1, 1361.0),
    "altitude": 35_786e3,
    "air_density": 0.0,
    "night_share": 0.0,
    "idle_share": 0.05,
}


def sized(**changes: Any) -> SizedSatellite:
    return size(example_inputs(**changes))


def test_the_coldest_coolant_is_that_of_a_night_flown_step_by_step() -> None:
    found = sized(**NIGHT, night_share=0.0, coolant_coldest=150.0)
    flown = fly(to_design(found), 0.5, 0.33, 1361.0)
    # The flown array enters the night warm, which sizing leaves out.
    assert flown.coldest_coolant - 12.0 < float(found.coldest_coolant) < flown.coldest_coolant


@pytest.mark.parametrize("band", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("idle", [0.0, 0.05])
def test_a_geostationary_night_never_freezes_the_coolant(band: float, idle: float) -> None:
    found = sized(**GEO | {"idle_share": idle}, heater_band=band)
    assert found.coldest_coolant < COLDEST
    flown = fly(to_design(found), 0.0, 0.0483, 1361.0, step=20.0, orbits=2.0)
    assert COLDEST < flown.coldest_coolant < COLDEST + band


def test_without_its_heaters_the_same_coolant_freezes() -> None:
    design = replace(to_design(sized(**GEO)), heater_power=0.0)
    assert fly(design, 0.0, 0.0483, 1361.0, step=20.0, orbits=2.0).coldest_coolant < COLDEST - 20.0


def test_the_battery_carries_the_heaters_of_the_longest_night() -> None:
    design = to_design(sized(**GEO))
    flown = fly(design, 0.0, 0.0483, 1361.0, step=20.0, orbits=2.0)
    assert flown.lowest_charge > design.battery_reserve / design.battery_capacity


def test_the_coldest_case_takes_seven_tenths_of_the_installed_heaters() -> None:
    found = sized(**GEO)
    radiator = 2.0 * found.radiator_area * 0.9
    night_heat = found.fixed_load + (1.0 + found.overhead_per_it) * found.it_idle
    drop = 5.0 * night_heat / found.bus_power
    seen = found.radiator_earth_view * (1.0 + 0.85 * found.radiator_array_view)
    lost = radiator * (0.9 * STEFAN_BOLTZMANN * (COLDEST - drop) ** 4 - seen * 237.0) - night_heat
    assert found.heater_power == pytest.approx(float(lost) / 0.7, rel=1e-3)


def test_a_colder_earth_asks_for_more_heaters() -> None:
    low = NIGHT | {"night_share": 0.0, "idle_share": 0.0, "coolant_coldest": 260.0}
    assert sized(**low, earth_infrared_cold=200.0).night_heating > 1.05 * sized(**low).night_heating


def _safe_mode(found: SizedSatellite, view: float) -> tuple[float, float]:
    """Return the coldest coolant (K) and the energy drawn (J) over the safe mode's time, from the set point on."""
    design = to_design(found)
    base = 300.0 + 4 * 80.0  # W, without pumps
    emitting = 2.0 * design.radiator_area * 0.9 * 0.9 * STEFAN_BOLTZMANN * view
    coolant, coldest, energy, step = design.heater_set, 1e3, 0.0, 5.0
    for _ in range(round(7200.0 / step)):
        heaters = heater_load(coolant, design.heater_power, design.heater_set, 1.0 / design.heater_band)
        coolant += (base + heaters - emitting * coolant**4) * step / design.coolant_heat_capacity
        coldest = min(coldest, coolant)
        energy += (base + heaters) * step
    return coldest, energy


def test_a_satellite_in_safe_mode_keeps_its_coolant_liquid_on_its_battery() -> None:
    found = sized(eclipse_fraction=np.zeros(73), safe_mode_view=0.05)
    assert found.battery_case == "minimum"
    coldest, energy = _safe_mode(found, 0.05)
    assert coldest > COLDEST
    assert energy <= 0.8 * 0.96 * found.battery_capacity_end


def test_a_radiator_that_stays_in_the_loop_costs_a_battery_of_its_emission() -> None:
    # What the radiator of a 100 kW satellite gives off at -25 degrees for two hours.
    found, isolated = (sized(eclipse_fraction=np.zeros(73), safe_mode_view=view) for view in (1.0, 0.02))
    coldest, energy = _safe_mode(found, 1.0)
    assert coldest > COLDEST
    assert energy <= 0.8 * 0.96 * found.battery_capacity_end
    assert found.safe_mode_power > 20.0 * isolated.safe_mode_power
