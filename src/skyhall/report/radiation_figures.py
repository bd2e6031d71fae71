"""The figures of radiation: dose behind shields and at altitudes, upsets over a day, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.report.axes import Axis, nice_ticks
from skyhall.report.formats import number
from skyhall.report.marked_panel import MarkedPanel
from skyhall.report.plot import panels
from skyhall.report.powers_of_ten import rounded
from skyhall.types import Array

__all__ = ["dose_against_shielding", "upsets_over_day"]

_COLOURS = ("orange", "green", "purple", "sky", "vermillion", "grey", "yellow")


def dose_against_shielding(
    thickness_mm: npt.ArrayLike,
    parts: Mapping[str, npt.ArrayLike],
    *,
    chosen_mm: float,
    limit_krad_per_year: float | None = None,
    mass_kg: npt.ArrayLike | None = None,
) -> str:
    """Return the figure of the dose a year behind aluminium: total, its parts, and below it the shield's mass.

    Parameters
    ----------
    thickness_mm : of the aluminium, ascending (k,).
    parts : name of a radiation to its dose, krad(Si)/yr (k,); the total is their sum.
    chosen_mm : shield of the design, marked.
    limit_krad_per_year : what the electronics bear over their life, as a yearly dose.
    mass_kg : of the shield of one satellite (k,); a second panel.
    """
    thickness = _line("thickness_mm", thickness_mm)
    doses = _curves(parts, thickness, "dose_against_shielding")
    total = np.nansum(list(doses.values()), axis=0)
    dose = MarkedPanel("Dose behind the shield", "krad(Si) a year", height=220, logarithmic=True)
    dose.line(thickness, np.where(total > 0.0, total, np.nan), "total", "blue")
    if len(doses) > 1:
        for index, (name, values) in enumerate(doses.items()):
            dose.line(thickness, values, name, _COLOURS[index % len(_COLOURS)], dashed=True)
    if limit_krad_per_year is not None:
        dose.level(
            limit_krad_per_year, f"limit over life and margin: {rounded(limit_krad_per_year)}", "vermillion"
        )
    dose.upright(chosen_mm, "")
    at = _between(chosen_mm, thickness, total)
    dose.spot(chosen_mm, at, f"{number(chosen_mm)} mm: {rounded(at)} krad a year", "blue")
    shown, said = [dose], f"Total at {number(chosen_mm)} mm: {rounded(at)} krad(Si) a year."
    if mass_kg is not None:
        heavy = _same("mass_kg", mass_kg, thickness)
        weight = float(np.interp(chosen_mm, thickness, heavy))
        mass = MarkedPanel("Shield's mass, one satellite", "kg", height=90, low=0.0)
        mass.upright(chosen_mm, "").line(thickness, heavy, "", "blue")
        mass.spot(chosen_mm, weight, f"{number(weight)} kg", "blue", left=True)
        shown.append(mass)
        said += f" The shield weighs {number(weight)} kg."
    axis = _axis(thickness, "aluminium (mm)", "mm", also=chosen_mm)
    return _described(panels(axis, shown, "Dose a year against the thickness of aluminium"), said)


def upsets_over_day(
    hours: npt.ArrayLike,
    upsets_per_hour: npt.ArrayLike,
    inside_anomaly: npt.ArrayLike,
    *,
    name: str = "corrected upsets",
    logarithmic: bool = True,
) -> str:
    """Return the figure of upsets over a day, with the passes through the South Atlantic Anomaly.

    Parameters
    ----------
    hours : ascending (t,).
    upsets_per_hour : per accelerator, of one satellite or the mean of a fleet (t,).
    inside_anomaly : true where the satellite is inside (t,), shaded; or the share of the fleet that is (t,), of which
        a second panel is made.
    name : of the upsets.
    logarithmic : scale of the upsets; a linear one shows the anomaly alone.
    """
    time = _line("hours", hours)
    rate = _same("upsets_per_hour", upsets_per_hour, time)
    inside = np.asarray(inside_anomaly)
    share = _same("inside_anomaly", inside, time)
    upsets = MarkedPanel(
        f"{name[0].upper()}{name[1:]}",
        "per hour and accelerator",
        height=160,
        logarithmic=logarithmic,
        low=None if logarithmic else 0.0,
    )
    shown = [upsets]
    if inside.dtype == np.bool_:
        upsets.shade(_stretches(time, inside), "inside the South Atlantic Anomaly")
    else:
        fleet = MarkedPanel(
            "Satellites inside the South Atlantic Anomaly", "%", height=80, low=0.0, step=_share_step(share)
        )
        shown.append(fleet)
        fleet.band(time, np.zeros_like(share), 100.0 * share, "", "orange", solid=True)
    upsets.line(time, rate, "", "vermillion")
    known = np.where(np.isfinite(rate), rate, 0.0)
    whole = float(known.sum())
    said = f"{number(100.0 * float(share.mean()))} % of the time is spent inside the anomaly"
    if inside.dtype == np.bool_ and whole > 0.0:
        said += f", with {number(100.0 * float((known * share).sum()) / whole)} % of the upsets"
    axis = _axis(time, "time (h)", "h", steps=(1.0, 2.0, 3.0, 6.0, 12.0, 24.0))
    return _described(panels(axis, shown, f"{name} over a day"), f"{said}.")


def _line(name: str, values: npt.ArrayLike) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or found.size < 2 or not np.all(np.diff(found) > 0.0):
        raise ValueProblem(f"{name} of a figure must be at least two ascending numbers", right=f"got {found}")
    return found


def _same(name: str, values: npt.ArrayLike, like: Array) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != like.shape:
        raise ValueProblem(f"{name} has the shape {found.shape}", right=f"right is {like.shape}")
    return found


def _curves(curves: Mapping[str, npt.ArrayLike], like: Array, figure: str) -> dict[str, Array]:
    if not curves:
        raise ValueProblem(f"{figure} has no curve to draw")
    found = {name: _same(name, values, like) for name, values in curves.items()}
    # A logarithmic axis has no zero: there a line ends.
    return {name: np.where(values > 0.0, values, np.nan) for name, values in found.items()}


def _axis(
    values: Array, title: str, unit: str, *, also: float | None = None, steps: tuple[float, ...] = ()
) -> Axis:
    low, high = float(values[0]), float(values[-1])
    if also is not None:
        low, high = min(low, also), max(high, also)
    step = next((each for each in steps if (high - low) / each <= 12.0), None)
    ticks = nice_ticks(low, high, 10, step=step)
    inside = [(tick, number(tick)) for tick in ticks if low - 1e-9 <= tick <= high + 1e-9]
    return Axis(low, high, inside, title, lambda value: f"{number(value)} {unit}")


def _between(x: float, across: Array, up: Array) -> float:
    """Return the value at `x` on the line as a logarithmic axis shows it; NaN outside of the line's known part."""
    known = np.isfinite(up) & (up > 0.0)
    if not known.any() or not across[known][0] <= x <= across[known][-1]:
        return float("nan")
    return float(np.exp(np.interp(x, across[known], np.log(up[known]))))


def _stretches(x: Array, true: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8))).reshape(-1, 2)
    middles = np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    return [(float(middles[a]), float(middles[b])) for a, b in edges.tolist()]


def _share_step(share: Array) -> float:
    most = 100.0 * float(np.nanmax(share, initial=0.01))
    return next(step for step in (0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0) if most / step <= 4.0 or step == 50.0)


def _described(figure: str, text: str) -> str:
    return figure.replace("</svg>", f"<desc>{escape(text.strip())}</desc></svg>")
