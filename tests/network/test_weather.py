"""Clouds: their share, their persistence, what sites have in common, and closed forms of diversity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from skyhall.constants import DAY, HOUR
from skyhall.errors import ValueProblem
from skyhall.network.latency import MEAN_RADIUS
from skyhall.network.weather import (
    Weather,
    any_clear,
    any_clear_independent,
    both_clear,
    correlation_by_distance,
    draw_sky,
)

YEARS = 3000 * DAY


def drawn(weather: Weather, seed: int = 7, step: float = 600.0) -> np.ndarray:
    return draw_sky(weather, 0.0, YEARS, np.random.default_rng(seed)).clear(np.arange(0.0, YEARS, step))


def test_the_sky_is_clear_for_the_availability_of_the_time() -> None:
    clear = drawn(Weather(np.array([0.3, 0.7, 0.95]), 3 * HOUR, np.eye(3)))
    assert clear.mean(axis=1) == pytest.approx([0.3, 0.7, 0.95], abs=0.012)


def test_weather_is_forgotten_at_the_rate_of_its_persistence() -> None:
    (clear,) = drawn(Weather(np.array([0.6]), 2 * HOUR, np.eye(1)))
    apart = clear - clear.mean()
    for hours in (1, 2, 4):
        late = hours * 6
        correlation = np.mean(apart[late:] * apart[:-late]) / apart.var()
        assert correlation == pytest.approx(np.exp(-hours / 2), abs=0.015)


def test_spells_last_as_a_two_state_markov_process_has_them() -> None:
    (clear,) = drawn(Weather(np.array([0.7]), 2 * HOUR, np.eye(1)), step=60.0)
    changes = np.flatnonzero(np.diff(clear.astype(np.int8)))
    spells = np.diff(changes) * 60.0
    first_is_clear = bool(clear[changes[0] + 1])
    clear_spells, cloudy_spells = spells[int(not first_is_clear) :: 2], spells[int(first_is_clear) :: 2]
    assert clear_spells.mean() == pytest.approx(2 * HOUR / 0.3, rel=0.03)
    assert cloudy_spells.mean() == pytest.approx(2 * HOUR / 0.7, rel=0.03)


def test_neighbours_are_clear_together_as_often_as_their_gaussian_says() -> None:
    weather = Weather(np.array([0.7, 0.6]), 2 * HOUR, np.array([[1.0, 0.6], [0.6, 1.0]]))
    clear = drawn(weather)
    assert np.mean(clear[0] & clear[1]) == pytest.approx(both_clear(0.7, 0.6, 0.6), abs=0.012)
    assert clear.mean(axis=1) == pytest.approx([0.7, 0.6], abs=0.012)
    assert clear.any(axis=0).mean() == pytest.approx(any_clear(weather), abs=0.012)


def test_sites_have_their_weather_in_common_from_the_first_moment_on() -> None:
    weather = Weather(np.array([0.5, 0.5]), DAY, np.array([[1.0, 0.8], [0.8, 1.0]]))
    rng = np.random.default_rng(2)
    first = np.array([draw_sky(weather, 0.0, 1.0, rng).clear([0.0])[:, 0] for _ in range(4000)])
    assert first.all(axis=1).mean() == pytest.approx(both_clear(0.5, 0.5, 0.8), abs=0.02)


def test_two_even_sites_agree_with_the_arcsine_law() -> None:
    assert both_clear(0.5, 0.5, 0.6) == pytest.approx(0.25 + np.arcsin(0.6) / (2 * np.pi), abs=1e-6)


def test_independent_sites_fail_together_by_the_product() -> None:
    share = np.array([0.7, 0.6, 0.8])
    assert any_clear_independent(share) == pytest.approx(1 - 0.3 * 0.4 * 0.2)
    assert any_clear(Weather(share, HOUR, np.eye(3))) == pytest.approx(any_clear_independent(share), abs=1e-5)


def test_equally_correlated_sites_agree_with_one_integral() -> None:
    # Given the common part each is independent: 1 - E[(1 - Phi((z - sqrt(rho) x)/sqrt(1 - rho)))^n].
    rho, share, count = 0.4, 0.65, 5
    matrix = np.full((count, count), rho) + (1 - rho) * np.eye(count)
    level = ndtri(share)

    def cloudy(common: float) -> float:
        one = 1 - ndtr((level - np.sqrt(rho) * common) / np.sqrt(1 - rho))
        return float(one**count * np.exp(-0.5 * common * common) / np.sqrt(2 * np.pi))

    expected = 1 - quad(cloudy, -9, 9)[0]
    assert any_clear(Weather(np.full(count, share), HOUR, matrix)) == pytest.approx(expected, abs=1e-4)


def test_correlation_takes_diversity_away() -> None:
    share = np.array([0.7, 0.7, 0.7])
    matrix = np.full((3, 3), 0.8) + 0.2 * np.eye(3)
    assert 0.7 < any_clear(Weather(share, HOUR, matrix)) < any_clear_independent(share) - 0.05


def test_sites_that_are_always_or_never_clear() -> None:
    assert any_clear(Weather(np.array([1.0, 0.2]), HOUR, np.eye(2))) == 1.0
    assert any_clear(Weather(np.array([0.0, 0.0]), HOUR, np.eye(2))) == 0.0
    assert any_clear(Weather(np.array([0.0, 0.2]), HOUR, np.eye(2))) == pytest.approx(0.2)
    assert drawn(Weather(np.array([1.0, 0.0]), HOUR, np.eye(2))).mean(axis=1).tolist() == [1.0, 0.0]


def test_correlation_falls_to_1_over_e_in_its_length() -> None:
    apart = 500e3 / MEAN_RADIUS
    matrix = correlation_by_distance([0.0, 0.0, 0.0], [0.0, apart, np.pi], 500e3)
    assert matrix[0, 1] == pytest.approx(np.exp(-1.0), rel=1e-9)
    assert matrix[0, 2] < 1e-10
    assert np.diag(matrix).tolist() == [1.0, 1.0, 1.0]


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_draw_is_repeated_by_its_seed(count: int, seed: int) -> None:
    weather = Weather(np.full(count, 0.6), 3 * HOUR, np.eye(count))
    seconds = np.linspace(0.0, DAY, 50)
    one, other = (draw_sky(weather, 0.0, DAY, np.random.default_rng(seed)).clear(seconds) for _ in range(2))
    assert one.shape == (count, 50)
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("availability", "persistence", "matrix", "what"),
    [
        (1.2, HOUR, np.eye(1), "availability"),
        (0.5, 0.0, np.eye(1), "persistence"),
        (0.5, 1e-6, np.eye(1), "persistence"),
        (0.5, HOUR, np.eye(2), "correlation"),
        (np.array([0.5, 0.5]), HOUR, np.ones((2, 2)), "correlation"),
    ],
)
def test_impossible_weather_is_refused(
    availability: float, persistence: float, matrix: np.ndarray, what: str
) -> None:
    with pytest.raises(ValueProblem, match=what):
        Weather(availability, persistence, matrix)  # type: ignore[arg-type]
