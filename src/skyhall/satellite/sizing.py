"""Sizing: from the compute wanted to a satellite whose mass, power and heat close together.

Loads ask for array and battery; heat for radiator; the radiator cools by night and asks for heaters; array and radiator
see each other and drag through the air, and the thruster that makes up for it asks for power: iterated until nothing
moves. Everything is computed at the age and season where it is worst: array and battery at end of life on the worst
day, radiator at end of life on the hottest, heaters at begin of life in the longest night.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import kepler_period
from skyhall.satellite import masses
from skyhall.satellite.attitude import attitude_view
from skyhall.satellite.battery_life import allowed_depth_of_discharge, calendar_fade
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.radiator import coolant_limit
from skyhall.satellite.sizing_inputs import SEASON_FIELDS, SizingInputs
from skyhall.satellite.worst_case import Season, cold_night, season
from skyhall.types import Array

__all__ = ["SizedSatellite", "SizingInputs", "size", "to_design"]

STANDARD_SUNLIGHT: Final = 1361.0  # W/m², at which specific power is quoted: Kopp & Lean (2011)
_CONVERGED = 1e-11  # relative; one decade below the promise of 1e-9 even at a contraction of 0.9
_MOST_ITERATIONS = 200
_RADIATOR_CASES = ("sunlight", "earth_infrared", "array_rear")
_ARRAY_CASES = ("eclipse_season", "seasonal_cosine", "aphelion")
_BATTERY_CASES = ("energy", "cycle_life", "discharge_rate", "charge_rate", "minimum")
_LINES = ("", "array", "radiator", "battery", "mass", "iteration")
_REASONS = {
    "array": "the solar array gives no power on the worst day",
    "radiator": "the radiator takes in as much heat as it gives off at the temperature that the chips allow",
    "battery": "the battery may not be discharged at all",
    "mass": "structure, margin and tanks grow faster than the mass that they carry",
    "iteration": "array, radiator and air drag drive each other up without end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedSatellite:
    """What `size` found, in SI units; arrays over the designs, all of one shape.

    Where `closes` is false the numbers are NaN and `open_line` names the line that does not close.
    """

    inputs: SizingInputs
    closes: npt.NDArray[np.bool_]
    open_line: npt.NDArray[np.str_]  # "" | "array" | "radiator" | "battery" | "mass" | "iteration"
    iterations: int
    # loads, W
    it_power: Array
    it_idle: Array
    fixed_load: Array  # avionics, terminals, thruster and heaters
    heater_power: Array
    thruster_power: Array
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
    radiator_case: npt.NDArray[np.str_]
    # mass
    masses: Mapping[str, Array]  # kg
    propellant: Array  # kg
    drag_area: Array  # m²
    stowed_volume: Array  # m³
    mass: Array  # kg at launch
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


def size(inputs: SizingInputs, *, strict: bool = True, chunk: int = 2048) -> SizedSatellite:
    """Return the satellites that do the work of `inputs`, with mass, power and heat closed together.

    Parameters
    ----------
    inputs : numbers or arrays that broadcast together; see `SizingInputs`.
    strict : raise when a design does not close; otherwise mark it in `closes` and `open_line`.
    chunk : designs worked on at once; bounds the memory to some `chunk` × days × 20 numbers.

    Raises
    ------
    ValueProblem : a value that cannot be, or (when `strict`) a design that does not close, with its line.

    Notes
    -----
    Fixed-point iteration, converged to 1e-9 relative. Sources of the parts: `worst_case`, `radiator`, `attitude`,
    `masses`; the method is that of Larson & Wertz, Space Mission Analysis and Design (3rd ed.), ch. 10 and 11.
    """
    _check(inputs)
    shape = _shape(inputs)
    count = int(np.prod(shape, dtype=int))
    pieces = [
        _size_chunk(_slice(inputs, shape, start, min(start + chunk, count)))
        for start in range(0, count, chunk)
    ]
    sized = _joined(inputs, shape, pieces, chunk)
    if strict and not np.all(sized.closes):
        first = np.flatnonzero(~sized.closes.ravel())[0]
        line = str(sized.open_line.ravel()[first])
        which = f"design {first} of {count}" if count > 1 else "the satellite"
        raise ValueProblem(f"{which} does not close on line '{line}': {_REASONS[line]}")
    return sized


@dataclass(slots=True)
class _State:
    """What the iteration moves, one entry per design."""

    array_area: Array
    radiator_area: Array
    heater: Array
    thruster: Array


@dataclass(frozen=True, slots=True)
class _Demand:
    """What does not move during the iteration."""

    days: Season
    it_power: Array
    it_night: Array
    overhead: Array
    base_load: Array
    coolant: Array  # K, mean, hot case
    radiator: Array  # K
    emitted: Array  # W/m² per emitting area
    frontal_array: Array
    frontal_radiator: Array

    def loads(self, state: _State) -> tuple[Array, Array]:
        """Return the bus load in the light and in the dark, W."""
        common = self.base_load + state.thruster
        lit = common + (1.0 + self.overhead) * self.it_power
        return lit, common + state.heater + (1.0 + self.overhead) * self.it_night


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one round of the iteration found, with what explains it."""

    state: _State
    worst_day: npt.NDArray[np.intp]
    hot_day: npt.NDArray[np.intp]
    rear: Array
    absorbed: Array
    net: Array
    earth_view: Array
    array_view: Array
    coldest_coolant: Array
    drag_area: Array


