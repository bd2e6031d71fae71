from __future__ import annotations

import numpy as np
import pytest

from skyhall.environment import electron_kernels
from skyhall.environment.electrons import (
    FIRST_MEV,
    LAST_MEV,
    electron_kernel,
    electron_range,
    photon_kernel,
)
from skyhall.environment.shielding import angles

# SHIELDOSE-2's tables (S. M. Seltzer 1993, computed with ETRAN; read in IRBEM): isotropic electrons on an aluminium
# half-space. Range in g/cm², absorbed share of the energy, scale of depth over the range, radiation yield.
SHIELDOSE = {
    0.5: (0.2260, 0.8001, 0.5877, 0.4331e-2),
    1.0: (0.5546, 0.8230, 0.5912, 0.7602e-2),
    2.0: (1.224, 0.8465, 0.6027, 0.1444e-1),
    5.0: (3.093, 0.8651, 0.6373, 0.3659e-1),
    10.0: (5.863, 0.8576, 0.6816, 0.7418e-1),
}
DEPTHS = [0.0, 0.5, 1.0, 1.2, 1.3]  # over range × scale
DOSE = {
    0.5: [1.419, 1.004, 0.3012, 0.1035, 0.04697],
    1.0: [1.470, 0.9897, 0.3023, 0.1017, 0.04724],
    2.0: [1.518, 0.9762, 0.3022, 0.1025, 0.04718],
    5.0: [1.562, 0.9609, 0.3042, 0.1031, 0.04613],
    10.0: [1.578, 0.9538, 0.3075, 0.1040, 0.04413],
}
PHOTON_DEPTHS = [5.0, 10.0]  # over the range
PHOTON_DOSE = {
    1.0: [0.02231, 0.01281],
    2.0: [0.03268, 0.01843],
    5.0: [0.04921, 0.01992],
}
SILICON = 1.02  # collision stopping power of silicon over aluminium's, 0.1 to 10 MeV


def half_space(kernel: object, energy: float, depth: float) -> float:
    paths, shares = angles(depth, "slab")
    return float((kernel(np.array([energy]), paths) @ shares)[0])  # type: ignore[operator]


@pytest.mark.parametrize("energy", list(SHIELDOSE))
def test_electrons_against_shieldose_2(energy: float) -> None:
    full, absorbed, scale, _ = SHIELDOSE[energy]
    here = [half_space(electron_kernel, energy, depth * full * scale) for depth in DEPTHS]
    there = 0.25 * SILICON * energy * absorbed / (full * scale) * np.array(DOSE[energy])
    assert here[:4] == pytest.approx(there[:4], rel=0.07)
    assert here[4:] == pytest.approx(there[4:], rel=0.2)  # where one electron in thirty still goes


@pytest.mark.parametrize("energy", list(PHOTON_DOSE))
def test_bremsstrahlung_against_shieldose_2(energy: float) -> None:
    full, _, _, radiated = SHIELDOSE[energy]
    here = [half_space(photon_kernel, energy, depth * full) for depth in PHOTON_DEPTHS]
    there = 0.25 * energy * radiated / full * np.array(PHOTON_DOSE[energy])
    assert here == pytest.approx(there, rel=0.25)  # in silicon here, in aluminium there


@pytest.mark.parametrize("energy", list(SHIELDOSE))
def test_ranges_against_estar(energy: float) -> None:
    assert electron_range(energy) == pytest.approx(SHIELDOSE[energy][0], rel=0.006)


def test_nothing_passes_a_sphere_of_the_range() -> None:
    energy = np.array([0.3, 1.0, 5.0])
    assert np.all(np.diagonal(electron_kernel(energy, electron_range(energy))) == 0.0)


def test_photons_go_beyond_the_range_of_electrons() -> None:
    thick = 2.0 * electron_range(2.0)
    assert electron_kernel(np.array([2.0]), np.array([thick])) == 0.0
    assert photon_kernel(np.array([2.0]), np.array([thick])) > 0.0


def test_photons_never_bring_more_than_what_was_radiated() -> None:
    """Energy: the dose by photons, summed over a half-space, is below the radiation yield of the electrons.

    Every electron of the flux brings a quarter of its energy in; silicon absorbs more than aluminium below 0.1 MeV.
    """
    depth = np.geomspace(0.005, 60.0, 120)
    for energy in (1.0, 5.0):
        dose = [half_space(photon_kernel, energy, each) for each in depth]
        assert np.trapezoid(dose, depth) < 0.25 * energy * SHIELDOSE[energy][3] * 1.3


@pytest.mark.parametrize("energy", [0.1, 1.0, 5.0])
def test_energy_absorbed_in_a_half_space_is_what_shieldose_2_has(energy: float) -> None:
    absorbed = {0.1: 0.7730, 1.0: 0.8230, 5.0: 0.8651}[energy]
    depth = np.linspace(0.0, 1.0, 300) * electron_range(energy)
    dose = [half_space(electron_kernel, energy, each) for each in depth]
    assert 4.0 * np.trapezoid(dose, depth) / energy / SILICON == pytest.approx(absorbed, rel=0.04)


def test_between_the_energies_of_the_table_the_kernel_is_smooth() -> None:
    energy = np.geomspace(0.3, 8.0, 200)
    share = 0.3
    scaled = [
        electron_kernel(np.array([e]), np.array([share * electron_range(e)]))[0, 0] * electron_range(e) / e
        for e in energy
    ]
    assert np.max(np.abs(np.diff(np.log(scaled)))) < 0.02


def test_slow_electrons_count_for_nothing_and_fast_ones_as_the_last() -> None:
    thin = np.array([0.01])
    assert electron_kernel(np.array([0.9 * FIRST_MEV]), thin) == 0.0
    assert electron_kernel(np.array([30.0]), thin) == electron_kernel(np.array([LAST_MEV]), thin)


def test_the_tables_fit_their_axes() -> None:
    energies = electron_kernels.ENERGIES_MEV.size
    assert electron_kernels.ELECTRONS.shape == (energies, electron_kernels.SHARES.size)
    assert electron_kernels.PHOTONS.shape == (energies, electron_kernels.DEPTHS.size)
    assert min(electron_kernels.ELECTRONS.min(), electron_kernels.PHOTONS.min()) >= 0.0
