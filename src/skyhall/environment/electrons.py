"""Dose in silicon behind aluminium per electron: by the electrons themselves and by their bremsstrahlung.

Kernels of a Monte Carlo (tools/make_electron_kernels.py): isotropic electrons on aluminium, converted to the centre of
a solid sphere as SHIELDOSE does. Electrons scatter and straggle, many do not reach as far as their range; photons go
far beyond it. Leaves out positrons, the detector's own size, and light elements outside the aluminium.

Energies in MeV, thickness in g/cm², kernels in MeV/g per electron and cm² of omnidirectional flux.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.environment import electron_kernels as kernels
from skyhall.types import Array, Numbers

__all__ = ["FIRST_MEV", "LAST_MEV", "electron_kernel", "electron_range", "photon_kernel"]

FIRST_MEV: Final = float(kernels.ENERGIES_MEV[0])  # electrons below it count for nothing
LAST_MEV: Final = float(kernels.ENERGIES_MEV[-1])  # electrons above it count as this
_ABOUT_NOTHING: Final = 1e-12


def electron_range(energy_mev: Numbers) -> Array:
    """Return the mean path of electrons in aluminium until they stop (CSDA), g/cm²; energies held to the table's."""
    logs = np.log(np.clip(np.asarray(energy_mev, dtype=np.float64), FIRST_MEV, LAST_MEV))
    return np.asarray(np.exp(np.interp(logs, np.log(kernels.ENERGIES_MEV), np.log(kernels.RANGES))))


def electron_kernel(energy_mev: Array, thickness_g_cm2: Array) -> Array:
    """Return the dose by electrons at the centre of an aluminium sphere, (energies, thicknesses).

    Over the radius in units of the range the kernels of neighbouring energies look alike; that is where they are
    interpolated. Nothing passes a sphere of the range's radius.
    """
    energy = np.clip(np.asarray(energy_mev, dtype=np.float64), FIRST_MEV, LAST_MEV)[:, np.newaxis]
    ranges = electron_range(energy)
    share = np.asarray(thickness_g_cm2, dtype=np.float64)[np.newaxis, :] / ranges
    column = np.interp(share, kernels.SHARES, np.arange(kernels.SHARES.size))
    found = _looked_up(kernels.ELECTRONS, energy, column) * energy / ranges
    return np.asarray(np.where((share < 1.0) & _counts(energy_mev), found, 0.0))


def photon_kernel(energy_mev: Array, thickness_g_cm2: Array) -> Array:
    """Return the dose by bremsstrahlung at the centre of an aluminium sphere, (energies, thicknesses).

    Below 0.005 g/cm² as there; beyond 80 g/cm² none.
    """
    energy = np.clip(np.asarray(energy_mev, dtype=np.float64), FIRST_MEV, LAST_MEV)[:, np.newaxis]
    depth = np.maximum(np.asarray(thickness_g_cm2, dtype=np.float64)[np.newaxis, :], kernels.DEPTHS[0])
    column = np.interp(np.log(depth), np.log(kernels.DEPTHS), np.arange(kernels.DEPTHS.size))
    found = _looked_up(kernels.PHOTONS, energy, np.broadcast_to(column, (energy.size, column.size))) * energy
    return np.asarray(np.where((depth <= kernels.DEPTHS[-1]) & _counts(energy_mev), found, 0.0))


def _counts(energy_mev: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(np.asarray(energy_mev)[:, np.newaxis] >= FIRST_MEV)


def _looked_up(table: Array, energy: Array, column: Array) -> Array:
    """Return the table between its columns, in straight lines, and rows: the logarithm over that of the energy."""
    row = np.interp(np.log(energy), np.log(kernels.ENERGIES_MEV), np.arange(kernels.ENERGIES_MEV.size))
    top = np.minimum(row.astype(np.int64), table.shape[0] - 2)
    left = np.minimum(column.astype(np.int64), table.shape[1] - 2)
    down, right = row - top, column - left
    above = (1.0 - right) * table[top, left] + right * table[top, left + 1]
    below = (1.0 - right) * table[top + 1, left] + right * table[top + 1, left + 1]
    logs = [np.log(np.maximum(each, _ABOUT_NOTHING)) for each in (above, below)]
    return np.asarray(np.exp((1.0 - down) * logs[0] + down * logs[1]))
