"""The same flight in plain NumPy: every satellite at once, every step in turn, double precision, exact angles.

The reference that the compiled kernel is held against, and the clearest statement of what a step is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skyhall.constants import ASTRONOMICAL_UNIT, DAY, EARTH_RADIUS, SOLAR_RADIUS
from skyhall.environment.upset_field import UpsetField
from skyhall.orbit.elements import MeanElements, secular_rates
from skyhall.orbit.shadow import limb_distance, mean_lit_fraction
from skyhall.orbit.sun import greenwich_angle, sun_direction
from skyhall.satellite.battery import charging_power, discharging_power, energy_change
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.heat import (
    coolant_change,
    environment_flux,
    heater_load,
    junction_temperature,
    power_at_junction_limit,
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
from skyhall.twin import tile as t
from skyhall.twin.state import Environment, design_parameters
from skyhall.types import Array

__all__ = ["PlainFlight", "fly_plain"]


@dataclass(frozen=True, slots=True)
class PlainFlight:
    """Every satellite at the end of every step; (steps, satellites) each, double precision."""

    position: Array  # (steps, satellites, 3) m, TEME
    lit: Array
    array_w: Array
    work_w: Array
    battery_j: Array
    coolant_k: Array
    radiator_k: Array
    junction_k: Array
    array_k: Array
    charging_w: Array
    discharging_w: Array
    load_w: Array
    curtailed_w: Array
    rejected_w: Array  # net heat from radiator to surroundings
    sunlight_w_m2: Array  # on the array
    array_heat_w_m2: Array  # taken up by the array, emission apart, per m² of panel
    array_drawn_w: Array  # electric power that left the array while it took up that heat
    loop_w: Array  # heat into the coolant
    upsets_per_s: Array  # per accelerator


def fly_plain(
    elements: MeanElements,
    design: SatelliteDesign,
    environment: Environment,
    *,
    upsets: UpsetField | None = None,
    epoch: float,
    start: float = 0.0,
    steps: int,
    step: float = 60.0,
) -> PlainFlight:
    """Fly satellites of one design; the state begins as the kernel's does (full, at its sized temperature)."""
    p = design_parameters(design, environment, step, dtype=np.float64)
    raan_rate, perigee_rate, anomaly_rate = secular_rates(
        elements.semi_major_axis, elements.eccentricity, elements.inclination
    )
    upsets = upsets or UpsetField.none(len(elements))
    horizon_sine = EARTH_RADIUS / elements.semi_major_axis
    horizon_cosine = np.sqrt(1.0 - horizon_sine**2)

    def place(seconds: float) -> tuple[Array, Array, Array]:
        """Return unit vectors along radius, velocity and orbit normal, (satellites, 3)."""
        node = elements.raan + raan_rate * seconds
        latitude = (
            elements.argument_of_perigee + elements.mean_anomaly + (perigee_rate + anomaly_rate) * seconds
        )
        c, s, ci, si = np.cos(node), np.sin(node), np.cos(elements.inclination), np.sin(elements.inclination)
        toward = np.stack([c, s, 0.0 * c], axis=-1)
        beside = np.stack([-s * ci, c * ci, si], axis=-1)
        cu, su = np.cos(latitude)[:, None], np.sin(latitude)[:, None]
        return cu * toward + su * beside, cu * beside - su * toward, np.stack([s * si, -c * si, ci], axis=-1)

    def sun_at(seconds: float) -> tuple[Array, float]:
        unit, distance = sun_direction(epoch + seconds / DAY)
        return unit, float(distance)

    unit, distance = sun_at(start)
    radial, _, _ = place(start)
    limb = limb_distance(radial @ unit, horizon_sine, horizon_cosine, distance / SOLAR_RADIUS)
    count = len(elements)
    energy = np.full(count, design.battery_capacity)
    coolant = np.full(count, design.design_coolant_temperature)
    radiator = np.full(count, design.design_radiator_temperature)
    array_k = np.full(count, design.cell_reference_temperature)
    drawn = np.zeros(count)
    kept: dict[str, list[Array]] = {name: [] for name in PlainFlight.__slots__}
    for index in range(steps):
        now = start + (index + 1) * step
        unit, distance = sun_at(now)
        irradiance = environment.irradiance * (ASTRONOMICAL_UNIT / distance) ** 2
        radial, along, normal = place(now)
        sun_cosine, sun_along = radial @ unit, along @ unit
        # Light
        before, limb = limb, limb_distance(sun_cosine, horizon_sine, horizon_cosine, distance / SOLAR_RADIUS)
        lit = mean_lit_fraction(before, limb)
        # Array
        incidence = np.abs(normal @ unit) if design.attitude == "orbit_normal" else 1.0
        sunlight = irradiance * incidence * lit
        efficiency = cell_efficiency(
            p[t.P_EFFICIENCY], p[t.P_TEMPERATURE_COEFFICIENT], array_k, p[t.P_REFERENCE_K]
        )
        power = array_power(sunlight, p[t.P_CELL_AREA], efficiency)
        day = np.maximum(sun_cosine, 0.0)
        albedo = environment.albedo * irradiance
        absorbed = array_absorbed(
            sunlight,
            np.minimum(drawn, power) * p[t.P_PER_ARRAY_AREA],
            p[t.P_ARRAY_ABSORPTIVITY],
            day * albedo * p[t.P_ARRAY_ALBEDO_VIEW],
            p[t.P_ARRAY_INFRARED],
        )
        taken = np.minimum(drawn, power)
        emitted = array_emitted(p[t.P_ARRAY_EMISSIVITY], array_k)
        array_k = array_k + array_temperature_change(absorbed, emitted, p[t.P_ARRAY_GAIN])
        # Power
        planned = p[t.P_IDLE] + (p[t.P_WORK] - p[t.P_IDLE]) * (p[t.P_NIGHT] + (1.0 - p[t.P_NIGHT]) * lit)
        cap = power_at_junction_limit(p[t.P_JUNCTION_LIMIT], coolant, p[t.P_JUNCTION_CONDUCTANCE])
        allowed = np.minimum(planned, np.maximum(cap, 0.0))
        heaters = heater_load(coolant, p[t.P_HEATER], p[t.P_HEATER_SET], p[t.P_HEATER_SLOPE])
        load = p[t.P_FIXED] + heaters + p[t.P_LOAD_PER_WORK] * allowed
        net = power - load
        surplus = np.maximum(net, 0.0)
        charging = charging_power(surplus, energy, p[t.P_CAPACITY], p[t.P_CHARGE_LIMIT], p[t.P_TAPER])
        discharging = discharging_power(
            surplus - net, energy, p[t.P_RESERVE], p[t.P_DISCHARGE_LIMIT], p[t.P_DRAIN]
        )
        unmet = surplus - net - discharging
        drawn = power - (surplus - charging)
        work = np.maximum(allowed - unmet * p[t.P_WORK_PER_LOAD], 0.0)
        energy = energy + energy_change(
            charging, discharging, p[t.P_CHARGE_EFFICIENCY], p[t.P_INVERSE_DISCHARGE], step
        )
        loop = (
            load
            - unmet
            + charging * (1.0 - p[t.P_CHARGE_EFFICIENCY])
            + discharging * (p[t.P_INVERSE_DISCHARGE] - 1.0)
        )
        # Heat
        surroundings = environment_flux(
            irradiance * lit,
            p[t.P_RADIATOR_SUN_SINE] + p[t.P_RADIATOR_SUN_ALONG] * np.abs(sun_along),
            p[t.P_RADIATOR_ABSORPTIVITY],
            day * albedo,
            p[t.P_RADIATOR_EARTH_VIEW],
            p[t.P_RADIATOR_INFRARED],
            array_emitted(p[t.P_ARRAY_REAR_EMISSIVITY], array_k),
            p[t.P_ARRAY_COUPLING],
        )
        flow = (coolant - radiator) * p[t.P_LOOP_CONDUCTANCE]
        into_coolant = loop - flow
        into_radiator = flow + surroundings * p[t.P_EMITTING] - radiated(p[t.P_RADIATING], radiator)
        warmer = coolant_change(into_coolant, into_radiator, p[t.P_GAIN_CC], p[t.P_GAIN_CR])
        change = radiator_change(into_coolant, into_radiator, p[t.P_GAIN_CR], p[t.P_GAIN_RR])
        stored = (design.coolant_heat_capacity * warmer + design.radiator_heat_capacity * change) / step
        coolant, radiator = coolant + warmer, radiator + change
        junction = junction_temperature(coolant, work, p[t.P_JUNCTION_RESISTANCE])
        now_kept = (
            radial * elements.semi_major_axis[:, None], lit, power, work, energy, coolant, radiator, junction, array_k,
            charging, discharging, load - unmet, surplus - charging, loop - stored,
            sunlight, absorbed, taken, loop,
            upsets.at(radial[:, None], greenwich_angle(np.array([epoch + now / DAY])))[:, 0],
        )  # fmt: skip
        for name, values in zip(kept, now_kept, strict=True):
            kept[name].append(values)
    return PlainFlight(**{name: np.stack(values) for name, values in kept.items()})
