"""Holes in coolant tubes, by meteoroids and by orbital debris."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skyhall.constants import LEO_PROTECTED_ALTITUDE
from skyhall.rules.debris import debris_flux
from skyhall.satellite.puncture import MEAN_OBLIQUITY_COSINE, critical_diameter, puncture_rate
from skyhall.types import Array

__all__ = ["Punctures", "Tube", "loop_punctures"]


class Tube(NamedTuple):
    """The wall between coolant and space: m, kg/m³, Brinell number, m/s."""

    thickness: float
    density: float
    hardness: float
    sound_speed: float


class Punctures(NamedTuple):
    """Punctures per second, and the diameter (m) of debris that makes them."""

    meteoroids: Array
    debris: Array
    critical_diameter: float


def loop_punctures(
    area: float,
    tube: Tube,
    altitude: float,
    inclination: float,
    year: float,
    solar_flux: npt.ArrayLike,
    debris_speed: float,
    debris_density: float,
) -> Punctures:
    """Return how often the tubes of a satellite's coolant loops are perforated.

    Parameters
    ----------
    area : outer surface of the tubes that faces space, m².
    altitude, inclination : m, rad.
    year, solar_flux : of the debris, as in `debris_flux`; fluxes of an array give punctures by debris for each.
    debris_speed : mean impact speed, m/s.
    debris_density : kg/m³, below 1.5 times the wall's.

    Notes
    -----
    Meteoroids: `skyhall.satellite.puncture`. Debris: flux above the diameter that the same ballistic limit
    (Cour-Palais) gives at one speed and the mean obliquity. Above 2,000 km there is no debris of that size to speak of.
    """
    wall = (tube.thickness, tube.density, tube.hardness, tube.sound_speed)
    smallest = float(critical_diameter(*wall, debris_speed * MEAN_OBLIQUITY_COSINE, debris_density))
    debris = np.zeros(())
    if altitude <= LEO_PROTECTED_ALTITUDE:
        debris = area * debris_flux(smallest, altitude, inclination, year, solar_flux)
    return Punctures(puncture_rate(area, *wall, altitude), np.asarray(debris), smallest)
