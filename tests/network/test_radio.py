"""The radio downlink, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.network.radio import RadioLink, free_space_loss_db, radio_rate

LINK = RadioLink(
    eirp_dbw=20.0,
    frequency=8.2e9,
    gain_over_temperature_db=30.0,
    energy_per_bit_db=4.0,
    bandwidth=375e6,
    spectral_efficiency=4.0,
    other_loss_db=1.0,
    margin_db=3.0,
    gas_zenith_db=0.05,
)
ZENITH = 0.5 * np.pi


def test_free_space_loss_is_friis() -> None:
    # 92.45 + 20 log10(GHz) + 20 log10(km), the usual form.
    expected = 92.45 + 20 * np.log10(8.2) + 20 * np.log10(1000.0)
    assert free_space_loss_db(1e6, 8.2e9) == pytest.approx(expected, abs=0.01)


def test_the_rate_is_the_budget_by_hand() -> None:
    # 20 - 170.726 - 0.05 - 1 + 30 + 228.599 = 106.823 dBHz; less 4 and 3 dB: 99.823 dB(bit/s).
    link = replace(LINK, bandwidth=1e12)
    assert 10 * np.log10(radio_rate(link, 1e6, ZENITH)) == pytest.approx(99.823, abs=0.003)


def test_twice_the_range_quarters_the_rate_until_the_bandwidth_caps_it() -> None:
    rate = radio_rate(LINK, np.array([1e5, 4e6, 8e6]), ZENITH)
    assert rate[0] == LINK.most == 1.5e9
    assert rate[1] / rate[2] == pytest.approx(4.0)


def test_rain_that_is_kept_in_hand_costs_its_db() -> None:
    wet = replace(LINK, rain_zenith_db=3.0)
    assert radio_rate(LINK, 6e6, ZENITH) / radio_rate(wet, 6e6, ZENITH) == pytest.approx(10**0.3)
    assert radio_rate(LINK, 6e6, np.radians(30)) / radio_rate(wet, 6e6, np.radians(30)) == pytest.approx(
        10**0.6
    )


def test_a_link_without_bandwidth_is_refused() -> None:
    with pytest.raises(ValueProblem, match="bandwidth"):
        replace(LINK, bandwidth=0.0)
