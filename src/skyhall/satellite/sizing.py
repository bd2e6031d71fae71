"""Sizing: from the compute wanted to a satellite whose mass, power and heat close together.

Loads ask for array and battery, heat for radiator; the radiator cools by night and asks for heaters; array and
radiator see each other; both drag through the air, and the thruster that makes up for it asks for power. Iterated
until nothing moves. Everything is computed at the age and season where it is worst: array and battery at end of life
on the worst day, radiator at end of life on the hottest, heaters in the longest night. What it leaves out:
radiation dose (the array ages by the catalogue's rate), launch loads, and the heat of battery and thruster at their
own place (all bus power is heat in the coolant).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.satellite.attitude import AttitudeView, attitude_view
from skyhall.satellite.heaters import Cooling, Heating, coldest_coolant, cooling, heating
from skyhall.satellite.masses import drag, exhaust_speed, mass_budget
from skyhall.satellite.night import BATTERY_CASES, battery_need, longest_eclipse
from skyhall.satellite.radiator import coolant_limit
from skyhall.satellite.sized import OPEN_LINES, SizedSatellite, to_design
from skyhall.satellite.sizing_inputs import SizingInputs, check, columns, designs_shape
from skyhall.satellite.worst_case import Season, season, velocity_sun_share
from skyhall.types import Array

__all__ = ["SizedSatellite", "SizingInputs", "size", "to_design"]

STANDARD_SUNLIGHT: Final = 1361.0  # W/m², at which specific power is quoted: Kopp & Lean (2011)
_CONVERGED = 1e-11  # relative; below the 1e-9 promised even where a round only gains a factor of ten
_MOST_ROUNDS = 200
_ARRAY_CASES = ("eclipse_season", "seasonal_cosine", "aphelion")
_RADIATOR_CASES = ("sunlight", "earth_infrared", "array_rear")


def size(inputs: SizingInputs, *, strict: bool = True, chunk: int = 2048) -> SizedSatellite:
    """Return the satellites that do the work of `inputs`, with mass, power and heat closed together.

    Parameters
    ----------
    inputs : numbers or arrays that broadcast together; see `SizingInputs`.
    strict : raise when a design does not close; otherwise it is marked in `closes` and `open_line`.
    chunk : designs worked on at once; bounds the memory to some `chunk` × days × 20 numbers.

    Raises
    ------
    ValueProblem : a value that cannot be, or (when `strict`) a design that does not close, with its line.

    Notes
    -----
    Fixed-point iteration to 1e-9 relative. Sources of the parts: `worst_case`, `night`, `radiator`, `attitude`,
    `masses`; the method is that of Larson & Wertz, Space Mission Analysis and Design (3rd ed.), ch. 10 and 11.
    """
    check(inputs)
    shape = designs_shape(inputs)
    count = int(np.prod(shape, dtype=int))
    starts = range(0, count, chunk)
    pieces = [_size_chunk(columns(inputs, shape, start, min(start + chunk, count))) for start in starts]
    sized = _joined(inputs, shape, pieces, [min(chunk, count - start) for start in starts])
    if strict and not np.all(sized.closes):
        first = int(np.flatnonzero(~sized.closes)[0])
        line = str(sized.open_line.ravel()[first])
        which = f"design {first} of {count}" if count > 1 else "the satellite"
        raise ValueProblem(f"{which} does not close on line '{line}': {OPEN_LINES[line]}")
    return sized


@dataclass(slots=True)
class _State:
    """What the iteration moves, one entry per design."""

    array_area: Array
    radiator_area: Array
    heater: Array  # W, mean of the longest night
    thruster: Array  # W, at high solar activity


@dataclass(frozen=True, slots=True)
class _Demand:
    """What does not move during the iteration."""

    days: Season
    it_power: Array
    it_night: Array
    overhead: Array  # conversion losses and pumps per W of IT
    fixed_load: Array  # W without thruster, pumps included
    pumped: Array  # bus load per W of it that is not the pump's own
    coolant: Array  # K, mean, hot case
    radiator: Array  # K
    emitted: Array  # W/m² per emitting area
    rear_share: Array  # of the array's heat
    frontal_array: Array
    frontal_radiator: Array

    def loads(self, state: _State) -> tuple[Array, Array]:
        """Return the bus load in the light and in the dark, W."""
        common = self.fixed_load + self.pumped * state.thruster
        lit = common + (1.0 + self.overhead) * self.it_power
        return lit, common + state.heater + (1.0 + self.overhead) * self.it_night


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round of the iteration found, with what explains it."""

    state: _State
    view: AttitudeView
    worst_day: npt.NDArray[np.intp]
    hot_day: npt.NDArray[np.intp]
    sun_share: Array
    absorbed: Array  # (designs, days) W per m² emitting
    rear: Array  # (designs, days) of it, from the array's rear
    net: Array
    drag_area: Array
    heating: Heating
    cooling: Cooling


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
    radiating = inputs.radiator_emissivity * inputs.radiator_fin_efficiency * STEFAN_BOLTZMANN
    angles = attitude_view(inputs.attitude, inputs.altitude[:1], 0.0, 1.0, 1.0, 1.0, 1.0)
    # All that the bus draws is heat, of which the pump takes its share, its own heat included.
    pumped = 1.0 / (1.0 - np.asarray(inputs.pump_share))
    return _Demand(
        days=season(inputs),
        it_power=it_power,
        it_night=it_power * (inputs.idle_share + (1.0 - inputs.idle_share) * inputs.night_share),
        overhead=pumped / inputs.conversion_efficiency - 1.0,
        fixed_load=pumped
        * (inputs.avionics_power + inputs.terminals * inputs.terminal_power + inputs.downlink_power),
        pumped=pumped,
        coolant=0.5 * (ladder.coolant_hot + ladder.coolant_cold),
        radiator=ladder.radiator,
        emitted=radiating * ladder.radiator**4,
        rear_share=inputs.array_emissivity_rear
        / (inputs.array_emissivity_front + inputs.array_emissivity_rear),
        frontal_array=angles.array_frontal_fraction(inputs.beta).mean(axis=-1),
        frontal_radiator=angles.radiator_frontal_fraction(inputs.beta).mean(axis=-1),
    )


