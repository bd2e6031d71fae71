"""Orbital debris: the published formula, and how much it says is up there."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.errors import ValueProblem
from skyhall.rules.debris import debris_flux


def a_year(diameter: float, altitude: float, inclination: float, year: float = 2026.5) -> float:
    return float(debris_flux(diameter, altitude, np.radians(inclination), year, 140.0)) * JULIAN_YEAR


def test_nasa90_at_1_cm_and_650_km_by_hand() -> None:
    # H 1.293, phi 0.849 at F10.7 140, psi 1.60 at 97.3 deg; 1.22e-5 × 1.577 × 1.837 + 6.83e-7 × 2.925.
    psi = 1.37 + (1.78 - 1.37) * 0.73
    by_hand = 1.293 * 0.849 * psi * (1.22e-5 * 1.5769 * 1.8369 + 8.1e10 / 701.0**6 * 2.925)
    assert a_year(0.01, 650e3, 97.3) == pytest.approx(by_hand, rel=2e-3)


def test_the_epoch_of_the_formula_has_no_growth() -> None:
    flux = a_year(1.0, 500e3, 45.0, 1988.0)
    phi = 10.0 ** (2.5 - 1.0 - 1.5)
    hump = np.sqrt(10.0 ** np.exp(-(((2.0 - 0.78) / 0.637) ** 2)))
    assert flux == pytest.approx(hump * phi / (1 + phi) * 0.99 * (1.22e-10 + 8.1e10 / 800.0**6), rel=1e-9)


def test_it_means_as_many_pieces_above_1_cm_as_radars_and_models_say() -> None:
    # All of the orbits: 1.2 million (ESA MASTER-8, August 2024); NASA: 500,000. Here those below 1,000 km.
    heights = np.arange(200e3, 1000e3, 10e3)
    flux = debris_flux(0.01, heights, np.radians(65.0), 2024.6, 160.0)
    per_volume = 4.0 * flux / 10e3  # cross-sectional flux over a mean relative speed of 10 km/s
    pieces = float(np.sum(per_volume * 4.0 * np.pi * (EARTH_RADIUS + heights) ** 2 * 10e3))
    assert 150e3 < pieces < 600e3


def test_it_means_as_many_pieces_above_10_cm_as_are_tracked() -> None:
    # 54,000 in all orbits (MASTER-8, August 2024), of which some 20,000 to 35,000 in low orbit.
    heights = np.arange(200e3, 1000e3, 10e3)
    per_volume = 4.0 * debris_flux(0.1, heights, np.radians(65.0), 2024.6, 160.0) / 10e3
    pieces = float(np.sum(per_volume * 4.0 * np.pi * (EARTH_RADIUS + heights) ** 2 * 10e3))
    assert 15e3 < pieces < 40e3


def test_smaller_pieces_are_more_numerous() -> None:
    sizes = np.logspace(-4, 0, 60)
    assert np.all(np.diff(debris_flux(sizes, 700e3, 1.0, 2026.0, 140.0)) < 0.0)


def test_an_active_sun_cleans_low_orbits() -> None:
    quiet, active = (float(debris_flux(0.01, 500e3, 1.0, 2026.0, flux)) for flux in (70.0, 230.0))
    assert 2.0 < quiet / active < 6.0


def test_between_1000_and_2000_km_the_value_of_1000_km_is_held() -> None:
    assert a_year(0.01, 1500e3, 98.0) == a_year(0.01, 1000e3, 98.0)


@pytest.mark.parametrize(("altitude", "year"), [(3000e3, 2026.0), (600e3, 1970.0)])
def test_outside_the_formula_there_is_no_answer(altitude: float, year: float) -> None:
    with pytest.raises(ValueProblem, match="flux of debris"):
        debris_flux(0.01, altitude, 1.0, year, 140.0)
