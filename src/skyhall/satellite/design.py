"""The sized satellite: what sizing makes, what the twin flies and what the price pays for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["SatelliteDesign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteDesign:
    """One sized satellite, in SI units. Optical and cell properties are those of the age that is flown.

    Power: bus load = `fixed_load` + (1 + `overhead_per_it`) × IT power.
    """

    name: str
    attitude: str  # "sun_tracking" | "orbit_normal"
    altitude: float  # m, of the reference orbit that it was sized for
    accelerators: int
    # loads, W
    it_power: float  # IT input at full work
    it_idle: float  # IT input when the work is paused or handed over
    fixed_load: float  # avionics, links, thruster: independent of the work
    overhead_per_it: float  # conversion losses and pumps per watt of IT
    night_share: float  # share of the work that goes on in the dark (1 ride, 0 handover)
    # solar array
    array_area: float  # m², panel
    cell_area: float  # m², panel × packing × pointing × conversion efficiency × degradation at the age flown
    cell_efficiency: float  # at the reference temperature, begin of life
    cell_temperature_coefficient: float  # 1/K, relative
    cell_reference_temperature: float  # K
    array_absorptivity: float
    array_emissivity_front: float
    array_emissivity_rear: float
    array_heat_capacity: float  # J/(m² K)
    array_earth_view_front: float
    array_earth_view_rear: float
    # battery
    battery_capacity: float  # J at the age flown
    battery_reserve: float  # J kept: capacity × (1 - depth of discharge)
    charge_efficiency: float
    discharge_efficiency: float
    charge_limit: float  # W
    discharge_limit: float  # W
    taper_time: float  # s
    # heat
    coolant_heat_capacity: float  # J/K
    radiator_heat_capacity: float  # J/K
    coolant_to_radiator: float  # W/K
    junction_resistance: float  # K per W of IT power of the whole satellite, junction to coolant
    junction_limit: float  # K
    radiator_area: float  # m², planform (one side); the emitting area is twice that
    radiator_emissivity: float
    radiator_fin_efficiency: float
    radiator_absorptivity: float  # at the age flown
    radiator_sun_sine: float  # from pointing error
    # share of the Sun along the velocity that reaches the radiator's normal face: 0 edge-on to the Sun (sun_tracking);
    # up to 1 where the radiator's normal is the velocity (orbit_normal), less the array's shadow
    radiator_sun_follows_velocity: float
    radiator_earth_view: float  # of one face
    radiator_array_view: float  # of one face to the array's rear
    design_radiator_temperature: float  # K, in the sizing's hot case
    design_coolant_temperature: float  # K
    # mass, kg
    masses: Mapping[str, float]
    propellant: float
    drag_area: float  # m²
    stowed_volume: float  # m³
    # heaters that keep the coolant liquid: off above `heater_set`, full `heater_band` below it
    heater_power: float = 0.0  # W, installed
    heater_set: float = 0.0  # K, of the coolant
    heater_band: float = 1.0  # K

    @property
    def mass(self) -> float:
        """Launch mass, kg."""
        return sum(self.masses.values()) + self.propellant

    @property
    def radiator_emitting_area(self) -> float:
        """Both faces, m²."""
        return 2.0 * self.radiator_area

    @property
    def bus_power(self) -> float:
        """Load on the bus at full work, W."""
        return self.fixed_load + (1.0 + self.overhead_per_it) * self.it_power