def _iterate(inputs: SizingInputs, demand: _Demand) -> tuple[_Round, Array, int]:
    """Return the last round, how far each design still moved in it, and the number of rounds."""
    guess = demand.it_power + 0.0 * inputs.altitude
    state = _State(guess / 200.0, guess / 400.0, 0.0 * guess, 0.0 * guess)  # any positive size: forgotten
    rounds = 0
    while True:
        rounds += 1
        found = _one_round(inputs, demand, state)
        moved = _moved(state, found.state, demand.it_power)
        state = found.state
        if rounds == _MOST_ROUNDS or np.max(moved, initial=0.0) <= _CONVERGED:
            return found, moved, rounds


def _one_round(inputs: SizingInputs, demand: _Demand, state: _State) -> _Round:
    days = demand.days
    lit, night = demand.loads(state)
    need = lit[:, None] * days.area_per_lit_load + night[:, None] * days.area_per_night_load
    worst = np.argmax(need, axis=-1)
    view = _view(inputs, state)
    coupling = inputs.radiator_emissivity * view.radiator_array_view * demand.rear_share
    sun_share = velocity_sun_share(inputs, view)
    absorbed, rear = days.on_radiator(sun_share, coupling, lit / state.array_area)
    hot = np.argmax(absorbed, axis=-1)
    net = demand.emitted - _at(absorbed, hot)
    drag_area = demand.frontal_array * state.array_area + demand.frontal_radiator * state.radiator_area
    thrust = drag(inputs.air_density_high, inputs.altitude, inputs.drag_coefficient, drag_area)
    jet = 0.5 * thrust * exhaust_speed(inputs.specific_impulse)
    drop = demand.coolant - demand.radiator
    cold = cooling(inputs, view, state.radiator_area, night - state.heater, lit, drop)
    heaters = heating(inputs, cold, demand.fixed_load)
    moved = _State(
        array_area=_at(need, worst),
        radiator_area=lit / (2.0 * np.where(net > 0.0, net, np.nan)),
        heater=heaters.mean,
        thruster=jet / inputs.thruster_efficiency,
    )
    return _Round(moved, view, worst, hot, sun_share, absorbed, rear, net, drag_area, heaters, cold)


def _view(inputs: SizingInputs, state: _State) -> AttitudeView:
    # What has no size (it does not close) gets any, so that the others can go on.
    array, radiator = (np.where(area > 0.0, area, 1.0) for area in (state.array_area, state.radiator_area))
    return attitude_view(
        inputs.attitude,
        inputs.altitude,
        inputs.radiator_pointing_error,
        np.sqrt(array * inputs.array_aspect),
        np.sqrt(array / inputs.array_aspect),
        np.sqrt(radiator * inputs.radiator_aspect),
        np.sqrt(radiator / inputs.radiator_aspect),
    )


def _moved(before: _State, after: _State, scale: Array) -> Array:
    moves = (
        np.abs(after.array_area / before.array_area - 1.0),
        np.abs(after.radiator_area / before.radiator_area - 1.0),
        np.abs(after.heater - before.heater) / scale,
        np.abs(after.thruster - before.thruster) / scale,
    )
    # What has become NaN has no solution and will not move again.
    return np.asarray(np.nan_to_num(np.max(np.broadcast_arrays(*moves), axis=0), nan=0.0))


