"""How bright a satellite stands in the sky of an observer below it."""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.constants import EARTH_RADIUS
from skyhall.types import Array, Numbers

__all__ = ["limit_magnitude", "lit_depression", "plate_magnitude"]

SUN_MAGNITUDE: Final = -26.76  # apparent V: C. N. A. Willmer, Astrophys. J. Suppl. 236 (2018) 47


def lit_depression(altitude: Numbers) -> Array:
    """Return how far (rad) the Sun may stand below the horizon while it still lights a satellite in the zenith.

    The Earth's shadow as a cylinder: cos(depression) = R / (R + altitude).
    """
    return np.asarray(np.arccos(EARTH_RADIUS / (EARTH_RADIUS + np.asarray(altitude, dtype=float))))


def plate_magnitude(
    area: Numbers, reflectivity: Numbers, incidence_cosine: Numbers, view_cosine: Numbers, distance: Numbers
) -> Array:
    """Return the apparent magnitude of a sunlit diffuse plate (Lambert).

    Parameters
    ----------
    area : m².
    reflectivity : diffuse, of the lit side.
    incidence_cosine, view_cosine : between the plate's normal and the Sun, and the observer.
    distance : m.

    Notes
    -----
    Flux over the Sun's = reflectivity / pi × area × cosines / distance². Glints, earthshine and the air's extinction
    (0.2 magnitudes in the zenith) are left out.
    """
    ratio = np.asarray(reflectivity, dtype=float) / np.pi * area * incidence_cosine * view_cosine
    with np.errstate(divide="ignore"):  # what reflects nothing is infinitely faint
        return np.asarray(SUN_MAGNITUDE - 2.5 * np.log10(ratio / np.asarray(distance, dtype=float) ** 2))


def limit_magnitude(altitude: Numbers, magnitude: Numbers, reference_altitude: Numbers) -> Array:
    """Return how faint a satellite should be: `magnitude`, and fainter above `reference_altitude` (m).

    SATCON1 report (NSF NOIRLab and AAS, 2020), recommendation 5: V > 7.0 + 2.5 log10(altitude / 550 km), because a
    higher satellite crosses a pixel more slowly.
    """
    above = np.maximum(np.asarray(altitude, dtype=float) / reference_altitude, 1.0)
    return np.asarray(magnitude + 2.5 * np.log10(above))
