"""Mean orbital elements and their secular motion under J2, J2 squared and J4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_GM, EARTH_J2, EARTH_J4, EARTH_RADIUS, TROPICAL_YEAR
from skyhall.errors import Place, ValueProblem
from skyhall.orbit.sun import mean_sun_right_ascension
from skyhall.types import Array

__all__ = [
    "MeanElements",
    "check_altitude",
    "circular_position",
    "kepler_period",
    "mean_motion",
    "position",
    "raan_from_local_time",
    "secular_rates",
    "sun_synchronous_inclination",
]


LOWEST_ALTITUDE: Final = (
    150e3  # m, below it an orbit decays within about a day (Vallado, 4th ed., section 8.6)
)
HIGHEST_ALTITUDE: Final = 100e6  # m, above it the Moon and the Sun bend an orbit more than J2 does
SUN_SYNCHRONOUS_RATE: Final = 2.0 * np.pi / TROPICAL_YEAR  # rad/s, the mean Sun's motion in right ascension


@dataclass(frozen=True, slots=True)
class MeanElements:
    """Brouwer mean elements at one epoch, in TEME; arrays of one shape (one entry per satellite).

    Parameters
    ----------
    semi_major_axis : m.
    eccentricity : from 0 to below 1.
    inclination, raan, argument_of_perigee, mean_anomaly : rad.
    """

    semi_major_axis: Array
    eccentricity: Array
    inclination: Array
    raan: Array
    argument_of_perigee: Array
    mean_anomaly: Array

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes(*(np.shape(getattr(self, name)) for name in self.__slots__))
        for name in self.__slots__:
            whole = np.array(np.broadcast_to(getattr(self, name), shape), dtype=np.float64)
            object.__setattr__(self, name, whole)

    def __len__(self) -> int:
        return len(self.semi_major_axis)

    def __getitem__(self, index: object) -> MeanElements:
        """Return the elements of the satellites that `index` selects, as NumPy indexes arrays."""
        return MeanElements(*(getattr(self, name)[index] for name in self.__slots__))


def check_altitude(altitude: npt.ArrayLike, *, place: Place | None = None) -> None:
    """Raise `ValueProblem` for an altitude (m above the equator's radius) at which no orbit can be flown."""
    heights = np.asarray(altitude, dtype=np.float64)
    if not np.all(heights >= LOWEST_ALTITUDE):
        raise ValueProblem(
            f"an altitude of {np.min(heights) / 1e3:.6g} km is impossible: the orbit decays within a day",
            place=place,
            right=f"choose at least {LOWEST_ALTITUDE / 1e3:.0f} km",
        )
    if not np.all(heights <= HIGHEST_ALTITUDE):
        raise ValueProblem(
            f"an altitude of {np.max(heights) / 1e3:.6g} km is not modelled: the Moon rules there",
            place=place,
            right=f"choose at most {HIGHEST_ALTITUDE / 1e3:.0f} km",
        )


def mean_motion(semi_major_axis: npt.ArrayLike) -> Array:
    """Return the two-body mean motion (rad/s) at `semi_major_axis` (m): Kepler's third law."""
    axis = np.asarray(semi_major_axis, dtype=np.float64)
    return np.sqrt(EARTH_GM / (axis * axis * axis))


def kepler_period(altitude: npt.ArrayLike) -> Array:
    """Return the period (s) of a circular orbit at `altitude` (m above the equator's radius)."""
    return 2.0 * np.pi / mean_motion(EARTH_RADIUS + np.asarray(altitude, dtype=np.float64))


def secular_rates(
    semi_major_axis: npt.ArrayLike, eccentricity: npt.ArrayLike, inclination: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    """Return the secular rates of node, perigee and mean anomaly.

    J2, J2 squared and J4 of the Earth's field; drag, Moon, Sun and resonances are left out.

    Parameters
    ----------
    semi_major_axis : m (Brouwer mean).
    eccentricity : from 0 to below 1.
    inclination : rad.

    Returns
    -------
    (raan_rate, argument_of_perigee_rate, mean_anomaly_rate) in rad/s; the last includes the mean motion.

    References
    ----------
    Hoots and Roehrich 1980, Spacetrack Report No. 3, section 6, the secular effects of gravitation
    (Brouwer 1959, AJ 64, 378).
    """
    axis = np.asarray(semi_major_axis, dtype=np.float64)
    flatness = 1.0 - np.square(np.asarray(eccentricity, dtype=np.float64))
    cosine = np.cos(np.asarray(inclination, dtype=np.float64))
    cosine2 = cosine * cosine
    cosine4 = cosine2 * cosine2
    motion = mean_motion(axis)
    radius2 = np.square(EARTH_RADIUS / (axis * flatness))
    first = 1.5 * EARTH_J2 * radius2 * motion
    second = 0.5 * first * EARTH_J2 * radius2
    fourth = -0.46875 * EARTH_J4 * radius2 * radius2 * motion
    root = np.sqrt(flatness)
    anomaly_rate = (
        motion
        + 0.5 * first * root * (3.0 * cosine2 - 1.0)
        + 0.0625 * second * root * (13.0 - 78.0 * cosine2 + 137.0 * cosine4)
    )
    perigee_rate = (
        -0.5 * first * (1.0 - 5.0 * cosine2)
        + 0.0625 * second * (7.0 - 114.0 * cosine2 + 395.0 * cosine4)
        + fourth * (3.0 - 36.0 * cosine2 + 49.0 * cosine4)
    )
    raan_rate = cosine * (
        -first + 0.5 * second * (4.0 - 19.0 * cosine2) + 2.0 * fourth * (3.0 - 7.0 * cosine2)
    )
    return raan_rate, perigee_rate, anomaly_rate


def sun_synchronous_inclination(altitude: npt.ArrayLike, *, place: Place | None = None) -> Array:
    """Return the inclination (rad) at which a circular orbit's node follows the mean Sun.

    Parameters
    ----------
    altitude : m above the equator's radius, any shape.

    Raises
    ------
    ValueProblem : no inclination turns the node fast enough (above about 5,970 km), or no such orbit.
    """
    check_altitude(altitude, place=place)
    axis = EARTH_RADIUS + np.asarray(altitude, dtype=np.float64)
    first = 1.5 * EARTH_J2 * np.square(EARTH_RADIUS / axis) * mean_motion(axis)
    cosine = -SUN_SYNCHRONOUS_RATE / first
    # The node's rate is cos(i) times a factor that hardly depends on i: a fixed point.
    for _ in range(10):
        inclination = np.arccos(np.clip(cosine, -1.0, -1e-6))
        rate, _, _ = secular_rates(axis, 0.0, inclination)
        cosine = np.cos(inclination) * SUN_SYNCHRONOUS_RATE / rate
    if np.any(cosine < -1.0):
        raise ValueProblem(
            f"no sun-synchronous orbit exists at {np.max(axis - EARTH_RADIUS) / 1e3:.6g} km",
            place=place,
            right="choose an altitude below 5,900 km, or give the inclination",
        )
    return np.arccos(cosine)


def raan_from_local_time(local_time_s: npt.ArrayLike, julian_date: npt.ArrayLike) -> Array:
    """Return the right ascension (rad, 0 to 2 pi) of an ascending node at a mean local solar time.

    Parameters
    ----------
    local_time_s : mean local solar time of the ascending node, seconds after midnight.
    julian_date : UTC, days.
    """
    hour_angle = 2.0 * np.pi * np.asarray(local_time_s, dtype=np.float64) / DAY - np.pi
    return np.mod(mean_sun_right_ascension(julian_date) + hour_angle, 2.0 * np.pi)


def circular_position(elements: MeanElements, seconds: npt.ArrayLike) -> Array:
    """Return positions (m, TEME, shape (..., 3)) with the eccentricity taken as zero.

    `seconds` after the elements' epoch broadcasts against the elements: give it a new last axis
    (``elements[:, None]``, seconds of shape (steps,)) for every satellite at every time.
    """
    time = np.asarray(seconds, dtype=np.float64)
    raan, latitude, _ = _angles(elements, time)
    return _on_the_plane(elements.semi_major_axis, raan, latitude, elements.inclination)


def position(elements: MeanElements, seconds: npt.ArrayLike) -> Array:
    """Return positions (m, TEME, shape (..., 3)) to first order in the eccentricity.

    The error of the truncation is 1.25 e squared of the radius (3.5 km at e = 0.02 in a low orbit). The
    short-period terms of J2 (about 10 km) are left out, as mean elements imply; so are drag and resonance.

    Parameters
    ----------
    elements : mean elements, any shape.
    seconds : s after the elements' epoch; broadcasts against the elements' shape.

    References
    ----------
    Brouwer and Clemence 1961, chapter II: equation of the centre and radius, first terms.
    """
    time = np.asarray(seconds, dtype=np.float64)
    raan, latitude, anomaly = _angles(elements, time)
    latitude = latitude + 2.0 * elements.eccentricity * np.sin(anomaly)
    radius = elements.semi_major_axis * (1.0 - elements.eccentricity * np.cos(anomaly))
    return _on_the_plane(radius, raan, latitude, elements.inclination)


def _angles(elements: MeanElements, time: Array) -> tuple[Array, Array, Array]:
    raan_rate, perigee_rate, anomaly_rate = secular_rates(
        elements.semi_major_axis, elements.eccentricity, elements.inclination
    )
    anomaly = elements.mean_anomaly + anomaly_rate * time
    latitude = elements.argument_of_perigee + perigee_rate * time + anomaly
    return elements.raan + raan_rate * time, latitude, anomaly


def _on_the_plane(radius: Array, raan: Array, latitude: Array, inclination: Array) -> Array:
    along, across = np.cos(latitude), np.sin(latitude)
    east, north = np.cos(raan), np.sin(raan)
    level = across * np.cos(inclination)
    x = along * east - level * north
    y = along * north + level * east
    return np.stack(
        np.broadcast_arrays(radius * x, radius * y, radius * across * np.sin(inclination)), axis=-1
    )
