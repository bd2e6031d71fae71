"""Bits over passes: the rate integrated from rise to set, less what acquisition and clouds take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY
from skyhall.errors import ValueProblem
from skyhall.network.pass_tracks import PassTracks
from skyhall.network.passes import Passes
from skyhall.types import Array

__all__ = ["PassVolume", "Rate", "bits_of_passes", "clear_link_share", "daily_totals", "pass_volume"]

# Range (m) and elevation (rad) to what the link carries, bit/s; arrays of one shape.
Rate: TypeAlias = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True)
class PassVolume:
    """What could have come down since a pass's rise, at the moments of its track: bits, (passes, moments)."""

    seconds: Array
    bits: Array

    @property
    def total(self) -> Array:
        """Bits from rise to set, (passes,)."""
        return self.bits[:, -1]

    def until(self, which: npt.ArrayLike, seconds: npt.ArrayLike) -> Array:
        """Return the bits from the rise of passes `which` (indices) until `seconds`, which broadcast together.

        Before the rise none, after the set all; between moments the rate counts as constant.
        """
        index, moment = np.broadcast_arrays(
            np.asarray(which, dtype=np.int64), np.asarray(seconds, dtype=np.float64)
        )
        steps = self.seconds.shape[1] - 1
        rise, length = self.seconds[index, 0], self.seconds[index, -1] - self.seconds[index, 0]
        share = np.clip((moment - rise) / np.where(length > 0.0, length, 1.0), 0.0, 1.0) * steps
        low = np.minimum(share.astype(np.int64), steps - 1)
        before, after = self.bits[index, low], self.bits[index, low + 1]
        return np.asarray(before + (share - low) * (after - before), dtype=np.float64)


def pass_volume(tracks: PassTracks, site: npt.ArrayLike, rates: Sequence[Rate]) -> PassVolume:
    """Return the bits along each pass: the rate over range and elevation, integrated (trapezoids).

    Parameters
    ----------
    tracks : of the passes.
    site : of each pass (passes,).
    rates : one per site. A rate that is not finite counts as none.

    Raises
    ------
    ValueProblem : a rate is below zero.
    """
    where = np.asarray(site, dtype=np.int64)
    rate = np.zeros(tracks.range.shape)
    for index, rate_of in enumerate(rates):
        here = where == index
        if here.any():
            found = np.asarray(rate_of(tracks.range[here], tracks.elevation[here]), dtype=np.float64)
            rate[here] = np.where(np.isfinite(found), found, 0.0)
    if np.any(rate < 0.0):
        raise ValueProblem(
            f"a rate of {rate.min():g} bit/s is impossible", right="a rate is zero or more at any range"
        )
    slices = 0.5 * (rate[:, 1:] + rate[:, :-1]) * np.diff(tracks.seconds, axis=1)
    bits = np.concatenate([np.zeros((len(rate), 1)), np.cumsum(slices, axis=1)], axis=1)
    return PassVolume(tracks.seconds, bits)


def bits_of_passes(volume: PassVolume, passes: Passes, acquisition_time: float) -> Array:
    """Return the bits of each pass if it is served alone under a clear sky, (passes,).

    Parameters
    ----------
    acquisition_time : s after the rise in which the terminals find each other and nothing flows. A pass that was
        under way at the start has its link already.
    """
    locked = np.where(passes.begins_before, passes.rise, passes.rise + acquisition_time)
    return volume.total - volume.until(np.arange(len(passes)), locked)


def clear_link_share(
    availability: npt.ArrayLike, persistence: npt.ArrayLike, acquisition_time: npt.ArrayLike
) -> Array:
    """Return the chance that a link under clouds is up at a moment that a clear sky would have it up.

    The sky must be clear then and must have been so for the time of an acquisition; clear spells end at a constant
    rate (1 − availability)/persistence. So it is the share of `bits_of_passes` that is expected, exactly where the
    pass began before its last acquisition.

    Parameters
    ----------
    availability : share of the time in which the line of sight is free of clouds.
    persistence : s, see `weather.Weather`.
    acquisition_time : s.
    """
    free = np.asarray(availability, dtype=np.float64)
    wait = np.asarray(acquisition_time, dtype=np.float64) / np.asarray(persistence, dtype=np.float64)
    return np.asarray(free * np.exp(-(1.0 - free) * wait), dtype=np.float64)


def daily_totals(
    passes: Passes, volume: PassVolume, share: npt.ArrayLike, start: float, stop: float
) -> tuple[Array, Array]:
    """Return the days' starts (s) and the bits that fall into each: every pass is cut at midnight.

    Parameters
    ----------
    share : of each pass's bits that counts (passes,), such as what was delivered of them.
    start, stop : s; days are counted from `start`, and the last may be short.
    """
    starts = np.arange(start, stop, DAY)
    edges = np.append(starts, stop)
    cumulative = volume.until(np.arange(len(passes))[:, None], edges[None, :])
    return starts, (np.diff(cumulative, axis=1) * np.asarray(share, dtype=np.float64)[:, None]).sum(axis=0)
