"""The longest night of a season: what the battery must hold, and what keeps the coolant liquid.

What it leaves out: the battery's own heat and temperature, and that the array enters the night warm (cautious: the
coolant stays some 10 K warmer than computed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.orbit.elements import kepler_period
from skyhall.satellite.attitude import AttitudeView
from skyhall.satellite.battery_life import allowed_depth_of_discharge, calendar_fade
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.types import Array

__all__ = [
    "BATTERY_CASES",
    "BatteryNeed",
    "battery_need",
    "coldest_coolant",
    "heater_power",
    "longest_eclipse",
]

BATTERY_CASES: Final = ("energy", "cycle_life", "discharge_rate", "charge_rate", "minimum")
_BISECTIONS = 44  # from some 100 K to 1e-11 K
_ANY_TEMPERATURE = 293.15  # K; the pack is held at the one for which its calendar fade is stated


@dataclass(frozen=True, slots=True)
class BatteryNeed:
    """The battery that lives through the longest night; arrays over the designs."""

    capacity_begin: Array  # J at begin of life
    capacity_end: Array  # J at end of life
    depth_of_discharge: Array  # in the longest night, of the capacity at end of life
    case: npt.NDArray[np.intp]  # which of `BATTERY_CASES` binds


@dataclass(frozen=True, slots=True)
class _Cooling:
    """Radiator and coolant as one node: capacity dT/dt = emission (balance⁴ - T⁴)."""

    rate: Array  # emission / capacity, 1/(s K³)
    emission: Array  # W/K⁴
    infrared: Array  # W absorbed from the Earth and from the array
    dusk: Array  # K, radiator at the beginning of the night
    balance: Array  # K, where a night without end would take it
    drop: Array  # K from coolant to radiator at the night's heat
    seconds: Array


def longest_eclipse(inputs: SizingInputs) -> Array:
    """Return the longest eclipse of the season (s)."""
    return np.asarray(np.max(inputs.eclipse_fraction, axis=-1) * kepler_period(inputs.altitude))


def battery_need(inputs: SizingInputs, night_power: Array, safe_power: Array) -> BatteryNeed:
    """Return the battery that carries `night_power` (W) through the longest eclipse of every day for a life.

    Parameters
    ----------
    night_power : W in the dark.
    safe_power : W with all work stopped; the battery carries it for the safe-mode time in any orbit.

    Notes
    -----
    The largest of five needs. Energy: the night's draw, plus what the taper near full leaves uncharged when the last
    minute of light still charges at full power, within the depth that the maker allows at end of life. Cycle life:
    the depth at which the cycles of a life cost no more capacity than may be lost (`battery_life`). Discharge and
    charge rate. Minimum: the safe mode.
    """
    dark = np.max(inputs.eclipse_fraction, axis=-1)
    efficiency = inputs.battery_discharge_efficiency
    drawn = night_power * longest_eclipse(inputs) / efficiency
    recharge = night_power * dark / ((1.0 - dark) * efficiency * inputs.battery_charge_efficiency)
    uncharged = recharge * inputs.battery_charge_efficiency * inputs.battery_taper_time
    end = inputs.battery_end_capacity
    deepest, worn = (
        np.where(depth > 0.0, depth, np.nan)
        for depth in (inputs.battery_depth_limit * end, _depth_for_life(inputs, dark))
    )
    by_night = np.where(dark > 0.0, night_power, 0.0)
    needs = np.stack(
        np.broadcast_arrays(
            (drawn + uncharged) / deepest,
            drawn / worn,
            by_night / (inputs.battery_discharge_rate * end),
            recharge / (inputs.battery_charge_rate * end),
            safe_power * inputs.safe_mode_time / efficiency / deepest,
        )
    )
    capacity = needs.max(axis=0)
    return BatteryNeed(
        capacity_begin=capacity,
        capacity_end=capacity * end,
        depth_of_discharge=drawn / np.where(capacity > 0.0, capacity * end, 1.0),
        case=np.argmax(needs, axis=0),
    )


def _depth_for_life(inputs: SizingInputs, dark: Array) -> Array:
    """Depth in the longest night, of the capacity at begin of life, that the cycles of a life allow.

    Shorter nights are shallower cycles: they count by a power of their depth (Miner).
    """
    age = calendar_fade(
        inputs.life,
        _ANY_TEMPERATURE,
        inputs.battery_calendar_age,
        _ANY_TEMPERATURE,
        inputs.battery_calendar_fade,
        0.0,
    )
    depths = inputs.eclipse_fraction / np.where(dark > 0.0, dark, 1.0)[:, None]
    weights = np.mean(depths ** inputs.battery_cycle_exponent[:, None], axis=-1)
    return allowed_depth_of_discharge(
        weights * inputs.life / kepler_period(inputs.altitude),
        np.maximum(1.0 - inputs.battery_end_capacity - age, 0.0),
        inputs.battery_cycles_at_reference,
        inputs.battery_reference_depth,
        inputs.battery_cycle_exponent,
        inputs.battery_fade_at_reference,
    )


def heater_power(
    inputs: SizingInputs, view: AttitudeView, radiator_area: Array, heat: Array, full_heat: Array, drop: Array
) -> Array:
    """Return the heaters (W) that keep the coolant from falling below its limit in the longest night.

    Parameters
    ----------
    inputs : of them the radiator, the coolant, the Earth's infrared and the season's longest eclipse.
    view : of the radiator to the Earth and to the array.
    radiator_area : planform, m².
    heat : W that the satellite still makes in the dark, heaters apart.
    full_heat : W at full work; dusk finds the radiator in balance with it and with the Earth's infrared.
    drop : K from coolant to radiator at full heat, proportional to the heat.

    Notes
    -----
    The heaters hold the limit from the moment that it is reached; their power is the mean over the night.
    """
    cooling = _cooling(inputs, view, radiator_area, heat, full_heat, drop)
    coldest = inputs.coolant_coldest - cooling.drop  # of the radiator
    holding = np.maximum(cooling.emission * coldest**4 - cooling.infrared - heat, 0.0)
    reached = _cooling_time(cooling, np.minimum(coldest, cooling.dusk))
    night = np.where(cooling.seconds > 0.0, cooling.seconds, 1.0)
    share = np.where(holding > 0.0, np.clip(1.0 - reached / night, 0.0, 1.0), 0.0)
    return np.asarray(np.where(cooling.seconds > 0.0, holding * share, 0.0))


def coldest_coolant(
    inputs: SizingInputs, view: AttitudeView, radiator_area: Array, heat: Array, full_heat: Array, drop: Array
) -> Array:
    """Return the coolant's temperature (K) at the end of the longest night; parameters as in `heater_power`."""
    cooling = _cooling(inputs, view, radiator_area, heat, full_heat, drop)
    high = cooling.dusk + 0.0 * cooling.seconds
    low = np.minimum(cooling.balance, cooling.dusk) + 0.0 * cooling.seconds
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        later = _cooling_time(cooling, middle) > cooling.seconds
        low, high = np.where(later, middle, low), np.where(later, high, middle)
    return np.asarray(0.5 * (low + high) + cooling.drop)


