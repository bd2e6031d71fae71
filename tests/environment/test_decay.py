"""Drag, decay and deorbit, against closed forms, re-entries that happened, and published lifetimes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.catalogue.maps import load_map
from skyhall.constants import DAY, EARTH_GM, EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment import decay
from skyhall.environment.air import AirTable, SolarCycle, density
from skyhall.errors import ValueProblem

TABLE = AirTable(**load_map("air"))
CYCLE = SolarCycle(70.0, 185.0)
WEAK_CYCLE = SolarCycle(68.0, 146.0)  # cycle 24
TYPICAL = 100.0 / (2.2 * 1.0)  # kg/m²; most satellites have 50 to 200 kg per m²
SCALE = 50e3  # m


def exponential() -> AirTable:
    """Air of one scale height, so that the decay has a closed form."""
    heights = np.array([100e3, 2000e3])
    falling = 1e-7 * np.exp(-(heights - 100e3) / SCALE)
    return AirTable(heights, np.array([60.0, 260.0]), np.zeros(2), np.stack([falling, falling], axis=-1))


def test_drag_on_a_square_metre_at_the_stations_height_is_a_quarter_of_a_millinewton() -> None:
    # 0.5 × 3.3e-12 kg/m³ × (7.67 km/s)² × 2.2 × 1 m²
    assert decay.drag(3.3e-12, 400e3, 2.2, 1.0) == pytest.approx(2.13e-4, rel=0.01)


@given(st.floats(200e3, 1500e3), st.floats(10.0, 300.0))
def test_an_orbit_loses_the_energy_that_drag_takes(altitude: float, ballistic: float) -> None:
    speed = np.sqrt(EARTH_GM / (EARTH_RADIUS + altitude))
    power = speed * decay.drag(density(altitude, 120.0, TABLE), altitude, 1.0, 1.0) / ballistic  # W/kg
    sinking = decay.decay_rate(altitude, ballistic, 120.0, TABLE)
    assert sinking * EARTH_GM / (2.0 * (EARTH_RADIUS + altitude) ** 2) == pytest.approx(
        float(power), rel=1e-9
    )


@pytest.mark.parametrize("altitude", [300e3, 501e3, 800e3])
def test_in_air_of_one_scale_height_the_lifetime_is_king_heles(altitude: float) -> None:
    # H (1 - exp(-(h - h0) / H)) / (sqrt(GM a) ρ / B), with a as at the start: King-Hele (1987), circular orbits.
    air = exponential()
    rate = float(decay.decay_rate(altitude, TYPICAL, 120.0, air))
    expected = SCALE * (1.0 - np.exp(-(altitude - decay.REENTRY_ALTITUDE) / SCALE)) / rate
    assert decay.decay_time(altitude, TYPICAL, 120.0, air) == pytest.approx(expected, rel=0.006)


def test_twice_the_mass_lasts_twice_as_long() -> None:
    once, twice = decay.decay_time(500e3, np.array([20.0, 40.0]), 120.0, TABLE)
    assert twice == pytest.approx(2.0 * once, rel=1e-12)


def test_altitudes_coefficients_and_activities_broadcast() -> None:
    heights, ballistic = np.array([400e3, 500e3, 600e3]), np.array([[20.0], [50.0]])
    found = decay.decay_time(heights, ballistic, 120.0, TABLE)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(float(decay.decay_time(600e3, 50.0, 120.0, TABLE)), rel=1e-3)
    assert decay.decay_time(500e3, 50.0, np.array([70.0, 185.0]), TABLE).shape == (2,)
    assert decay.decay_time(heights, 50.0, CYCLE, TABLE).shape == (3,)


def test_at_120_km_nothing_is_left() -> None:
    assert decay.decay_time(120e3, TYPICAL, 120.0, TABLE) == 0.0


# Against what happened and what others compute


def test_against_tiangong_1_the_last_eight_days_follow_from_the_119_before() -> None:
    # 296.0 km on 26 November 2017, 216.2 km on 25 March 2018 (China Manned Space Engineering Office), re-entry 2 April
    # 00:15 UTC; F10.7 near 70. The share of the last stretch does not depend on mass and area.
    high, low = decay.decay_time(np.array([296.0e3, 216.2e3]), 1.0, 70.0, TABLE)
    assert low / high == pytest.approx(8.0 / 127.0, rel=0.12)


def test_against_tiangong_1_the_area_that_it_fell_with_is_that_of_its_body_and_panels() -> None:
    # 8.5 t at launch; 10.5 m × 3.35 m lengthwise is 35 m² without panels, 8.8 m² from the front.
    ballistic = 127.0 * DAY / decay.decay_time(296.0e3, 1.0, 70.0, TABLE)
    area = 8500.0 / (2.2 * ballistic)
    assert 15.0 < area < 45.0


def test_against_the_space_station_it_sinks_two_to_four_kilometres_a_month() -> None:
    # NASA's ephemeris of March 2024: 459,325 kg, 1,487.8 m², drag coefficient 1.85; F10.7 near 150, 415 km. Measured
    # 2 km a month in 2023 ("up to 100 m a day", NASA); NRLMSISE-00 is known to be too thick these decades.
    ballistic = 459_325.0 / (1.85 * 1487.8)
    month = decay.decay_rate(415e3, ballistic, 150.0, TABLE) * 30.4 * DAY
    assert 2.0e3 < month < 4.0e3


def test_against_drama_a_cubesat_at_510_km_lasts_16_years() -> None:
    # LISSA (University of Michigan): 7.5 kg, 0.0226 m², 510 km; ESA's DRAMA gives mid-2028 to 2044, about 16 years.
    years = decay.decay_time(510e3, 7.5 / (2.2 * 0.0226), WEAK_CYCLE, TABLE) / JULIAN_YEAR
    assert years == pytest.approx(16.0, abs=2.0)


def test_against_drama_the_same_cubesat_tumbling_takes_four_to_six_years() -> None:
    # The same study: 5.8 years when tumbling begins 18 months after launch, 4.4 years three years after. The mean
    # area is taken as a quarter of a 6U's surface (0.1 m × 0.226 m × 0.366 m): 0.071 m².
    years = decay.decay_time(510e3, 7.5 / (2.2 * 0.071), WEAK_CYCLE, TABLE) / JULIAN_YEAR
    assert 4.0 < years < 6.2


def test_against_spacex_a_dead_starlink_at_550_km_falls_within_one_to_three_years() -> None:
    # SpaceX to the FCC (2018, 2021): at most five years, one to three as a rule. 260 kg, tumbling with about 13 m²:
    # half of an array of 8 m × 3 m and of its body.
    years = decay.decay_time(550e3, 260.0 / (2.2 * 13.0), WEAK_CYCLE, TABLE) / JULIAN_YEAR
    assert 1.0 < years < 3.0


@pytest.mark.parametrize(
    ("altitude", "least", "most"),
    # NASA Orbital Debris Program Office, frequently asked questions: below 600 km "several years", at 800 km
    # "centuries", above 1,000 km "a thousand years or more".
    [(550e3, 2.0, 15.0), (800e3, 100.0, 500.0), (1050e3, 700.0, 5000.0)],
)
def test_against_nasas_rule_of_thumb(altitude: float, least: float, most: float) -> None:
    years = decay.decay_time(altitude, TYPICAL, CYCLE, TABLE) / JULIAN_YEAR
    assert least < years < most


# The way down after work


def test_a_spiral_from_650_km_with_193_metres_per_second_ends_at_300_km() -> None:
    found = decay.deorbit(650e3, 193.0, 3e-4, 20.0, CYCLE, TABLE)
    assert found.end_altitude == pytest.approx(303e3, abs=1e3)
    assert found.thrust_time_s == pytest.approx(193.0 / 3e-4)
    assert found.decay_time_s == pytest.approx(
        float(decay.decay_time(found.end_altitude, 20.0, CYCLE, TABLE))
    )
    assert found.total_s == found.thrust_time_s + found.decay_time_s


def test_without_propellant_the_way_down_is_natural_decay() -> None:
    found = decay.deorbit(550e3, 0.0, 0.0, 20.0, CYCLE, TABLE)
    assert found.thrust_time_s == 0.0
    assert found.total_s == pytest.approx(float(decay.decay_time(550e3, 20.0, CYCLE, TABLE)))


def test_propellant_that_would_reach_the_ground_is_not_spent_below_120_km() -> None:
    found = decay.deorbit(400e3, 1000.0, 1e-3, 20.0, 140.0, TABLE)
    assert found.end_altitude == decay.REENTRY_ALTITUDE
    assert found.delta_v == pytest.approx(163.0, abs=2.0)
    assert found.decay_time_s == 0.0


def test_a_fleet_comes_down_in_one_call() -> None:
    found = decay.deorbit(np.array([500e3, 700e3]), np.array([100.0, 210.0]), 1e-4, 20.0, CYCLE, TABLE)
    assert found.total_s.shape == (2,)


# Bad input


@pytest.mark.parametrize("ballistic", [0.0, -1.0, np.nan])
def test_a_ballistic_coefficient_is_above_zero(ballistic: float) -> None:
    with pytest.raises(ValueProblem, match="a ballistic coefficient of"):
        decay.decay_time(500e3, ballistic, 120.0, TABLE)


@pytest.mark.parametrize("altitude", [119e3, 2001e3, 35_786e3, np.nan])
def test_an_altitude_outside_the_table_does_not_decay(altitude: float) -> None:
    with pytest.raises(ValueProblem, match="gives 120 to 2000 km"):
        decay.decay_time(altitude, 20.0, 120.0, TABLE)


def test_a_delta_v_without_thrust_is_refused() -> None:
    with pytest.raises(ValueProblem, match="acceleration of 0"):
        decay.deorbit(650e3, 100.0, 0.0, 20.0, CYCLE, TABLE)


def test_a_negative_delta_v_is_refused() -> None:
    with pytest.raises(ValueProblem, match="give 0 m/s or more"):
        decay.deorbit(650e3, -100.0, 1e-3, 20.0, CYCLE, TABLE)
