"""Published formations: Project Suncatcher's lattice and what the Earth's flattening does to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skyhall.orbit.elements import kepler_period, position, sun_synchronous_inclination
from skyhall.orbit.formation import axis_ratio, flown_ellipse
from skyhall.orbit.patterns import cluster
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]


def suncatcher_81(case: Case) -> Mapping[str, Any]:
    """Return how near neighbours of the lattice come over an orbit, m, flown on their mean elements."""
    given = case.given
    altitude = given["altitude_km"] * 1e3
    inclination = float(sun_synchronous_inclination(altitude))
    # More satellites than the formation has: those within its radius are counted, not told.
    elements, _, _ = cluster(altitude, inclination, given["laid_out"], given["step_m"])
    size = 2.0 * elements.eccentricity * elements.semi_major_axis
    inside = elements[size <= given["radius_km"] * 1e3 * (1.0 + 1e-9)]
    seconds = np.linspace(0.0, float(kepler_period(altitude)), 361)
    points = position(inside[:, None], seconds)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    # A neighbour is who comes nearest when it passes: one step of the lattice.
    closest = apart.min(axis=-1) + np.where(np.eye(len(inside), dtype=bool), np.inf, 0.0)
    pairs = np.argwhere(np.triu(closest < 0.55 * given["step_m"]))
    ranges = apart[pairs[:, 0], pairs[:, 1]]
    around = ranges[0, :-1]  # a whole orbit, whose last moment is its first
    falls = np.flatnonzero((around < np.roll(around, 1)) & (around <= np.roll(around, -1)))
    return {
        "satellites": len(inside),
        "neighbour_min": ranges.min(),
        "neighbour_max": ranges.max(),
        "shape_cycles_per_orbit": len(falls),
    }


def suncatcher_j2_ratio(case: Case) -> Mapping[str, Any]:
    """Return q of the ratio 2:q by a flight with J2 from four places of the orbit, and what drifts in a day."""
    altitude = case.given["altitude_km"] * 1e3
    inclination = float(sun_synchronous_inclination(altitude))
    flown = [
        flown_ellipse(altitude, inclination, float(np.radians(start))) for start in (0.0, 45.0, 90.0, 135.0)
    ]
    ratios = [each.axis_ratio for each in flown]
    return {
        "axis_ratio": float(np.mean(ratios)),
        "lowest": min(ratios),
        "highest": max(ratios),
        "closed_form": float(axis_ratio(altitude, inclination)),
        "drift_correction": max(each.drift_correction for each in flown),
    }


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "suncatcher-81": suncatcher_81,
    "suncatcher-j2-ratio": suncatcher_j2_ratio,
}
