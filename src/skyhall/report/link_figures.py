"""The figure of a laser link: its margin and its rate against range."""

from __future__ import annotations

import math
from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.report.axes import Axis
from skyhall.report.formats import number
from skyhall.report.marked_panel import MarkedPanel
from skyhall.report.plot import panels
from skyhall.report.powers_of_ten import bare, decades
from skyhall.types import Array

__all__ = ["link_over_range"]


def link_over_range(
    range_km: npt.ArrayLike,
    margin_db: npt.ArrayLike,
    rate_bps: npt.ArrayLike,
    *,
    required_margin_db: float,
    chosen_km: float,
    chosen_name: str = "",
) -> str:
    """Return the figure of a link's margin at the line rate, and of the rate that it steps down to, over its range.

    Parameters
    ----------
    range_km : positive, ascending (k,); the axis is logarithmic.
    margin_db : at the line rate (k,). rate_bps : with the required margin (k,); 0 where the link is down.
    required_margin_db : to be kept in hand; a level.
    chosen_km : range that is marked, such as the longest of a mesh. chosen_name : what it is.

    Raises
    ------
    ValueProblem : ranges that do not ascend from above zero, or lines of another length.
    """
    distance = np.asarray(range_km, dtype=np.float64)
    if distance.ndim != 1 or distance.size < 2 or not (distance[0] > 0.0 and np.all(np.diff(distance) > 0.0)):
        raise ValueProblem(
            "the ranges of a figure do not ascend from above zero", right="at least two of them"
        )
    margin, rate = _same("margin_db", margin_db, distance), _same("rate_bps", rate_bps, distance)
    across, at = np.log10(distance), math.log10(chosen_km)
    shown = MarkedPanel("Margin of the line rate", "dB", height=150)
    shown.line(across, margin, "", "blue").level(
        required_margin_db, f"kept in hand: {number(required_margin_db)} dB", "vermillion"
    )
    here = float(np.interp(at, across, margin))
    shown.upright(at, chosen_name)
    shown.spot(at, here, f"{number(chosen_km)} km: {number(here)} dB", "blue")
    gigabits = np.where(rate > 0.0, 1e-9 * rate, np.nan)
    carried = MarkedPanel("Rate", "Gbit/s", height=110, logarithmic=True)
    # A rate holds up to its last range, and falls there.
    carried.upright(at, "").line(np.repeat(across, 2)[:-1], np.repeat(gigabits, 2)[1:], "", "green")
    known = float(1e-9 * rate[int(np.argmin(np.abs(across - at)))])
    if known > 0.0:
        carried.spot(at, known, f"{number(known)} Gbit/s", "green", left=True)
    figure = panels(_axis(distance), [shown, carried], "Margin and rate of a laser link against its range")
    said = f"At {number(chosen_km)} km the margin is {number(here)} dB and the rate {number(known)} Gbit/s."
    return figure.replace("</svg>", f"<desc>{escape(said)}</desc></svg>")


def _same(name: str, values: npt.ArrayLike, like: Array) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != like.shape:
        raise ValueProblem(f"{name} has the shape {found.shape}", right=f"right is {like.shape}")
    return found


def _axis(distance: Array) -> Axis:
    low, high = float(distance[0]), float(distance[-1])
    ticks = [(math.log10(value), text) for value, text in decades(low, high, 10)[2] if low <= value <= high]
    return Axis(
        math.log10(low), math.log10(high), ticks, "range (km)", lambda value: f"{bare(10.0**value)} km"
    )
