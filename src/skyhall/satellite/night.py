"""The battery that the nights of a life ask for.

What it leaves out: the battery's own heat and temperature. The coolant's night is in `heaters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import ASTRONOMICAL_UNIT, EARTH_RADIUS, SOLAR_RADIUS
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.shadow import limb_distance, lit_disc_fraction
from skyhall.satellite.battery_life import (
    allowed_depth_of_discharge,
    calendar_fade,
    capacity_at_end_of_life,
    cycle_fade,
)
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.types import Array, Numbers

__all__ = [
    "BATTERY_CASES",
    "BatteryNeed",
    "battery_need",
    "charging_time",
    "deepest_shade",
    "longest_eclipse",
    "longest_night",
]

BATTERY_CASES: Final = ("energy", "cycle_life", "discharge_rate", "charge_rate", "minimum")
PERIHELION: Final = (
    0.98329 * ASTRONOMICAL_UNIT
)  # m, Explanatory Supplement to the Astronomical Almanac (3rd ed.)
_ANY_TEMPERATURE = 293.15  # K; the pack is held at the one for which its calendar fade is stated
# Time constants for which charging tapers before dusk. What is missing then changes from orbit to orbit by the factor
# exp(-this): with none the balance stands on a knife's edge, with many the charge needs a large array.
_TAPERING: Final = 1.0
_LEFT_BY_TAPER: Final = float(np.exp(-_TAPERING))
_FADE_ROUNDS = 60  # a round gains a factor of two or more


@dataclass(frozen=True, slots=True)
class BatteryNeed:
    """The battery that lives through the longest night; arrays over the designs."""

    capacity_begin: Array  # J at begin of life
    capacity_end: Array  # J at the end of the life
    depth_of_discharge: Array  # in the longest night, of the capacity at the end of the life
    case: npt.NDArray[np.intp]  # which of `BATTERY_CASES` binds


def longest_eclipse(inputs: SizingInputs) -> Array:
    """Return the longest eclipse of the season (s), the Sun's centre hidden."""
    return np.asarray(np.max(inputs.eclipse_fraction, axis=-1) * kepler_period(inputs.altitude))


def longest_night(inputs: SizingInputs) -> Array:
    """Return the longest night of the season (s): sunlight lost in an orbit, penumbra as the share that it takes."""
    return np.asarray(np.max(inputs.dark_share, axis=-1) * kepler_period(inputs.altitude))


def deepest_shade(inputs: SizingInputs) -> Array:
    """Return the largest share of the Sun's disc that the Earth hides at any moment of the season, 0 to 1.

    Where the Sun's centre is hidden at all it counts as 1; in a mere penumbra the share follows from the angle
    between orbit and Sun at its closest, the Sun as large as in January.
    """
    sine = EARTH_RADIUS / (EARTH_RADIUS + inputs.altitude)
    lowest = np.max(np.cos(inputs.beta), axis=-1)  # Sun behind the Earth, at the orbit's midnight
    limb = limb_distance(-lowest, sine, np.sqrt(1.0 - sine * sine), PERIHELION / SOLAR_RADIUS)
    partial = np.where(np.any(inputs.dark_share > 0.0, axis=-1), 1.0 - lit_disc_fraction(limb), 0.0)
    return np.asarray(np.where(np.any(inputs.eclipse_fraction > 0.0, axis=-1), 1.0, partial))


def charging_time(light: Numbers, taper_time: Numbers) -> Array:
    """Return the seconds at full charging power that take in what a whole stretch of `light` (s) does.

    Power is constant at first. From the moment that the missing energy is power × `taper_time` (s) it falls with that
    time constant, as in `battery.charging_power`. NaN where the light is too short for a taper.

    Notes
    -----
    The power is chosen so that the taper lasts one time constant before dusk; then power × taper time / e is still
    missing at dusk, and the same is missing at the next. With n time constants and the stored power Q, the energy
    d of a night is d = Q (light - taper_time (n - 1 + exp(-n))).
    """
    lost = (_TAPERING - 1.0 + _LEFT_BY_TAPER) * taper_time
    return np.asarray(np.where(light > _TAPERING * taper_time, light - lost, np.nan))