def _size_chunk(inputs: SizingInputs) -> dict[str, Any]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        demand = _demand(inputs)
        last, moved, rounds = _iterate(inputs, demand)
        found = _loads(inputs, demand, last) | _array(inputs, demand, last)
        lit, night = demand.loads(last.state)
        heaters = last.heating
        peak, safe = night + heaters.peak - heaters.mean, demand.fixed_load + heaters.safe
        battery = battery_need(inputs, night, peak, safe)
        budget = mass_budget(
            inputs,
            bus_power=lit,
            array_power_begin=found["array_power_begin"],
            battery_capacity_begin=battery.capacity_begin,
            radiator_area=last.state.radiator_area,
            drag_force=drag(inputs.air_density, inputs.altitude, inputs.drag_coefficient, last.drag_area),
        )
        found |= _heat(inputs, demand, last) | {
            "iterations": rounds,
            "battery_capacity_begin": battery.capacity_begin,
            "battery_capacity_end": battery.capacity_end,
            "depth_of_discharge": battery.depth_of_discharge,
            "longest_eclipse": longest_eclipse(inputs),
            "battery_case": _tokens(BATTERY_CASES, battery.case),
            "masses": budget.lines,
            "propellant": budget.propellant,
            "mass": budget.mass,
            "mass_growth": budget.growth,
            "stowed_volume": budget.dry / inputs.stowed_density,
            "drag_area": last.drag_area,
        }
        return found | _verdict(found, moved)


def _loads(inputs: SizingInputs, demand: _Demand, last: _Round) -> dict[str, Any]:
    lit, night = demand.loads(last.state)
    return {
        "it_power": demand.it_power,
        "it_idle": demand.it_power * inputs.idle_share,
        "fixed_load": demand.fixed_load + demand.pumped * last.state.thruster,
        "heater_power": last.heating.installed,
        "night_heating": last.heating.mean,
        "safe_mode_power": demand.fixed_load + last.heating.safe,
        "thruster_power": last.state.thruster,
        "overhead_per_it": demand.overhead,
        "bus_power": lit,
        "night_power": night,
        "power_overhead": lit / demand.it_power,
    }


def _array(inputs: SizingInputs, demand: _Demand, last: _Round) -> dict[str, Any]:
    days, worst, area = demand.days, last.worst_day, last.state.array_area
    dark = _at(inputs.dark_share, worst) > 0.0
    slanted = _at(days.incidence, worst) < 0.999 * np.max(days.incidence, axis=-1)
    return {
        "array_area": area,
        "array_power_begin": area * STANDARD_SUNLIGHT * inputs.cell_efficiency * inputs.array_packing,
        "array_power_end": area * _at(days.power_per_area, worst),
        "array_end_share": np.exp(-inputs.array_degradation * inputs.life),
        "worst_cell_temperature": _at(days.cell_temperature, worst),
        "array_earth_view": _at(days.array_earth_view, worst),
        "array_case": _tokens(_ARRAY_CASES, np.where(dark, 0, np.where(slanted, 1, 2))),
    }


def _heat(inputs: SizingInputs, demand: _Demand, last: _Round) -> dict[str, Any]:
    lit, _ = demand.loads(last.state)
    infrared = demand.days.infrared[:, 0]
    rear = _at(last.rear, last.hot_day)
    sunlight = _at(last.absorbed, last.hot_day) - infrared - rear
    parts = np.broadcast_arrays(sunlight, infrared, rear)
    area = last.state.radiator_area
    return {
        "heat": lit,
        "radiator_area": area,
        "radiator_temperature": demand.radiator,
        "coolant_temperature": demand.coolant,
        "coldest_coolant": coldest_coolant(last.cooling),
        "absorbed": demand.emitted - last.net,
        "net_flux": last.net,
        "radiator_earth_view": last.view.radiator_earth_view,
        "radiator_array_view": last.view.radiator_array_view,
        "velocity_sun_share": last.sun_share,
        "radiator_case": _tokens(_RADIATOR_CASES, np.argmax(np.stack(parts), axis=0)),
    }


def _verdict(found: Mapping[str, Any], moved: Array) -> dict[str, Any]:
    """Say for each design whether it closes, on which line not, and what binds."""
    cold = found["net_flux"] > 0.0
    still_open = {
        "radiator": ~cold,
        "array": ~(found["array_area"] > 0.0) & cold,
        "battery": ~np.isfinite(found["battery_capacity_end"]),
        "drag": (moved > _CONVERGED) | ~np.isfinite(found["thruster_power"]),
        "mass": ~(found["mass"] > 0.0),
    }
    tests = np.broadcast_arrays(*still_open.values())
    line = _tokens(("", *still_open), np.select(tests, range(1, len(tests) + 1), default=0))
    lines = {**found["masses"], "propellant": found["propellant"]}
    weights = np.stack(np.broadcast_arrays(*lines.values()))
    heaviest = _tokens(tuple(lines), np.argmax(weights, axis=0))
    binding = heaviest.astype("<U40")
    for name in ("array", "battery", "radiator"):
        mine = heaviest == name
        token = np.broadcast_to(found[f"{name}_case"], heaviest.shape)
        binding[mine] = np.char.add(f"{name}:", token[mine])
    return {"closes": line == "", "open_line": line, "binding": binding}


def _joined(
    inputs: SizingInputs, shape: tuple[int, ...], pieces: list[dict[str, Any]], lengths: list[int]
) -> SizedSatellite:
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


def _tokens(names: tuple[str, ...], index: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
    return np.asarray(np.array(names)[index], dtype=np.str_)


def _at(values: Array, day: npt.NDArray[np.intp]) -> Array:
    rows = np.broadcast_to(values, (day.shape[0], values.shape[-1]))
    return np.asarray(np.take_along_axis(rows, day[:, None], axis=-1)[:, 0])
