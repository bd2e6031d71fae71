"""Upset rates: known integrals, and sums of spectra give sums of rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from skyhall.environment.cosmic import let_flux, modulation
from skyhall.environment.devices import Response
from skyhall.environment.upsets import ion_rate, proton_rate
from skyhall.errors import ValueProblem

ENERGY = np.geomspace(1.0, 400.0, 53)  # 20 points a decade
LET = np.geomspace(0.1, 100.0, 61)
RESPONSE = Response(1e-8, 5.0, 20.0, 1.0, 1e-3, 1.0, 10.0, 1.5)
STEP = Response(1e-8, 20.0, 1e-6, 1.0, 1e-3, 10.0, 1e-6, 1.0)
exponents = st.floats(0.0, 3.0)


def folded(spectrum: float) -> float:
    """The rate of a proton spectrum E^-spectrum by adaptive quadrature."""
    value, _ = quad(
        lambda e: float(RESPONSE.protons(e)) * e**-spectrum, 5.0, 400.0, epsabs=0.0, epsrel=1e-9, limit=200
    )
    return float(value)


@given(exponents)
def test_a_power_law_of_protons_is_folded_to_half_a_percent(exponent: float) -> None:
    assert proton_rate(ENERGY, ENERGY**-exponent, RESPONSE) == pytest.approx(folded(exponent), rel=0.005)


def test_ten_points_a_decade_fold_a_steep_spectrum_to_2_percent() -> None:
    coarse = np.geomspace(1.0, 400.0, 27)
    assert proton_rate(coarse, coarse**-2.5, RESPONSE) == pytest.approx(folded(2.5), rel=0.02)


def test_one_flux_at_all_energies_gives_the_integral_of_the_weibull_curve() -> None:
    reach = 400.0 - 5.0
    expected = 1e-8 * (reach - 20.0 * (1 - np.exp(-reach / 20.0)))
    assert proton_rate(ENERGY, np.ones(53), RESPONSE) == pytest.approx(expected, rel=0.002)


def test_protons_below_the_threshold_upset_nothing() -> None:
    assert proton_rate(ENERGY, np.where(ENERGY < 4.0, 1e6, 0.0), RESPONSE) == 0.0


def test_the_rate_of_two_spectra_together_is_the_sum_of_their_rates() -> None:
    trapped, cosmic = np.exp(-ENERGY / 60.0), 1e-3 / ENERGY
    apart = proton_rate(ENERGY, trapped, RESPONSE) + proton_rate(ENERGY, cosmic, RESPONSE)
    assert proton_rate(ENERGY, trapped + cosmic, RESPONSE) == pytest.approx(apart, rel=1e-12)


@given(st.floats(0.5, 3.0))
def test_ions_above_a_sharp_threshold_count_with_the_whole_cross_section(exponent: float) -> None:
    assert ion_rate(LET, LET**-exponent, STEP) == pytest.approx(1e-3 * 10.0**-exponent, rel=0.01)


@given(st.floats(0.5, 3.0))
def test_a_power_law_of_ions_is_folded_to_1_5_percent(exponent: float) -> None:
    def part(let: float) -> float:
        return float(RESPONSE.ions(let) * exponent * let ** (-exponent - 1))

    value, _ = quad(part, 1.0, 100.0, epsabs=0.0, epsrel=1e-9, limit=200)
    expected = value + float(RESPONSE.ions(100.0)) * 100.0**-exponent  # what lies above the grid
    assert ion_rate(LET, LET**-exponent, RESPONSE) == pytest.approx(expected, rel=0.015)


def test_ions_of_one_let_count_with_the_cross_section_there() -> None:
    above = np.where(LET <= 20.0, 1.0, 0.0)  # all ions between two points of the grid at 20
    place = np.searchsorted(LET, 20.0)
    between = RESPONSE.ions(np.array([LET[place - 1], LET[place]]))
    assert between[0] < ion_rate(LET, above, RESPONSE) < between[1]


def test_ions_above_the_grid_count_with_the_cross_section_at_its_end() -> None:
    above_threshold = np.geomspace(5.0, 50.0, 21)
    expected = float(RESPONSE.ions(50.0))
    assert ion_rate(above_threshold, np.ones(21), RESPONSE) == pytest.approx(expected, rel=1e-12)


def test_a_memory_in_geostationary_orbit_is_upset_200_times_its_figure_of_merit_a_day() -> None:
    """Petersen, IEEE Trans. Nucl. Sci. 45 (1998) 2550: solar minimum, 100 mil of aluminium."""
    flux = let_flux(LET, np.array(0.0), modulation=modulation(0.0), thickness_g_cm2=0.686)
    memory = Response(0.0, 5.0, 20.0, 1.0, 1e-3, 1.0, 15.0, 1.5)
    quarter = 1.0 + 15.0 * np.log(4.0 / 3.0) ** (1.0 / 1.5)  # LET at which a quarter of the limit is reached
    merit = 1e-3 / quarter**2
    assert float(ion_rate(LET, flux, memory)) * 86_400 == pytest.approx(200 * merit, rel=0.3)


def test_rates_broadcast_over_places() -> None:
    many = np.ones((3, 4, 1)) * ENERGY**-2.0
    assert proton_rate(ENERGY, many, RESPONSE).shape == (3, 4)
    assert ion_rate(LET, np.ones((3, 4, LET.size)), RESPONSE).shape == (3, 4)


@given(exponents, st.floats(0.1, 10.0))
def test_a_harder_device_is_upset_less(exponent: float, more: float) -> None:
    harder = Response(1e-8, 5.0 + more, 20.0, 1.0, 1e-3, 1.0 + more, 10.0, 1.5)
    flux = ENERGY**-exponent
    assert proton_rate(ENERGY, flux, harder) < proton_rate(ENERGY, flux, RESPONSE)
    assert ion_rate(LET, LET**-2.0, harder) < ion_rate(LET, LET**-2.0, RESPONSE)


@pytest.mark.parametrize("grid", [[1.0], [2.0, 1.0], [0.0, 1.0], [1.0, np.nan]])
def test_a_grid_that_does_not_ascend_from_above_zero_is_refused(grid: list[float]) -> None:
    with pytest.raises(ValueProblem, match="ascending"):
        proton_rate(np.array(grid), np.ones(len(grid)), RESPONSE)
