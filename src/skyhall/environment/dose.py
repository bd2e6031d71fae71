"""Dose in silicon behind aluminium. Energies in MeV, thickness in g/cm², dose in rad."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.environment.electrons import electron_dose
from skyhall.environment.shielding import behind_shield
from skyhall.environment.spectra import differential
from skyhall.environment.stopping import stopping_power
from skyhall.types import Array

__all__ = ["RAD_PER_MEV_G", "electron_dose", "proton_dose"]

RAD_PER_MEV_G: Final = 1.602176634e-8  # rad per MeV/g: 1 rad is 0.01 J/kg (SI brochure, 2019)
_FINE: Final = np.geomspace(0.1, 3000.0, 400)  # MeV


def proton_dose(
    energy_mev: Array, integral: Array, thickness_g_cm2: npt.ArrayLike, geometry: str = "sphere"
) -> Array:
    """Return the dose that protons bring, rad per unit of time (or per fluence).

    Parameters
    ----------
    energy_mev : (n,) rising. integral : (..., n) omnidirectional fluxes above each, 1/(cm² s) (or fluences).
    thickness_g_cm2 : (k,). geometry : "sphere" or "slab", see `shielding.behind_shield`.

    Returns (..., k).
    """
    outside = np.asarray(differential(energy_mev, integral))
    logs = np.log(np.maximum(outside, 1e-300))
    place = np.clip(np.searchsorted(energy_mev, _FINE) - 1, 0, energy_mev.size - 2)
    share = np.log(_FINE / energy_mev[place]) / np.log(energy_mev[place + 1] / energy_mev[place])
    fine = np.exp(logs[..., place] * (1.0 - share) + logs[..., place + 1] * share)
    fine = np.where((fine > 1e-250) & (energy_mev[0] <= _FINE), fine, 0.0)
    stopping = stopping_power(_FINE, "silicon")
    doses = [
        np.trapezoid(
            behind_shield(_FINE, fine, thickness, geometry) * stopping * _FINE, np.log(_FINE), axis=-1
        )
        for thickness in np.atleast_1d(np.asarray(thickness_g_cm2, dtype=np.float64))
    ]
    return np.asarray(np.stack(doses, axis=-1) * RAD_PER_MEV_G)
