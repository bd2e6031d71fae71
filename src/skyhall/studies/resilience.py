"""How a way between two places holds: its narrowest link, its independent ways, what is left when satellites fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skyhall.constants import DAY
from skyhall.fleet import Fleet
from skyhall.fleet_network import FleetMesh, LinkTable
from skyhall.network.disjoint import disjoint_paths
from skyhall.network.ground_site import on_the_ground
from skyhall.network.routes import Router
from skyhall.network.station_links import StationLinks, station_links
from skyhall.orbit.sun import greenwich_angle
from skyhall.types import Array

__all__ = ["FAILED_SHARE", "Resilience", "resilience"]

FAILED_SHARE = 0.1  # of the satellites that fail: some ten times the spares that constellations fly
_MOMENTS = 4  # of the day
_MOST_WAYS = 8  # that are looked for


@dataclass(frozen=True, slots=True)
class Resilience:
    """A way between two places at a few moments of the day.

    Attributes
    ----------
    bottleneck_gbps : rate of the narrowest laser link on the shortest way, the least of all moments; None without one.
    disjoint_paths : ways that share no satellite, the fewest of all moments; 8 stands for 8 or more.
    failed_share : of the satellites, drawn at random, that fail together.
    failed_reachable : share of the moments at which a way is left then. failed_ms : its delay, median; None without.
    """

    bottleneck_gbps: float | None
    disjoint_paths: int
    failed_share: float
    failed_reachable: float
    failed_ms: float | None


def resilience(
    fleet: Fleet,
    mesh: FleetMesh,
    latitude: Array,
    longitude: Array,
    *,
    mask: float,
    rng: np.random.Generator,
) -> Resilience:
    """Return how the way between two places holds over the day after the epoch.

    Parameters
    ----------
    latitude, longitude : of both, rad, (2,). mask : lowest elevation, rad.
    rng : draws the satellites that fail.
    """
    widths, ways, left = [], [], []
    for index in range(_MOMENTS):
        seconds = DAY * (index + 0.5) / _MOMENTS
        links = mesh.links(seconds)
        seen = _seen(fleet, latitude, longitude, mask, seconds)
        router = Router(len(fleet), links.edges).weigh(links.delay, links.stands)
        path = router.between_stations(seen).path(0, 1)
        if path:
            widths.append(router.bottleneck(path, links.rate))
        ways.append(_ways(len(fleet), links, seen))
        failed = np.zeros(len(fleet), np.bool_)
        failed[rng.choice(len(fleet), round(FAILED_SHARE * len(fleet)), replace=False)] = True
        router.fail(nodes=failed).weigh(links.delay, links.stands)
        left.append(float(router.between_stations(seen).distance[0, 1]))
    reached = np.isfinite(left)
    narrowest = min(widths, default=np.inf)
    return Resilience(
        bottleneck_gbps=narrowest / 1e9 if np.isfinite(narrowest) else None,
        disjoint_paths=min(ways),
        failed_share=FAILED_SHARE,
        failed_reachable=float(reached.mean()),
        failed_ms=1e3 * float(np.median(np.array(left)[reached])) if reached.any() else None,
    )


def _seen(fleet: Fleet, latitude: Array, longitude: Array, mask: float, seconds: float) -> StationLinks:
    turned = greenwich_angle(fleet.epoch_julian_date + seconds / DAY)
    ground, zenith = on_the_ground(latitude, longitude, turned)
    return station_links(ground, zenith, fleet.positions(np.array([seconds]))[:, 0], mask=mask)


def _ways(satellites: int, links: LinkTable, seen: StationLinks) -> int:
    """Return how many ways there are from one place to the other that share no satellite."""
    places = satellites + seen.station
    edges = np.concatenate([links.edges[links.stands], np.stack([places, seen.satellite], axis=-1)])
    weight = np.concatenate([links.delay[links.stands], seen.delay])
    return len(disjoint_paths(satellites + 2, edges, weight, satellites, satellites + 1, _MOST_WAYS))
