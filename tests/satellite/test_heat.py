"""Heat: the ladder from chip to space, stepped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.satellite.heat import (
    coolant_change,
    environment_flux,
    junction_temperature,
    power_at_junction_limit,
    radiated,
    radiator_change,
)

COOLANT, RADIATOR, CONDUCTANCE, EMITTING = 2.5e5, 7e5, 2e4, 300.0 * 0.9 * 0.88
SLOPE = 4.0 * EMITTING * STEFAN_BOLTZMANN * 350.0**3


@given(limit=st.floats(340.0, 380.0), coolant=st.floats(240.0, 390.0), resistance=st.floats(1e-6, 1e-1))
def test_the_power_at_the_limit_brings_the_junction_to_the_limit(
    limit: float, coolant: float, resistance: float
) -> None:
    power = power_at_junction_limit(limit, coolant, 1.0 / resistance)
    assert junction_temperature(coolant, power, resistance) == pytest.approx(limit, abs=1e-9)


def test_a_coolant_above_the_limit_allows_no_power() -> None:
    assert power_at_junction_limit(368.0, 370.0, 100.0) < 0.0


def test_sunlight_falls_on_one_of_two_faces() -> None:
    assert environment_flux(1361.0, 1.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0) == pytest.approx(68.05)


def test_albedo_and_infrared_reach_both_faces() -> None:
    flux = environment_flux(0.0, 0.0, 0.1, 408.3, 0.26, 55.0, 0.0, 0.0)
    assert flux == pytest.approx(0.1 * 408.3 * 0.26 + 55.0)


def test_a_black_square_metre_at_300_kelvin_radiates_459_watts() -> None:
    assert radiated(1.0, 300.0) == pytest.approx(459.3, abs=0.1)


def test_the_loop_settles_where_the_radiator_gives_off_what_the_chips_make() -> None:
    coolant, radiator = _fly([1.2e5] * 400, 290.0, 280.0, step=60.0)[:2]
    assert radiated(EMITTING, radiator) == pytest.approx(1.2e5, rel=1e-9)
    assert coolant - radiator == pytest.approx(1.2e5 / CONDUCTANCE, abs=1e-6)


@given(
    heats=st.lists(st.floats(0.0, 2e5), min_size=1, max_size=60),
    coolant=st.floats(240.0, 345.0),
    radiator=st.floats(240.0, 345.0),
    step=st.floats(1.0, 600.0),
)
def test_heat_in_is_heat_out_plus_heat_stored(
    heats: list[float], coolant: float, radiator: float, step: float
) -> None:
    warm, cool, given_off = _fly(heats, coolant, radiator, step)
    stored = COOLANT * (warm - coolant) + RADIATOR * (cool - radiator)
    scale = (COOLANT + RADIATOR) * 345.0 + abs(given_off)
    assert abs(sum(heats) * step - given_off - stored) < 1e-9 * scale


def _fly(heats: list[float], coolant: float, radiator: float, step: float) -> tuple[float, float, float]:
    """Return both temperatures at the end and the heat radiated in between, J."""
    system = np.array(
        [
            [COOLANT + step * CONDUCTANCE, -step * CONDUCTANCE],
            [-step * CONDUCTANCE, RADIATOR + step * (CONDUCTANCE + SLOPE)],
        ]
    )
    gains = step * np.linalg.inv(system)
    given_off = 0.0
    for heat in heats:
        across = CONDUCTANCE * (coolant - radiator)
        out = radiated(EMITTING, radiator)
        warmer = coolant_change(heat - across, across - out, gains[0, 0], gains[0, 1])
        cooler = radiator_change(heat - across, across - out, gains[0, 1], gains[1, 1])
        given_off += (out + SLOPE * cooler) * step  # the implicit step radiates at its end
        coolant, radiator = coolant + warmer, radiator + cooler
    return float(coolant), float(radiator), float(given_off)
