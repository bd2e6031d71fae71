"""Published orbits, eclipses and positions, computed by the orbit model in their sources' conventions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from sgp4.api import Satrec

from skyhall.constants import ASTRONOMICAL_UNIT, DAY, EARTH_RADIUS, HOUR, MINUTE, SOLAR_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit.element_sets import ElementSets, parse_element_sets
from skyhall.orbit.elements import kepler_period, raan_from_local_time, sun_synchronous_inclination
from skyhall.orbit.seasons import year_of_light
from skyhall.orbit.shadow import ShadowTimes, eclipse_fraction_of_orbit, limb_distance, shadow_times
from skyhall.orbit.sun import julian_date, sun_direction
from skyhall.types import Array
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]

WRONG_EARTH_RADIUS = 6371e3  # m, the mean radius, which must be told apart from the equator's


def sun_synchronous(case: Case) -> Mapping[str, Any]:
    """Return the inclination at which a circular orbit follows the mean Sun, deg."""
    inclination = sun_synchronous_inclination(case.given["altitude_km"] * 1e3)
    return {"inclination": np.degrees(inclination)}


def dawn_dusk_eclipse(case: Case) -> Mapping[str, Any]:
    """Return a dawn-dusk orbit's year of light, and its worst orbit under a conical shadow (wrong models)."""
    altitude = case.given["altitude_km"] * 1e3
    epoch = julian_date(datetime.fromisoformat(case.given["epoch"]))
    raan = raan_from_local_time(case.given["local_time_h"] * HOUR, epoch)
    year = year_of_light(altitude, sun_synchronous_inclination(altitude), raan, epoch)
    summary = year.summary()
    worst_beta = float(np.min(np.abs(year.beta)))
    return {
        "worst_orbit_shadowed": summary.worst_orbit_shadowed,
        "longest": summary.longest_eclipse_min,
        "sunlit_year": summary.sunlit_year,
        "season": summary.eclipse_season_days,
        "conical-umbra": _conical_share(altitude, worst_beta, solar_radii=-1.0),
        "conical-penumbra": _conical_share(altitude, worst_beta, solar_radii=1.0),
    }


def _conical_share(altitude: float, beta: float, solar_radii: float) -> float:
    # The share of an orbit whose limb distance is less than that; it grows from midnight to noon.
    sine = EARTH_RADIUS / (EARTH_RADIUS + altitude)
    from_midnight = np.linspace(0.0, np.pi, 20001)
    limb = limb_distance(
        -np.cos(beta) * np.cos(from_midnight),
        np.float64(sine),
        np.sqrt(1.0 - sine * sine),
        np.float64(ASTRONOMICAL_UNIT / SOLAR_RADIUS),
    )
    return float(np.interp(solar_radii, limb, from_midnight) / np.pi)


def leo_beta_zero(case: Case) -> Mapping[str, Any]:
    """Return period and eclipse of a circular orbit at a given beta angle."""
    altitude = case.given["altitude_km"] * 1e3
    return {
        "period": kepler_period(altitude) / MINUTE,
        "eclipse_fraction": eclipse_fraction_of_orbit(altitude, np.radians(case.given["beta_deg"])),
    }


def sgp4_vallado(case: Case) -> Mapping[str, Any]:
    """Return the worst component of all positions printed with SGP4's reference elements, km."""
    del case  # its inputs are the package's files
    differences, by_library, before = [], 0, np.zeros((0, 7))
    for lines, printed in zip(_vallado_lines(), _vallado_states(), strict=True):
        position_km, failed, refused = _fly(lines, printed[:, 0])
        by_library += refused
        if failed.all():
            # SGP4 refuses one set; the one state printed for it is the last of the set before it.
            position_km, printed = printed[:, 1:4], before[-1:]
        differences.append(np.abs(position_km - printed[:, 1:4]).max(axis=-1))
        before = printed
    worst = np.concatenate(differences)
    return {"worst_component": worst.max(), "states": worst.size, "by_library": by_library}


