from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import JULIAN_YEAR
from skyhall.environment.dose import (
    RAD_PER_MEV_PER_GRAM,
    bremsstrahlung_dose,
    electron_dose,
    proton_dose,
)
from skyhall.environment.stopping import csda_range, stopping_power
from skyhall.errors import ValueProblem
from skyhall.types import Array

PROTONS = np.geomspace(5.0, 400.0, 30)
ELECTRONS = np.array([0.04, 0.1, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0])
BELT = 1e6 * np.exp(-ELECTRONS / 0.5)  # AE8's outer belt, roughly
FIVE_MM = 1.35  # g/cm²


def one_energy(mev: float) -> tuple[Array, Array]:
    """Return the integral spectrum of one particle of (nearly) one energy."""
    return np.array([0.999, 1.001]) * mev, np.array([1.0, 0.0])


def test_a_rad_is_8_million_protons_of_67_mev() -> None:
    # Trillium (arXiv:2511.19468): 1 rad = 7.9e6 protons/cm² at 67 MeV, without fragments.
    bare = stopping_power(67.0, "silicon") * RAD_PER_MEV_PER_GRAM
    assert 1.0 / bare == pytest.approx(7.9e6, rel=0.02)
    dose = proton_dose(*one_energy(67.0), [0.0])[0]
    assert dose == pytest.approx(bare, rel=0.06)  # fragments add 4 %


@pytest.mark.parametrize(
    ("mev", "depth", "published"),
    [
        (60.0, 0.0, 1.179), (60.0, 0.5, 1.097), (100.0, 0.0, 1.253), (100.0, 0.2, 1.257), (100.0, 0.5, 1.068),
        (200.0, 0.0, 1.565), (200.0, 0.2, 1.302), (200.0, 0.5, 0.9734), (400.0, 0.1, 1.783), (400.0, 0.2, 1.392),
    ],
)  # fmt: skip
def test_protons_against_shieldose_2(mev: float, depth: float, published: float) -> None:
    """Isotropic protons on aluminium, with nuclear reactions: dose × range / energy at depth / range.

    Seltzer's tables of 1993 (read in IRBEM), dose in aluminium.
    """
    full = csda_range(mev)
    energy = mev * np.linspace(0.98, 1.02, 41)
    spread = np.linspace(1.0, 0.0, 41)
    silicon = stopping_power(0.5 * mev, "silicon") / stopping_power(0.5 * mev, "aluminium")
    dose = proton_dose(energy, spread, [depth * full], "slab")[0] / silicon / RAD_PER_MEV_PER_GRAM
    assert 4.0 * dose * full / mev == pytest.approx(published, rel=0.09)


def test_protons_below_their_range_bring_nothing() -> None:
    assert proton_dose(*one_energy(30.0), [FIVE_MM])[0] == 0.0
    assert proton_dose(*one_energy(36.0), [FIVE_MM])[0] > 0.0


@given(index=st.floats(0.5, 6.0), thin=st.floats(0.05, 5.0), more=st.floats(0.01, 5.0))
def test_the_dose_falls_with_thickness(index: float, thin: float, more: float) -> None:
    for geometry in ("sphere", "slab"):
        flux = 1e3 * PROTONS**-index
        first, second = proton_dose(PROTONS, flux, [thin, thin + more], geometry)
        assert second <= first * 1.0001
        first, second = electron_dose(ELECTRONS, BELT, [thin, thin + more], geometry)
        assert second < first


@given(thickness=st.floats(0.1, 8.0), index=st.floats(0.5, 5.0))
def test_a_slab_is_never_above_half_a_sphere(thickness: float, index: float) -> None:
    flux = 1e3 * PROTONS**-index
    assert proton_dose(PROTONS, flux, thickness, "slab") <= 0.5 * proton_dose(PROTONS, flux, thickness)
    assert electron_dose(ELECTRONS, BELT, thickness, "slab") < 0.5 * electron_dose(ELECTRONS, BELT, thickness)


