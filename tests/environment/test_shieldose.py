"""Doses against SHIELDOSE-2 (Seltzer 1994), run on the same spectra.

SHIELDOSE-2 as IRBEM has it (SpacePy 0.7.0), silicon in a half-space of aluminium, spectra exp(-E/E0): electrons 1e6
/(cm² s MeV) from 0.05 to 10 MeV, protons 1e3 /(cm² s MeV) from 5 to 400 MeV; rad/s. Its doses in spheres are not
compared here: it derives them from those of the half-space, by splines over the depths that it is asked for, and they
change with these by 10 %.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from skyhall.environment.dose import bremsstrahlung_dose, electron_dose, proton_dose
from skyhall.types import Array

DEPTHS: Final = 0.27 * np.array([0.5, 1.0, 3.0, 5.0, 10.0, 20.0])  # g/cm², from mm
ELECTRONS: Final = {
    0.3: [0.0005265, 0.0001362, 2.032e-06, 5.403e-08, 1.388e-11, 2.916e-18],
    0.6: [0.002684, 0.001233, 0.0001125, 1.455e-05, 1.45e-07, 1.281e-11],
    1.0: [0.006677, 0.003967, 0.0008083, 0.0002096, 9.982e-06, 6.997e-09],
}
BREMSSTRAHLUNG: Final = {
    0.3: [1.735e-06, 7.276e-07, 1.844e-07, 1.207e-07, 7.432e-08, 4.272e-08],
    0.6: [8.761e-06, 5.16e-06, 1.632e-06, 9.91e-07, 5.958e-07, 3.781e-07],
    1.0: [2.337e-05, 1.707e-05, 7.645e-06, 4.94e-06, 2.901e-06, 1.872e-06],
}
# With nuclear reactions, the energy of their fragments dosed where they are (its option 2).
PROTONS: Final = {
    20.0: [0.001949, 0.001282, 0.0004939, 0.0002659, 8.897e-05, 1.971e-05],
    60.0: [0.005311, 0.004317, 0.002751, 0.002076, 0.001278, 0.0006665],
    150.0: [0.00964, 0.00852, 0.006559, 0.005585, 0.004242, 0.002929],
}


def spectrum(scale: float, folding_mev: float, first: float, last: float) -> tuple[Array, Array]:
    energy = np.geomspace(first, last, 120)
    above = scale * folding_mev * (np.exp(-energy / folding_mev) - np.exp(-last / folding_mev))
    return energy, np.append(above[:-1], 0.0)


def electrons(folding_mev: float) -> tuple[Array, Array]:
    return spectrum(1e6, folding_mev, 0.05, 10.0)


def protons(folding_mev: float) -> tuple[Array, Array]:
    return spectrum(1e3, folding_mev, 5.0, 400.0)


@pytest.mark.parametrize("folding", list(PROTONS))
def test_protons_dose_within_two_per_cent_at_all_depths(folding: float) -> None:
    assert proton_dose(*protons(folding), DEPTHS, "slab") == pytest.approx(PROTONS[folding], rel=0.02)


@pytest.mark.parametrize("folding", list(ELECTRONS))
def test_electrons_dose_within_five_per_cent_down_to_three_millimetres(folding: float) -> None:
    both = electron_dose(*electrons(folding), DEPTHS[:3], "slab")
    own = both - bremsstrahlung_dose(*electrons(folding), DEPTHS[:3], "slab")
    assert own == pytest.approx(ELECTRONS[folding][:3], rel=0.05)


@pytest.mark.parametrize("folding", list(ELECTRONS))
def test_bremsstrahlung_doses_within_five_per_cent_behind_a_centimetre(folding: float) -> None:
    own = bremsstrahlung_dose(*electrons(folding), DEPTHS[4:], "slab")
    assert own == pytest.approx(BREMSSTRAHLUNG[folding][4:], rel=0.05)


@pytest.mark.parametrize("folding", list(ELECTRONS))
def test_electrons_and_bremsstrahlung_together_within_five_per_cent_at_all_depths(folding: float) -> None:
    together = np.add(ELECTRONS[folding], BREMSSTRAHLUNG[folding])
    assert electron_dose(*electrons(folding), DEPTHS, "slab") == pytest.approx(together, rel=0.05)


@pytest.mark.parametrize(
    ("particle", "dose"),
    [("protons", proton_dose), ("electrons", electron_dose)],
    ids=["protons", "electrons"],
)
def test_a_sphere_has_the_dose_that_its_half_space_implies(particle: str, dose: object) -> None:
    # Seltzer, NBS Technical Note 1116: D_sphere = 2 (D - z dD/dz).
    above = protons(60.0) if particle == "protons" else electrons(0.6)
    depth, step = 0.27 * 4.0, 0.02

    def at(depths: list[float], geometry: str) -> Array:
        return dose(*above, np.array(depths), geometry)  # type: ignore[operator, no-any-return]

    before, here, after = at([depth - step, depth, depth + step], "slab")
    implied = 2.0 * (here - depth * (after - before) / (2.0 * step))
    assert at([depth], "sphere")[0] == pytest.approx(implied, rel=0.02)
