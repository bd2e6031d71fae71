"""Spectra: from fluxes above energies to fluxes at energies. Energies in MeV."""

from __future__ import annotations

import numpy as np

from skyhall.types import Array

__all__ = ["differential"]


def differential(energy_mev: Array, integral: Array) -> Array:
    """Return the flux at each energy, 1/(cm² s MeV), of fluxes above energies.

    Parameters
    ----------
    energy_mev : (n,) rising. integral : (..., n) fluxes (or fluences) above each, falling; zeros stay zeros.

    The slope in logarithms between neighbours, mean of both sides; beyond the last energy the last slope holds.
    """
    logs = np.log(energy_mev)
    flux = np.asarray(integral, dtype=np.float64)
    fall = np.log(np.maximum(flux, 1e-300))
    slope = np.diff(fall, axis=-1) / np.diff(logs)
    gone = flux[..., 1:] <= 0.0  # a fall to nothing has no slope: its flux is spread over the step
    slope = np.where(gone, -1.0 / np.diff(logs), slope)
    inner = 0.5 * (slope[..., 1:] + slope[..., :-1])
    whole = np.concatenate([slope[..., :1], inner, slope[..., -1:]], axis=-1)
    return np.asarray(np.maximum(-whole, 0.0) * flux / energy_mev)
