"""The world map: a field on the globe in filled levels, with coasts, tracks and points, as inline SVG.

It takes arrays and gives text, and it is small: the levels are contours, simplified to what a screen shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.report.axes import nice_ticks
from skyhall.report.contours import contours
from skyhall.report.plate_carree import (
    BOTTOM,
    LEFT,
    RIGHT,
    WIDTH,
    coasts,
    graticule,
    path,
    places,
    position,
    track,
)
from skyhall.report.plot import COLOURS, paint, svg, text_width, words
from skyhall.report.powers_of_ten import bare, rounded
from skyhall.types import Array

__all__ = ["world_map"]

_SCALE_BAR, _LINE = 66.0, 20.0  # px below the map: of the levels' legend, of each line of the lines' one
_MOST_LEVELS = 7
_DECADES = 3.5  # below the highest value: what is lower stays unfilled
_FAINTEST, _FULLEST = 0.16, 0.96  # opacity of the lowest and of the highest level
_BYTES = 30_000  # of levels at most: a field with more detail is shown on a coarser grid
_SAMPLE = 50.0  # px beside a line's name in the legend
_BORDER = "stroke-width:2;stroke-dasharray:7 3"
_TRACKS = ("blue", "green", "purple", "sky", "orange", "grey")  # in turn


def world_map(
    latitude_deg: npt.ArrayLike,
    longitude_deg: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    title: str,
    unit: str = "",
    label: str = "",
    logarithmic: bool = True,
    levels: Sequence[float] | None = None,
    threshold: float | None = None,
    threshold_name: str = "border",
    tracks: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
    points: Sequence[tuple[float, float, str]] = (),
    colour: str = "vermillion",
) -> str:
    """Return the map of a field as an SVG element of less than 60 kB.

    Parameters
    ----------
    latitude_deg : of the rows, ascending or descending, ° (n,); the field is shown between the first and the last.
    longitude_deg : of the columns, ascending, ° (m,); −180..180 or 0..360. Where they go around the globe, so does the
        field.
    values : (n, m); NaN and, on a logarithmic scale, zero and below are shown as lower than the lowest level.
    title, unit : of the field, written above the map and beside the legend.
    label : what the figure shows, for who cannot see it; the title by default.
    logarithmic : levels of 1 and 3 times powers of ten, else even ones.
    levels : lower bounds of the levels, ascending; chosen by the field's highest value by default.
    threshold : value whose contour is drawn as a line, such as the border of the South Atlantic Anomaly.
    threshold_name : of that line.
    tracks : name of a ground track to its longitudes and latitudes, °; a step of more than 180° of longitude goes
        around the back.
    points : (longitude, latitude, name) of places to mark, °.
    colour : of the levels, a name in `skyhall.report.plot.COLOURS`.

    Raises
    ------
    ValueProblem : where an array is empty, or their shapes do not agree.

    Notes
    -----
    A level's colour is one hue, the stronger the higher, over the page's own background: it reads without telling hues
    apart, and in a dark scheme as well. Contours are linear between the grid's points. Coasts are coarse
    (`skyhall.report.outlines`).
    """
    if colour not in COLOURS:
        raise ValueProblem(f"no colour is called {colour}", right="possible: " + ", ".join(COLOURS))
    latitude, longitude, field = _whole_globe(*_checked(latitude_deg, longitude_deg, values))
    shown = _shown(field, logarithmic)
    bounds = _bounds(field, logarithmic) if levels is None else sorted(float(level) for level in levels)
    scaled = [_scaled(bound, logarithmic) for bound in bounds]
    body = [words("axis", 0, 14, f"{title} ({unit})" if unit else title), *graticule()]
    for step in (1, 2, 3, 4, 6, 8, 12):
        filled = list(_filled(latitude, longitude, shown, scaled, bounds, unit, colour, step))
        if sum(map(len, filled)) <= _BYTES:
            break
    body += [*filled, coasts()]
    samples = []
    if threshold is not None:
        body.append(_border(latitude, longitude, shown, _scaled(threshold, logarithmic)))
        samples.append((f"{threshold_name} ({bare(threshold)} {unit}".rstrip() + ")", ""))
    for index, (name, (lon, lat)) in enumerate((tracks or {}).items()):
        samples.append((name, _TRACKS[index % len(_TRACKS)]))
        body.append(track(lon, lat, samples[-1][1], name))
    body += [*places(points), *_scale_bar(bounds, unit, colour)]
    lines = _wrapped(samples)
    body += _lines_legend(lines)
    body.append(f"<desc>{escape(_said(latitude, longitude, field, unit))}</desc>")
    return svg("".join(body), WIDTH, BOTTOM + _SCALE_BAR + _LINE * len(lines), label or title)


def _checked(
    latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike, values: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    latitude, longitude, field = (
        np.asarray(each, dtype=np.float64) for each in (latitude_deg, longitude_deg, values)
    )
    if latitude.ndim != 1 or longitude.ndim != 1 or latitude.size < 2 or longitude.size < 2:
        raise ValueProblem(
            "a map needs at least two latitudes and two longitudes",
            right=f"got {latitude.shape} and {longitude.shape}",
        )
    if field.shape != (latitude.size, longitude.size):
        raise ValueProblem(
            f"the values of a map have the shape {field.shape}",
            right=f"right is a row per latitude, a column per longitude: {(latitude.size, longitude.size)}",
        )
    rows = np.argsort(latitude, kind="stable")
    return latitude[rows], longitude, field[rows]


def _whole_globe(latitude: Array, longitude: Array, field: Array) -> tuple[Array, Array, Array]:
    """Return the field with longitudes from −180° to 180°, closed where the grid goes around the globe."""
    wrapped = (longitude + 180.0) % 360.0 - 180.0
    wrapped, columns = np.unique(wrapped, return_index=True)
    field = field[:, columns]
    gap = wrapped[0] + 360.0 - wrapped[-1]
    if gap <= 1.5 * float(np.median(np.diff(wrapped))):
        wide = np.concatenate([[wrapped[-1] - 360.0], wrapped, [wrapped[0] + 360.0]])
        ring = np.concatenate([field[:, -1:], field, field[:, :1]], axis=1)
        edge = np.array([np.interp(-180.0, wide, row) for row in ring])[:, None]
        inner = wrapped > -180.0
        wrapped = np.concatenate([[-180.0], wrapped[inner], [180.0]])
        field = np.concatenate([edge, field[:, inner], edge], axis=1)
    return latitude, wrapped, field


def _scaled(value: float, logarithmic: bool) -> float:
    return value if not logarithmic else math.log10(value) if value > 0.0 else -math.inf


def _shown(field: Array, logarithmic: bool) -> Array:
    """Return the field as contours take it: its logarithm, and far below every level where it has no value."""
    known = np.isfinite(field) & ((field > 0.0) | (not logarithmic))
    shown = np.where(known, field, 1.0)
    if logarithmic:
        shown = np.log10(shown)
    # Low enough to lie outside, and near enough that a contour's place beside it stays sensible.
    floor = float(shown[known].min()) - 1.0 if known.any() else 0.0
    return np.where(known, shown, floor)


def _bounds(field: Array, logarithmic: bool) -> list[float]:
    known = field[np.isfinite(field) & ((field > 0.0) | (not logarithmic))]
    if known.size == 0:
        return []
    low, high = float(known.min()), float(known.max())
    if not logarithmic:
        return [tick for tick in nice_ticks(low, high, _MOST_LEVELS) if low < tick < high][:_MOST_LEVELS]
    low = max(low, high * 10.0**-_DECADES)
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    # 3 stands for the half decade; written from text, so that it is 0.03 and not 0.030000000000000002.
    every = [float(f"{digit}e{power}") for power in decades for digit in (1, 3)]
    return [bound for bound in every if low < bound < high][-_MOST_LEVELS:]


def _opacities(count: int) -> list[float]:
    return [_FAINTEST + (_FULLEST - _FAINTEST) * index / max(count - 1, 1) for index in range(count)]


def _filled(
    latitude: Array,
    longitude: Array,
    shown: Array,
    scaled: Sequence[float],
    bounds: Sequence[float],
    unit: str,
    colour: str,
    step: int,
) -> Iterator[str]:
    """Yield one path per level, each over the one below: opacities add up to those of the legend."""
    beneath = 0.0
    y, x, z = _fenced(latitude, longitude, _thinned(shown, step), step)
    for index, (level, opacity) in enumerate(zip(scaled, _opacities(len(bounds)), strict=True)):
        added = 1.0 - (1.0 - opacity) / (1.0 - beneath)
        beneath = opacity
        shape = "".join(path(line, closed=True) for line in contours(x, y, z, level))
        if shape:
            yield (
                f'<path fill="{paint(colour)}" fill-opacity="{added:.3f}" fill-rule="evenodd" d="{shape}">'
                f"<title>{escape(_range(bounds, index, unit))}</title></path>"
            )


def _thinned(shown: Array, step: int) -> Array:
    """Return means of blocks of `step` × `step` around every step-th point: the field of a coarser grid."""
    if step == 1:
        return shown
    half = step // 2
    padded = np.pad(shown, half, mode="edge")
    smooth = np.mean(
        [
            padded[i : i + shown.shape[0], j : j + shown.shape[1]]
            for i in range(2 * half + 1)
            for j in range(2 * half + 1)
        ],
        axis=0,
    )
    return np.asarray(smooth[np.ix_(_kept(shown.shape[0], step), _kept(shown.shape[1], step))])


def _kept(count: int, step: int) -> npt.NDArray[np.int64]:
    return np.unique(np.append(np.arange(0, count, step), count - 1))


def _fenced(latitude: Array, longitude: Array, shown: Array, step: int) -> tuple[Array, Array, Array]:
    """Return the grid with a fence of low values right at its edge, so that every contour closes."""
    y, x = latitude[_kept(latitude.size, step)], longitude[_kept(longitude.size, step)]
    low = float(shown.min()) - 1e6  # below any level
    return (
        np.concatenate([y[:1], y, y[-1:]]),
        np.concatenate([x[:1], x, x[-1:]]),
        np.pad(shown, 1, constant_values=low),
    )


def _border(latitude: Array, longitude: Array, shown: Array, level: float) -> str:
    shape = "".join(
        path(line, closed=bool(np.array_equal(line[0], line[-1])))
        for line in contours(longitude, latitude, shown, level)
    )
    halo = (
        f'<path fill="none" stroke="var(--paper, #fff)" stroke-opacity="0.7" stroke-width="4" d="{shape}"/>'
    )
    return f'{halo}<path class="whisker" style="{_BORDER}" d="{shape}"/>' if shape else ""


def _scale_bar(bounds: Sequence[float], unit: str, colour: str) -> Iterator[str]:
    """Yield the levels' legend: a field per level, its lower bound under its left edge."""
    y = BOTTOM + 30.0
    if not bounds:
        yield words("legend", LEFT, y + 10, "no value above the lowest level")
        return
    texts = [bare(bound) for bound in bounds]
    wide = max(46.0, max(text_width(text, 11.0) for text in texts) + 10.0)
    x = LEFT + wide
    yield f'<rect class="whisker" style="stroke:var(--soft,#777)" x="{LEFT}" y="{y}" width="{wide}" height="13"/>'
    for index, (text, opacity) in enumerate(zip(texts, _opacities(len(bounds)), strict=True)):
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="13" fill="{paint(colour)}" '
            f'fill-opacity="{opacity:.3f}" stroke="var(--soft, #777)"><title>'
            f"{escape(_range(bounds, index, unit))}</title></rect>"
        )
        yield words("tick", x, y + 28, text, anchor="middle")
        x += wide
    yield words("legend", x + 8, y + 11, unit)


