from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit import (
    Pattern,
    cluster,
    geostationary_ring,
    greenwich_angle,
    julian_date,
    position,
    sun_synchronous,
    sun_synchronous_inclination,
    walker_delta,
    walker_star,
)

EPOCH = julian_date(datetime(2026, 1, 1, tzinfo=UTC))


def test_galileo_is_a_walker_24_3_1() -> None:
    elements, plane, slot = walker_delta(23222e3, np.radians(56), 24, 3, 1)
    assert np.degrees(elements.raan[[0, 8, 16]]) == pytest.approx([0, 120, 240])
    assert np.degrees(elements.mean_anomaly[:2]) == pytest.approx([0, 45])
    assert np.degrees(elements.mean_anomaly[8]) == pytest.approx(15)
    assert plane.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert slot.tolist() == list(range(8)) * 3


def test_a_star_spreads_its_nodes_over_half_the_equator() -> None:
    elements, _, _ = walker_star(780e3, np.radians(86.4), 66, 6, 2)
    assert np.degrees(elements.raan[::11]) == pytest.approx([0, 30, 60, 90, 120, 150])


def test_a_sun_synchronous_plane_has_the_solved_inclination() -> None:
    elements, _, _ = sun_synchronous(650e3, 6 * 3600.0, EPOCH, 10)
    np.testing.assert_allclose(elements.inclination, sun_synchronous_inclination(650e3))
    assert np.unique(elements.raan).size == 1


def test_two_planes_from_six_are_six_and_eighteen() -> None:
    elements, _, _ = sun_synchronous(650e3, 6 * 3600.0, EPOCH, 2, 2)
    assert abs(np.degrees(elements.raan[1] - elements.raan[0])) == pytest.approx(180)


def test_a_geostationary_satellite_stays_over_its_longitude_for_a_week() -> None:
    elements, _, _ = geostationary_ring(4, EPOCH, first_longitude=0.2)
    for days in (0.0, 1.3, 7.0):
        x, y, _ = position(elements, days * 86400.0)[0]
        longitude = np.mod(np.arctan2(y, x) - greenwich_angle(EPOCH + days), 2 * np.pi)
        assert np.degrees(longitude) == pytest.approx(np.degrees(0.2), abs=0.005)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: walker_delta(550e3, 0.9, 25, 3), "do not divide into 3 planes"),
        (lambda: walker_delta(550e3, 0.9, 24, 3, 3), "phasing of 3"),
        (lambda: walker_delta(550e3, 0.9, 0, 1), "at least one"),
        (lambda: walker_delta(550e3, 4.0, 24, 3), "inclination"),
        (lambda: walker_delta(100e3, 0.9, 24, 3), "altitude of 100 km"),
        (lambda: sun_synchronous(8000e3, 0.0, EPOCH, 1), "no sun-synchronous orbit"),
        (lambda: cluster(550e3, 0.9, 3, 0.0), "do not fit into a formation"),
        (lambda: cluster(550e3, 0.9, 3, EARTH_RADIUS * 3), "no longer a small part"),
    ],
)
def test_impossible_patterns_are_errors(make: Callable[[], Pattern], message: str) -> None:
    with pytest.raises(ValueProblem, match=message):
        make()
