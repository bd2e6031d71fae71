"""Which charged particles the Earth's magnetic field and the Earth itself let through to a place in orbit.

A particle reaches a place when its rigidity is above the place's vertical cutoff, whatever its direction. Leaves out
the penumbra (the cutoff is a step), the dependence on direction (east is closed at a higher rigidity than west), the
daily change of the cutoff near the auroral zone, and magnetic storms, which lower it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS, NUCLEON_MASS_MEV, PROTON_MASS_MEV
from skyhall.types import Numbers

__all__ = ["open_sky", "rigidity_gv", "vertical_cutoff_gv"]

# Measured by SAMPEX with nuclei of 0.5 to 1.7 GV, stated to hold over invariant latitudes up to 64° (0.2 to 15 GV):
# Ogliore, Mewaldt, Leske, Stone and von Rosenvinge 2001, Proc. 27th ICRC, 4112: R = 15.062 cos⁴Λ - 0.363 GV.
_CUTOFF_GV: Final = 15.062
_CUTOFF_LOWERING_GV: Final = 0.363

# A path that grazes the air at 50 km crosses 50 g/cm² (US Standard Atmosphere 1976), about half of a proton's nuclear
# interaction length and the whole range of a 250 MeV proton: below it the sky counts as closed.
_CLOSED_SKY_HEIGHT: Final = 50e3  # m
_MEAN_RADIUS: Final = EARTH_RADIUS * (1 - EARTH_FLATTENING / 3)  # m


def rigidity_gv(energy_mev_per_nucleon: Numbers, charge: Numbers = 1, mass_number: Numbers = 1) -> Numbers:
    """Return the rigidity (GV), momentum over charge, of a fully stripped nucleus.

    Parameters
    ----------
    energy_mev_per_nucleon : kinetic energy, MeV per nucleon, any shape.
    charge : atomic number Z.
    mass_number : mass number A, not necessarily whole (a mean over isotopes).
    """
    mass = np.where(np.asarray(mass_number) == 1, PROTON_MASS_MEV, NUCLEON_MASS_MEV)
    energy = np.asarray(energy_mev_per_nucleon, dtype=np.float64)
    return mass_number / charge * np.sqrt(energy * (energy + 2 * mass)) / 1000.0


def vertical_cutoff_gv(l_shell: Numbers) -> Numbers:
    """Return the vertical geomagnetic cutoff rigidity (GV), zero above L = 6.4 (invariant latitude 66.8°).

    Parameters
    ----------
    l_shell : McIlwain's L, any shape; the invariant latitude Λ has cos²Λ = 1 / L.

    Source: the fit to SAMPEX's nuclei of Ogliore et al. 2001 (27th ICRC, 4112), 15.062 / L² - 0.363 GV. Störmer's
    14.9 / L² lies 0.3 GV above what was measured, which would close the poles to 30 MeV protons down to L = 7.8
    instead of 5.0.
    """
    cosine_squared = np.minimum(1.0 / np.asarray(l_shell, dtype=np.float64), 1.0)
    return np.maximum(_CUTOFF_GV * np.square(cosine_squared) - _CUTOFF_LOWERING_GV, 0.0)


def open_sky(height: Numbers) -> Numbers:
    """Return the share of all directions (4π) that the Earth and its lower air do not close.

    Parameters
    ----------
    height : geodetic height (m), any shape; half of the sky stays open at and below 50 km.

    Particles are taken to come on straight lines, from the sky only.
    """
    ratio = np.minimum(
        (_MEAN_RADIUS + _CLOSED_SKY_HEIGHT) / (_MEAN_RADIUS + np.asarray(height, np.float64)), 1.0
    )
    return 0.5 * (1.0 + np.sqrt(1.0 - ratio * ratio))
