"""Line figures as inline SVG: panels over one x axis, with ticks, legends, shades and values under the pointer.

It takes arrays and gives text. Colours are CSS variables with a fallback, so that a page can turn them dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from skyhall.report.axes import Axis, nice_ticks, tick_text
from skyhall.report.formats import number

__all__ = ["COLOURS", "Panel", "paint", "panels", "rule", "svg", "text_width", "words"]

# Okabe and Ito 2008, "Color universal design": eight colours that colour-blind readers tell apart.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "grey": "#7F7F7F",
}
LEFT, RIGHT, HEAD, GAP = 54, 12, 24, 16  # px: margins, a panel's heading, between panels
_AXIS = 40  # px under the last panel
_STRIPS = 120  # places under the pointer, at most
_DRAWN = 900  # points of a line, at most
_LETTER = dict.fromkeys("ijl.,:;'|", 0.3) | dict.fromkeys("ftr()[]- ·", 0.38) | dict.fromkeys("mwMW%@", 0.92)


def paint(colour: str) -> str:
    """Return the CSS colour of a name in `COLOURS`."""
    return f"var(--{colour}, {COLOURS[colour]})"


def text_width(text: str, size: float = 12.0) -> float:
    """Return about how wide `text` is in a sans-serif font of `size`, px."""
    return size * sum(_LETTER.get(letter, 0.68 if letter.isupper() else 0.58) for letter in text)


def words(kind: str, x: float, y: float, text: str, *, anchor: str = "start", strong: bool = False) -> str:
    """Return a text element; `kind` is its class in the style sheet."""
    weight = ' font-weight="600"' if strong else ""
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}"{weight}{end} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def rule(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a straight line; `kind` is its class in the style sheet."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


@dataclass(slots=True)
class Panel:
    """One plot: a heading with the y axis's quantity and unit, and what is drawn in it."""

    title: str
    unit: str = ""
    height: int = 130
    low: float | None = None
    high: float | None = None
    step: float | None = None  # between ticks
    _shades: list[Callable[[_Scale], str]] = field(default_factory=list)
    _marks: list[Callable[[_Scale], str]] = field(default_factory=list)
    _legend: list[tuple[str, str, str]] = field(default_factory=list)
    _values: list[tuple[str, npt.NDArray[np.float64], npt.NDArray[np.float64]]] = field(default_factory=list)
    _extent: list[float] = field(default_factory=list)

    def line(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        name: str,
        colour: str,
        *,
        dashed: bool = False,
        dots: bool = False,
    ) -> Panel:
        """Draw a line; `dots` marks its points, where they are few."""
        across, up = _kept(x, y)
        self._take(name, across, up, "line" if not dashed else "dashed", colour)

        def draw(scale: _Scale) -> str:
            dash = ' stroke-dasharray="5 4"' if dashed else ""
            path = (
                f'<polyline class="line" stroke="{paint(colour)}"{dash} points="{scale.points(across, up)}"/>'
            )
            if dots:
                path += "".join(
                    f'<circle r="2.2" cx="{scale.x(a):.1f}" cy="{scale.y(b):.1f}" fill="{paint(colour)}"/>'
                    for a, b in zip(across, up, strict=True)
                )
            return path

        self._marks.append(draw)
        return self

    def band(
        self,
        x: npt.ArrayLike,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        name: str,
        colour: str,
        *,
        solid: bool = False,
    ) -> Panel:
        """Fill between two lines: a range, or (`solid`) one layer of a stack."""
        across, bottom = _kept(x, low)
        _, top = _kept(x, high)
        self._extent += [float(np.nanmin(bottom)), float(np.nanmax(top))]
        self._legend.append((name, "area" if solid else "band", colour))
        if solid:
            self._values.append((name, across, top - bottom))
        else:
            self._values += [("low", across, bottom), ("high", across, top)]
        opacity = 0.85 if solid else 0.22

        def draw(scale: _Scale) -> str:
            around = f"{scale.points(across, top)} {scale.points(across[::-1], bottom[::-1])}"
            return f'<polygon fill="{paint(colour)}" fill-opacity="{opacity}" points="{around}"/>'

        self._marks.append(draw)
        return self

    def shade(self, intervals: Sequence[tuple[float, float]], name: str) -> Panel:
        """Shade stretches of the x axis, behind everything."""
        if intervals:
            self._legend.append((name, "shade", "grey"))

        def draw(scale: _Scale) -> str:
            return "".join(
                f'<rect class="shade" x="{scale.x(a):.1f}" width="{max(scale.x(b) - scale.x(a), 0.5):.1f}" '
                f'y="{scale.top:.1f}" height="{scale.height:.1f}"/>'
                for a, b in intervals
            )

        self._shades.append(draw)
        return self

    def level(self, y: float, name: str, colour: str = "grey") -> Panel:
        """Draw a dashed level across, such as a limit."""
        self._extent.append(y)
        self._legend.append((name, "dashed", colour))
        self._marks.append(
            lambda scale: (
                f'<line class="line" stroke="{paint(colour)}" stroke-dasharray="5 4" x1="{scale.left}" '
                f'x2="{scale.right}" y1="{scale.y(y):.1f}" y2="{scale.y(y):.1f}"/>'
            )
        )
        return self

    def _take(
        self, name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], mark: str, colour: str
    ) -> None:
        self._extent += [float(np.nanmin(y)), float(np.nanmax(y))]
        self._legend.append((name, mark, colour))
        self._values.append((name, x, y))

    def _ticks(self) -> tuple[float, float, list[float]]:
        """Return the y axis's ends and its ticks; an end that was given is kept, the others fall on ticks."""
        low = min(self._extent) if self.low is None else self.low
        high = max(self._extent) if self.high is None else self.high
        ticks = nice_ticks(low, high, max(2, self.height // 30), step=self.step)
        bottom = ticks[0] if self.low is None else low
        top = ticks[-1] if self.high is None else high
        return bottom, top, [tick for tick in ticks if bottom - 1e-9 <= tick <= top + 1e-9]

    def draw(self, axis: Axis, top: float, width: float) -> Iterator[str]:
        """Yield the panel's marks; its heading begins at `top`."""
        low, high, ticks = self._ticks()
        scale = _Scale(
            axis.low, axis.high, low, high, LEFT, width - RIGHT, top + self.head(width), self.height
        )
        yield from self._heading(top, width)
        yield from (shade(scale) for shade in self._shades)
        for value in ticks:
            y = scale.y(value)
            yield rule("grid", LEFT, y, width - RIGHT, y)
            yield words("tick", LEFT - 6, y + 4, tick_text(value, ticks), anchor="end")
        yield from (mark(scale) for mark in self._marks)
        yield from self._under_pointer(axis, scale)

    def head(self, width: float) -> float:
        """Return the height of the heading: one line, or more where the legend does not fit beside the title."""
        return HEAD + 18.0 * (len(self._legend_lines(width)) - 1)

    def _title(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def _legend_lines(self, width: float) -> list[list[tuple[str, str, str]]]:
        """Return the legend in lines; the first stands beside the title, empty where not all of it fits there."""
        named = [each for each in self._legend if each[0]]
        room = width - RIGHT - LEFT - text_width(self._title())
        if sum(_legend_width(name) for name, _, _ in named) <= room:
            return [named]
        lines: list[list[tuple[str, str, str]]] = [[], []]
        for each in named:
            if sum(_legend_width(name) for name, _, _ in [*lines[-1], each]) > width - RIGHT:
                lines.append([])
            lines[-1].append(each)
        return lines

    def _heading(self, top: float, width: float) -> Iterator[str]:
        yield words("axis", 0, top + 14, self._title())
        for index, line in enumerate(self._legend_lines(width)):
            x, y = width - RIGHT, top + 14 + 18 * index
            for name, mark, colour in reversed(line):
                x -= _legend_width(name)
                yield _sample(mark, colour, x + 12, y - 4)
                yield words("legend", x + 34, y, name)

    def _under_pointer(self, axis: Axis, scale: _Scale) -> Iterator[str]:
        if not self._values:
            return
        edges = np.linspace(axis.low, axis.high, _STRIPS + 1)
        for low, high in pairwise(edges.tolist()):
            middle = 0.5 * (low + high)
            told = []
            for name, x, y in self._values:
                if x[0] - (high - low) <= middle <= x[-1] + (high - low):
                    value = float(y[int(np.argmin(np.abs(x - middle)))])
                    told.append(f"{name or self.title}: {number(value)} {self.unit}".rstrip())
            if told:
                yield (
                    f'<rect class="strip" x="{scale.x(low):.1f}" width="{scale.x(high) - scale.x(low):.1f}" '
                    f'y="{scale.top}" height="{scale.height}">'
                    f"<title>{escape(chr(10).join([axis.told(middle), *told]))}</title></rect>"
                )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    left: float
    right: float
    top: float
    height: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.top + (1.0 - min(max(share, 0.0), 1.0)) * self.height

    def points(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> str:
        return " ".join(
            f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
        )


def panels(axis: Axis, parts: Sequence[Panel], label: str, *, width: int = 940) -> str:
    """Return the figure of `parts` over one x axis; `label` says what it shows to who cannot see it."""
    body: list[str] = []
    top = 0.0
    for part in parts:
        body += part.draw(axis, top, width)
        top += part.head(width) + part.height + GAP
    bottom = top - GAP
    scale = _Scale(axis.low, axis.high, 0.0, 1.0, LEFT, width - RIGHT, 0.0, 1.0)
    for value, text in axis.ticks:
        x = scale.x(value)
        body.append(rule("tickmark", x, bottom, x, bottom + 4))
        x = min(x, width - 0.5 * text_width(text, 11.0))
        body.append(words("tick", x, bottom + 16, text, anchor="middle"))
    body.append(words("axis", (LEFT + width - RIGHT) / 2, bottom + 33, axis.title, anchor="middle"))
    return svg("".join(body), width, bottom + _AXIS, label)


def svg(body: str, width: float, height: float, label: str) -> str:
    """Wrap marks into an SVG element of `width` × `height` px."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px">{body}</svg>'
    )


def _kept(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Drop gaps, and points that a screen cannot show."""
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    every = max(1, math.ceil(len(across) / _DRAWN))
    across, up = across[::every], np.broadcast_to(up, np.shape(x))[::every]
    known = np.isfinite(up)
    return (across[known], up[known]) if known.any() else (across[:1], np.zeros(1))


def _legend_width(name: str) -> float:
    return text_width(name, 11.5) + 34


def _sample(mark: str, colour: str, x: float, y: float) -> str:
    if mark in {"line", "dashed"}:
        dash = ' stroke-dasharray="4 3"' if mark == "dashed" else ""
        return f'<line class="line" stroke="{paint(colour)}"{dash} x1="{x:.1f}" x2="{x + 16:.1f}" y1="{y}" y2="{y}"/>'
    if mark == "shade":
        return f'<rect class="shade" x="{x + 3:.1f}" y="{y - 6}" width="13" height="11"/>'
    opacity = 0.85 if mark == "area" else 0.3
    return f'<rect fill="{paint(colour)}" fill-opacity="{opacity}" x="{x + 3:.1f}" y="{y - 6}" width="13" height="11"/>'
