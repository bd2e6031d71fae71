"""Latitude, longitude and height over the WGS 84 ellipsoid."""

from __future__ import annotations

import numpy as np

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS
from skyhall.types import Array, Numbers

__all__ = ["geodetic", "over_the_ground"]


def geodetic(position: Numbers) -> tuple[Array, Array, Array]:
    """Return the geodetic latitude (rad), the longitude (rad, -π to π) and the height (m) of `position`.

    Parameters
    ----------
    position : m, (..., 3), Earth-fixed: x to the meridian from which longitudes are wanted, z to the north pole.

    Returns
    -------
    latitude, longitude, height : (...) each.

    References
    ----------
    Bowring 1985, The accuracy of geodetic latitude and height equations, Survey Review 28, 202; its latitude is
    taken twice, which leaves less than a millimetre from the ground to the geostationary ring.
    """
    x, y, z = np.moveaxis(np.asarray(position, dtype=np.float64), -1, 0)
    across = np.hypot(x, y)
    flat = 1.0 - EARTH_FLATTENING
    eccentricity2 = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)
    reduced = np.arctan2(z, flat * across)
    for _ in range(2):
        latitude = np.arctan2(
            z + eccentricity2 / flat * EARTH_RADIUS * np.sin(reduced) ** 3,
            across - eccentricity2 * EARTH_RADIUS * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2(flat * np.sin(latitude), np.cos(latitude))
    sine = np.sin(latitude)
    normal = EARTH_RADIUS / np.sqrt(1.0 - eccentricity2 * sine * sine)
    height = across * np.cos(latitude) + (z + eccentricity2 * normal * sine) * sine - normal
    return latitude, np.arctan2(y, x), height


def over_the_ground(position: Numbers, greenwich: Numbers) -> tuple[Array, Array, Array]:
    """Return the geodetic latitude (rad), the longitude (rad, -π to π) and the height (m) of `position`.

    Parameters
    ----------
    position : m, (..., 3), TEME. greenwich : angle from its x axis to longitude 0, rad, `sun.greenwich_angle`; (...).
    """
    latitude, right_ascension, height = geodetic(position)
    return latitude, np.mod(right_ascension - greenwich + np.pi, 2.0 * np.pi) - np.pi, height
