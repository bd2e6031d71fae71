"""What the sizing is told: one field per physical number, with the catalogue key that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.satellite.radiator import coating_absorptivity
from skyhall.types import Array, Numbers

__all__ = ["SizingInputs", "check", "columns", "designs_shape"]

_SEASON = ("beta", "eclipse_fraction", "lit_fraction", "irradiance")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingInputs:
    """Everything that sizes a satellite, in SI units; every number may be an array, all broadcast together.

    The four season fields carry the days of a year on their last axis; what stands before it broadcasts
    with the other fields. The comment beside each field says where it comes from: ``kind.key`` is a key of
    that catalogue kind.
    """

    # Orbit and season
    attitude: str  # "sun_tracking" | "orbit_normal"; one for all designs of a call
    altitude: Numbers  # m, of the circular orbit
    beta: Numbers  # (…, days) rad, angle between the Sun and the orbit's plane: orbit.seasons
    eclipse_fraction: Numbers  # (…, days) share of the orbit with the Sun's centre hidden: orbit.seasons
    lit_fraction: Numbers  # (…, days) mean lit share of the Sun's disc over the orbit: orbit.seasons
    irradiance: Numbers  # (…, days) W/m²: environments.irradiance × orbit.seasons' irradiance ratio
    albedo: Numbers  # of the hot case: high end of environments.albedo
    earth_infrared: Numbers  # W/m² leaving the Earth in the hot case: high end of environments.infrared
    earth_infrared_cold: Numbers  # the same in the cold case: its low end
    air_density: Numbers  # kg/m³, mean of a solar cycle: environment.air from f107_minimum to f107_maximum
    air_density_high: Numbers  # kg/m³ at the strongest maximum, for the thrust: high end of f107_maximum
    life: Numbers  # s, from launch to disposal: scenario
    # Work
    accelerators: Numbers  # how many: scenario
    accelerator_power: Numbers  # W of IT input per accelerator with its share of the host: accelerators.power
    chip_power: Numbers  # W in the accelerator's package alone: accelerators.chip_power
    idle_share: Numbers  # idle IT input over full: accelerators.idle_share
    accelerator_mass: Numbers  # kg each, board and host share without case: accelerators.mass
    junction_limit: Numbers  # K: accelerators.junction_limit
    junction_resistance: Numbers  # K per W of chip power, to coolant: accelerators.junction_resistance
    night_share: Numbers  # share of the work that goes on in the dark, 1 ride to 0 handover: scenario
    # Bus
    avionics_power: Numbers  # W: buses.avionics_power
    avionics_mass: Numbers  # kg: buses.avionics_mass
    power_electronics_mass: Numbers  # kg per W of bus load: buses.power_electronics
    conversion_efficiency: Numbers  # bus to IT input: buses.conversion_efficiency
    regulation_efficiency: Numbers  # array to bus: buses.regulation_efficiency
    control_share: Numbers  # attitude control's share of the dry mass: buses.control_share
    structure_share: Numbers  # structure's share of the dry mass: buses.structure_share
    margin_share: Numbers  # margin on the dry mass: buses.margin
    shielding: Numbers  # kg per m² of electronics box: buses.shielding
    electronics_density: Numbers  # kg/m³ of the electronics box: buses.electronics_density
    stowed_density: Numbers  # kg of dry mass per m³ stowed: buses.stowed_density
    safe_mode_time: Numbers  # s on the battery, Sun lost and work stopped: buses.safe_mode_time
    # Terminals: of the mesh, and the one for the ground beside them
    terminals: Numbers  # how many: scenario, else terminals.count
    terminal_power: Numbers  # W each: terminals.power
    terminal_mass: Numbers  # kg each: terminals.mass
    downlink_power: Numbers  # W: terminals.power of network.downlink, else 0
    downlink_mass: Numbers  # kg: terminals.mass of it, else 0
    # Solar array
    cell_efficiency: Numbers  # begin of life, at the reference temperature: arrays.efficiency
    cell_temperature_coefficient: Numbers  # 1/K, relative: arrays.temperature_coefficient
    cell_reference_temperature: Numbers  # K: arrays.reference_temperature
    array_absorptivity: Numbers  # arrays.absorptivity
    array_emissivity_front: Numbers  # arrays.emissivity_front
    array_emissivity_rear: Numbers  # arrays.emissivity_rear
    array_packing: Numbers  # cell area over panel area: arrays.packing
    array_pointing: Numbers  # share left after pointing, mismatch and shadowing: arrays.pointing
    array_degradation: Numbers  # 1/s, share of the power lost: arrays.degradation
    array_specific_power: Numbers  # W/kg at begin of life, wing level, 1361 W/m²: arrays.specific_power
    array_heat_capacity: Numbers  # J/(m² K): arrays.areal_heat_capacity
    array_aspect: Numbers = 4.0  # length over width: arrays.aspect
    # Battery
    battery_specific_energy: Numbers  # J/kg, pack, begin of life: batteries.specific_energy
    battery_charge_efficiency: Numbers  # batteries.charge_efficiency
    battery_discharge_efficiency: Numbers  # batteries.discharge_efficiency
    battery_depth_limit: Numbers  # ceiling, of the capacity at end of life: batteries.depth_of_discharge
    battery_end_capacity: Numbers  # least share of capacity left at any age: batteries.end_of_life_capacity
    battery_cycles_at_reference: Numbers  # batteries.cycles_at_reference
    battery_reference_depth: Numbers  # of the capacity at begin of life: batteries.reference_depth
    battery_cycle_exponent: Numbers  # batteries.cycle_exponent
    battery_fade_at_reference: Numbers  # batteries.fade_at_reference
    battery_calendar_fade: Numbers  # share lost at the calendar age: batteries.calendar_fade
    battery_calendar_age: Numbers  # s: batteries.calendar_age
    battery_charge_rate: Numbers  # 1/s, power over energy: batteries.charge_rate
    battery_discharge_rate: Numbers  # 1/s, power over energy: batteries.discharge_rate
    battery_taper_time: Numbers  # s: batteries.taper_time
    # Radiator and coolant loop
    radiator_emissivity: Numbers  # radiators.emissivity
    radiator_absorptivity_begin: Numbers  # radiators.absorptivity_begin
    radiator_absorptivity_end: Numbers  # radiators.absorptivity_end
    radiator_absorptivity_life: Numbers  # s after which the coating has that: radiators.absorptivity_life
    radiator_fin_efficiency: Numbers  # radiators.fin_efficiency
    radiator_areal_mass: Numbers  # kg per m² planform: radiators.areal_mass
    radiator_heat_capacity: Numbers  # J/(m² K), planform: radiators.areal_heat_capacity
    radiator_pointing_error: Numbers  # rad, off edge-on to the Sun: radiators.pointing_error
    radiator_aspect: Numbers = 4.0  # length over height: radiators.aspect
    pump_share: Numbers  # W of pump per W of heat moved, its own included: coolings.pump_share
    transport_mass: Numbers  # kg per W of heat: coolings.transport
    coolant_heat_capacity: Numbers  # J/K per W of heat: coolings.heat_capacity
    coolant_drop: Numbers  # K from mean coolant to mean radiator at full heat: coolings.drop
    coolant_rise: Numbers  # K along the cold plates at full heat; the last chip is hottest: coolings.rise
    coolant_coldest: Numbers  # K, below which it may not fall: coolings.coldest
    heater_band: (
        Numbers  # K above it over which the thermostat lets the heaters fade out: coolings.heater_band
    )
    heater_duty: Numbers  # share of the installed heaters that the coldest case needs: coolings.heater_duty
    safe_mode_view: (
        Numbers  # share of the radiator that still cools the loop in safe mode: coolings.safe_mode_view
    )
    junction_margin: Numbers  # K kept below the junction limit: coolings.margin
    # Propulsion
    specific_impulse: Numbers  # s: propulsions.specific_impulse
    thruster_efficiency: Numbers  # jet power over bus power: propulsions.efficiency
    propulsion_mass: Numbers  # kg per thruster system: propulsions.mass
    propulsion_share: Numbers  # thrusters' and feed's share of the dry mass: propulsions.share
    tank_share: Numbers  # kg of tank per kg of propellant: propulsions.tank_share
    drag_coefficient: Numbers  # propulsions.drag_coefficient
    disposal_altitude: Numbers  # m, lowered to from below 2,000 km: propulsions.disposal_altitude
    manoeuvre_delta_v: Numbers  # m/s², avoidance and phasing per second of life: propulsions.manoeuvres
    transfer_delta_v: Numbers = 0.0  # m/s that the satellite itself climbs after separation: scenario

    @property
    def dark_share(self) -> Array:
        """Share of an orbit's sunlight that the Earth takes, penumbra included; (…, days)."""
        return np.maximum(self.eclipse_fraction, 1.0 - np.asarray(self.lit_fraction))

    @property
    def radiator_absorptivity(self) -> Array:
        """Solar absorptivity of the radiator's coating at the end of the life."""
        return coating_absorptivity(
            self.radiator_absorptivity_begin,
            self.radiator_absorptivity_end,
            self.life,
            self.radiator_absorptivity_life,
        )


