from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.environment import solar_protons
from skyhall.environment.geomagnetic import rigidity_gv
from skyhall.environment.solar_protons import (
    access,
    active_years,
    arriving,
    event_fluence,
    mean_fluence,
)
from skyhall.errors import ValueProblem
from skyhall.types import Array

ENERGY = np.array([10.0, 30.0, 60.0, 100.0, 200.0, 500.0])

# One year of the average Sun is 7/11 of an active year.
CALENDAR = 7.0 / 11.0


def dipole_orbit(altitude: float, inclination_deg: float) -> tuple[Array, Array]:
    """Return L and height (m) along an orbit in a centred dipole, 11.5° off the axis (epoch 1964)."""
    u, node = np.meshgrid(np.arange(180) * np.pi / 90, np.arange(60) * np.pi / 30)
    tilt, i = np.radians(11.5), np.radians(inclination_deg)
    sine = np.sin(i) * np.sin(u) * np.cos(tilt) + np.sin(tilt) * (
        np.cos(u) * np.cos(node) - np.sin(u) * np.cos(i) * np.sin(node)
    )
    radius = (6371.2e3 + altitude) / 6371.2e3
    return np.ravel(radius / (1 - sine**2)), np.full(u.size, altitude)


@pytest.mark.parametrize("energy", [30.0, 60.0, 100.0, 300.0, 1000.0])
def test_seven_published_return_levels_follow_one_cut_off_power_law(energy: float) -> None:
    """Jiggens et al. 2018, table 8, against the three numbers that stand for it: within 2 % in rate."""
    rate, index, scale = solar_protons._size_distribution(energy)
    levels = solar_protons._above(energy)[:, 0]
    x = levels / scale
    np.testing.assert_allclose(rate * x**-index * np.exp(-x) * solar_protons._RETURN_YEARS, 1.0, rtol=0.02)


def test_at_10_mev_the_shared_index_stays_within_10_percent_of_the_published_levels() -> None:
    levels = solar_protons._above(10.0)[:, 0]
    rate, index, scale = (float(v[0]) for v in solar_protons._size_distribution(10.0))
    sizes = np.geomspace(0.1, 100.0, 20000)
    years = 1.0 / (rate * sizes**-index * np.exp(-sizes))
    here = scale * np.interp(np.log(solar_protons._RETURN_YEARS), np.log(years), sizes)
    np.testing.assert_allclose(here, levels, rtol=0.1)


def test_the_bands_integral_is_that_of_its_spectrum() -> None:
    fine = np.geomspace(30.0, 1e6, 20000)
    index, e_folding, scale, high = (np.asarray(v) for v in solar_protons._FLUENCE)
    rigidity = np.asarray(rigidity_gv(fine))
    row = 3
    knee = (high - index[row]) * e_folding[row]
    spectrum = np.where(
        rigidity < knee,
        rigidity ** -index[row] * np.exp(-rigidity / e_folding[row]),
        rigidity**-high * knee ** (high - index[row]) * np.exp(index[row] - high),
    )
    expected = 4 * np.pi * scale[row] * np.trapezoid(spectrum, rigidity)
    assert solar_protons._above(30.0)[row, 0] == pytest.approx(expected, rel=1e-4)


def test_the_sum_agrees_with_drawn_events() -> None:
    """The inverted transform against 20,000 missions drawn event by event (3 % of statistical error)."""
    rate, index, scale = (float(v[0]) for v in solar_protons._size_distribution(30.0))
    rng = np.random.default_rng(1)
    smallest, missions, years = 1e-6, 20000, 2.0
    grid = np.geomspace(smallest, 30.0, 4000)
    tail = rate * grid**-index * np.exp(-grid)
    counts = rng.poisson(tail[0] * years / CALENDAR, missions)
    sizes = np.interp(rng.uniform(0, tail[0], counts.sum()), tail[::-1], grid[::-1])
    sums = np.bincount(np.repeat(np.arange(missions), counts), sizes, missions) * scale
    for confidence in (0.5, 0.9, 0.95):
        assert event_fluence(30.0, years, confidence)[0] == pytest.approx(
            np.quantile(sums, confidence), rel=0.04
        )


