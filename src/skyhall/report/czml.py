"""The fleet for a globe: CZML with sampled orbits, a colour that says light or shadow, links and contacts.

Positions are TEME of date; a globe reads INERTIAL as ICRF, from which TEME is turned by the precession since 2000
(about 0.37 degrees in 2026). The Earth under the orbits is turned by as much: ground tracks are in the GeoJSON file.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np

from skyhall.chain import Assessment
from skyhall.report.czml_network import around, network_packets
from skyhall.report.moments import utc
from skyhall.report.tracks import Tracks, periods, sampled, sun_clearance, tracks
from skyhall.types import Array

__all__ = ["fleet_czml"]

MOST = 100  # satellites; a globe draws some 80 paths at full speed
_LINKED = 40  # of them, in larger fleets, neighbours in the mesh: of other links both ends are seldom drawn
_SAMPLES_PER_ORBIT = 60  # with a polynomial of degree 5 between them: within metres of the orbit
_MOST_SAMPLES = 160
_LIT, _DARK = [255, 196, 61, 255], [86, 130, 190, 255]
_PLAYED = 120  # times faster than the clock


def fleet_czml(assessment: Assessment) -> str:
    """Return the CZML document: at most `MOST` satellites over one period of the slowest, with links and contacts."""
    fleet, epoch = assessment.fleet, assessment.scenario.epoch
    chosen = sampled(fleet, MOST)
    if len(fleet) > MOST:
        chosen = np.union1d(sampled(fleet, MOST - _LINKED), around(assessment, _LINKED))
    shortest, longest = periods(fleet, chosen)
    start = float(assessment.flight.timeline.seconds[0])
    count = int(min(_MOST_SAMPLES, np.ceil(longest / shortest * _SAMPLES_PER_ORBIT))) + 1
    found = tracks(fleet, chosen, start + np.linspace(0.0, longest, count).round())
    interval = f"{utc(epoch, found.seconds[0])}/{utc(epoch, found.seconds[-1])}"
    document: dict[str, Any] = {
        "id": "document",
        "name": f"{assessment.scenario.name}: {len(chosen)} of {len(fleet)} satellites",
        "version": "1.0",
        "clock": {
            "interval": interval,
            "currentTime": utc(epoch, found.seconds[0]),
            "multiplier": _PLAYED,
            "range": "LOOP_STOP",
            "step": "SYSTEM_CLOCK_MULTIPLIER",
        },
    }
    clearance = sun_clearance(found, fleet.epoch_julian_date)
    packets = [_packet(assessment, found, clearance[row], row, interval) for row in range(len(chosen))]
    network = network_packets(assessment, chosen, float(found.seconds[0]), float(found.seconds[-1]))
    return json.dumps([document, *packets, *network], separators=(",", ":"), ensure_ascii=False)


def _packet(
    assessment: Assessment, found: Tracks, clearance: Array, row: int, interval: str
) -> dict[str, Any]:
    epoch = assessment.scenario.epoch
    start = found.seconds[0]
    whole = np.column_stack([found.seconds - start, found.position[row]]).round().astype(np.int64)
    colours = [
        {"interval": f"{utc(epoch, a)}/{utc(epoch, b)}", "rgba": _LIT if lit else _DARK}
        for a, b, lit in _light(found.seconds, clearance)
    ]
    return {
        "id": f"satellite/{found.satellites[row]}",
        "name": found.names[row],
        "availability": interval,
        "position": {
            "epoch": utc(epoch, start),
            "referenceFrame": "INERTIAL",
            "interpolationAlgorithm": "LAGRANGE",
            "interpolationDegree": 5,
            "cartesian": whole.ravel().tolist(),
        },
        "point": {"pixelSize": 6, "color": colours},
        "path": {
            "width": 1,
            "resolution": 120,
            "material": {"solidColor": {"color": {"rgba": [150, 160, 175, 90]}}},
        },
    }


def _light(seconds: Array, clearance: Array) -> list[tuple[float, float, bool]]:
    """Return (from, to, whether lit) of the stretches between the Sun's settings and risings, on a straight line."""
    lit = clearance > 0.0
    edge = np.flatnonzero(lit[1:] != lit[:-1])
    share = clearance[edge] / (clearance[edge] - clearance[edge + 1])
    moments = seconds[edge] + share * (seconds[edge + 1] - seconds[edge])
    bounds = [float(seconds[0]), *moments.tolist(), float(seconds[-1])]
    return [(a, b, bool(lit[0]) == (index % 2 == 0)) for index, (a, b) in enumerate(pairwise(bounds))]
