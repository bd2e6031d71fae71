"""Worst cases of a season: the day that sizes the array, the hot day of the radiator, the cold night of the coolant.

Every day of the season is one sample: an orbit with a lit part and a dark part, in a steady state from orbit to orbit.
What it leaves out: penumbra (counted as dark by the eclipse fraction that is given), transients of the array after
dusk and dawn, battery and conversion losses as heat at the battery, and shadows of parts on each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from skyhall.constants import EARTH_RADIUS, STEFAN_BOLTZMANN
from skyhall.orbit.elements import kepler_period
from skyhall.satellite.attitude import attitude_view
from skyhall.satellite.heat import environment_flux
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.satellite.solar_array import array_power, cell_efficiency
from skyhall.types import Array, Numbers

__all__ = ["ColdNight", "Season", "cold_night", "season"]

_BISECTIONS = 44  # from some 100 K to 1e-11 K
_NEWTON_STEPS = 6  # cell temperature; quadratic, reaches rounding from 330 K in five
_VIEW_NODES = 65  # nodes a side of the table of the array's Earth view; bilinear, within 2e-4


@dataclass(frozen=True, slots=True)
class Season:
    """What the days of a season ask of array and radiator; arrays (designs, days) unless said otherwise."""

    cell_temperature: Array  # K, lit, at full power, end of life
    power_per_area: Array  # W at the bus per m² of panel, lit, end of life
    area_per_lit_load: Array  # m² per W of load in the light
    area_per_night_load: Array  # m² per W of load in the dark
    incidence: Array  # cosine between the array's normal and the Sun
    array_heat: Array  # W/m² taken up by the array while it gives no power
    sunlight: Array  # W/m² absorbed by the radiator per emitting area, at the worst point of the orbit
    infrared: Array  # W/m² of the Earth's infrared absorbed by the radiator per emitting area (designs, 1)
    array_earth_view: Array  # mean of the orbit, one face


@dataclass(frozen=True, slots=True)
class ColdNight:
    """The coolant in the longest night at begin of life (designs,)."""

    heater_power: Array  # W, mean over the night
    radiator_temperature: Array  # K, at the end of the night, without heaters
    coolant_temperature: Array  # K, the same


def season(inputs: SizingInputs) -> Season:
    """Return what each day of the season asks for, per unit of load and area.

    Notes
    -----
    Energy over an orbit with dark share e, at end of life: power × area × (1 - e) = lit load × (1 - e) +
    night load × e / (charge efficiency × discharge efficiency).
    Heat at the array, lit: absorptivity (S cos i + albedo) + infrared = emitted + electric power (Newton's method).
    The Sun on the radiator and the albedo peak at different points of an orbit: the largest value of
    A|sin u| + B cos u is sqrt(A² + B²).
    """
    law = str(inputs.attitude)
    column = _Columns(inputs)
    # Sizes do not matter for the angles; they come with every iteration of the sizing.
    view = attitude_view(law, column("altitude"), column("radiator_pointing_error"), 1.0, 1.0, 1.0, 1.0)
    beta, dark = np.asarray(inputs.beta), np.asarray(inputs.eclipse_fraction)
    incidence = view.array_sun_cosine(beta)
    earth_view = _array_earth_view(law, column("altitude"), beta)
    noon = np.cos(beta)
    reflected = column("albedo") * inputs.irradiance
    # Mean over the lit part of the cosine of the zenith angle, where positive.
    albedo_on_array = 2.0 * earth_view * reflected * noon / (np.pi * (1.0 - dark))
    emissivities = column("array_emissivity_front") + column("array_emissivity_rear")
    infrared_on_array = emissivities * earth_view * column("earth_infrared")
    sunlight = inputs.irradiance * incidence
    array_heat = column("array_absorptivity") * (sunlight + albedo_on_array) + infrared_on_array
    temperature, power = _cell_balance(column, sunlight, array_heat, emissivities)
    area_per_load = 1.0 / np.where(power > 0.0, power, np.nan)
    round_trip = column("battery_charge_efficiency") * column("battery_discharge_efficiency")
    absorptivity = column("radiator_absorptivity_end")
    moving = view.radiator_sun_follows_velocity * noon
    steady, direct = (
        environment_flux(inputs.irradiance, sine, absorptivity, 0.0, 0.0, 0.0, 0.0, 0.0)
        for sine in (view.radiator_sun_sine, moving)
    )
    albedo = environment_flux(
        0.0, 0.0, absorptivity, reflected * noon, view.radiator_earth_view, 0.0, 0.0, 0.0
    )
    on_radiator = steady + np.hypot(direct, albedo)
    infrared = column("radiator_emissivity") * view.radiator_earth_view * column("earth_infrared")
    return Season(
        cell_temperature=temperature,
        power_per_area=power,
        area_per_lit_load=area_per_load,
        area_per_night_load=area_per_load * dark / ((1.0 - dark) * round_trip),
        incidence=incidence,
        array_heat=array_heat,
        sunlight=on_radiator,
        infrared=infrared,
        array_earth_view=earth_view,
    )


def cold_night(
    inputs: SizingInputs, radiator_area: Array, heat: Array, full_heat: Array, drop: Array
) -> ColdNight:
    """Return how cold the coolant becomes in the longest night and the heaters that prevent it.

    Parameters
    ----------
    inputs : begin-of-life coating does not matter in the dark; the Earth's infrared is that of the inputs.
    radiator_area : planform, m².
    heat : W that the satellite still makes in the dark.
    full_heat : W at full work; dusk finds the radiator in balance with it and with the Earth's infrared.
    drop : K from coolant to radiator at full heat, proportional to the heat.

    Notes
    -----
    Radiator and coolant cool as one node: C dT/dt = K (E⁴ - T⁴), E the balance temperature of the night, K
    emitting area × emissivity × fin efficiency × sigma. Its integral is closed: with
    I(T) = ln((T - E)/(T + E))/(4 E³) - atan(T/E)/(2 E³), the time from T1 to T2 is C/K (I(T1) - I(T2)).
    Heaters hold the limit from the moment that it is reached; their power is the mean over the night.
    """
    view = attitude_view("orbit_normal", inputs.altitude, 0.0, 1.0, 1.0, 1.0, 1.0).radiator_earth_view
    emission = (
        2.0 * radiator_area * inputs.radiator_emissivity * inputs.radiator_fin_efficiency * STEFAN_BOLTZMANN
    )
    infrared = 2.0 * radiator_area * inputs.radiator_emissivity * view * inputs.earth_infrared
    capacity = radiator_area * inputs.radiator_heat_capacity + inputs.coolant_heat_capacity * full_heat
    seconds = np.max(inputs.eclipse_fraction, axis=-1) * kepler_period(inputs.altitude)
    balance = _fourth_root((heat + infrared) / emission)
    dusk = _fourth_root((full_heat + infrared) / emission)
    drop_now = drop * heat / full_heat
    coldest = inputs.coolant_coldest - drop_now  # of the radiator
    rate = emission / capacity
    reached = _cooling_time(dusk, np.maximum(coldest, balance), balance, rate)
    held = np.clip(1.0 - reached / np.where(seconds > 0.0, seconds, 1.0), 0.0, 1.0)
    holding = np.maximum(emission * coldest**4 - infrared - heat, 0.0)
    end = _cooled(dusk, balance, rate, seconds)
    return ColdNight(np.where(seconds > 0.0, holding * held, 0.0), end, end + drop_now)


def _cooled(start: Array, balance: Array, rate: Array, seconds: Array) -> Array:
    low, high = (
        np.array(np.broadcast_to(np.minimum(balance, start), np.shape(seconds + start))),
        start + 0.0 * seconds,
    )
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        later = _cooling_time(start, middle, balance, rate) > seconds
        low, high = np.where(later, middle, low), np.where(later, high, middle)
    return np.asarray(0.5 * (low + high))


def _cooling_time(start: Array, end: Array, balance: Array, rate: Array) -> Array:
    """Seconds from `start` down to `end`; infinite at or below the `balance`."""
    safe = np.where(end > balance, end, start)
    base = np.minimum(
        balance, 0.999_999 * start
    )  # a night as warm as the day: nothing cools, any base will do
    with np.errstate(divide="ignore", invalid="ignore"):
        time = (_cooling_integral(start, base) - _cooling_integral(safe, base)) / rate
    return np.where(end > balance, np.maximum(time, 0.0), np.inf)


def _cooling_integral(temperature: Array, balance: Array) -> Array:
    ratio = (temperature - balance) / (temperature + balance)
    return np.asarray((0.25 * np.log(ratio) - 0.5 * np.arctan(temperature / balance)) / balance**3)


def _cell_balance(
    column: _Columns, sunlight: Array, array_heat: Array, emissivities: Array
) -> tuple[Array, Array]:
    """Return (temperature, bus power per m² of panel) of cells at full power."""
    cells = (
        column("array_packing")
        * column("array_pointing")
        * column("regulation_efficiency")
        * np.exp(-column("array_degradation") * column("life"))
    )
    coefficient, reference = column("cell_temperature_coefficient"), column("cell_reference_temperature")
    best = column("cell_efficiency")
    temperature = _fourth_root(array_heat / (emissivities * STEFAN_BOLTZMANN))
    slope = array_power(sunlight, cells, best * coefficient)
    for _ in range(_NEWTON_STEPS):
        power = array_power(sunlight, cells, cell_efficiency(best, coefficient, temperature, reference))
        cube = emissivities * STEFAN_BOLTZMANN * temperature**3
        temperature = temperature + (array_heat - power - cube * temperature) / (4.0 * cube + slope)
    return temperature, array_power(
        sunlight, cells, cell_efficiency(best, coefficient, temperature, reference)
    )


def _array_earth_view(law: str, altitude: Numbers, beta: Array) -> Array:
    """Mean Earth view of one face of the array; from a table, because the exact mean costs 96 points a day."""
    if law == "orbit_normal":
        return attitude_view(law, altitude, 0.0, 1.0, 1.0, 1.0, 1.0).array_earth_view(beta)[0]
    table = _view_table()
    across = np.abs(np.cos(beta)) * (_VIEW_NODES - 1)
    down = EARTH_RADIUS / (EARTH_RADIUS + altitude)
    down = (1.0 - np.sqrt(1.0 - down)) * (_VIEW_NODES - 1)  # denser near the ground, where the view bends
    i = np.minimum(down.astype(int), _VIEW_NODES - 2)
    j = np.minimum(across.astype(int), _VIEW_NODES - 2)
    u, v = down - i, across - j
    return np.asarray(
        (1 - u) * ((1 - v) * table[i, j] + v * table[i, j + 1])
        + u * ((1 - v) * table[i + 1, j] + v * table[i + 1, j + 1])
    )


@cache
def _view_table() -> Array:
    node = np.linspace(0.0, 1.0, _VIEW_NODES)
    inverse = np.clip(1.0 - (1.0 - node) ** 2, 1e-9, 1.0 - 1e-12)
    altitude = EARTH_RADIUS * (1.0 / inverse - 1.0)
    beta = np.arccos(node)
    return attitude_view("sun_tracking", altitude[:, np.newaxis], 0.0, 1.0, 1.0, 1.0, 1.0).array_earth_view(
        beta[np.newaxis, :]
    )[0]


def _fourth_root(value: Array) -> Array:
    return np.asarray(np.sqrt(np.sqrt(value)))


class _Columns:
    """The inputs as columns (designs, 1) beside the days of the season."""

    def __init__(self, inputs: SizingInputs) -> None:
        self._inputs = inputs

    def __call__(self, name: str) -> Array:
        return np.asarray(getattr(self._inputs, name), dtype=float)[..., np.newaxis]
