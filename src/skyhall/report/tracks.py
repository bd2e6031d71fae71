"""Where some of a fleet's satellites are over time, in TEME and over the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_RADIUS, SOLAR_RADIUS
from skyhall.fleet import Fleet
from skyhall.orbit import geodetic
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.shadow import limb_distance
from skyhall.orbit.sun import greenwich_angle, sun_direction
from skyhall.types import Array

__all__ = ["Tracks", "over_the_ground", "periods", "sampled", "satellite_names", "sun_clearance", "tracks"]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Positions of some satellites over time.

    Attributes
    ----------
    satellites : their indices in the fleet, (n,). names : one each.
    seconds : s after the epoch, (steps,).
    position : m, TEME, (n, steps, 3).
    """

    satellites: npt.NDArray[np.int64]
    names: list[str]
    seconds: Array
    position: Array


def sampled(fleet: Fleet, most: int) -> npt.NDArray[np.int64]:
    """Return the indices of at most `most` satellites, spread evenly over the fleet, its first and last included."""
    return np.unique(np.linspace(0, len(fleet) - 1, min(most, len(fleet))).round().astype(np.int64))


def satellite_names(fleet: Fleet, satellites: npt.NDArray[np.int64]) -> list[str]:
    """Return the published names of real satellites; else shell, plane and slot."""
    if fleet.sets is not None:
        return [fleet.sets.names[index] for index in satellites]
    return [
        f"{fleet.designs[fleet.design_index[i]].name} · plane {fleet.plane[i] + 1}, slot {fleet.slot[i] + 1}"
        for i in satellites
    ]


def tracks(fleet: Fleet, satellites: npt.NDArray[np.int64], seconds: Array) -> Tracks:
    """Return the positions of `satellites` at `seconds` after the epoch, propagated as the fleet flies."""
    where = fleet.positions(seconds, satellites)
    return Tracks(satellites, satellite_names(fleet, satellites), seconds, where)


def periods(fleet: Fleet, satellites: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the shortest and the longest period of `satellites`, s."""
    periods = kepler_period(fleet.elements.semi_major_axis[satellites] - EARTH_RADIUS)
    return float(periods.min()), float(periods.max())


def sun_clearance(found: Tracks, julian_date: float) -> Array:
    """Return how far the Sun's centre stands off the Earth's limb, solar radii, positive in the light; (n, steps)."""
    sun, distance = sun_direction(julian_date + found.seconds / DAY)
    radius = np.linalg.norm(found.position, axis=-1)
    sine = np.minimum(EARTH_RADIUS / radius, 1.0)
    cosine = np.einsum("nsk,sk->ns", found.position, sun) / radius
    return np.asarray(
        limb_distance(cosine, sine, np.sqrt(1.0 - sine * sine), distance / SOLAR_RADIUS), dtype=np.float64
    )


def over_the_ground(found: Tracks, julian_date: float) -> tuple[Array, Array, Array]:
    """Return longitude (deg, -180 to 180), geodetic latitude (deg) and height (m) over WGS 84; (n, steps) each."""
    turn = greenwich_angle(julian_date + found.seconds / DAY)
    latitude, longitude, height = geodetic.over_the_ground(found.position, turn)
    return np.degrees(longitude), np.degrees(latitude), height
