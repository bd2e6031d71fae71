"""A mesh at one moment over the world map: links that stand, links that do not, satellites and ground sites."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.report.plate_carree import BOTTOM, WIDTH, coasts, graticule, place, places
from skyhall.report.plot import paint, svg, words
from skyhall.types import Array

__all__ = ["mesh_map"]

_MOST_LINKS = 3200  # drawn; each takes some 20 bytes
_LEGEND = 46.0  # px below the map


def mesh_map(
    longitude_deg: npt.ArrayLike,
    latitude_deg: npt.ArrayLike,
    edges: npt.ArrayLike,
    stands: npt.ArrayLike,
    *,
    points: Sequence[tuple[float, float, str]] = (),
    label: str,
) -> str:
    """Return the map as an SVG element of less than 150 kB.

    Parameters
    ----------
    longitude_deg, latitude_deg : of the satellites, ° (satellites,).
    edges : the two satellites of each link, (links, 2); of more than 3,200 an even sample is drawn, and said.
    stands : whether each link is open, (links,).
    points : (longitude, latitude, name) of ground sites, °.
    label : what the figure shows, for who cannot see it.
    """
    where = np.stack([np.asarray(longitude_deg), np.asarray(latitude_deg)], axis=-1).astype(np.float64)
    links, opened = np.asarray(edges, dtype=np.int64).reshape(-1, 2), np.asarray(stands, dtype=np.bool_)
    kept = np.unique(np.linspace(0, len(links) - 1, min(len(links), _MOST_LINKS)).round().astype(np.int64))
    kept = kept[: len(links)]
    parts = [*graticule(), coasts()]
    for wanted, colour, name in (
        (True, "blue", "links that stand"),
        (False, "vermillion", "links that do not"),
    ):
        shape = _segments(where, links[kept[opened[kept] == wanted]])
        if shape:
            dash = "" if wanted else ' stroke-dasharray="3 3"'
            parts.append(
                f'<path fill="none" stroke="{paint(colour)}" stroke-width="0.9" stroke-opacity="0.75"{dash} '
                f'd="{shape}"><title>{escape(name)}</title></path>'
            )
    seen = np.unique(links[kept]) if len(kept) else np.arange(min(len(where), _MOST_LINKS))
    parts.append(_dots(where[seen]))
    parts += [*places(points), *_legend(len(links), len(kept), int(opened.sum()), bool(len(points)))]
    return svg("".join(parts), WIDTH, BOTTOM + _LEGEND, label)


def _segments(where: Array, links: npt.NDArray[np.int64]) -> str:
    """Return the commands of straight links; one that crosses the date line leaves the map and enters again."""
    if not len(links):
        return ""
    start, stop = where[links[:, 0]], where[links[:, 1]].copy()
    turn = np.rint((stop[:, 0] - start[:, 0]) / 360.0) * 360.0
    stop[:, 0] -= turn
    around = np.flatnonzero(np.abs(stop[:, 0]) > 180.0)
    edge = np.where(stop[around, 0] > 0.0, 180.0, -180.0)
    share = (edge - start[around, 0]) / np.where(
        stop[around, 0] == start[around, 0], 1.0, stop[around, 0] - start[around, 0]
    )
    height = start[around, 1] + share * (stop[around, 1] - start[around, 1])
    entry = np.stack([-edge, height], axis=-1)
    first = np.concatenate([start, entry])
    ends = stop.copy()
    ends[around] = np.stack([edge, height], axis=-1)
    last = np.concatenate([ends, np.stack([stop[around, 0] - 2.0 * edge, stop[around, 1]], axis=-1)])
    one, other = (np.rint(place(each[:, 0], each[:, 1])).astype(np.int64) for each in (first, last))
    return "".join(
        f"M{x} {y}l{a} {b}"
        for (x, y), (a, b) in zip(one.tolist(), (other - one).tolist(), strict=True)
        if a or b
    )


def _dots(where: Array) -> str:
    """Return the satellites as round ends of lines without length, which are shorter to write than circles."""
    tenths = np.unique(np.rint(place(where[:, 0], where[:, 1])).astype(np.int64), axis=0)
    shape = "".join(f"M{x} {y}h0" for x, y in tenths.tolist())
    return (
        f'<path stroke="{paint("orange")}" stroke-width="3.2" stroke-linecap="round" d="{shape}">'
        "<title>satellites</title></path>"
    )


def _legend(links: int, drawn: int, stand: int, sites: bool) -> list[str]:
    y = BOTTOM + 38.0
    told = f"{stand:,} of {links:,} links stand"
    if drawn < links:
        told += f"; {drawn:,} are drawn"
    marks = [(f"satellites with their links: {told}", "orange")]
    if sites:
        marks.append(("ground sites", "grey"))
    x, parts = 40.0, []
    for text, colour in marks:
        parts.append(f'<circle r="3.4" cx="{x + 5:.0f}" cy="{y - 4:.0f}" fill="{paint(colour)}"/>')
        parts.append(words("legend", x + 14, y, text))
        x += 24.0 + 6.4 * len(text)
    return parts
