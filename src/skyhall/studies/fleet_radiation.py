"""What the report shows of a fleet's radiation: the anomaly as a place, a day of upsets, the trade of shielding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_RADIUS, HOUR, JULIAN_YEAR
from skyhall.environment.exposure import aluminium_g_cm2, anomaly, expose, hard_protons, particles_on
from skyhall.fleet import Fleet
from skyhall.orbit.elements import circular_position
from skyhall.orbit.geodetic import over_the_ground
from skyhall.orbit.sun import greenwich_angle
from skyhall.satellite.masses import shielding_mass
from skyhall.surroundings import radiation_of
from skyhall.twin import record
from skyhall.types import Array

__all__ = ["AnomalyMap", "DayOfUpsets", "ShieldingTrade", "anomaly_map", "day_of_upsets", "shielding_trade"]

_TRADED_MM = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyMap:
    """Trapped protons above 30 MeV at one altitude: (latitudes,), (longitudes,) in degrees, 1/(cm² s) over both."""

    altitude_km: float
    latitude_deg: Array
    longitude_deg: Array
    protons_cm2_s: Array


@dataclass(frozen=True, slots=True, eq=False)
class DayOfUpsets:
    """One satellite's first day: hours, upsets per hour and accelerator, whether inside the anomaly, and its track."""

    hours: Array
    upsets_per_hour: Array
    inside: npt.NDArray[np.bool_]
    latitude_deg: Array
    longitude_deg: Array

    @property
    def passes(self) -> int:
        """Passes through the anomaly that begin on this day."""
        return int(np.count_nonzero(self.inside[1:] & ~self.inside[:-1]))


@dataclass(frozen=True, slots=True, eq=False)
class ShieldingTrade:
    """Shields of one design: mm of aluminium, kg of shield, krad over the life, upsets a day, kg/kW; (k,) each.

    The masses follow the sized satellite's closure; power and heat are those of the design as it is.
    """

    thickness_mm: Array
    mass_kg: Array
    dose_krad: Array
    upsets_per_day: Array
    kg_per_kw: Array


def anomaly_map(fleet: Fleet, design: int = 0) -> AnomalyMap:
    """Return the trapped protons over the globe at the median altitude of a design."""
    radiation = radiation_of(fleet.scenario)
    latitude, longitude = np.linspace(-90.0, 90.0, 73), np.linspace(-180.0, 175.0, 72)
    altitude = _altitude(fleet, design)
    place = np.meshgrid(np.radians(latitude), np.radians(longitude), indexing="ij")
    protons = hard_protons(radiation, *place, np.full(place[0].shape, altitude))
    return AnomalyMap(altitude / 1e3, latitude, longitude, protons)


def day_of_upsets(fleet: Fleet, satellite: int = 0) -> DayOfUpsets:
    """Return the upsets that one satellite meets on the first day after the epoch, minute by minute, from the twin."""
    one = fleet.only(satellite)
    chunks = list(record(one, duration=DAY))
    day = chunks[0].joined(chunks[1:])
    if one.sets is None:
        position = np.asarray(circular_position(one.elements, day.seconds)).reshape(-1, 3)
    else:
        position = one.sets.positions(one.epoch_julian_date, day.seconds).position[0]
    angle = greenwich_angle(one.epoch_julian_date + day.seconds / DAY)
    latitude, longitude, height = over_the_ground(position, angle)
    return DayOfUpsets(
        hours=day.seconds / HOUR,
        upsets_per_hour=day.upsets_per_s[0].astype(np.float64) * HOUR,
        inside=anomaly(radiation_of(fleet.scenario), latitude, longitude, height),
        latitude_deg=np.degrees(latitude),
        longitude_deg=np.degrees(longitude),
    )


def shielding_trade(fleet: Fleet, design: int = 0) -> ShieldingTrade:
    """Return what other shields would weigh and keep out, the design's own among them."""
    scenario, satellite, sized = fleet.scenario, fleet.designs[design], fleet.sized[design]
    here = fleet.irradiation[design]
    radiation = radiation_of(scenario)
    inclination = float(np.median(fleet.elements.inclination[fleet.design_index == design]))
    particles = particles_on(radiation, _altitude(fleet, design), inclination)
    thickness = np.unique([*_TRADED_MM, round(here.shield_mm, 3)])
    exposures = [
        expose(radiation, here.device, particles, float(aluminium_g_cm2(1e-3 * mm))) for mm in thickness
    ]
    density = fleet.catalogue.part("buses", scenario.satellite.bus)("electronics_density", "kg/m**3")
    shield = np.asarray(
        shielding_mass(sized.masses["payload"], density, 10.0 * aluminium_g_cm2(1e-3 * thickness))
    )
    whole = satellite.mass + (shield - float(sized.masses["shielding"])) * float(sized.mass_growth)
    years = scenario.satellite.life / JULIAN_YEAR
    return ShieldingTrade(
        thickness_mm=thickness,
        mass_kg=shield,
        dose_krad=np.array([float(each.dose.total) for each in exposures]) * years / 1e3,
        upsets_per_day=np.array([each.losses for each in exposures]) * DAY,
        kg_per_kw=whole / satellite.it_power * 1e3,
    )


def _altitude(fleet: Fleet, design: int) -> float:
    of_design = fleet.elements.semi_major_axis[fleet.design_index == design]
    return float(np.median(of_design)) - EARTH_RADIUS
