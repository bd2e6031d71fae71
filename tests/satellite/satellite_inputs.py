"""Plain inputs of a sizing, for tests of the pure functions: no catalogue, round numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from skyhall.satellite.sizing import SizingInputs

YEAR = 365.25 * 86400.0


def example_inputs(**changes: Any) -> SizingInputs:
    """Return 100 accelerators on an eclipse-free dawn-dusk orbit unless `changes` say otherwise."""
    days = np.linspace(0.0, 2.0 * np.pi, 73, endpoint=False)
    values: dict[str, Any] = {
        "attitude": "sun_tracking",
        "altitude": 650e3,
        "beta": np.radians(78.0 + 11.0 * np.sin(days)),
        "eclipse_fraction": np.maximum(0.0, 0.19 * -np.sin(days)),
        "irradiance": 1361.0 * (1.0 + 0.033 * np.cos(days)),
        "albedo": 0.3,
        "earth_infrared": 237.0,
        "earth_infrared_cold": 237.0,
        "air_density": 5e-14,
        "life": 5.0 * YEAR,
        "accelerators": 100.0,
        "accelerator_power": 1000.0,
        "chip_power": 700.0,
        "idle_share": 0.2,
        "accelerator_mass": 5.0,
        "junction_limit": 368.15,
        "junction_resistance": 0.03,
        "night_share": 1.0,
        "avionics_power": 300.0,
        "avionics_mass": 40.0,
        "power_electronics_mass": 2e-3,
        "conversion_efficiency": 0.93,
        "regulation_efficiency": 0.96,
        "control_share": 0.03,
        "structure_share": 0.15,
        "margin_share": 0.1,
        "shielding": 5.4,
        "electronics_density": 600.0,
        "stowed_density": 110.0,
        "safe_mode_time": 7200.0,
        "terminals": 4.0,
        "terminal_power": 80.0,
        "terminal_mass": 15.0,
        "downlink_power": 0.0,
        "downlink_mass": 0.0,
        "cell_efficiency": 0.30,
        "cell_temperature_coefficient": -2.2e-3,
        "cell_reference_temperature": 301.15,
        "array_absorptivity": 0.91,
        "array_emissivity_front": 0.85,
        "array_emissivity_rear": 0.85,
        "array_packing": 0.9,
        "array_pointing": 0.96,
        "array_degradation": 0.02 / YEAR,
        "array_specific_power": 75.0,
        "array_heat_capacity": 2500.0,
        "battery_specific_energy": 180.0 * 3600.0,
        "battery_charge_efficiency": 0.96,
        "battery_discharge_efficiency": 0.96,
        "battery_depth_limit": 0.8,
        "battery_cycles_at_reference": 27500.0,
        "battery_reference_depth": 0.4,
        "battery_cycle_exponent": 1.9,
        "battery_fade_at_reference": 0.15,
        "battery_calendar_fade": 0.05,
        "battery_calendar_age": 5.0 * YEAR,
        "battery_end_capacity": 0.8,
        "battery_charge_rate": 0.7 / 3600.0,
        "battery_discharge_rate": 1.0 / 3600.0,
        "battery_taper_time": 900.0,
        "radiator_emissivity": 0.9,
        "radiator_absorptivity_begin": 0.08,
        "radiator_absorptivity_end": 0.15,
        "radiator_absorptivity_life": 5.0 * YEAR,
        "radiator_fin_efficiency": 0.9,
        "radiator_areal_mass": 5.0,
        "radiator_heat_capacity": 4500.0,
        "radiator_pointing_error": np.radians(1.0),
        "pump_share": 0.02,
        "transport_mass": 3e-3,
        "coolant_heat_capacity": 1.5,
        "coolant_drop": 5.0,
        "coolant_rise": 10.0,
        "coolant_coldest": 243.15,
        "heater_band": 5.0,
        "heater_duty": 0.7,
        "safe_mode_view": 0.02,
        "junction_margin": 5.0,
        "specific_impulse": 1700.0,
        "thruster_efficiency": 0.5,
        "propulsion_mass": 5.0,
        "propulsion_share": 0.01,
        "tank_share": 0.15,
        "drag_coefficient": 2.2,
        "disposal_altitude": 300e3,
        "manoeuvre_delta_v": 5.0 / YEAR,
    }
    values |= changes
    values.setdefault("lit_fraction", 1.0 - np.asarray(values["eclipse_fraction"]))
    values.setdefault("air_density_high", values["air_density"])
    return SizingInputs(**values)