def _cooling(
    inputs: SizingInputs, view: AttitudeView, radiator_area: Array, heat: Array, full_heat: Array, drop: Array
) -> _Cooling:
    emitting = 2.0 * radiator_area * inputs.radiator_emissivity
    emission = emitting * inputs.radiator_fin_efficiency * STEFAN_BOLTZMANN
    # The array's rear by night: as cold as an edge-on plate in the Earth's infrared becomes, and no warmer.
    from_array = view.radiator_array_view * inputs.array_emissivity_rear
    infrared = emitting * (1.0 + from_array) * view.radiator_earth_view * inputs.earth_infrared
    capacity = radiator_area * inputs.radiator_heat_capacity + inputs.coolant_heat_capacity * full_heat
    return _Cooling(
        rate=emission / capacity,
        emission=emission,
        infrared=infrared,
        dusk=_fourth_root((full_heat + infrared) / emission),
        balance=_fourth_root((heat + infrared) / emission),
        drop=drop * heat / full_heat,
        seconds=longest_eclipse(inputs),
    )


def _cooling_time(cooling: _Cooling, end: Array) -> Array:
    """Seconds from dusk down to `end`; infinite at or below the balance.

    The integral of dT / (T⁴ - E⁴) is I(T) = ln((T - E)/(T + E))/(4 E³) - atan(T/E)/(2 E³).
    """
    falls = end > cooling.balance
    # Where nothing cools (night as warm as day), any balance below dusk keeps the formula finite.
    balance = np.minimum(cooling.balance, 0.999_999 * cooling.dusk)
    before = _cooling_integral(cooling.dusk, balance)
    after = _cooling_integral(np.where(falls, end, cooling.dusk), balance)
    return np.asarray(np.where(falls, np.maximum(before - after, 0.0) / cooling.rate, np.inf))


def _cooling_integral(temperature: Array, balance: Array) -> Array:
    ratio = (temperature - balance) / (temperature + balance)
    turn = np.arctan(temperature / balance)
    return np.asarray((0.25 * np.log(ratio) - 0.5 * turn) / balance**3)


def _fourth_root(value: Array) -> Array:
    return np.asarray(np.sqrt(np.sqrt(value)))
