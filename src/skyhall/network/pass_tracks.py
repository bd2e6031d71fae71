"""Elevation and range along passes, at evenly spaced moments from rise to set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from skyhall.network.ground_site import GroundSites, elevation_and_range
from skyhall.network.passes import Passes
from skyhall.network.sampling import Arcs, Positions, stretches
from skyhall.types import Array

__all__ = ["PassTracks", "track_passes"]

MOMENTS: Final = 65  # of a pass: some ten seconds apart in low orbits
_AT_ONCE: Final = 100_000  # moments


@dataclass(frozen=True, slots=True)
class PassTracks:
    """Passes at evenly spaced moments, rise and set included; arrays (passes, moments).

    Attributes
    ----------
    seconds : s. elevation : rad. range : from site to satellite, m.
    """

    seconds: Array
    elevation: Array
    range: Array


def track_passes(
    positions: Positions,
    sites: GroundSites,
    passes: Passes,
    start: float,
    stop: float,
    julian_date: float,
    *,
    moments: int = MOMENTS,
    step: float = 30.0,
    most: int = 2_000_000,
) -> PassTracks:
    """Return elevation and range along each pass; the other parameters are those of `find_passes`.

    Positions between the samples of the grid are those of the same polynomials that the passes were found on.
    """
    share = np.linspace(0.0, 1.0, moments)
    seconds = passes.rise[:, None] + passes.duration[:, None] * share
    elevation, distance = np.full(seconds.shape, np.nan), np.full(seconds.shape, np.nan)
    flat = seconds.ravel()
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    done = 0
    for stretch in stretches(positions, start, stop, julian_date, step, most):
        end = float(stretch.at(stretch.last))
        last = stretch.last == stretch.position.shape[1] - 1
        upto = len(flat) if last else int(np.searchsorted(ordered, end, side="left"))
        for first in range(done, upto, _AT_ONCE):
            chosen = order[first : min(first + _AT_ONCE, upto)]
            which = chosen // moments
            sample = np.floor((flat[chosen] - stretch.start) / stretch.step).astype(np.int64)
            sample = np.clip(sample, stretch.first, stretch.last)
            place = Arcs(stretch, passes.satellite[which], sample)(flat[chosen])
            elevation.flat[chosen], distance.flat[chosen] = elevation_and_range(
                sites, passes.site[which], place
            )
        done = max(done, upto)
    return PassTracks(seconds, elevation, distance)
