from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.economics.operate import (
    OrbitReliability,
    mean_degradation,
    replenished_per_year,
    surviving_share,
)
from skyhall.errors import ValueProblem

hazard = st.floats(0, 0.5)


@given(a=hazard, b=hazard, spares=st.floats(0, 1), life=st.floats(0.5, 20))
def test_survival_is_the_mean_of_capacity_over_time(a: float, b: float, spares: float, life: float) -> None:
    t = (np.arange(20_000) + 0.5) / 20_000 * life
    capacity = np.minimum(1.0, (1 + spares) * np.exp(-a * t)) * np.exp(-b * t)
    assert float(surviving_share(a, b, spares, life)) == pytest.approx(float(capacity.mean()), rel=1e-5)


def test_nine_percent_a_year_without_spares_leaves_four_fifths_over_five_years() -> None:
    assert float(surviving_share(0.09, 0.0, 0.0, 5.0)) == pytest.approx((1 - math.exp(-0.45)) / 0.45)


def test_enough_spares_keep_the_capacity_whole() -> None:
    assert float(surviving_share(0.03, 0.0, 0.20, 5.0)) == pytest.approx(1.0)


def test_nothing_fails_where_hazards_are_zero() -> None:
    assert float(surviving_share(0.0, 0.0, 0.0, 5.0)) == 1.0


def test_replenishment_starts_where_spares_end() -> None:
    np.testing.assert_allclose(
        replenished_per_year(np.array([0.03, 0.09]), 0.02, 0.2, 5.0), [0.02, 0.0735], atol=1e-4
    )


def test_two_and_a_half_percent_a_year_is_95_percent_over_five_years() -> None:
    assert float(mean_degradation(0.025, 5.0)) == pytest.approx(0.95123, abs=1e-5)


def test_three_copies_leave_a_third_of_the_work() -> None:
    assert OrbitReliability(0.0, 0.0, protection_overhead=2.0).verified_share == pytest.approx(1 / 3)


def test_a_negative_hazard_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="accelerator_failures"):
        OrbitReliability(-0.1, 0.0)
