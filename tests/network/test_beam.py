"""The beam between two telescopes, against Friis, Airy and an overlap of modes computed on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import j1

from skyhall.constants import EARTH_RADIUS
from skyhall.network.beam import aperture_gain, beam_radius, confocal_range, mode_coupling

WAVELENGTH = 1.55e-6
LENGTHS = st.floats(0.01, 2.0)


def overlap_of_collimated_modes(waist: float, range_m: float) -> float:
    """Return how much of a Gaussian mode couples into the same mode a range away, by integrating both fields."""
    rayleigh = np.pi * waist**2 / WAVELENGTH
    wide = waist * np.sqrt(1.0 + (range_m / rayleigh) ** 2)
    radius = np.linspace(0.0, 6.0 * waist, 200_001)
    bend = np.pi * radius**2 / (WAVELENGTH * (range_m + rayleigh**2 / range_m))
    sent = np.sqrt(2.0 / np.pi) / wide * np.exp(-((radius / wide) ** 2) - 1j * bend)
    wanted = np.sqrt(2.0 / np.pi) / waist * np.exp(-((radius / waist) ** 2))
    return float(np.abs(np.trapezoid(2.0 * np.pi * radius * sent * wanted, radius)) ** 2)


@pytest.mark.parametrize("range_m", [100.0, 5e3, 2e4, 1e6])
def test_the_coupling_is_the_overlap_of_two_gaussian_modes(range_m: float) -> None:
    diameter = 0.1
    ours = float(mode_coupling(range_m, confocal_range(diameter, diameter, WAVELENGTH)))
    assert ours == pytest.approx(overlap_of_collimated_modes(diameter / np.sqrt(8.0), range_m), rel=1e-5)


def test_far_away_the_coupling_is_that_of_friis() -> None:
    sender, receiver, range_m = 0.08, 0.8, 2e6
    friis = (
        aperture_gain(sender, WAVELENGTH)
        * aperture_gain(receiver, WAVELENGTH)
        * (WAVELENGTH / (4.0 * np.pi * range_m)) ** 2
    )
    ours = mode_coupling(range_m, confocal_range(sender, receiver, WAVELENGTH))
    assert float(ours) == pytest.approx(float(friis), rel=1e-3)


@given(LENGTHS, LENGTHS, st.floats(0.0, 1e10))
def test_no_more_arrives_than_was_sent(sender: float, receiver: float, range_m: float) -> None:
    assert 0.0 < float(mode_coupling(range_m, confocal_range(sender, receiver, WAVELENGTH))) <= 1.0


def test_at_the_confocal_range_half_arrives() -> None:
    reach = confocal_range(0.1, 0.1, WAVELENGTH)
    assert float(mode_coupling(reach, reach)) == pytest.approx(0.5)
    assert float(reach) == pytest.approx(5067.0, abs=1.0)


def test_the_beam_has_the_gain_of_its_aperture() -> None:
    # A Gaussian beam of 1/e² radius w has 8/w² times the mean intensity over the sphere on its axis.
    assert 8.0 / float(beam_radius(0.1, WAVELENGTH)) ** 2 == pytest.approx(
        float(aperture_gain(0.1, WAVELENGTH))
    )


def test_near_the_axis_the_beam_is_the_airy_pattern() -> None:
    radius = float(beam_radius(0.1, WAVELENGTH))
    angle = np.linspace(0.01, 0.2, 20) * radius
    x = np.pi * 0.1 * angle / WAVELENGTH
    np.testing.assert_allclose(np.exp(-2.0 * (angle / radius) ** 2), (2.0 * j1(x) / x) ** 2, atol=1e-3)


def test_a_beam_from_the_moon_is_as_wide_as_a_town() -> None:
    # 10 cm at 1.55 µm: 14 µrad of radius, 5.4 km at the Moon's distance of 60 Earth radii.
    assert float(beam_radius(0.1, WAVELENGTH)) * 60.3 * EARTH_RADIUS == pytest.approx(5.4e3, rel=0.01)


def test_functions_broadcast() -> None:
    apertures, ranges = np.array([[0.05], [0.1]]), np.array([1e3, 1e4, 1e5])
    assert mode_coupling(ranges, confocal_range(apertures, apertures, WAVELENGTH)).shape == (2, 3)
    assert aperture_gain(apertures, np.array([1.06e-6, 1.55e-6])).shape == (2, 2)
