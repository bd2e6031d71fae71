"""The figures over time: a year of light, the flown time, and the orbit with the longest eclipse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skyhall.chain import Assessment
from skyhall.constants import DAY, MINUTE
from skyhall.report.axes import minute_axis, time_axis
from skyhall.report.plot import Panel, panels
from skyhall.satellite.heat import heater_load
from skyhall.types import Array

__all__ = ["darkest_orbit", "flown_time", "light_year", "shell_colours"]

_ZERO_CELSIUS = 273.15
_SHELL_COLOURS = ("blue", "orange", "green", "purple", "sky", "vermillion", "grey", "yellow")
_DAILY = 10 * DAY  # above it the flown time is shown as means of days
_POINTS = 120  # of them at most
_MINUTES_A_DAY = DAY / MINUTE


def shell_colours(count: int) -> list[str]:
    """Return a colour for each of `count` shells; they repeat after eight."""
    return [_SHELL_COLOURS[index % len(_SHELL_COLOURS)] for index in range(count)]


def light_year(assessment: Assessment) -> str:
    """Return the figure of a year of light: lit share, Sun above the orbit's plane, eclipse a day."""
    fleet = assessment.fleet
    lit = Panel("Lit share of an orbit, mean over the Sun's disc", "%", height=100, high=100.0)
    angles = np.concatenate([np.degrees(year.beta).ravel() for year in fleet.light])
    step = 30.0 if np.ptp(angles) > 30.0 else None
    beta = Panel("Beta angle: the Sun above the orbit's plane", "°", height=110, step=step)
    eclipse = Panel("Eclipse, Sun's centre hidden", "min a day", height=110, low=0.0)
    single = len(fleet.light) == 1
    if single and fleet.light[0].beta.ndim == 1:
        year = fleet.light[0].summary()
        seasons = [(first * DAY, last * DAY) for first, last in year.seasons]
        if year.eclipse_season_days < 360.0:
            for part in (lit, beta, eclipse):
                part.shade(seasons, "eclipse season" if part is eclipse else "")
    for year_of, design, colour in zip(
        fleet.light, fleet.designs, shell_colours(len(fleet.light)), strict=True
    ):
        name = "" if single else design.name
        for part, values, scale in (
            (lit, year_of.lit_fraction, 100.0),
            (beta, np.degrees(year_of.beta), 1.0),
            (eclipse, year_of.eclipse_fraction, _MINUTES_A_DAY),
        ):
            legend = name if part is lit else ""
            _curve(part, year_of.seconds, scale * values, legend, colour)
    end = float(fleet.light[0].seconds[-1])
    axis = time_axis(fleet.scenario.epoch, 0.0, end)
    return panels(axis, [lit, beta, eclipse], "A year of light: lit share, beta angle, eclipse minutes a day")


def _curve(part: Panel, seconds: Array, values: Array, name: str, colour: str) -> None:
    """One orbit is a line; many orbits are their median in the band from the 5th to the 95th percentile."""
    if values.ndim == 1:
        part.line(seconds, values, name, colour)
        return
    flat = values.reshape(-1, values.shape[-1])
    low, middle, high = np.percentile(flat, (5, 50, 95), axis=0)
    part.band(seconds, low, high, "5th to 95th percentile of orbits", colour)
    part.line(seconds, middle, "median", colour)


def flown_time(assessment: Assessment) -> str:
    """Return the figure of the flown time: IT power delivered and not, stored charge, junction temperature."""
    fleet, flown = assessment.fleet, assessment.flight.timeline
    seconds, columns = _reduced(assessment)
    count = len(fleet)
    full = fleet.it_power
    size, unit = next((s, u) for s, u in ((1e9, "GW"), (1e6, "MW"), (1e3, "kW"), (1.0, "W")) if full >= s)
    work, heat, power = (count * columns[name] / size for name in ("work_w", "heat_shed_w", "power_shed_w"))
    paused = np.maximum(full / size - work - heat - power, 0.0)
    made = Panel("IT power of the fleet", unit, height=150, low=0.0, high=full / size)
    base = np.zeros_like(work)
    for name, values, colour in (
        ("delivered", work, "blue"),
        ("not delivered: night", paused, "sky"),
        ("for want of power", power, "orange"),
        ("for heat", heat, "vermillion"),
    ):
        if name == "delivered" or values.max() > 1e-4 * full / size:
            made.band(seconds, base, base + values, name, colour, solid=True)
            base = base + values
    charge = Panel("Battery, stored share of the capacity", "%", height=100, low=0.0, high=100.0)
    dots = assessment.flight.days is not None
    spread = "5th to 95th percentile" if count > 1 else "range"
    charge.band(seconds, 100 * columns["battery_p05"], 100 * columns["battery_p95"], spread, "green")
    charge.line(seconds, 100 * columns["battery"], "mean", "green", dots=dots)
    hot = Panel("Junction temperature", "°C", height=100)
    hot.line(seconds, columns["junction_c_max"], "hottest of the sample", "vermillion", dots=dots)
    hot.line(seconds, columns["junction_c_p50"], "median", "orange", dots=dots)
    hot.level(fleet.designs[_largest(assessment)].junction_limit - _ZERO_CELSIUS, "limit")
    axis = time_axis(
        fleet.scenario.epoch, float(flown.seconds[0]), float(flown.seconds[-1]) + flown.interval_s
    )
    return panels(
        axis, [made, charge, hot], "The flown time: IT power delivered, stored charge, junction temperature"
    )


