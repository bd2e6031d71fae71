"""Distances between shells, and between neighbours in a shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from skyhall.constants import EARTH_RADIUS
from skyhall.types import Array, Numbers

__all__ = ["GEOSTATIONARY_ALTITUDE", "Gap", "nearest_shell", "shell_gap", "spacing"]

GEOSTATIONARY_ALTITUDE: Final = 35786e3  # m over the equator's radius: IADC (2007), 3.3.2


class Gap(NamedTuple):
    """The nearest other shell: its name and the distance in altitude, m."""

    name: str
    distance: float


def shell_gap(low: Numbers, high: Numbers, other_low: Numbers, other_high: Numbers) -> Array:
    """Return the distance (m) between two bands of altitude; zero where they overlap."""
    below, above = np.subtract(other_low, high), np.subtract(low, other_high)
    return np.asarray(np.maximum(np.maximum(below, above), 0.0))


def nearest_shell(low: float, high: float, others: Mapping[str, tuple[float, float]]) -> Gap | None:
    """Return the nearest of the `others` (lowest and highest altitude, m) to a band of altitude; None without any."""
    gaps = [Gap(name, float(shell_gap(low, high, *band))) for name, band in others.items()]
    return min(gaps, key=lambda gap: gap.distance, default=None)


def spacing(altitude: Numbers, satellites: Numbers, planes: Numbers) -> Numbers:
    """Return the distance (m) along the track between neighbours that share a plane evenly."""
    return 2.0 * np.pi * (EARTH_RADIUS + altitude) * planes / satellites
