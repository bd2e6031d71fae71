"""Published radiators and view factors, computed by the heat model in their sources' conventions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skyhall.catalogue import load_catalogue
from skyhall.constants import EARTH_RADIUS
from skyhall.satellite.radiator import (
    Flux,
    earth_infrared_from_temperature,
    net_flux,
    radiator_temperature,
)
from skyhall.satellite.view_factors import plate_to_sphere
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]


def _starcloud_face(given: Mapping[str, Any], sunlit: bool, sees_earth: bool, kirchhoff: bool) -> Flux:
    return net_flux(
        temperature=given["temperature_k"],
        emissivity=given["emissivity"],
        absorptivity=given["absorptivity"],
        sunlight=given["solar_w_m2"],
        sun_cosine=float(sunlit),
        earth_view=given["earth_view"] * sees_earth,
        albedo=given["albedo"],
        earth_infrared=earth_infrared_from_temperature(given["earth_k"]),
        infrared_absorptivity=None if kirchhoff else given["absorptivity"],
    )


def _starcloud_plate(case: Case, *, faces_to_earth: int, kirchhoff: bool) -> Flux:
    lit = _starcloud_face(case.given, True, True, kirchhoff)
    return lit + _starcloud_face(case.given, False, faces_to_earth == 2, kirchhoff)


def starcloud_radiator(case: Case) -> Mapping[str, Any]:
    """Return the flows of the white paper's plate, which absorbs all light with its solar absorptivity."""
    plate = _starcloud_plate(case, faces_to_earth=1, kirchhoff=False)
    return {
        "emitted": plate.emitted,
        "sun": plate.sun,
        "earth": plate.albedo + plate.infrared,
        "net": plate.net,
    }


def starcloud_radiator_kirchhoff(case: Case) -> Mapping[str, Any]:
    """Return the net flow of the same plate when the Earth's infrared is absorbed with the emissivity."""
    printed = _starcloud_plate(case, faces_to_earth=1, kirchhoff=False).net
    one = _starcloud_plate(case, faces_to_earth=1, kirchhoff=True).net
    both = _starcloud_plate(case, faces_to_earth=2, kirchhoff=True).net
    return {
        "net_one_face_sees_earth": one,
        "net_both_faces_see_earth": both,
        "lost_one": printed - one,
        "lost_both": printed - both,
    }


def ai1_average(case: Case) -> Mapping[str, Any]:
    """Return the temperature at which AI1's emitting area rejects its average heat against its sink."""
    given = case.given
    sink = net_flux(given["sink_k"], given["emissivity"], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0).emitted
    kelvin = radiator_temperature(given["heat_kw"] * 1e3, given["emitting_m2"], given["emissivity"], sink)
    return {"radiator": kelvin}


def iss_pvr(case: Case) -> Mapping[str, Any]:
    """Return what the station's radiator rejects and weighs per planform area, as the model has it."""
    given, part = case.given, load_catalogue().part("radiators", case.given["part"])
    width, length = given["panel_m"]
    planform, emissivity = width * length, part("emissivity")
    kelvin = radiator_temperature(given["heat_kw"] * 1e3, 2.0 * planform, emissivity)
    face = net_flux(kelvin, emissivity, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return {
        "net": (face + face).net,
        "areal_mass": part("areal_mass", "kg/m**2"),
        "divided": given["mass_kg"] / planform,
        "kelvin": float(kelvin),
    }


def plate_view_factor(case: Case) -> Mapping[str, Any]:
    """Return the view factor from a tilted plate to the Earth."""
    ratio = 1.0 + case.given["altitude_km"] * 1e3 / EARTH_RADIUS
    return {"view_factor": plate_to_sphere(np.radians(case.given["tilt_deg"]), ratio)}


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "starcloud-radiator": starcloud_radiator,
    "starcloud-radiator-kirchhoff": starcloud_radiator_kirchhoff,
    "ai1-average": ai1_average,
    "iss-pvr": iss_pvr,
    "plate-view-factor": plate_view_factor,
}