@cache
def _vallado_lines() -> list[tuple[str, str]]:
    text = (resources.files("sgp4") / "SGP4-VER.TLE").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(zip(lines[::2], lines[1::2], strict=True))


@cache
def _vallado_states() -> list[Array]:
    # A line "number xx" opens a block; the first seven columns are minutes, position (km), velocity (km/s).
    blocks: list[list[list[float]]] = []
    for line in (resources.files("sgp4") / "tcppver.out").read_text().splitlines():
        if line.endswith("xx"):
            blocks.append([])
        else:
            blocks[-1].append([float(word) for word in line.split()[:7]])
    return [np.array(block) for block in blocks]


def _fly(lines: tuple[str, str], minutes: Array) -> tuple[Array, Array, bool]:
    """Return positions in km, SGP4's refusals, and whether our parser refused the lines (wrong checksum)."""
    try:
        sets = parse_element_sets("\n".join(lines))
    except ValueProblem:
        states = [Satrec.twoline2rv(*lines).sgp4_tsince(each) for each in minutes]
        return np.array([state[1] for state in states]), np.array([state[0] != 0 for state in states]), True
    record = sets.satrecs[0]
    ephemeris = sets.positions(record.jdsatepoch, record.jdsatepochF * DAY + minutes * MINUTE)
    return ephemeris.position[0] / 1e3, ephemeris.failed[0], False


def skyfield_sunlit(case: Case) -> Mapping[str, Any]:
    """Return how far our shadow times lie from Skyfield's, s, and how far those of wrong models do (median)."""
    del case  # its inputs are the stored reference
    reference = _skyfield_reference()

    def j2000_sun(seconds: Array) -> Array:
        first, last = (np.array(each) for each in reference["sun_j2000_m"])
        along = seconds[:, None] / reference["duration_s"]
        return np.asarray(first + along * (last - first))

    right = _differences(reference)
    return {
        "entry_exit": right.max(),
        "edges": right.size,
        "earth-6371-km": np.median(_differences(reference, earth_radius=WRONG_EARTH_RADIUS)),
        "sun-of-j2000": np.median(_differences(reference, sun=j2000_sun)),
        "umbra": np.median(_differences(reference, kind="umbra")),
        "penumbra": np.median(_differences(reference, kind="penumbra")),
    }


@cache
def _skyfield_reference() -> dict[str, Any]:
    text = (resources.files("skyhall.validation") / "skyfield_reference.json").read_text("utf-8")
    reference: dict[str, Any] = json.loads(text)
    return reference


def _differences(
    reference: Mapping[str, Any], sun: Callable[[Array], Array] | None = None, **options: Any
) -> Array:
    apart = []
    for satellite in reference["satellites"]:
        sets = parse_element_sets("\n".join(satellite["lines"]))
        ours = _our_times(sets, reference, sun, **options)
        for mine, theirs in ((ours.entry, satellite["entry_s"]), (ours.exit, satellite["exit_s"])):
            apart.append(np.abs(mine - theirs) if len(mine) == len(theirs) else np.array([np.inf]))
    return np.concatenate(apart)


def _our_times(
    sets: ElementSets, reference: Mapping[str, Any], sun: Callable[[Array], Array] | None, **options: Any
) -> ShadowTimes:
    start, duration = reference["start_julian_date"], reference["duration_s"]

    def true_sun(seconds: Array) -> Array:
        unit, distance = sun_direction(start + seconds / DAY, aberration=False)  # as Skyfield takes it here
        return np.asarray(unit * distance[:, None])

    times = shadow_times(
        lambda seconds: sets.positions(start, seconds).position[0], sun or true_sun, 0.0, duration, **options
    )
    # Eclipses that run at either end of the day have no edge there.
    return ShadowTimes(times.entry[times.entry > 0.0], times.exit[times.exit < duration])


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "sso-inclination": sun_synchronous,
    "dawn-dusk-eclipse": dawn_dusk_eclipse,
    "leo-beta-zero": leo_beta_zero,
    "sgp4-vallado": sgp4_vallado,
    "skyfield-sunlit": skyfield_sunlit,
}
