"""Mass budget: its lines, its linear closure, and the propellant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.satellite import masses

YEAR = 365.25 * 86400.0


@given(
    parts=st.floats(1.0, 1e6),
    share=st.floats(0.0, 0.6),
    margin=st.floats(0.0, 0.5),
    tank=st.floats(0.0, 0.5),
    drag=st.floats(0.0, 1e4),
    ratio=st.floats(0.0, 0.5),
)
def test_the_closed_budget_carries_its_own_structure_margin_and_tanks(
    parts: float, share: float, margin: float, tank: float, drag: float, ratio: float
) -> None:
    closed = masses.close_mass(parts, share, margin, tank, drag, ratio)
    basic = parts + tank * closed.propellant + share * closed.dry / (1.0 + margin)
    assert closed.dry == pytest.approx(basic * (1.0 + margin), rel=1e-9)
    assert closed.propellant == pytest.approx(drag + ratio * closed.dry, rel=1e-9)


def test_growth_is_what_a_kilogram_more_costs_at_launch() -> None:
    one, two = (masses.close_mass(parts, 0.2, 0.1, 0.15, 30.0, 0.05) for parts in (1000.0, 1001.0))
    assert two.dry + two.propellant - one.dry - one.propellant == pytest.approx(one.growth)


def test_a_structure_that_weighs_more_than_it_carries_does_not_close() -> None:
    assert np.isnan(masses.close_mass(1000.0, 1.1, 0.1, 0.1, 0.0, 0.1).dry)


def test_tanks_that_outgrow_the_propellant_do_not_close() -> None:
    assert np.isnan(masses.close_mass(1000.0, 0.2, 0.1, 0.5, 0.0, 5.0).dry)


def test_lowering_a_low_orbit_costs_the_difference_of_circular_speeds() -> None:
    # 7,532 m/s at 650 km, 7,726 m/s at 300 km
    assert masses.disposal_delta_v(650e3, 300e3) == pytest.approx(193.0, abs=2.0)


def test_an_orbit_below_the_disposal_altitude_needs_no_manoeuvre() -> None:
    assert masses.disposal_delta_v(250e3, 300e3) == 0.0


def test_a_geostationary_satellite_climbs_into_the_graveyard_for_11_metres_per_second() -> None:
    assert masses.disposal_delta_v(35_786e3, 300e3) == pytest.approx(10.8, abs=0.2)


def test_drag_on_a_square_metre_at_the_stations_height_is_a_quarter_of_a_millinewton() -> None:
    # 0.5 × 3.3e-12 kg/m³ × (7.67 km/s)² × 2.2 × 1 m²
    assert masses.drag(3.3e-12, 400e3, 2.2, 1.0) == pytest.approx(2.13e-4, rel=0.01)


def test_two_millimetres_of_aluminium_around_a_cubic_metre_weigh_32_kilograms() -> None:
    assert masses.shielding_mass(600.0, 600.0, 5.4) == pytest.approx(32.4)
