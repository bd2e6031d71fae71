from __future__ import annotations

import numpy as np
import pytest

from skyhall.environment.geomagnetic import open_sky, rigidity_gv, vertical_cutoff_gv


def test_a_proton_of_1_gev_has_1_7_gv() -> None:
    assert rigidity_gv(1000.0) == pytest.approx(1.696, abs=0.001)


def test_a_nucleus_of_two_nucleons_per_charge_has_twice_the_rigidity_of_a_proton() -> None:
    assert rigidity_gv(5000.0, 26, 52) == pytest.approx(2 * rigidity_gv(5000.0), rel=0.01)


def test_a_slow_iron_nucleus_uses_the_mass_of_a_bound_nucleon() -> None:
    # Non-relativistic: pc = A sqrt(2 E m).
    assert rigidity_gv(1.0, 26, 56) == pytest.approx(56 / 26 * np.sqrt(2 * 931.494) / 1000, rel=0.001)


def test_against_the_stoermer_cutoff_at_the_equator() -> None:
    # Smart and Shea 2005: 13 to 17 GV on the magnetic equator at ground, 14.9 / L² in a dipole.
    assert vertical_cutoff_gv(1.0) == pytest.approx(14.7, abs=0.3)


def test_an_orbit_of_500_km_has_12_gv_at_the_magnetic_equator() -> None:
    assert vertical_cutoff_gv(1 + 500 / 6371.2) == pytest.approx(14.9 / (1 + 500 / 6371.2) ** 2, abs=0.6)


@pytest.mark.parametrize("l_shell", [7.0, 30.0, 5000.0])
def test_the_poles_are_open(l_shell: float) -> None:
    assert vertical_cutoff_gv(l_shell) == 0.0


@pytest.mark.parametrize(
    ("latitude", "rigidity"), [(64.0, 0.19), (60.0, 0.58), (56.0, 1.11)]
)  # Ogliore et al. 2001, the relation as printed
def test_against_sampex_cutoffs(latitude: float, rigidity: float) -> None:
    l_shell = 1 / np.cos(np.radians(latitude)) ** 2
    assert vertical_cutoff_gv(l_shell) == pytest.approx(rigidity, abs=0.01)


def test_cutoffs_fall_with_l() -> None:
    assert np.all(np.diff(vertical_cutoff_gv(np.geomspace(1.0, 6.0, 50))) < 0)


def test_below_the_first_shell_the_cutoff_is_a_number() -> None:
    assert np.isfinite(vertical_cutoff_gv(0.98))


def test_two_thirds_of_the_sky_are_open_at_500_km() -> None:
    assert open_sky(500e3) == pytest.approx(0.68, abs=0.01)


def test_half_of_the_sky_is_open_in_the_air_and_all_far_away() -> None:
    assert open_sky(0.0) == 0.5
    assert open_sky(1e10) == pytest.approx(1.0, abs=1e-5)


def test_heights_broadcast() -> None:
    assert open_sky(np.full((2, 3), 600e3)).shape == (2, 3)
