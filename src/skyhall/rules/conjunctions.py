"""Manoeuvres to avoid what is tracked: a fleet that reports them, scaled to another orbit, size and threshold."""

from __future__ import annotations

import numpy as np

from skyhall.types import Array, Numbers

__all__ = ["manoeuvre_rate", "report_rate", "warning_area"]


def report_rate(manoeuvres: Numbers, satellites: Numbers, duration: Numbers) -> Numbers:
    """Return manoeuvres per satellite and second of an operator's report over `duration` (s)."""
    return manoeuvres / (satellites * duration)


def warning_area(radius: Numbers, uncertainty: Numbers, threshold: Numbers) -> Array:
    """Return the area (m²) around a satellite, across the relative speed, in which a miss calls for a manoeuvre.

    Parameters
    ----------
    radius : combined hard-body radius of both objects, m.
    uncertainty : standard deviation of the relative position in each direction, m.
    threshold : probability of collision above which one manoeuvres.

    Notes
    -----
    A circular Gaussian that is wide beside the bodies: P(miss) = R²/(2 s²) exp(-miss²/(2 s²)), so that the area is
    2 pi s² ln(R²/(2 s² threshold)), and zero where even a head-on meeting stays below the threshold. F. K. Chan,
    Spacecraft Collision Probability (2008), ch. 4. The number of manoeuvres grows with the logarithm of the size only.
    """
    spread = 2.0 * np.asarray(uncertainty, dtype=float) ** 2
    peak = np.asarray(radius, dtype=float) ** 2 / spread
    return np.asarray(np.pi * spread * np.log(np.maximum(peak / threshold, 1.0)))


def manoeuvre_rate(
    reported: Numbers, traffic: Numbers, area: Numbers, reported_traffic: Numbers, reported_area: Numbers
) -> Array:
    """Return manoeuvres per satellite and second: those `reported` × flux of large objects × `warning_area`.

    Parameters
    ----------
    reported : manoeuvres per satellite and second of the fleet that reports them.
    traffic, reported_traffic : flux of large debris there and here, in one unit; working satellites, which crowd some
        altitudes, are taken to be in proportion.
    area, reported_area : of `warning_area`, m².
    """
    return np.asarray(
        np.asarray(reported, dtype=float) * (traffic / reported_traffic) * (area / reported_area)
    )
