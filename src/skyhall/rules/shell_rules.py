"""The rules as they apply to one shell: a row for each, or None where a rule does not apply."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from skyhall.catalogue import Part
from skyhall.constants import DAY, JULIAN_YEAR
from skyhall.errors import Place, ValueProblem
from skyhall.rules import brightness, casualty, collision, conjunctions, disposal
from skyhall.rules.figures import RuleFigures, above_zero
from skyhall.rules.punctures import Tube, loop_punctures
from skyhall.rules.result import RuleResult
from skyhall.rules.shells import FlownShell
from skyhall.rules.way_down import WayDown, time_dead, way_down
from skyhall.satellite.masses import GRAVEYARD_RAISE

__all__ = ["SHELL_RULES", "expected_casualties"]

_DISPOSED: Final = (
    "avionics",
    "propulsion",
    "attitude_control",
    "battery",
    "power_electronics",
)  # what a disposal needs
_HEIGHTS: Final = 32  # of the mean on the way down; more change it by less than 0.1 %
_FORMATION: Final = (
    1e3  # m; our word for closer neighbours: satellites stray by as much along the track in a day
)


def _disposal_time(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    way = way_down(figures, shell)
    return RuleResult(
        rule="disposal_time",
        value=way.total / JULIAN_YEAR,
        unit="yr",
        limit=figures.limits("disposal_time", "yr"),
        source=figures.source("disposal_time"),
        shell=shell.name,
        note=f"{_thrust(way)}, then {_years(way.decay_time)} of drag, F10.7 {figures.disposal_sun:.0f}",
    )


def _graveyard(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not disposal.is_geostationary(shell.altitude):
        return None
    design = shell.design
    needed = disposal.graveyard_raise(
        figures.debris("reflectivity_coefficient"),
        disposal.tumbling_area(design.array_area, design.radiator_area),
        shell.dry_mass,
        figures.limits("graveyard_base", "m"),
        figures.limits("graveyard_per_area_to_mass", "m*kg/m**2"),
    )
    return RuleResult(
        rule="graveyard_raise",
        value=GRAVEYARD_RAISE / 1e3,
        unit="km",
        limit=float(needed) / 1e3,
        sense="at least",
        source=figures.source("graveyard_base"),
        shell=shell.name,
        note="above the ring, with the propellant that the satellite is sized for",
    )


def _disposal_success(figures: RuleFigures, shell: FlownShell) -> RuleResult:
    limits = figures.limits
    needed = disposal.required_success(
        figures.satellites, limits("disposal_success"), limits("disposal_success_constellation")
    )
    hit = _disabling_hit(figures, shell)
    value = float(collision.disposal_success(figures.failure_rate, figures.life, hit))
    many = needed > limits("disposal_success")
    return RuleResult(
        rule="disposal_success",
        value=value,
        unit="",
        limit=needed,
        sense="at least",
        source=figures.source("disposal_success_constellation" if many else "disposal_success"),
        shell=shell.name,
        note=f"satellite failures of '{figures.reliability}' over {_years(figures.life)}, and debris on the bus",
    )


def _large_collision(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    alive = float(
        collision.disposal_success(figures.failure_rate, figures.life, _disabling_hit(figures, shell))
    )
    dead = time_dead(figures, shell)
    chance = _hit(figures, shell, "large_diameter", dead)
    return RuleResult(
        rule="large_collision",
        value=(1.0 - alive) * chance,
        unit="",
        limit=figures.limits("large_collision"),
        source=figures.source("large_collision"),
        shell=shell.name,
        note=f"zero while it can manoeuvre; {1.0 - alive:.1%} fail and stay up {_years(dead)}, {chance:.2g} each",
    )


def _small_collision(figures: RuleFigures, shell: FlownShell) -> RuleResult:
    size = figures.debris("disabling_diameter", "mm")
    return RuleResult(
        rule="small_collision",
        value=_disabling_hit(figures, shell),
        unit="",
        limit=figures.limits("small_collision"),
        source=figures.source("small_collision"),
        shell=shell.name,
        note=f"debris above {size:g} mm on {_amount(_bus_surface(figures, shell))} m² of bus over"
        f" {_years(figures.life)}, meteoroids left out",
    )


def _collision_over_life(figures: RuleFigures, shell: FlownShell) -> RuleResult:
    surface = _surface(shell)
    return RuleResult(
        rule="collision_over_life",
        value=_hit(figures, shell, "hit_diameter", figures.life),
        unit="",
        limit=None,
        source="no limit where the disposal survives; flux: NASA TM 100471 (1989)",
        shell=shell.name,
        note=f"any hit by 1 cm and more on {_amount(surface)} m² of surface over {_years(figures.life)}",
    )


def _disposal_collision(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    way = way_down(figures, shell)
    part_of_the_way = (np.arange(_HEIGHTS) + 0.5) / _HEIGHTS
    heights = way.end_altitude + part_of_the_way * (shell.altitude - way.end_altitude)
    size, factor = above_zero(figures.debris, "hit_diameter", "m"), figures.debris("flux_factor")
    sun = figures.disposal_sun
    flux = factor * figures.traffic(size, heights, shell.inclination, sun).mean()
    low_flux = factor * figures.traffic(size, way.end_altitude, shell.inclination, sun)
    # A steady push sinks an orbit steadily; drag begins where the thrust ends, and below are fewer pieces.
    hits_per_area = flux * way.thrust_time + low_flux * way.decay_time
    return RuleResult(
        rule="disposal_collision",
        value=float(collision.collision_probability(hits_per_area, _surface(shell), 1.0)),
        unit="",
        limit=figures.limits("disposal_collision"),
        source=figures.source("disposal_collision"),
        shell=shell.name,
        note=f"debris above 1 cm on {_amount(_surface(shell))} m², {_years(way.total)} on the way down,"
        f" F10.7 {sun:.0f}",
    )


def _loop_punctures(figures: RuleFigures, shell: FlownShell) -> RuleResult:
    tubes = figures.tubes
    area = tubes("tube_area") * shell.design.radiator_area
    tube = Tube(
        above_zero(tubes, "wall", "m"),
        above_zero(tubes, "wall_density", "kg/m**3"),
        above_zero(tubes, "wall_hardness"),
        above_zero(tubes, "wall_sound_speed", "m/s"),
    )
    found = loop_punctures(
        area,
        tube,
        shell.altitude,
        shell.inclination,
        figures.year,
        figures.months,
        above_zero(tubes, "debris_speed", "m/s"),
        above_zero(tubes, "debris_density", "kg/m**3"),
    )
    meteoroids = float(found.meteoroids) * JULIAN_YEAR
    debris = float(found.debris.mean()) * JULIAN_YEAR * figures.debris("flux_factor")
    return RuleResult(
        rule="loop_punctures",
        value=meteoroids + debris,
        unit="1/yr",
        limit=None,
        source="no limit; fluxes: ECSS-E-ST-10-04C, NASA TM 100471",
        shell=shell.name,
        note=f"{meteoroids:.2g} by meteoroids, {debris:.2g} by debris above {found.critical_diameter * 1e3:.2g} mm, on"
        f" {_amount(area)} m² of tubes of {tube.thickness * 1e3:g} mm",
    )


def _manoeuvres(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    theirs = figures.manoeuvres
    large = above_zero(figures.debris, "large_diameter", "m")
    radius = math.sqrt((shell.design.array_area + shell.design.radiator_area) / math.pi)
    spread, threshold = above_zero(theirs, "uncertainty", "m"), above_zero(theirs, "threshold")
    fleet, duration = above_zero(theirs, "satellites"), above_zero(theirs, "duration", "s")
    reported_area = conjunctions.warning_area(above_zero(theirs, "radius", "m"), spread, threshold)
    if not reported_area > 0.0:
        raise ValueProblem(
            f"at a threshold of {threshold:g} the satellites of {theirs.name} would never manoeuvre",
            place=Place(key=f"catalogue.{theirs.name}"),
            right="a lower threshold, a smaller uncertainty or a larger radius",
        )
    rate = conjunctions.manoeuvre_rate(
        conjunctions.report_rate(theirs("manoeuvres"), fleet, duration),
        figures.traffic(large, shell.altitude, shell.inclination),
        conjunctions.warning_area(radius, spread, threshold),
        figures.traffic(large, theirs("altitude", "m"), theirs("inclination", "rad")),
        reported_area,
    )
    a_year = float(rate) * JULIAN_YEAR
    each = above_zero(theirs, "manoeuvre_delta_v", "m/s")
    return RuleResult(
        rule="manoeuvres",
        value=a_year,
        unit="1/yr",
        limit=figures.propulsion("manoeuvres", "m/s/yr") / each,
        source=f"propellant that '{figures.propulsion.name}' sets aside; rate: {_source(theirs, 'manoeuvres')}",
        shell=shell.name,
        note=f"per satellite at a threshold of {threshold:g}, {each:g} m/s each;"
        f" {_rate(a_year * shell.satellites * DAY / JULIAN_YEAR)} a day in the shell; its own neighbours apart",
    )


def _casualty(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
    if not shell.in_low_orbit:
        return None
    share = figures.re_entry("surviving_share")
    surviving = share * shell.dry_mass
    value = expected_casualties(figures, shell)
    limit = figures.limits("casualty")
    return RuleResult(
        rule="casualty",
        value=value,
        unit="",
        limit=limit,
        source=figures.source("casualty"),
        shell=shell.name,
        note=f"{_amount(surviving)} kg reach the ground uncontrolled, {share:.2g} of the dry mass"
        + (f"; {share * limit / value:.2g} would pass" if value > limit else ""),
    )


def _brightness(figures: RuleFigures, shell: FlownShell) -> RuleResult:
    sun = min(
        above_zero(figures.sky, "sun_depression", "rad"), float(brightness.lit_depression(shell.altitude))
    )
    area = shell.design.array_area
    reflectivity = figures.sky("array_reflectivity")
    if reflectivity < 0.0:
        place = Place(key=f"catalogue.{figures.sky.name}.array_reflectivity")
        raise ValueProblem(f"array reflectivity is {reflectivity:g}", place=place, right="0 or above")
    value = brightness.plate_magnitude(area, reflectivity, 1.0, math.sin(sun), shell.altitude)
    limit = brightness.limit_magnitude(
        shell.altitude, figures.limits("magnitude"), above_zero(figures.limits, "magnitude_altitude", "m")
    )
    return RuleResult(
        rule="brightness",
        value=float(value),
        unit="mag",
        limit=float(limit),
        sense="at least",
        source=figures.source("magnitude"),
        shell=shell.name,
        note=f"{_amount(area)} m² of array facing the Sun, in the zenith,"
        f" Sun {math.degrees(sun):.0f}° below the horizon",
    )


def _spacing(figures: RuleFigures, shell: FlownShell) -> RuleResult | None:
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
        note="a formation that must be controlled" if shell.spacing < _FORMATION else "along the track",
    )


def expected_casualties(figures: RuleFigures, shell: FlownShell) -> float:
    """Return the expected casualties of the re-entry of one of the shell's satellites."""
    part, people = figures.re_entry, figures.people
    pieces = part("surviving_share") * shell.dry_mass / above_zero(part, "fragment_mass", "kg")
    area = casualty.casualty_area(pieces, above_zero(part, "fragment_area", "m**2"), part("person", "m"))
    shares = np.array([people(key) for key in people.facts])
    bands = figures.latitudes
    edges = bands("south_edge", "rad") + above_zero(bands, "width", "rad") * np.arange(len(shares) + 1)
    if edges[0] < -0.5 * math.pi or edges[-1] > 0.5 * math.pi:
        raise ValueProblem(
            f"the bands of latitude reach from {math.degrees(edges[0]):.6g}° to {math.degrees(edges[-1]):.6g}°",
            place=Place(key=f"catalogue.{bands.name}"),
            right="they lie between -90° and 90°",
        )
    density = casualty.population_density(shell.inclination, edges, shares / shares.sum(), part("people"))
    return float(casualty.casualty_expectation(area, density))


