"""Bar figures as inline SVG: one row a line, stacked or floating, with the figure's numbers written out at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from skyhall.report.axes import nice_ticks, tick_text
from skyhall.report.plot import paint, rule, svg, text_width, words

__all__ = ["Bar", "Piece", "bars"]

_ROW, _THICK, _HEADING = 23, 15, 26  # px
_TOP, _BOTTOM = 6, 40


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a bar, from `start` to `stop` in the axis's unit."""

    start: float
    stop: float
    colour: str
    told: str  # under the pointer


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: its name, its pieces, and what is written behind them; a row without pieces is a heading."""

    name: str
    pieces: Sequence[Piece] = ()
    text: str = ""
    range: tuple[float, float] | None = None  # low and high of a value, as a whisker
    strong: bool = False


def bars(
    rows: Sequence[Bar],
    title: str,
    label: str,
    *,
    legend: Sequence[tuple[str, str]] = (),
    width: int = 460,
) -> str:
    """Return the figure of `rows`.

    Parameters
    ----------
    title : of the value axis, with its unit.
    label : what the figure shows, for who cannot see it.
    legend : (name, colour) of what the colours mean.
    width : px.
    """
    left = max(text_width(row.name) for row in rows if row.pieces) + 12
    room = max((text_width(row.text, 11.5) for row in rows), default=0.0) + 14
    ends = [value for row in rows for piece in row.pieces for value in (piece.start, piece.stop)]
    ends += [value for row in rows if row.range for value in row.range]
    low, high = min(0.0, *ends), max(0.0, *ends)
    ticks = [
        tick
        for tick in nice_ticks(low, high, max(2, int((width - left - room) / 70)))
        if tick <= high * 1.0001
    ]
    low = min(low, ticks[0])

    def x(value: float) -> float:
        return left + (value - low) / ((high - low) or 1.0) * (width - left - room)

    top = _TOP + 22 * len(_wrapped(legend, width))
    body: list[str] = []
    y = float(top)
    block: float | None = None  # where the run of bars began that the grid stands behind
    for row in [*rows, Bar("")]:
        if not row.pieces and block is not None:
            body = [
                *(_grid(x(tick), block, y, "grid") for tick in ticks),
                *body,
                _grid(x(0), block, y, "zero"),
            ]
            block = None
        elif row.pieces and block is None:
            block = y
        if row.name:
            height = _ROW if row.pieces else _HEADING
            body.append(_row(row, x, y, left, height))
            y += height
    axis = [words("tick", x(tick), y + 15, tick_text(tick, ticks), anchor="middle") for tick in ticks]
    axis.append(words("axis", (left + width - room) / 2, y + 32, title, anchor="middle"))
    return svg("".join([*_legend(legend, width), *body, *axis]), width, y + _BOTTOM, label)


def _grid(x: float, top: float, bottom: float, kind: str) -> str:
    return rule(kind, x, top, x, bottom)


def _row(row: Bar, x: Callable[[float], float], y: float, left: float, height: float) -> str:
    if not row.pieces:
        return words("group", 0, y + height - 7, row.name)
    middle = y + height / 2
    drawn = [words("name", left - 8, middle + 4, row.name, anchor="end", strong=row.strong)]
    end = x(0.0)
    for piece in row.pieces:
        a, b = sorted((x(piece.start), x(piece.stop)))
        end = max(end, b)
        drawn.append(
            f'<rect x="{a:.1f}" width="{max(b - a, 0.6):.1f}" y="{middle - _THICK / 2:.1f}" height="{_THICK}" '
            f'fill="{paint(piece.colour)}"><title>{escape(piece.told)}</title></rect>'
        )
    if row.range:
        a, b = x(row.range[0]), x(row.range[1])
        end = max(end, b)
        ends = "".join(f"M{at:.1f} {middle - 4:.1f}v8" for at in (a, b))
        drawn.append(f'<path class="whisker" d="M{a:.1f} {middle:.1f}H{b:.1f}{ends}"/>')
    drawn.append(words("value", end + 6, middle + 4, row.text, strong=row.strong))
    return "".join(drawn)


def _wrapped(legend: Sequence[tuple[str, str]], width: float) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = [[]] if legend else []
    used = 0.0
    for name, colour in legend:
        wide = text_width(name, 11.5) + 30
        if lines[-1] and used + wide > width:
            lines.append([])
            used = 0.0
        lines[-1].append((name, colour))
        used += wide
    return lines


def _legend(legend: Sequence[tuple[str, str]], width: float) -> list[str]:
    drawn = []
    for index, line in enumerate(_wrapped(legend, width)):
        at = 0.0
        for name, colour in line:
            drawn.append(
                f'<rect x="{at:.1f}" y="{index * 22 + 2}" width="13" height="11" fill="{paint(colour)}"/>'
                + words("legend", at + 18, index * 22 + 12, name)
            )
            at += text_width(name, 11.5) + 30
    return drawn