def _demand(inputs: SizingInputs) -> _Demand:
    it_power = inputs.accelerators * inputs.accelerator_power
    ladder = coolant_limit(
        inputs.junction_limit - inputs.junction_margin,
        inputs.chip_power,
        inputs.junction_resistance,
        0.0,
        inputs.coolant_rise,
        inputs.coolant_drop,
    )
    view = attitude_view(inputs.attitude, 5e5, 0.0, 1.0, 1.0, 1.0, 1.0)
    return _Demand(
        days=season(inputs),
        it_power=it_power,
        it_night=it_power * (inputs.idle_share + (1.0 - inputs.idle_share) * inputs.night_share),
        overhead=1.0 / inputs.conversion_efficiency - 1.0 + inputs.pump_share,
        base_load=inputs.avionics_power + inputs.terminals * inputs.terminal_power,
        coolant=0.5 * (ladder.coolant_hot + ladder.coolant_cold),
        radiator=ladder.radiator,
        emitted=inputs.radiator_emissivity
        * inputs.radiator_fin_efficiency
        * STEFAN_BOLTZMANN
        * np.maximum(ladder.radiator, 0.0) ** 4,
        frontal_array=view.array_frontal_fraction(inputs.beta).mean(axis=-1),
        frontal_radiator=view.radiator_frontal_fraction(inputs.beta).mean(axis=-1),
    )


def _iterate(inputs: SizingInputs, demand: _Demand) -> tuple[_Answer, Array, int]:
    """Return the last round, how far each design still moved, and the number of rounds."""
    guess = demand.it_power + 0.0 * inputs.altitude
    state = _State(
        guess / 200.0, guess / 400.0, 0.0 * guess, 0.0 * guess
    )  # any positive size: it is forgotten
    for iteration in range(1, _MOST_ITERATIONS + 1):
        answer = _round(inputs, demand, state)
        moved = _moved(state, answer.state, demand.it_power)
        state = answer.state
        if np.max(moved, initial=0.0) <= _CONVERGED:
            break
    return answer, moved, iteration


