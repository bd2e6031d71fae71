"""Jitter's mean loss and fades, against drawn angles and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from skyhall.errors import ValueProblem
from skyhall.network.beam import beam_radius
from skyhall.network.pointing import fade_db, jitter_ratio, mean_jitter_loss_db

APERTURE, WAVELENGTH = 0.1, 1.55e-6
RATIOS = st.floats(0.5, 1e6)


def drawn(jitters: tuple[float, ...], apertures: tuple[float, ...]) -> np.ndarray:
    """Return the powers of a million moments, relative to a steady link: Gaussian angles on two axes of each end."""
    draw = np.random.default_rng(7)
    power = np.ones(1_000_000)
    for jitter, aperture in zip(jitters, apertures, strict=True):
        angles = draw.normal(0.0, jitter, (2, power.size))
        power *= np.exp(-2.0 * (angles**2).sum(axis=0) / float(beam_radius(aperture, WAVELENGTH)) ** 2)
    return power


def ratios(jitters: tuple[float, ...], apertures: tuple[float, ...]) -> list[float]:
    return [float(jitter_ratio(a, WAVELENGTH, s)) for a, s in zip(apertures, jitters, strict=True)]


@pytest.mark.parametrize(
    ("jitters", "apertures"),
    [((3e-6,), (0.1,)), ((3e-6, 3e-6), (0.1, 0.1)), ((4e-6, 2e-6), (0.1, 0.05)), ((1e-6, 5e-6), (0.08, 0.3))],
)
def test_mean_and_fades_are_those_of_drawn_angles(
    jitters: tuple[float, ...], apertures: tuple[float, ...]
) -> None:
    power = drawn(jitters, apertures)
    ends = ratios(jitters, apertures)
    assert float(mean_jitter_loss_db(*ends)) == pytest.approx(-10.0 * np.log10(power.mean()), abs=0.02)
    for outage in (0.5, 0.1, 0.01):
        deepest = -10.0 * np.log10(np.quantile(power, outage))
        assert float(fade_db(outage, *ends)) == pytest.approx(deepest, rel=0.01)


@given(RATIOS, st.floats(1e-9, 0.99))
def test_one_jittering_end_fades_exponentially(ratio: float, outage: float) -> None:
    assert float(fade_db(outage, ratio)) == pytest.approx(
        -10.0 * np.log10(np.e) * np.log(outage) / ratio, rel=1e-6, abs=1e-9
    )


@given(RATIOS, st.floats(1e-9, 0.99))
def test_two_equal_ends_fade_as_a_gamma_distribution_of_shape_two(ratio: float, outage: float) -> None:
    wanted = 10.0 * np.log10(np.e) * gamma(2.0).isf(outage) / ratio
    assert float(fade_db(outage, ratio, ratio)) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@given(RATIOS, RATIOS, st.floats(1e-9, 0.9))
def test_fades_do_not_care_which_end_jitters(a: float, b: float, outage: float) -> None:
    both = float(fade_db(outage, a, b))
    assert both == pytest.approx(float(fade_db(outage, b, a)), rel=1e-9)
    assert both >= max(float(fade_db(outage, a)), float(fade_db(outage, b))) - 1e-9


def test_a_steady_link_loses_nothing() -> None:
    steady = jitter_ratio(APERTURE, WAVELENGTH, 0.0)
    assert float(mean_jitter_loss_db(steady, steady)) == pytest.approx(0.0, abs=1e-9)
    assert float(fade_db(1e-6, steady, steady)) == pytest.approx(0.0, abs=1e-9)


def test_a_jitter_of_half_the_beams_radius_halves_the_mean() -> None:
    # β = 1: half of the light is lost in the mean.
    jitter = 0.5 * float(beam_radius(APERTURE, WAVELENGTH))
    assert float(mean_jitter_loss_db(jitter_ratio(APERTURE, WAVELENGTH, jitter))) == pytest.approx(
        3.01, abs=0.01
    )


def test_fades_broadcast() -> None:
    assert fade_db(np.array([0.1, 0.01]), np.array([[20.0], [50.0], [90.0]]), 30.0).shape == (3, 2)


@pytest.mark.parametrize("outage", [0.0, 1.0, -0.1, float("nan")])
def test_an_outage_is_a_share(outage: float) -> None:
    with pytest.raises(ValueProblem, match="no share of time"):
        fade_db(outage, 50.0)
