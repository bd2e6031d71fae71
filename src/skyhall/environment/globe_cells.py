"""The globe in square cells that are found without trigonometry: an octahedron unfolded into two squares.

A direction (x, y, z) is projected on |x| + |y| + |z| = 1; each half of that octahedron (z above and below zero),
turned by 45 degrees, is a square of `CELLS` × `CELLS` cells. The functions `octahedron_scale` and `square_place` are
formulas of the time-stepping kernel. Source of the projection: E. Praun and H. Hoppe, "Spherical parametrization
and remeshing", ACM Trans. Graph. 22 (2003) 340-349; without their fold, as two sheets.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.types import Array, Numbers

__all__ = ["CELLS", "cell_directions", "cell_index", "octahedron_scale", "square_place"]

CELLS: Final = (
    96  # to a side: cells of some 2 degrees, half of what a satellite in low orbit flies in a minute
)
CELL_MIDDLE: Final = 48.0
CELL_REACH: Final = 47.999  # from there to the edges, kept inside them whatever rounding does


def octahedron_scale(along: Numbers, across: Numbers, height: Numbers) -> Numbers:
    """Return the factor from `along` = x + y and `across` = x - y to cells, `height` being z; any length of vector."""
    return CELL_REACH / (np.maximum(np.abs(along), np.abs(across)) + np.abs(height))


def square_place(component: Numbers, scale: Numbers) -> Numbers:
    """Return the place of `component` (along or across) in the square, in cells: above 0 and below CELLS."""
    return CELL_MIDDLE + component * scale


def cell_index(direction: Array) -> npt.NDArray[np.int64]:
    """Return the flat index (0 to 2 CELLS² - 1) of the cell that each direction (…, 3) lies in."""
    x, y, z = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
    along, across = x + y, x - y
    scale = octahedron_scale(along, across, z)
    row = np.asarray(square_place(along, scale)).astype(np.int64)
    column = np.asarray(square_place(across, scale)).astype(np.int64)
    sheet = (np.copysign(1.0, z) < 0.0).astype(np.int64)
    return np.asarray((sheet * CELLS + row) * CELLS + column)


def cell_directions() -> Array:
    """Return the unit vector of every cell's centre; (2 CELLS², 3), in the order of `cell_index`."""
    place = (np.arange(CELLS) + 0.5) / CELL_MIDDLE - 1.0
    along, across = np.meshgrid(place, place, indexing="ij")
    x, y = 0.5 * (along + across), 0.5 * (along - across)
    z = 1.0 - np.maximum(np.abs(along), np.abs(across))
    north = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    both = np.concatenate([north, north * [1.0, 1.0, -1.0]])
    return np.asarray(both / np.linalg.norm(both, axis=-1, keepdims=True))
