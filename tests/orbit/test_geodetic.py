from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS
from skyhall.orbit.geodetic import geodetic

ECCENTRICITY2 = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)


@pytest.mark.parametrize("height", [0.0, 200e3, 2000e3, 36_000e3])
def test_latitude_and_height_come_back_from_wgs_84(height: float) -> None:
    latitude = np.radians(np.linspace(-89.9, 89.9, 181))
    normal = EARTH_RADIUS / np.sqrt(1.0 - ECCENTRICITY2 * np.sin(latitude) ** 2)
    x = (normal + height) * np.cos(latitude)
    z = (normal * (1.0 - ECCENTRICITY2) + height) * np.sin(latitude)
    found, _, above = geodetic(np.stack([x, np.zeros_like(x), z], axis=-1))
    np.testing.assert_allclose(found, latitude, atol=1e-10)
    np.testing.assert_allclose(above, height, atol=1e-3)


def test_longitude_is_counted_east_from_the_x_axis() -> None:
    _, longitude, _ = geodetic(np.array([[7e6, 0.0, 1e6], [0.0, 7e6, 1e6], [0.0, -7e6, 1e6]]))
    assert longitude == pytest.approx([0.0, np.pi / 2, -np.pi / 2])


def test_over_a_pole_a_circular_orbit_is_21_km_higher() -> None:
    radius = EARTH_RADIUS + 500e3
    _, _, height = geodetic(np.array([[radius, 0.0, 0.0], [0.0, 0.0, -radius]]))
    assert height[1] - height[0] == pytest.approx(21384.7, abs=0.1)