def test_dose_is_proportional_to_flux() -> None:
    flux = 1e3 * PROTONS**-2.0
    assert proton_dose(PROTONS, 3.0 * flux, [1.0]) == pytest.approx(3.0 * proton_dose(PROTONS, flux, [1.0]))


def test_no_flux_no_dose() -> None:
    assert np.all(proton_dose(PROTONS, np.zeros(30), [0.5, 1.0]) == 0.0)
    assert np.all(electron_dose(ELECTRONS, np.zeros(13), [0.5, 1.0]) == 0.0)


def test_the_grid_of_energies_does_not_matter() -> None:
    coarse, fine = np.geomspace(5.0, 400.0, 12), np.geomspace(5.0, 400.0, 97)
    first = proton_dose(coarse, coarse**-2.0, [0.3, FIVE_MM, 5.0])
    assert proton_dose(fine, fine**-2.0, [0.3, FIVE_MM, 5.0]) == pytest.approx(first, rel=0.01)


def test_electrons_end_where_photons_go_on() -> None:
    thin, thick = electron_dose(ELECTRONS, BELT, [0.2, 6.0])
    of_photons = bremsstrahlung_dose(ELECTRONS, BELT, [0.2, 6.0])
    assert of_photons[0] < 0.01 * thin
    assert of_photons[1] > 0.99 * thick


def test_shapes_are_leading_axes_then_thicknesses() -> None:
    flux = np.ones((2, 3, 1)) * PROTONS**-2.0
    assert proton_dose(PROTONS, flux, [0.1, 1.0, 2.0, 3.0]).shape == (2, 3, 4)
    assert electron_dose(ELECTRONS, np.ones((2, 1)) * BELT, 1.0, "slab").shape == (2, 1)


def test_one_orbit_and_five_shields_take_under_a_tenth_of_a_second() -> None:
    def once() -> float:
        start = time.perf_counter()
        proton_dose(PROTONS, PROTONS**-2.0, [0.5, 1.0, 1.35, 2.0, 2.7], "slab")
        electron_dose(ELECTRONS, BELT, [0.5, 1.0, 1.35, 2.0, 2.7], "slab")
        return time.perf_counter() - start

    assert min(once() for _ in range(3)) < 0.1


@pytest.mark.parametrize("dose", [proton_dose, electron_dose])
def test_a_negative_thickness_is_refused(dose: object) -> None:
    with pytest.raises(ValueProblem, match=r"5 mm of aluminium are 1\.35"):
        dose(PROTONS, PROTONS**-2.0, [1.0, -0.5])  # type: ignore[operator]


@pytest.mark.parametrize("dose", [proton_dose, electron_dose])
def test_an_unknown_geometry_is_refused(dose: object) -> None:
    with pytest.raises(ValueProblem, match="possible: slab, sphere"):
        dose(PROTONS, PROTONS**-2.0, [1.0], "box")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("altitude_km", "inclination", "protons", "electrons"),
    [(500.0, 97.4, 97.0, 69.0), (500.0, 30.0, 175.0, None)],
)
def test_against_spenvis_behind_5_mm(
    altitude_km: float, inclination: float, protons: float, electrons: float | None
) -> None:
    """AP8 and AE8 MIN in their own field, SHIELDOSE-2, silicon at the centre of an aluminium sphere, rad a year.

    rMcDonald17/Orbital-Datacenters with SPENVIS.
    """
    from skyhall.catalogue.maps import load_map
    from skyhall.environment.trapped import TrappedMap, orbit_points

    trapped = TrappedMap(**load_map("trapped"))
    *place, weight = orbit_points(altitude_km * 1e3, np.radians(inclination))
    flux = weight @ trapped.protons(*place, activity=0.0, year=1964.0)
    found = proton_dose(trapped.proton_energy_mev, flux, FIVE_MM)[0] * JULIAN_YEAR
    assert found == pytest.approx(protons, rel=0.15)
    if electrons is not None:
        flux = weight @ trapped.electrons(*place, activity=0.0, year=1964.0)
        found = electron_dose(trapped.electron_energy_mev, flux, FIVE_MM)[0] * JULIAN_YEAR
        assert found == pytest.approx(electrons, rel=0.15)
