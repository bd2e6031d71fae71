"""Heaters: what keeps the coolant liquid in the longest night and in safe mode.

A thermostat: off above coldest + band, full at coldest. What it leaves out: that the array enters the night warm
(cautious: the coolant stays some 10 K warmer than computed), and the loop's bypass in ordinary nights (cautious too: a
satellite that isolates its radiator whenever it idles heats less).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.satellite.attitude import AttitudeView
from skyhall.satellite.night import longest_night
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.types import Array

__all__ = ["Cooling", "Heating", "coldest_coolant", "cooling", "cooling_time", "heating"]

_BISECTIONS = 44  # from some 100 K to 1e-11 K


@dataclass(frozen=True, slots=True)
class Cooling:
    """Radiator and coolant as one node: capacity dT/dt = emission (balance⁴ - T⁴)."""

    rate: Array  # emission / capacity, 1/(s K³)
    emission: Array  # W/K⁴
    infrared: Array  # W absorbed from the Earth and from the array
    heat: Array  # W that the satellite still makes in the dark, heaters apart
    dusk: Array  # K, radiator at the beginning of the night
    balance: Array  # K, where a night without end would take it
    drop: Array  # K from coolant to radiator at the night's heat
    seconds: Array


@dataclass(frozen=True, slots=True)
class Heating:
    """The heaters of a design; arrays over the designs, W."""

    installed: Array
    mean: Array  # over the longest night
    peak: Array  # the most that is drawn in it
    safe: Array  # in safe mode


def cooling(
    inputs: SizingInputs, view: AttitudeView, radiator_area: Array, heat: Array, full_heat: Array, drop: Array
) -> Cooling:
    """Return how radiator and coolant cool in the longest night.

    Parameters
    ----------
    inputs : of them the radiator, the coolant, the Earth's infrared in the cold case and the season's longest night.
    view : of the radiator to the Earth and to the array.
    radiator_area : planform, m².
    heat : W that the satellite still makes in the dark, heaters apart.
    full_heat : W at full work; dusk finds the radiator in balance with it and with the Earth's infrared.
    drop : K from coolant to radiator at full heat, proportional to the heat.
    """
    emitting = 2.0 * radiator_area * inputs.radiator_emissivity
    emission = emitting * inputs.radiator_fin_efficiency * STEFAN_BOLTZMANN
    # The array's rear by night: as cold as an edge-on plate in the Earth's infrared becomes, and no warmer.
    from_array = view.radiator_array_view * inputs.array_emissivity_rear
    infrared = emitting * (1.0 + from_array) * view.radiator_earth_view * inputs.earth_infrared_cold
    capacity = radiator_area * inputs.radiator_heat_capacity + inputs.coolant_heat_capacity * full_heat
    return Cooling(
        rate=emission / capacity,
        emission=emission,
        infrared=infrared,
        heat=heat,
        dusk=_fourth_root((full_heat + infrared) / emission),
        balance=_fourth_root((heat + infrared) / emission),
        drop=drop * heat / full_heat,
        seconds=longest_night(inputs),
    )


def heating(inputs: SizingInputs, night: Cooling, safe_heat: Array) -> Heating:
    """Return the heaters that keep the coolant from falling below its limit in the longest night and in safe mode.

    Parameters
    ----------
    night : how the design cools, from `cooling`.
    safe_heat : W that the satellite still makes in safe mode, heaters apart.

    Notes
    -----
    Night: the coolant cools to the thermostat's set point and is then held at it (it settles within the band below it,
    where holding takes less: cautious). Safe mode: a valve bypasses the radiator, which then cools the loop with
    `safe_mode_view` of its emission only; space is black and dark all around, and the loop is held at the set point
    from the first moment (cautious: its own heat lasts for hours). Installed is what holds the coldest temperature over
    the duty that the catalogue allows.
    """
    warm = inputs.coolant_coldest + inputs.heater_band
    held = _holding(night, warm)
    reached = cooling_time(night, np.minimum(warm - night.drop, night.dusk))
    seconds = np.where(night.seconds > 0.0, night.seconds, 1.0)
    share = np.where(night.seconds > 0.0, np.clip(1.0 - reached / seconds, 0.0, 1.0), 0.0)
    runs = (share > 0.0) & (held > 0.0)
    lost = inputs.safe_mode_view * night.emission
    safe = np.maximum(lost * warm**4 - safe_heat, 0.0)
    safe_coldest = np.maximum(lost * inputs.coolant_coldest**4 - safe_heat, 0.0)
    coldest = np.where(runs, _holding(night, inputs.coolant_coldest), 0.0)
    return Heating(
        installed=np.asarray(np.maximum(coldest, safe_coldest) / inputs.heater_duty),
        mean=np.asarray(held * share),
        peak=np.where(runs, held, 0.0),
        safe=safe,
    )


def coldest_coolant(night: Cooling) -> Array:
    """Return the coolant's temperature (K) at the end of the longest night, were there no heaters."""
    high = night.dusk + 0.0 * night.seconds
    low = np.minimum(night.balance, night.dusk) + 0.0 * night.seconds
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        later = cooling_time(night, middle) > night.seconds
        low, high = np.where(later, middle, low), np.where(later, high, middle)
    return np.asarray(0.5 * (low + high) + night.drop)


def cooling_time(night: Cooling, end: Array) -> Array:
    """Return the seconds from dusk until the radiator has cooled to `end` (K); infinite at or below the balance.

    The integral of dT / (T⁴ - E⁴) is I(T) = ln((T - E)/(T + E))/(4 E³) - atan(T/E)/(2 E³).
    """
    falls = end > night.balance
    # Where nothing cools (night as warm as day), any balance below dusk keeps the formula finite.
    balance = np.minimum(night.balance, 0.999_999 * night.dusk)
    before = _cooling_integral(night.dusk, balance)
    after = _cooling_integral(np.where(falls, end, night.dusk), balance)
    return np.asarray(np.where(falls, np.maximum(before - after, 0.0) / night.rate, np.inf))


def _holding(night: Cooling, coolant: Array) -> Array:
    radiated = night.emission * (coolant - night.drop) ** 4
    return np.asarray(np.maximum(radiated - night.infrared - night.heat, 0.0))


def _cooling_integral(temperature: Array, balance: Array) -> Array:
    ratio = (temperature - balance) / (temperature + balance)
    turn = np.arctan(temperature / balance)
    return np.asarray((0.25 * np.log(ratio) - 0.5 * turn) / balance**3)


def _fourth_root(value: Array) -> Array:
    return np.asarray(np.sqrt(np.sqrt(value)))
