"""Radiative view factors: a plate and the Earth, a radiator and the rear of its own array.

Pure geometry of diffuse surfaces. What is left out: surfaces that stand between two others, and reflection.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["array_rear_to_radiator_face", "perpendicular_rectangles", "plate_to_sphere"]


def plate_to_sphere(tilt: npt.ArrayLike, distance_ratio: npt.ArrayLike) -> Array:
    """Return the view factor from one face of a small flat plate to a sphere, exact for every tilt.

    Parameters
    ----------
    tilt : angle between the normal of the face and the direction to the sphere's centre, rad, 0 to pi.
    distance_ratio : distance of the plate from the sphere's centre over the sphere's radius, at least 1.

    Returns
    -------
    array (broadcast of both), 0 to 1: the share of the face's diffuse radiation that reaches the sphere.

    Raises
    ------
    ValueProblem : a distance ratio below 1 (the plate is inside the sphere).

    Notes
    -----
    Source: N. H. Juul, "Diffuse radiation view factors from differential plane sources to spheres",
    J. Heat Transfer 101 (1979) 558-560; same as "plane element to sphere" in section B of J. R. Howell,
    A Catalog of Radiation Heat Transfer Configuration Factors. Three regions: the face sees the whole sphere
    (F = cos(tilt)/h²), the plane of the plate cuts the sphere, the face sees nothing of it.
    """
    tilt, ratio = np.broadcast_arrays(np.asarray(tilt, dtype=float), np.asarray(distance_ratio, dtype=float))
    if not np.all(ratio >= 1.0):
        raise ValueProblem(
            "a plate cannot be inside the sphere that it looks at", right="distance ratio >= 1"
        )
    cosine, sine = np.cos(tilt), np.sin(tilt)
    tangent = np.sqrt((ratio - 1.0) * (ratio + 1.0))  # length of the tangent to the sphere, in radii
    whole = cosine / ratio**2
    cut = np.abs(cosine) * ratio < 1.0
    # Outside the cut region the arguments below are meaningless: 1 and 0 keep them finite there.
    safe_sine = np.where(cut, sine, 1.0)
    edge = np.clip(-tangent * np.where(cut, cosine, 0.0) / safe_sine, -1.0, 1.0)
    chord = np.sqrt(np.maximum(1.0 - (ratio * np.where(cut, cosine, 0.0)) ** 2, 0.0))
    part = (np.arctan2(chord, tangent) + (cosine * np.arccos(edge) - tangent * chord) / ratio**2) / np.pi
    return np.asarray(np.where(cut, part, np.maximum(whole, 0.0)))


def perpendicular_rectangles(
    x: tuple[npt.ArrayLike, npt.ArrayLike],
    y: tuple[npt.ArrayLike, npt.ArrayLike],
    eta: tuple[npt.ArrayLike, npt.ArrayLike],
    xi: tuple[npt.ArrayLike, npt.ArrayLike],
) -> Array:
    """Return the view factor from one rectangle to another in a perpendicular plane, wherever they lie.

    The two planes meet in a line. The first rectangle lies at distances `x` from that line and spans `y`
    along it; the second lies at distances `xi` from it and spans `eta` along it.

    Parameters
    ----------
    x, y : (from, to) of the first rectangle, m; `x` not negative.
    eta, xi : (from, to) of the second rectangle, m; `xi` not negative.

    Returns
    -------
    array (broadcast of all), 0 to 1: the share of the first's diffuse radiation that reaches the second.

    Notes
    -----
    Source: J. R. Ehlert and T. F. Smith, "View factors for perpendicular and parallel rectangular plates",
    J. Thermophysics and Heat Transfer 7 (1993) 173-175; configuration C-16 of Howell's catalogue. With equal
    lengths and a common edge it is Howell's C-14. Nothing may stand between the rectangles.
    """
    xs, ys, etas, xis = ([np.asarray(end, dtype=float) for end in pair] for pair in (x, y, eta, xi))
    total: Array = np.asarray(0.0)
    for i in (0, 1):
        for k in (0, 1):
            squared = xs[i] ** 2 + xis[k] ** 2
            for j in (0, 1):
                for n in (0, 1):
                    sign = 1.0 if (i + j + k + n) % 2 == 0 else -1.0
                    total = total + sign * _corner(squared, ys[j] - etas[n])
    area = (xs[1] - xs[0]) * (ys[1] - ys[0])
    return np.asarray(np.clip(total / (2.0 * np.pi * area), 0.0, 1.0))


def _corner(squared: Array, along: Array) -> Array:
    distance = np.sqrt(squared)
    # arctan2 gives the limit of distance * arctan(along / distance) as the corner reaches the common line.
    turn = along * distance * np.arctan2(along, distance)
    total = squared + along**2
    logarithm = np.log(np.where(total > 0.0, total, 1.0))  # (total) ln(total) -> 0
    return turn - 0.25 * (squared - along**2) * logarithm


def array_rear_to_radiator_face(
    array_length: npt.ArrayLike,
    array_width: npt.ArrayLike,
    radiator_length: npt.ArrayLike,
    radiator_height: npt.ArrayLike,
    gap: npt.ArrayLike = 0.0,
) -> Array:
    """Return the view factor from one face of a radiator to the rear of the array it stands behind (a T).

    The radiator's plane is perpendicular to the array and meets it in the middle of the array's width, so
    that each of its two faces sees one half of the array's rear.

    Parameters
    ----------
    array_length, array_width : size of the array along the line where the planes meet, and across it, m.
    radiator_length, radiator_height : size of the radiator along that line, and away from the array, m.
    gap : distance between the array and the near edge of the radiator, m.

    Returns
    -------
    array (broadcast of all), 0 to 0.5.

    Notes
    -----
    Source: `perpendicular_rectangles`. The radiator is centred along the line; the bus between the two is
    left out (it hides part of the hot rear, so this is the larger, cautious value).
    """
    half_array = 0.5 * np.asarray(array_length, dtype=float)
    half_radiator = 0.5 * np.asarray(radiator_length, dtype=float)
    near = np.asarray(gap, dtype=float)
    return perpendicular_rectangles(
        x=(near, near + np.asarray(radiator_height, dtype=float)),
        y=(-half_radiator, half_radiator),
        eta=(-half_array, half_array),
        xi=(0.0, 0.5 * np.asarray(array_width, dtype=float)),
    )
