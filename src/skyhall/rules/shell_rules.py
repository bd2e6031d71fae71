"""The rules as they apply to one shell: a row for each, or None where a rule does not apply."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from skyhall.catalogue import Part
from skyhall.constants import DAY, JULIAN_YEAR
from skyhall.rules import brightness, casualty, collision, conjunctions, disposal
from skyhall.rules.punctures import Tube, punctures
from skyhall.rules.result import RuleResult
from skyhall.rules.shells import FlownShell, Surroundings, above_zero
from skyhall.satellite.masses import GRAVEYARD_RAISE, disposal_delta_v

__all__ = ["SHELL_RULES", "expected_casualties"]

_DISPOSED: Final = (
    "avionics",
    "propulsion",
    "attitude_control",
    "battery",
    "power_electronics",
)  # what a disposal needs


def _disposal_time(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    start, years = _way_down(around, shell)
    decay = _decay(around, shell, start, around.quiet_sun)
    speed = disposal_delta_v(shell.altitude, start)
    return RuleResult(
        rule="disposal_time",
        value=(years + decay) / JULIAN_YEAR,
        unit="yr",
        limit=around.limits("disposal_time", "yr"),
        source=around.source("disposal_time"),
        shell=shell.name,
        note=f"{years / JULIAN_YEAR:.2g} yr of thrust down to {start / 1e3:.0f} km ({float(speed):.0f} m/s), then"
        f" {decay / DAY:.0f} days of drag in a quiet Sun",
    )


def _graveyard(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not disposal.is_geostationary(shell.altitude):
        return None
    design = shell.design
    needed = disposal.graveyard_raise(
        around.debris("reflectivity_coefficient"),
        disposal.tumbling_area(design.array_area, design.radiator_area),
        shell.dry_mass,
        around.limits("graveyard_base", "m"),
        around.limits("graveyard_per_area_to_mass", "m*kg/m**2"),
    )
    return RuleResult(
        rule="graveyard_raise",
        value=GRAVEYARD_RAISE / 1e3,
        unit="km",
        limit=float(needed) / 1e3,
        sense="at least",
        source=around.source("graveyard_base"),
        shell=shell.name,
        note="above the ring, with the propellant that the satellite is sized for",
    )


def _disposal_success(around: Surroundings, shell: FlownShell) -> RuleResult:
    limits = around.limits
    needed = disposal.required_success(
        around.satellites, limits("disposal_success"), limits("disposal_success_constellation")
    )
    hit = _disabling_hit(around, shell)
    value = float(collision.disposal_success(around.failure_rate, around.life, hit))
    many = needed > limits("disposal_success")
    return RuleResult(
        rule="disposal_success",
        value=value,
        unit="",
        limit=needed,
        sense="at least",
        source=around.source("disposal_success_constellation" if many else "disposal_success"),
        shell=shell.name,
        note=f"satellite failures of '{around.reliability}' over {_years(around.life)}, and debris on the bus",
    )


def _large_collision(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    alive = float(collision.disposal_success(around.failure_rate, around.life, _disabling_hit(around, shell)))
    dead = min(
        _decay(around, shell, shell.altitude, around.debris("solar_flux")), around.debris("dead_years", "s")
    )
    chance = _hit(around, shell, "large_diameter", dead)
    return RuleResult(
        rule="large_collision",
        value=(1.0 - alive) * chance,
        unit="",
        limit=around.limits("large_collision"),
        source=around.source("large_collision"),
        shell=shell.name,
        note=f"zero while it can manoeuvre; {1.0 - alive:.1%} fail and stay up {_years(dead)}, {chance:.2g} each",
    )


def _small_collision(around: Surroundings, shell: FlownShell) -> RuleResult:
    size = around.debris("disabling_diameter", "mm")
    return RuleResult(
        rule="small_collision",
        value=_disabling_hit(around, shell),
        unit="",
        limit=around.limits("small_collision"),
        source=around.source("small_collision"),
        shell=shell.name,
        note=f"debris above {size:g} mm on {_bus_surface(around, shell):.0f} m² of bus over {_years(around.life)}",
    )


def _collision_over_life(around: Surroundings, shell: FlownShell) -> RuleResult:
    surface = _surface(shell)
    return RuleResult(
        rule="collision_over_life",
        value=_hit(around, shell, "hit_diameter", around.life),
        unit="",
        limit=None,
        source="no limit where the disposal survives; flux: NASA TM 100471 (1989)",
        shell=shell.name,
        note=f"any hit by 1 cm and more on {surface:,.0f} m² of surface over {_years(around.life)}",
    )


def _disposal_collision(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    start, thrust = _way_down(around, shell)
    decay = _decay(around, shell, start, around.debris("solar_flux"))
    heights = np.linspace(start, shell.altitude, 9)
    size = above_zero(around.debris, "hit_diameter", "m")
    flux = np.mean([around.flux(size, float(height), shell.inclination) for height in heights])
    low_flux = around.flux(size, start, shell.inclination)
    return RuleResult(
        rule="disposal_collision",
        value=float(collision.collision_probability(flux * thrust + low_flux * decay, _surface(shell), 1.0)),
        unit="",
        limit=around.limits("disposal_collision"),
        source=around.source("disposal_collision"),
        shell=shell.name,
        note=f"debris above 1 cm on {_surface(shell):,.0f} m², {_years(thrust + decay)} on the way down",
    )


def _loop_punctures(around: Surroundings, shell: FlownShell) -> RuleResult:
    tubes = around.tubes
    area = tubes("tube_area") * shell.design.radiator_area
    tube = Tube(
        above_zero(tubes, "wall", "m"),
        above_zero(tubes, "wall_density", "kg/m**3"),
        above_zero(tubes, "wall_hardness"),
        above_zero(tubes, "wall_sound_speed", "m/s"),
    )
    found = punctures(
        area,
        tube,
        shell.altitude,
        shell.inclination,
        around.year,
        around.debris("solar_flux"),
        above_zero(tubes, "debris_speed", "m/s"),
        above_zero(tubes, "debris_density", "kg/m**3"),
    )
    meteoroids = float(found.meteoroids) * JULIAN_YEAR
    debris = float(found.debris) * JULIAN_YEAR * around.debris("flux_factor")
    return RuleResult(
        rule="loop_punctures",
        value=meteoroids + debris,
        unit="1/yr",
        limit=None,
        source="no limit; fluxes: ECSS-E-ST-10-04C, NASA TM 100471",
        shell=shell.name,
        note=f"{meteoroids:.2g} by meteoroids, {debris:.2g} by debris above {found.critical_diameter * 1e3:.2g} mm, on"
        f" {area:.1f} m² of tubes of {tube.thickness * 1e3:g} mm",
    )


def _manoeuvres(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    theirs = around.manoeuvres
    large = above_zero(around.debris, "large_diameter", "m")
    radius = math.sqrt((shell.design.array_area + shell.design.radiator_area) / math.pi)
    spread, threshold = above_zero(theirs, "uncertainty", "m"), above_zero(theirs, "threshold")
    fleet, duration = above_zero(theirs, "satellites"), above_zero(theirs, "duration", "s")
    rate = conjunctions.manoeuvre_rate(
        conjunctions.report_rate(theirs("manoeuvres"), fleet, duration),
        around.traffic(large, shell.altitude, shell.inclination),
        conjunctions.warning_area(radius, spread, threshold),
        around.traffic(large, theirs("altitude", "m"), theirs("inclination", "rad")),
        conjunctions.warning_area(above_zero(theirs, "radius", "m"), spread, threshold),
    )
    a_year = float(rate) * JULIAN_YEAR
    each = above_zero(theirs, "manoeuvre_delta_v", "m/s")
    return RuleResult(
        rule="manoeuvres",
        value=a_year,
        unit="1/yr",
        limit=around.propulsion("manoeuvres", "m/s/yr") / each,
        source=f"propellant that '{around.propulsion.name}' sets aside; rate: {_source(theirs, 'manoeuvres')}",
        shell=shell.name,
        note=f"per satellite at a threshold of {threshold:g}, {each:g} m/s each;"
        f" {a_year * shell.satellites / 365.25:,.3g} a day in the shell; its own neighbours apart",
    )


def _casualty(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    share = around.re_entry("surviving_share")
    surviving = share * shell.dry_mass
    value = expected_casualties(around, shell)
    limit = around.limits("casualty")
    return RuleResult(
        rule="casualty",
        value=value,
        unit="",
        limit=limit,
        source=around.source("casualty"),
        shell=shell.name,
        note=f"{surviving:,.0f} kg reach the ground uncontrolled, {share:.2g} of the dry mass"
        + (f"; {share * limit / value:.2g} would pass" if value > limit else ""),
    )


def _brightness(around: Surroundings, shell: FlownShell) -> RuleResult:
    sun = min(around.sky("sun_depression", "rad"), 0.999 * float(brightness.lit_depression(shell.altitude)))
    area = shell.design.array_area
    value = brightness.plate_magnitude(
        area, around.sky("array_reflectivity"), 1.0, math.sin(sun), shell.altitude
    )
    limit = brightness.limit_magnitude(
        shell.altitude, around.limits("magnitude"), around.limits("magnitude_altitude", "m")
    )
    return RuleResult(
        rule="brightness",
        value=float(value),
        unit="mag",
        limit=float(limit),
        sense="at least",
        source=around.source("magnitude"),
        shell=shell.name,
        note=f"{area:,.0f} m² of array facing the Sun, in the zenith, Sun {math.degrees(sun):.0f}° below the horizon",
    )


def _spacing(around: Surroundings, shell: FlownShell) -> RuleResult | None:
    if shell.spacing is None or shell.satellites == 1:
        return None
    return RuleResult(
        rule="neighbour_distance",
        value=shell.spacing / 1e3,
        unit="km",
        limit=None,
        sense="at least",
        source="no limit within one operator's fleet",
        shell=shell.name,
        note="along the track"
        + (": closer than 1 km, a formation that must be controlled" if shell.spacing < 1e3 else ""),
    )


def expected_casualties(around: Surroundings, shell: FlownShell) -> float:
    """Return the expected casualties of the re-entry of one of the shell's satellites."""
    part, people = around.re_entry, around.people
    pieces = part("surviving_share") * shell.dry_mass / above_zero(part, "fragment_mass", "kg")
    area = casualty.casualty_area(pieces, part("fragment_area", "m**2"), part("person", "m"))
    shares = np.array([people(key) for key in people.facts])
    edges = np.radians(np.linspace(-60.0, 70.0, len(shares) + 1))
    density = casualty.population_density(shell.inclination, edges, shares / shares.sum(), part("people"))
    return float(casualty.casualty_expectation(area, density))


