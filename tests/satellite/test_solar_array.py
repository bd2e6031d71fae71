"""Solar array: power, equilibrium and the step of its temperature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.satellite.solar_array import (
    array_absorbed,
    array_emitted,
    array_power,
    array_temperature_change,
    cell_efficiency,
)

EMISSIVITIES = 1.7
HEAT_CAPACITY = 2600.0
SLOPE = 4.0 * EMISSIVITIES * STEFAN_BOLTZMANN * 390.0**3


def test_cells_lose_a_tenth_of_their_power_45_kelvin_above_the_reference() -> None:
    assert cell_efficiency(0.30, -2.2e-3, 301.15 + 45.45, 301.15) == pytest.approx(0.27, abs=1e-4)


def test_a_square_metre_of_thirty_per_cent_cells_gives_408_watts_above_the_air() -> None:
    assert array_power(1361.0, 1.0, 0.30) == pytest.approx(408.3)


def test_an_idle_array_in_sunlight_settles_near_60_celsius() -> None:
    # 0.91 × 1361 = 1.7 sigma T⁴
    temperature = _settled(array_absorbed(1361.0, 0.0, 0.91, 0.0, 0.0), 200.0, step=60.0)
    assert temperature - 273.15 == pytest.approx(63.5, abs=0.1)


def test_power_drawn_cools_the_array() -> None:
    loaded = _settled(array_absorbed(1361.0, 350.0, 0.91, 0.0, 0.0), 200.0, step=60.0)
    assert loaded == pytest.approx(
        (0.91 * 1361.0 - 350.0) ** 0.25 / (1.7 * STEFAN_BOLTZMANN) ** 0.25, abs=1e-6
    )


@given(start=st.floats(100.0, 390.0), step=st.floats(1.0, 3600.0), sun=st.floats(0.0, 1400.0))
def test_no_step_overshoots_the_equilibrium(start: float, step: float, sun: float) -> None:
    absorbed = 0.91 * sun + 50.0
    goal = (absorbed / (EMISSIVITIES * STEFAN_BOLTZMANN)) ** 0.25
    after = start + _change(absorbed, start, step)
    assert min(start, goal) - 1e-9 <= after <= max(start, goal) + 1e-9


@given(
    sunlight=st.lists(st.floats(0.0, 1400.0), min_size=1, max_size=60),
    start=st.floats(150.0, 390.0),
    step=st.floats(5.0, 600.0),
)
def test_heat_in_is_heat_out_plus_heat_stored(sunlight: list[float], start: float, step: float) -> None:
    temperature, taken, given_off = start, 0.0, 0.0
    for sun in sunlight:
        absorbed = array_absorbed(sun, 0.2 * sun, 0.9, 0.1 * sun, 60.0)
        change = _change(absorbed, temperature, step)
        taken += absorbed * step
        # The implicit step radiates at its end: the flux at its start plus slope times change.
        given_off += (array_emitted(EMISSIVITIES, temperature) + SLOPE * change) * step
        temperature += change
    stored = HEAT_CAPACITY * (temperature - start)
    scale = taken + abs(given_off) + HEAT_CAPACITY * start
    assert abs(taken - given_off - stored) < 1e-9 * scale


def test_formulas_broadcast() -> None:
    sun = np.array([0.0, 1361.0])[:, None]
    warm = np.array([250.0, 300.0, 350.0])
    assert array_power(sun, 2.0, cell_efficiency(0.3, -2e-3, warm, 300.0)).shape == (2, 3)


def _change(absorbed: float, temperature: float, step: float) -> float:
    emitted = array_emitted(EMISSIVITIES, temperature)
    return float(array_temperature_change(absorbed, emitted, step / (HEAT_CAPACITY + step * SLOPE)))


def _settled(absorbed: float, temperature: float, step: float) -> float:
    for _ in range(2000):
        temperature += _change(absorbed, temperature, step)
    return temperature
