"""Risk to people from what survives an uncontrolled re-entry."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_RADIUS
from skyhall.types import Array, Numbers

__all__ = ["any_casualty", "casualty_area", "casualty_expectation", "population_density"]

_FLAT: Final = 1e-6  # sine of the inclination of an orbit over the equator: it stays within 7 m of it


def casualty_area(fragments: Numbers, fragment_area: Numbers, person: Numbers) -> Array:
    """Return the debris casualty area (m²): the sum over the fragments of (person + sqrt(area))².

    Parameters
    ----------
    fragments : pieces that reach the ground.
    fragment_area : mean projected area of one, m².
    person : side of a person seen from above, m.

    Notes
    -----
    NASA-STD-8719.14C (2021), 4.7: (0.6 + sqrt(A_i))² over all pieces above 15 J.
    """
    return np.asarray(np.asarray(fragments, dtype=float) * (person + np.sqrt(fragment_area)) ** 2)


def population_density(
    inclination: float, edges: npt.ArrayLike, shares: npt.ArrayLike, people: float
) -> float:
    """Return the people per m² under a circular orbit, averaged over the time that it spends at each latitude.

    Parameters
    ----------
    inclination : rad.
    edges : of the bands of latitude, ascending, rad; (bands + 1,).
    shares : of the world's people in each band, summing to one; (bands,).
    people : in the world.

    Notes
    -----
    Time below latitude L is 1/2 + asin(sin L / sin i)/pi; a band's area is 2 pi R² (sin L2 - sin L1); longitudes are
    equally likely. As J. N. Opiela and M. J. Matney, Improvements to NASA's estimation of ground casualties from
    reentering space objects, IAC-03-IAA.5.4.03 (2003), whose bands are of one degree.
    """
    sines = np.sin(np.asarray(edges, dtype=float))
    highest = max(abs(np.sin(inclination)), _FLAT)
    share_of_time = np.diff(np.arcsin(np.clip(sines / highest, -1.0, 1.0))) / np.pi
    densities = np.asarray(shares, dtype=float) * people / (2.0 * np.pi * EARTH_RADIUS**2 * np.diff(sines))
    return float(np.sum(share_of_time * densities))


def casualty_expectation(area: Numbers, density: Numbers) -> Numbers:
    """Return the expected casualties of one re-entry: area (m²) × people per m². Nobody is sheltered."""
    return area * density


def any_casualty(expectation: Numbers, satellites: Numbers) -> Array:
    """Return the probability that the re-entries of so many satellites hurt anyone at all."""
    return np.asarray(-np.expm1(-np.asarray(expectation, dtype=float) * satellites))
