"""Positions of many satellites between the samples of a grid: stretches of time, and polynomials inside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from skyhall.network.ground_site import earth_fixed
from skyhall.orbit.elements import MeanElements, circular_position, position
from skyhall.types import Array

__all__ = ["Arcs", "Positions", "Stretch", "positions_of", "stretches"]

# Seconds (times,) to positions (satellites, times, 3), m, TEME: the seam to mean elements, SGP4 and anything else.
Positions: TypeAlias = Callable[[Array], Array]
Index: TypeAlias = npt.NDArray[np.int64]

POINTS: Final = 8  # of the polynomial: of degree 7, within a millimetre on steps of a minute in low orbits
_LEAST: Final = 24  # samples of a stretch
_CIRCULAR: Final = 1e-9  # eccentricity
_SCALES: Final = [
    math.prod(j - i for i in range(POINTS) if i != j) for j in range(POINTS)
]  # of Lagrange's weights


def positions_of(elements: MeanElements) -> Positions:
    """Return mean elements (satellites,) as a function of the seconds after their epoch."""
    fly = circular_position if np.all(elements.eccentricity < _CIRCULAR) else position
    return lambda seconds: fly(elements[:, None], seconds)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some samples of the grid: their first index, times and Earth-fixed positions (satellites, samples, 3).

    Stretches overlap, so that every sample has its neighbours in some stretch; `first` to `last` are the intervals
    (by the index of the sample before them, within the stretch) that this one alone answers for.
    """

    start: float
    step: float
    position: Array
    first: int
    last: int

    @property
    def seconds(self) -> Array:
        """Times of the samples, s."""
        return self.at(np.arange(self.position.shape[1]))

    def at(self, sample: npt.ArrayLike) -> Array:
        """Return the times (s) of samples by their index, which may lie between two."""
        return np.asarray(self.start + self.step * np.asarray(sample), dtype=np.float64)


def stretches(
    positions: Positions, start: float, stop: float, julian_date: float, step: float, most: int
) -> Iterator[Stretch]:
    """Yield the stretches from `start` to `stop` (s after `julian_date`, UTC), in order of time.

    Parameters
    ----------
    step : s between samples, at most; it is shortened so that whole steps fill the time.
    most : satellites times samples that are held at once, about.
    """
    intervals = max(int(np.ceil((stop - start) / step - 1e-9)), POINTS)
    step = (stop - start) / intervals
    satellites = positions(np.array([start])).shape[0]
    margin = POINTS // 2
    length = max(_LEAST, most // max(satellites, 1) - 2 * margin)
    for begin in range(0, intervals, length):
        end = min(begin + length, intervals)
        low, high = max(begin - margin, 0), min(end + margin, intervals)
        if high - low < POINTS:  # the last stretch may be short
            low = max(high - POINTS, 0)
        seconds = start + step * np.arange(low, high + 1)
        fixed = earth_fixed(positions(seconds), julian_date, seconds)
        yield Stretch(start + step * low, step, fixed, begin - low, end - low)


class Arcs:
    """Short arcs of chosen satellites as polynomials through the samples around each (Lagrange).

    Parameters
    ----------
    satellite, sample : of each arc (arcs,): it is meant for times within a step or so of the sample.
    """

    def __init__(self, stretch: Stretch, satellite: Index, sample: Index) -> None:
        count = stretch.position.shape[1]
        base = np.clip(sample - POINTS // 2 + 1, 0, count - POINTS)
        self._points = stretch.position[satellite[:, None], base[:, None] + np.arange(POINTS)]
        self._start = stretch.start + stretch.step * base
        self._step = stretch.step

    def __call__(self, seconds: Array) -> Array:
        """Return Earth-fixed positions (arcs, 3), m, at one time for each arc (arcs,), s."""
        share = (seconds - self._start) / self._step
        apart = [share - point for point in range(POINTS)]
        below, above = [np.ones_like(share)], [np.ones_like(share)]
        for point in range(POINTS - 1):
            below.append(below[-1] * apart[point])
            above.append(above[-1] * apart[POINTS - 1 - point])
        weights = np.stack([below[j] * above[POINTS - 1 - j] / _SCALES[j] for j in range(POINTS)], axis=-1)
        return np.asarray(np.einsum("ap,api->ai", weights, self._points), dtype=np.float64)
