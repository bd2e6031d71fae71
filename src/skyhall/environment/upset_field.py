"""Upset rates as a satellite meets them on its way: tables over the globe that the twin looks up at every step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.environment.globe_cells import CELLS, cell_index
from skyhall.types import Array

__all__ = ["UpsetField"]


@dataclass(frozen=True, slots=True, eq=False)
class UpsetField:
    """Tables of upset rates, and which of them each satellite looks up.

    Attributes
    ----------
    rates : (tables, 2 CELLS²) float32, upsets per accelerator and second in each cell of `globe_cells`, at one altitude
        behind one shield.
    table : (satellites,) which table. scale : (satellites,) factor on it, for altitudes between the tables'.
    """

    rates: npt.NDArray[np.float32]
    table: npt.NDArray[np.int64]
    scale: Array

    @classmethod
    def none(cls, satellites: int) -> UpsetField:
        """Return a field without any upset."""
        rates = np.zeros((1, 2 * CELLS**2), dtype=np.float32)
        return cls(rates, np.zeros(satellites, dtype=np.int64), np.zeros(satellites))

    def at(self, radial: Array, greenwich: Array) -> npt.NDArray[np.float32]:
        """Return upsets per accelerator and second at unit vectors (satellites, steps, 3) in TEME.

        `greenwich` (steps,) is the angle from TEME's x axis to longitude 0 at each step, rad.
        """
        cosine, sine = np.cos(greenwich), np.sin(greenwich)
        x, y, z = np.moveaxis(radial, -1, 0)
        turned = np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)
        found = self.rates[self.table[:, None], cell_index(turned)] * self.scale[:, None]
        return np.asarray(found, dtype=np.float32)

    def only(self, satellites: slice | npt.NDArray[np.int64]) -> UpsetField:
        """Return the field of some of the satellites."""
        return UpsetField(self.rates, self.table[satellites], self.scale[satellites])
