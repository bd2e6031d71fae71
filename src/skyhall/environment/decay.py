"""Drag on a circular orbit, its natural decay, and the way down after work.

Leaves out: the air's own rotation (under 15 % of the drag), eccentric orbits, radiation pressure (which beats drag
above some 650 km, but takes next to no energy from an orbit over a year), and a drag coefficient that changes on
the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from skyhall.constants import EARTH_GM, EARTH_RADIUS
from skyhall.environment.air import AirTable, SolarCycle, density
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "Deorbit",
    "decay_rate",
    "decay_time",
    "deorbit",
    "drag",
]

# m; a satellite this low falls within the hour: D. King-Hele, Satellite Orbits in an Atmosphere (1987).
REENTRY_ALTITUDE: Final = 120e3
_STEP: Final = 2e3  # m between the points of the integral; half of it moves a lifetime by less than 0.1 %


def drag(air_density: Numbers, altitude: Numbers, coefficient: Numbers, area: Numbers) -> Numbers:
    """Return the air drag (N) on a circular orbit.

    Parameters
    ----------
    air_density : kg/m³.
    altitude : m.
    coefficient : drag coefficient of `area`.
    area : m².
    """
    speed_squared = EARTH_GM / (EARTH_RADIUS + altitude)
    return 0.5 * air_density * speed_squared * coefficient * area


def decay_rate(
    altitude: Numbers, ballistic_coefficient: Numbers, f107: Numbers | SolarCycle, table: AirTable
) -> Array:
    """Return how fast a circular orbit sinks, m/s, positive: sqrt(GM a) ρ / (m / Cd A).

    The energy -GM/2a that drag takes on a circle: D. King-Hele, Satellite Orbits in an Atmosphere (1987).
    Parameters as in `decay_time`.
    """
    _check_ballistic(ballistic_coefficient)
    speed_times_axis = np.sqrt(EARTH_GM * (EARTH_RADIUS + np.asarray(altitude, dtype=float)))
    return np.asarray(speed_times_axis * density(altitude, f107, table) / ballistic_coefficient)


def decay_time(
    altitude: Numbers, ballistic_coefficient: Numbers, f107: Numbers | SolarCycle, table: AirTable
) -> Array:
    """Return the time (s) in which a circular orbit decays from `altitude` (m) to 120 km; all broadcast.

    Parameters
    ----------
    altitude : m, from 120 km to the top of the table.
    ballistic_coefficient : ballistic coefficient m / (Cd A), kg/m².
    f107 : solar activity, sfu, held for the whole way down; a `SolarCycle` takes the mean density over the cycle,
        right where the way down takes several cycles; a shorter one depends on when in the cycle it begins.
    table : air density.

    Raises
    ------
    ValueProblem : an altitude or F10.7 outside the table, a ballistic coefficient that is not above zero.
    """
    _check_ballistic(ballistic_coefficient)
    mean = isinstance(f107, SolarCycle)
    start, flux = np.broadcast_arrays(
        np.asarray(altitude, dtype=float), np.asarray(0.0 if mean else f107, dtype=float)
    )
    _check_start(start, table)
    heights = np.arange(REENTRY_ALTITUDE, start.max() + _STEP, _STEP) if start.size else np.empty(0)
    unit_times = np.empty(start.shape)
    for value in np.unique(flux):
        slowness = 1.0 / decay_rate(heights, 1.0, f107 if mean else value, table)
        fall = np.concatenate([[0.0], np.cumsum(0.5 * (slowness[1:] + slowness[:-1]) * _STEP)])
        chosen = flux == value
        unit_times[chosen] = np.interp(start[chosen], heights, fall)
    return np.asarray(unit_times * ballistic_coefficient)


@dataclass(frozen=True, slots=True)
class Deorbit:
    """The way down after work; times in s."""

    delta_v: Array  # m/s, spent by the thruster
    end_altitude: Array  # m, where the thruster stops
    thrust_time_s: Array
    decay_time_s: Array  # from `end_altitude` to re-entry, by drag alone

    @property
    def total_s(self) -> Array:
        """From the end of work to re-entry, s."""
        return np.asarray(self.thrust_time_s + self.decay_time_s)


def deorbit(
    altitude: Numbers,
    delta_v: Numbers,
    acceleration: Numbers,
    ballistic_coefficient: Numbers,
    f107: Numbers | SolarCycle,
    table: AirTable,
) -> Deorbit:
    """Return the way down from `altitude` (m): a low-thrust spiral that spends `delta_v` (m/s), then decay.

    The spiral ends where the circular speed is `delta_v` higher (Edelbaum 1961), at 120 km at the latest; with none
    left (0 m/s) the whole way is natural decay. Drag during the spiral is left out: it only shortens it.

    Parameters
    ----------
    acceleration : m/s², mean over the spiral: thrust over mass, times the share of the time that it thrusts.
    altitude, ballistic_coefficient, f107, table : as in `decay_time`.

    Raises
    ------
    ValueProblem : a negative delta-v, no acceleration for a delta-v to spend, or as in `decay_time`.
    """
    start, change, push = (np.asarray(each, dtype=float) for each in (altitude, delta_v, acceleration))
    if not np.all(change >= 0.0):
        raise ValueProblem(f"a delta-v of {float(np.min(change)):g} m/s", right="give 0 m/s or more")
    if not np.all((push > 0.0) | ((change == 0.0) & (push == 0.0))):
        raise ValueProblem(
            f"an acceleration of {float(np.min(push)):g} m/s² for the way down", right="it is above zero"
        )
    _check_start(start, table)
    speed = np.sqrt(EARTH_GM / (EARTH_RADIUS + start))
    end = np.maximum(EARTH_GM / (speed + change) ** 2 - EARTH_RADIUS, REENTRY_ALTITUDE)
    spent = np.where(change > 0.0, np.sqrt(EARTH_GM / (EARTH_RADIUS + end)) - speed, 0.0)
    return Deorbit(
        delta_v=spent,
        end_altitude=end,
        thrust_time_s=np.asarray(spent / np.where(push > 0.0, push, 1.0)),
        decay_time_s=decay_time(end, ballistic_coefficient, f107, table),
    )


def _check_ballistic(ballistic_coefficient: Numbers) -> None:
    if not np.all(np.asarray(ballistic_coefficient, dtype=float) > 0.0):
        raise ValueProblem(
            f"a ballistic coefficient of {float(np.min(ballistic_coefficient)):g} kg/m²",
            right="mass, drag coefficient and area are above zero",
        )


def _check_start(start: Array, table: AirTable) -> None:
    top = float(table.altitude[-1])
    outside = ~((start >= REENTRY_ALTITUDE) & (start <= top))
    if np.any(outside):
        raise ValueProblem(
            f"no decay from {float(start[outside].flat[0]) / 1e3:g} km",
            right=f"the table of the air gives {REENTRY_ALTITUDE / 1e3:g} to {top / 1e3:g} km",
        )
