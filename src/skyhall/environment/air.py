"""Air density, mean over globe, day and year, by altitude and solar activity; and the solar cycle.

The numbers come from a table (`AirTable`, shipped as ``air.npz``: NRLMSISE-00). Left out: the day's bulge, latitude,
season and storms, which move the density at one place and hour by a factor of two to four around this mean; and the
slow cooling of the upper air (a few per cent per decade).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["AirTable", "SolarCycle", "cycle_f107", "cycle_shape", "density", "mean_density"]

# Shape of the average sunspot cycle: D. H. Hathaway, "The Solar Cycle", Living Rev. Sol. Phys. 12:4 (2015), eq. 6 and
# the text below it (as we recall it): rise time, asymmetry, and a start before the minimum.
_RISE: Final = 54.0  # months
_ASYMMETRY: Final = 0.8
_EARLY_START: Final = 4.0  # months
_CYCLE_MONTHS: Final = 132  # months, 11 years: the same review, 4.2


def cycle_shape() -> Array:
    """Return the activity of an average cycle's months, from minimum to minimum: 0 to 1; (132,).

    f(t) = x³ / (exp(x²) - c), x = (t - t0) / b, scaled to a peak of 1: Hathaway, Wilson & Reichmann, Sol. Phys. 151
    (1994) 177. F10.7 follows the sunspot number in a straight line but for its lowest fifth (Holland & Vaughn 1984).
    """
    x = (np.arange(_CYCLE_MONTHS) + 0.5 + _EARLY_START) / _RISE
    curve = x**3 / (np.exp(x**2) - _ASYMMETRY)
    return np.asarray(curve / curve.max())


@dataclass(frozen=True, slots=True)
class SolarCycle:
    """A solar cycle between two levels of F10.7, smoothed over a year, sfu (1e-22 W/m²/Hz).

    In place of a number for F10.7 it stands for the mean over the cycle.
    """

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not 0.0 < self.minimum <= self.maximum:
            raise ValueProblem(
                f"a solar cycle from {self.minimum:g} to {self.maximum:g} sfu",
                right="the minimum lies above 0 and not above the maximum",
            )

    @property
    def months(self) -> Array:
        """F10.7 of the cycle's months, sfu; (132,)."""
        return cycle_f107(cycle_shape(), self)


def cycle_f107(activity: Numbers, cycle: SolarCycle) -> Array:
    """Return the F10.7 (sfu) of an `activity` between 0, the cycle's minimum, and 1, its maximum.

    Raises
    ------
    ValueProblem : an activity below 0 or above 1.
    """
    share = np.asarray(activity, dtype=float)
    if not np.all((share >= 0.0) & (share <= 1.0)):
        raise ValueProblem(
            f"a solar activity of {float(share.flat[0]):g}",
            right="0 is the minimum of the cycle, 1 its maximum",
        )
    return np.asarray(cycle.minimum + share * (cycle.maximum - cycle.minimum))


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


def mean_density(altitude: Numbers, cycle: SolarCycle, table: AirTable) -> Array:
    """Return the density (kg/m³) at `altitude` (m), mean over the months of a solar cycle.

    It is what drag adds up to over years, and more than the density at the cycle's mean F10.7, because density grows
    faster than F10.7: by a tenth at 400 km, a third at 600 km.
    """
    heights = np.asarray(altitude, dtype=float)
    return np.asarray(density(heights[..., None], cycle.months, table).mean(axis=-1))


def density(altitude: Numbers, f107: Numbers | SolarCycle, table: AirTable) -> Array:
    """Return the air's density (kg/m³) at `altitude` (m) and `f107` (sfu); the two broadcast.

    A `SolarCycle` in place of `f107` gives `mean_density`. The logarithm of the density is linear in altitude and in
    F10.7 between the points of the table. Above the table the last scale height goes on (nothing is left at the
    geostationary ring); below it, and beyond its F10.7, there is no answer.

    Raises
    ------
    ValueProblem : an altitude below the table, an F10.7 outside it.
    """
    if isinstance(f107, SolarCycle):
        return mean_density(altitude, f107, table)
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
