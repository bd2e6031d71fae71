"""Drag on a circular orbit, its natural decay, and the way down after work."""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.constants import EARTH_GM, EARTH_RADIUS
from skyhall.environment.air import AirTable, density
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["decay_rate", "decay_time", "drag_acceleration"]

# m; a satellite that is this low falls within hours, whatever the Sun does: King-Hele, Satellite Orbits in an
# Atmosphere (1987), ch. 4.
REENTRY_ALTITUDE: Final = 120e3
_STEP: Final = (
    2e3  # m of altitude between the points of the integral; finer moves a lifetime by less than 0.1 %
)


def drag_acceleration(air_density: Numbers, altitude: Numbers, ballistic_coefficient: Numbers) -> Numbers:
    """Return the drag's deceleration (m/s²) on a circular orbit.

    Parameters
    ----------
    air_density : kg/m³.
    altitude : m.
    ballistic_coefficient : m / (Cd A), kg/m².
    """
    return 0.5 * air_density * (EARTH_GM / (EARTH_RADIUS + altitude)) / ballistic_coefficient


def decay_rate(altitude: Numbers, ballistic_coefficient: Numbers, f107: Numbers, table: AirTable) -> Array:
    """Return how fast a circular orbit sinks (m/s, positive) at `altitude` (m): sqrt(GM a) rho Cd A / m."""
    _check_ballistic(ballistic_coefficient)
    speed_times_axis = np.sqrt(EARTH_GM * (EARTH_RADIUS + np.asarray(altitude, dtype=float)))
    return np.asarray(speed_times_axis * density(altitude, f107, table) / ballistic_coefficient)


def decay_time(altitude: Numbers, ballistic_coefficient: Numbers, f107: Numbers, table: AirTable) -> Array:
    """Return the time (s) in which a circular orbit decays from `altitude` (m) to re-entry; all broadcast.

    Parameters
    ----------
    altitude : m, from 120 km to the top of the table.
    ballistic_coefficient : m / (Cd A), kg/m².
    f107 : solar activity, sfu, held for the whole way down.
    table : air density.

    Raises
    ------
    ValueProblem : an altitude or F10.7 outside the table, a ballistic coefficient that is not above zero.
    """
    _check_ballistic(ballistic_coefficient)
    start, flux = np.broadcast_arrays(np.asarray(altitude, dtype=float), np.asarray(f107, dtype=float))
    top = float(table.altitude[-1])
    if not np.all((start >= REENTRY_ALTITUDE) & (start <= top)):
        raise ValueProblem(
            f"no decay from {float(np.max(start)) / 1e3:g} km: the table of the air does not reach there",
            right=f"give {REENTRY_ALTITUDE / 1e3:g} to {top / 1e3:g} km",
        )
    per_coefficient = np.empty(start.shape)
    for place in np.ndindex(start.shape):
        heights = np.linspace(
            REENTRY_ALTITUDE, start[place], 2 + int((start[place] - REENTRY_ALTITUDE) / _STEP)
        )
        per_coefficient[place] = np.trapezoid(1.0 / decay_rate(heights, 1.0, flux[place], table), heights)
    return np.asarray(per_coefficient * ballistic_coefficient)


def _check_ballistic(ballistic_coefficient: Numbers) -> None:
    if not np.all(np.asarray(ballistic_coefficient) > 0.0):
        raise ValueProblem(
            f"a ballistic coefficient of {float(np.min(ballistic_coefficient)):g} kg/m²",
            right="mass, drag coefficient and area are above zero",
        )
