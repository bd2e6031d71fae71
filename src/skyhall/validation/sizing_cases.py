"""Satellites that fly, are filed or are claimed, beside what the sizing makes of the same task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from skyhall.catalogue import load_catalogue
from skyhall.constants import EARTH_RADIUS
from skyhall.fleet import design
from skyhall.satellite.limits import explain_gap
from skyhall.satellite.radiator import Flux, net_flux, radiator_temperature
from skyhall.satellite.sizing import SizedSatellite, size
from skyhall.satellite.view_factors import plate_to_sphere
from skyhall.scenario import load
from skyhall.types import Array
from skyhall.units import parse
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]

WEIGHTLESS = 1e12  # W/kg
_ACCELERATORS = np.arange(1.0, 101.0)  # among which the satellite of a given array is looked for


def _sized(scenario: Mapping[str, Any]) -> SizedSatellite:
    return design(load(scenario)).sized[0]


def _changed(scenario: Mapping[str, Any], **satellite: Any) -> dict[str, Any]:
    return {**scenario, "satellite": {**scenario["satellite"], **satellite}}


def starcloud_1(case: Case) -> Mapping[str, Any]:
    """Return the mass of a satellite for one H100 that works in the light, and in the dark as well, kg."""
    by_day = _sized(case.given["scenario"])
    by_night = _sized(_changed(case.given["scenario"], night="ride"))

    def rise(line: str) -> float:
        return float((by_night.masses[line] - by_day.masses[line]) * by_day.mass_growth)

    flown = load_catalogue().part("satellites", "starcloud-1")("mass", "kg")
    return {
        "mass": by_day.mass,
        "mass_working_by_night": by_night.mass,
        "margin": float(by_day.masses["margin"]),
        "over": float(by_night.mass) - flown,
        "riding_array": rise("array"),
        "riding_battery": rise("battery"),
    }


def _of_array(
    scenario: Mapping[str, Any], measure: Callable[[SizedSatellite], Array], wanted: float
) -> SizedSatellite:
    """Return the satellite with as many accelerators (a real number) as give its array the size wanted."""
    inputs = _sized(scenario).inputs
    many = size(replace(inputs, accelerators=_ACCELERATORS))
    return size(replace(inputs, accelerators=float(np.interp(wanted, measure(many), _ACCELERATORS))))


def _starlink(sized: SizedSatellite) -> dict[str, Any]:
    return {
        "mass": sized.mass,
        "array": sized.array_area,
        "array_power": sized.array_power_begin / 1e3,
        "packing": float(np.asarray(sized.inputs.array_packing)),
        "efficiency": float(np.asarray(sized.inputs.cell_efficiency)),
        "radiator": float(sized.masses["radiator"]),
        "payload": float(sized.masses["payload"]),
        "array_mass": float(sized.masses["array"]),
        "margin": float(sized.masses["margin"]),
    }


def starlink_v2_mini(case: Case) -> Mapping[str, Any]:
    """Return array and mass of a compute satellite with the wing's power."""
    wanted = case.given["array_kw"] * 1e3
    return _starlink(_of_array(case.given["scenario"], lambda sized: sized.array_power_begin, wanted))


def starlink_v3(case: Case) -> Mapping[str, Any]:
    """Return power and mass of a compute satellite with the wing's area."""
    return _starlink(
        _of_array(case.given["scenario"], lambda sized: sized.array_area, case.given["array_m2"])
    )


def ai1(case: Case) -> Mapping[str, Any]:
    """Return what AI1's work weighs and needs, and on which line its claim does not close."""
    claim = load_catalogue().part("satellites", "ai1")
    claimed = claim("power", "W") / claim("specific_power", "W/kg")
    sized = _sized(case.given["scenario"])
    gap = explain_gap(sized, claimed * float(sized.it_power) / claim("power", "W"))
    weightless = size(replace(sized.inputs, array_specific_power=WEIGHTLESS))
    favourable = _sized({**case.given["scenario"], "catalogue": case.given["favourable"]})
    # Whole accelerators make it_power differ a little from the claim's: masses are scaled to the claim.
    scale = claim("power", "W") / float(sized.it_power)
    return _ai1_radiator(sized, claim("radiator_area", "m**2")) | {
        "specific_power": sized.it_power / sized.mass,
        "left_beside_ideal_array": (gap.claimed_mass - gap.floor) * scale,
        "mass_without_array": weightless.mass * scale,
        "mass_of_favourable_parts": favourable.mass * scale,
        "claimed": claimed,
        "claimed_per_kw": claimed / claim("power", "kW"),
        "sized": gap.sized_mass * scale,
        "missing": gap.missing * scale,
        "peak_missing": gap.sized_mass * scale
        - claim.bounds("power", "W")[1] / claim("specific_power", "W/kg"),
        "line": gap.line,
        "line_mass": gap.lines[gap.line] * scale,
        "floor": gap.floor * scale / claim("power", "kW"),
        "payload": gap.lines["payload"] * scale,
        "still": float(weightless.mass) * scale - claimed,
        "radiator_mass": gap.lines["radiator"] * scale,
        "favourable_missing": float(favourable.mass) * scale - claimed,
    }


def _ai1_radiator(sized: SizedSatellite, claimed_area: float) -> dict[str, Any]:
    inputs = sized.inputs
    needed = radiator_temperature(
        sized.heat,
        2.0 * claimed_area,
        inputs.radiator_emissivity,
        sized.absorbed,
        inputs.radiator_fin_efficiency,
    )
    return {
        "radiator": sized.radiator_area,
        "heat": float(sized.heat) / 1e3,
        "kelvin": float(sized.radiator_temperature),
        "absorbed": float(sized.absorbed),
        "needed": float(needed),
    }


def iss_photovoltaic_radiator(case: Case) -> Mapping[str, Any]:
    """Return the planform area that the station's radiator needs for its heat at its coolant's temperature."""
    given, catalogue = case.given, load_catalogue()
    part = catalogue.part("radiators", given["radiator"])
    earth, sun = catalogue.part("environments", "earth"), catalogue.part("environments", "sun")
    view = plate_to_sphere(0.5 * np.pi, 1.0 + parse(given["altitude"], "m") / EARTH_RADIUS)

    def face(sun_cosine: float) -> Flux:
        return net_flux(
            parse(given["coolant"], "K"),
            part("emissivity"),
            part("absorptivity_end"),
            sun("irradiance", "W/m**2"),
            sun_cosine,
            view,
            earth("albedo"),
            earth("infrared", "W/m**2"),
            fin_efficiency=part("fin_efficiency"),
        )

    plate = face(np.sin(part("pointing_error", "rad"))) + face(0.0)
    planform = parse(given["heat"], "W") / float(plate.net)
    built = catalogue.part("satellites", "iss-photovoltaic-radiator")("radiator_area", "m**2")
    return {"planform": planform, "net": float(plate.net), "spare": built / planform - 1.0}


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "starcloud-1": starcloud_1,
    "starlink-v2-mini": starlink_v2_mini,
    "starlink-v3": starlink_v3,
    "ai1": ai1,
    "iss-photovoltaic-radiator": iss_photovoltaic_radiator,
}