def _surface(shell: FlownShell) -> float:
    return float(collision.flat_surface(shell.design.array_area, shell.design.radiator_area))


def _bus_surface(figures: RuleFigures, shell: FlownShell) -> float:
    mass = sum(shell.design.masses.get(line, 0.0) for line in _DISPOSED)
    return float(collision.bus_surface(mass, figures.bus("electronics_density", "kg/m**3")))


def _hit(figures: RuleFigures, shell: FlownShell, diameter: str, duration: float) -> float:
    flux = figures.flux(above_zero(figures.debris, diameter, "m"), shell.altitude, shell.inclination)
    return float(collision.collision_probability(flux, _surface(shell), duration))


def _disabling_hit(figures: RuleFigures, shell: FlownShell) -> float:
    flux = figures.flux(
        above_zero(figures.debris, "disabling_diameter", "m"), shell.altitude, shell.inclination
    )
    return float(collision.collision_probability(flux, _bus_surface(figures, shell), figures.life))


def _thrust(way: WayDown) -> str:
    if not way.delta_v:
        return "no thrust"
    return (
        f"{way.delta_v:.0f} m/s by {way.power / 1e3:.2g} kW of thrust in {way.thrust_time / DAY:.3g} days"
        f" to {way.end_altitude / 1e3:.0f} km"
    )


def _source(part: Part, key: str) -> str:
    return part.fact(key).source


def _years(seconds: float) -> str:
    years = seconds / JULIAN_YEAR
    return f"{years:.3g} yr" if years >= 0.1 else f"{seconds / DAY:.3g} days"


def _amount(value: float) -> str:
    """Return an area or a mass in whole numbers; below 10 to two significant digits."""
    return f"{value:,.0f}" if value >= 10.0 else f"{value:.2g}"


def _rate(value: float) -> str:
    """Return a rate to three significant digits, without an exponent where it is large."""
    return f"{float(f'{value:.3g}'):,.10g}"


SHELL_RULES: Final[tuple[Callable[[RuleFigures, FlownShell], RuleResult | None], ...]] = (
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
