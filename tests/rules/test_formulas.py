"""The formulas behind the rules, each against a number that somebody published."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.catalogue import load_catalogue
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.air import AirTable
from skyhall.rules.brightness import limit_magnitude, lit_depression, plate_magnitude
from skyhall.rules.casualty import any_casualty, casualty_area, casualty_expectation, population_density
from skyhall.rules.collision import bus_surface, collision_probability, disposal_success, flat_surface
from skyhall.rules.conjunctions import manoeuvre_rate, report_rate, warning_area
from skyhall.rules.disposal import (
    graveyard_raise,
    power_for_thrust,
    required_success,
    thrust_of_power,
    time_to_decay,
    tumbling_area,
)
from skyhall.rules.punctures import Tube, loop_punctures
from skyhall.rules.separation import nearest_shell, shell_gap, spacing
from skyhall.satellite.puncture import puncture_rate

ALUMINIUM = Tube(2e-3, 2700.0, 95.0, 5100.0)
PEOPLE = load_catalogue().part("rules", "population-latitudes")
SHARES = np.array([PEOPLE(key) for key in PEOPLE.facts])
BANDS = load_catalogue().part("rules", "latitude-bands")
EDGES = BANDS("south_edge", "rad") + BANDS("width", "rad") * np.arange(len(SHARES) + 1)


def people_per_km2(inclination: float, people: float) -> float:
    return population_density(math.radians(inclination), EDGES, SHARES, people) * 1e6


def test_the_bands_of_latitude_hold_everybody() -> None:
    assert SHARES.sum() == pytest.approx(1.0, abs=1e-9)


def test_half_of_the_people_live_north_of_the_27th_parallel() -> None:
    # Median latitude of the world's people: 27 degrees north, W. Rankin, Radical Cartography (2008).
    below = np.interp(np.radians(27.0), EDGES, np.concatenate([[0.0], np.cumsum(SHARES)]))
    assert below == pytest.approx(0.5, abs=0.1)


def test_uars_risked_a_casualty_in_3200() -> None:
    # NASA, September 2011: 26 pieces, 22.4 m² of casualty area, 57 deg, 1 in 3,200; 7.0e9 people.
    area = casualty_area(26, 0.108, 0.6)
    assert area == pytest.approx(22.4, rel=0.005)
    risk = casualty_expectation(area, people_per_km2(57.0, 7.0e9) / 1e6)
    assert 1.0 / risk == pytest.approx(3200.0, rel=0.05)


def test_eight_square_metres_were_one_in_ten_thousand_in_2000() -> None:
    # NASA Safety Standard 1740.14 (1995): 8 m² for any inclination, with some 6e9 people.
    mean = np.mean([people_per_km2(inclination, 6.1e9) for inclination in range(30, 100, 5)])
    assert 8e-6 * mean == pytest.approx(1e-4, rel=0.15)


@given(st.floats(0.2, 3.0))
def test_equal_density_everywhere_is_the_density_under_every_orbit(inclination: float) -> None:
    edges = np.radians(np.linspace(-90.0, 90.0, 19))
    shares = np.diff(np.sin(edges)) / 2.0
    even = 1.0 / (4.0 * np.pi * EARTH_RADIUS**2)
    assert population_density(inclination, edges, shares, 1.0) == pytest.approx(even, rel=1e-9)


def test_a_thousand_re_entries_of_a_ten_thousandth_hurt_somebody_with_a_tenth() -> None:
    assert any_casualty(1e-4, 1000) == pytest.approx(1.0 - math.exp(-0.1))


def test_a_probability_is_the_rate_where_it_is_small_and_one_at_most() -> None:
    flux = 1e-5 / JULIAN_YEAR
    assert collision_probability(flux, 20.0, 5 * JULIAN_YEAR) == pytest.approx(1e-3, rel=1e-3)
    assert collision_probability(1.0, 1e3, 1e3) == 1.0


def test_a_plate_has_two_sides_and_a_cube_six() -> None:
    assert flat_surface(100.0, 20.0) == 240.0
    assert bus_surface(600.0, 600.0) == pytest.approx(6.0)


def test_two_per_cent_a_year_leaves_nine_tenths_after_five_years() -> None:
    alive = disposal_success(0.02 / JULIAN_YEAR, 5 * JULIAN_YEAR, 0.01)
    assert alive == pytest.approx(math.exp(-0.1) * 0.99)


@pytest.mark.parametrize(
    ("satellites", "needed"), [(1, 0.9), (9, 0.9), (10, 0.91), (40, 0.94), (50, 0.95), (9000, 0.95)]
)
def test_more_is_asked_of_the_satellites_of_a_constellation(satellites: int, needed: float) -> None:
    assert required_success(satellites, 0.9, 0.95) == pytest.approx(needed)


def test_a_light_large_satellite_must_leave_the_ring_higher() -> None:
    # IADC (2007): 235 km + 1000 km × 1.3 × 0.05 m²/kg = 300 km.
    assert graveyard_raise(1.3, 50.0, 1000.0, 235e3, 1e6) == pytest.approx(300e3)


def test_the_thruster_of_a_starlink_pushes_with_170_millinewtons() -> None:
    # SpaceX (2023): 4.2 kW, 50 %, 2,500 s, 170 mN.
    assert thrust_of_power(4200.0, 0.5, 2500.0 * 9.80665) == pytest.approx(0.171, abs=0.001)


@pytest.mark.parametrize(
    ("sized", "mass", "freed", "power"),
    [(100.0, 10.0, 5e3, 1.5e3), (100.0, 10.0, 1e3, 1e3), (2e3, 10.0, 1e3, 2e3)],
)
def test_thrusters_take_what_they_bear_or_what_the_work_leaves(
    sized: float, mass: float, freed: float, power: float
) -> None:
    assert power_for_thrust(sized, mass, 150.0, freed) == power


def test_a_tumbling_plate_shows_half_of_itself() -> None:
    assert tumbling_area(100.0, 20.0) == 60.0


def test_above_the_air_nothing_decays_and_twice_the_area_decays_twice_as_fast() -> None:
    heights = np.linspace(100e3, 1000e3, 10)
    table = AirTable(
        altitude=heights,
        f107=np.array([70.0, 230.0]),
        ap=np.array([5.0, 20.0]),
        density=np.outer(1e-7 * np.exp(-(heights - 100e3) / 40e3), [1.0, 1.0]),
    )
    once, twice = (time_to_decay(400e3, 500.0 / (2.2 * area), 140.0, table) for area in (10.0, 20.0))
    assert once == pytest.approx(2.0 * twice)
    assert time_to_decay(1200e3, 22.7, 140.0, table) == math.inf


def test_starlink_turned_aside_33_times_a_satellite_and_year() -> None:
    part = load_catalogue().part("rules", "starlink-manoeuvres")
    rate = report_rate(part("manoeuvres"), part("satellites"), part("duration", "s"))
    assert rate * JULIAN_YEAR == pytest.approx(33.0, rel=0.01)


def test_at_nasas_threshold_starlink_would_turn_aside_two_to_three_times_less_often() -> None:
    assert 2.0 < warning_area(15.0, 100.0, 3e-7) / warning_area(15.0, 100.0, 1e-4) < 3.0


def test_the_warning_area_is_where_the_probability_exceeds_the_threshold() -> None:
    radius, spread, threshold = 15.0, 100.0, 3e-7
    miss = np.sqrt(warning_area(radius, spread, threshold) / np.pi)
    assert radius**2 / (2 * spread**2) * np.exp(-(miss**2) / (2 * spread**2)) == pytest.approx(threshold)


def test_what_can_never_reach_the_threshold_calls_for_no_manoeuvre() -> None:
    assert warning_area(1.0, 1000.0, 1e-4) == 0.0


def test_manoeuvres_grow_with_the_traffic_and_with_the_warning_area() -> None:
    assert manoeuvre_rate(33.0, 2.0, 7.0, 1.0, 7.0) == pytest.approx(66.0)
    assert manoeuvre_rate(33.0, 1.0, 14.0, 1.0, 7.0) == pytest.approx(66.0)


def test_tubes_are_holed_by_meteoroids_as_before_and_by_debris_on_top() -> None:
    found = loop_punctures(10.0, ALUMINIUM, 800e3, 1.7, 2026.0, 140.0, 10e3, 2800.0)
    assert found.meteoroids == pytest.approx(float(puncture_rate(10.0, *ALUMINIUM, 800e3)))
    assert 0.4e-3 < found.critical_diameter < 0.9e-3
    assert found.debris > found.meteoroids


def test_above_low_orbit_only_meteoroids_are_left() -> None:
    assert loop_punctures(10.0, ALUMINIUM, 35786e3, 0.0, 2026.0, 140.0, 10e3, 2800.0).debris == 0.0


def test_a_starlink_mini_without_mitigation_has_magnitude_5() -> None:
    # Mallama et al. (2023): 7.87 at 1,000 km, twelve times fainter than without mitigation; 105 m² of arrays.
    reflectivity = load_catalogue().part("rules", "sky")("array_reflectivity")
    shown = plate_magnitude(105.0, reflectivity, 1.0, math.sin(math.radians(18.0)), 1000e3)
    assert shown == pytest.approx(7.87 - 2.5 * math.log10(12.0), abs=0.4)


def test_ten_times_as_far_is_five_magnitudes_fainter() -> None:
    near, far = plate_magnitude(10.0, 0.1, 1.0, 0.5, np.array([500e3, 5000e3]))
    assert far - near == pytest.approx(5.0)


def test_a_perfect_white_plate_at_one_metre_by_hand() -> None:
    assert plate_magnitude(math.pi, 1.0, 1.0, 1.0, 1.0) == pytest.approx(-26.76)


def test_a_satellite_in_the_zenith_at_550_km_is_lit_until_the_sun_is_23_degrees_down() -> None:
    assert math.degrees(float(lit_depression(550e3))) == pytest.approx(23.0, abs=0.1)


@pytest.mark.parametrize(("altitude", "magnitude"), [(340e3, 7.0), (550e3, 7.0), (1200e3, 7.847)])
def test_higher_satellites_should_be_fainter_satcon1(altitude: float, magnitude: float) -> None:
    assert limit_magnitude(altitude, 7.0, 550e3) == pytest.approx(magnitude, abs=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "gap"), [(560.0, 570.0, 10.0), (500.0, 540.0, 0.0), (500.0, 520.0, 20.0)]
)
def test_the_gap_between_bands_is_what_lies_between_them(low: float, high: float, gap: float) -> None:
    assert shell_gap(low, high, 540.0, 550.0) == gap


def test_the_nearest_shell_is_found_above_or_below() -> None:
    found = nearest_shell(650e3, 650e3, {"below": (621e3, 639e3), "above": (700e3, 700e3)})
    assert found is not None
    assert (found.name, found.distance) == ("below", 11e3)
    assert nearest_shell(650e3, 650e3, {}) is None


def test_22_satellites_of_a_plane_at_550_km_are_1979_km_apart() -> None:
    assert spacing(550e3, 1584, 72) / 1e3 == pytest.approx(1979.0, abs=1.0)