def battery_need(
    inputs: SizingInputs, night_power: Array, peak_power: Array, safe_power: Array
) -> BatteryNeed:
    """Return the battery that carries `night_power` (W) through the longest eclipse of every day for a life.

    Parameters
    ----------
    night_power : W in the dark, mean of the longest night.
    peak_power : W in the dark, the most that is drawn at any moment.
    safe_power : W with all work stopped; the battery carries it for the safe-mode time in any orbit.

    Notes
    -----
    The largest of five needs. Energy: the night's draw and what the taper leaves uncharged at dusk, within the depth
    that the maker allows of the capacity at the end of the life. Cycle life: the depth at which the cycles of the life
    cost no more capacity than may be lost (`battery_life`). Discharge rate, in partial light as much as is hidden.
    Charge rate: constant power, then taper (`charging_time`). Minimum: the safe mode. The capacity at the end of the
    life is what age and cycles of that life leave, solved together with the capacity.
    """
    period = kepler_period(inputs.altitude)
    dark = np.max(inputs.dark_share, axis=-1)
    efficiency = inputs.battery_discharge_efficiency
    drawn = night_power * dark * period / efficiency
    charging = charging_time((1.0 - dark) * period, inputs.battery_taper_time)
    stored = np.where(dark > 0.0, drawn / charging, 0.0)  # W, at constant power
    missing = drawn + _LEFT_BY_TAPER * stored * inputs.battery_taper_time
    aged = _calendar_fade(inputs)
    cycles, worn = _cycling(inputs, dark, aged)
    of_end = np.stack(
        np.broadcast_arrays(
            missing / _possible(inputs.battery_depth_limit),
            peak_power * deepest_shade(inputs) / inputs.battery_discharge_rate,
            stored / (inputs.battery_charge_efficiency * inputs.battery_charge_rate),
            safe_power * inputs.safe_mode_time / (efficiency * _possible(inputs.battery_depth_limit)),
        )
    )
    by_cycles = drawn / _possible(worn)
    end = inputs.battery_end_capacity + 0.0 * by_cycles
    for _ in range(_FADE_ROUNDS):
        capacity = np.maximum(of_end.max(axis=0) / end, by_cycles)
        depth = drawn / np.where(capacity > 0.0, capacity, 1.0)
        left = capacity_at_end_of_life(_cycle_fade(inputs, cycles, depth), aged)
        end = np.maximum(left, inputs.battery_end_capacity)  # below it, cycle life binds
    needs = np.insert(of_end / end, 1, by_cycles, axis=0)
    too_old = aged > 1.0 - inputs.battery_end_capacity
    capacity = np.where(too_old, np.nan, needs.max(axis=0))
    return BatteryNeed(
        capacity_begin=capacity,
        capacity_end=capacity * end,
        depth_of_discharge=drawn / np.where(capacity > 0.0, capacity * end, 1.0),
        case=np.argmax(needs, axis=0),
    )


def _possible(depth: Numbers) -> Array:
    return np.asarray(np.where(np.asarray(depth) > 0.0, depth, np.nan))


def _calendar_fade(inputs: SizingInputs) -> Array:
    return calendar_fade(
        inputs.life,
        _ANY_TEMPERATURE,
        inputs.battery_calendar_age,
        _ANY_TEMPERATURE,
        inputs.battery_calendar_fade,
        0.0,
    )


def _cycling(inputs: SizingInputs, dark: Array, aged: Array) -> tuple[Array, Array]:
    """Return the cycles of the life and their allowed depth, both as nights as long as the longest.

    Shorter nights are shallower cycles: they count by a power of their depth (Miner). The depth is a share of the
    capacity at begin of life.
    """
    depths = inputs.dark_share / np.where(dark > 0.0, dark, 1.0)[:, None]
    weights = np.mean(depths ** np.asarray(inputs.battery_cycle_exponent)[:, None], axis=-1)
    cycles = np.asarray(weights * inputs.life / kepler_period(inputs.altitude))
    depth = allowed_depth_of_discharge(
        cycles,
        np.maximum(1.0 - inputs.battery_end_capacity - aged, 0.0),
        inputs.battery_cycles_at_reference,
        inputs.battery_reference_depth,
        inputs.battery_cycle_exponent,
        inputs.battery_fade_at_reference,
    )
    return cycles, depth


def _cycle_fade(inputs: SizingInputs, cycles: Array, depth: Array) -> Array:
    return cycle_fade(
        cycles,
        depth,
        inputs.battery_cycles_at_reference,
        inputs.battery_reference_depth,
        inputs.battery_cycle_exponent,
        inputs.battery_fade_at_reference,
    )
