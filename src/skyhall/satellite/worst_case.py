"""Worst cases of a season: the day that sizes the solar array and the day that sizes the radiator.

Every day of the season is one sample: an orbit with a lit part and a dark part, in a steady state from orbit to
orbit. What it leaves out: transients of the array after dusk and dawn (it comes out of the night cold and gives more
than computed), and shadows of other satellites. Penumbra counts as that much less light.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from skyhall.constants import EARTH_RADIUS, STEFAN_BOLTZMANN
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.shadow import eclipse_fraction_of_orbit
from skyhall.satellite.attitude import AttitudeView, attitude_view
from skyhall.satellite.heat import environment_flux
from skyhall.satellite.night import charging_time
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.satellite.solar_array import array_power, cell_efficiency
from skyhall.types import Array, Numbers

__all__ = ["DarkestDays", "Season", "darkest_days", "season", "velocity_sun_share"]

_NEWTON_STEPS = 5  # of the cell temperature; quadratic, at rounding after four
_SHADOW_PHASES = 9  # of a quarter orbit
_VIEW_NODES = 65  # nodes a side of the table of the array's Earth view; bilinear, within 2e-4


class DarkestDays(NamedTuple):
    """Light of the days of a season, with the darkest of them met exactly; see `darkest_days`."""

    beta: Array
    eclipse_fraction: Array
    lit_fraction: Array


def darkest_days(altitude: Numbers, beta: Array, eclipse_fraction: Array, lit_fraction: Array) -> DarkestDays:
    """Return the light of a season whose darkest day is no longer missed by its samples.

    A grazing eclipse grows with the square root of time from its season's edge, so that days between two samples can
    be half as dark again. The largest cos(beta), smooth in time, is taken from the parabola through the three samples
    about it; it replaces the darkest sample.

    Parameters
    ----------
    altitude : m; broadcasts with `beta` less its last axis.
    beta : rad, evenly spaced days on the last axis.
    eclipse_fraction, lit_fraction : of the orbit, as `beta`: Sun's centre hidden, and mean share of its disc that is
        seen, which falls by as much as the eclipse grows.
    """
    height = np.asarray(altitude, dtype=float)[..., np.newaxis]
    cosine = np.cos(beta)
    top = np.argmax(cosine, axis=-1)[..., np.newaxis]
    middle = np.clip(top, 1, beta.shape[-1] - 2)
    before, here, after = (np.take_along_axis(cosine, middle + k, axis=-1) for k in (-1, 0, 1))
    bend = before - 2.0 * here + after
    peak = here - 0.125 * (after - before) ** 2 / np.where(bend < 0.0, bend, -np.inf)
    peak = np.where(middle == top, np.minimum(peak, 1.0), np.take_along_axis(cosine, top, axis=-1))
    lowest = np.take_along_axis(beta, top, axis=-1)
    refined = np.copysign(np.arccos(peak), lowest)
    growth = eclipse_fraction_of_orbit(height, refined) - eclipse_fraction_of_orbit(height, lowest)

    def at_top(values: Array, change: Array) -> Array:
        changed = np.array(values)
        np.put_along_axis(changed, top, np.take_along_axis(values, top, axis=-1) + change, axis=-1)
        return changed

    return DarkestDays(
        at_top(beta, refined - lowest),
        at_top(eclipse_fraction, growth),
        np.clip(at_top(lit_fraction, -growth), 0.0, 1.0),
    )


@dataclass(frozen=True, slots=True)
class Season:
    """What the days of a season ask of array and radiator; arrays (designs, days) unless said otherwise."""

    cell_temperature: Array  # K, lit, at full power, end of life
    power_per_area: Array  # W at the bus per m² of panel, lit, end of life
    area_per_lit_load: Array  # m² per W of load in the light
    area_per_night_load: Array  # m² per W of load in the dark
    incidence: Array  # cosine between the array's normal and the Sun
    array_heat: Array  # W/m² of sunlight and infrared taken up by the array while it gives no power
    array_albedo: Array  # W/m² of reflected sunlight taken up by the array at local noon
    sun_steady: Array  # W/m² of sunlight absorbed by the radiator per emitting area, all around the orbit
    sun_along: Array  # the same at the point where the Sun stands along the velocity, if all of it arrives
    albedo: Array  # W/m² of reflected sunlight absorbed by the radiator per emitting area, at local noon
    infrared: Array  # W/m² of the Earth's infrared absorbed by the radiator per emitting area (designs, 1)
    array_earth_view: Array  # mean of the orbit, one face

    def on_radiator(self, velocity_sun_share: Array, coupling: Array, drawn: Array) -> tuple[Array, Array]:
        """Return what the radiator absorbs at the worst point of each day's orbit, all and from the array's rear.

        Parameters
        ----------
        velocity_sun_share : of the Sun along the velocity, what the array's shadow leaves; (designs,).
        coupling : share of the array's heat that each emitting square metre of radiator absorbs; (designs,).
        drawn : electric power of the array with full batteries, W/m² of panel; (designs,).

        Returns
        -------
        two arrays (designs, days), W per m² emitting. The rear's part is without its share of albedo.

        Notes
        -----
        The Sun along the velocity and the albedo peak a quarter of an orbit apart: the largest value of
        A|sin u| + B cos u is sqrt(A² + B²).
        """
        albedo = self.albedo + coupling[:, None] * self.array_albedo
        moving = np.hypot(velocity_sun_share[:, None] * self.sun_along, albedo)
        rear = coupling[:, None] * (self.array_heat - drawn[:, None])
        return np.asarray(self.sun_steady + moving + self.infrared + rear), rear


def season(inputs: SizingInputs) -> Season:
    """Return what each day of the season asks for, per unit of load and area.

    Notes
    -----
    Energy over an orbit of period P with dark share e, at end of life: power × area = lit load + night load × e P /
    (charging time × charge efficiency × discharge efficiency); the charging time is shorter than the light because
    the battery tapers before dusk (`night.charging_time`).
    Heat at the array, lit: absorptivity (S cos i + albedo) + infrared = emitted + electric power (Newton's method).
    """
    law = str(inputs.attitude)
    column = _Columns(inputs)
    # Sizes do not matter for the angles; they come with every iteration of the sizing.
    view = attitude_view(law, column("altitude"), column("radiator_pointing_error"), 1.0, 1.0, 1.0, 1.0)
    beta, dark = np.asarray(inputs.beta), inputs.dark_share
    incidence = view.array_sun_cosine(beta)
    earth_view = _array_earth_view(law, column("altitude"), beta)
    noon = np.cos(beta)
    reflected = column("albedo") * inputs.irradiance
    array_albedo = column("array_absorptivity") * 2.0 * earth_view * reflected * noon
    # Mean over the lit part of the cosine of the zenith angle, where positive.
    mean_albedo = array_albedo / (np.pi * (1.0 - dark))
    emissivities = column("array_emissivity_front") + column("array_emissivity_rear")
    infrared_on_array = emissivities * earth_view * column("earth_infrared")
    sunlight = inputs.irradiance * incidence
    array_heat = column("array_absorptivity") * sunlight + infrared_on_array
    temperature, power = _cell_balance(column, sunlight, array_heat + mean_albedo, emissivities)
    area_per_load = 1.0 / np.where(power > 0.0, power, np.nan)
    round_trip = column("battery_charge_efficiency") * column("battery_discharge_efficiency")
    absorptivity = column("radiator_absorptivity")
    period = kepler_period(column("altitude"))
    charging = charging_time((1.0 - dark) * period, column("battery_taper_time"))
    sun_steady, sun_along = (
        environment_flux(inputs.irradiance, sine, absorptivity, 0.0, 0.0, 0.0, 0.0, 0.0)
        for sine in (view.radiator_sun_sine, view.radiator_sun_follows_velocity * noon)
    )
    albedo = environment_flux(
        0.0, 0.0, absorptivity, reflected * noon, view.radiator_earth_view, 0.0, 0.0, 0.0
    )
    infrared = column("radiator_emissivity") * view.radiator_earth_view * column("earth_infrared")
    return Season(
        cell_temperature=temperature,
        power_per_area=power,
        area_per_lit_load=area_per_load,
        area_per_night_load=area_per_load * dark * period / (charging * round_trip),
        incidence=incidence,
        array_heat=array_heat,
        array_albedo=array_albedo,
        sun_steady=sun_steady,
        sun_along=sun_along,
        albedo=albedo,
        infrared=infrared,
        array_earth_view=earth_view,
    )


def velocity_sun_share(inputs: SizingInputs, view: AttitudeView) -> Array:
    """Return which share of the Sun along the velocity passes the array's edge to the radiator, 0 to 1 (designs,).

    The largest over the orbit, on the season's day of lowest beta, when the Sun stands lowest over the array and
    looks farthest behind it: cautious on every other day. 0 for `sun_tracking`.
    """
    if view.radiator_sun_follows_velocity == 0.0:
        return np.zeros(np.shape(view.radiator_array_view))
    beta = np.min(np.abs(inputs.beta), axis=-1)
    phases = np.linspace(0.0, 0.5 * np.pi, _SHADOW_PHASES)
    shares = [np.sin(phase) * view.radiator_lit_share(beta, phase) for phase in phases]
    return np.asarray(np.max(shares, axis=0))


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
