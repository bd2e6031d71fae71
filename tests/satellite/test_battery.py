"""Battery: flows over a step that never overfill, never break the reserve and lose nothing unaccounted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.satellite.battery import charging_power, discharging_power, energy_change

CAPACITY, RESERVE = 3.6e8, 0.7e8
IN, OUT = 0.96, 0.95


def test_a_full_battery_takes_no_charge() -> None:
    assert charging_power(5e4, CAPACITY, CAPACITY, 1e5, 1e-3) == 0.0


def test_charging_is_limited_by_surplus_rate_and_taper() -> None:
    assert charging_power(5e4, 0.5 * CAPACITY, CAPACITY, 1e5, 1e-3) == 5e4
    assert charging_power(5e5, 0.5 * CAPACITY, CAPACITY, 1e5, 1e-3) == 1e5
    assert charging_power(5e5, CAPACITY - 1e7, CAPACITY, 1e5, 1e-3) == pytest.approx(1e4)


def test_a_battery_at_its_reserve_gives_nothing() -> None:
    assert discharging_power(5e4, RESERVE, RESERVE, 1e5, OUT / 60.0) == 0.0


def test_discharging_is_limited_by_deficit_rate_and_what_is_left() -> None:
    assert discharging_power(5e4, CAPACITY, RESERVE, 1e5, OUT / 60.0) == 5e4
    assert discharging_power(5e5, CAPACITY, RESERVE, 1e5, OUT / 60.0) == 1e5
    assert discharging_power(5e5, RESERVE + 6e5, RESERVE, 1e5, OUT / 60.0) == pytest.approx(6e5 * OUT / 60.0)


def test_a_round_trip_returns_the_product_of_both_efficiencies() -> None:
    stored = energy_change(1e4, 0.0, IN, 1.0 / OUT, 60.0)
    returned = stored * OUT / 60.0
    assert energy_change(0.0, returned, IN, 1.0 / OUT, 60.0) == pytest.approx(-stored)
    assert returned / 1e4 == pytest.approx(IN * OUT)


@given(
    balance=st.lists(st.floats(-3e5, 3e5), min_size=1, max_size=80),
    start=st.floats(RESERVE, CAPACITY),
    step=st.floats(1.0, 1800.0),
    taper=st.floats(60.0, 3600.0),
)
def test_energy_in_is_used_plus_lost_plus_stored(
    balance: list[float], start: float, step: float, taper: float
) -> None:
    energy, taken, given_back, lost = start, 0.0, 0.0, 0.0
    taper_rate = 1.0 / (IN * max(taper, step))
    for power in balance:
        charge = charging_power(max(power, 0.0), energy, CAPACITY, 1.5e5, taper_rate)
        discharge = discharging_power(max(-power, 0.0), energy, RESERVE, 2e5, OUT / step)
        energy = energy + energy_change(charge, discharge, IN, 1.0 / OUT, step)
        assert RESERVE - 1e-6 <= energy <= CAPACITY + 1e-6
        taken += charge * step
        given_back += discharge * step
        lost += charge * step * (1.0 - IN) + discharge * step * (1.0 / OUT - 1.0)
    assert abs(taken - given_back - lost - (energy - start)) < 1e-9 * CAPACITY


def test_formulas_broadcast() -> None:
    energy = np.linspace(RESERVE, CAPACITY, 5)[:, None]
    assert charging_power(np.array([0.0, 1e4]), energy, CAPACITY, 1e5, 1e-3).shape == (5, 2)
