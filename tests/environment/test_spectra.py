from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.environment.spectra import BEYOND_LAST, differential, finely, interpolated
from skyhall.errors import ValueProblem

ENERGY = np.geomspace(1.0, 400.0, 25)


def power_law(index: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(1e4 * ENERGY**-index)


@pytest.mark.parametrize("index", [0.5, 2.0, 6.0])
def test_the_differential_of_a_power_law_is_exact(index: float) -> None:
    expected = index * power_law(index) / ENERGY
    assert differential(ENERGY, power_law(index)) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(1e-3, 1e6), min_size=25, max_size=25))
def test_a_falling_integral_has_no_negative_differential(steps: list[float]) -> None:
    falling = np.cumsum(np.array(steps)[::-1])[::-1]
    assert np.all(differential(ENERGY, falling) >= 0.0)


def test_zeros_stay_zeros() -> None:
    ended = np.where(ENERGY < 50.0, power_law(2.0), 0.0)
    found = differential(ENERGY, ended)
    assert np.all(found[ENERGY > 50.0] == 0.0)
    assert np.all(found[ENERGY < 40.0] > 0.0)
    assert np.all(differential(ENERGY, np.zeros(25)) == 0.0)


def test_a_spectrum_that_rises_by_rounding_has_nothing_there() -> None:
    flat = np.full(25, 3.0)
    flat[10] += 1e-12
    assert np.all(differential(ENERGY, flat) >= 0.0)


def test_leading_axes_are_kept() -> None:
    assert differential(ENERGY, np.ones((3, 4, 1)) * power_law(2.0)).shape == (3, 4, 25)


@given(index=st.floats(0.2, 8.0))
def test_no_particle_is_lost_between_the_fine_bins(index: float) -> None:
    edges, counts = finely(ENERGY, power_law(index))
    beyond = power_law(index)[-1] * BEYOND_LAST**-index
    assert counts.sum() == pytest.approx(power_law(index)[0] - beyond, rel=1e-9)
    assert edges[0] == pytest.approx(ENERGY[0])


def test_between_given_energies_the_bins_hold_what_was_given() -> None:
    edges, counts = finely(ENERGY, power_law(3.0))
    inside = (edges[:-1] >= ENERGY[5] * 0.999999) & (edges[1:] <= ENERGY[6] * 1.000001)
    assert counts[inside].sum() == pytest.approx(power_law(3.0)[5] - power_law(3.0)[6], rel=1e-9)


def test_an_ended_spectrum_ends_at_its_last_energy() -> None:
    ended = np.where(ENERGY < 50.0, power_law(2.0), 0.0)
    edges, counts = finely(ENERGY, ended)
    assert counts[edges[:-1] > 60.0].sum() < 1e-9 * counts.sum()
    assert counts.sum() == pytest.approx(ended[0], rel=1e-9)


def test_interpolation_carries_a_power_law_beyond_the_last_energy() -> None:
    spectrum = ENERGY**-2.5
    at = np.array([1.5, 77.0, 900.0])
    assert interpolated(ENERGY, spectrum, at) == pytest.approx(at**-2.5, rel=1e-9)


def test_below_the_first_energy_there_is_nothing() -> None:
    assert interpolated(ENERGY, ENERGY**-2.0, np.array([0.5]))[0] == 0.0


def test_a_cutoff_stays_where_it_is() -> None:
    # Cosmic rays above a cutoff: zero, then a spectrum.
    above = np.where(ENERGY > 30.0, ENERGY**-2.0, 0.0)
    found = interpolated(ENERGY, above, np.array([5.0, 100.0]))
    assert found[0] == 0.0
    assert found[1] == pytest.approx(1e-4, rel=1e-9)


def test_a_spectrum_that_rises_at_its_end_is_not_carried_on_rising() -> None:
    assert interpolated(ENERGY, ENERGY, np.array([4000.0]))[0] == pytest.approx(ENERGY[-1])


@pytest.mark.parametrize(
    ("energy", "flux", "words"),
    [
        ([1.0, 1.0], [2.0, 1.0], "must rise"),
        ([1.0], [2.0], "must rise"),
        ([0.0, 1.0], [2.0, 1.0], "must rise"),
        ([1.0, 2.0], [3.0, 2.0, 1.0], "energies"),
        ([1.0, 2.0], [np.nan, 1.0], "not numbers"),
    ],
)
def test_what_is_no_spectrum_is_refused(energy: list[float], flux: list[float], words: str) -> None:
    with pytest.raises(ValueProblem, match=words):
        differential(energy, flux)