_POSITIVE = (
    "altitude", "irradiance", "earth_infrared", "earth_infrared_cold", "life", "accelerators", "accelerator_power",
    "chip_power",
    "junction_limit", "electronics_density", "stowed_density", "array_heat_capacity", "array_specific_power",
    "array_aspect", "radiator_aspect", "battery_specific_energy", "battery_charge_rate", "battery_discharge_rate",
    "battery_taper_time", "radiator_heat_capacity", "coolant_heat_capacity", "specific_impulse",
    "conversion_efficiency", "regulation_efficiency", "cell_efficiency", "array_packing", "array_pointing",
    "array_emissivity_front", "array_emissivity_rear", "array_absorptivity", "battery_charge_efficiency",
    "battery_discharge_efficiency", "battery_end_capacity", "radiator_emissivity", "radiator_fin_efficiency",
    "thruster_efficiency", "cell_reference_temperature", "radiator_absorptivity_life", "heater_band", "heater_duty",
)  # fmt: skip
_SHARES = (
    "albedo", "idle_share", "night_share", "conversion_efficiency", "regulation_efficiency", "cell_efficiency",
    "array_absorptivity", "array_emissivity_front", "array_emissivity_rear", "array_packing", "array_pointing",
    "battery_charge_efficiency", "battery_discharge_efficiency", "battery_depth_limit", "battery_end_capacity",
    "radiator_emissivity", "radiator_absorptivity_begin", "radiator_absorptivity_end", "radiator_fin_efficiency",
    "structure_share", "control_share", "propulsion_share", "thruster_efficiency", "lit_fraction", "pump_share",
    "heater_duty", "safe_mode_view",
)  # fmt: skip
_SIGNED = ("beta", "cell_temperature_coefficient")


