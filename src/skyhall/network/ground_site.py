"""Sites on the ground, and how satellites stand in their sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_FLATTENING, EARTH_RADIUS
from skyhall.errors import Place, ValueProblem
from skyhall.orbit.sun import greenwich_angle
from skyhall.types import Array, Numbers

__all__ = ["GroundSites", "earth_fixed", "elevation_and_range", "on_the_ground"]

_HIGHEST: Final = 9000.0  # m, above every mountain
_LOWEST: Final = -500.0  # m, below every shore


@dataclass(frozen=True, slots=True)
class GroundSites:
    """Places over the WGS 84 ellipsoid; arrays of one shape (sites,).

    Parameters
    ----------
    latitude, longitude : geodetic, rad; east is positive.
    altitude : m over the ellipsoid.
    mask : lowest elevation at which a satellite is worked with, rad.

    Raises
    ------
    ValueProblem : a place that is not on the Earth, or a mask that no satellite passes.
    """

    latitude: Array
    longitude: Array
    altitude: Array
    mask: Array

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes((1,), *(np.shape(getattr(self, name)) for name in self.__slots__))
        for name in self.__slots__:
            whole = np.array(np.broadcast_to(getattr(self, name), shape), dtype=np.float64)
            object.__setattr__(self, name, whole)
        half = 0.5 * np.pi
        _check("latitude", np.degrees(self.latitude), np.abs(self.latitude) <= half + 1e-12, "-90 to 90 deg")
        _check("longitude", np.degrees(self.longitude), np.abs(self.longitude) <= 4 * half, "-180 to 360 deg")
        inside = (self.altitude >= _LOWEST) & (self.altitude <= _HIGHEST)
        _check("altitude", self.altitude, inside, "-500 to 9000 m")
        _check("mask", np.degrees(self.mask), (self.mask >= 0.0) & (self.mask < half), "0 to below 90 deg")

    def __len__(self) -> int:
        return len(self.latitude)

    @property
    def zenith(self) -> Array:
        """Unit vectors along the ellipsoid's normal, Earth-fixed, (sites, 3)."""
        return on_the_ground(self.latitude, self.longitude)[1]

    @property
    def position(self) -> Array:
        """Positions from the Earth's centre, Earth-fixed, m, (sites, 3)."""
        return on_the_ground(self.latitude, self.longitude, height=self.altitude)[0]


def on_the_ground(
    latitude: Numbers, longitude: Numbers, greenwich: Numbers = 0.0, height: Numbers = 0.0
) -> tuple[Array, Array]:
    """Return positions (m) and zeniths (unit vectors) of places over the WGS 84 ellipsoid, (..., 3) each.

    Parameters
    ----------
    latitude, longitude : geodetic, rad; they broadcast.
    greenwich : angle from the frame's x axis to longitude 0, rad: `orbit.greenwich_angle` for TEME, 0 for Earth-fixed.
    height : m over the ellipsoid.

    Raises
    ------
    ValueProblem : a latitude beyond the poles.
    """
    north, east = np.broadcast_arrays(np.asarray(latitude, float), np.add(longitude, greenwich, dtype=float))
    if np.any(np.abs(north) > 0.5 * np.pi + 1e-12):
        worst = float(np.degrees(north.flat[np.argmax(np.abs(north))]))
        raise ValueProblem(f"a latitude of {worst:.6g} deg is impossible", right="choose -90 to 90 deg")
    squeezed = (1.0 - EARTH_FLATTENING) ** 2
    zenith = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)
    normal = EARTH_RADIUS / np.sqrt(np.cos(north) ** 2 + squeezed * np.sin(north) ** 2)
    polar = np.array([1.0, 1.0, squeezed])
    return (normal[..., None] * polar + np.asarray(height, float)[..., None]) * zenith, zenith


def _check(name: str, values: Array, good: npt.NDArray[np.bool_], right: str) -> None:
    if not np.all(good):
        wrong = float(values[~good][0])
        raise ValueProblem(
            f"a {name} of {wrong:g} is impossible", place=Place(key=name), right=f"give {right}"
        )


def earth_fixed(position: Array, julian_date: float, seconds: Array) -> Array:
    """Return positions (m, (..., times, 3), TEME) turned into the frame of the ground, with z to the pole.

    Polar motion (some 10 m) and the difference of UT1 and UTC (below 0.9 s, in 2026 below 0.1 s) are left out.

    Parameters
    ----------
    julian_date, seconds : UTC days, and s after them (times,).
    """
    angle = greenwich_angle(julian_date + np.asarray(seconds, dtype=np.float64) / DAY)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = position[..., 0], position[..., 1]
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, position[..., 2]], axis=-1)


def elevation_and_range(sites: GroundSites, site: npt.ArrayLike, position: Array) -> tuple[Array, Array]:
    """Return elevation (rad, over the ellipsoid's horizon, without refraction) and range (m).

    Parameters
    ----------
    site : index of the site, any shape that broadcasts against `position` without its last axis.
    position : of the satellite, Earth-fixed, m, (..., 3).
    """
    index = np.asarray(site, dtype=np.int64)
    away = position - sites.position[index]
    distance = np.linalg.norm(away, axis=-1)
    sine = np.einsum("...i,...i->...", away, sites.zenith[index]) / distance
    return np.arcsin(np.clip(sine, -1.0, 1.0)), distance
