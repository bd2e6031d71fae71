"""Delay between cities over a fleet's laser links, beside fibre: over a day, and over distance."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from skyhall.catalogue import Catalogue, Part
from skyhall.constants import DAY
from skyhall.errors import Place, ValueProblem
from skyhall.fleet import Fleet
from skyhall.fleet_network import FleetMesh, fleet_mesh
from skyhall.network.ground_site import on_the_ground
from skyhall.network.latency import destination, fibre_delay, great_circle, wins_from
from skyhall.network.routes import Router, StationRoutes
from skyhall.network.station_links import station_links
from skyhall.orbit.sun import greenwich_angle
from skyhall.studies.resilience import Resilience, resilience
from skyhall.types import Array

__all__ = ["City", "DelayOverDistance", "Latency", "PairLatency", "Spread", "city", "latency_between"]

_WORK = 600_000  # satellites × steps of a day, so that an answer takes seconds
_STEPS = (6, 720)  # fewest and most
_FEW = (
    20_000  # satellites, beyond which the sweep over distance looks in fewer directions and at fewer moments
)
_SWEEP_KM = np.arange(500.0, 19_501.0, 500.0)
_SWEEP_STEPS = {True: 24, False: 6}
_AZIMUTHS = {True: 8, False: 2}
_FIBRE, _GATEWAY = "long-haul-fibre", "city-gateway"
_MS = 1e3
_SAME = 1e3  # m, below which two places are one


@dataclass(frozen=True, slots=True)
class City:
    """A place on the ground: its name, latitude and longitude, rad."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, middle and most of something."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class PairLatency:
    """Between two cities, one way.

    Attributes
    ----------
    space_ms, hops : over the day, where there is a path; None where there never is one. Hops are laser links.
    fibre_ms : along the great circle, on the usual detour, on a long one: it does not change over the day.
    reachable, space_sooner : share of the day with a path, and with one that beats the fibre's median.
    resilience : how the way holds; None for fleets too large to look at it.
    """

    origin: str
    target: str
    distance_km: float
    space_ms: Spread | None
    fibre_ms: Spread
    hops: Spread | None
    reachable: float
    space_sooner: float
    resilience: Resilience | None


@dataclass(frozen=True, slots=True, eq=False)
class DelayOverDistance:
    """Delay against distance, from the two cities in several directions; arrays (k,), NaN where nothing is reached.

    Attributes
    ----------
    space_ms, space_low_ms, space_high_ms : median, and the 5th and 95th percentile, over moments and directions.
    fibre_ms, great_circle_ms : fibre on the usual detour, and along the great circle.
    reachable : share of moments and directions with a path.
    wins_from_km, wins_from_great_circle_km : distance from which the median path through space beats each of them all
        the way out; None where it does not at the end.
    """

    distance_km: Array
    space_ms: Array
    space_low_ms: Array
    space_high_ms: Array
    fibre_ms: Array
    great_circle_ms: Array
    reachable: Array
    wins_from_km: float | None
    wins_from_great_circle_km: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Latency:
    """The answer: pairs in the order asked, and delay over distance.

    Attributes
    ----------
    links : of the mesh, without those that are chosen anew between shells.
    steps : moments of the day that were looked at, evenly spread.
    """

    satellites: int
    links: int
    steps: int
    elevation_mask_deg: float
    route_factor: float
    pairs: tuple[PairLatency, ...]
    sweep: DelayOverDistance


def city(text: str, catalogue: Catalogue) -> City:
    """Return the place that `text` names: a city of the catalogue in any capitals, or "latitude,longitude" in °.

    Raises
    ------
    ValueProblem : no such city, or no such place on the Earth.
    """
    typed = re.fullmatch(r"\s*([-+]?[\d.]+)\s*,\s*([-+]?[\d.]+)\s*", text)
    if typed:
        return _typed(text.strip(), *typed.groups())
    cities = {part.title.casefold(): part for part in catalogue if part.kind == "cities"}
    cities |= {part.name: part for part in cities.values()}
    wanted = " ".join(text.casefold().split())
    found = cities.get(wanted)
    if found is None:
        near = get_close_matches(wanted, cities, n=1, cutoff=0.6)
        guess = (
            f"did you mean '{cities[near[0]].title}'? else"
            if near
            else "`skyhall catalogue cities` lists them;"
        )
        raise ValueProblem(
            f"there is no city '{text}' in the catalogue",
            right=f"{guess} give latitude and longitude: '51.5,-0.1'",
        )
    return City(found.title, found("latitude", "rad"), found("longitude", "rad"))


