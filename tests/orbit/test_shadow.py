from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import ASTRONOMICAL_UNIT, EARTH_RADIUS, SOLAR_RADIUS
from skyhall.orbit import (
    disc_fractions,
    eclipse_fraction_of_orbit,
    limb_distance,
    lit_disc_fraction,
    lit_disc_integral,
    mean_lit_fraction,
)

LIMB = st.floats(-250, 250)


def exact_lit_fraction(x: np.ndarray) -> np.ndarray:
    y = np.clip(x, -1, 1)
    return 0.5 + (y * np.sqrt(1 - y * y) + np.arcsin(y)) / np.pi


def test_lit_fraction_is_within_13e_minus_5_of_the_exact_disc() -> None:
    x = np.linspace(-1.5, 1.5, 20001)
    assert np.abs(lit_disc_fraction(x) - exact_lit_fraction(x)).max() < 1.3e-4


def test_lit_fraction_never_falls_as_the_sun_rises() -> None:
    assert np.diff(lit_disc_fraction(np.linspace(-1.1, 1.1, 20001))).min() > -1e-15


def test_full_sun_is_1_and_umbra_is_0() -> None:
    assert lit_disc_fraction(np.array([1.0, 50.0])) == pytest.approx([1, 1], abs=1e-15)
    assert lit_disc_fraction(np.array([-1.0, -50.0])) == pytest.approx([0, 0], abs=1e-15)


def test_the_integral_is_that_of_the_polynomial() -> None:
    x = np.linspace(-1.3, 1.3, 2601)
    middle = 0.5 * (x[1:] + x[:-1])
    np.testing.assert_allclose(np.diff(lit_disc_integral(x)) / 1e-3, lit_disc_fraction(middle), atol=3e-7)


def test_the_integral_is_0_in_umbra_and_the_distance_in_full_sun() -> None:
    assert lit_disc_integral(np.array([-5.0, 5.0])) == pytest.approx([0.0, 5.0], abs=1e-14)


@given(LIMB, LIMB)
def test_a_mean_lies_between_0_and_1_and_does_not_depend_on_direction(x0: float, x1: float) -> None:
    mean = mean_lit_fraction(np.float64(x0), np.float64(x1))
    assert -1e-10 <= mean <= 1 + 1e-10
    assert mean == mean_lit_fraction(np.float64(x1), np.float64(x0))


@given(LIMB, LIMB, st.floats(0.05, 0.95))
def test_the_mean_of_a_step_is_the_weighted_mean_of_its_parts(x0: float, x1: float, share: float) -> None:
    if abs(x1 - x0) < 1.0:  # shorter parts are widened to 0.04 solar radii
        return
    x = np.float64(x0 + share * (x1 - x0))
    parts = share * mean_lit_fraction(np.float64(x0), x) + (1 - share) * mean_lit_fraction(x, np.float64(x1))
    assert mean_lit_fraction(np.float64(x0), np.float64(x1)) == pytest.approx(parts, abs=1e-9)


def test_the_limb_is_where_the_suns_centre_is_hidden() -> None:
    # Just where the ray that grazes the Earth runs: cos of the angle to the Sun is -sqrt(1 - (R/r)^2).
    sine = EARTH_RADIUS / (EARTH_RADIUS + 550e3)
    cosine = np.sqrt(1 - sine**2)
    assert limb_distance(-cosine, sine, cosine, 214.9) == pytest.approx(0.0, abs=1e-12)
    assert limb_distance(np.float64(1.0), sine, cosine, 214.9) > 1
    assert limb_distance(np.float64(-1.0), sine, cosine, 214.9) < -1


def test_disc_fractions_agree_with_the_straight_limb_in_low_orbit() -> None:
    radius, sun = EARTH_RADIUS + 550e3, np.array([ASTRONOMICAL_UNIT, 0.0, 0.0])
    angle = np.radians(np.linspace(109, 119, 2001))
    points = radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    sine = EARTH_RADIUS / radius
    x = limb_distance(np.cos(angle), sine, np.sqrt(1 - sine**2), ASTRONOMICAL_UNIT / SOLAR_RADIUS)
    # 9 arcseconds of parallax and the limb's curve: 0.01 of the Sun's radius.
    assert np.abs(disc_fractions(points, sun).lit - exact_lit_fraction(x)).max() < 0.006


def test_each_place_behind_the_earth_has_one_kind_of_shadow() -> None:
    sun = np.array([ASTRONOMICAL_UNIT, 0.0, 0.0])
    far = EARTH_RADIUS / (SOLAR_RADIUS - EARTH_RADIUS) * ASTRONOMICAL_UNIT
    points = np.array([[-7e6, 0, 0], [-7e6, EARTH_RADIUS, 0], [-1.2 * far, 0, 0], [7e6, 0, 0]])
    fractions = disc_fractions(points, sun)
    assert fractions.umbra.tolist() == [True, False, False, False]
    assert fractions.penumbra.tolist() == [False, True, False, False]
    assert fractions.annular.tolist() == [False, False, True, False]
    assert fractions.lit[[0, 3]].tolist() == [0, 1]
    assert 0 < fractions.lit[2] < 1


def test_eclipse_takes_37_percent_of_an_orbit_at_550_km_and_beta_zero() -> None:
    assert eclipse_fraction_of_orbit(550e3, 0.0) == pytest.approx(0.372, rel=0.005)


def test_no_eclipse_at_high_beta() -> None:
    assert eclipse_fraction_of_orbit(550e3, np.radians([70, 90])).tolist() == [0, 0]
