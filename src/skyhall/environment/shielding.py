"""Proton spectra behind aluminium: straight ahead, slowing down continuously.

Leaves out nuclear interactions (a tenth of 100 MeV protons in 2.7 g/cm², whose fragments replace a part), scattering
and secondaries.
"""

from __future__ import annotations

import numpy as np

from skyhall.environment.stopping import csda_range, stopping_power
from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["behind_shield", "energy_before"]

_ANGLES = 12  # Gauss-Legendre points over the cosine behind a slab


def energy_before(energy_mev: Array, thickness_g_cm2: float) -> Array:
    """Return the energy outside (MeV) of protons that arrive with `energy_mev` behind `thickness_g_cm2`."""
    grid = np.geomspace(1e-3, 1e6, 2400)
    ranges = csda_range(grid, "aluminium")
    wanted = csda_range(energy_mev, "aluminium") + thickness_g_cm2
    return np.asarray(np.exp(np.interp(np.log(wanted), np.log(ranges), np.log(grid))))


def behind_shield(
    energy_mev: Array, differential: Array, thickness_g_cm2: float, geometry: str = "sphere"
) -> Array:
    """Return the proton spectrum at the dose point, on the same energies, 1/(cm² s MeV).

    Parameters
    ----------
    energy_mev : (n,) rising. differential : (..., n) outside, omnidirectional.
    thickness_g_cm2 : 0 or more. geometry : "sphere" (its centre) or "slab" (behind it; nothing from the other side).

    Each energy inside comes from a higher one outside; fluxes there are what they are per MeV, times the ratio of the
    stopping powers. Beyond the last energy the spectrum goes on with the slope of its last two points.
    """
    if not thickness_g_cm2 >= 0.0:
        raise ValueProblem(f"a shield of {thickness_g_cm2:g} g/cm²", right="0 or more")
    if geometry == "sphere":
        return _straight(energy_mev, differential, thickness_g_cm2)
    if geometry == "slab":
        cosines, weights = np.polynomial.legendre.leggauss(_ANGLES)
        cosines, weights = 0.5 * (cosines + 1.0), 0.5 * weights
        parts = [
            0.5 * weight * _straight(energy_mev, differential, thickness_g_cm2 / cosine)
            for cosine, weight in zip(cosines, weights, strict=True)
        ]
        return np.asarray(sum(parts))
    raise ValueProblem(f"no shield of geometry {geometry!r}", right='"sphere" or "slab"')


def _straight(energy: Array, outside: Array, thickness: float) -> Array:
    if thickness == 0.0:
        return np.asarray(outside, dtype=np.float64)
    before = energy_before(energy, thickness)
    ratio = stopping_power(before, "aluminium") / stopping_power(energy, "aluminium")
    return np.asarray(_at(before, energy, outside) * ratio)


def _at(wanted: Array, energy: Array, flux: Array) -> Array:
    """Return the spectrum at `wanted` energies: straight between the points in logarithms, and beyond the last."""
    logs, fall = np.log(energy), np.log(np.maximum(flux, 1e-300))
    place = np.clip(np.searchsorted(energy, wanted) - 1, 0, energy.size - 2)
    share = (np.log(wanted) - logs[place]) / (logs[place + 1] - logs[place])
    found = np.exp(fall[..., place] * (1.0 - share) + fall[..., place + 1] * share)
    return np.asarray(np.where(found > 1e-250, found, 0.0))
