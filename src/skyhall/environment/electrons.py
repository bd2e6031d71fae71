"""Dose by electrons behind aluminium (to come: none yet)."""

from __future__ import annotations

import numpy as np

from skyhall.types import Array


def electron_dose(
    energy_mev: Array, integral: Array, thickness_g_cm2: Array, geometry: str = "sphere"
) -> Array:
    """Return zeros, rad per unit of time; (..., k)."""
    return np.zeros((*np.shape(integral)[:-1], np.size(thickness_g_cm2)))
