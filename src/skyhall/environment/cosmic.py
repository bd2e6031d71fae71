"""Galactic cosmic rays near the Earth: their spectra, and the linear energy transfer they bring behind a shield.

Nuclei from hydrogen to nickel, modulated by the Sun's activity, above a geomagnetic cutoff. Energies in MeV per
nucleon, LET in MeV cm²/mg of silicon, fluxes in 1/(cm² s) over 4π without the Earth's shadow (multiply by
`geomagnetic.open_sky`). Leaves out nuclear reactions in the shield (nuclei neither break up nor make secondaries),
anomalous cosmic rays (below 50 MeV per nucleon) and elements heavier than nickel (1e-4 of iron).
"""

from __future__ import annotations

from functools import lru_cache
from math import pi
from typing import Final

import numpy as np

from skyhall.constants import NUCLEON_MASS_MEV, PROTON_MASS_MEV
from skyhall.environment import stopping
from skyhall.environment.geomagnetic import rigidity_gv
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["ion_flux", "let_flux", "modulation", "proton_flux"]

# Spectra in rigidity of ISO 15390:2004 with the one-parameter modulation of Matthiä, Berger, Mrigakshi and Reitz 2013,
# Adv. Space Res. 51, 329 (tables there; read in a public implementation, I. Gordeev, GCRs_Spectra, and checked
# against measured spectra). For Z = 1 to 28: mean mass number; C in 1/(m² s sr MV); γ; α.
_IONS: Final = np.array(
    [
        (1.0, 18.5, 2.74, 2.85),  # H
        (4.0, 3.69, 2.77, 3.12),  # He
        (6.9, 0.0195, 2.82, 3.41),
        (9.0, 0.0177, 3.05, 4.30),
        (10.8, 0.0492, 2.96, 3.93),
        (12.0, 0.103, 2.76, 3.18),  # C
        (14.0, 0.0367, 2.89, 3.77),
        (16.0, 0.0874, 2.70, 3.11),  # O
        (19.0, 0.00319, 2.82, 4.05),
        (20.2, 0.0164, 2.76, 3.11),
        (23.0, 0.00443, 2.84, 3.14),
        (24.3, 0.0193, 2.70, 3.65),  # Mg
        (27.0, 0.00417, 2.77, 3.46),
        (28.1, 0.0134, 2.66, 3.00),  # Si
        (31.0, 0.00115, 2.89, 4.04),
        (32.1, 0.00306, 2.71, 3.30),
        (35.4, 0.00130, 3.00, 4.40),
        (39.9, 0.00233, 2.93, 4.33),
        (39.1, 0.00187, 3.05, 4.49),
        (40.1, 0.00217, 2.77, 2.93),
        (44.9, 0.00074, 2.97, 3.78),
        (47.9, 0.00263, 2.99, 3.79),
        (50.9, 0.00123, 2.94, 3.50),
        (52.0, 0.00212, 2.89, 3.28),
        (54.9, 0.00114, 2.74, 3.29),
        (55.8, 0.00932, 2.63, 3.01),  # Fe
        (58.9, 0.00010, 2.63, 4.25),
        (58.7, 0.00048, 2.63, 3.52),  # Ni
    ]
)
# Matthiä et al. 2013, equations 5 and 6: modulation rigidity 0.37 + 3e-4 W^1.45 GV, exponent 0.02 W + 4.7.
_MODULATION_GV: Final = 0.37
_MODULATION_SLOPE: Final = 3e-4
_MODULATION_POWER: Final = 1.45
_EXPONENT_SLOPE: Final = 0.02
_EXPONENT: Final = 4.7

# Twelve-month mean Wolf (sunspot) numbers of a solar minimum and maximum: the defaults of SPENVIS's and ESA's Network
# of Models for ISO 15390.
_WOLF_MINIMUM: Final = 9.6
_WOLF_MAXIMUM: Final = 110.6

# The LET spectrum sums over energies outside the shield, from this one up, MeV per nucleon.
_LOWEST_MEV: Final = 5.0
_HIGHEST_MEV: Final = 2e5
_BINS: Final = 400
_SLOWEST_MEV: Final = 0.01  # per nucleon; slower ones have stopped


def modulation(activity: float) -> float:
    """Return the model's parameter W (12-month mean sunspot number) for 0 = solar minimum to 1 = solar maximum.

    Raises ValueProblem for an activity outside 0 to 1.
    """
    if not 0.0 <= activity <= 1.0:
        raise ValueProblem(f"solar activity {activity:g}", right="from 0 (minimum) to 1 (maximum)")
    return _WOLF_MINIMUM + activity * (_WOLF_MAXIMUM - _WOLF_MINIMUM)


