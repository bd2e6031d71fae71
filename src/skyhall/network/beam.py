"""The beam between two telescopes: gain, width, and how much of it arrives at a range.

One Gaussian mode stands for the beam of an aperture D: the one of waist D/√8, which has the aperture's gain (π D/λ)²
and its curvature on the axis. Its share that arrives is 1/(1 + (R/R_c)²) with the confocal range R_c = π a b/λ of the
two radii a and b: the overlap of two equal collimated modes a range R apart (Kogelnik and Li, Appl. Opt. 5 (1966)
1550). Far away that is Friis' law with the gain of each aperture; near by it is never above 1. Unequal telescopes are
taken as matched to each other by their optics, which matters only within R_c. Left out: side lobes, and the flat top
that an evenly lit aperture has close by.
"""

from __future__ import annotations

import numpy as np

from skyhall.types import Array, Numbers

__all__ = ["aperture_gain", "beam_radius", "confocal_range", "mode_coupling"]


def aperture_gain(aperture: Numbers, wavelength: Numbers, efficiency: Numbers = 1.0) -> Array:
    """Return the gain of a telescope, η (π D/λ)², as a ratio (Klein and Degnan, Appl. Opt. 13 (1974) 2134).

    Parameters
    ----------
    aperture : diameter, m. wavelength : m. efficiency : share. They broadcast.
    """
    return np.asarray(efficiency * (np.pi * np.asarray(aperture, dtype=np.float64) / wavelength) ** 2)


def beam_radius(aperture: Numbers, wavelength: Numbers) -> Array:
    """Return the angle from the axis at which a beam has 1/e² of its intensity, far away: √8 λ/(π D), rad.

    Its curvature and gain on the axis are those of the Airy pattern of an evenly lit circular aperture,
    [2 J₁(x)/x]² = 1 - x²/4 + ... with x = π D θ/λ (Klein and Degnan, Appl. Opt. 13 (1974) 2134).

    Parameters
    ----------
    aperture : diameter, m. wavelength : m. They broadcast.
    """
    return np.asarray(np.sqrt(8.0) * wavelength / (np.pi * np.asarray(aperture, dtype=np.float64)))


def confocal_range(aperture: Numbers, other_aperture: Numbers, wavelength: Numbers) -> Array:
    """Return the range π a b/λ of two telescopes of radii a and b, m, up to which a beam hardly widens.

    Parameters
    ----------
    aperture, other_aperture : diameters, m. wavelength : m. They broadcast.
    """
    return np.asarray(0.25 * np.pi * aperture * np.asarray(other_aperture, dtype=np.float64) / wavelength)


def mode_coupling(range_m: Numbers, confocal: Numbers) -> Array:
    """Return the share of a mode that arrives: 1/(1 + (R/R_c)²), from 1 near by to Friis' law far away.

    Parameters
    ----------
    range_m : m. confocal : the two telescopes' confocal range, m. They broadcast.
    """
    return np.asarray(1.0 / (1.0 + (np.asarray(range_m, dtype=np.float64) / confocal) ** 2))