def test_the_mean_is_the_mean_over_confidences() -> None:
    middles = (np.arange(2000) + 0.5) / 2000
    mean = np.mean([event_fluence(30.0, 3.0, float(p))[0] for p in middles[::10]])
    assert mean == pytest.approx(mean_fluence(30.0, 3.0)[0], rel=0.05)


@given(st.floats(0.3, 20.0), st.floats(0.1, 0.99))
def test_fluence_falls_with_energy(years: float, confidence: float) -> None:
    assert np.all(np.diff(event_fluence(np.geomspace(1.0, 1000.0, 25), years, confidence)) < 0)


@given(st.floats(0.3, 10.0), st.floats(0.2, 0.95))
def test_fluence_rises_with_time_and_confidence(years: float, confidence: float) -> None:
    here = event_fluence(ENERGY, years, confidence)
    assert np.all(event_fluence(ENERGY, years * 1.2, confidence) > here)
    assert np.all(event_fluence(ENERGY, years, confidence + 0.03) > here)


def test_no_active_year_no_protons() -> None:
    assert np.all(event_fluence(ENERGY, 0.0, 0.95) == 0.0)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.1])
def test_a_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(ValueProblem, match="probability"):
        event_fluence(ENERGY, 1.0, confidence)


def test_years_are_not_negative() -> None:
    with pytest.raises(ValueProblem, match="years"):
        event_fluence(ENERGY, -1.0, 0.9)


def test_against_great_events_since_1972() -> None:
    """Above 30 MeV August 1972, October 1989, July 2000 and October 2003 brought 3e9 to 8e9 per cm²
    each, as we recall.

    Four such in 50 years. The model's event of once in 50 years lies at 3e9, the low end: SAPPHIRE's data are
    cross-calibrated, and lie below what GOES reported.
    """
    once_in_50_years = solar_protons._above(30.0)[2, 0]
    assert 2e9 < once_in_50_years < 8e9


def test_against_esp_psychic_of_spenvis() -> None:
    """Two active years at 95 % in SPENVIS 4.6.13 (ESP-PSYCHIC, free space): above 10 and 30 MeV 6.9e10 and 1.6e10.

    The models differ by a factor 2.7 to 3.4 there, and more above; ESP must stay the higher.
    """
    ratio = np.array([6.9e10, 1.6e10]) / event_fluence([10.0, 30.0], 2.0, 0.95)
    assert np.all((ratio > 2.0) & (ratio < 4.0))


def test_against_the_attenuation_of_spenvis_in_a_polar_orbit() -> None:
    """Quiet magnetosphere, 825 km, 98.8°: share 0.214 below 140 MeV, 0.223 at 200, 0.239 at 300, 0.263 at 500 MeV."""
    share = access([50.0, 200.0, 300.0, 500.0], *dipole_orbit(825e3, 98.8)).mean(axis=0)
    np.testing.assert_allclose(share, [0.214, 0.223, 0.239, 0.263], rtol=0.12)


def test_none_arrives_at_30_degrees_inclination() -> None:
    assert np.all(access([30.0, 500.0, 1000.0], *dipole_orbit(500e3, 30.0)) == 0.0)


def test_what_arrives_keeps_the_spectrum_where_all_is_open() -> None:
    fluence = event_fluence(ENERGY, 1.0, 0.95)
    np.testing.assert_allclose(arriving(fluence, np.full(ENERGY.size, 0.68)), 0.68 * fluence)


def test_a_closed_low_energy_leaves_what_is_above() -> None:
    fluence = np.array([10.0, 6.0, 1.0])
    np.testing.assert_allclose(arriving(fluence, np.array([0.0, 0.0, 1.0])), [3.5, 3.5, 1.0])


def test_a_cycle_has_seven_active_years() -> None:
    assert active_years(2030.0, 11.0) == pytest.approx(7.0)


def test_a_year_in_the_minimum_has_none() -> None:
    assert active_years(2030.0, 1.0, maximum_year=2024.8) == 0.0


def test_a_year_in_the_maximum_is_active() -> None:
    assert active_years(2024.0, 1.0) == pytest.approx(1.0)
