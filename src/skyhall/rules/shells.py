"""What the rules look at: the shells of a fleet, and the catalogue's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from skyhall.catalogue import Catalogue, Part
from skyhall.catalogue.maps import load_map
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.air import AirTable
from skyhall.errors import Place, ValueProblem
from skyhall.rules.debris import PROTECTED_ALTITUDE, debris_flux
from skyhall.satellite.design import SatelliteDesign

if TYPE_CHECKING:
    from skyhall.fleet import Fleet

__all__ = ["FlownShell", "Surroundings", "above_zero", "flown_shells", "surroundings"]


@dataclass(frozen=True, slots=True)
class FlownShell:
    """The satellites of one design, and the band of altitude that they fly in; SI units."""

    name: str
    satellites: int
    altitude: float
    lowest: float  # perigee and apogee over the equator's radius
    highest: float
    inclination: float
    design: SatelliteDesign
    spacing: float | None  # along the track, where the scenario lays the satellites out

    @property
    def dry_mass(self) -> float:
        """Mass without propellant, kg."""
        return self.design.mass - self.design.propellant

    @property
    def in_low_orbit(self) -> bool:
        """Whether it flies in the protected region below 2,000 km."""
        return self.altitude < PROTECTED_ALTITUDE


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all shells share: the catalogue's parts, the air, the year and the satellites' life (s)."""

    limits: Part
    debris: Part
    tubes: Part
    manoeuvres: Part
    re_entry: Part
    people: Part
    sky: Part
    occupied: Mapping[str, tuple[float, float]]  # m, lowest and highest
    propulsion: Part
    bus: Part
    failure_rate: float  # of satellites, 1/s
    reliability: str
    air: AirTable
    quiet_sun: float  # F10.7 of a solar minimum, sfu
    year: float  # middle of the satellites' life
    life: float
    satellites: int  # of the whole fleet

    def source(self, limit: str) -> str:
        """Return who sets a limit."""
        return self.limits.fact(limit).source

    def flux(self, diameter: float, altitude: float, inclination: float) -> float:
        """Return the flux (1/(m² s)) of debris of `diameter` (m) and more on one side of a random plate."""
        if altitude > PROTECTED_ALTITUDE:
            return self.debris("geostationary_flux", "1/(m**2*s)")
        return self.traffic(diameter, altitude, inclination) * self.debris("flux_factor")

    def traffic(self, diameter: float, altitude: float, inclination: float) -> float:
        """Return the flux as the formula has it, for comparisons between low orbits."""
        return float(debris_flux(diameter, altitude, inclination, self.year, self.debris("solar_flux")))


def flown_shells(fleet: Fleet) -> list[FlownShell]:
    """Return the shells of a fleet, one for each design."""
    elements, shells = fleet.elements, []
    for index, (design, count) in enumerate(zip(fleet.designs, fleet.counts, strict=True)):
        own = fleet.design_index == index
        axis, eccentricity = elements.semi_major_axis[own], elements.eccentricity[own]
        shells.append(
            FlownShell(
                name=design.name,
                satellites=count,
                altitude=design.altitude,
                lowest=float(np.min(axis * (1.0 - eccentricity))) - EARTH_RADIUS,
                highest=float(np.max(axis * (1.0 + eccentricity))) - EARTH_RADIUS,
                inclination=float(np.median(elements.inclination[own])),
                design=design,
                spacing=_spacing(fleet, index, design.altitude),
            )
        )
    return shells


def surroundings(fleet: Fleet) -> Surroundings:
    """Return what the fleet's shells share; `ValueProblem` for a part that the catalogue does not have."""
    scenario, catalogue = fleet.scenario, fleet.catalogue
    asked = scenario.satellite
    reliability = catalogue.part("reliability", scenario.economics.reliability)
    middle = scenario.epoch + timedelta(seconds=asked.life / 2.0)
    return Surroundings(
        limits=catalogue.part("rules", "orbit-rules"),
        debris=catalogue.part("rules", "debris-figures"),
        tubes=catalogue.part("rules", "coolant-tubes"),
        manoeuvres=catalogue.part("rules", "starlink-manoeuvres"),
        re_entry=catalogue.part("rules", "re-entry"),
        people=catalogue.part("rules", "population-latitudes"),
        sky=catalogue.part("rules", "sky"),
        occupied=_occupied(catalogue),
        propulsion=catalogue.part("propulsions", asked.propulsion),
        bus=catalogue.part("buses", asked.bus),
        failure_rate=reliability("satellite_failures", "1/s"),
        reliability=reliability.name,
        air=AirTable(**load_map("air")),
        quiet_sun=catalogue.part("environments", "atmosphere")("f107_minimum"),
        year=middle.year + middle.timetuple().tm_yday * 86400.0 / JULIAN_YEAR,
        life=asked.life,
        satellites=len(fleet),
    )


def above_zero(part: Part, key: str, unit: str = "") -> float:
    """Return a value of the catalogue by which is divided; `ValueProblem` where the scenario makes it zero or less."""
    value = part(key, unit)
    if not value > 0.0:
        place = Place(key=f"catalogue.{part.name}.{key}")
        raise ValueProblem(
            f"{key.replace('_', ' ')} is {part.fact(key).value}", place=place, right="above zero"
        )
    return value


def _occupied(catalogue: Catalogue) -> dict[str, tuple[float, float]]:
    part = catalogue.part("rules", "occupied-shells")
    return {key.replace("_", " "): part.bounds(key, "m") for key in part.facts}


def _spacing(fleet: Fleet, index: int, altitude: float) -> float | None:
    from skyhall.rules.separation import spacing

    if fleet.scenario.orbit.elements is not None:
        return None
    shell = fleet.scenario.orbit.shells[index]
    if shell.pattern == "cluster":
        return shell.spacing
    return float(spacing(altitude, fleet.counts[index], shell.planes))
