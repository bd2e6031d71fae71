"""Energy and heat of the plain flight close for every satellite and step, whatever the design."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skyhall.fleet import design
from skyhall.scenario import load
from skyhall.twin.flight import environment
from skyhall.twin.plain import fly_plain


def _flight(attitude, night, altitude_km, inclination_deg, it_kw, step):
    fleet = design(
        load(
            {
                "orbit": {
                    "shells": [
                        {
                            "pattern": "walker_delta",
                            "altitude": f"{altitude_km} km",
                            "inclination": f"{inclination_deg} deg",
                            "satellites": 6,
                            "planes": 3,
                        }
                    ]
                },
                "satellite": {"it_power": f"{it_kw} kW", "attitude": attitude, "night": night},
            }
        )
    )
    one = fleet.designs[0]
    plain = fly_plain(
        fleet.elements, one, environment(fleet), epoch=fleet.epoch_julian_date, steps=120, step=step
    )
    return one, plain


designs = {
    "attitude": st.sampled_from(["sun_tracking"]),
    "night": st.sampled_from(["ride", "handover", "both"]),
    "altitude_km": st.integers(400, 1800),
    "inclination_deg": st.integers(0, 110),
    "it_kw": st.integers(2, 500),
    "step": st.sampled_from([10.0, 60.0, 120.0]),
}


@settings(max_examples=25, deadline=None)
@given(**designs)
def test_energy_in_is_energy_used_stored_and_lost(**given_design):
    one, plain = _flight(**given_design)
    step = given_design["step"]
    used = plain.load_w + plain.charging_w + plain.curtailed_w - plain.discharging_w
    assert np.abs(plain.array_w - used).max() < 1e-9 * one.bus_power
    full = np.full((1, plain.battery_j.shape[1]), one.battery_capacity)
    stored = np.diff(plain.battery_j, axis=0, prepend=full) / step
    flows = plain.charging_w * one.charge_efficiency - plain.discharging_w / one.discharge_efficiency
    assert np.abs(stored - flows).max() < 1e-9 * one.battery_capacity / step


@settings(max_examples=25, deadline=None)
@given(**designs)
def test_heat_in_is_heat_out_and_stored(**given_design):
    one, plain = _flight(**given_design)
    step = given_design["step"]
    # All that the bus takes and does not store in the battery becomes heat in the coolant.
    losses = plain.charging_w * (1 - one.charge_efficiency) + plain.discharging_w * (
        1 / one.discharge_efficiency - 1
    )
    assert np.abs(plain.loop_w - plain.load_w - losses).max() < 1e-9 * one.bus_power
    coolant = np.vstack([np.full((1, 6), one.design_coolant_temperature), plain.coolant_k])
    radiator = np.vstack([np.full((1, 6), one.design_radiator_temperature), plain.radiator_k])
    stored = (
        one.coolant_heat_capacity * np.diff(coolant, axis=0)
        + one.radiator_heat_capacity * np.diff(radiator, axis=0)
    ) / step
    assert np.abs(plain.loop_w - plain.rejected_w - stored).max() < 1e-9 * one.bus_power
    # What leaves is the radiator's emission, linearised at the start of the step, less what it takes in.
    assert np.all(np.isfinite(plain.rejected_w))


@settings(max_examples=25, deadline=None)
@given(**designs)
def test_sunlight_on_the_array_becomes_heat_there_or_power_that_is_drawn(**given_design):
    one, plain = _flight(**given_design)
    at_least = one.array_absorptivity * plain.sunlight_w_m2 - plain.array_drawn_w / one.array_area
    assert np.all(plain.array_heat_w_m2 >= at_least - 1e-9 * 1361.0)
    # The array gives up what the bus draws; it learns of a change one step late.
    drawn = plain.array_w - plain.curtailed_w
    assert np.all(plain.array_drawn_w[1:] <= np.minimum(drawn[:-1], plain.array_w[1:]) + 1e-9 * one.bus_power)


@settings(max_examples=25, deadline=None)
@given(**designs)
def test_the_battery_stays_between_reserve_and_capacity(**given_design):
    one, plain = _flight(**given_design)
    assert plain.battery_j.max() <= one.battery_capacity * (1 + 1e-12)
    assert plain.battery_j.min() >= one.battery_reserve * (1 - 1e-12)


@settings(max_examples=15, deadline=None)
@given(**designs)
def test_throttled_chips_stay_within_a_degree_of_their_limit(**given_design):
    one, plain = _flight(**given_design)
    assert plain.junction_k.max() < one.junction_limit + 1.0
