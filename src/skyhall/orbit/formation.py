"""Tight formations: satellites that circle each other on one orbit, a few hundred metres apart.

The frame is Hill's: x along the radius, y along the track, z along the orbit's normal, all from the formation's centre,
which moves on a circular orbit. A relative orbit that closes is an ellipse of twice its height along the track
(Clohessy and Wiltshire 1960); the Earth's flattening changes that ratio by less than a thousandth (`axis_ratio`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_GM, EARTH_J2, EARTH_RADIUS, JULIAN_YEAR
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import MeanElements, mean_motion
from skyhall.types import Array

__all__ = [
    "FlownEllipse",
    "axis_ratio",
    "closed_orbit",
    "flown_ellipse",
    "formation_elements",
    "square_lattice",
]

_SAMPLES = 721  # of an orbit, for extents: their error is below 1e-5 of themselves


def square_lattice(satellites: int, spacing: float) -> tuple[Array, Array]:
    """Return where the satellites of a formation stand, m: (along the track, twice the radial offset).

    The points of a square lattice nearest to its centre; 81 of them are those within five steps, as Project Suncatcher
    lays them out (arXiv:2511.19468v2, figure 2). In these two coordinates every closed relative orbit is a circle that
    all satellites run through at one rate, so that the lattice turns as a rigid body.

    Parameters
    ----------
    satellites : how many, at least 1.
    spacing : step of the lattice, m.

    Raises
    ------
    ValueProblem : no satellite, or a spacing that is not positive.
    """
    if satellites < 1:
        raise ValueProblem(f"a formation of {satellites} satellites is impossible", right="choose at least 1")
    if not spacing > 0.0:
        raise ValueProblem(
            f"satellites {spacing:.6g} m apart do not fit into a formation", right="choose a positive spacing"
        )
    # The smallest square that holds a circle with all of them: the lattice has one point per unit of area.
    half = int(np.ceil(np.sqrt(satellites / np.pi))) + 1
    row, column = (each.ravel() for each in np.mgrid[-half : half + 1, -half : half + 1])
    # By distance; among equals around the circle, so that the choice does not depend on the sort.
    order = np.lexsort((np.arctan2(column, row), row * row + column * column))[:satellites]
    return spacing * row[order].astype(np.float64), spacing * column[order].astype(np.float64)


def closed_orbit(
    along: npt.ArrayLike, twice_radial: npt.ArrayLike, motion: float, seconds: npt.ArrayLike
) -> Array:
    """Return positions (m, Hill's frame, (..., 3)) on the closed relative orbits through the given places.

    Parameters
    ----------
    along, twice_radial : where the satellites are at 0 s, m. motion : mean motion of the centre, rad/s.
    seconds : s; broadcasts against the places.

    References
    ----------
    Clohessy and Wiltshire 1960, J. Aerospace Sciences 27, 653: x = A cos(nt + φ), y = −2 A sin(nt + φ).
    """
    turn = motion * np.asarray(seconds, dtype=np.float64)
    y, x2 = np.asarray(along, dtype=np.float64), np.asarray(twice_radial, dtype=np.float64)
    radial = 0.5 * (x2 * np.cos(turn) + y * np.sin(turn))
    track = y * np.cos(turn) - x2 * np.sin(turn)
    return np.stack(np.broadcast_arrays(radial, track, 0.0), axis=-1)


def formation_elements(
    altitude: float,
    inclination: float,
    raan: float,
    argument_of_latitude: float,
    along: Array,
    twice_radial: Array,
) -> MeanElements:
    """Return mean elements of satellites on closed relative orbits through the given places.

    All share the centre's semi-major axis and plane; a small eccentricity and the place of its perigee make the
    ellipse: x = −a e cos M, y = 2 a e sin M.

    Parameters
    ----------
    altitude : of the centre, m above the equator's radius. inclination, raan, argument_of_latitude : its own, rad.
    along, twice_radial : m, (satellites,).

    Raises
    ------
    ValueProblem : a formation so wide that its ellipses are no longer small beside the orbit (a tenth of the radius).
    """
    axis = EARTH_RADIUS + altitude
    size = np.hypot(along, twice_radial)
    if size.max(initial=0.0) > 0.1 * axis:
        raise ValueProblem(
            f"a formation {size.max() / 1e3:.4g} km wide is no longer a small part of its orbit",
            right="choose fewer satellites or a smaller spacing",
        )
    anomaly = np.arctan2(along, -twice_radial)
    return MeanElements(
        semi_major_axis=np.full_like(along, axis),
        eccentricity=0.5 * size / axis,
        inclination=np.asarray(inclination),
        raan=np.asarray(raan),
        argument_of_perigee=np.mod(argument_of_latitude - anomaly, 2.0 * np.pi),
        mean_anomaly=np.mod(anomaly, 2.0 * np.pi),
    )


def axis_ratio(altitude: npt.ArrayLike, inclination: npt.ArrayLike) -> Array:
    """Return q of a closed relative orbit's ratio 2:q (along the track to along the radius), with J2's mean effect.

    Parameters
    ----------
    altitude : m above the equator's radius. inclination : rad.

    References
    ----------
    Schweighart and Sedwick 2002, High-fidelity linearized J2 model for satellite formation flight, J. Guidance 25,
    1073: s = 3/8 J2 (R/r)² (1 + 3 cos 2i); the ellipse is 2 √(1 + s) : √(1 − s).
    """
    radius = EARTH_RADIUS + np.asarray(altitude, dtype=np.float64)
    s = (
        0.375
        * EARTH_J2
        * np.square(EARTH_RADIUS / radius)
        * (1.0 + 3.0 * np.cos(2.0 * np.asarray(inclination)))
    )
    return np.asarray(np.sqrt((1.0 - s) / (1.0 + s)))


@dataclass(frozen=True, slots=True)
class FlownEllipse:
    """A relative orbit as it comes out when both satellites fly in the field of J2.

    Attributes
    ----------
    axis_ratio : q of the ratio 2:q of its extents along the track and along the radius, over the first orbit.
    drift_correction : speed to be spent a year and a km of formation so that it stays closed, m/s per year and km.
    """

    axis_ratio: float
    drift_correction: float


def flown_ellipse(
    altitude: float, inclination: float, argument_of_latitude: float, *, size: float = 1e3, orbits: int = 15
) -> FlownEllipse:
    """Return the relative orbit of a satellite that starts `size` m from the centre along the radius, with all of J2.

    Both orbits are integrated in three dimensions; the speed along the track is solved so that the first orbit closes.
    What drift then builds up over `orbits` is taken back each time by a push along the track, which turns a speed into
    a drift of three times it (Clohessy and Wiltshire).

    Parameters
    ----------
    altitude : m above the equator's radius. inclination, argument_of_latitude : of the start, rad.

    References
    ----------
    Vallado, Fundamentals of Astrodynamics, 4th ed., section 8.7.1 (acceleration by J2) and 6.8 (relative motion).
    """
    radius = EARTH_RADIUS + altitude
    motion = float(mean_motion(radius))
    period = 2.0 * np.pi / motion
    east = np.array([1.0, 0.0, 0.0])
    north = np.array([0.0, np.cos(inclination), np.sin(inclination)])
    up = np.cos(argument_of_latitude) * east + np.sin(argument_of_latitude) * north
    ahead = np.cos(argument_of_latitude) * north - np.sin(argument_of_latitude) * east
    # The centre's speed and turn of a circle under the radial part of J2 here, so that it stays near that circle.
    centre = np.concatenate(
        [radius * up, np.sqrt(-radius * (np.array(_gravity(*(radius * up).tolist())) @ up)) * ahead]
    )
    turn = float(np.linalg.norm(centre[3:])) / radius
    step = _SAMPLES - 1
    moments = np.linspace(0.0, orbits * period, orbits * step + 1)
    reference = _fly(centre, moments)

    def relative(push: float, to: int) -> Array:
        """Return the flight over the first `to` moments."""
        start = centre.copy()
        start[:3] += size * up
        # At the top of its ellipse the satellite falls back along the track at twice the turn, seen from the centre.
        start[3:] += (turn * size - 2.0 * motion * size + push) * ahead
        return _in_hill_frame(reference[:to], _fly(start, moments[:to]))

    def drift(flown: Array, first: int) -> float:
        """Return the mean motion along the track from one orbit to the next, m per orbit."""
        here, there = (flown[(first + k) * step : (first + k + 1) * step, 1].mean() for k in (0, 1))
        return float(there - here)

    push, slope = 0.0, -3.0 * period
    for _ in range(3):  # nearly linear: the drift falls a hundredfold each time
        push -= drift(relative(push, 2 * step + 1), 0) / slope
    flown = relative(push, len(moments))
    extent = np.ptp(flown[:_SAMPLES, :2], axis=0)
    built_up = abs(drift(flown, orbits - 2) - drift(flown, 0)) / (3.0 * period)
    spans = JULIAN_YEAR / ((orbits - 2) * period)
    return FlownEllipse(float(2.0 * extent[0] / extent[1]), built_up * spans / (size / 1e3))


def _gravity(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return the acceleration by a flattened Earth, m/s²; plain numbers, which are faster than arrays of three."""
    square = x * x + y * y + z * z
    height2 = z * z / square
    factor = 1.5 * EARTH_J2 * EARTH_RADIUS**2 / square
    level = -EARTH_GM / square**1.5 * (1.0 + factor * (1.0 - 5.0 * height2))
    upright = -EARTH_GM / square**1.5 * (1.0 + factor * (3.0 - 5.0 * height2))
    return level * x, level * y, upright * z


def _fly(start: Array, moments: Array) -> Array:
    from scipy.integrate import solve_ivp

    found = solve_ivp(
        lambda _, state: (*state[3:].tolist(), *_gravity(*state[:3].tolist())),
        (0.0, moments[-1]),
        start,
        method="DOP853",
        t_eval=moments,
        rtol=1e-12,
        atol=1e-6,
    )
    return np.asarray(found.y.T)


def _in_hill_frame(centre: Array, other: Array) -> Array:
    """Return positions of `other` from `centre`, m, (steps, 3); both are states (steps, 6)."""
    up = centre[:, :3] / np.linalg.norm(centre[:, :3], axis=1, keepdims=True)
    normal = np.cross(centre[:, :3], centre[:, 3:])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    offset = other[:, :3] - centre[:, :3]
    return np.stack(
        [np.einsum("sk,sk->s", offset, axis) for axis in (up, np.cross(normal, up), normal)], axis=1
    )
