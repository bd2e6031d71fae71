"""Scenario and catalogue to what the sizing is told: choices, parts' values and the orbit's year of light."""

from __future__ import annotations

import numpy as np

from skyhall.catalogue import Catalogue, Part
from skyhall.orbit.seasons import LightYear
from skyhall.satellite.sizing import SizingInputs
from skyhall.satellite.worst_case import darkest_days
from skyhall.scenario import Scenario
from skyhall.surroundings import air_density

__all__ = ["downlink_part", "sizing_inputs", "spare_accelerators"]


def sizing_inputs(
    scenario: Scenario,
    catalogue: Catalogue,
    parts: dict[str, Part],
    accelerators: int,
    year: LightYear,
    shield_g_cm2: float,
) -> SizingInputs:
    """Return what the sizing is told: the scenario's choices, the catalogue's values, the orbit's year of light.

    `shield_g_cm2` is the aluminium around the electronics (`surroundings.shield_for`).
    """
    earth, sun = catalogue.part("environments", "earth"), catalogue.part("environments", "sun")
    accelerator, array, battery = parts["accelerator"], parts["array"], parts["battery"]
    radiator, cooling, bus = parts["radiator"], parts["cooling"], parts["bus"]
    propulsion, terminal = parts["propulsion"], parts["terminal"]
    downlink = downlink_part(scenario, catalogue)
    asked = scenario.satellite
    reliability = scenario.economics.reliability
    place = scenario.place("economics.reliability")
    spares = spare_accelerators(accelerators, catalogue.part("reliability", reliability, place=place))
    altitude = float(np.ravel(year.altitude)[0])
    terminals = terminal("count") if asked.terminals is None else asked.terminals
    light = darkest_days(year.altitude, year.beta, year.eclipse_fraction, year.lit_fraction)
    return SizingInputs(
        attitude=asked.attitude,
        altitude=altitude,
        beta=light.beta.ravel(),
        eclipse_fraction=light.eclipse_fraction.ravel(),
        lit_fraction=light.lit_fraction.ravel(),
        irradiance=np.broadcast_to(
            sun("irradiance", "W/m**2") * year.irradiance_ratio, year.beta.shape
        ).ravel(),
        albedo=earth.bounds("albedo")[1],
        earth_infrared=earth.bounds("infrared", "W/m**2")[1],
        earth_infrared_cold=earth.bounds("infrared", "W/m**2")[0],
        air_density=air_density(scenario, catalogue, altitude),
        air_density_high=air_density(scenario, catalogue, altitude, high=True),
        life=asked.life,
        accelerators=accelerators,
        accelerator_power=accelerator("power", "W"),
        chip_power=accelerator("chip_power", "W"),
        idle_share=accelerator("idle_share"),
        accelerator_mass=accelerator("mass", "kg") * (1.0 + spares / accelerators),
        junction_limit=accelerator("junction_limit", "K"),
        junction_resistance=accelerator("junction_resistance", "K/W"),
        night_share=asked.night_work,
        avionics_power=bus("avionics_power", "W"),
        avionics_mass=bus("avionics_mass", "kg"),
        power_electronics_mass=bus("power_electronics", "kg/W"),
        conversion_efficiency=bus("conversion_efficiency"),
        regulation_efficiency=bus("regulation_efficiency"),
        control_share=bus("control_share"),
        structure_share=bus("structure_share"),
        margin_share=bus("margin"),
        shielding=10.0 * shield_g_cm2,
        electronics_density=bus("electronics_density", "kg/m**3"),
        stowed_density=bus("stowed_density", "kg/m**3"),
        safe_mode_time=bus("safe_mode_time", "s"),
        terminals=terminals,
        terminal_power=terminal("power", "W"),
        terminal_mass=terminal("mass", "kg"),
        downlink_power=downlink("power", "W") if downlink else 0.0,
        downlink_mass=downlink("mass", "kg") if downlink else 0.0,
        cell_efficiency=array("efficiency"),
        cell_temperature_coefficient=array("temperature_coefficient", "1/K"),
        cell_reference_temperature=array("reference_temperature", "K"),
        array_absorptivity=array("absorptivity"),
        array_emissivity_front=array("emissivity_front"),
        array_emissivity_rear=array("emissivity_rear"),
        array_packing=array("packing"),
        array_pointing=array("pointing"),
        array_degradation=array("degradation", "1/s"),
        array_specific_power=array("specific_power", "W/kg"),
        array_heat_capacity=array("areal_heat_capacity", "J/m**2/K"),
        array_aspect=array("aspect"),
        battery_specific_energy=battery("specific_energy", "J/kg"),
        battery_charge_efficiency=battery("charge_efficiency"),
        battery_discharge_efficiency=battery("discharge_efficiency"),
        battery_depth_limit=battery("depth_of_discharge"),
        battery_cycles_at_reference=battery("cycles_at_reference"),
        battery_reference_depth=battery("reference_depth"),
        battery_cycle_exponent=battery("cycle_exponent"),
        battery_fade_at_reference=battery("fade_at_reference"),
        battery_calendar_fade=battery("calendar_fade"),
        battery_calendar_age=battery("calendar_age", "s"),
        battery_end_capacity=battery("end_of_life_capacity"),
        battery_charge_rate=battery("charge_rate", "1/s"),
        battery_discharge_rate=battery("discharge_rate", "1/s"),
        battery_taper_time=battery("taper_time", "s"),
        radiator_emissivity=radiator("emissivity"),
        radiator_absorptivity_begin=radiator("absorptivity_begin"),
        radiator_absorptivity_end=radiator("absorptivity_end"),
        radiator_absorptivity_life=radiator("absorptivity_life", "s"),
        radiator_fin_efficiency=radiator("fin_efficiency"),
        radiator_areal_mass=radiator("areal_mass", "kg/m**2"),
        radiator_heat_capacity=radiator("areal_heat_capacity", "J/m**2/K"),
        radiator_aspect=radiator("aspect"),
        radiator_pointing_error=radiator("pointing_error", "rad"),
        pump_share=cooling("pump_share"),
        transport_mass=cooling("transport", "kg/W"),
        coolant_heat_capacity=cooling("heat_capacity", "J/K/W"),
        coolant_drop=cooling("drop", "K"),
        coolant_rise=cooling("rise", "K"),
        coolant_coldest=cooling("coldest", "K"),
        heater_band=cooling("heater_band", "K"),
        heater_duty=cooling("heater_duty"),
        safe_mode_view=cooling("safe_mode_view"),
        junction_margin=cooling("margin", "K"),
        specific_impulse=propulsion("specific_impulse", "s"),
        thruster_efficiency=propulsion("efficiency"),
        propulsion_mass=propulsion("mass", "kg"),
        propulsion_share=propulsion("share"),
        tank_share=propulsion("tank_share"),
        drag_coefficient=propulsion("drag_coefficient"),
        disposal_altitude=propulsion("disposal_altitude", "m"),
        manoeuvre_delta_v=propulsion("manoeuvres", "m/s**2"),
        transfer_delta_v=asked.transfer_delta_v,
    )


def downlink_part(scenario: Scenario, catalogue: Catalogue) -> Part | None:
    """Return the terminal for the ground that a satellite has besides those of its mesh, None where it has none."""
    name = scenario.network.downlink
    return (
        None if name is None else catalogue.part("terminals", name, place=scenario.place("network.downlink"))
    )


def spare_accelerators(accelerators: int, reliability: Part) -> int:
    """Return how many whole spares a satellite carries; a lone accelerator has none."""
    return round(accelerators * reliability("spares_share"))
