"""Protons behind aluminium: which spectrum is left at the centre of a sphere or behind a slab.

Straight ahead and slowed down continuously. Nuclear reactions are left out: in 1.35 g/cm² (5 mm) they take 1.3 % of the
protons (mean free path 100 g/cm²), and part of their energy comes back as secondaries.

Thickness in g/cm² of aluminium (`aluminium_g_cm2`); energies in MeV; spectra omnidirectional per cm².
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from skyhall.environment.spectra import interpolated
from skyhall.environment.stopping import csda_range, stopping_power
from skyhall.errors import ValueProblem, did_you_mean
from skyhall.types import Array, Numbers

__all__ = [
    "ALUMINIUM_G_CM3",
    "GEOMETRIES",
    "aluminium_g_cm2",
    "angles",
    "behind_shield",
    "checked_thickness",
    "energy_before",
]

ALUMINIUM_G_CM3: Final = 2.70  # NIST, material compositions of PSTAR and ESTAR

GEOMETRIES: Final = ("sphere", "slab")
_ANGLES: Final = 48
_TABLE_MEV: Final = np.geomspace(1e-3, 1e6, 4000)


def aluminium_g_cm2(thickness_m: Numbers) -> Numbers:
    """Return the mass (g/cm²) that a particle crosses in aluminium of a thickness in m."""
    return thickness_m * 100.0 * ALUMINIUM_G_CM3


def behind_shield(
    energy_mev: Numbers, differential: Numbers, thickness_g_cm2: float, geometry: str = "sphere"
) -> Array:
    """Return the spectrum of protons behind a shield, at the same energies, 1/(cm² s MeV).

    Parameters
    ----------
    energy_mev : (n,) rising energies. differential : (..., n) omnidirectional spectrum outside; beyond its last energy
        it goes on as a power law.
    thickness_g_cm2 : of aluminium: the radius of the sphere, or the slab.
    geometry : "sphere": at the centre of a solid sphere. "slab": behind a wide slab, isotropic from one side, nothing
        from the other; without a shield half of what comes from all sides.

    Raises ValueProblem for a negative thickness or another geometry.
    """
    thickness = float(checked_thickness(thickness_g_cm2))
    energy = np.asarray(energy_mev, dtype=np.float64)
    spectrum = np.asarray(differential, dtype=np.float64)
    found = np.zeros_like(spectrum)
    for path, share in zip(*angles(thickness, geometry), strict=True):
        if path == 0.0:
            found += share * spectrum
            continue
        before = energy_before(energy, path)
        # dE = dE' S(E) / S(E'): an interval of energies widens as the protons slow down.
        widened = stopping_power(before, "aluminium") / stopping_power(energy, "aluminium")
        found += share * interpolated(energy, spectrum, before) * widened
    return found


def energy_before(energy_mev: Numbers, thickness_g_cm2: Numbers) -> Array:
    """Return the energy (MeV) that a proton had before a path in aluminium (g/cm²) left it `energy_mev`."""
    ranges = csda_range(energy_mev, "aluminium") + np.asarray(thickness_g_cm2, dtype=np.float64)
    return np.asarray(np.exp(np.interp(np.log(ranges), _log_ranges(), np.log(_TABLE_MEV))))


def angles(thickness_g_cm2: float, geometry: str) -> tuple[Array, Array]:
    """Return paths through a shield (g/cm²) and the share of an omnidirectional flux that comes along each.

    Raises ValueProblem for a geometry that is not in `GEOMETRIES`.
    """
    if geometry not in GEOMETRIES:
        raise ValueProblem(
            f"no shield has the geometry '{geometry}'", right=did_you_mean(geometry, GEOMETRIES)
        )
    if geometry == "sphere" or thickness_g_cm2 == 0.0:
        return np.array([thickness_g_cm2]), np.array([1.0 if geometry == "sphere" else 0.5])
    nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
    return thickness_g_cm2 / (0.5 * (nodes + 1.0)), 0.25 * weights


def checked_thickness(thickness_g_cm2: Numbers) -> Array:
    """Return the thickness as an array; raise ValueProblem for one below zero."""
    thickness = np.asarray(thickness_g_cm2, dtype=np.float64)
    wrong = ~((thickness >= 0.0) & np.isfinite(thickness))
    if wrong.any():
        raise ValueProblem(
            f"a shield of {thickness[wrong].flat[0]:g} g/cm² does not exist",
            right="from 0 up; 5 mm of aluminium are 1.35 g/cm²",
        )
    return thickness


@lru_cache(maxsize=1)
def _log_ranges() -> Array:
    return np.log(csda_range(_TABLE_MEV, "aluminium"))
