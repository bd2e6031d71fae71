"""The end of a satellite: how long until it re-enters, or how far above the geostationary ring it is left."""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.environment.air import AirTable, SolarCycle
from skyhall.environment.decay import decay_time
from skyhall.rules.separation import GEOSTATIONARY_ALTITUDE
from skyhall.types import Array, Numbers

__all__ = [
    "graveyard_raise",
    "is_geostationary",
    "power_for_thrust",
    "required_success",
    "thrust_of_power",
    "time_to_decay",
    "tumbling_area",
]

_PROTECTED_HALF_WIDTH: Final = 200e3  # m around the geostationary ring: IADC (2007), 3.3.2


def tumbling_area(array_area: Numbers, radiator_area: Numbers) -> Numbers:
    """Return the mean projected area (m²) of a dead satellite that tumbles: half of each flat panel (Cauchy)."""
    return 0.5 * (array_area + radiator_area)


def power_for_thrust(
    sized_power: Numbers, thruster_mass: Numbers, specific_power: Numbers, freed_power: Numbers
) -> Numbers:
    """Return the electric power (W) of the thrusters once the work has stopped.

    The sizing gives the thruster what air drag asks for, next to the work. Without the work, the installed thrusters
    take what they bear, or what the work leaves.

    Parameters
    ----------
    sized_power : W, next to the work.
    thruster_mass : thrusters and processing units, kg.
    specific_power : W/kg that they bear.
    freed_power : W that the work used.
    """
    return np.asarray(
        np.maximum(sized_power, np.minimum(np.multiply(thruster_mass, specific_power), freed_power))
    )


def thrust_of_power(power: Numbers, efficiency: Numbers, exhaust: Numbers) -> Numbers:
    """Return the thrust (N) of electric `power` (W): 2 × efficiency × power / `exhaust` speed (m/s)."""
    return 2.0 * efficiency * power / exhaust


def time_to_decay(
    altitude: float, ballistic_coefficient: float, sun: float | SolarCycle, table: AirTable
) -> float:
    """Return how long (s) a passive satellite stays up from a circular orbit; infinite above the table of the air.

    Parameters
    ----------
    altitude : m.
    ballistic_coefficient : m / (Cd A), kg/m².
    sun : F10.7 (sfu) that is held all the way; or a cycle, whose mean density is.
    table : air density.
    """
    if altitude > float(table.altitude[-1]):
        return float("inf")
    return float(decay_time(altitude, ballistic_coefficient, sun, table))


def is_geostationary(altitude: float) -> bool:
    """Return whether an orbit's altitude (m) lies in the protected geostationary region."""
    return abs(altitude - GEOSTATIONARY_ALTITUDE) <= _PROTECTED_HALF_WIDTH


def graveyard_raise(
    reflectivity: Numbers, area: Numbers, mass: Numbers, base: float, per_area_to_mass: float
) -> Array:
    """Return by how much (m) a satellite must leave the geostationary ring: base + factor × C_R A/m.

    Parameters
    ----------
    reflectivity : solar radiation pressure coefficient C_R, 1 to 2.
    area, mass : projected area (m²) and dry mass (kg).
    base, per_area_to_mass : 235 km, and 1,000 km per m²/kg: IADC Space Debris Mitigation Guidelines (2007), 5.3.1.
    """
    return np.asarray(base + per_area_to_mass * np.asarray(reflectivity, dtype=float) * area / mass)


def required_success(satellites: int, single: float, constellation: float) -> float:
    """Return the disposal success asked of each of so many satellites.

    `single` below 10 satellites, `constellation` from 50; between them 0.9 + 0.001 N: French technical regulation
    (arrêté of 31 March 2011 as amended on 28 June 2024), art. 48-1.
    """
    if satellites < 10:
        return single
    return constellation if satellites >= 50 else max(single, 0.9 + 0.001 * satellites)