def _surface(shell: FlownShell) -> float:
    return float(collision.flat_surface(shell.design.array_area, shell.design.radiator_area))


def _bus_surface(around: Surroundings, shell: FlownShell) -> float:
    mass = sum(shell.design.masses.get(line, 0.0) for line in _DISPOSED)
    return float(collision.bus_surface(mass, around.bus("electronics_density", "kg/m**3")))


def _hit(around: Surroundings, shell: FlownShell, diameter: str, duration: float) -> float:
    flux = around.flux(above_zero(around.debris, diameter, "m"), shell.altitude, shell.inclination)
    return float(collision.collision_probability(flux, _surface(shell), duration))


def _disabling_hit(around: Surroundings, shell: FlownShell) -> float:
    flux = around.flux(
        above_zero(around.debris, "disabling_diameter", "m"), shell.altitude, shell.inclination
    )
    return float(collision.collision_probability(flux, _bus_surface(around, shell), around.life))


def _way_down(around: Surroundings, shell: FlownShell) -> tuple[float, float]:
    """Return the altitude (m) from which drag alone ends it, and the time (s) of the thrust until there."""
    start = min(shell.altitude, around.propulsion("disposal_altitude", "m"))
    return start, around.debris("disposal_manoeuvre", "s") if start < shell.altitude else 0.0


def _decay(around: Surroundings, shell: FlownShell, altitude: float, f107: float) -> float:
    area = disposal.tumbling_area(shell.design.array_area, shell.design.radiator_area)
    drag = around.propulsion("drag_coefficient")
    return disposal.time_to_decay(altitude, shell.dry_mass, drag, area, f107, around.air)


def _source(part: Part, key: str) -> str:
    return part.fact(key).source


def _years(seconds: float) -> str:
    years = seconds / JULIAN_YEAR
    return f"{years:.3g} yr" if years >= 0.1 else f"{seconds / DAY:.0f} days"


SHELL_RULES: Final[tuple[Callable[[Surroundings, FlownShell], RuleResult | None], ...]] = (
    _disposal_time,
    _graveyard,
    _disposal_success,
    _large_collision,
    _small_collision,
    _disposal_collision,
    _collision_over_life,
    _loop_punctures,
    _manoeuvres,
    _casualty,
    _brightness,
    _spacing,
)
