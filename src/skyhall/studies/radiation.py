"""What radiation does on one orbit to one device behind one shield."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skyhall.catalogue import load_catalogue
from skyhall.constants import DAY, EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.devices import HAZARDS, OUTCOMES, Device
from skyhall.environment.exposure import (
    ANOMALY_ENERGY_MEV,
    ANOMALY_FLUX,
    Exposure,
    Radiation,
    aluminium_g_cm2,
    anomaly,
    dose_per_year,
    expose,
    particles_on,
)
from skyhall.errors import Place, SkyhallError, ValueProblem
from skyhall.orbit.elements import (
    MeanElements,
    check_altitude,
    circular_position,
    kepler_period,
    sun_synchronous_inclination,
)
from skyhall.orbit.geodetic import over_the_ground
from skyhall.orbit.patterns import geostationary_ring
from skyhall.orbit.sun import greenwich_angle, julian_date
from skyhall.scenario import Scenario
from skyhall.surroundings import device_of, radiation_of

__all__ = ["SHOWN_MM", "OrbitRadiation", "radiation_on_orbit"]

SHOWN_MM = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
_PASS_DAYS = 10  # over which passes through the anomaly are counted


@dataclass(frozen=True, slots=True)
class OrbitRadiation:
    """Dose, upsets and the anomaly's part on one orbit; doses in krad in silicon a year.

    Attributes
    ----------
    dose_parts_krad_per_year : trapped protons, electrons and solar protons; `dose_krad_per_year` is their sum.
    upsets_per_device_day : corrected, detected, functional and silent, in quiet times.
    corrected_per_bit_day : the corrected ones over the bits that they happen in.
    solar_event_upsets_per_device_year : the same by solar protons.
    hazards_per_device_year : latch-up and burnout, solar protons included.
    passes_per_day : through the anomaly. minutes_per_day : in it.
    dose_by_mm : (thickness in mm, parts) of a few shields.
    """

    altitude_km: float
    inclination_deg: float
    shielding_mm: float
    geometry: str
    device: str
    solar_activity: str
    solar_proton_confidence: float
    active_share: float
    dose_krad_per_year: float
    dose_parts_krad_per_year: dict[str, float]
    dose_limit_krad: float
    upsets_per_device_day: dict[str, float]
    corrected_per_bit_day: float
    solar_event_upsets_per_device_year: dict[str, float]
    hazards_per_device_year: dict[str, float]
    share_in_south_atlantic_anomaly: float
    time_in_south_atlantic_anomaly: float
    passes_per_day: float
    minutes_per_day: float
    anomaly: str
    dose_by_mm: tuple[tuple[float, dict[str, float]], ...]


def radiation_on_orbit(
    scenario: Scenario, *, shell: int = 0, geometry: str = "sphere", whole_life: bool = False
) -> OrbitRadiation:
    """Return what radiation does on one of a scenario's shells, behind the scenario's shield.

    Parameters
    ----------
    geometry : of the dose: "sphere" (at its centre) or "slab" (behind it).
    whole_life : solar protons in the mean over the satellite's life; else over one year of an active Sun.

    Raises
    ------
    ValueProblem : no shield in the scenario, or an orbit, date or device that is not known.
    """
    key = f"orbit.shells.{shell}.altitude"
    if scenario.satellite.shielding is None:
        raise ValueProblem(
            "no shielding is given", place=Place(key="satellite.shielding"), right="for example 5 mm"
        )
    radiation = radiation_of(scenario)
    if not whole_life:
        radiation = replace(radiation, years=1.0, active_years=1.0)
    device = device_of(scenario, load_catalogue(scenario.catalogue))
    thickness = float(aluminium_g_cm2(scenario.satellite.shielding))
    try:
        elements = _orbit(scenario, shell)
        altitude = float(elements.semi_major_axis[0]) - EARTH_RADIUS
        inclination = float(elements.inclination[0])
        particles = particles_on(radiation, altitude, inclination)
    except SkyhallError as error:
        if error.place == Place():
            error.place = scenario.place(key)
        raise
    exposure = expose(radiation, device, particles, thickness, geometry)
    shown = dose_per_year(particles, aluminium_g_cm2(1e-3 * np.array(SHOWN_MM)), geometry)
    passes, minutes = _passes(radiation, elements, julian_date(scenario.epoch))
    return OrbitRadiation(
        altitude_km=altitude / 1e3,
        inclination_deg=math.degrees(inclination),
        shielding_mm=scenario.satellite.shielding * 1e3,
        geometry=geometry,
        solar_activity=scenario.environment.solar_activity,
        solar_proton_confidence=radiation.confidence,
        active_share=radiation.active_years / radiation.years,
        anomaly=f"trapped protons above {ANOMALY_ENERGY_MEV:g} MeV exceed {ANOMALY_FLUX:g}/(cm² s)",
        passes_per_day=passes,
        minutes_per_day=minutes,
        dose_by_mm=tuple(
            (mm, {name: float(part[index]) / 1e3 for name, part in shown.parts().items()})
            for index, mm in enumerate(SHOWN_MM)
        ),
        **_of_exposure(exposure, device),
    )


def _of_exposure(exposure: Exposure, device: Device) -> dict[str, Any]:
    yearly = {name: exposure.rates[name] * JULIAN_YEAR + exposure.solar_events[name] for name in HAZARDS}
    return {
        "device": device.name,
        "dose_limit_krad": device.dose_limit_rad / 1e3,
        "dose_krad_per_year": float(exposure.dose.total) / 1e3,
        "dose_parts_krad_per_year": {name: float(part) / 1e3 for name, part in exposure.dose.parts().items()},
        "upsets_per_device_day": {name: exposure.rates[name] * DAY for name in OUTCOMES},
        "corrected_per_bit_day": exposure.rates["corrected"] * DAY / device.bits,
        "solar_event_upsets_per_device_year": {name: exposure.solar_events[name] for name in OUTCOMES},
        "hazards_per_device_year": yearly,
        "share_in_south_atlantic_anomaly": exposure.share_in_anomaly,
        "time_in_south_atlantic_anomaly": exposure.time_in_anomaly,
    }


def _orbit(scenario: Scenario, shell: int) -> MeanElements:
    asked = scenario.orbit.shells[shell]
    if asked.pattern == "geostationary":
        return geostationary_ring(1, julian_date(scenario.epoch)).elements
    check_altitude(asked.altitude)
    inclination = asked.inclination
    if inclination is None:
        inclination = float(sun_synchronous_inclination(asked.altitude))
    one = np.zeros(1)
    return MeanElements(
        semi_major_axis=one + EARTH_RADIUS + asked.altitude,
        eccentricity=one,
        inclination=one + inclination,
        raan=one,
        argument_of_perigee=one,
        mean_anomaly=one,
    )


def _passes(radiation: Radiation, elements: MeanElements, epoch: float) -> tuple[float, float]:
    """Return passes through the anomaly and minutes in it, a day; over ten days at steps of a hundredth of an orbit."""
    step = float(kepler_period(elements.semi_major_axis[0] - EARTH_RADIUS)) / 100.0
    seconds = np.arange(0.0, _PASS_DAYS * DAY, step)
    position = np.asarray(circular_position(elements, seconds)).reshape(-1, 3)
    angle = greenwich_angle(epoch + seconds / DAY)
    inside = anomaly(radiation, *over_the_ground(position, angle))
    entries = np.count_nonzero(inside[1:] & ~inside[:-1])
    return entries / _PASS_DAYS, float(inside.mean()) * DAY / 60.0
