"""Where the Sun stands, how far it is, and how it lies to an orbit's plane.

The frame is TEME throughout (true equator, mean equinox of date), the frame of SGP4, so that a direction
from here may be used beside a satellite's position without any rotation.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import ASTRONOMICAL_UNIT, DAY, J2000_JD
from skyhall.types import Array

__all__ = [
    "beta_angle",
    "decimal_year",
    "greenwich_angle",
    "irradiance_ratio",
    "julian_date",
    "mean_sun_right_ascension",
    "sun_direction",
]


TT_MINUS_UTC: Final = 69.184  # s, since 2017-01-01 (IERS Bulletin C 52: 37 s of leap seconds, plus 32.184 s)
_JULIAN_CENTURY: Final = 36525.0  # days
_ARCSECOND: Final = np.pi / 648000.0  # rad
_UNIX_EPOCH_JD: Final = 2440587.5  # days, Julian date of 1970-01-01 00:00 UTC

# Amplitude, phase and rate of A cos(B + C t), t in Julian millennia from J2000 (TDB): the largest terms of
# VSOP87D, heliocentric Earth, ecliptic and equinox of date (Bretagnon and Francou 1988, A&A 202, 309).
# Amplitudes in 1e-8 rad (longitude) and 1e-8 AU (distance).
_LONGITUDE: Final = np.array(
    [
        (3341656, 4.6692568, 6283.0758500),
        (34894, 4.62610, 12566.15170),
        (3497, 2.7441, 5753.3849),
        (3418, 2.8289, 3.5231),
        (3136, 3.6277, 77713.7715),
        (2676, 4.4181, 7860.4194),
        (2343, 6.1352, 3930.2097),
        (1324, 0.7425, 11506.7698),
        (1273, 2.0371, 529.6910),
        (1199, 1.1096, 1577.3435),
        (990, 5.233, 5884.927),
        (902, 2.045, 26.298),
        (857, 3.508, 398.149),
        (780, 1.179, 5223.694),
        (753, 2.533, 5507.553),
        (505, 4.583, 18849.228),
        (492, 4.205, 775.523),
        (357, 2.920, 0.067),
        (317, 5.849, 11790.629),
        (284, 1.899, 796.298),
        (271, 0.315, 10977.079),
        (243, 0.345, 5486.778),
        (206, 4.806, 2544.314),
        (205, 1.869, 5573.143),
        (202, 2.458, 6069.777),
        (156, 0.833, 213.299),
        (132, 3.411, 2942.463),
    ]
)
_LONGITUDE_RATE: Final = np.array(
    [(206059, 2.678235, 6283.075850), (4303, 2.6351, 12566.1517), (425, 1.590, 3.523)]
)
_DISTANCE: Final = np.array(
    [
        (1670700, 3.0984635, 6283.0758500),
        (13956, 3.05525, 12566.15170),
        (3084, 5.1985, 77713.7715),
        (1628, 1.1739, 5753.3849),
        (1576, 2.8469, 7860.4194),
        (925, 5.453, 11506.770),
        (542, 4.564, 3930.210),
    ]
)
_DISTANCE_RATE: Final = np.array([(103019, 1.107490, 6283.075850)])
_LONGITUDE_CONSTANT: Final = (
    175347046.0,
    628331966747.0,
    52919.0,
)  # 1e-8 rad per millennium to the power 0, 1, 2
_DISTANCE_CONSTANT: Final = 100013989.0  # 1e-8 AU


def julian_date(moment: datetime) -> float:
    """Return the Julian date (UTC, days) of `moment`; a moment without a time zone is taken as UTC.

    One float resolves 40 microseconds, in which a low satellite moves 0.3 m.
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return _UNIX_EPOCH_JD + aware.timestamp() / DAY


