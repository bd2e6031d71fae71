"""Ageing of batteries: Wöhler, Miner, square root of time, and the inverse that sizing uses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.satellite.battery_life import (
    allowed_depth_of_discharge,
    calendar_fade,
    capacity_at_end_of_life,
    cycle_fade,
    cycles_to_fade,
)

# Saft VES16: more than 60,000 cycles at 20 to 40 % with less than 20 % loss; the exponent is only an example.
CURVE = {"cycles_at_reference": 60_000.0, "reference_depth": 0.3, "exponent": 1.5}
FADE = 0.20
POSITIVE = st.floats(0.01, 1.0)


def test_reference_cycles_cost_the_reference_fade() -> None:
    assert cycle_fade(60_000, 0.3, **CURVE, fade_at_reference=FADE) == pytest.approx(FADE)


def test_ordinary_low_orbit_for_five_years_stays_within_the_ves16_promise() -> None:
    # About 5,500 nights a year at 30 %: 27,500 of 60,000 cycles.
    assert cycle_fade(27_500, 0.3, **CURVE, fade_at_reference=FADE) == pytest.approx(0.0917, abs=1e-4)


@given(POSITIVE)
def test_cycles_to_fade_cost_the_reference_fade_at_every_depth(depth: float) -> None:
    cycles = cycles_to_fade(depth, **CURVE)
    assert cycle_fade(cycles, depth, **CURVE, fade_at_reference=FADE) == pytest.approx(FADE)


def test_doubling_the_depth_divides_the_cycles_by_two_to_the_exponent() -> None:
    shallow, deep = cycles_to_fade(np.array([0.2, 0.4]), **CURVE)
    assert shallow / deep == pytest.approx(2.0**1.5)


def test_cycles_of_unequal_depth_add_up() -> None:
    depths = np.array([0.1, 0.2, 0.2, 0.3])
    apart = cycle_fade(100.0, depths, **CURVE, fade_at_reference=FADE).sum()
    together = cycle_fade(
        np.array([100.0, 200.0, 100.0]), np.array([0.1, 0.2, 0.3]), **CURVE, fade_at_reference=FADE
    ).sum()
    assert apart == pytest.approx(together)


@given(st.floats(100.0, 1e6), st.floats(0.001, 0.5))
def test_allowed_depth_costs_the_allowed_fade_or_is_the_ceiling(cycles: float, allowed: float) -> None:
    depth = allowed_depth_of_discharge(cycles, allowed, **CURVE, fade_at_reference=FADE, ceiling=0.8)
    lost = cycle_fade(cycles, depth, **CURVE, fade_at_reference=FADE)
    assert lost == pytest.approx(allowed) or (depth == 0.8 and lost < allowed)


def test_a_battery_that_never_cycles_may_be_emptied_to_the_ceiling() -> None:
    depth = allowed_depth_of_discharge([0.0, 0.0], [0.1, 0.0], **CURVE, fade_at_reference=FADE, ceiling=0.8)
    np.testing.assert_array_equal(depth, [0.8, 0.8])


def test_age_that_costs_more_than_may_be_lost_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="calendar ageing alone"):
        allowed_depth_of_discharge(1000.0, -0.01, **CURVE, fade_at_reference=FADE)


def test_calendar_fade_grows_with_the_square_root_of_time() -> None:
    year, four = calendar_fade(np.array([1.0, 4.0]), 293.15, 1.0, 293.15, 0.01, 50e3)
    assert (year, four) == pytest.approx((0.01, 0.02))


def test_ten_kelvin_warmer_ages_about_twice_as_fast_at_50_kj_per_mol() -> None:
    cold, warm = calendar_fade(1.0, np.array([293.15, 303.15]), 1.0, 293.15, 0.01, 50e3)
    assert warm / cold == pytest.approx(1.97, abs=0.01)


def test_fades_add_up_and_nothing_is_left_below_zero() -> None:
    np.testing.assert_allclose(capacity_at_end_of_life([0.1, 0.9], [0.05, 0.3]), [0.85, 0.0])
