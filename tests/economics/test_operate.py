from __future__ import annotations

import numpy as np
import pytest

from skyhall.economics.operate import (
    OrbitReliability,
    mean_degradation,
    replenished_per_year,
)
from skyhall.errors import ValueProblem


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
