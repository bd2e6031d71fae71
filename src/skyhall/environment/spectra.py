"""Spectra of particles: from integral (above an energy) to differential, between their energies and beyond the last.

Energies in MeV, on the last axis and rising; fluxes per cm² and whatever time, over 4π.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["BEYOND_LAST", "differential", "finely", "interpolated"]

BEYOND_LAST: Final = (
    5.0  # an integral spectrum is carried on to so many times its last energy, and ends there
)
_FINE_PER_DECADE: Final = 80


def differential(energy_mev: Numbers, integral: Numbers) -> Array:
    """Return the differential spectrum of an integral one, 1/(cm² s MeV): a power law between neighbouring energies.

    Parameters
    ----------
    energy_mev : (n,) rising energies, at least two. integral : (..., n) fluxes above them.

    Returns an array (..., n): at an energy between two power laws their geometric mean; where one of them has ended
    (a flux of zero) the other; zeros stay zeros. Raises ValueProblem for energies that do not rise or do not fit.
    """
    energy, above = _checked(energy_mev, integral)
    lower, upper = np.maximum(above[..., :-1], 0.0), np.maximum(above[..., 1:], 0.0)
    alive = (lower > 0.0) & (upper > 0.0)
    steps = np.log(energy[1:] / energy[:-1])
    falls = np.log(np.where(alive, lower, 1.0) / np.where(alive, upper, 1.0))
    index = np.maximum(falls, 0.0) / steps
    none = np.zeros((*above.shape[:-1], 1))
    # a spectrum that ends between two energies falls on a straight line
    ending = np.where(alive, 0.0, lower / np.diff(energy))
    right = np.concatenate([index * lower / energy[:-1] + ending, none], axis=-1)
    left = np.concatenate([none, index * upper / energy[1:]], axis=-1)
    both = np.sqrt(left * right)
    return np.asarray(np.where(both > 0.0, both, np.maximum(left, right)), dtype=np.float64)


def finely(energy_mev: Numbers, integral: Numbers) -> tuple[Array, Array]:
    """Return the edges (m + 1,) of fine bins and the particles in each of them, (..., m).

    Power laws between the given energies; the last one goes on to `BEYOND_LAST` times the last energy, where the rest
    of the particles is cut off (AP8 ends at 400 MeV). Below the first energy there is nothing. Arguments and errors as
    `differential`.
    """
    energy, above = _checked(energy_mev, integral)
    last = energy[-1] * BEYOND_LAST
    count = int(np.ceil(np.log10(last / energy[0]) * _FINE_PER_DECADE))
    edges = np.unique(np.concatenate([energy, np.geomspace(energy[0], last, count)]))
    # A zero becomes so little that what falls to it lies at the energy before it, and no logarithm fails.
    floor = 1e-12 * np.maximum(above.max(axis=-1, keepdims=True), 1e-280)
    logs = np.log(np.maximum(above, floor))
    low, share = _places(energy, edges)
    fine = np.exp((1.0 - share) * logs[..., low] + share * logs[..., low + 1])
    return edges, np.where(
        above.max(axis=-1, keepdims=True) > 0.0, np.maximum(fine[..., :-1] - fine[..., 1:], 0.0), 0.0
    )


def interpolated(energy_mev: Numbers, spectrum: Numbers, at_mev: Numbers) -> Array:
    """Return a differential spectrum (..., n) at other energies (m,): power laws, the last one carried on; (..., m).

    Next to a zero it goes in a straight line; beyond a last value of zero, or below the first energy, it is zero.
    """
    energy, values = _checked(energy_mev, spectrum)
    at = np.asarray(at_mev, dtype=np.float64)
    low, share = _places(energy, at)
    first, second = values[..., low], values[..., low + 1]
    alive = (first > 0.0) & (second > 0.0)
    logs = (1.0 - share) * np.log(np.where(alive, first, 1.0)) + share * np.log(np.where(alive, second, 1.0))
    part = np.clip((at - energy[low]) / (energy[low + 1] - energy[low]), 0.0, 1.0)
    straight = np.where(at > energy[-1], 0.0, (1.0 - part) * first + part * second)
    # A spectrum that rises at its end is not carried on rising.
    logs = np.where((share > 1.0), np.minimum(logs, np.log(np.where(alive, second, 1.0))), logs)
    found = np.where(alive, np.exp(logs), straight)
    return np.asarray(np.where(at < energy[0], 0.0, found), dtype=np.float64)


def _places(energy: Array, at: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Return the interval of each energy and where in it it lies on a logarithmic scale (above 1: beyond the last)."""
    low = np.clip(np.searchsorted(energy, at, side="right") - 1, 0, energy.size - 2)
    share = np.log(np.maximum(at, energy[0]) / energy[low]) / np.log(energy[low + 1] / energy[low])
    return low.astype(np.int64), np.asarray(share, dtype=np.float64)


def _checked(energy_mev: Numbers, values: Numbers) -> tuple[Array, Array]:
    energy = np.asarray(energy_mev, dtype=np.float64)
    found = np.asarray(values, dtype=np.float64)
    if energy.ndim != 1 or energy.size < 2 or energy[0] <= 0.0 or np.any(np.diff(energy) <= 0.0):
        raise ValueProblem("the energies of a spectrum must rise", right="two or more energies above 0 MeV")
    if found.ndim == 0 or found.shape[-1] != energy.size:
        raise ValueProblem(
            f"a spectrum of shape {found.shape} for {energy.size} energies",
            right="energies are the last axis of the spectrum",
        )
    if not np.all(np.isfinite(found)):
        raise ValueProblem("a spectrum with values that are not numbers", right="finite fluxes from 0 up")
    return energy, found
