"""Constellation patterns: where each satellite of a designed fleet starts.

Every pattern returns mean elements at the scenario's epoch (TEME) with each satellite's plane and its slot
in the plane, satellites of one plane side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_GM, EARTH_RADIUS, EARTH_ROTATION
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import (
    MeanElements,
    check_altitude,
    raan_from_local_time,
    secular_rates,
    sun_synchronous_inclination,
)
from skyhall.orbit.formation import formation_elements, square_lattice
from skyhall.orbit.sun import greenwich_angle

__all__ = [
    "Pattern",
    "cluster",
    "geostationary_altitude",
    "geostationary_ring",
    "sun_synchronous",
    "walker_delta",
    "walker_star",
]

Index = npt.NDArray[np.int64]

_TURN = 2.0 * np.pi


class Pattern(NamedTuple):
    """Mean elements of a fleet, with the plane of each satellite and its slot within the plane."""

    elements: MeanElements
    plane: Index
    slot: Index


def walker_delta(
    altitude: float,
    inclination: float,
    satellites: int,
    planes: int = 1,
    phasing: int = 0,
    raan0: float = 0.0,
) -> Pattern:
    """Return a Walker delta pattern: circular planes whose nodes divide the whole equator.

    Parameters
    ----------
    altitude : m above the equator's radius.
    inclination : rad.
    satellites, planes, phasing : Walker's T / P / F; the satellites of the next plane lead by F turns / T.
    raan0 : right ascension of the first plane's node, rad.

    Raises
    ------
    ValueProblem : impossible altitude, planes that do not divide the satellites, phasing outside 0 to P - 1.

    References
    ----------
    Walker 1984, Satellite constellations, JBIS 37, 559.
    """
    return _walker(altitude, inclination, satellites, planes, phasing, raan0, _TURN)


def walker_star(
    altitude: float,
    inclination: float,
    satellites: int,
    planes: int = 1,
    phasing: int = 0,
    raan0: float = 0.0,
) -> Pattern:
    """Return a Walker star pattern: as `walker_delta`, but the nodes divide half of the equator."""
    return _walker(altitude, inclination, satellites, planes, phasing, raan0, np.pi)


def sun_synchronous(
    altitude: float,
    local_time_s: float,
    julian_date: float,
    satellites: int,
    planes: int = 1,
    *,
    spread_s: float = DAY,
) -> Pattern:
    """Return sun-synchronous circular planes; the inclination is solved from the altitude.

    Parameters
    ----------
    altitude : m above the equator's radius.
    local_time_s : mean local solar time of the first plane's ascending node, seconds after midnight.
    julian_date : the epoch, UTC, days.
    satellites : in all; `planes` must divide it.
    planes : their local times divide `spread_s`: two planes from 06:00 are 06:00 and 18:00.
    spread_s : local time over which the planes are spread, s.

    Raises
    ------
    ValueProblem : no such orbit at this altitude, or planes that do not divide the satellites.
    """
    inclination = float(sun_synchronous_inclination(altitude))
    raan0 = float(raan_from_local_time(local_time_s, julian_date))
    return _walker(altitude, inclination, satellites, planes, 0, raan0, _TURN * spread_s / DAY)


def geostationary_altitude() -> float:
    """Return the altitude (m) at which a circular equatorial orbit turns with the Earth."""
    axis = float((EARTH_GM / EARTH_ROTATION**2) ** (1.0 / 3.0))
    for _ in range(5):
        rate = sum(float(each) for each in secular_rates(axis, 0.0, 0.0))
        axis *= (rate / EARTH_ROTATION) ** (2.0 / 3.0)
    return axis - EARTH_RADIUS


def geostationary_ring(
    satellites: int, julian_date: float, *, first_longitude: float = 0.0, spacing: float | None = None
) -> Pattern:
    """Return geostationary satellites, evenly around the equator unless a spacing is given.

    Station keeping is taken as done: the triaxial Earth, Moon and Sun that pull them off are left out.

    Parameters
    ----------
    satellites : how many.
    julian_date : the epoch, UTC, days.
    first_longitude : east longitude of the first, rad.
    spacing : longitude between neighbours, rad; by default they divide the circle.
    """
    _check_count(satellites, 1)
    step = _TURN / satellites if spacing is None else spacing
    slot = np.arange(satellites)
    longitude = first_longitude + step * slot + greenwich_angle(julian_date)
    elements = _circular(geostationary_altitude(), 0.0, 0.0, longitude)
    return Pattern(elements, np.zeros_like(slot), slot)


def cluster(
    altitude: float,
    inclination: float,
    satellites: int,
    spacing: float,
    *,
    raan: float = 0.0,
    argument_of_latitude: float = 0.0,
) -> Pattern:
    """Return a tight formation: a square lattice of satellites that circle its centre (`orbit.formation`).

    Parameters
    ----------
    altitude : m above the equator's radius.
    inclination, raan : rad.
    satellites : how many, around `argument_of_latitude` (rad); slot 0 is the centre.
    spacing : step of the lattice along the track, m; twice that along the radius.

    Raises
    ------
    ValueProblem : impossible altitude, spacing not positive, or a formation too wide for its orbit.
    """
    check_altitude(altitude)
    along, twice_radial = square_lattice(satellites, spacing)
    elements = formation_elements(altitude, inclination, raan, argument_of_latitude, along, twice_radial)
    slot = np.arange(satellites)
    return Pattern(elements, np.zeros_like(slot), slot)


def _walker(
    altitude: float,
    inclination: float,
    satellites: int,
    planes: int,
    phasing: int,
    raan0: float,
    spread: float,
) -> Pattern:
    check_altitude(altitude)
    _check_count(satellites, planes)
    if not 0.0 <= inclination <= np.pi:
        raise ValueProblem(
            f"an inclination of {np.degrees(inclination):.6g} deg is impossible", right="choose 0 to 180 deg"
        )
    if not 0 <= phasing < planes:
        raise ValueProblem(
            f"a phasing of {phasing} is impossible with {planes} planes", right=f"choose 0 to {planes - 1}"
        )
    plane, slot = np.divmod(np.arange(satellites), satellites // planes)
    raan = raan0 + spread * plane / planes
    latitude = _TURN * (slot * planes / satellites + phasing * plane / satellites)
    return Pattern(_circular(altitude, inclination, raan, latitude), plane, slot)


def _check_count(satellites: int, planes: int) -> None:
    if satellites < 1 or planes < 1:
        raise ValueProblem(
            f"{satellites} satellites in {planes} planes is impossible", right="choose at least one of each"
        )
    if satellites % planes:
        near = max(satellites // planes, 1) * planes
        raise ValueProblem(
            f"{satellites} satellites do not divide into {planes} planes",
            right=f"choose {near} or {near + planes} satellites, or another number of planes",
        )


def _circular(
    altitude: float, inclination: float, raan: npt.ArrayLike, latitude: npt.ArrayLike
) -> MeanElements:
    return MeanElements(
        semi_major_axis=np.asarray(EARTH_RADIUS + altitude),
        eccentricity=np.asarray(0.0),
        inclination=np.asarray(inclination),
        raan=np.mod(np.asarray(raan), _TURN),
        argument_of_perigee=np.asarray(0.0),
        mean_anomaly=np.mod(np.asarray(latitude), _TURN),
    )