def check(inputs: SizingInputs) -> None:
    """Raise `ValueProblem` for a number that cannot be: not finite, negative, zero or a share above 1."""
    for item in fields(inputs):
        name = item.name
        if name == "attitude":
            continue
        value = np.asarray(getattr(inputs, name), dtype=np.float64)
        said = name.replace("_", " ")
        if not np.all(np.isfinite(value)):
            raise ValueProblem(f"{said} is not finite", right="give a finite number")
        if name not in _SIGNED and np.any(value < 0.0):
            raise ValueProblem(f"{said} is negative", right=f"{said} >= 0")
        if name in _POSITIVE and np.any(value == 0.0):
            raise ValueProblem(f"{said} is zero", right=f"{said} > 0")
        if name in _SHARES and np.any(value > 1.0):
            raise ValueProblem(f"{said} is above 1", right=f"0 <= {said} <= 1")
    if np.any(inputs.dark_share >= 1.0):
        raise ValueProblem("an orbit that is dark all the time", right="eclipse fraction below 1")
    if np.any(np.asarray(inputs.pump_share) >= 1.0):
        raise ValueProblem("a pump that makes all the heat that it moves", right="pump share below 1")


def designs_shape(inputs: SizingInputs) -> tuple[int, ...]:
    """Return the shape that all fields broadcast to, the days apart; `ValueProblem` when they do not."""
    shapes = []
    for item in fields(inputs):
        if item.name != "attitude":
            shape = np.shape(getattr(inputs, item.name))
            shapes.append(shape[:-1] if item.name in _SEASON else shape)
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueProblem(f"the inputs' shapes do not broadcast: {sorted(set(shapes))}") from None


def columns(inputs: SizingInputs, shape: tuple[int, ...], start: int, stop: int) -> SizingInputs:
    """Return designs `start` to `stop` of the flattened `shape`; what all of them share stays a single row."""
    cut: dict[str, Any] = {}
    for item in fields(inputs):
        if item.name == "attitude":
            continue
        value = np.asarray(getattr(inputs, item.name), dtype=np.float64)
        days = value.shape[-1:] if item.name in _SEASON else ()
        if value.size == int(np.prod(days, dtype=int)):
            cut[item.name] = value.reshape((1, *days))
        else:
            flat = np.broadcast_to(value, shape + days).reshape((-1, *days))
            cut[item.name] = flat[start:stop]
    return replace(inputs, **cut)