def _typed(text: str, latitude: str, longitude: str) -> City:
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        raise ValueProblem(f"'{text}' is no place", right="write, for example, '51.5,-0.1'") from None
    if not (abs(north) <= 90.0 and -180.0 <= east <= 360.0):
        raise ValueProblem(
            f"there is no place at latitude {north:g}°, longitude {east:g}°",
            right="latitudes are -90 to 90, longitudes -180 to 360",
        )
    return City(text, math.radians(north), math.radians(east))


def latency_between(
    fleet: Fleet,
    origin: City,
    targets: Sequence[City],
    *,
    steps: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Latency:
    """Return the delays between `origin` and each of `targets` over the day after the epoch, and over distance.

    Parameters
    ----------
    steps : moments of the day; left out: as many as take seconds.
    progress : told the share done.

    Raises
    ------
    ValueProblem : no laser links, or the same place twice.
    """
    mesh = fleet_mesh(fleet)
    _check(fleet, mesh, origin, targets)
    fibre = fleet.catalogue.part("fibres", _FIBRE)
    mask = fleet.scenario.network.elevation_mask
    if mask is None:
        mask = fleet.catalogue.part("gateways", _GATEWAY)("elevation_mask", "rad")
    few = len(fleet) <= _FEW
    count = steps or int(np.clip(_WORK // len(fleet), *_STEPS))
    places = _Places(origin, targets, _AZIMUTHS[few])
    swept = set(np.linspace(0, count - 1, min(count, _SWEEP_STEPS[few])).astype(int).tolist())
    delays: list[Array] = []
    hops: list[Array] = []
    sweep: list[Array] = []
    routes = _Sky(fleet, mesh, mask)
    for index in range(count):
        seconds = DAY * (index + 0.5) / count
        found = routes.at(seconds, *places.at(index in swept))
        delays.append(found.distance[0, 1 : 1 + len(targets)])
        hops.append(found.hops[0, 1 : 1 + len(targets)].astype(np.float64))
        if index in swept:
            sweep.append(places.swept(found.distance))
        if progress is not None:
            progress((index + 1) / count)
    taken, links = np.array(delays), np.array(hops)
    if not routes.stood and not np.isfinite(taken).any():
        raise mesh.nothing_stands(mesh.links(0.0))
    held = [_held(fleet, mesh, origin, target, mask) if few else None for target in targets]
    return Latency(
        satellites=len(fleet),
        links=len(mesh.lasting),
        steps=count,
        elevation_mask_deg=math.degrees(mask),
        route_factor=fibre("route_factor"),
        pairs=tuple(
            _pair(origin, target, taken[:, column], links[:, column], fibre, held[column])
            for column, target in enumerate(targets)
        ),
        sweep=_over_distance(np.array(sweep), fibre),
    )


class _Places:
    """The cities, and points at all distances around two of them."""

    def __init__(self, origin: City, targets: Sequence[City], azimuths: int) -> None:
        cities = [origin, *targets]
        self.latitude = np.array([each.latitude for each in cities])
        self.longitude = np.array([each.longitude for each in cities])
        self.cities, self.azimuths = len(cities), azimuths
        turn = (np.arange(azimuths) + 0.5) * 2.0 * np.pi / azimuths
        around = [
            destination(each.latitude, each.longitude, turn[:, None], 1e3 * _SWEEP_KM) for each in cities[:2]
        ]
        self.around = [np.concatenate([np.ravel(pair[axis]) for pair in around]) for axis in (0, 1)]

    def at(self, swept: bool) -> tuple[Array, Array, list[int]]:
        """Return latitudes and longitudes of the stations, and which of them are sources."""
        if not swept:
            return self.latitude, self.longitude, [0]
        return (
            np.concatenate([self.latitude, self.around[0]]),
            np.concatenate([self.longitude, self.around[1]]),
            [0, 1],
        )

    def swept(self, distance: Array) -> Array:
        """Return the delays from both cities to the points around them, s, (directions, distances)."""
        each = self.azimuths * len(_SWEEP_KM)
        rows = [distance[row, self.cities + row * each : self.cities + (row + 1) * each] for row in (0, 1)]
        return np.concatenate(rows).reshape(-1, len(_SWEEP_KM))


class _Sky:
    """The fleet's mesh over time, as a router."""

    def __init__(self, fleet: Fleet, mesh: FleetMesh, mask: float) -> None:
        self.fleet, self.mesh, self.mask = fleet, mesh, mask
        self.router = Router(len(fleet), mesh.lasting.edges)
        self.stood = False

    def at(self, seconds: float, latitude: Array, longitude: Array, sources: list[int]) -> StationRoutes:
        """Return the shortest routes from stations at a moment."""
        links = self.mesh.links(seconds)
        self.stood |= bool(links.stands.any())
        if self.mesh.across and not np.array_equal(links.edges, self.router.edges):
            self.router = Router(len(self.fleet), links.edges)
        self.router.weigh(links.delay, links.stands)
        position = self.fleet.positions(np.array([seconds]))[:, 0]
        turned = greenwich_angle(self.fleet.epoch_julian_date + seconds / DAY)
        ground, zenith = on_the_ground(latitude, longitude, turned)
        seen = station_links(ground, zenith, position, mask=self.mask)
        return self.router.between_stations(seen, sources=sources)


def _check(fleet: Fleet, mesh: FleetMesh, origin: City, targets: Sequence[City]) -> None:
    if fleet.scenario.orbit.elements is not None:
        raise ValueProblem(
            "real element sets have no pattern of neighbours",
            place=fleet.scenario.place("orbit.elements"),
            right="choose shells, such as those of starlink-shell-53",
        )
    if not len(mesh.lasting) and not mesh.across:
        alone = len(fleet) == len(fleet.designs)
        raise ValueProblem(
            "a shell with one satellite has no mesh" if alone else "the satellites have no laser links",
            place=fleet.scenario.place("orbit.shells.0.satellites" if alone else "satellite.terminal"),
            right="choose a scenario of several satellites, such as starlink-shell-53"
            if alone
            else "choose a laser terminal, and leave network.mesh out",
        )
    for target in targets:
        apart = great_circle(origin.latitude, origin.longitude, target.latitude, target.longitude)
        if float(apart) < _SAME:
            raise ValueProblem(
                f"{target.name} is where {origin.name} is", place=Place("--to"), right="name another city"
            )


def _held(fleet: Fleet, mesh: FleetMesh, origin: City, target: City, mask: float) -> Resilience:
    north, east = (
        np.array([getattr(each, axis) for each in (origin, target)]) for axis in ("latitude", "longitude")
    )
    return resilience(fleet, mesh, north, east, mask=mask, rng=np.random.default_rng(fleet.scenario.seed))


def _pair(
    origin: City, target: City, seconds: Array, links: Array, fibre: Part, held: Resilience | None
) -> PairLatency:
    way = float(great_circle(origin.latitude, origin.longitude, target.latitude, target.longitude))
    reached = np.isfinite(seconds)
    low, high = fibre.bounds("route_factor")
    index, usual = fibre("index"), fibre("route_factor")
    by_fibre = Spread(*(_MS * float(fibre_delay(way, index, factor)) for factor in (low, usual, high)))
    return PairLatency(
        origin=origin.name,
        target=target.name,
        distance_km=way / 1e3,
        space_ms=_spread(_MS * seconds[reached]),
        fibre_ms=by_fibre,
        hops=_spread(links[reached]),
        reachable=float(reached.mean()),
        space_sooner=float((_MS * seconds < by_fibre.median).mean()),
        resilience=held,
    )


def _spread(values: Array) -> Spread | None:
    if not values.size:
        return None
    return Spread(float(values.min()), float(np.median(values)), float(values.max()))


def _over_distance(seconds: Array, fibre: Part) -> DelayOverDistance:
    """Return the curves of delays (moments, directions, distances), s."""
    taken = _MS * seconds.reshape(-1, len(_SWEEP_KM))
    reached = np.isfinite(taken)
    low, middle, high = (
        np.array(
            [
                np.percentile(each[np.isfinite(each)], share) if np.isfinite(each).any() else np.nan
                for each in taken.T
            ]
        )
        for share in (5, 50, 95)
    )
    usual = _MS * fibre_delay(1e3 * _SWEEP_KM, fibre("index"), fibre("route_factor"))
    straight = _MS * fibre_delay(1e3 * _SWEEP_KM, fibre("index"))
    return DelayOverDistance(
        distance_km=_SWEEP_KM,
        space_ms=middle,
        space_low_ms=low,
        space_high_ms=high,
        fibre_ms=usual,
        great_circle_ms=straight,
        reachable=reached.mean(axis=0),
        wins_from_km=wins_from(_SWEEP_KM, middle, usual),
        wins_from_great_circle_km=wins_from(_SWEEP_KM, middle, straight),
    )
