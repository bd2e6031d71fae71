"""Air density against the model that it was made from and against published tables; the solar cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.catalogue.maps import load_map
from skyhall.environment.air import (
    AirTable,
    SolarCycle,
    cycle_f107,
    cycle_shape,
    density,
    mean_density,
)
from skyhall.errors import ValueProblem

TABLE = AirTable(**load_map("air"))
CYCLE = SolarCycle(70.0, 185.0)
# Altitude m, F10.7 sfu, density kg/m³: NRLMSISE-00 by pymsis 0.13 between the table's points, with the table's Ap,
# averaged over 52 days, 24 longitudes and 16 latitudes where the table takes 12, 12 and 8.
MSIS = (
    (131.0e3, 70.0, 6.1935e-09),
    (233.0e3, 118.0, 9.4775e-11),
    (411.0e3, 150.0, 3.5754e-12),
    (551.0e3, 137.0, 3.1569e-13),
    (649.0e3, 95.0, 2.3369e-14),
    (777.0e3, 232.0, 1.0932e-13),
    (1234.0e3, 160.0, 1.7580e-15),
    (1875.0e3, 77.0, 1.1666e-16),
)


@pytest.mark.parametrize(("altitude", "f107", "expected"), MSIS)
def test_against_nrlmsise_between_the_points_of_the_table(
    altitude: float, f107: float, expected: float
) -> None:
    assert density(altitude, f107, TABLE) == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize(
    ("altitude", "low", "high"),
    # CIRA-72 of moderate activity in Vallado (4th ed.), table 8-4: 3.73e-12, 6.97e-13, 1.45e-13, 1.17e-14.
    [(400e3, 3.3e-12, 4.2e-12), (500e3, 6e-13, 8e-13), (600e3, 1.2e-13, 1.8e-13), (800e3, 1.0e-14, 1.8e-14)],
)
def test_against_the_mean_air_of_the_textbook(altitude: float, low: float, high: float) -> None:
    assert low < density(altitude, 140.0, TABLE) < high


@given(st.floats(100e3, 1990e3), st.floats(65.0, 245.0))
def test_air_gets_thinner_with_height_at_every_activity(altitude: float, f107: float) -> None:
    assert density(altitude + 10e3, f107, TABLE) < density(altitude, f107, TABLE)


@given(st.floats(150e3, 2000e3), st.floats(65.0, 245.0))
def test_air_gets_thicker_with_activity_at_every_height(altitude: float, f107: float) -> None:
    assert density(altitude, f107 + 5.0, TABLE) > density(altitude, f107, TABLE)


def test_at_a_point_of_the_table_it_is_the_tables() -> None:
    found = density(TABLE.altitude[:, None], TABLE.f107, TABLE)
    assert found == pytest.approx(TABLE.density, rel=1e-12)


def test_above_the_table_the_last_scale_height_goes_on() -> None:
    inside = density(2000e3, 120.0, TABLE) / density(1950e3, 120.0, TABLE)
    outside = density(2250e3, 120.0, TABLE) / density(2200e3, 120.0, TABLE)
    assert outside == pytest.approx(float(inside), rel=1e-9)


def test_geostationary_orbit_has_no_air() -> None:
    assert density(35_786e3, 250.0, TABLE) < 1e-30


def test_solar_activity_moves_the_air_at_500_km_by_a_factor_of_thirty() -> None:
    assert density(500e3, 245.0, TABLE) / density(500e3, 70.0, TABLE) == pytest.approx(31.0, abs=2.0)


def test_altitudes_and_activities_broadcast() -> None:
    assert density(np.full((3, 1), 500e3), np.array([70.0, 140.0]), TABLE).shape == (3, 2)
    assert mean_density(np.full((3, 2), 500e3), CYCLE, TABLE).shape == (3, 2)


@pytest.mark.parametrize("altitude", [99e3, -1.0, np.nan])
def test_below_the_table_there_is_no_answer(altitude: float) -> None:
    with pytest.raises(ValueProblem, match=r"no air density for an altitude.*\n.*begins at 100 km"):
        density(altitude, 140.0, TABLE)


@pytest.mark.parametrize("f107", [0.0, 64.9, 251.0, np.nan])
def test_an_activity_beyond_the_table_is_refused(f107: float) -> None:
    with pytest.raises(ValueProblem, match="give 65 to 250 sfu"):
        density(500e3, f107, TABLE)


def test_the_cycle_rises_in_four_and_a_half_years_and_falls_in_six_and_a_half() -> None:
    assert 4.0 < np.argmax(cycle_shape()) / 12.0 < 4.8
    assert cycle_shape().max() == 1.0
    assert cycle_shape()[[0, -1]].max() < 0.1


def test_against_measured_cycle_24_the_mean_f107_is_within_12_sfu() -> None:
    # Annual means of 2009 to 2019 from NOAA SWPC's observed solar cycle indices (2018 and 2019 rounded).
    measured = [70.5, 80.0, 113.4, 120.0, 122.7, 145.9, 117.7, 88.7, 77.3, 70.0, 69.7]
    assert SolarCycle(68.0, 146.0).months.mean() == pytest.approx(np.mean(measured), abs=12.0)


def test_a_cycle_is_half_way_at_half_activity() -> None:
    assert cycle_f107([0.0, 0.5, 1.0], CYCLE) == pytest.approx([70.0, 127.5, 185.0])


@pytest.mark.parametrize("activity", [-0.1, 1.1, np.nan])
def test_an_activity_outside_zero_to_one_is_refused(activity: float) -> None:
    with pytest.raises(ValueProblem, match="0 is the minimum of the cycle"):
        cycle_f107(activity, CYCLE)


@pytest.mark.parametrize(
    ("minimum", "maximum"), [(185.0, 70.0), (0.0, 100.0), (-5.0, 100.0), (np.nan, 100.0)]
)
def test_a_cycle_upside_down_is_refused(minimum: float, maximum: float) -> None:
    with pytest.raises(ValueProblem, match="a solar cycle from"):
        SolarCycle(minimum, maximum)


@pytest.mark.parametrize(("altitude", "excess"), [(400e3, 0.10), (500e3, 0.20), (600e3, 0.315)])
def test_the_mean_air_is_more_than_the_air_at_the_mean_activity(altitude: float, excess: float) -> None:
    at_mean = density(altitude, CYCLE.months.mean(), TABLE)
    assert mean_density(altitude, CYCLE, TABLE) / at_mean - 1.0 == pytest.approx(excess, abs=0.02)


def test_a_flat_cycle_is_a_number() -> None:
    assert density(550e3, SolarCycle(120.0, 120.0), TABLE) == pytest.approx(
        float(density(550e3, 120.0, TABLE))
    )
