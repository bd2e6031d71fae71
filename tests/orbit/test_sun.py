from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from skyhall.constants import ASTRONOMICAL_UNIT, TROPICAL_YEAR
from skyhall.orbit import (
    beta_angle,
    decimal_year,
    greenwich_angle,
    irradiance_ratio,
    julian_date,
    mean_sun_right_ascension,
    sun_direction,
)

NEW_YEAR = julian_date(datetime(2026, 1, 1, tzinfo=UTC))


def test_julian_date_of_j2000_noon() -> None:
    assert julian_date(datetime(2000, 1, 1, 12, tzinfo=UTC)) == 2451545.0


@pytest.mark.parametrize(
    ("moment", "year"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), 2026.0),
        (datetime(2026, 7, 2, 12), 2026.5),  # 182.5 of 365 days
        (datetime(2028, 12, 31, tzinfo=UTC), 2028.0 + 365.0 / 366.0),
        (datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 2027.0),
    ],
)
def test_the_decimal_year_is_whole_on_new_year_and_a_half_in_the_middle(
    moment: datetime, year: float
) -> None:
    assert decimal_year(moment) == pytest.approx(year, abs=1e-9)


def test_a_moment_without_a_zone_is_utc() -> None:
    assert julian_date(datetime(2026, 1, 1)) == NEW_YEAR


def test_a_moment_in_another_zone_is_converted() -> None:
    zone = timezone(timedelta(hours=2))
    assert julian_date(datetime(2026, 1, 1, 2, tzinfo=zone)) == NEW_YEAR


def test_directions_are_unit_vectors_of_any_shape() -> None:
    unit, distance = sun_direction(NEW_YEAR + np.arange(6.0).reshape(2, 3))
    assert unit.shape == (2, 3, 3)
    assert distance.shape == (2, 3)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=-1), 1.0, atol=1e-14)


def test_the_sun_crosses_the_equator_at_the_equinox_of_2026() -> None:
    # 2026-03-20 14:46 UTC (Astronomical Almanac); the Sun's declination moves 1 arcminute an hour.
    unit, _ = sun_direction(julian_date(datetime(2026, 3, 20, 14, 46, tzinfo=UTC)))
    assert abs(np.degrees(unit[2])) < 0.5 / 60


def test_sunlight_varies_by_3_percent_both_ways() -> None:
    _, distance = sun_direction(NEW_YEAR + np.arange(366.0))
    ratio = irradiance_ratio(distance)
    assert ratio.max() == pytest.approx(1.034, abs=0.001)
    assert ratio.min() == pytest.approx(0.967, abs=0.001)
    assert irradiance_ratio(ASTRONOMICAL_UNIT) == 1.0


def test_the_mean_sun_goes_round_once_a_tropical_year() -> None:
    turn = mean_sun_right_ascension(NEW_YEAR + TROPICAL_YEAR / 86400) - mean_sun_right_ascension(NEW_YEAR)
    assert turn == pytest.approx(2 * np.pi, abs=1e-6)


def test_the_mean_sun_stays_within_the_equation_of_time_of_the_true_sun() -> None:
    moments = NEW_YEAR + np.arange(366.0)
    unit, _ = sun_direction(moments)
    difference = np.arctan2(unit[:, 1], unit[:, 0]) - mean_sun_right_ascension(moments)
    minutes = (np.mod(difference + np.pi, 2 * np.pi) - np.pi) * 1440 / (2 * np.pi)
    assert minutes.max() == pytest.approx(14.2, abs=0.3)
    assert minutes.min() == pytest.approx(-16.4, abs=0.3)


def test_greenwich_angle_of_the_almanac() -> None:
    # Meeus, Astronomical Algorithms, example 12.a: 1987 April 10, 0h UT, mean sidereal time 13h 10m 46.3668s.
    angle = greenwich_angle(julian_date(datetime(1987, 4, 10, tzinfo=UTC)))
    assert angle * 43200 / np.pi == pytest.approx(13 * 3600 + 10 * 60 + 46.3668, abs=0.001)


def test_beta_is_the_angle_to_the_orbits_plane() -> None:
    inclination, raan = 0.9, 2.1
    normal = np.array(
        [np.sin(inclination) * np.sin(raan), -np.sin(inclination) * np.cos(raan), np.cos(inclination)]
    )
    assert beta_angle(inclination, raan, normal) == pytest.approx(np.pi / 2, abs=1e-7)
    node = np.array([np.cos(raan), np.sin(raan), 0.0])
    assert beta_angle(inclination, raan, node) == pytest.approx(0.0, abs=1e-15)
