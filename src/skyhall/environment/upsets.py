"""Upset rates: the spectrum at the device folded with its cross sections.

Energies in MeV, LET in MeV·cm²/mg (silicon), fluxes omnidirectional (integrated over 4π) per cm² and second, rates 1/s
per device. An effect's cross section is taken to be the same from every direction. Left out: the path length through a
flat sensitive volume (a plate halves the rate of ions far above threshold, and lets oblique ions below it through: at
most a factor of about 3), several cells hit by one ion, and protons below about 2 MeV that upset by direct ionisation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skyhall.environment.devices import Response
from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["ion_rate", "ion_weights", "proton_rate", "proton_weights"]

PIECES = 64  # parts of each interval of the grid in which the cross section is followed


def proton_rate(energy_mev: Array, differential: Array, response: Response) -> Array:
    """Return the rate of one effect by protons, 1/s: the integral of cross section × differential flux.

    Parameters
    ----------
    energy_mev : ascending energies, MeV, shape (n,).
    differential : proton flux behind the shield, 1/(cm² s MeV), shape (..., n).
    response : the device's cross sections for the effect.

    Returns
    -------
    Rate of shape (...), 1/s per device. Protons outside the grid count nothing.

    Notes
    -----
    Linear in the flux: the rate of a sum of spectra (trapped, cosmic, solar) is the sum of their rates. Energy × flux
    is linear in the logarithm of energy between the grid's points; with ten points a decade a spectrum E^-2.5 is
    integrated to 1 %.
    """
    return np.asarray(np.asarray(differential, dtype=np.float64) @ proton_weights(energy_mev, response))


def ion_rate(let: Array, integral_let_flux: Array, response: Response) -> Array:
    """Return the rate of one effect by ions, 1/s: the integral of cross section × differential LET flux.

    Parameters
    ----------
    let : ascending LET in silicon, MeV·cm²/mg, shape (n,).
    integral_let_flux : flux of ions above each LET, 1/(cm² s), shape (..., n).
    response : the device's cross sections for the effect.

    Returns
    -------
    Rate of shape (...), 1/s per device. Ions above the last LET count with the cross section there.
    """
    return np.asarray(np.asarray(integral_let_flux, dtype=np.float64) @ ion_weights(let, response))


def proton_weights(energy_mev: Array, response: Response) -> Array:
    """Return the weights (n,), cm²·MeV, whose product with a differential flux is the rate."""
    grid = _ascending(energy_mev, "energy_mev")
    middle, lower, left, width = _pieces(grid)
    part = response.protons(middle) * width
    weights = np.zeros_like(grid)
    np.add.at(weights, lower, part * (1.0 - left))
    np.add.at(weights, lower + 1, part * left)
    return weights * grid


def ion_weights(let: Array, response: Response) -> Array:
    """Return the weights (n,), cm², whose product with an integral LET flux is the rate.

    By parts: an ion counts once for each step that the cross section has climbed below its LET.
    """
    grid = _ascending(let, "let")
    middle, lower, left, width = _pieces(grid)
    climb = response.ions(middle * np.exp(width / 2)) - response.ions(middle * np.exp(-width / 2))
    weights = np.zeros_like(grid)
    np.add.at(weights, lower, climb * (1.0 - left))
    np.add.at(weights, lower + 1, climb * left)
    weights[0] += response.ions(grid[0])
    return weights


def _ascending(grid: Array, name: str) -> Array:
    values = np.asarray(grid, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or not np.all(np.diff(values) > 0) or not values[0] > 0:
        raise ValueProblem(f"{name} is no grid", right="two or more ascending values above zero")
    return values


def _pieces(grid: Array) -> tuple[Array, npt.NDArray[np.intp], Array, Array]:
    """Return middles, indices of the grid point below, place between the points, and widths, in the logarithm."""
    step = np.diff(np.log(grid)) / PIECES
    place = (np.arange(PIECES) + 0.5) / PIECES
    lower = np.repeat(np.arange(grid.size - 1, dtype=np.intp), PIECES)
    left = np.tile(place, grid.size - 1)
    width = np.repeat(step, PIECES)
    return grid[lower] * np.exp(left * PIECES * width), lower, left, width