def _range(bounds: Sequence[float], index: int, unit: str) -> str:
    low = bare(bounds[index])
    if index + 1 == len(bounds):
        return f"{low} {unit} and more".replace("  ", " ")
    return f"{low} to {bare(bounds[index + 1])} {unit}".rstrip()


def _wrapped(samples: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = []
    used = RIGHT
    for each in samples:
        wide = text_width(each[0], 11.5) + _SAMPLE
        if LEFT + used + wide > RIGHT:
            lines.append([])
            used = 0.0
        lines[-1].append(each)
        used += wide
    return lines


def _lines_legend(lines: Sequence[Sequence[tuple[str, str]]]) -> Iterator[str]:
    for index, line in enumerate(lines):
        x, y = LEFT, BOTTOM + _SCALE_BAR + _LINE * index + 8.0
        for name, colour in line:
            how = f'class="line" stroke="{paint(colour)}"' if colour else f'class="whisker" style="{_BORDER}"'
            yield f'<line {how} x1="{x:.1f}" x2="{x + 22:.1f}" y1="{y - 4}" y2="{y - 4}"/>'
            yield words("legend", x + 28, y, name)
            x += text_width(name, 11.5) + _SAMPLE


def _said(latitude: Array, longitude: Array, field: Array, unit: str) -> str:
    """Return where the field is highest, for who cannot see the map."""
    if not np.isfinite(field).any():
        return "The field has no values."
    row, column = np.unravel_index(int(np.nanargmax(field)), field.shape)
    at = position(float(longitude[column]), float(latitude[row]))
    return f"Highest: {rounded(float(field[row, column]))} {unit} at {at}.".replace("  ", " ")
