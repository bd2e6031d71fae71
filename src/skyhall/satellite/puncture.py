"""Meteoroids that puncture the coolant tubes of a radiator, and the loops that survive them.

Meteoroids only; the orbital debris that comes on top is in `skyhall.rules`, which adds the two. Left out: what fins and
coverings shield, showers, and the direction of flight (a randomly oriented surface is assumed).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_GM, EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = [
    "critical_diameter",
    "loop_survival",
    "meteoroid_flux",
    "near_earth_factor",
    "perforated_thickness",
    "puncture_rate",
]

# ECSS-E-ST-10-04C (2008), section 10.2.4 and annex C: reference speed and density of meteoroids.
METEOROID_SPEED: Final = 20e3  # m/s
METEOROID_DENSITY: Final = 2500.0  # kg/m³
ATMOSPHERE: Final = 100e3  # m, height below which the Earth stops meteoroids, same source
MEAN_OBLIQUITY_COSINE: Final = 2.0 / 3.0  # mean cosine of impact on a surface in an isotropic flux


def meteoroid_flux(mass: npt.ArrayLike) -> Array:
    """Return the flux at 1 AU (1/(m² s)) of meteoroids of at least `mass` (kg).

    It is the flux on one side of a randomly oriented flat plate.

    Notes
    -----
    Source: E. Grün, H. A. Zook, H. Fechtig, R. H. Giese, "Collisional balance of the meteoritic complex",
    Icarus 62 (1985) 244-272, in the form of ECSS-E-ST-10-04C (2008), eq. 10-1; valid for 1e-18 to 1 g.
    Without the Earth's attraction and shielding (`near_earth_factor`).
    """
    gram = np.asarray(mass, dtype=float) * 1e3
    large = (2.2e3 * gram**0.306 + 15.0) ** -4.38
    middle = 1.3e-9 * (gram + 1e11 * gram**2 + 1e27 * gram**4) ** -0.36
    small = 1.3e-16 * (gram + 1e6 * gram**2) ** -0.85
    return np.asarray(large + middle + small)


def near_earth_factor(altitude: npt.ArrayLike, speed: npt.ArrayLike = METEOROID_SPEED) -> Array:
    """Return the factor on the flux at `altitude` (m): attraction × shielding × motion in orbit.

    Parameters
    ----------
    altitude : of a circular orbit, m.
    speed : of the meteoroids away from the Earth, m/s.

    Notes
    -----
    Source: ECSS-E-ST-10-04C (2008), annex C.1. The Earth's attraction raises the flux by (v/speed)², where
    v² = speed² + escape speed². The Earth and 100 km of air hide a cone of half-angle
    asin((R + 100 km)/(R + altitude)), so that (1 + cos)/2 of an isotropic flux stays. The satellite's own
    speed u raises it by the mean of |v - u|/v over all directions, 1 + u²/(3 v²).
    """
    distance = EARTH_RADIUS + np.asarray(altitude, dtype=float)
    orbital = EARTH_GM / distance  # u²
    far = np.asarray(speed, dtype=float) ** 2
    near = far + 2.0 * orbital
    sine = np.minimum((EARTH_RADIUS + ATMOSPHERE) / distance, 1.0)
    shielding = 0.5 * (1.0 + np.sqrt(1.0 - sine**2))
    return np.asarray(near / far * shielding * (1.0 + orbital / (3.0 * near)))


def perforated_thickness(
    diameter: npt.ArrayLike,
    wall_density: npt.ArrayLike,
    brinell_hardness: npt.ArrayLike,
    sound_speed: npt.ArrayLike,
    normal_speed: npt.ArrayLike,
    density: npt.ArrayLike = METEOROID_DENSITY,
) -> Array:
    """Return the thickness (m) of a single metal wall that a sphere of `diameter` (m) just perforates.

    Parameters
    ----------
    diameter : of the impacting sphere, m.
    wall_density, brinell_hardness, sound_speed : of the wall, kg/m³, Brinell number, m/s.
    normal_speed : component of the impact speed normal to the wall, m/s.
    density : of the particle, kg/m³; below 1.5 times the wall's.

    Notes
    -----
    Cour-Palais' crater depth in a thick plate, in cm, P = 5.24 d^(19/18) H^(-1/4) (rho_p/rho_t)^(1/2)
    (v/c)^(2/3), and perforation at 1.8 P. Source: E. L. Christiansen, Meteoroid/Debris Shielding,
    NASA/TP-2003-210788 (2003), single-wall equations.
    """
    return np.asarray(_depth_per_cm(wall_density, brinell_hardness, sound_speed, normal_speed, density)) * (
        0.01 * (100.0 * np.asarray(diameter, dtype=float)) ** (19.0 / 18.0)
    )


def critical_diameter(
    wall_thickness: npt.ArrayLike,
    wall_density: npt.ArrayLike,
    brinell_hardness: npt.ArrayLike,
    sound_speed: npt.ArrayLike,
    normal_speed: npt.ArrayLike,
    density: npt.ArrayLike = METEOROID_DENSITY,
) -> Array:
    """Return the diameter (m) of the smallest sphere that perforates a wall of `wall_thickness` (m).

    The inverse of `perforated_thickness`, whose other parameters it shares.
    """
    scale = _depth_per_cm(wall_density, brinell_hardness, sound_speed, normal_speed, density)
    return np.asarray(0.01 * (100.0 * np.asarray(wall_thickness, dtype=float) / scale) ** (18.0 / 19.0))


def _depth_per_cm(
    wall_density: npt.ArrayLike,
    brinell_hardness: npt.ArrayLike,
    sound_speed: npt.ArrayLike,
    normal_speed: npt.ArrayLike,
    density: npt.ArrayLike,
) -> Array:
    ratio = np.asarray(density, dtype=float) / np.asarray(wall_density, dtype=float)
    if not np.all(ratio < 1.5):
        raise ValueProblem(
            "the ballistic limit holds for light particles only", right="particle density < 1.5 × the wall's"
        )
    mach = np.asarray(normal_speed, dtype=float) / np.asarray(sound_speed, dtype=float)
    hardness = np.asarray(brinell_hardness, dtype=float)
    return np.asarray(1.8 * 5.24 * hardness**-0.25 * np.sqrt(ratio) * np.cbrt(mach) ** 2)


def puncture_rate(
    area: npt.ArrayLike,
    wall_thickness: npt.ArrayLike,
    wall_density: npt.ArrayLike,
    brinell_hardness: npt.ArrayLike,
    sound_speed: npt.ArrayLike,
    altitude: npt.ArrayLike,
) -> Array:
    """Return how often meteoroids perforate the walls of a coolant loop (1/s).

    Parameters
    ----------
    area : outer surface of the loop's tubes that faces space, m².
    wall_thickness : armour between space and coolant, m.
    wall_density, brinell_hardness, sound_speed : of the wall, kg/m³, Brinell number, m/s.
    altitude : m.

    Notes
    -----
    Flux of `meteoroid_flux` × `near_earth_factor` above the mass of the `critical_diameter`, all at one
    reference speed (20 km/s), one density and the mean obliquity. Orbital debris is not in it.
    """
    normal = METEOROID_SPEED * MEAN_OBLIQUITY_COSINE
    diameter = critical_diameter(wall_thickness, wall_density, brinell_hardness, sound_speed, normal)
    mass = METEOROID_DENSITY * np.pi / 6.0 * diameter**3
    return np.asarray(np.asarray(area, dtype=float) * meteoroid_flux(mass) * near_earth_factor(altitude))


def loop_survival(
    rate: npt.ArrayLike, redundancy: npt.ArrayLike, duration: npt.ArrayLike, needed: npt.ArrayLike = 1
) -> Array:
    """Return the probability that at least `needed` coolant loops are whole after `duration`.

    Parameters
    ----------
    rate : punctures of one loop per unit of time; every loop is exposed, in use or not.
    redundancy : spare loops beyond `needed`, each able to replace any other.
    duration : in the unit of time of `rate`.
    needed : loops that must work.

    Notes
    -----
    Each loop survives with exp(-rate × duration) (Poisson); the number of whole loops is binomial, and its
    upper tail is the regularised incomplete beta function (Abramowitz and Stegun 26.5.24).
    """
    from scipy.special import betainc

    whole = np.exp(-np.asarray(rate, dtype=float) * np.asarray(duration, dtype=float))
    return np.asarray(betainc(np.asarray(needed), np.asarray(redundancy) + 1.0, whole))