def ion_flux(energy_mev_per_nucleon: Numbers, charge: int, *, modulation: float) -> Array:
    """Return the flux of one element outside the magnetosphere, 1/(cm² s MeV/nucleon) over 4π.

    Parameters
    ----------
    energy_mev_per_nucleon : any shape, 10 to 1e5.
    charge : atomic number, 1 to 28.
    modulation : W, from `modulation`.

    Raises ValueProblem for another element. Source: Matthiä et al. 2013; 20 % above AMS-02 and PAMELA at 10 GV, as
    ISO 15390 is.
    """
    if charge not in range(1, len(_IONS) + 1):
        raise ValueProblem(
            f"no cosmic-ray spectrum for atomic number {charge}", right="1 (hydrogen) to 28 (nickel)"
        )
    mass_number, scale, index, speed_index = _IONS[charge - 1]
    energy = np.asarray(energy_mev_per_nucleon, dtype=np.float64)
    mass = PROTON_MASS_MEV if charge == 1 else NUCLEON_MASS_MEV
    rigidity = rigidity_gv(energy, charge, mass_number)
    speed = np.sqrt(energy * (energy + 2.0 * mass)) / (energy + mass)
    exponent = _EXPONENT_SLOPE * modulation + _EXPONENT
    held_back = _MODULATION_GV + _MODULATION_SLOPE * modulation**_MODULATION_POWER
    per_rigidity = (
        scale * speed**speed_index * rigidity**-index * (rigidity / (rigidity + held_back)) ** exponent
    )
    # dR/dE = A / (Z β), in MV per MeV/nucleon; from m² sr to cm² and the whole sphere.
    return np.asarray(per_rigidity * mass_number / (charge * speed) * 4.0 * pi * 1e-4, dtype=np.float64)


def proton_flux(energy_mev: Numbers, cutoff_gv: Numbers, *, modulation: float) -> Array:
    """Return the flux of cosmic-ray protons above a cutoff, 1/(cm² s MeV) over 4π without the Earth's shadow.

    Parameters
    ----------
    energy_mev : (n,) energies.
    cutoff_gv : (...) rigidities below which nothing arrives.
    modulation : W, from `modulation`.

    Returns an array (..., n).
    """
    above = rigidity_gv(energy_mev) >= np.asarray(cutoff_gv, dtype=np.float64)[..., np.newaxis]
    return np.asarray(ion_flux(energy_mev, 1, modulation=modulation) * above, dtype=np.float64)


def let_flux(let: Numbers, cutoff_gv: Numbers, *, modulation: float, thickness_g_cm2: float) -> Array:
    """Return the flux of nuclei above each LET in silicon at the centre of an aluminium sphere, 1/(cm² s) over 4π.

    Parameters
    ----------
    let : (n,) linear energy transfers, MeV cm²/mg.
    cutoff_gv : (...) geomagnetic cutoffs.
    modulation : W, from `modulation`.
    thickness_g_cm2 : the sphere's radius.

    Returns an array (..., n). Nuclei slow down in the shield and stop there; they do not break up, which gives too
    many heavy ones behind thick shields (a tenth of the iron would react in 2.7 g/cm²).
    """
    above = np.log(np.atleast_1d(np.asarray(let, dtype=np.float64)))
    cutoffs = np.log(np.maximum(np.asarray(cutoff_gv, dtype=np.float64), 1e-6))
    total = np.zeros((cutoffs.size, above.size))
    for charge, (energies, lets) in enumerate(_behind_shield(thickness_g_cm2), start=1):
        rigidities = np.log(rigidity_gv(energies, charge, _IONS[charge - 1, 0]))
        fluxes = ion_flux(energies, charge, modulation=modulation)
        bins = 0.5 * (fluxes[1:] + fluxes[:-1]) * np.diff(energies)
        arriving = _share_above(rigidities, cutoffs.ravel()[:, np.newaxis])
        # Not a matrix product: on a busy machine the threads of one cost far more than its arithmetic.
        total += np.einsum("cb,lb->cl", arriving * bins, _share_above(lets, above[:, np.newaxis]))
    return total.reshape(*cutoffs.shape, above.size)


@lru_cache(maxsize=16)
def _behind_shield(thickness_g_cm2: float) -> tuple[tuple[Array, Array], ...]:
    """Return for each element energies outside the shield and the logarithms of the LETs behind it.

    The energies begin where a nucleus just passes, and lie densest there: those that nearly stop have the highest LET.
    """
    rows = []
    for charge, (mass_number, *_) in enumerate(_IONS, start=1):
        stopped = _last_stopped(charge, float(mass_number), thickness_g_cm2)
        passed = stopped + np.geomspace(1e-8 * stopped, _HIGHEST_MEV, _BINS + 1)
        left = stopping.ion_energy_after(passed, charge, mass_number, thickness_g_cm2, "aluminium")
        let = stopping.ion_let(np.maximum(left, _SLOWEST_MEV), charge, mass_number, "silicon")
        rows.append((passed, np.log(let)))
    return tuple(rows)


def _last_stopped(charge: int, mass_number: float, thickness_g_cm2: float) -> float:
    """Return the energy (MeV per nucleon) up to which the shield stops a nucleus, not below the sum's lowest one."""
    low, high = _LOWEST_MEV, _HIGHEST_MEV
    for _ in range(5):
        energies = np.geomspace(low, high, 100)
        left = stopping.ion_energy_after(energies, charge, mass_number, thickness_g_cm2, "aluminium")
        first = int(np.argmax(left > _SLOWEST_MEV))
        if first == 0:
            break
        low, high = energies[first - 1], energies[first]
    return float(low)


def _share_above(edges: Array, threshold: Array) -> Array:
    """Return which share of each bin between neighbouring `edges` lies above `threshold` (k, 1) -> (k, bins)."""
    lower, upper = np.minimum(edges[1:], edges[:-1]), np.maximum(edges[1:], edges[:-1])
    width = np.maximum(upper - lower, 1e-12)
    return np.asarray(np.clip((upper - threshold) / width, 0.0, 1.0), dtype=np.float64)
