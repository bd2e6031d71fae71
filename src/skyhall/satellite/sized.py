"""The sized satellite: what the sizing found, for one design or for many at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.types import Array

__all__ = ["OPEN_LINES", "SizedSatellite", "to_design"]

OPEN_LINES = {
    "": "it closes",
    "array": "the solar array gives no power on the worst day, or its light is too short for the battery's taper",
    "radiator": "the radiator takes in as much heat as it gives off at the temperature that the chips allow",
    "battery": "age alone costs the battery more capacity than it may lose in this life",
    "mass": "structure, margin and tanks grow faster than the mass that they carry",
    "drag": "air drag asks for power, power for area, and area for drag, without end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedSatellite:
    """What `size` found, in SI units; arrays over the designs, all of one shape.

    Where `closes` is false the numbers are NaN and `open_line` names the line that does not close.
    """

    inputs: SizingInputs
    closes: npt.NDArray[np.bool_]
    open_line: npt.NDArray[np.str_]  # of `OPEN_LINES`
    iterations: int
    # loads, W
    it_power: Array
    it_idle: Array
    fixed_load: Array  # avionics, terminals and thruster with their pumping, by day and night
    heater_power: Array  # installed
    night_heating: Array  # of it, mean over the longest night
    safe_mode_power: Array  # with all work stopped and the radiator isolated
    thruster_power: Array  # at high solar activity
    overhead_per_it: Array
    bus_power: Array  # at full work in the light
    night_power: Array  # in the dark
    power_overhead: Array  # bus over IT at full work, what PUE is on the ground
    # array
    array_area: Array  # m², panel
    array_power_begin: Array  # W at begin of life, normal incidence, reference temperature, 1361 W/m²
    array_power_end: Array  # W at the bus on the worst day, end of life
    array_end_share: Array  # power at end of life over begin
    worst_cell_temperature: Array  # K, on that day
    array_earth_view: Array  # one face, on that day
    array_case: npt.NDArray[np.str_]
    # battery
    battery_capacity_begin: Array  # J
    battery_capacity_end: Array  # J
    depth_of_discharge: Array  # of the capacity at end of life, in the longest night
    longest_eclipse: Array  # s
    battery_case: npt.NDArray[np.str_]
    # heat
    heat: Array  # W into the coolant at full work
    radiator_area: Array  # m², planform
    radiator_temperature: Array  # K, hot case
    coolant_temperature: Array  # K, hot case
    coldest_coolant: Array  # K, end of the longest night without heaters
    absorbed: Array  # W per m² emitting, hot case
    net_flux: Array  # W per m² emitting, hot case
    radiator_earth_view: Array
    radiator_array_view: Array
    velocity_sun_share: Array  # of the Sun along the velocity, what passes the array's edge to the radiator
    radiator_case: npt.NDArray[np.str_]
    # mass
    masses: Mapping[str, Array]  # kg
    propellant: Array  # kg
    drag_area: Array  # m²
    stowed_volume: Array  # m³
    mass: Array  # kg at launch
    mass_growth: Array  # kg at launch for each kg put on a line: structure, margin and propellant with it
    binding: npt.NDArray[np.str_]  # heaviest subsystem, and what makes it so

    @property
    def specific_mass_it(self) -> Array:
        """Launch mass per W of IT power, kg/W."""
        return self.mass / self.it_power

    @property
    def specific_mass_bus(self) -> Array:
        """Launch mass per W of bus power, kg/W."""
        return self.mass / self.bus_power

    @property
    def radiator_emitting_area(self) -> Array:
        """Both faces, m²."""
        return 2.0 * self.radiator_area


def to_design(sized: SizedSatellite, index: tuple[int, ...] = (), name: str = "satellite") -> SatelliteDesign:
    """Return the design at `index` of `sized`, at end of life, as the twin flies it.

    Array, battery and coating are those of the end of the life, the thruster's load that of high solar activity.

    Parameters
    ----------
    sized : what `size` returned.
    index : place in the arrays of `sized`; empty for a single design.
    name : the design's name.

    Raises
    ------
    ValueProblem : the design does not close.
    """
    if not sized.closes[index]:
        line = str(sized.open_line[index])
        raise ValueProblem(f"design '{name}' does not close on line '{line}': {OPEN_LINES[line]}")
    inputs, shape = sized.inputs, sized.mass.shape

    def given(field: str) -> float:
        return float(np.broadcast_to(np.asarray(getattr(inputs, field), dtype=np.float64), shape)[index])

    def found(field: str) -> float:
        return float(getattr(sized, field)[index])

    coolant, radiator, heat = found("coolant_temperature"), found("radiator_temperature"), found("heat")
    it_power, capacity = found("it_power"), found("battery_capacity_end")
    # The last chip sees half the coolant's rise above its mean.
    to_last_chip = (
        given("junction_resistance") * given("chip_power") + 0.5 * given("coolant_rise")
    ) / it_power
    return SatelliteDesign(
        name=name,
        attitude=str(inputs.attitude),
        altitude=given("altitude"),
        accelerators=round(given("accelerators")),
        it_power=it_power,
        it_idle=found("it_idle"),
        fixed_load=found("fixed_load"),
        heater_power=found("heater_power"),
        heater_set=given("coolant_coldest") + given("heater_band"),
        heater_band=given("heater_band"),
        overhead_per_it=found("overhead_per_it"),
        night_share=given("night_share"),
        array_area=found("array_area"),
        cell_area=found("array_area")
        * given("array_packing")
        * given("array_pointing")
        * given("regulation_efficiency")
        * found("array_end_share"),
        cell_efficiency=given("cell_efficiency"),
        cell_temperature_coefficient=given("cell_temperature_coefficient"),
        cell_reference_temperature=given("cell_reference_temperature"),
        array_absorptivity=given("array_absorptivity"),
        array_emissivity_front=given("array_emissivity_front"),
        array_emissivity_rear=given("array_emissivity_rear"),
        array_heat_capacity=given("array_heat_capacity"),
        array_earth_view_front=found("array_earth_view"),
        array_earth_view_rear=found("array_earth_view"),
        battery_capacity=capacity,
        battery_reserve=capacity * (1.0 - given("battery_depth_limit")),
        charge_efficiency=given("battery_charge_efficiency"),
        discharge_efficiency=given("battery_discharge_efficiency"),
        charge_limit=capacity * given("battery_charge_rate"),
        discharge_limit=capacity * given("battery_discharge_rate"),
        taper_time=given("battery_taper_time"),
        coolant_heat_capacity=given("coolant_heat_capacity") * heat,
        radiator_heat_capacity=given("radiator_heat_capacity") * found("radiator_area"),
        coolant_to_radiator=heat / (coolant - radiator),
        junction_resistance=to_last_chip,
        junction_limit=given("junction_limit"),
        radiator_area=found("radiator_area"),
        radiator_emissivity=given("radiator_emissivity"),
        radiator_fin_efficiency=given("radiator_fin_efficiency"),
        radiator_absorptivity=given("radiator_absorptivity"),
        radiator_sun_sine=math.sin(given("radiator_pointing_error")),
        radiator_sun_follows_velocity=found("velocity_sun_share"),
        radiator_earth_view=found("radiator_earth_view"),
        radiator_array_view=found("radiator_array_view"),
        design_radiator_temperature=radiator,
        design_coolant_temperature=coolant,
        masses={line: float(mass[index]) for line, mass in sized.masses.items()},
        propellant=found("propellant"),
        drag_area=found("drag_area"),
        stowed_volume=found("stowed_volume"),
    )
