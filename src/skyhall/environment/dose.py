"""Dose in silicon behind aluminium, from integral spectra of protons and electrons.

Doses in rad (0.01 Gy) in silicon per whatever unit of time the fluxes have; thickness in g/cm² of aluminium. Geometries
"sphere" (centre of a solid sphere of that radius) and "slab" (see `shielding.behind_shield`). Nuclear reactions of
protons: what reacts is lost from the beam, and a share of its energy stays on the spot, as in SHIELDOSE-2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from skyhall.environment import electrons
from skyhall.environment.shielding import angles, checked_thickness
from skyhall.environment.spectra import finely
from skyhall.environment.stopping import energy_after, reactions, stopping_power, surviving
from skyhall.types import Array, Numbers

__all__ = ["LOCAL_SHARE", "RAD_PER_MEV_PER_GRAM", "bremsstrahlung_dose", "electron_dose", "proton_dose"]

RAD_PER_MEV_PER_GRAM: Final = 1.602176634e-8  # 1 MeV/g in 0.01 J/kg: elementary charge, 2019 SI
# Of a reacting proton's energy, what its charged fragments leave close by (neutrons, photons and binding energy take
# the rest): between 0.57 and 0.63 in SHIELDOSE-2's kernels for 60 to 400 MeV (Seltzer 1993).
LOCAL_SHARE: Final = 0.6
_TABLE_MEV: Final = np.geomspace(1e-4, 1e5, 3000)


def proton_dose(
    energy_mev: Numbers, integral: Numbers, thickness_g_cm2: Numbers, geometry: str = "sphere"
) -> Array:
    """Return the dose in silicon that protons bring behind aluminium, rad per unit of time of the flux.

    Parameters
    ----------
    energy_mev : (n,) rising energies.
    integral : (..., n) omnidirectional flux (or fluence) above each, 1/(cm² s). Below the first energy there is
        nothing: thin shields need energies down to what just passes (10 MeV for 0.17 g/cm²). Beyond the last one the
        power law of the last two goes on to five times that energy.
    thickness_g_cm2 : (k,) or scalar. geometry : "sphere" or "slab".

    Returns
    -------
    (..., k).

    Raises
    ------
    ValueProblem : a negative thickness, another geometry, energies that do not rise.

    Notes
    -----
    Dose = ∫ φ(E) P(E) [S_Si(E') + f E' Σ_Si(E')] dE with E' what is left of E behind the shield, P the share that has
    made no reaction, Σ reactions per path, f `LOCAL_SHARE`. Over a bin of energies S_Si(E') dE = (S_Si/S_Al)(E')
    S_Al(E) dE', which stays finite where protons just pass.
    """
    thickness = np.atleast_1d(checked_thickness(thickness_g_cm2))
    edges, counts = finely(energy_mev, integral)
    kernel = np.stack([_proton_kernel(edges, float(each), geometry) for each in thickness], axis=-1)
    return np.asarray(counts @ kernel * RAD_PER_MEV_PER_GRAM, dtype=np.float64)


def electron_dose(
    energy_mev: Numbers, integral: Numbers, thickness_g_cm2: Numbers, geometry: str = "sphere"
) -> Array:
    """Return the dose in silicon that electrons and their bremsstrahlung bring; arguments as `proton_dose`.

    Energies from 0.05 to 10 MeV count (see `electrons`): lower ones are left out, higher ones count as 10 MeV.
    """
    return _electron(energy_mev, integral, thickness_g_cm2, geometry, electrons.electron_kernel) + (
        bremsstrahlung_dose(energy_mev, integral, thickness_g_cm2, geometry)
    )


def bremsstrahlung_dose(
    energy_mev: Numbers, integral: Numbers, thickness_g_cm2: Numbers, geometry: str = "sphere"
) -> Array:
    """Return the share of `electron_dose` that bremsstrahlung brings; same arguments."""
    return _electron(energy_mev, integral, thickness_g_cm2, geometry, electrons.photon_kernel)


def _electron(
    energy_mev: Numbers,
    integral: Numbers,
    thickness_g_cm2: Numbers,
    geometry: str,
    sphere: Callable[[Array, Array], Array],
) -> Array:
    thickness = np.atleast_1d(checked_thickness(thickness_g_cm2))
    edges, counts = finely(energy_mev, integral)
    middle = np.sqrt(edges[1:] * edges[:-1])
    columns = []
    for each in thickness:
        paths, shares = angles(float(each), geometry)
        columns.append(sphere(middle, paths) @ shares)
    kernel = np.stack(columns, axis=-1)
    return np.asarray(counts @ kernel * RAD_PER_MEV_PER_GRAM, dtype=np.float64)


@lru_cache(maxsize=1)
def _deposit() -> tuple[Array, Array]:
    """Return energies E' and the integral of S_Si / S_Al up to them, MeV."""
    ratio = stopping_power(_TABLE_MEV, "silicon") / stopping_power(_TABLE_MEV, "aluminium")
    steps = 0.5 * (ratio[1:] + ratio[:-1]) * np.diff(_TABLE_MEV)
    return _TABLE_MEV, ratio[0] * _TABLE_MEV[0] + np.concatenate([[0.0], np.cumsum(steps)])


def _proton_kernel(edges: Array, thickness: float, geometry: str) -> Array:
    """Return the mean dose per proton of each bin, MeV cm²/g."""
    paths, shares = angles(thickness, geometry)
    left = energy_after(edges[:, np.newaxis], paths, "aluminium")
    energies, integral = _deposit()
    deposited = np.diff(np.interp(left, energies, integral, left=0.0), axis=0)
    middle = np.sqrt(edges[1:] * edges[:-1])[:, np.newaxis]
    after = 0.5 * (left[1:] + left[:-1])
    per_mev = stopping_power(middle, "aluminium") / np.diff(edges)[:, np.newaxis]
    fragments = LOCAL_SHARE * after * reactions(after, "silicon")
    whole = (deposited * per_mev + fragments) * surviving(middle, after, "aluminium")
    return np.asarray(whole @ shares, dtype=np.float64)
