"""The shells of a fleet, as the rules look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skyhall.constants import EARTH_RADIUS, LEO_PROTECTED_ALTITUDE
from skyhall.rules.separation import spacing
from skyhall.satellite.design import SatelliteDesign

if TYPE_CHECKING:
    from skyhall.fleet import Fleet

__all__ = ["FlownShell", "flown_shells"]


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
    thruster_power: float  # W, that the sizing sets aside against the thickest air
    spacing: float | None  # of neighbours at their closest, where the scenario lays the satellites out

    @property
    def dry_mass(self) -> float:
        """Mass without propellant, kg."""
        return self.design.mass - self.design.propellant

    @property
    def in_low_orbit(self) -> bool:
        """Whether it flies in the protected region below 2,000 km."""
        return self.altitude < LEO_PROTECTED_ALTITUDE


def flown_shells(fleet: Fleet) -> list[FlownShell]:
    """Return the shells of a fleet, one for each design."""
    elements, shells = fleet.elements, []
    for index, (design, sized, count) in enumerate(
        zip(fleet.designs, fleet.sized, fleet.counts, strict=True)
    ):
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
                thruster_power=float(sized.thruster_power),
                spacing=_spacing(fleet, index, design.altitude),
            )
        )
    return shells


def _spacing(fleet: Fleet, index: int, altitude: float) -> float | None:
    if fleet.scenario.orbit.elements is not None:
        return None
    shell = fleet.scenario.orbit.shells[index]
    if shell.pattern == "cluster":
        return shell.spacing / 2.0  # neighbours along the track are radial ones a quarter of an orbit later
    return float(spacing(altitude, fleet.counts[index], shell.planes))