def _round(inputs: SizingInputs, demand: _Demand, state: _State) -> _Answer:
    days = demand.days
    lit, night = demand.loads(state)
    need = lit[:, None] * days.area_per_lit_load + night[:, None] * days.area_per_night_load
    worst = np.argmax(need, axis=-1)
    view = attitude_view(
        inputs.attitude,
        inputs.altitude,
        inputs.radiator_pointing_error,
        np.sqrt(state.array_area * inputs.array_aspect),
        np.sqrt(state.array_area / inputs.array_aspect),
        np.sqrt(state.radiator_area * inputs.radiator_aspect),
        np.sqrt(state.radiator_area / inputs.radiator_aspect),
    )
    rear_share = inputs.array_emissivity_rear / (inputs.array_emissivity_front + inputs.array_emissivity_rear)
    rear = rear_share[:, None] * (days.array_heat - (lit / state.array_area)[:, None])
    coupling = inputs.radiator_emissivity * view.radiator_array_view
    absorbed = days.sunlight + days.infrared + coupling[:, None] * rear
    hot = np.argmax(absorbed, axis=-1)
    net = demand.emitted - _at(absorbed, hot)
    cold = cold_night(
        inputs, state.radiator_area, night - state.heater, lit, demand.coolant - demand.radiator
    )
    drag_area = demand.frontal_array * state.array_area + demand.frontal_radiator * state.radiator_area
    thrust = masses.drag(inputs.air_density, inputs.altitude, inputs.drag_coefficient, drag_area)
    exhaust = masses.exhaust_speed(inputs.specific_impulse)
    found = _State(
        array_area=_at(need, worst),
        radiator_area=lit / (2.0 * np.where(net > 0.0, net, np.nan)),
        heater=cold.heater_power,
        thruster=0.5 * thrust * exhaust / inputs.thruster_efficiency,
    )
    return _Answer(
        found,
        worst,
        hot,
        rear,
        _at(absorbed, hot),
        net,
        view.radiator_earth_view,
        view.radiator_array_view,
        cold.coolant_temperature,
        drag_area,
    )


def _moved(before: _State, after: _State, scale: Array) -> Array:
    moves = (
        np.abs(after.array_area / before.array_area - 1.0),
        np.abs(after.radiator_area / before.radiator_area - 1.0),
        np.abs(after.heater - before.heater) / scale,
        np.abs(after.thruster - before.thruster) / scale,
    )
    # What has become NaN has no solution and will not move again.
    return np.asarray(np.nan_to_num(np.max(np.broadcast_arrays(*moves), axis=0), nan=0.0, posinf=0.0))


def _size_chunk(inputs: SizingInputs) -> dict[str, Any]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        demand = _demand(inputs)
        answer, moved, iterations = _iterate(inputs, demand)
        state, days = answer.state, demand.days
        lit, night = demand.loads(state)
        battery = _battery(inputs, demand, night)
        end_share = np.exp(-inputs.array_degradation * inputs.life)
        begin_per_area = STANDARD_SUNLIGHT * inputs.cell_efficiency * inputs.array_packing
        found = {
            "it_power": demand.it_power,
            "it_idle": demand.it_power * inputs.idle_share,
            "fixed_load": demand.base_load + state.thruster + state.heater,
            "heater_power": state.heater,
            "thruster_power": state.thruster,
            "overhead_per_it": demand.overhead,
            "bus_power": lit,
            "night_power": night,
            "power_overhead": lit / demand.it_power,
            "array_area": state.array_area,
            "array_power_begin": begin_per_area * state.array_area,
            "array_power_end": state.array_area * _at(days.power_per_area, answer.worst_day),
            "array_end_share": end_share,
            "worst_cell_temperature": _at(days.cell_temperature, answer.worst_day),
            "array_earth_view": _at(days.array_earth_view, answer.worst_day),
            "array_case": _array_case(inputs, days, answer.worst_day),
            "heat": lit,
            "radiator_area": state.radiator_area,
            "radiator_temperature": demand.radiator,
            "coolant_temperature": demand.coolant,
            "coldest_coolant": answer.coldest_coolant,
            "absorbed": answer.absorbed,
            "net_flux": answer.net,
            "radiator_earth_view": answer.earth_view,
            "radiator_array_view": answer.array_view,
            "radiator_case": _radiator_case(inputs, days, answer),
            "drag_area": answer.drag_area,
        } | battery
        found |= _mass(inputs, found)
    found |= _verdict(found, moved)
    found["iterations"] = iterations
    return found


