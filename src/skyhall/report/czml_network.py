"""Links and contacts for a globe: CZML lines between satellites, and to ground sites, shown while they stand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from skyhall.chain import Assessment
from skyhall.fleet_contacts import contact_table
from skyhall.fleet_network import fleet_mesh
from skyhall.report.moments import utc

__all__ = ["around", "network_packets"]

_LOOKS = 24  # moments of the stretch at which a link's state is looked at
_LINK, _CONTACT, _SITE = [0, 158, 115, 200], [204, 121, 167, 230], [230, 230, 230, 255]


def around(assessment: Assessment, most: int) -> npt.NDArray[np.int64]:
    """Return the indices of at most `most` satellites that are linked with the fleet's first one, nearest first."""
    mesh = assessment.network.mesh
    if mesh is None:
        return np.zeros(0, np.int64)
    edges, found = mesh.now.edges, np.zeros(1, np.int64)
    while len(found) < most:
        touching = edges[np.isin(edges, found).any(axis=1)]
        wider = np.unique(np.concatenate([found, touching.ravel()]))
        if len(wider) == len(found):
            break
        found = np.concatenate([found, np.setdiff1d(wider, found)])
    return found[:most]


def network_packets(
    assessment: Assessment, satellites: npt.NDArray[np.int64], start: float, stop: float
) -> Iterator[dict[str, Any]]:
    """Yield the packets of links among `satellites`, of ground sites, and of contacts, from `start` to `stop` (s)."""
    yield from _links(assessment, satellites, start, stop)
    yield from _contacts(assessment, satellites, start, stop)


def _links(
    assessment: Assessment, satellites: npt.NDArray[np.int64], start: float, stop: float
) -> Iterator[dict[str, Any]]:
    fleet = assessment.fleet
    if assessment.network.mesh is None:
        return
    mesh = fleet_mesh(fleet)
    edges = np.linspace(start, stop, _LOOKS + 1)
    shown: dict[tuple[int, int], list[bool]] = {}
    for index, (begin, end) in enumerate(pairwise(edges.tolist())):
        table = mesh.links(0.5 * (begin + end))
        drawn = np.isin(table.edges, satellites).all(axis=1) & table.stands
        for one, other in table.edges[drawn].tolist():
            shown.setdefault((one, other), [False] * _LOOKS)[index] = True
    for (one, other), states in shown.items():
        yield _line(
            f"link/{one}-{other}",
            f"laser link {one} to {other}",
            [f"satellite/{one}#position", f"satellite/{other}#position"],
            _LINK,
            [
                (utc(assessment.scenario.epoch, a), utc(assessment.scenario.epoch, b), state)
                for (a, b), state in zip(pairwise(edges.tolist()), states, strict=True)
            ],
        )


def _contacts(
    assessment: Assessment, satellites: npt.NDArray[np.int64], start: float, stop: float
) -> Iterator[dict[str, Any]]:
    fleet, ground = assessment.fleet, assessment.network.ground
    if ground is None:
        return
    down = satellites[fleet_mesh(fleet).looks_down[satellites]]
    sites = ground.ground.sites
    for name, latitude, longitude, height in zip(
        ground.ground.names, sites.latitude, sites.longitude, sites.altitude, strict=True
    ):
        place = [float(np.degrees(longitude)), float(np.degrees(latitude)), float(height)]
        yield {
            "id": f"site/{name}",
            "name": name,
            "position": {"cartographicDegrees": [round(each, 4) for each in place]},
            "point": {"pixelSize": 7, "color": {"rgba": _SITE}},
            "label": {"text": name, "font": "12px sans-serif", "pixelOffset": {"cartesian2": [8, -8]}},
        }
    passes = contact_table(fleet, ground.ground, start, stop, down, moments=2).passes
    epoch = assessment.scenario.epoch
    for index in range(len(passes)):
        satellite, site = int(down[passes.satellite[index]]), ground.ground.names[passes.site[index]]
        rise, end = float(passes.rise[index]), float(passes.set[index])
        states = [(start, rise, False), (rise, end, True), (end, stop, False)]
        yield _line(
            f"contact/{satellite}-{site}/{index}",
            f"contact {satellite} with {site}",
            [f"satellite/{satellite}#position", f"site/{site}#position"],
            _CONTACT,
            [(utc(epoch, a), utc(epoch, b), state) for a, b, state in states if b > a],
        )


def _line(
    name: str, title: str, ends: list[str], colour: list[int], states: list[tuple[str, str, bool]]
) -> dict[str, Any]:
    joined: list[tuple[str, str, bool]] = []
    for begin, end, state in states:
        if joined and joined[-1][2] == state:
            joined[-1] = (joined[-1][0], end, state)
        else:
            joined.append((begin, end, state))
    return {
        "id": name,
        "name": title,
        "polyline": {
            "positions": {"references": ends},
            "arcType": "NONE",
            "width": 1.5,
            "material": {"solidColor": {"color": {"rgba": colour}}},
            "show": [{"interval": f"{begin}/{end}", "boolean": state} for begin, end, state in joined],
        },
    }
