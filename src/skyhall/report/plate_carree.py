"""The frame of a world map: degrees to pixels, graticule, coasts, ground tracks, and places with their names.

Plate carrée: degrees of longitude and of latitude are equally long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from skyhall.report.contours import simplified
from skyhall.report.outlines import LAND, WATER
from skyhall.report.plot import paint, rule, text_width, words
from skyhall.types import Array

__all__ = [
    "BOTTOM",
    "LEFT",
    "RIGHT",
    "WIDTH",
    "coasts",
    "graticule",
    "path",
    "place",
    "places",
    "position",
    "track",
]

WIDTH, LEFT, TOP = 940.0, 40.0, 24.0  # px
RIGHT = WIDTH - 12.0
_DEGREE = (RIGHT - LEFT) / 360.0  # px
BOTTOM = TOP + 180.0 * _DEGREE
_TOLERANCE = 0.35  # px that a line may be off
_HALO = 'stroke="var(--paper, #fff)" stroke-opacity="0.7"'


def place(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Array:
    """Return the pixels (..., 2) of longitudes and latitudes in °."""
    x = LEFT + _DEGREE * (np.asarray(longitude, dtype=np.float64) + 180.0)
    y = TOP + _DEGREE * (90.0 - np.asarray(latitude, dtype=np.float64))
    return np.stack([x, y], axis=-1)


def path(line: Array, *, closed: bool) -> str:
    """Return the commands of an SVG path through longitudes and latitudes (k, 2) in °, simplified to what one sees."""
    tenths = np.rint(10.0 * simplified(place(line[:, 0], line[:, 1]), _TOLERANCE)).astype(np.int64)
    steps = np.diff(tenths, axis=0)
    steps = steps[np.any(steps != 0, axis=1)]
    if len(steps) < (3 if closed else 1):
        return ""
    if closed:
        steps = steps[:-1]  # "z" draws it
    along = " ".join(f"{a / 10:g} {b / 10:g}" for a, b in steps.tolist())
    return f"M{tenths[0, 0] / 10:g} {tenths[0, 1] / 10:g}l{along}{'z' if closed else ''}"


@cache
def coasts() -> str:
    """Return land, faintly filled, with its coast."""
    rings = (*LAND.values(), *WATER.values())
    shape = "".join(path(np.vstack([ring, ring[:1]]), closed=True) for ring in rings)
    return (
        f'<path class="whisker" style="fill:var(--shade,#000);fill-opacity:.07;stroke-width:.8;pointer-events:none" '
        f'fill-rule="evenodd" d="{shape}"/>'
    )


def graticule() -> Iterator[str]:
    """Yield meridians and parallels every 30°, with their names at the left and below."""
    for degrees in range(-180, 181, 30):
        x = float(place(degrees, 0.0)[0])
        yield rule("grid", x, TOP, x, BOTTOM)
        if degrees % 60 == 0:
            yield words("tick", min(x, WIDTH - 16.0), BOTTOM + 15, _named(degrees, "E", "W"), anchor="middle")
    for degrees in range(-90, 91, 30):
        y = float(place(0.0, degrees)[1])
        yield rule("zero" if degrees == 0 else "grid", LEFT, y, RIGHT, y)
        yield words("tick", LEFT - 6, y + 4, _named(degrees, "N", "S"), anchor="end")


def position(longitude: float, latitude: float) -> str:
    """Return a place in words: "26° S, 49° W"."""
    east = (longitude + 180.0) % 360.0 - 180.0
    return f"{_named(latitude, 'N', 'S')}, {_named(east, 'E', 'W')}"


def _named(degrees: float, positive: str, negative: str) -> str:
    whole = round(abs(degrees))
    side = "" if whole in (0, 180) else f" {positive if degrees > 0 else negative}"
    return f"{whole}°{side}"


def track(longitude: npt.ArrayLike, latitude: npt.ArrayLike, colour: str, name: str) -> str:
    """Return a ground track; where longitude jumps by more than 180° it leaves the map and enters on the other side."""
    lon, lat = (np.asarray(each, dtype=np.float64).ravel() for each in (longitude, latitude))
    known = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.unwrap(lon[known], period=360.0), lat[known]
    if len(lon) < 2:
        return ""
    line = np.stack([lon, lat], axis=-1)
    shape = ""
    for turn in range(int((lon.min() + 180.0) // 360.0), int((lon.max() + 180.0) // 360.0) + 1):
        for piece in _between(line, 360.0 * turn - 180.0, 360.0 * turn + 180.0):
            shape += path(piece - np.array([360.0 * turn, 0.0]), closed=False)
    return (
        f'<path fill="none" {_HALO} stroke-width="3.4" d="{shape}"/>'
        f'<path class="line" stroke="{paint(colour)}" d="{shape}"><title>{escape(name)}</title></path>'
    )


def _between(line: Array, west: float, east: float) -> Iterator[Array]:
    """Yield the pieces of a line (k, 2) whose first coordinate lies between two values, cut where it crosses them."""
    points = [line[0]]
    for one, other in pairwise(line):
        cuts = [edge for edge in (west, east) if min(one[0], other[0]) < edge < max(one[0], other[0])]
        shares = sorted((edge - one[0]) / (other[0] - one[0]) for edge in cuts)
        points += [*(one + share * (other - one) for share in shares), other]
    piece: list[Array] = []
    for point in points:
        if west <= point[0] <= east:
            piece.append(point)
            continue
        if len(piece) > 1:
            yield np.array(piece)
        piece = []
    if len(piece) > 1:
        yield np.array(piece)


def places(points: Sequence[tuple[float, float, str]]) -> Iterator[str]:
    """Yield dots with names at (longitude, latitude, name); a name goes where it meets no other, as far as it can."""
    marks = [(*place((lon + 180.0) % 360.0 - 180.0, lat).tolist(), name) for lon, lat, name in points]
    taken = [(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y, _ in marks]
    for x, y, name in marks:
        wide = text_width(name, 11.5)
        tried = [(x + 7, y + 4), (x - 7 - wide, y + 4), (x - wide / 2, y - 9), (x - wide / 2, y + 17)]
        inside = [each for each in tried if each[0] >= LEFT and each[0] + wide <= RIGHT] or tried
        free = [each for each in inside if not _meets(_box(*each, wide), taken)]
        at, base = (free or inside)[0]
        taken.append(_box(at, base, wide))
        yield (
            f'<circle r="3.6" cx="{x:.1f}" cy="{y:.1f}" fill="var(--ink, #000)" {_HALO} stroke-width="1.5">'
            f"<title>{escape(name)}</title></circle>"
        )
        yield words("value", at, base, name, strong=True)


def _box(x: float, y: float, wide: float) -> tuple[float, float, float, float]:
    return x, y - 10.0, x + wide, y + 3.0


def _meets(
    box: tuple[float, float, float, float], others: Sequence[tuple[float, float, float, float]]
) -> bool:
    return any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in others
    )
