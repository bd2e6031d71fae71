"""Bits are a rate integrated over time."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.network.volumes import volume_bits


def test_a_constant_rate_carries_rate_times_time() -> None:
    assert float(volume_bits(120e9, np.arange(0.0, 109.0))) == pytest.approx(12.96e12)


def test_a_rate_that_rises_evenly_carries_half() -> None:
    seconds = np.linspace(0.0, 600.0, 13)
    assert float(volume_bits(1e9 * seconds / 600.0, seconds)) == pytest.approx(300e9)


def test_passes_of_one_length_are_integrated_at_once() -> None:
    assert volume_bits(np.ones((4, 5)), np.arange(5.0)).tolist() == [4.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("rate", "seconds"), [(1.0, 5.0), (1.0, [5.0]), (1.0, [0.0, 0.0]), ([1.0, -1.0], [0.0, 1.0])]
)
def test_times_ascend_and_rates_are_not_negative(rate: object, seconds: object) -> None:
    with pytest.raises(ValueProblem):
        volume_bits(rate, seconds)
