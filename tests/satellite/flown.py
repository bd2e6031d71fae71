"""A design flown step by step through equal orbits, with the twin's formulas: what a sizing must live through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.orbit.elements import kepler_period
from skyhall.satellite.battery import charging_power, discharging_power, energy_change
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.heat import (
    coolant_change,
    environment_flux,
    heater_load,
    junction_temperature,
    radiated,
    radiator_change,
)
from skyhall.satellite.solar_array import (
    array_absorbed,
    array_emitted,
    array_power,
    array_temperature_change,
    cell_efficiency,
)


class Flown(NamedTuple):
    lowest_charge: float  # share of capacity
    highest_charge: float
    hottest_junction: float  # K
    coldest_coolant: float  # K


def fly(
    design: SatelliteDesign,
    beta: float,
    dark: float,
    irradiance: float,
    *,
    step: float = 60.0,
    orbits: float = 10.0,
) -> Flown:
    """Step a design through equal orbits; what counts is the second half."""
    period = float(kepler_period(design.altitude))
    energy, cells = design.battery_capacity, 330.0
    coolant, radiator = design.design_coolant_temperature, design.design_radiator_temperature
    emissivity = design.array_emissivity_front + design.array_emissivity_rear
    slope = 4.0 * emissivity * STEFAN_BOLTZMANN * 390.0**3
    emitting = 2.0 * design.radiator_area * design.radiator_emissivity * design.radiator_fin_efficiency
    across = design.coolant_to_radiator
    radiating_slope = 4.0 * emitting * STEFAN_BOLTZMANN * 350.0**3
    gains = step * np.linalg.inv(
        [
            [design.coolant_heat_capacity + step * across, -step * across],
            [-step * across, design.radiator_heat_capacity + step * (across + radiating_slope)],
        ]
    )
    taper = 1.0 / (design.charge_efficiency * design.taper_time)
    lowest, highest, hottest, coldest = energy, 0.0, 0.0, 1e3
    cosine = 1.0 if design.attitude == "sun_tracking" else np.sin(abs(beta))
    view = design.array_earth_view_front
    for now in np.arange(0.0, orbits * period, step):
        phase = 2.0 * np.pi * now / period  # from local noon
        lit = float(abs((now / period) % 1.0 - 0.5) > 0.5 * dark)
        sunlight = lit * irradiance * cosine
        reflected = 0.3 * irradiance * max(np.cos(beta) * np.cos(phase), 0.0)
        work = (
            design.it_power
            if lit
            else design.it_idle + design.night_share * (design.it_power - design.it_idle)
        )
        load = design.fixed_load + (1.0 + design.overhead_per_it) * work
        load += heater_load(coolant, design.heater_power, design.heater_set, 1.0 / design.heater_band)
        coefficient, reference = design.cell_temperature_coefficient, design.cell_reference_temperature
        quality = cell_efficiency(design.cell_efficiency, coefficient, cells, reference)
        possible = array_power(sunlight, design.cell_area, quality)
        charge = charging_power(
            max(possible - load, 0.0), energy, design.battery_capacity, design.charge_limit, taper
        )
        discharge = discharging_power(
            max(load - possible, 0.0),
            energy,
            design.battery_reserve,
            design.discharge_limit,
            design.discharge_efficiency / step,
        )
        assert possible + discharge >= load * (1.0 - 1e-9), "the load is not carried"
        drawn = min(possible, load) + charge
        energy += energy_change(
            charge, discharge, design.charge_efficiency, 1.0 / design.discharge_efficiency, step
        )
        heat = array_absorbed(
            sunlight,
            drawn / design.array_area,
            design.array_absorptivity,
            2.0 * view * reflected,
            emissivity * view * 237.0,
        )
        emission = design.array_emissivity_rear * STEFAN_BOLTZMANN * cells**4
        cells += array_temperature_change(
            heat, array_emitted(emissivity, cells), step / (design.array_heat_capacity + step * slope)
        )
        along = design.radiator_sun_follows_velocity * np.cos(beta) * abs(np.sin(phase))
        absorbed = environment_flux(
            lit * irradiance,
            design.radiator_sun_sine + along,
            design.radiator_absorptivity,
            reflected,
            design.radiator_earth_view,
            design.radiator_emissivity * design.radiator_earth_view * 237.0,
            emission,
            design.radiator_emissivity * design.radiator_array_view,
        )
        through = across * (coolant - radiator)
        out = radiated(emitting, radiator) - 2.0 * design.radiator_area * absorbed
        warmer = coolant_change(load - through, through - out, gains[0, 0], gains[0, 1])
        radiator += radiator_change(load - through, through - out, gains[0, 1], gains[1, 1])
        coolant += warmer
        if now > 0.5 * orbits * period:  # the start is not of this orbit
            lowest, highest = min(lowest, energy), max(highest, energy)
            hottest = max(hottest, junction_temperature(coolant, work, design.junction_resistance))
            coldest = min(coldest, coolant)
    return Flown(
        lowest / design.battery_capacity,
        highest / design.battery_capacity,
        hottest,
        coldest,
    )
