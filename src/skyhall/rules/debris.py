"""Orbital debris: how many pieces above a size hit a square metre.

An engineering model of 1989 that is published as a formula and still offered by SPENVIS (NASA90); its successors, ORDEM
and MASTER, are programs with data of their own. It foresaw growth, not the fragmentations of 2007, 2009 and 2021: take
it as within a factor of three at 1 cm, less certain at a millimetre. It is flatter in altitude than what came: too high
at 400 to 600 km, too low near 850 km. Left out: eccentric orbits, the direction of flight, and working satellites.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import JULIAN_YEAR, LEO_PROTECTED_ALTITUDE
from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = ["debris_flux"]

# m; the formula ends here, and its value is held above. The true flux falls to a few tenths of it at 1,200 km and rises
# again near 1,400 km.
_HIGHEST: Final = 1.0e6
# Kessler et al. (1989), table of psi; 45 deg as in SSP 30425. Beyond the ends the end's value.
_INCLINATION: Final = np.radians([28.5, 30.0, 40.0, 45.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 120.0])
_ENHANCEMENT: Final = np.array([0.91, 0.92, 0.96, 0.99, 1.02, 1.09, 1.26, 1.71, 1.37, 1.78, 1.18])
_EPOCH: Final = 1988.0  # year of the formula
_CHANGE: Final = 2011.0  # year from which fragments grow faster


def debris_flux(
    diameter: npt.ArrayLike,
    altitude: npt.ArrayLike,
    inclination: npt.ArrayLike,
    year: npt.ArrayLike,
    solar_flux: npt.ArrayLike,
) -> Array:
    """Return the flux (1/(m² s)) of debris of at least `diameter` (m) on one side of a randomly oriented plate.

    A convex body of any shape is hit by flux × its whole surface, which is four times its mean projected area.

    Parameters
    ----------
    diameter : m, from 1e-5 to 5.
    altitude : of a circular orbit, m; from 1,000 to 2,000 km the value of 1,000 km is held.
    inclination : of the satellite's orbit, rad.
    year : decimal year, from 1988.
    solar_flux : F10.7 of the year before, sfu.

    Raises
    ------
    ValueProblem : an altitude above 2,000 km or a year before 1988.

    Notes
    -----
    Source: D. J. Kessler, R. C. Reynolds, P. D. Anz-Meador, Orbital debris environment for spacecraft designed to
    operate in low Earth orbit, NASA TM 100471 (1989), with the growth of NASA SSP 30425 (rev. B, 1994), sec. 8:
    F = H(d) phi(h, S) psi(i) (F1(d) g1(t) + F2(d) g2(t)), d in cm, h in km, per m² and year. Coefficients as we recall
    them; they agree with two public implementations.
    """
    size = np.asarray(diameter, dtype=float) * 100.0
    height = np.asarray(altitude, dtype=float)
    when = np.asarray(year, dtype=float)
    if not np.all(height <= LEO_PROTECTED_ALTITUDE):
        raise ValueProblem("the flux of debris is known in low orbit only", right="give at most 2000 km")
    if not np.all(when >= _EPOCH):
        raise ValueProblem("the flux of debris begins in 1988", right="give a later year")
    hump = np.sqrt(10.0 ** np.exp(-(((np.log10(size) - 0.78) / 0.637) ** 2)))
    drag = 10.0 ** (np.minimum(height, _HIGHEST) / 200e3 - np.asarray(solar_flux, dtype=float) / 140.0 - 1.5)
    fragments = 1.22e-5 * size**-2.5
    intact = 8.1e10 * (size + 700.0) ** -6.0
    fragment_growth = 1.02 ** (np.minimum(when, _CHANGE) - _EPOCH) * 1.04 ** np.maximum(when - _CHANGE, 0.0)
    mass_growth = 1.0 + 0.05 * (when - _EPOCH)
    a_year = (
        hump
        * drag
        / (1.0 + drag)
        * np.interp(np.asarray(inclination, dtype=float), _INCLINATION, _ENHANCEMENT)
    )
    return np.asarray(a_year * (fragments * fragment_growth + intact * mass_growth) / JULIAN_YEAR)
