"""Delays of light: great circles, fibre, and where space wins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.network.latency import MEAN_RADIUS, destination, fibre_delay, great_circle, wins_from

LONDON, NEW_YORK = np.radians([51.5085, -0.1257]), np.radians([40.717, -74.0037])


def test_london_to_new_york_is_5570_km() -> None:
    assert great_circle(*LONDON, *NEW_YORK) == pytest.approx(5570e3, abs=5e3)


def test_the_mean_radius_is_6371_km() -> None:
    assert pytest.approx(6371008.8, abs=0.1) == MEAN_RADIUS


def test_the_way_to_the_antipode_is_half_the_circumference() -> None:
    assert great_circle(0.3, 0.1, -0.3, 0.1 + np.pi) == pytest.approx(np.pi * MEAN_RADIUS)
    assert great_circle(0.3, 0.1, 0.3, 0.1) == 0.0


@given(st.floats(-1.5, 1.5), st.floats(-3.1, 3.1), st.floats(0.0, 6.28), st.floats(1e3, 19_000e3))
def test_one_comes_as_far_as_one_goes(
    latitude: float, longitude: float, azimuth: float, distance: float
) -> None:
    north, east = destination(latitude, longitude, azimuth, distance)
    assert great_circle(latitude, longitude, north, east) == pytest.approx(distance, abs=1.0)
    assert -np.pi <= east <= np.pi


def test_azimuths_are_counted_from_north_over_east() -> None:
    north, east = destination(0.0, 0.0, np.array([0.0, 0.5 * np.pi]), 1000e3)
    assert np.degrees(north) == pytest.approx([8.993, 0.0], abs=0.001)
    assert np.degrees(east) == pytest.approx([0.0, 8.993], abs=0.001)


def test_light_takes_4_9_ms_for_1000_km_of_fibre() -> None:
    assert fibre_delay(1000e3, 1.47) == pytest.approx(4.9034e-3, abs=1e-6)
    assert fibre_delay(1000e3, 1.47, 1.3) == pytest.approx(6.3744e-3, abs=1e-6)


@pytest.mark.parametrize(("index", "factor"), [(0.9, 1.0), (1.47, 0.5)])
def test_fibre_is_not_faster_than_light_nor_shorter_than_the_way(index: float, factor: float) -> None:
    with pytest.raises(ValueProblem, match="great circle"):
        fibre_delay(1.0, index, factor)


def test_space_wins_from_where_the_curves_cross_for_the_last_time() -> None:
    distance = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    fibre = distance.copy()
    assert wins_from(distance, np.array([2.0, 1.5, 3.5, 3.5, 3.5]), fibre) == pytest.approx(3.5)
    assert wins_from(distance, np.full(5, 0.5), fibre) == 1.0
    assert wins_from(distance, np.full(5, 9.0), fibre) is None
    assert wins_from(distance, np.full(5, np.nan), fibre) is None
    assert wins_from(distance, np.array([2.0, np.inf, 2.5, 2.5, 2.5]), fibre) == pytest.approx(
        1.0 + 2.0 * 1.0 / 1.5
    )
    # Where nothing is reached at the end, space does not win all the way out.
    assert wins_from(distance, np.array([0.5, 0.5, 0.5, 0.5, np.nan]), fibre) is None
