"""Scenario, catalogue and maps to what surrounds a fleet: radiation, air, the device that answers, and its shield."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.catalogue import Catalogue
from skyhall.catalogue.maps import load_map
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.air import AirTable, SolarCycle, density
from skyhall.environment.devices import DEVICE_UNITS, Device, device_from_values
from skyhall.environment.exposure import (
    Dose,
    Exposure,
    Radiation,
    dose_per_year,
    expose,
    particles_on,
    upset_table,
)
from skyhall.environment.shielding import aluminium_g_cm2
from skyhall.environment.solar_protons import active_years
from skyhall.environment.trapped import FIRST_YEAR, HIGHEST_ORBIT, LAST_YEAR, TrappedMap
from skyhall.environment.upset_field import UpsetField
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import MeanElements
from skyhall.orbit.sun import decimal_year
from skyhall.scenario import Scenario
from skyhall.types import Array

__all__ = [
    "HIGHEST_KM",
    "SHIELDS_MM",
    "Irradiation",
    "air_density",
    "device_of",
    "irradiation_on",
    "radiation_of",
    "shield_for",
    "solar_flux",
    "upset_field",
]

HIGHEST_KM = HIGHEST_ORBIT / 1e3  # above it no fleet is designed: the radiation is not known
ACTIVITY = {"minimum": 0.0, "mean": 0.5, "maximum": 1.0}
SHIELDS_MM = np.concatenate(
    [np.arange(0.5, 10.0, 0.5), np.arange(10.0, 30.5, 1.0)]
)  # mm of aluminium that are tried
_TABLES_AT_MOST = 64  # at altitudes of their own; beyond that:
# Altitudes (m) of the tables of a real catalogue: dense where most satellites fly, from the lowest orbit to the upper
# edge of the map of trapped particles, above which only cosmic rays bring upsets, and hardly change with height.
_RUNGS = np.concatenate([np.arange(150e3, 1200e3, 25e3), np.geomspace(1200e3, HIGHEST_ORBIT, 28)])


@dataclass(frozen=True, slots=True, eq=False)
class Irradiation:
    """What radiation does to one design on its orbit.

    Attributes
    ----------
    device : the accelerator's response. exposure : its dose and upsets behind the shield.
    shield_g_cm2 : aluminium around the electronics.
    dose_by_mm : dose a year behind each of `SHIELDS_MM`.
    life : s. margin : what the device must bear over what is computed.
    """

    device: Device
    exposure: Exposure
    shield_g_cm2: float
    dose_by_mm: Dose
    life: float
    margin: float

    @property
    def life_dose_rad(self) -> float:
        """Dose over the life, rad in silicon, without the margin."""
        return float(self.exposure.dose.total) * self.life / JULIAN_YEAR

    @property
    def dose_of_limit(self) -> float:
        """Dose over the life times the margin, over what the device bears."""
        return self.life_dose_rad * self.margin / self.device.dose_limit_rad

    @property
    def shield_mm(self) -> float:
        """Thickness of the shield, mm of aluminium."""
        return self.shield_g_cm2 / float(aluminium_g_cm2(1e-3))


def radiation_of(scenario: Scenario) -> Radiation:
    """Return the particles that a scenario's fleet meets.

    Raises
    ------
    ValueProblem : an epoch outside what the map can be shifted to.
    """
    year = decimal_year(scenario.epoch)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueProblem(
            f"the map of trapped particles is not known for {year:.0f}",
            place=scenario.place("epoch"),
            right=f"an epoch between {FIRST_YEAR:.0f} and {LAST_YEAR:.0f}",
        )
    asked = scenario.environment
    years = scenario.satellite.life / JULIAN_YEAR
    return Radiation(
        trapped=TrappedMap(**load_map("trapped")),
        activity=ACTIVITY[asked.solar_activity],
        year=year,
        confidence=asked.solar_proton_confidence,
        years=years,
        active_years=active_years(year, years),
    )


def device_of(scenario: Scenario, catalogue: Catalogue) -> Device:
    """Return how the scenario's accelerator answers particles: the device it names, else its catalogue entry's.

    An accelerator's name in place of a device's stands for that accelerator's device.
    """
    asked = scenario.satellite
    name = asked.device or asked.accelerator
    if asked.device is None or name in {part.name for part in catalogue if part.kind == "accelerators"}:
        accelerator = catalogue.part("accelerators", name, place=scenario.place("satellite.accelerator"))
        name = str(accelerator.fact("device").value)
    part = catalogue.part("devices", name, place=scenario.place("satellite.device"))
    return device_from_values(name, {key: part(key, unit) for key, unit in DEVICE_UNITS.items()})


def shield_for(scenario: Scenario, device: Device, dose_by_mm: Dose, least: float) -> float:
    """Return the shield of a satellite, g/cm² of aluminium.

    What the scenario says; else the bus's own (`least`, g/cm²), or the thinnest of `SHIELDS_MM` behind which the life's
    dose times the margin stays within what the device bears; the thickest where none does.

    Parameters
    ----------
    dose_by_mm : dose a year behind each of `SHIELDS_MM`.
    """
    asked = scenario.satellite
    if asked.shielding is not None:
        return float(aluminium_g_cm2(asked.shielding))
    life_dose = dose_by_mm.total * asked.life / JULIAN_YEAR * asked.dose_margin
    borne = np.flatnonzero(life_dose <= device.dose_limit_rad)
    wanted = SHIELDS_MM[borne[0]] if borne.size else SHIELDS_MM[-1]
    return max(least, float(aluminium_g_cm2(1e-3 * wanted)))


def irradiation_on(
    scenario: Scenario,
    radiation: Radiation,
    device: Device,
    altitude: float,
    inclination: float,
    least_shield: float,
) -> Irradiation:
    """Return what radiation does on a circular orbit (m over the equator's radius, rad); shields in g/cm²."""
    particles = particles_on(radiation, altitude, inclination)
    by_mm = dose_per_year(particles, aluminium_g_cm2(1e-3 * SHIELDS_MM))
    shield = shield_for(scenario, device, by_mm, least_shield)
    asked = scenario.satellite
    exposure = expose(radiation, device, particles, shield)
    return Irradiation(device, exposure, shield, by_mm, asked.life, asked.dose_margin)


def upset_field(
    radiation: Radiation,
    device: Device,
    elements: MeanElements,
    design_index: npt.NDArray[np.int64],
    shields: Sequence[float],
) -> UpsetField:
    """Return the tables that the twin looks up: one for each shield and altitude, or, where many differ, few to scale.

    Between two of the few, a satellite looks up the nearer one; the logarithm of its mean is linear in altitude.

    Parameters
    ----------
    shields : g/cm² of each design.
    """
    altitude = np.clip(elements.semi_major_axis - EARTH_RADIUS, _RUNGS[0], _RUNGS[-1])
    below = above = np.round(altitude, -1)
    if len(np.unique(below)) > _TABLES_AT_MOST:
        upper = np.clip(np.searchsorted(_RUNGS, altitude), 1, len(_RUNGS) - 1)
        below, above = _RUNGS[upper - 1], _RUNGS[upper]
    heights, at = np.unique(np.concatenate([below, above]), return_inverse=True)
    thicknesses, behind = np.unique(shields, return_inverse=True)
    # One whole number for each pair of height and shield: sorting a million pairs takes twenty times as long.
    used, which = np.unique(at * len(thicknesses) + np.tile(behind[design_index], 2), return_inverse=True)
    rates = np.stack(
        [
            upset_table(
                radiation, device, heights[pair // len(thicknesses)], thicknesses[pair % len(thicknesses)]
            )
            for pair in used
        ]
    )
    low, high = which.reshape(2, -1).astype(np.int64)
    share = np.clip((altitude - below) / np.maximum(above - below, 1.0), 0.0, 1.0)
    table = np.where(share < 0.5, low, high)
    means = np.log(np.maximum(rates.mean(axis=1, dtype=np.float64), 1e-30))
    scale = np.exp((1.0 - share) * means[low] + share * means[high] - means[table])
    return UpsetField(rates, table, scale)


def solar_flux(scenario: Scenario, catalogue: Catalogue) -> float | SolarCycle:
    """Return the Sun's radio flux F10.7 (sfu) of a scenario: the one that it gives, else that of its solar activity.

    A minimum or maximum is the catalogue's; the mean is the whole `SolarCycle` between them.
    """
    atmosphere = catalogue.part("environments", "atmosphere")
    asked = scenario.environment
    if asked.solar_radio_flux is not None:
        return asked.solar_radio_flux
    low, most = atmosphere("f107_minimum"), atmosphere("f107_maximum")
    if asked.solar_activity == "mean":
        return SolarCycle(low, most)
    return low if asked.solar_activity == "minimum" else most


def air_density(
    scenario: Scenario, catalogue: Catalogue, altitude: npt.ArrayLike, *, high: bool = False
) -> Array:
    """Return the air's density (kg/m³) at `altitude` (m): of the scenario's Sun, or (`high`) the most of a cycle.

    A scenario that gives the Sun's radio flux knows its time: then that flux holds for both.
    """
    activity = solar_flux(scenario, catalogue)
    if high and scenario.environment.solar_radio_flux is None:
        activity = catalogue.part("environments", "atmosphere").bounds("f107_maximum")[1]
    return density(np.asarray(altitude, dtype=np.float64), activity, AirTable(**load_map("air")))
