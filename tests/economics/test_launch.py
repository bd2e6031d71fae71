from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.economics.launch import (
    Vehicle,
    extra_delta_v,
    launch_cost,
    lost_per_placed,
    manifest,
    payload_to_orbit,
    wright_average_price,
    wright_price,
)
from skyhall.errors import ValueProblem

delta_v = partial(extra_delta_v, reference_altitude_km=200.0, site_latitude_deg=28.5)
ROCKET = Vehicle("rocket", price_usd_per_kg=200, payload_kg=100e3, fairing_volume_m3=1000)


def test_a_doubling_of_production_multiplies_the_price_by_the_progress_ratio() -> None:
    assert float(wright_price(800.0, 1800.0, 400.0, 0.8)) == pytest.approx(0.8 * 1800.0)


@given(ratio=st.floats(0.55, 1.0), experience=st.floats(0, 1e4), added=st.floats(1, 1e4))
def test_mean_price_is_the_mean_of_the_curve(ratio: float, experience: float, added: float) -> None:
    u = (np.arange(20_000) + 0.5) / 20_000
    # squeezed towards the start, where the curve is steep: production = experience + added u^8
    points, weights = experience + added * u**8, 8 * u**7
    expected = float(np.mean(wright_price(points, 800.0, 5000.0, ratio) * weights))
    assert float(wright_average_price(experience, added, 800.0, 5000.0, ratio)) == pytest.approx(
        expected, rel=1e-4
    )


def test_without_learning_the_price_stays() -> None:
    assert float(wright_average_price(0.0, 7.0, 800.0, 5000.0, 1.0)) == pytest.approx(800.0)


@pytest.mark.parametrize("ratio", [0.0, 1.2])
def test_a_progress_ratio_outside_0_to_1_is_an_error(ratio: float) -> None:
    with pytest.raises(ValueProblem, match="progress ratio"):
        wright_price(1.0, 1.0, 1.0, ratio)


def test_flights_are_whole() -> None:
    loading = manifest(81, 2600, ROCKET)
    assert (loading.satellites_per_flight, loading.flights) == (38, 3)


def test_a_payload_that_divides_evenly_loses_no_satellite_to_rounding() -> None:
    assert manifest(1, 0.1, Vehicle("small", 1, 0.3)).satellites_per_flight == 3


@pytest.mark.parametrize(
    ("volume", "most", "limit"), [(0.0, None, "mass"), (100.0, None, "volume"), (100.0, 5, "count")]
)
def test_what_limits_a_flight_is_named(volume: float, most: int | None, limit: str) -> None:
    vehicle = Vehicle("rocket", 200, 100e3, fairing_volume_m3=1000, satellites_max=most)
    assert manifest(100, 2000, vehicle, stowed_volume_m3=volume).limited_by == limit


def test_a_part_filled_flight_costs_a_whole_one() -> None:
    cost, _ = launch_cost(manifest(1, 60, ROCKET), ROCKET)
    assert cost == pytest.approx(20e6)


def test_a_shared_flight_costs_its_kilograms() -> None:
    shared = Vehicle("rideshare", 7000, 10e3, shared=True)
    cost, kilograms = launch_cost(manifest(2, 60, shared), shared)
    assert cost == pytest.approx(840e3)
    assert kilograms == pytest.approx(120)


def test_a_higher_orbit_costs_more_flights_at_the_same_price_a_flight() -> None:
    low, high = manifest(100, 2000, ROCKET), manifest(100, 2000, ROCKET, payload_kg=50e3)
    assert launch_cost(high, ROCKET)[0] == pytest.approx(2 * launch_cost(low, ROCKET)[0])


@pytest.mark.parametrize(("mass", "volume", "parts"), [(250_000, 0.0, 3), (1000, 1001.0, 2)])
def test_a_satellite_larger_than_a_flight_flies_in_parts(mass: float, volume: float, parts: int) -> None:
    loading = manifest(10, mass, ROCKET, stowed_volume_m3=volume)
    assert (loading.parts, loading.flights) == (parts, 10 * parts)


def test_an_orbit_that_the_vehicle_does_not_reach_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="carries nothing to this orbit"):
        manifest(1, 100, ROCKET, payload_kg=0.0)


@given(st.integers(1, 10**6), st.floats(1, 1e5), st.floats(0, 1000))
def test_flights_carry_every_satellite_and_not_one_flight_more(
    count: int, mass: float, volume: float
) -> None:
    loading = manifest(count, mass, ROCKET, stowed_volume_m3=volume)
    assert loading.flights * loading.satellites_per_flight >= count
    assert (loading.flights - 1) * loading.satellites_per_flight < count
    assert loading.satellites_per_flight * mass <= ROCKET.payload_kg * (1 + 1e-9)


def test_one_lost_flight_in_ten_takes_a_ninth_more_flights() -> None:
    assert lost_per_placed(0.9) == pytest.approx(1 / 9)


def test_a_success_rate_of_zero_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="success"):
        lost_per_placed(0.0)


def test_the_reference_orbit_needs_no_more_speed() -> None:
    assert float(delta_v(200.0, 28.5)) == pytest.approx(0.0, abs=1e-6)


def test_geostationary_orbit_from_28_5_degrees_takes_4_3_km_per_second() -> None:
    # textbook value from a 200 km parking orbit at 28.5 degrees: 2.45 km/s to the transfer, 1.83 km/s at apogee
    assert float(delta_v(35786.0, 0.0)) == pytest.approx(4280, abs=30)


def test_sun_synchronous_takes_more_than_a_53_degree_orbit_of_the_same_height() -> None:
    assert float(delta_v(550.0, 97.6)) > float(delta_v(550.0, 53.0)) + 250


def test_payload_falls_with_speed_and_never_below_nothing() -> None:
    payload = payload_to_orbit(18500.0, 4500.0, 348.0, np.array([0.0, 640.0, 20e3]))
    np.testing.assert_allclose(payload, [18500.0, 14567.0, 0.0], atol=5)


def test_an_infinitely_small_satellite_does_not_overflow() -> None:
    assert math.isfinite(manifest(1, 1e-300, ROCKET).satellites_per_flight)
