from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from skyhall.constants import ASTRONOMICAL_UNIT, EARTH_FLATTENING, EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit import (
    MeanElements,
    circular_position,
    eclipse_fraction_of_orbit,
    kepler_period,
    mean_motion,
    shadow_times,
)

ALTITUDE = 550e3
PERIOD = float(kepler_period(ALTITUDE))
MOTION = float(mean_motion(EARTH_RADIUS + ALTITUDE))


def circle(beta: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return a two-body circular orbit whose plane lies `beta` from the x axis, at midnight after half a turn."""

    def where(seconds: np.ndarray) -> np.ndarray:
        angle = MOTION * seconds
        points = np.stack(
            [np.cos(angle) * np.cos(beta), np.sin(angle), -np.cos(angle) * np.sin(beta)], axis=-1
        )
        return (EARTH_RADIUS + ALTITUDE) * points

    return where


def far_sun(seconds: np.ndarray) -> np.ndarray:
    return np.broadcast_to([1e6 * ASTRONOMICAL_UNIT, 0.0, 0.0], (*seconds.shape, 3))


def near_sun(seconds: np.ndarray) -> np.ndarray:
    return np.broadcast_to([ASTRONOMICAL_UNIT, 0.0, 0.0], (*seconds.shape, 3))


@pytest.mark.parametrize("beta_deg", [0.0, 30.0, 60.0, 66.0])
def test_eclipses_last_as_long_as_the_closed_form_says(beta_deg: float) -> None:
    beta = np.radians(beta_deg)
    times = shadow_times(circle(beta), far_sun, 0.0, 3 * PERIOD)
    expected = eclipse_fraction_of_orbit(ALTITUDE, beta) * PERIOD
    assert times.exit - times.entry == pytest.approx([float(expected)] * 3, abs=0.001)
    assert 0.5 * (times.exit + times.entry) == pytest.approx(PERIOD * np.array([0.5, 1.5, 2.5]), abs=0.001)


def test_a_grazing_eclipse_of_10_seconds_is_not_missed() -> None:
    horizon = np.arcsin(EARTH_RADIUS / (EARTH_RADIUS + ALTITUDE))
    beta = horizon - 0.5 * (MOTION * 5.0) ** 2 / np.tan(horizon)
    times = shadow_times(circle(beta), far_sun, 0.0, 5 * PERIOD)
    assert times.exit - times.entry == pytest.approx([10.0] * 5, abs=0.1)


def test_no_eclipse_above_the_horizon() -> None:
    times = shadow_times(circle(np.radians(68.0)), far_sun, 0.0, 3 * PERIOD)
    assert (times.entry.size, times.exit.size) == (0, 0)


def test_umbra_lies_within_centre_and_centre_within_penumbra() -> None:
    kinds: tuple[Literal["penumbra", "centre", "umbra"], ...] = ("penumbra", "centre", "umbra")
    found = [shadow_times(circle(0.3), near_sun, 0.0, PERIOD, kind=kind) for kind in kinds]
    entries, exits = [each.entry[0] for each in found], [each.exit[0] for each in found]
    # The Sun's half degree takes 8 s at this altitude when it sets straight; it sets aslant here.
    assert np.diff(entries) == pytest.approx([4.6, 4.6], abs=0.5)
    assert -np.diff(exits) == pytest.approx([4.6, 4.6], abs=0.5)


def test_an_eclipse_at_either_end_of_the_interval_is_cut_there() -> None:
    times = shadow_times(circle(0.0), far_sun, 0.5 * PERIOD, 1.5 * PERIOD)
    assert times.entry[0] == 0.5 * PERIOD
    assert times.exit[-1] == 1.5 * PERIOD
    assert len(times.entry) == len(times.exit) == 2


@pytest.mark.parametrize(("axes", "height"), [([0, 1, 2], 1.0), ([0, 2, 1], 1.0 - EARTH_FLATTENING)])
def test_an_oblate_earth_is_lower_over_the_poles_only(axes: list[int], height: float) -> None:
    times = shadow_times(lambda seconds: circle(0.0)(seconds)[:, axes], far_sun, 0.0, PERIOD, oblate=True)
    half_width = np.arcsin(height * EARTH_RADIUS / (EARTH_RADIUS + ALTITUDE))
    assert times.exit - times.entry == pytest.approx([2 * half_width / MOTION], abs=0.001)


def test_a_fleet_orbit_is_as_good_as_a_closed_form() -> None:
    elements = MeanElements(np.asarray(EARTH_RADIUS + ALTITUDE), 0.0, 0.9, 0.1, 0.0, 0.0)
    times = shadow_times(lambda seconds: circular_position(elements, seconds), near_sun, 0.0, 86400.0)
    assert len(times.entry) == 15
    assert np.all(times.exit > times.entry)


def test_an_empty_interval_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="stop after start"):
        shadow_times(circle(0.0), far_sun, 10.0, 10.0)
