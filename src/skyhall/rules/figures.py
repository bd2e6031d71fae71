"""What all rules share: the catalogue's figures, the scenario's Sun, and the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from skyhall.catalogue import Catalogue, Part
from skyhall.catalogue.maps import load_map
from skyhall.constants import LEO_PROTECTED_ALTITUDE
from skyhall.environment.air import AirTable, SolarCycle
from skyhall.errors import Place, ValueProblem
from skyhall.orbit.sun import decimal_year
from skyhall.rules.debris import debris_flux
from skyhall.surroundings import solar_flux
from skyhall.types import Array

if TYPE_CHECKING:
    from skyhall.fleet import Fleet

__all__ = ["RuleFigures", "above_zero", "figures_of"]


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """The catalogue's parts, the air, the Sun, the year and the satellites' life (s)."""

    limits: Part
    debris: Part
    tubes: Part
    manoeuvres: Part
    way_down: Part
    re_entry: Part
    people: Part
    latitudes: Part
    sky: Part
    occupied: Mapping[str, tuple[float, float]]  # m, lowest and highest
    propulsion: Part
    bus: Part
    failure_rate: float  # of satellites, 1/s
    reliability: str
    air: AirTable
    sun: float | SolarCycle  # F10.7 of the scenario, sfu
    year: float  # middle of the satellites' life
    life: float
    satellites: int  # of the whole fleet

    @property
    def months(self) -> Array:
        """F10.7 (sfu) of the months over which debris is averaged: those of a cycle, or the one that is given."""
        return self.sun.months if isinstance(self.sun, SolarCycle) else np.array([self.sun])

    @property
    def disposal_sun(self) -> float:
        """F10.7 (sfu) of a disposal: the scenario's, and of a whole cycle its minimum.

        A working life may end in the minimum, where the way down takes longest and debris is densest.
        """
        return self.sun.minimum if isinstance(self.sun, SolarCycle) else self.sun

    def source(self, limit: str) -> str:
        """Return who sets a limit."""
        return self.limits.fact(limit).source

    def flux(self, diameter: float, altitude: float, inclination: float) -> float:
        """Return the flux (1/(m² s)) of debris of `diameter` (m) and more on one side of a random plate."""
        if altitude > LEO_PROTECTED_ALTITUDE:
            return self.debris("geostationary_flux", "1/(m**2*s)")
        return float(self.traffic(diameter, altitude, inclination)) * self.debris("flux_factor")

    def traffic(
        self, diameter: float, altitude: npt.ArrayLike, inclination: float, sun: float | None = None
    ) -> Array:
        """Return the flux as the formula has it, for low orbits; mean over the Sun's months, or in the `sun` given."""
        months = self.months if sun is None else np.array([sun])
        heights = np.asarray(altitude, dtype=float)[..., None]
        return np.asarray(debris_flux(diameter, heights, inclination, self.year, months).mean(axis=-1))


def figures_of(fleet: Fleet) -> RuleFigures:
    """Return what the rules need of a fleet's scenario; `ValueProblem` for a part that the catalogue does not have."""
    scenario, catalogue = fleet.scenario, fleet.catalogue
    asked = scenario.satellite
    reliability = catalogue.part("reliability", scenario.economics.reliability)
    return RuleFigures(
        limits=catalogue.part("rules", "orbit-rules"),
        debris=catalogue.part("rules", "debris-figures"),
        tubes=catalogue.part("rules", "coolant-tubes"),
        manoeuvres=catalogue.part("rules", "starlink-manoeuvres"),
        way_down=catalogue.part("rules", "way-down"),
        re_entry=catalogue.part("rules", "re-entry"),
        people=catalogue.part("rules", "population-latitudes"),
        latitudes=catalogue.part("rules", "latitude-bands"),
        sky=catalogue.part("rules", "sky"),
        occupied=_occupied(catalogue),
        propulsion=catalogue.part("propulsions", asked.propulsion),
        bus=catalogue.part("buses", asked.bus),
        failure_rate=reliability("satellite_failures", "1/s"),
        reliability=reliability.name,
        air=AirTable(**load_map("air")),
        sun=solar_flux(scenario, catalogue),
        year=decimal_year(scenario.epoch + timedelta(seconds=asked.life / 2.0)),
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
