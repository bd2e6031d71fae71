from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from skyhall.constants import DAY, EARTH_RADIUS, TROPICAL_YEAR
from skyhall.errors import ValueProblem
from skyhall.orbit import (
    MeanElements,
    check_altitude,
    circular_position,
    julian_date,
    kepler_period,
    position,
    raan_from_local_time,
    secular_rates,
    sun_direction,
    sun_synchronous_inclination,
)


def orbit(eccentricity: float = 0.0) -> MeanElements:
    values = (EARTH_RADIUS + 650e3, eccentricity, 1.2, 0.4, 0.7, 0.3)
    return MeanElements(*(np.array([value]) for value in values))


def test_period_at_550_km_is_95_65_minutes() -> None:
    assert kepler_period(550e3) / 60 == pytest.approx(95.65, abs=0.01)


@pytest.mark.parametrize(("altitude_km", "inclination_deg"), [(500, 97.4), (1000, 99.5), (2000, 104.9)])
def test_sun_synchronous_inclinations_of_the_filing(altitude_km: float, inclination_deg: float) -> None:
    assert np.degrees(sun_synchronous_inclination(altitude_km * 1e3)) == pytest.approx(
        inclination_deg, abs=0.1
    )


def test_a_sun_synchronous_node_goes_round_once_a_year() -> None:
    altitude = np.array([300e3, 700e3, 2000e3, 5500e3])
    rate, _, _ = secular_rates(EARTH_RADIUS + altitude, 0.0, sun_synchronous_inclination(altitude))
    np.testing.assert_allclose(rate * TROPICAL_YEAR, 2 * np.pi, rtol=1e-12)


def test_no_sun_synchronous_orbit_at_6000_km() -> None:
    with pytest.raises(ValueProblem, match="no sun-synchronous orbit exists"):
        sun_synchronous_inclination(6000e3)


@pytest.mark.parametrize("altitude", [149e3, -1.0, float("nan"), 1e9])
def test_an_impossible_altitude_is_an_error(altitude: float) -> None:
    with pytest.raises(ValueProblem):
        check_altitude(altitude)


def test_secular_rates_of_the_space_station() -> None:
    # First-order textbook values at 420 km and 51.6 deg (Vallado, section 9.4): -4.98 and +3.7 deg a day.
    raan_rate, perigee_rate, _ = secular_rates(EARTH_RADIUS + 420e3, 0.0, np.radians(51.6))
    assert np.degrees(raan_rate) * DAY == pytest.approx(-4.98, abs=0.03)
    assert np.degrees(perigee_rate) * DAY == pytest.approx(3.72, abs=0.05)


def test_perigee_stands_still_at_the_critical_inclination() -> None:
    _, rate, _ = secular_rates(EARTH_RADIUS + 600e3, 0.0, np.arccos(np.sqrt(0.2)))
    assert abs(np.degrees(rate) * DAY) < 0.01


def test_a_node_at_noon_points_to_the_mean_sun() -> None:
    moment = julian_date(datetime(2026, 4, 15, tzinfo=UTC))  # the equation of time is zero
    sun, _ = sun_direction(moment)
    raan = raan_from_local_time(12 * 3600.0, moment)
    assert np.degrees(raan) == pytest.approx(np.degrees(np.arctan2(sun[1], sun[0])), abs=0.1)


def test_a_circular_orbit_keeps_its_radius_and_plane() -> None:
    elements, seconds = orbit(), np.linspace(0, 6000, 50)
    points = circular_position(elements, seconds)
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), EARTH_RADIUS + 650e3, rtol=1e-14)
    assert abs(points[:, 2]).max() <= (EARTH_RADIUS + 650e3) * np.sin(1.2)


def test_position_agrees_with_the_exact_ellipse_to_second_order() -> None:
    elements, eccentricity = orbit(0.001), 0.001
    seconds = np.linspace(0, 5800, 100)
    _, _, rate = secular_rates(elements.semi_major_axis, eccentricity, elements.inclination)
    anomaly = 0.3 + rate * seconds
    eccentric = anomaly
    for _ in range(10):
        eccentric = anomaly + eccentricity * np.sin(eccentric)
    radius = elements.semi_major_axis * (1 - eccentricity * np.cos(eccentric))
    error = np.linalg.norm(position(elements, seconds), axis=-1) - radius
    assert abs(error).max() < eccentricity**2 * elements.semi_major_axis[0]


def test_positions_broadcast_over_satellites_and_times() -> None:
    fleet = MeanElements(EARTH_RADIUS + np.full(4, 550e3), 0.0, 0.9, np.arange(4.0), 0.0, 0.0)
    grid = position(fleet[:, None], np.arange(3.0))
    assert grid.shape == (4, 3, 3)
    np.testing.assert_array_equal(grid[2, 1], position(fleet[2], 1.0))
