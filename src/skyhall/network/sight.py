"""Lines of sight between satellites: above the air, within reach, and slow enough for a terminal to follow."""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "GRAZING_ALTITUDE",
    "grazing_altitude",
    "longest_chord",
    "nadir_turn",
    "slew_rate",
]

# m: links keep above it, out of clouds and refraction; Kassing et al. 2020, Exploring the "Internet from space" with
# Hypatia, IMC '20, and its main_*.py: "not allowed to dip below 80 km altitude in order to avoid weather conditions".
GRAZING_ALTITUDE: Final = 80e3


def grazing_altitude(here: Numbers, there: Numbers) -> Array:
    """Return the lowest altitude of the straight line between two positions, m above the equator's radius.

    The Earth is a sphere of the equator's radius: near the poles a line passes up to 21 km higher than this says.

    Parameters
    ----------
    here, there : m, Earth-centred, in one frame; (..., 3), they broadcast.

    Returns
    -------
    altitude : m, (...); that of the lower end where the line rises all the way, negative through the Earth.
    """
    start, way = np.asarray(here, dtype=np.float64), np.subtract(there, here, dtype=np.float64)
    along = np.einsum("...i,...i", start, way)
    squared = np.einsum("...i,...i", way, way)
    share = np.clip(-along / np.where(squared > 0.0, squared, 1.0), 0.0, 1.0)
    nearest2 = np.einsum("...i,...i", start, start) + share * (2.0 * along + share * squared)
    height: Array = np.sqrt(np.maximum(nearest2, 0.0)) - EARTH_RADIUS
    return height


def longest_chord(altitude: Numbers, other: Numbers, grazing: Numbers = GRAZING_ALTITUDE) -> Array:
    """Return the longest line (m) between satellites at two altitudes that stays above the grazing altitude.

    Parameters
    ----------
    altitude, other, grazing : m above the equator's radius; they broadcast.

    Raises
    ------
    ValueProblem : a satellite below the grazing altitude.
    """
    lowest = EARTH_RADIUS + np.asarray(grazing, dtype=np.float64)
    ends = [EARTH_RADIUS + np.asarray(each, dtype=np.float64) for each in (altitude, other)]
    if any(np.any(end < lowest) for end in ends):
        raise ValueProblem(
            "a satellite below the grazing altitude has no line of sight above it",
            right=f"choose altitudes above {float(np.max(grazing)) / 1e3:.6g} km",
        )
    return np.sqrt(ends[0] ** 2 - lowest**2) + np.sqrt(ends[1] ** 2 - lowest**2)


def nadir_turn(position: Numbers, velocity: Numbers) -> Array:
    """Return how a body turns that keeps one face to the Earth and one along its track, rad/s.

    Parameters
    ----------
    position, velocity : m, m/s, Earth-centred inertial; (..., 3).

    Returns
    -------
    angular velocity : (..., 3), r × v / r².
    """
    there = np.asarray(position, dtype=np.float64)
    turn: Array = np.cross(there, velocity) / np.einsum("...i,...i", there, there)[..., None]
    return turn


def slew_rate(
    here: Numbers, there: Numbers, velocity: Numbers, other_velocity: Numbers, turn: Numbers | None = None
) -> Array:
    """Return how fast a terminal turns on its satellite to follow another one, rad/s.

    Parameters
    ----------
    here, there : positions of the terminal's satellite and of the other, m, Earth-centred inertial; (..., 3).
    velocity, other_velocity : of both, m/s.
    turn : angular velocity of the body that carries the terminal, rad/s, (..., 3): `nadir_turn`, or left out for a
        body that keeps its attitude among the stars (as a Sun-tracking one nearly does).

    Returns
    -------
    rate : rad/s, (...): the size of d × (ḋ − ω × d) / d², d being the line of sight.
    """
    way = np.subtract(there, here, dtype=np.float64)
    drift = np.subtract(other_velocity, velocity, dtype=np.float64)
    if turn is not None:
        drift = drift - np.cross(turn, way)
    across = np.cross(way, drift)
    rate: Array = np.sqrt(np.einsum("...i,...i", across, across)) / np.einsum("...i,...i", way, way)
    return rate
