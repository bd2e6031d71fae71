"""Worst cases: the darkest day met exactly, hot and cold surroundings, thrust in thick air, pumps of all heat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.satellite.satellite_inputs import example_inputs

from skyhall.catalogue import load_catalogue
from skyhall.fleet import design
from skyhall.orbit.elements import kepler_period, raan_from_local_time, sun_synchronous_inclination
from skyhall.orbit.seasons import LightYear, year_of_light
from skyhall.satellite.sizing import SizedSatellite, SizingInputs, size
from skyhall.satellite.worst_case import darkest_days
from skyhall.scenario import load

EPOCH = 2461042.0  # 2026-01-01 12:00; no sample of 2.5 days falls on the December solstice


def sized(**changes: Any) -> SizedSatellite:
    return size(example_inputs(**changes))


def dawn_dusk(altitude: float, samples: int) -> LightYear:
    raan = raan_from_local_time(6 * 3600.0, EPOCH)
    return year_of_light(altitude, sun_synchronous_inclination(altitude), raan, EPOCH, samples=samples)


def of_scenario(shell: dict[str, Any], **satellite: Any) -> SizingInputs:
    scenario = {
        "schema": "skyhall/v1",
        "name": "worst-case",
        "orbit": {"shells": [shell]},
        "satellite": satellite,
    }
    return design(load(scenario)).sized[0].inputs


def test_a_grazing_eclipse_is_met_though_no_sample_falls_on_its_day() -> None:
    altitudes = np.linspace(1385e3, 1396e3, 9)
    minute = 60.0 / float(kepler_period(1390e3))
    for altitude in altitudes:
        few, many = dawn_dusk(altitude, 147), dawn_dusk(altitude, 4_001)
        found = darkest_days(few.altitude, few.beta, few.eclipse_fraction, few.lit_fraction)
        assert found.eclipse_fraction.max() == pytest.approx(many.eclipse_fraction.max(), abs=0.01 * minute)


def test_the_light_falls_by_what_the_eclipse_grows() -> None:
    few = dawn_dusk(1395e3, 147)
    found = darkest_days(few.altitude, few.beta, few.eclipse_fraction, few.lit_fraction)
    growth = found.eclipse_fraction - few.eclipse_fraction
    assert growth.max() > 0.0
    assert found.lit_fraction == pytest.approx(few.lit_fraction - growth, abs=1e-12)


def test_a_day_that_is_not_the_darkest_stays_as_it_was() -> None:
    few = dawn_dusk(650e3, 147)
    found = darkest_days(few.altitude, few.beta, few.eclipse_fraction, few.lit_fraction)
    assert np.count_nonzero(found.beta != few.beta) == 1


def test_the_year_of_every_orbit_is_refined() -> None:
    years = year_of_light(np.array([600e3, 650e3]), np.radians(97.8), np.zeros(2), EPOCH, samples=50)
    found = darkest_days(years.altitude, years.beta, years.eclipse_fraction, years.lit_fraction)
    assert found.beta.shape == years.beta.shape
    assert np.all(found.eclipse_fraction.max(axis=-1) >= years.eclipse_fraction.max(axis=-1))


def test_hot_and_cold_case_take_the_ends_of_the_catalogues_ranges() -> None:
    inputs = of_scenario({"pattern": "sun_synchronous", "altitude": "650 km", "satellites": 1})
    earth = load_catalogue().part("environments", "earth")
    cold, hot = earth.bounds("infrared", "W/m**2")
    assert inputs.albedo == earth.bounds("albedo")[1]
    assert (inputs.earth_infrared_cold, inputs.earth_infrared) == (cold, hot)


def test_a_penumbra_reaches_the_sizing() -> None:
    # At 1,400 km the Sun's centre stays visible over the whole year, its disc does not.
    shell = {"pattern": "sun_synchronous", "altitude": "1400 km", "local_time": "06:00", "satellites": 1}
    inputs = of_scenario(shell, night="ride", it_power="120 kW")
    assert np.max(inputs.eclipse_fraction) == 0.0
    assert np.max(inputs.dark_share) > 0.0
    assert size(inputs).battery_case != "minimum"


def test_thrust_is_that_of_thick_air_and_propellant_that_of_mean_air() -> None:
    mean, thick = (sized(altitude=400e3, air_density=3e-12, air_density_high=high) for high in (3e-12, 9e-12))
    assert thick.thruster_power == pytest.approx(3.0 * mean.thruster_power, rel=0.1)
    assert thick.propellant == pytest.approx(mean.propellant, rel=0.1)


def test_the_pump_takes_its_share_of_all_heat() -> None:
    found = sized(pump_share=0.05)
    work = found.it_power / 0.93
    base = 300.0 + 4 * 80.0 + found.thruster_power
    assert 0.95 * found.bus_power == pytest.approx(float(base + work), rel=1e-12)
