"""Sizing: mass, power and heat close together, at the worst day of the season and the age of the hardware."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.satellite.flown import fly
from tests.satellite.satellite_inputs import YEAR, example_inputs

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import kepler_period
from skyhall.satellite.night import charging_time
from skyhall.satellite.sizing import SizedSatellite, size, to_design

NO_NIGHT = {"eclipse_fraction": np.zeros(73)}
DEEP_NIGHT = {"eclipse_fraction": np.full(73, 0.37), "beta": np.zeros(73), "altitude": 550e3}
SHALLOW = {"eclipse_fraction": np.full(73, 0.05)}


def sized(**changes: Any) -> SizedSatellite:
    return size(example_inputs(**changes))


def test_the_mass_lines_and_the_propellant_add_up_to_the_launch_mass() -> None:
    found = sized()
    assert sum(found.masses.values()) + found.propellant == pytest.approx(found.mass, rel=1e-12)


def test_the_array_gives_what_a_whole_orbit_of_the_worst_day_uses() -> None:
    dark, found = 0.1, sized(eclipse_fraction=np.full(73, 0.1))
    period = float(kepler_period(650e3))
    charging = charging_time((1.0 - dark) * period, 900.0) / period
    recharge = found.night_power * dark / (charging * 0.96 * 0.96)
    assert found.array_power_end == pytest.approx(found.bus_power + recharge, rel=1e-9)


def test_the_radiator_gives_off_exactly_the_bus_power_in_its_hot_case() -> None:
    found = sized()
    emitted = 0.9 * 0.9 * STEFAN_BOLTZMANN * found.radiator_temperature**4
    assert 2.0 * found.radiator_area * (emitted - found.absorbed) == pytest.approx(found.bus_power, rel=1e-9)


def test_the_junction_in_the_hot_case_is_at_its_limit_less_the_margin() -> None:
    design = to_design(sized())
    junction = design.design_coolant_temperature + design.junction_resistance * design.it_power
    assert junction == pytest.approx(368.15 - 5.0, abs=1e-9)


def test_sizing_again_from_the_answer_moves_nothing() -> None:
    # The thruster's power depends on the areas, which depend on the power: put the answer in as avionics.
    found = sized(altitude=400e3, air_density=3.3e-12)
    again = sized(altitude=400e3, air_density=0.0, avionics_power=300.0 + found.thruster_power)
    assert again.array_area == pytest.approx(found.array_area, rel=1e-9)
    assert again.radiator_area == pytest.approx(found.radiator_area, rel=1e-9)


def test_bus_power_is_fixed_load_and_overhead_above_the_work() -> None:
    found = sized()
    work = found.it_power * (1.0 + found.overhead_per_it)
    assert found.bus_power == pytest.approx(found.fixed_load + work, rel=1e-12)
    assert found.power_overhead == pytest.approx(found.bus_power / found.it_power)


def test_handing_the_work_over_by_night_shrinks_array_and_battery() -> None:
    ride, handover = sized(**DEEP_NIGHT, night_share=1.0), sized(**DEEP_NIGHT, night_share=0.0)
    assert handover.array_area < 0.75 * ride.array_area
    assert handover.battery_capacity_end < 0.5 * ride.battery_capacity_end


def test_half_the_work_kept_in_the_dark_lies_between() -> None:
    ride, half, handover = (sized(**DEEP_NIGHT, night_share=share).mass for share in (1.0, 0.5, 0.0))
    assert handover < half < ride


def test_without_eclipse_the_safe_modes_battery_remains() -> None:
    found = sized(**NO_NIGHT)
    assert found.battery_case == "minimum"
    assert found.battery_capacity_end * 0.8 * 0.96 == pytest.approx(found.safe_mode_power * 7200.0, rel=1e-9)


def test_many_deep_cycles_bind_the_battery_by_its_life() -> None:
    found = sized(**DEEP_NIGHT)
    assert found.battery_case == "cycle_life"
    assert found.depth_of_discharge < 0.6


def test_few_shallow_cycles_bind_the_battery_by_its_energy() -> None:
    inputs = {"battery_discharge_rate": 1e-3, "battery_charge_rate": 1e-3}
    assert sized(**inputs).battery_case == "energy"


def test_a_slow_battery_is_bound_by_its_rate() -> None:
    assert sized(**SHALLOW, battery_discharge_rate=0.5 / 3600.0).battery_case == "discharge_rate"
    slow = {"battery_charge_rate": 0.3 / 3600.0, "battery_discharge_rate": 10.0 / 3600.0}
    assert sized(**DEEP_NIGHT, **slow, life=0.5 * YEAR).battery_case == "charge_rate"


def test_a_dawn_dusk_array_is_bound_by_the_eclipse_season() -> None:
    assert sized().array_case == "eclipse_season"


def test_a_fixed_array_without_eclipse_is_bound_by_the_seasons_cosine() -> None:
    light = NO_NIGHT | {"irradiance": np.full(73, 1361.0)}
    found, tracking = sized(**light, attitude="orbit_normal"), sized(**light)
    assert found.array_case == "seasonal_cosine"
    # The lowest beta is 67 degrees, less 1 degree of pointing error; the slanted cells are a little cooler.
    assert found.array_area / tracking.array_area == pytest.approx(1.0 / np.sin(np.radians(66.0)), rel=0.02)


def test_a_tracking_array_without_eclipse_is_bound_by_aphelion() -> None:
    assert sized(**NO_NIGHT).array_case == "aphelion"


def test_a_longer_life_asks_for_more_array() -> None:
    two, ten = sized(life=2.0 * YEAR), sized(life=10.0 * YEAR, battery_calendar_fade=0.0)
    assert ten.array_area / two.array_area == pytest.approx(np.exp(0.02 * 8.0), rel=0.01)


def test_a_darker_radiator_coating_asks_for_more_radiator() -> None:
    fixed = {"attitude": "orbit_normal", "beta": np.radians(np.full(73, 40.0))}
    assert sized(**fixed, radiator_absorptivity_end=0.3).radiator_area > 1.02 * sized(**fixed).radiator_area


def test_the_arrays_hot_rear_asks_for_more_radiator_than_the_earth_does() -> None:
    assert sized().radiator_case == "array_rear"


def test_a_long_slender_array_keeps_its_heat_from_the_radiator() -> None:
    assert sized(array_aspect=20.0).radiator_area < 0.95 * sized(array_aspect=2.0).radiator_area


def test_planform_and_emitting_area_are_both_given() -> None:
    found = sized()
    assert found.radiator_emitting_area == 2.0 * found.radiator_area


def test_an_idle_satellite_in_a_long_night_heats_its_coolant() -> None:
    night = DEEP_NIGHT | {"night_share": 0.0, "idle_share": 0.05}
    found = sized(**night)
    assert found.coldest_coolant < 243.15
    assert found.night_heating > 0.0
    assert found.night_power > sized(**night, coolant_coldest=180.0).night_power


def test_a_satellite_that_rides_through_the_night_needs_no_heaters() -> None:
    found = sized(**DEEP_NIGHT, night_share=1.0)
    assert found.night_heating == 0.0
    assert found.coldest_coolant > 243.15


def test_low_orbits_spend_power_and_propellant_on_drag() -> None:
    low, high = sized(altitude=300e3, air_density=2.1e-11), sized(altitude=900e3, air_density=6e-15)
    assert low.thruster_power > 3e3 > high.thruster_power
    assert low.propellant > 5.0 * high.propellant


def test_where_drag_feeds_on_itself_the_line_is_named() -> None:
    with pytest.raises(ValueProblem, match="line 'drag'"):
        sized(altitude=150e3, air_density=1.7e-9)


def test_a_radiator_too_cold_to_shed_heat_is_named() -> None:
    with pytest.raises(ValueProblem, match="line 'radiator'"):
        sized(junction_limit=260.0)


def test_an_array_that_turns_its_edge_to_the_sun_is_named() -> None:
    with pytest.raises(ValueProblem, match="line 'array'"):
        sized(attitude="orbit_normal", beta=np.zeros(73))


def test_a_structure_heavier_than_the_satellite_is_named() -> None:
    with pytest.raises(ValueProblem, match="line 'mass'"):
        sized(structure_share=1.0)


def test_a_battery_that_age_alone_wears_out_is_named() -> None:
    with pytest.raises(ValueProblem, match="line 'battery'"):
        sized(battery_calendar_fade=0.5)


def test_designs_that_do_not_close_can_be_marked_instead() -> None:
    found = size(example_inputs(junction_limit=np.array([260.0, 368.15])), strict=False)
    assert found.closes.tolist() == [False, True]
    assert found.open_line.tolist() == ["radiator", ""]
    assert np.isnan(found.mass[0])
    assert found.mass[1] == pytest.approx(float(sized().mass), rel=1e-9)
    with pytest.raises(ValueProblem, match="does not close"):
        to_design(found, (0,))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"altitude": np.nan}, "altitude is not finite"),
        ({"accelerator_mass": -1.0}, "accelerator mass is negative"),
        ({"specific_impulse": 0.0}, "specific impulse is zero"),
        ({"night_share": 1.2}, "night share is above 1"),
        ({"eclipse_fraction": np.ones(73)}, "dark all the time"),
        ({"attitude": "tumbling"}, "not an attitude law"),
        ({"altitude": np.ones(2) * 6e5, "life": np.ones(3) * YEAR}, "do not broadcast"),
    ],
)
def test_a_value_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueProblem, match=message):
        sized(**changes)


def test_a_thousand_designs_at_once_equal_a_thousand_one_by_one() -> None:
    random = np.random.default_rng(7)
    axes = {
        "altitude": random.uniform(400e3, 1500e3, 1000),
        "accelerators": random.integers(1, 2000, 1000).astype(float),
        "night_share": random.uniform(0.0, 1.0, 1000),
        "array_specific_power": random.uniform(40.0, 500.0, 1000),
        "radiator_aspect": random.uniform(1.0, 8.0, 1000),
    }
    together = size(example_inputs(**axes), chunk=300)
    for index in range(0, 1000, 97):
        alone = sized(**{name: values[index] for name, values in axes.items()})
        for field in ("mass", "array_area", "radiator_area", "battery_capacity_end", "propellant"):
            assert getattr(together, field)[index] == pytest.approx(float(getattr(alone, field)), rel=1e-9)
        assert together.binding[index] == alone.binding


def test_designs_keep_the_shape_of_their_axes() -> None:
    axes = {"life": np.array([[2.0], [5.0]]) * YEAR, "accelerators": np.array([1.0, 10.0, 100.0])}
    assert sized(**axes).mass.shape == (2, 3)


def test_every_design_may_have_its_own_season() -> None:
    dark = np.stack([np.zeros(73), np.full(73, 0.3)])
    found = sized(eclipse_fraction=dark)
    assert found.mass.shape == (2,)
    assert found.mass[0] == pytest.approx(float(sized(eclipse_fraction=dark[0]).mass), rel=1e-9)


def test_ten_thousand_designs_take_seconds() -> None:
    begin = time.perf_counter()
    found = sized(
        accelerators=np.linspace(1.0, 1000.0, 10_000), cell_efficiency=np.linspace(0.2, 0.35, 10_000)
    )
    assert found.closes.all()
    assert time.perf_counter() - begin < 5.0  # 0.3 s where nothing else runs


@settings(max_examples=40)
@given(
    night=st.floats(0.0, 1.0),
    altitude=st.floats(350e3, 3000e3),
    dark=st.floats(0.0, 0.39),
    beta=st.floats(0.0, 90.0),
    life=st.floats(0.5, 8.0),
    work=st.floats(1.0, 1e5),
)
def test_whatever_closes_has_positive_sizes_and_a_balanced_orbit(
    night: float, altitude: float, dark: float, beta: float, life: float, work: float
) -> None:
    season = {
        "eclipse_fraction": np.full(5, dark),
        "beta": np.radians(np.full(5, beta)),
        "irradiance": np.full(5, 1361.0),
    }
    wanted = {"night_share": night, "altitude": altitude, "life": life * YEAR, "accelerators": work}
    found = size(example_inputs(**wanted, **season), strict=False)
    if not found.closes:
        return
    assert all(mass >= 0.0 for mass in found.masses.values())
    made = found.array_power_end * (1.0 - dark)
    used = found.bus_power * (1.0 - dark) + found.night_power * dark / 0.96**2
    assert used * (1.0 - 1e-9) <= made < 1.2 * used  # what the taper leaves unused
    assert found.mass > found.masses["payload"]


@pytest.mark.parametrize("attitude", ["sun_tracking", "orbit_normal"])
@pytest.mark.parametrize("night_share", [0.0, 1.0])
def test_a_design_carries_over_what_was_sized(attitude: str, night_share: float) -> None:
    found = sized(attitude=attitude, night_share=night_share)
    design = to_design(found, name="one")
    assert design.mass == pytest.approx(float(found.mass), rel=1e-12)
    assert design.bus_power == pytest.approx(float(found.bus_power), rel=1e-12)
    assert design.radiator_emitting_area == float(found.radiator_emitting_area)
    assert design.battery_reserve == pytest.approx(0.2 * design.battery_capacity)
    assert all(value is not None for value in dataclasses.asdict(design).values())


def test_the_longest_eclipse_is_in_seconds_of_the_orbit() -> None:
    dark = float(np.max(example_inputs().eclipse_fraction))
    assert sized().longest_eclipse == pytest.approx(dark * float(kepler_period(650e3)))


@pytest.mark.parametrize("attitude", ["sun_tracking", "orbit_normal"])
@pytest.mark.parametrize("night_share", [0.0, 1.0])
@pytest.mark.parametrize(("beta", "dark"), [(1.0, 0.2), (0.5, 0.33)])
def test_a_sized_satellite_lives_through_ten_orbits_of_its_worst_day(
    attitude: str, night_share: float, beta: float, dark: float
) -> None:
    season = {
        "eclipse_fraction": np.full(1, dark),
        "beta": np.full(1, beta),
        "irradiance": np.full(1, 1330.0),
    }
    design = to_design(
        sized(**season, attitude=attitude, night_share=night_share, radiator_pointing_error=0.0)
    )
    flown = fly(design, beta, dark, 1330.0)
    assert flown.lowest_charge > design.battery_reserve / design.battery_capacity
    assert design.junction_limit - 10.0 < flown.hottest_junction < design.junction_limit - 5.0 + 0.1


def test_reflected_sunlight_warms_the_cells() -> None:
    season = {"beta": np.zeros(73)} | SHALLOW
    assert sized(**season).worst_cell_temperature > 3.0 + sized(**season, albedo=0.0).worst_cell_temperature


def test_the_thruster_takes_half_of_drag_times_exhaust_speed_over_its_efficiency() -> None:
    found = sized(altitude=400e3, air_density=3.3e-12)
    drag = 0.5 * 3.3e-12 * 2.2 * found.drag_area * 398600.4418e9 / 6778137.0
    assert found.thruster_power == pytest.approx(float(drag * 1700.0 * 9.80665 / (2.0 * 0.5)), rel=1e-6)


def test_manoeuvres_cost_propellant_for_every_year_of_life() -> None:
    calm, busy = (sized(manoeuvre_delta_v=speed / YEAR) for speed in (0.0, 20.0))
    expected = np.expm1(100.0 / (1700.0 * 9.80665)) * calm.mass
    assert busy.propellant - calm.propellant == pytest.approx(float(expected), rel=0.05)


def test_a_design_flies_the_cells_of_its_end_of_life() -> None:
    design = to_design(sized())
    assert design.cell_area == pytest.approx(design.array_area * 0.9 * 0.96 * 0.96 * np.exp(-0.1))
