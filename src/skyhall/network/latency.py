"""Delay of light through space and through fibre: which of them is sooner there."""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS, SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "MEAN_RADIUS",
    "destination",
    "fibre_delay",
    "great_circle",
    "wins_from",
]

# m, mean of the three half axes (IUGG 1980, Moritz, Geodetic Reference System 1980).
MEAN_RADIUS: Final = EARTH_RADIUS * (1.0 - EARTH_FLATTENING / 3.0)


def great_circle(
    latitude: Numbers, longitude: Numbers, other_latitude: Numbers, other_longitude: Numbers
) -> Array:
    """Return the distance along the ground between places, m, on a sphere of the mean radius.

    Up to 0.6 % from the way over the ellipsoid.

    Parameters
    ----------
    latitude, longitude, other_latitude, other_longitude : rad; they broadcast.

    References
    ----------
    Sinnott 1984, Virtues of the haversine, Sky and Telescope 68, 159.
    """
    north = 0.5 * np.subtract(other_latitude, latitude)
    east = 0.5 * np.subtract(other_longitude, longitude)
    chord2 = np.sin(north) ** 2 + np.cos(latitude) * np.cos(other_latitude) * np.sin(east) ** 2
    arc: Array = 2.0 * np.arcsin(np.sqrt(np.clip(chord2, 0.0, 1.0)))
    return MEAN_RADIUS * arc


def destination(
    latitude: Numbers, longitude: Numbers, azimuth: Numbers, distance: Numbers
) -> tuple[Array, Array]:
    """Return the latitude and longitude (rad) that one comes to along a great circle.

    Parameters
    ----------
    latitude, longitude : of the start, rad.
    azimuth : of the first step, rad, from north over east.
    distance : along the ground, m.
    """
    arc = np.asarray(distance, dtype=np.float64) / MEAN_RADIUS
    sine = np.sin(latitude) * np.cos(arc) + np.cos(latitude) * np.sin(arc) * np.cos(azimuth)
    north = np.arcsin(np.clip(sine, -1.0, 1.0))
    east = np.arctan2(
        np.sin(azimuth) * np.sin(arc) * np.cos(latitude), np.cos(arc) - np.sin(latitude) * np.sin(north)
    )
    return north, np.mod(np.add(longitude, east) + np.pi, 2.0 * np.pi) - np.pi


def fibre_delay(distance: Numbers, index: Numbers, route_factor: Numbers = 1.0) -> Array:
    """Return the one-way delay of light in fibre, s.

    Parameters
    ----------
    distance : along the great circle, m.
    index : group index of the fibre.
    route_factor : length of the fibre over the great circle.

    Raises
    ------
    ValueProblem : light faster than in vacuum, or a fibre shorter than the great circle.
    """
    if np.any(np.asarray(index) < 1.0) or np.any(np.asarray(route_factor) < 1.0):
        raise ValueProblem(
            "a fibre is not shorter than the great circle, nor light in it faster than in vacuum",
            right="give an index and a route factor of at least 1",
        )
    delay: Array = np.asarray(distance, dtype=np.float64) * index * route_factor / SPEED_OF_LIGHT
    return delay


def wins_from(distance: Numbers, space: Numbers, fibre: Numbers) -> float | None:
    """Return the distance from which space is sooner all the way out, m; None where it is not, or ends before.

    Parameters
    ----------
    distance : ascending, m, (k,).
    space, fibre : delays at these distances, s, (k,); NaN or infinite where there is no way.

    Returns
    -------
    distance : where the last crossing lies between two distances, by a straight line; the first distance where space
        wins everywhere.
    """
    way, ahead = np.asarray(distance, dtype=np.float64), np.subtract(fibre, space, dtype=np.float64)
    known = np.isfinite(ahead)
    if not way.size or not known[-1] or ahead[-1] <= 0.0:
        return None
    way, ahead = way[known], ahead[known]
    behind = np.flatnonzero(ahead <= 0.0)
    if not behind.size:
        return float(way[0])
    last = int(behind[-1])
    share = ahead[last] / (ahead[last] - ahead[last + 1])
    return float(way[last] + share * (way[last + 1] - way[last]))
