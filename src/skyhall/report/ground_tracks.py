"""Ground tracks as GeoJSON (RFC 7946): one feature a satellite, cut at the antimeridian."""

from __future__ import annotations

import json

import numpy as np

from skyhall.chain import Assessment
from skyhall.report.moments import utc
from skyhall.report.tracks import over_the_ground, periods, sampled, tracks
from skyhall.types import Array

__all__ = ["ground_tracks_geojson"]

MOST = 100  # satellites
_STEP = 30.0  # s


def ground_tracks_geojson(assessment: Assessment) -> str:
    """Return the ground tracks of at most `MOST` satellites over one period each, from the start of the flight."""
    fleet, epoch = assessment.fleet, assessment.scenario.epoch
    chosen = sampled(fleet, MOST)
    _, longest = periods(fleet, chosen)
    start = float(assessment.flight.timeline.seconds[0])
    found = tracks(fleet, chosen, start + np.arange(0.0, longest + _STEP, max(_STEP, longest / 400.0)))
    longitude, latitude, height = over_the_ground(found, fleet.epoch_julian_date)
    features = [
        {
            "type": "Feature",
            "properties": {
                "satellite": int(index),
                "name": found.names[row],
                "from": utc(epoch, found.seconds[0]),
                "to": utc(epoch, found.seconds[-1]),
                "mean_height_km": round(float(height[row].mean()) / 1e3, 3),
            },
            "geometry": {"type": "MultiLineString", "coordinates": _cut(longitude[row], latitude[row])},
        }
        for row, index in enumerate(chosen)
    ]
    return json.dumps(
        {"type": "FeatureCollection", "features": features}, separators=(",", ":"), ensure_ascii=False
    )


def _cut(longitude: Array, latitude: Array) -> list[list[list[float]]]:
    """Cut a track where it crosses longitude 180, with a point on both edges (RFC 7946, section 3.1.9)."""
    lines: list[list[list[float]]] = [[]]
    for index, (east, north) in enumerate(zip(longitude.tolist(), latitude.tolist(), strict=True)):
        if index and abs(east - longitude[index - 1]) > 180.0:
            before, south = float(longitude[index - 1]), float(latitude[index - 1])
            edge = 180.0 if before > 0 else -180.0
            there = east + 2.0 * edge
            middle = (
                south + (edge - before) / (there - before) * (north - south) if there != before else north
            )
            lines[-1].append([edge, round(middle, 5)])
            lines.append([[-edge, round(middle, 5)]])
        lines[-1].append([round(east, 5), round(north, 5)])
    return lines