def _battery(inputs: SizingInputs, demand: _Demand, night: Array) -> dict[str, Any]:
    """Size the battery at begin of life: every need below is a capacity in J at begin of life."""
    dark = np.max(inputs.eclipse_fraction, axis=-1)
    seconds = dark * kepler_period(inputs.altitude)
    efficiency = inputs.battery_discharge_efficiency
    drawn = night * seconds / efficiency
    recharge = night * dark / ((1.0 - dark) * efficiency * inputs.battery_charge_efficiency)
    ceiling = inputs.battery_depth_limit * inputs.battery_end_capacity
    deepest, worn = (
        np.where(depth > 0.0, depth, np.nan) for depth in (ceiling, _depth_for_life(inputs, dark))
    )
    needs = np.stack(
        np.broadcast_arrays(
            drawn / deepest,
            drawn / worn,
            np.where(dark > 0.0, night, 0.0) / (inputs.battery_discharge_rate * inputs.battery_end_capacity),
            recharge / (inputs.battery_charge_rate * inputs.battery_end_capacity),
            demand.base_load * inputs.safe_mode_time / efficiency / deepest,
        )
    )
    capacity = needs.max(axis=0)
    end = capacity * inputs.battery_end_capacity
    return {
        "battery_capacity_begin": capacity,
        "battery_capacity_end": end,
        "depth_of_discharge": drawn / np.where(end > 0.0, end, 1.0),
        "longest_eclipse": seconds,
        "battery_case": _tokens(_BATTERY_CASES, np.argmax(needs, axis=0)),
    }


def _depth_for_life(inputs: SizingInputs, dark: Array) -> Array:
    """Depth in the longest night, of the capacity at begin of life, that the cycles of a life allow.

    Shorter nights are shallower cycles: they count by the power of their depth (Miner).
    """
    age = calendar_fade(
        inputs.life,
        293.15,  # the pack is held at the temperature at which its calendar fade is stated
        inputs.battery_calendar_age,
        293.15,
        inputs.battery_calendar_fade,
        0.0,
    )
    longest = np.where(dark > 0.0, dark, 1.0)
    depths = inputs.eclipse_fraction / longest[:, None]
    weights = np.mean(depths ** inputs.battery_cycle_exponent[:, None], axis=-1)
    return allowed_depth_of_discharge(
        weights * inputs.life / kepler_period(inputs.altitude),
        np.maximum(1.0 - inputs.battery_end_capacity - age, 0.0),
        inputs.battery_cycles_at_reference,
        inputs.battery_reference_depth,
        inputs.battery_cycle_exponent,
        inputs.battery_fade_at_reference,
    )


def _mass(inputs: SizingInputs, found: Mapping[str, Any]) -> dict[str, Any]:
    electronics = inputs.accelerators * inputs.accelerator_mass
    lines = {
        "payload": electronics,
        "array": found["array_power_begin"] / inputs.array_specific_power,
        "power_electronics": inputs.power_electronics_mass * found["bus_power"],
        "battery": found["battery_capacity_begin"] / inputs.battery_specific_energy,
        "radiator": inputs.radiator_areal_mass * found["radiator_area"],
        "heat_transport": inputs.transport_mass * found["heat"],
        "terminals": inputs.terminals * inputs.terminal_mass,
        "avionics": inputs.avionics_mass,
        "shielding": masses.shielding_mass(electronics, inputs.electronics_density, inputs.shielding),
    }
    exhaust = masses.exhaust_speed(inputs.specific_impulse)
    delta_v = (
        masses.disposal_delta_v(inputs.altitude, inputs.disposal_altitude)
        + inputs.manoeuvre_delta_v * inputs.life
        + inputs.transfer_delta_v
    )
    thrust = masses.drag(inputs.air_density, inputs.altitude, inputs.drag_coefficient, found["drag_area"])
    shares = {
        "structure": inputs.structure_share,
        "attitude_control": inputs.control_share,
        "propulsion": inputs.propulsion_share,
    }
    closed = masses.close_mass(
        parts=sum(lines.values()) + inputs.propulsion_mass,
        share=sum(shares.values()),
        margin=inputs.margin_share,
        tank_share=inputs.tank_share,
        drag_propellant=thrust * inputs.life / exhaust,
        delta_v_ratio=np.expm1(delta_v / exhaust),
    )
    basic = closed.dry / (1.0 + inputs.margin_share)
    lines |= {name: share * basic for name, share in shares.items()}
    lines["propulsion"] = lines["propulsion"] + inputs.propulsion_mass + inputs.tank_share * closed.propellant
    lines["margin"] = closed.dry - basic
    return {
        "masses": lines,
        "propellant": closed.propellant,
        "mass": closed.dry + closed.propellant,
        "stowed_volume": closed.dry / inputs.stowed_density,
    }


