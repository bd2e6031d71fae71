"""The battery of a life of nights: recharged before the next, at the age that is flown, in partial light too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.satellite.flown import fly
from tests.satellite.satellite_inputs import YEAR, example_inputs

from skyhall.constants import SOLAR_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.shadow import limb_distance, lit_disc_fraction
from skyhall.satellite.battery_life import calendar_fade, cycle_fade
from skyhall.satellite.night import PERIHELION, charging_time, deepest_shade
from skyhall.satellite.sizing import SizedSatellite, size, to_design

NIGHTS = {"eclipse_fraction": np.full(1, 0.37), "beta": np.zeros(1), "irradiance": np.full(1, 1361.0)}
LOW = NIGHTS | {"altitude": 325e3, "air_density": 0.0}
FAST = {"battery_charge_rate": 1e-2, "battery_discharge_rate": 1e-2}
UNWORN = {"battery_cycles_at_reference": 1e9}
BOUND_BY: dict[str, dict[str, Any]] = {
    "charge_rate": UNWORN | {"battery_charge_rate": 0.8 / 3600.0, "battery_discharge_rate": 1e-2},
    "discharge_rate": UNWORN | {"battery_charge_rate": 1e-2, "battery_discharge_rate": 0.5 / 3600.0},
    "energy": UNWORN | FAST,
    "cycle_life": FAST,
}
PENUMBRA = {
    "eclipse_fraction": np.zeros(1),
    "irradiance": np.full(1, 1361.0),
    "altitude": 1400e3,
    "beta": np.full(1, np.arcsin(6378137.0 / 7778137.0) + np.radians(0.05)),
    "lit_fraction": np.full(1, 0.985),
}


def sized(**changes: Any) -> SizedSatellite:
    return size(example_inputs(**changes))


@pytest.mark.parametrize("case", BOUND_BY)
def test_a_battery_lives_through_sixty_orbits_whatever_binds_it(case: str) -> None:
    found = sized(**LOW, **BOUND_BY[case])
    assert found.battery_case == case
    design = to_design(found)
    flown = fly(design, 0.0, 0.37, 1361.0, step=10.0, orbits=60.0)
    assert flown.lowest_charge > design.battery_reserve / design.battery_capacity


@pytest.mark.parametrize("case", ["charge_rate", "energy"])
def test_a_battery_is_charged_again_before_the_next_night(case: str) -> None:
    found = sized(**LOW, **BOUND_BY[case])
    design = to_design(found)
    flown = fly(design, 0.0, 0.37, 1361.0, step=10.0, orbits=20.0)
    night = float(found.night_power * found.longest_eclipse) / 0.96
    light = 0.63 * float(kepler_period(325e3))
    # The promise: a taper of one time constant, which leaves power × taper time / e. Cells that albedo heats at noon
    # give a little less than the mean; what more they give at dawn is above the charge limit.
    left = night / float(charging_time(light, 900.0)) * 900.0 / np.e
    assert design.battery_capacity * (1.0 - flown.highest_charge) < 1.15 * left


@pytest.mark.parametrize("taper", [300.0, 900.0, 1800.0])
def test_constant_power_then_taper_takes_in_what_the_charging_time_says(taper: float) -> None:
    light, power, step = 3400.0, 100.0, 0.1
    left = power * taper / np.e  # at dusk, and again at the next
    missing = left + power * float(charging_time(light, taper))
    for _ in range(round(light / step)):
        missing -= min(power, missing / taper) * step
    assert missing == pytest.approx(left, rel=1e-3)


def test_a_light_shorter_than_the_taper_cannot_charge() -> None:
    assert np.isnan(charging_time(800.0, 900.0))


def test_partial_light_asks_for_the_battery_of_what_is_hidden() -> None:
    slow = {"battery_discharge_rate": 0.2 / 3600.0}
    found, free = (
        sized(**PENUMBRA | slow | {"lit_fraction": np.full(1, lit)}, safe_mode_time=1.0)
        for lit in (0.985, 1.0)
    )
    assert found.battery_case == "discharge_rate"
    shade = float(deepest_shade(example_inputs(**PENUMBRA)))
    capacity = found.night_power * shade / (0.2 / 3600.0)
    assert found.battery_capacity_end == pytest.approx(float(capacity), rel=1e-9)
    assert free.battery_capacity_end < 0.1 * found.battery_capacity_end


def test_the_deepest_shade_of_a_penumbra_is_that_of_the_disc_at_midnight() -> None:
    beta = float(PENUMBRA["beta"][0])
    sine = 6378137.0 / 7778137.0
    limb = limb_distance(-np.cos(beta), sine, np.sqrt(1.0 - sine**2), PERIHELION / SOLAR_RADIUS)
    assert deepest_shade(example_inputs(**PENUMBRA)) == pytest.approx(1.0 - lit_disc_fraction(limb))
    # 0.05 of the 0.271 degrees of the Sun's radius above the limb: two fifths of the disc are hidden.
    assert deepest_shade(example_inputs(**PENUMBRA)) == pytest.approx(0.383, abs=0.003)


def test_a_hidden_centre_counts_as_a_hidden_sun() -> None:
    assert deepest_shade(example_inputs(**NIGHTS)) == 1.0


def test_a_battery_of_thirty_days_keeps_more_than_one_of_thirty_years() -> None:
    calm = {"eclipse_fraction": np.zeros(1), "beta": np.full(1, 1.4), "irradiance": np.full(1, 1361.0)}
    month, generation = (sized(**calm, life=years * YEAR) for years in (30.0 / 365.25, 30.0))
    for found, years in ((month, 30.0 / 365.25), (generation, 30.0)):
        left = found.battery_capacity_end / found.battery_capacity_begin
        assert left == pytest.approx(1.0 - 0.05 * np.sqrt(years / 5.0), rel=1e-9)
    assert generation.battery_capacity_begin > 1.1 * month.battery_capacity_begin


def test_the_capacity_at_the_end_is_what_age_and_cycles_leave() -> None:
    found = sized(**LOW, **FAST, life=2.0 * YEAR)
    cycles = 2.0 * YEAR / float(kepler_period(325e3))
    depth = found.night_power * found.longest_eclipse / 0.96 / found.battery_capacity_begin
    worn = cycle_fade(cycles, depth, 27500.0, 0.4, 1.9, 0.15)
    aged = calendar_fade(2.0, 293.15, 5.0, 293.15, 0.05, 0.0)
    left = found.battery_capacity_end / found.battery_capacity_begin
    assert left == pytest.approx(float(1.0 - worn - aged), rel=1e-9)


def test_a_life_in_which_age_alone_costs_too_much_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueProblem, match="age alone costs the battery more capacity than it may lose"):
        sized(life=100.0 * YEAR, eclipse_fraction=np.zeros(73))  # 5 % in five years, 22 % in a hundred


def test_a_longer_life_darkens_the_radiator_and_enlarges_it() -> None:
    fixed = {"attitude": "orbit_normal", "beta": np.full(73, 0.7), "eclipse_fraction": np.zeros(73)}
    month, full, later = (sized(**fixed, life=years * YEAR) for years in (0.1, 5.0, 8.0))
    assert to_design(month).radiator_absorptivity == pytest.approx(0.08 + 0.07 * 0.1 / 5.0)
    assert to_design(full).radiator_absorptivity == pytest.approx(0.15)
    assert to_design(later).radiator_absorptivity == pytest.approx(0.15)
    assert full.absorbed > 1.01 * month.absorbed
