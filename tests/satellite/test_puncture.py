"""Meteoroids: flux, ballistic limit and surviving loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from skyhall.constants import JULIAN_YEAR
from skyhall.errors import ValueProblem
from skyhall.satellite.puncture import (
    critical_diameter,
    loop_survival,
    meteoroid_flux,
    near_earth_factor,
    perforated_thickness,
    puncture_rate,
)

ALUMINIUM_6061 = (2700.0, 95.0, 5100.0)  # kg/m³, Brinell, m/s


@pytest.mark.parametrize(
    ("gram", "per_m2_year"),
    # Term by term by hand from ECSS-E-ST-10-04C, eq. 10-1.
    [(1e-12, 1.088e3), (1e-6, 1.488), (1.0, 7.02e-8)],
)
def test_grun_flux_by_hand(gram: float, per_m2_year: float) -> None:
    assert meteoroid_flux(gram * 1e-3) * JULIAN_YEAR == pytest.approx(per_m2_year, rel=2e-3)


def test_flux_falls_with_mass() -> None:
    assert np.all(np.diff(meteoroid_flux(np.logspace(-21, -3, 200))) < 0.0)


def test_space_debris_of_0_7_mm_at_10_km_s_pierces_a_wall_of_about_2_5_mm() -> None:
    # LDEF guidance: about 0.7 mm of aluminium at 10 km/s goes through a typical 2.5 mm satellite wall.
    millimetre = perforated_thickness(0.7e-3, *ALUMINIUM_6061, 10e3, 2700.0) * 1e3
    assert millimetre == pytest.approx(2.5, rel=0.2)


@given(st.floats(1e-5, 1e-2), st.floats(3e3, 40e3))
def test_critical_diameter_is_the_inverse_of_the_perforated_thickness(diameter: float, speed: float) -> None:
    wall = perforated_thickness(diameter, *ALUMINIUM_6061, speed)
    assert critical_diameter(wall, *ALUMINIUM_6061, speed) == pytest.approx(diameter, rel=1e-12)


def test_a_particle_too_heavy_for_the_formula_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="light particles"):
        critical_diameter(1e-3, *ALUMINIUM_6061, 14e3, 7800.0)


def test_far_from_earth_neither_attraction_nor_shielding_is_left() -> None:
    assert near_earth_factor(1e10) == pytest.approx(1.0, abs=2e-3)


def test_in_low_orbit_the_earth_hides_more_than_it_attracts() -> None:
    assert near_earth_factor(650e3) == pytest.approx(0.92, abs=0.01)


def test_motion_in_orbit_raises_the_flux_as_the_mean_over_directions() -> None:
    # Attraction and shielding taken out; the mean of |v - u| over the sphere of directions, in units of v.
    distance, far, cosine = 6378137.0 + 650e3, 20e3, (np.arange(20_000) + 0.5) / 10_000.0 - 1.0
    orbital = 3.986004418e14 / distance
    near = np.sqrt(far**2 + 2.0 * orbital)
    relative = np.sqrt(near**2 + orbital - 2.0 * near * np.sqrt(orbital) * cosine).mean() / near
    hidden = 0.5 * (1.0 + np.sqrt(1.0 - (6478137.0 / distance) ** 2))
    expected = (near / far) ** 2 * hidden * relative
    assert near_earth_factor(650e3) == pytest.approx(expected, rel=1e-6)


def test_a_square_metre_of_millimetre_tube_is_pierced_once_in_about_eleven_years() -> None:
    rate = puncture_rate(1.0, 1e-3, *ALUMINIUM_6061, 650e3) * JULIAN_YEAR
    assert 1.0 / rate == pytest.approx(11.3, rel=0.02)


def test_twice_the_wall_is_pierced_about_ten_times_less() -> None:
    thin, thick = puncture_rate(1.0, np.array([1e-3, 2e-3]), *ALUMINIUM_6061, 650e3)
    assert 8.0 < thin / thick < 12.0


@pytest.mark.parametrize("needed", [1, 2, 4])
@pytest.mark.parametrize("spare", [0, 1, 3])
def test_surviving_loops_are_binomial(needed: int, spare: int) -> None:
    whole = np.exp(-0.07 * 5.0)
    expected = binom.sf(needed - 1, needed + spare, whole)
    assert loop_survival(0.07, spare, 5.0, needed) == pytest.approx(expected, abs=1e-12)


def test_loops_that_are_never_hit_survive() -> None:
    assert loop_survival(0.0, 0, 100.0) == 1.0


@given(st.floats(0.001, 1.0), st.integers(0, 5))
def test_a_spare_loop_never_hurts(rate: float, spare: int) -> None:
    fewer, more = loop_survival(rate, np.array([spare, spare + 1]), 5.0, 3)
    assert more >= fewer
