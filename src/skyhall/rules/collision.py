"""Collisions: how likely a piece of debris hits a satellite, or a part of it, in a stretch of time."""

from __future__ import annotations

import numpy as np

from skyhall.types import Array, Numbers

__all__ = ["bus_surface", "collision_probability", "disposal_success", "flat_surface"]


def collision_probability(flux: Numbers, surface: Numbers, duration: Numbers) -> Array:
    """Return the probability of at least one hit in `duration` (s).

    Parameters
    ----------
    flux : on one side of a randomly oriented plate, 1/(m² s).
    surface : whole outer surface of a convex body, or both sides of a plate, m².

    Notes
    -----
    Poisson: 1 - exp(-flux × surface × duration). NASA-STD-8719.14C (2021), 4.5.4; the same in NASA's Debris Assessment
    Software, which writes flux × mean cross-section, with a cross-sectional flux of four times ours.
    """
    return np.asarray(-np.expm1(-np.asarray(flux, dtype=float) * surface * duration))


def flat_surface(array_area: Numbers, radiator_area: Numbers) -> Numbers:
    """Return both sides of array and radiator, m²; the bus is small beside them."""
    return 2.0 * (array_area + radiator_area)


def bus_surface(mass: Numbers, density: Numbers) -> Numbers:
    """Return the surface (m²) of a cube of `mass` (kg) and `density` (kg/m³) that holds what the disposal needs."""
    return 6.0 * np.cbrt(mass / density) ** 2


def disposal_success(failure_rate: Numbers, life: Numbers, hit_probability: Numbers) -> Array:
    """Return the probability that a satellite can still dispose of itself after `life` (s).

    Parameters
    ----------
    failure_rate : of whole satellites, 1/s, constant.
    hit_probability : that debris took away the means of disposal over the life.
    """
    return np.asarray(np.exp(-np.asarray(failure_rate, dtype=float) * life) * (1.0 - hit_probability))