def _reduced(assessment: Assessment) -> tuple[Array, dict[str, Array]]:
    """Return times and columns of the timeline; of a long flight means of days, with the extremes of its samples."""
    timeline = assessment.flight.timeline
    columns = timeline.columns()
    seconds = columns["seconds"]
    span = float(np.ptp(seconds))
    if span < _DAILY:
        return seconds + 0.5 * timeline.interval_s, columns
    # Some days together, so that every point holds samples from all around the orbit.
    _, first, group = np.unique(
        np.floor((seconds - seconds[0]) / max(DAY, span / _POINTS)), return_index=True, return_inverse=True
    )
    size = np.bincount(group)
    means = {name: np.bincount(group, values) / size for name, values in columns.items()}
    for name in ("junction_c_max", "battery_p95"):
        means[name] = np.maximum.reduceat(columns[name], first)
    means["battery_p05"] = np.minimum.reduceat(columns["battery_p05"], first)
    return means["seconds"] + 0.5 * timeline.interval_s, means


def darkest_orbit(assessment: Assessment) -> str:
    """Return the figure of one satellite through its longest eclipse: power, charge, temperatures."""
    chunk, design = assessment.darkest_orbit, assessment.fleet.designs[_largest(assessment)]
    seconds = chunk.seconds
    lit, array, work, battery, junction, radiator, cells = (
        np.asarray(getattr(chunk, name)[0], dtype=np.float64)
        for name in ("lit", "array_w", "work_w", "battery_j", "junction_k", "radiator_k", "array_k")
    )
    coolant = junction - work * design.junction_resistance
    heaters = heater_load(coolant, design.heater_power, design.heater_set, 1.0 / design.heater_band)
    load = design.fixed_load + (1.0 + design.overhead_per_it) * work + heaters
    size, unit = (1e6, "MW") if load.max() >= 1e6 else (1e3, "kW") if load.max() >= 1e3 else (1.0, "W")
    dark = _stretches(seconds, lit < 0.5)
    dusk = dark[0][0] if dark else float(seconds[0])
    seconds, dark = seconds - dusk, [(a - dusk, b - dusk) for a, b in dark]
    power = Panel("Power at the bus", unit, height=130, low=0.0)
    power.line(seconds, array / size, "array", "orange").line(seconds, load / size, "load", "blue")
    power.line(seconds, work / size, "of it IT", "sky", dashed=True)
    charge = Panel("Battery, stored share of the capacity", "%", height=90, low=0.0, high=100.0)
    charge.line(seconds, 100 * battery / design.battery_capacity, "stored", "green")
    charge.level(100 * design.battery_reserve / design.battery_capacity, "reserve")
    heat = Panel("Temperature", "°C", height=140)
    heat.line(seconds, junction - _ZERO_CELSIUS, "junction", "vermillion")
    heat.line(seconds, radiator - _ZERO_CELSIUS, "radiator", "purple")
    heat.line(seconds, cells - _ZERO_CELSIUS, "solar array", "orange")
    parts: Sequence[Panel] = (power, charge, heat)
    for part in parts:
        part.shade(dark, "eclipse" if part is power else "")
    axis = minute_axis(float(seconds[0]), float(seconds[-1]), "time from dusk" if dark else "time")
    return panels(axis, parts, "One orbit of power, battery and temperature through the longest eclipse")


def _stretches(x: Array, true: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    last = len(x) - 1
    return [(float(x[a]), float(x[min(b, last)])) for a, b in edges.reshape(-1, 2).tolist()]


def _largest(assessment: Assessment) -> int:
    return int(np.argmax(assessment.fleet.counts))
