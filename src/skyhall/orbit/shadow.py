"""The Earth's shadow: how much of the Sun's disc a satellite sees.

The first four functions are the kernel's: plain arithmetic that NumPy broadcasts and the twin compiles.
They treat the Earth as a sphere whose limb is straight across the Sun's disc and the Sun as equally bright;
`disc_fractions` knows both discs, and `shadow_times` finds the moments of entry and exit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS, SOLAR_RADIUS
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "DiscFractions",
    "ShadowTimes",
    "disc_fractions",
    "eclipse_fraction_of_orbit",
    "limb_distance",
    "lit_disc_fraction",
    "lit_disc_integral",
    "mean_lit_fraction",
    "shadow_times",
]


# Odd minimax polynomial for (x sqrt(1 - x^2) + asin x) / pi on [-1, 1], held to 1/2 at x = 1 so that full
# sunlight is exactly 1; found by linear programming. Largest error 1.22e-4; one degree lower leaves 2.2e-4.
_F1: Final = 0.6380188974803
_F3: Final = -0.1366181282672
_F5: Final = 0.1707244495637
_F7: Final = -0.4733566133547
_F9: Final = 0.5137130713787
_F11: Final = 0.5 - (_F1 + _F3 + _F5 + _F7 + _F9)

# Its antiderivative, an even polynomial, held to 1/2 at x = 1 where it meets |x| / 2.
_I2: Final = _F1 / 2.0
_I4: Final = _F3 / 4.0
_I6: Final = _F5 / 6.0
_I8: Final = _F7 / 8.0
_I10: Final = _F9 / 10.0
_I12: Final = _F11 / 12.0
_I0: Final = 0.5 - (_I2 + _I4 + _I6 + _I8 + _I10 + _I12)


def limb_distance(
    sun_cosine: Numbers, horizon_sine: Numbers, horizon_cosine: Numbers, inverse_sun_sine: Numbers
) -> Numbers:
    """Return the distance of the Sun's centre from the Earth's limb, in solar radii, positive outside.

    The sine of (the Sun's elevation plus the dip of the horizon) over the sine of the Sun's angular radius.
    The Sun is taken as infinitely far: 9 arcseconds in a low orbit, 0.06 solar radii in a geostationary one.

    Parameters
    ----------
    sun_cosine : cosine of the angle between the satellite and the Sun, both seen from the Earth's centre.
    horizon_sine : R / r, the Earth's radius over the satellite's distance from its centre.
    horizon_cosine : sqrt(1 - (R / r)^2).
    inverse_sun_sine : 1 / sin(angular radius of the Sun), that is its distance over its radius.
    """
    elevation_cosine = np.sqrt(np.maximum(1.0 - sun_cosine * sun_cosine, 0.0))
    distance: Numbers = (elevation_cosine * horizon_cosine + sun_cosine * horizon_sine) * inverse_sun_sine
    return distance


def lit_disc_fraction(x: Numbers) -> Numbers:
    """Return the fraction of the Sun's disc that is visible when a straight limb cuts it at `x` solar radii.

    Exactly 1/2 + (x sqrt(1 - x^2) + asin x) / pi; here a polynomial of degree 11 within 1.3e-4 of it,
    exactly 0 below -1 and exactly 1 above 1.
    """
    y = np.minimum(np.maximum(x, -1.0), 1.0)
    z = y * y
    fraction: Numbers = 0.5 + y * (_F1 + z * (_F3 + z * (_F5 + z * (_F7 + z * (_F9 + z * _F11)))))
    return fraction


def lit_disc_integral(x: Array) -> Array:
    """Return the integral of `lit_disc_fraction` from minus infinity to `x` (solar radii)."""
    y = np.minimum(np.maximum(x, -1.0), 1.0)
    integral: Array = _integral_on_disc(y) + np.maximum(x - 1.0, 0.0)
    return integral


def _integral_on_disc(y: Array) -> Array:
    """Return the integral of `lit_disc_fraction` from -1 to `y`, for `y` within [-1, 1]."""
    z = y * y
    integral: Array = _I0 + 0.5 * y + z * (_I2 + z * (_I4 + z * (_I6 + z * (_I8 + z * (_I10 + z * _I12)))))
    return integral


def mean_lit_fraction(x0: Array, x1: Array) -> Array:
    """Return the mean lit fraction of a step between limb distances `x0` and `x1` (solar radii).

    The limb distance is taken as linear over the step: the share of the step above the limb, and the integral over
    the part that crosses it. Steps shorter than 0.04 solar radii are widened to that, so that nothing is divided by
    zero. Ordered so that it keeps its digits in single precision: exactly 0 or 1 far from the limb.
    """
    middle = 0.5 * (x0 + x1)
    half = np.maximum(0.5 * np.abs(x1 - x0), 0.02)
    low = middle - half
    high = middle + half
    share = 0.5 / half
    above = np.minimum(np.maximum((high - 1.0) * share, 0.0), 1.0)
    start = np.minimum(np.maximum(low, -1.0), 1.0)
    stop = np.minimum(np.maximum(high, -1.0), 1.0)
    mean: Array = above + (_integral_on_disc(stop) - _integral_on_disc(start)) * share
    return mean


class DiscFractions(NamedTuple):
    """What is seen of the Sun's disc: lit fraction, and whether the eclipse is total, partial or annular."""

    lit: Array
    umbra: npt.NDArray[np.bool_]
    penumbra: npt.NDArray[np.bool_]
    annular: npt.NDArray[np.bool_]


def disc_fractions(
    position: npt.ArrayLike,
    sun_position: npt.ArrayLike,
    *,
    earth_radius: float = EARTH_RADIUS,
    solar_radius: float = SOLAR_RADIUS,
) -> DiscFractions:
    """Return how much of the Sun a satellite sees past a spherical Earth: two discs that overlap.

    Atmosphere and limb darkening are left out; angles on the sky are treated as lengths in a plane.

    Parameters
    ----------
    position : of the satellite from the Earth's centre, m, shape (..., 3).
    sun_position : of the Sun from the Earth's centre, m, shape (..., 3), in the same frame.
    earth_radius, solar_radius : m.

    Returns
    -------
    DiscFractions of shape (...).

    References
    ----------
    Montenbruck and Gill 2000, Satellite Orbits, section 3.4.2, equations 3.85 to 3.87, 3.92 to 3.94.
    """
    separation, earth, sun = _seen_from(position, sun_position, earth_radius, solar_radius)
    umbra = separation <= earth - sun
    annular = separation <= sun - earth
    penumbra = (separation < earth + sun) & ~umbra & ~annular
    distance = np.where(penumbra, separation, np.maximum(earth, sun))
    chord = np.clip((distance**2 + sun**2 - earth**2) / (2.0 * distance), -sun, sun)
    covered = (
        sun**2 * np.arccos(chord / sun)
        + earth**2 * np.arccos(np.clip((distance - chord) / earth, -1.0, 1.0))
        - distance * np.sqrt(sun**2 - chord**2)
    )
    partial = 1.0 - covered / (np.pi * sun**2)
    lit = np.select(
        [umbra, annular, penumbra], [np.zeros_like(partial), 1.0 - (earth / sun) ** 2, partial], 1.0
    )
    return DiscFractions(lit, umbra, penumbra, annular)


def _seen_from(
    position: npt.ArrayLike, sun_position: npt.ArrayLike, earth_radius: float, solar_radius: float
) -> tuple[Array, Array, Array]:
    # Angle between the centres of Earth and Sun, and their angular radii, as the satellite sees them.
    satellite = np.asarray(position, dtype=np.float64)
    to_sun = np.asarray(sun_position, dtype=np.float64) - satellite
    height = np.linalg.norm(satellite, axis=-1)
    range_to_sun = np.linalg.norm(to_sun, axis=-1)
    away = np.sum(satellite * to_sun, axis=-1)
    aside = np.linalg.norm(np.cross(satellite, to_sun), axis=-1)
    separation: Array = np.arctan2(aside, -away)
    earth: Array = np.arcsin(np.minimum(earth_radius / height, 1.0))
    sun: Array = np.arcsin(np.minimum(solar_radius / range_to_sun, 1.0))
    return separation, earth, sun


def eclipse_fraction_of_orbit(altitude: npt.ArrayLike, beta: npt.ArrayLike) -> Array:
    """Return the share of a circular orbit during which the Sun's centre is behind the Earth.

    A cylinder of the equator's radius; in time it is also the middle of the penumbra.

    Parameters
    ----------
    altitude : m above the equator's radius.
    beta : angle of the Sun above the orbit's plane, rad.

    References
    ----------
    Vallado 2013, Fundamentals of Astrodynamics (4th ed.), section 5.3, cylindrical shadow.
    """
    sine = EARTH_RADIUS / (EARTH_RADIUS + np.asarray(altitude, dtype=np.float64))
    horizon_cosine = np.sqrt(1.0 - sine * sine)
    beta_cosine = np.cos(np.asarray(beta, dtype=np.float64))
    ratio = horizon_cosine / np.maximum(beta_cosine, horizon_cosine)
    return np.asarray(np.arccos(np.minimum(ratio, 1.0)) / np.pi, dtype=np.float64)


class ShadowTimes(NamedTuple):
    """Seconds of entry into shadow and of exit from it, one of each per eclipse, in order of time.

    An eclipse that runs at the interval's start (or end) has that moment for its entry (or exit).
    """

    entry: Array
    exit: Array


def shadow_times(
    position_function: Callable[[Array], Array],
    sun_function: Callable[[Array], Array],
    start: float,
    stop: float,
    *,
    kind: Literal["centre", "umbra", "penumbra"] = "centre",
    earth_radius: float = EARTH_RADIUS,
    oblate: bool = False,
    step: float = 60.0,
) -> ShadowTimes:
    """Return when a satellite enters the Earth's shadow and leaves it.

    Brackets on a grid of `step` seconds, with one more sample at each extremum so that grazing eclipses are
    met, then bisection to a microsecond. A grazing eclipse of less than about a second may be missed.

    Parameters
    ----------
    position_function : seconds of shape (n,) -> positions of the satellite, m, shape (n, 3).
    sun_function : seconds of shape (n,) -> positions of the Sun from the Earth's centre, m, shape (n, 3),
        in the same frame.
    start, stop : seconds.
    kind : shadow of the Sun's ``centre``, of the whole disc (``umbra``) or of any of it (``penumbra``).
    earth_radius : of the equator, m.
    oblate : flatten the Earth as WGS 84 does, the frame's z axis being its axis.
    step : s, well below half an eclipse-free arc.

    Raises
    ------
    ValueProblem : the interval is empty or the kind is unknown.
    """
    margins = {"centre": 0.0, "umbra": 1.0, "penumbra": -1.0}
    if kind not in margins or not stop > start:
        raise ValueProblem(
            f"no shadow of kind {kind!r} from {start} s to {stop} s",
            right="choose centre, umbra or penumbra, and stop after start",
        )
    # Stretching z turns the ellipsoid into a sphere and keeps straight lines straight.
    stretch = np.array([1.0, 1.0, 1.0 / (1.0 - EARTH_FLATTENING) if oblate else 1.0])

    def clearance(seconds: Array) -> Array:
        satellite, sun_position = position_function(seconds) * stretch, sun_function(seconds) * stretch
        separation, earth, sun = _seen_from(satellite, sun_position, earth_radius, SOLAR_RADIUS)
        return separation - earth + margins[kind] * sun

    grid = np.linspace(start, stop, max(int(np.ceil((stop - start) / step)), 2) + 1)
    grid, values = _with_extrema(clearance, grid, clearance(grid))
    dark = values <= 0.0
    edge = np.flatnonzero(dark[1:] != dark[:-1])
    times = _bisect(clearance, grid[edge], grid[edge + 1], dark[edge])
    falls = ~dark[edge]
    entry, leave = times[falls], times[~falls]
    if dark[0]:
        entry = np.concatenate([[start], entry])
    if dark[-1]:
        leave = np.concatenate([leave, [stop]])
    return ShadowTimes(entry, leave)


def _with_extrema(function: Callable[[Array], Array], grid: Array, values: Array) -> tuple[Array, Array]:
    # The vertex of the parabola through three samples, wherever the middle one is an extremum.
    rise = np.diff(values)
    turn = np.flatnonzero(rise[1:] * rise[:-1] < 0.0)
    spacing = grid[1] - grid[0]
    vertex = grid[turn + 1] - 0.5 * spacing * (rise[turn] + rise[turn + 1]) / (rise[turn + 1] - rise[turn])
    whole = np.concatenate([grid, vertex])
    order = np.argsort(whole, kind="stable")
    return whole[order], np.concatenate([values, function(vertex)])[order]


def _bisect(
    function: Callable[[Array], Array], left: Array, right: Array, dark_left: npt.NDArray[np.bool_]
) -> Array:
    for _ in range(30):
        middle = 0.5 * (left + right)
        beyond = (function(middle) <= 0.0) != dark_left
        left, right = np.where(beyond, left, middle), np.where(beyond, middle, right)
    return 0.5 * (left + right)
