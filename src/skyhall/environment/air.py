"""Air density, mean over globe, day and year, by altitude and solar activity.

The numbers come from a table (`AirTable`, shipped as ``air.npz``: NRLMSISE-00). Left out: the day's bulge, latitude,
season and storms, which move the density at one place and hour by a factor of two to four around this mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["AirTable", "density"]


@dataclass(frozen=True, slots=True, eq=False)
class AirTable:
    """Air density over altitude and solar activity: ``AirTable(**load_map("air"))``.

    Attributes
    ----------
    altitude : m, ascending; (altitudes,).
    f107 : F10.7 solar radio flux, sfu (1e-22 W/m²/Hz), ascending; (activities,).
    ap : geomagnetic index Ap that goes with each F10.7; (activities,).
    density : kg/m³; (altitudes, activities).
    """

    altitude: Array
    f107: Array
    ap: Array
    density: Array


def density(altitude: Numbers, f107: Numbers, table: AirTable) -> Array:
    """Return the air's density (kg/m³) at `altitude` (m) and `f107` (sfu); the two broadcast.

    The logarithm of the density is linear in altitude and in F10.7 between the points of the table. Above the table
    the last scale height goes on (nothing is left at the geostationary ring); below it, and beyond its F10.7, there
    is no answer.

    Raises
    ------
    ValueProblem : an altitude below the table, an F10.7 outside it.
    """
    heights, flux = np.broadcast_arrays(np.asarray(altitude, dtype=float), np.asarray(f107, dtype=float))
    _check(heights, flux, table)
    logs = np.log(table.density)
    row = np.clip(np.searchsorted(table.altitude, heights) - 1, 0, table.altitude.size - 2)
    column = np.clip(np.searchsorted(table.f107, flux) - 1, 0, table.f107.size - 2)
    up = (heights - table.altitude[row]) / (table.altitude[row + 1] - table.altitude[row])
    across = (flux - table.f107[column]) / (table.f107[column + 1] - table.f107[column])
    below = logs[row, column] * (1.0 - across) + logs[row, column + 1] * across
    above = logs[row + 1, column] * (1.0 - across) + logs[row + 1, column + 1] * across
    return np.asarray(np.exp(below * (1.0 - up) + above * up))


def _check(altitude: Array, f107: Array, table: AirTable) -> None:
    lowest, (least, most) = float(table.altitude[0]), (float(table.f107[0]), float(table.f107[-1]))
    if not np.all(altitude >= lowest):
        raise ValueProblem(
            f"there is no air density for an altitude of {float(np.min(altitude)) / 1e3:g} km",
            right=f"the table begins at {lowest / 1e3:g} km",
        )
    if not np.all((f107 >= least) & (f107 <= most)):
        outside = f107[~((f107 >= least) & (f107 <= most))]
        raise ValueProblem(
            f"there is no air density for an F10.7 of {float(outside.flat[0]):g} sfu",
            right=f"give {least:g} to {most:g} sfu",
        )
