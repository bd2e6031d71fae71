"""The figure of delay over distance: through space, through fibre on its detours, and along the great circle."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.report.axes import Axis, nice_ticks
from skyhall.report.formats import number
from skyhall.report.marked_panel import MarkedPanel
from skyhall.report.plot import panels
from skyhall.types import Array

__all__ = ["latency_over_distance"]


def latency_over_distance(
    distance_km: npt.ArrayLike,
    space_ms: npt.ArrayLike,
    fibre_ms: npt.ArrayLike,
    great_circle_ms: npt.ArrayLike,
    *,
    space_low_ms: npt.ArrayLike | None = None,
    space_high_ms: npt.ArrayLike | None = None,
    wins_from_km: float | None = None,
    pairs: tuple[tuple[str, float, float], ...] = (),
) -> str:
    """Return the figure of one-way delay against distance.

    Parameters
    ----------
    distance_km : along the ground, ascending (k,).
    space_ms : median through space (k,); NaN where nothing is reached.
    fibre_ms, great_circle_ms : fibre on its usual detour, and along the great circle (k,).
    space_low_ms, space_high_ms : band around the median (k,), both or none.
    wins_from_km : distance from which space is sooner than fibre on its detour, marked.
    pairs : (name, km, ms through space) of pairs of cities, marked.
    """
    way = np.asarray(distance_km, dtype=np.float64)
    if way.ndim != 1 or way.size < 2 or not np.all(np.diff(way) > 0.0):
        raise ValueProblem(
            "distance_km of a figure must be at least two ascending numbers", right=f"got {way}"
        )
    space, fibre, straight = (_same(each, way) for each in (space_ms, fibre_ms, great_circle_ms))
    plot = MarkedPanel("One-way delay", "ms", height=260, low=0.0)
    if space_low_ms is not None and space_high_ms is not None:
        low, high = _same(space_low_ms, way), _same(space_high_ms, way)
        known = np.isfinite(low) & np.isfinite(high)
        if known.any():
            plot.band(way[known], low[known], high[known], "5th to 95th percentile", "blue")
    if np.isfinite(space).any():
        plot.line(way, space, "space, median", "blue")
    plot.line(way, fibre, "fibre, usual detour", "vermillion")
    plot.line(way, straight, "fibre, great circle", "orange", dashed=True)
    if wins_from_km is not None:
        plot.upright(wins_from_km, f"space is sooner from {number(wins_from_km)} km")
    for name, km, ms in pairs:
        plot.spot(km, ms, name, "blue")
    ticks = nice_ticks(0.0, float(way[-1]), 10)
    inside = [(tick, number(tick)) for tick in ticks if tick <= way[-1]]
    axis = Axis(0.0, float(way[-1]), inside, "distance along the ground (km)", lambda km: f"{number(km)} km")
    said = (
        f"Space is sooner than fibre from {number(wins_from_km)} km on."
        if wins_from_km is not None
        else "Space is not sooner than fibre at the largest distance."
    )
    figure = panels(axis, [plot], "One-way delay through space and through fibre against distance")
    return figure.replace("</svg>", f"<desc>{escape(said)}</desc></svg>")


def _same(values: npt.ArrayLike, like: Array) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != like.shape:
        raise ValueProblem(
            f"a curve of the figure has the shape {found.shape}", right=f"right is {like.shape}"
        )
    return found