def decimal_year(moment: datetime) -> float:
    """Return the year of `moment` with the share of it that has passed: 2026.0 on 1 January at 00:00 UTC.

    A moment without a time zone is taken as UTC.
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    begun, ends = (datetime(year, 1, 1, tzinfo=UTC) for year in (aware.year, aware.year + 1))
    return aware.year + (aware - begun) / (ends - begun)


def sun_direction(julian_date_utc: npt.ArrayLike, *, aberration: bool = True) -> tuple[Array, Array]:
    """Return the apparent direction of the Sun from the Earth's centre, and its distance.

    Truncated VSOP87 (the 30 largest terms of the longitude), annual aberration, the four largest nutation
    terms; then turned from the true equinox to TEME's mean equinox. Left out: the Sun's ecliptic latitude
    (below 1.2 arcseconds) and changes of the leap second (3 arcseconds a minute).

    Parameters
    ----------
    julian_date_utc : days, any shape.
    aberration : False for the geometric direction, 20.5 arcseconds further east, which some software uses;
        light arrives, and shadows fall, along the apparent one.

    Returns
    -------
    (unit vectors in TEME, shape (..., 3); distance in metres, shape (...)).

    References
    ----------
    VSOP87 (Bretagnon and Francou 1988); Meeus, Astronomical Algorithms (2nd ed.), chapters 22, 23, 25;
    TEME from true-of-date by the equation of the equinoxes (Vallado et al. 2006, AIAA 2006-6753, appendix C).
    """
    moment = np.asarray(julian_date_utc, dtype=np.float64)
    century = (moment - J2000_JD + TT_MINUS_UTC / DAY) / _JULIAN_CENTURY
    millennium = century / 10.0
    constant, linear, square = _LONGITUDE_CONSTANT
    earth_longitude = 1e-8 * (
        constant
        + millennium * (linear + millennium * square)
        + _series(_LONGITUDE, millennium)
        + millennium * _series(_LONGITUDE_RATE, millennium)
    )
    distance_au: Array = 1e-8 * (
        _DISTANCE_CONSTANT + _series(_DISTANCE, millennium) + millennium * _series(_DISTANCE_RATE, millennium)
    )
    nutation, obliquity = _nutation_and_obliquity(century)
    longitude = earth_longitude + np.pi + nutation
    if aberration:
        longitude = longitude - 20.4898 * _ARCSECOND / distance_au  # Meeus, equation 25.10
    east, north = np.cos(longitude), np.sin(longitude)
    x, y, z = east, north * np.cos(obliquity), north * np.sin(obliquity)
    equinoxes = nutation * np.cos(obliquity)
    cosine, sine = np.cos(equinoxes), np.sin(equinoxes)
    unit = np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)
    return unit, distance_au * ASTRONOMICAL_UNIT


def _series(terms: Array, time: Array) -> Array:
    amplitude, phase, rate = terms.T
    total: Array = np.cos(phase + rate * time[..., None]) @ amplitude
    return total


def _nutation_and_obliquity(century: Array) -> tuple[Array, Array]:
    # Meeus chapter 22: nutation in longitude to 0.5 arcseconds, true obliquity to 0.1.
    node = np.radians(125.04452 - 1934.136261 * century)
    sun = np.radians(280.4665 + 36000.7698 * century)
    moon = np.radians(218.3165 + 481267.8813 * century)
    nutation = (
        -17.20 * np.sin(node) - 1.32 * np.sin(2 * sun) - 0.23 * np.sin(2 * moon) + 0.21 * np.sin(2 * node)
    )
    wobble = 9.20 * np.cos(node) + 0.57 * np.cos(2 * sun) + 0.10 * np.cos(2 * moon) - 0.09 * np.cos(2 * node)
    obliquity = 84381.448 - 46.8150 * century + wobble
    return nutation * _ARCSECOND, obliquity * _ARCSECOND


def mean_sun_right_ascension(julian_date_utc: npt.ArrayLike) -> Array:
    """Return the right ascension of the mean Sun (rad, not reduced), to which local time refers.

    Aoki et al. 1982 (A&A 105, 359): the polynomial of Greenwich mean sidereal time; UTC stands for UT1.
    """
    century = (np.asarray(julian_date_utc, dtype=np.float64) - J2000_JD) / _JULIAN_CENTURY
    seconds = 67310.54841 + century * (8640184.812866 + century * 0.093104)
    return np.asarray(seconds * (2.0 * np.pi / DAY), dtype=np.float64)


def greenwich_angle(julian_date_utc: npt.ArrayLike) -> Array:
    """Return Greenwich mean sidereal time (rad, 0 to 2 pi): the angle from TEME's x axis to longitude 0.

    The mean Sun's right ascension plus the hour of the day (Aoki et al. 1982); UTC stands for UT1 (0.9 s).
    """
    moment = np.asarray(julian_date_utc, dtype=np.float64)
    turn = 2.0 * np.pi * np.mod(moment - 0.5, 1.0)
    return np.asarray(np.mod(mean_sun_right_ascension(moment) + turn - np.pi, 2.0 * np.pi), dtype=np.float64)


def beta_angle(inclination: npt.ArrayLike, raan: npt.ArrayLike, sun_unit: Array) -> Array:
    """Return the angle of the Sun above the orbit's plane (rad, positive towards the orbit's normal).

    Parameters
    ----------
    inclination, raan : rad, any shapes that broadcast with ``sun_unit[..., 0]``.
    sun_unit : unit vectors to the Sun in TEME, shape (..., 3).
    """
    sine = np.sin(inclination)
    return np.arcsin(
        sine * np.sin(raan) * sun_unit[..., 0]
        - sine * np.cos(raan) * sun_unit[..., 1]
        + np.cos(inclination) * sun_unit[..., 2]
    )


def irradiance_ratio(distance_m: npt.ArrayLike) -> Array:
    """Return the sunlight at `distance_m` (m) from the Sun relative to that at one astronomical unit."""
    return np.square(ASTRONOMICAL_UNIT / np.asarray(distance_m, dtype=np.float64))
