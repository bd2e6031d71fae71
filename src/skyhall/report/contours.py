"""Contours of a field on a grid: marching squares, joined into lines."""

from __future__ import annotations

import numpy as np

from skyhall.types import Array

__all__ = ["contours", "simplified"]

# Sides of a cell, counted around it: 0 south, 1 east, 2 north, 3 west. For each pattern of corners above the level
# (bits: south-west 1, south-east 2, north-east 4, north-west 8) the pairs of sides that the contour joins, the higher
# ground on its left; the two saddles are split as if their middle were below.
_JOINS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),),
    2: ((1, 0),),
    3: ((1, 3),),
    4: ((2, 1),),
    5: ((0, 3), (2, 1)),
    6: ((2, 0),),
    7: ((2, 3),),
    8: ((3, 2),),
    9: ((0, 2),),
    10: ((1, 0), (3, 2)),
    11: ((1, 2),),
    12: ((3, 1),),
    13: ((0, 1),),
    14: ((3, 0),),
}
_Side = tuple[int, int, int]  # row, column, and 0 for the side towards the east, 1 for that towards the north


def contours(x: Array, y: Array, values: Array, level: float) -> list[Array]:
    """Return the lines along which a field has the value `level`.

    Parameters
    ----------
    x, y : ascending coordinates of the columns (m,) and rows (n,).
    values : (n, m), finite.
    level : a line crosses the sides of cells where linear interpolation says so.

    Returns
    -------
    One (k, 2) array of x and y per line; a closed line repeats its first point. Higher ground lies on the left.
    """
    after = _joined_sides(values >= level)
    ends = set(after.values())
    begins = [side for side in after if side not in ends]  # at the grid's edge
    lines = [_walk(after, start) for start in begins]
    while after:
        lines.append(_walk(after, next(iter(after))))
    return [_points(line, x, y, values, level) for line in lines]


def _joined_sides(above: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> dict[_Side, _Side]:
    """Return, for each side of a cell that a contour enters by, the one that it leaves by."""
    a = above.astype(np.int64)
    pattern = a[:-1, :-1] + 2 * a[:-1, 1:] + 4 * a[1:, 1:] + 8 * a[1:, :-1]
    after: dict[_Side, _Side] = {}
    for row, column in np.argwhere((pattern > 0) & (pattern < 15)).tolist():
        sides = ((row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1))
        for one, other in _JOINS[int(pattern[row, column])]:
            after[sides[one]] = sides[other]
    return after


def _walk(after: dict[_Side, _Side], start: _Side) -> list[_Side]:
    line = [start]
    while line[-1] in after:
        line.append(after.pop(line[-1]))
    return line


def _points(line: list[_Side], x: Array, y: Array, values: Array, level: float) -> Array:
    row, column, north = np.array(line).T
    east = 1 - north
    low, high = values[row, column], values[row + north, column + east]
    share = (level - low) / (high - low)
    return np.stack(
        [
            x[column] + share * (x[column + east] - x[column]),
            y[row] + share * (y[row + north] - y[row]),
        ],
        axis=-1,
    )


def simplified(line: Array, tolerance: float) -> Array:
    """Return `line` (k, 2) without the points that lie within `tolerance` of it (Douglas and Peucker 1973)."""
    keep = np.zeros(len(line), dtype=np.bool_)
    keep[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        between, chord = line[first + 1 : last] - line[first], line[last] - line[first]
        length = float(np.hypot(*chord))
        off = (
            np.hypot(*between.T)
            if length == 0.0
            else np.abs(between[:, 0] * chord[1] - between[:, 1] * chord[0]) / length
        )
        if off.max() > tolerance:
            middle = first + 1 + int(off.argmax())
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[keep]