def _array_case(inputs: SizingInputs, days: Season, worst: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
    dark = _at(inputs.eclipse_fraction, worst) > 0.0
    slanted = _at(days.incidence, worst) < 0.999 * np.max(days.incidence, axis=-1)
    return _tokens(_ARRAY_CASES, np.where(dark, 0, np.where(slanted, 1, 2)))


def _radiator_case(inputs: SizingInputs, days: Season, answer: _Answer) -> npt.NDArray[np.str_]:
    rear = inputs.radiator_emissivity * answer.array_view * _at(answer.rear, answer.hot_day)
    parts = np.broadcast_arrays(_at(days.sunlight, answer.hot_day), days.infrared[:, 0], rear)
    return _tokens(_RADIATOR_CASES, np.argmax(np.stack(parts), axis=0))


def _tokens(names: tuple[str, ...], index: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
    return np.asarray(np.array(names)[index], dtype=np.str_)


def _verdict(found: Mapping[str, Any], moved: Array) -> dict[str, Any]:
    """Say for each design whether it closes, on which line not, and what binds."""
    open_on = np.broadcast_arrays(
        ~np.isfinite(found["array_area"]) & np.isfinite(found["net_flux"]) & (found["net_flux"] > 0.0),
        ~(found["net_flux"] > 0.0),
        ~np.isfinite(found["battery_capacity_end"]),
        ~(found["mass"] > 0.0),
        moved > _CONVERGED,
    )
    line = np.select(open_on, range(1, len(open_on) + 1), default=0)
    weights = np.stack(np.broadcast_arrays(*found["masses"].values()))
    heaviest = np.array(list(found["masses"]))[np.argmax(weights, axis=0)]
    case = {name: found[f"{name}_case"] for name in ("array", "battery", "radiator")}
    binding = heaviest.astype("<U40")
    for name, token in case.items():
        mine = heaviest == name
        binding[mine] = np.char.add(f"{name}:", np.broadcast_to(token, heaviest.shape)[mine])
    return {"closes": line == 0, "open_line": _tokens(_LINES, line), "binding": binding}


def _at(values: Array, day: npt.NDArray[np.intp]) -> Array:
    rows = np.broadcast_to(values, (day.shape[0], values.shape[-1]))
    return np.asarray(np.take_along_axis(rows, day[:, None], axis=-1)[:, 0])


def _shape(inputs: SizingInputs) -> tuple[int, ...]:
    shapes = []
    for item in fields(inputs):
        if item.name != "attitude":
            shape = np.shape(getattr(inputs, item.name))
            shapes.append(shape[:-1] if item.name in SEASON_FIELDS else shape)
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueProblem(f"the inputs' shapes do not broadcast: {sorted(set(shapes))}") from None


def _slice(inputs: SizingInputs, shape: tuple[int, ...], start: int, stop: int) -> SizingInputs:
    """Return the designs `start` to `stop` of the flattened shape; what all share stays a single row."""
    cut: dict[str, Any] = {}
    for item in fields(inputs):
        if item.name == "attitude":
            continue
        value = np.asarray(getattr(inputs, item.name), dtype=np.float64)
        days = value.shape[-1:] if item.name in SEASON_FIELDS else ()
        if value.size == int(np.prod(days, dtype=int)):
            cut[item.name] = value.reshape((1, *days))
        else:
            flat = np.broadcast_to(value, shape + days).reshape((-1, *days))
            cut[item.name] = flat[start:stop]
    return replace(inputs, **cut)


def _joined(
    inputs: SizingInputs, shape: tuple[int, ...], pieces: list[dict[str, Any]], chunk: int
) -> SizedSatellite:
    count = int(np.prod(shape, dtype=int))
    lengths = [min(chunk, count - start) for start in range(0, count, chunk)]

    def join(parts: list[Any]) -> Any:
        rows = [np.broadcast_to(part, length) for part, length in zip(parts, lengths, strict=True)]
        return np.concatenate(rows).reshape(shape)

    values: dict[str, Any] = {}
    for name in pieces[0]:
        parts = [piece[name] for piece in pieces]
        if name == "iterations":
            values[name] = max(parts)
        elif name == "masses":
            values[name] = {line: join([part[line] for part in parts]) for line in parts[0]}
        else:
            values[name] = join(parts)
    return SizedSatellite(inputs=inputs, **values)


_POSITIVE = (
    "altitude", "irradiance", "earth_infrared", "life", "accelerators", "accelerator_power", "chip_power",
    "junction_limit", "electronics_density", "stowed_density", "array_heat_capacity", "array_specific_power",
    "array_aspect", "radiator_aspect", "battery_specific_energy", "battery_charge_rate", "battery_discharge_rate",
    "battery_taper_time", "radiator_heat_capacity", "coolant_heat_capacity", "specific_impulse",
    "conversion_efficiency", "regulation_efficiency", "cell_efficiency", "array_packing", "array_pointing",
    "array_emissivity_front", "array_emissivity_rear", "array_absorptivity", "battery_charge_efficiency",
    "battery_discharge_efficiency", "battery_end_capacity", "radiator_emissivity", "radiator_fin_efficiency",
    "thruster_efficiency", "cell_reference_temperature",
)  # fmt: skip
_SHARES = (
    "albedo", "idle_share", "night_share", "conversion_efficiency", "regulation_efficiency", "cell_efficiency",
    "array_absorptivity", "array_emissivity_front", "array_emissivity_rear", "array_packing", "array_pointing",
    "battery_charge_efficiency", "battery_discharge_efficiency", "battery_depth_limit", "battery_end_capacity",
    "radiator_emissivity", "radiator_absorptivity_begin", "radiator_absorptivity_end", "radiator_fin_efficiency",
    "structure_share", "control_share", "propulsion_share", "thruster_efficiency",
)  # fmt: skip
_SIGNED = ("beta", "cell_temperature_coefficient")


def _check(inputs: SizingInputs) -> None:
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
    if np.any(np.asarray(inputs.eclipse_fraction) >= 1.0):
        raise ValueProblem("an orbit that is dark all the time", right="eclipse fraction below 1")


def to_design(sized: SizedSatellite, index: tuple[int, ...] = (), name: str = "satellite") -> SatelliteDesign:
    """Return the design at `index` of `sized`, at end of life, as the twin flies it.

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
        raise ValueProblem(f"design '{name}' does not close on line '{line}': {_REASONS[line]}")
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
        radiator_absorptivity=given("radiator_absorptivity_end"),
        radiator_sun_sine=math.sin(given("radiator_pointing_error")),
        radiator_sun_follows_velocity=float(inputs.attitude == "orbit_normal"),
        radiator_earth_view=found("radiator_earth_view"),
        radiator_array_view=found("radiator_array_view"),
        design_radiator_temperature=radiator,
        design_coolant_temperature=coolant,
        masses={line: float(mass[index]) for line, mass in sized.masses.items()},
        propellant=found("propellant"),
        drag_area=found("drag_area"),
        stowed_volume=found("stowed_volume"),
    )
