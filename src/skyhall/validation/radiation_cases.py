"""Published fluxes and doses, computed in their sources' conventions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from skyhall.catalogue.maps import load_map
from skyhall.constants import JULIAN_YEAR
from skyhall.environment.dose import proton_dose
from skyhall.environment.exposure import Radiation, dose_per_year, particles_on
from skyhall.environment.shielding import aluminium_g_cm2
from skyhall.environment.solar_protons import active_years
from skyhall.environment.trapped import TrappedMap
from skyhall.orbit.elements import sun_synchronous_inclination
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]

FIVE_MM = float(aluminium_g_cm2(5e-3))  # g/cm²


@cache
def _one_active_year(confidence: float = 0.95) -> Radiation:
    """Return the convention of the comparisons: solar minimum's belts, solar protons of one active year."""
    trapped = TrappedMap(**load_map("trapped"))
    return Radiation(trapped, activity=0.0, year=2026.0, confidence=confidence, years=1.0, active_years=1.0)


def radbelt_point(case: Case) -> Mapping[str, Any]:
    """Return the flux that the library gave when it made our map: says which library the map comes from, no more."""
    return {"flux": float(load_map("trapped")["radbelt_point"])}


def suncatcher_dose(case: Case) -> Mapping[str, Any]:
    """Return the dose at the centre of a sphere: mean solar activity, solar protons of five years from 2027 at 90 %."""
    altitude = case.given["altitude_km"] * 1e3
    trapped, years = _one_active_year().trapped, 5.0
    radiation = Radiation(trapped, 0.5, 2027.0, 0.9, years, active_years(2027.0, years))
    particles = particles_on(radiation, altitude, float(sun_synchronous_inclination(altitude)))
    thickness = float(aluminium_g_cm2(1e-3 * case.given["shielding_mm_al"]))
    return {"dose": float(dose_per_year(particles, thickness).total)}


def dose_5mm(case: Case) -> Mapping[str, Any]:
    """Return doses at the centre of a sphere of 5 mm, by their parts, and those of two wrong models."""
    altitude = case.given["altitude_km"] * 1e3
    radiation = _one_active_year()
    sso = dose_per_year(
        particles_on(radiation, altitude, float(sun_synchronous_inclination(altitude))), FIVE_MM
    )
    inc30 = dose_per_year(particles_on(radiation, altitude, np.radians(30.0)), FIVE_MM)
    today = radiation.trapped.todays_field_protons[
        int(np.argmax(radiation.trapped.todays_field_inclination_deg))
    ]
    wrong = proton_dose(radiation.trapped.proton_energy_mev, today, np.array([FIVE_MM])) * JULIAN_YEAR
    return {
        "sso": float(sso.total) / 1e3,
        "inc30": float(inc30.total) / 1e3,
        "sso_trapped_protons": float(sso.trapped_protons),
        "inc30_trapped_protons": float(inc30.trapped_protons),
        "sso_electrons": float(sso.electrons),
        "sso_solar_protons": float(sso.solar_protons),
        "inc30_solar_protons": float(inc30.solar_protons),
        "todays-field": float(wrong[0]),
        "no-solar-protons": float(sso.total - sso.solar_protons) / 1e3,
    }


def crossover(case: Case) -> Mapping[str, Any]:
    """Return the altitude above which a low inclination is dosed more, with solar protons and without."""
    altitudes = np.arange(400.0, 1001.0, 50.0)
    with_solar, without = [], []
    for altitude in altitudes * 1e3:
        doses = [
            dose_per_year(particles_on(_one_active_year(), altitude, inclination), FIVE_MM)
            for inclination in (float(sun_synchronous_inclination(altitude)), np.radians(30.0))
        ]
        with_solar.append(float(doses[1].total - doses[0].total))
        without.append(
            float(doses[1].total - doses[1].solar_protons - doses[0].total + doses[0].solar_protons)
        )
    return {
        "altitude": _first_above(altitudes, np.array(with_solar)),
        "no-solar-protons": _first_above(altitudes, np.array(without)),
    }


def _first_above(altitudes: np.ndarray[Any, Any], difference: np.ndarray[Any, Any]) -> float:
    """Return where `difference` rises through zero; the lowest altitude where it is above zero all the way."""
    above = np.flatnonzero(difference > 0.0)
    if not above.size or above[0] == 0:
        return float(altitudes[0]) if above.size else float("inf")
    low, high = above[0] - 1, above[0]
    share = -difference[low] / (difference[high] - difference[low])
    return float(altitudes[low] + share * (altitudes[high] - altitudes[low]))


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "radbelt-point": radbelt_point,
    "suncatcher-dose": suncatcher_dose,
    "dose-5mm": dose_5mm,
    "dose-crossover": crossover,
}
