"""Which stations on the ground see which satellites at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import SPEED_OF_LIGHT
from skyhall.types import Array

__all__ = ["StationLinks", "station_links"]

Index = npt.NDArray[np.int64]
_AT_ONCE: Final = 4_000_000  # pairs of station and satellite, so that memory stays bounded


@dataclass(frozen=True, slots=True, eq=False)
class StationLinks:
    """Links between stations and the satellites that they see, station after station.

    Parameters
    ----------
    starts : where the links of each station begin, (stations + 1,).
    satellite, length : of each link: its satellite, and m, (links,).
    """

    starts: Index
    satellite: Index
    length: Array

    @property
    def stations(self) -> int:
        """How many stations there are, seeing or not."""
        return len(self.starts) - 1

    @property
    def station(self) -> Index:
        """Station of each link, (links,)."""
        return np.repeat(np.arange(self.stations), np.diff(self.starts))

    @property
    def delay(self) -> Array:
        """One-way delay of light, s, (links,)."""
        return self.length / SPEED_OF_LIGHT


def station_links(
    station: npt.ArrayLike,
    zenith: npt.ArrayLike,
    position: npt.ArrayLike,
    *,
    mask: float,
    nearest: int | None = None,
    longest_range: float = np.inf,
) -> StationLinks:
    """Return the links between stations and the satellites above their elevation mask.

    Parameters
    ----------
    station, zenith : m, and unit vectors, (stations, 3), from `on_the_ground`.
    position : of the satellites, m, in the same frame, (satellites, 3).
    mask : lowest elevation, rad; refraction is left out.
    nearest : links of a station to its so many nearest satellites only; left out: to all that it sees.
    longest_range : m.
    """
    ground, up = np.atleast_2d(np.asarray(station, float)), np.atleast_2d(np.asarray(zenith, float))
    there = np.asarray(position, dtype=np.float64)
    rows = max(1, _AT_ONCE // max(len(there), 1))
    pieces = [
        _seen(ground[begin : begin + rows], up[begin : begin + rows], there, mask, begin)
        for begin in range(0, len(ground), rows)
    ]
    who = np.concatenate([piece[0] for piece in pieces])
    satellite = np.concatenate([piece[1] for piece in pieces])
    way = there[satellite] - ground[who]
    length = np.sqrt(np.einsum("ij,ij->i", way, way))
    kept = length <= longest_range
    if nearest is not None:
        order = np.lexsort((length, who))
        who, satellite, length, kept = who[order], satellite[order], length[order], kept[order]
        first = np.searchsorted(who, who)  # where the links of the same station begin
        kept &= np.arange(len(who)) - first < nearest
    who, satellite, length = who[kept], satellite[kept], length[kept]
    starts = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=len(ground)))])
    return StationLinks(starts.astype(np.int64), satellite.astype(np.int64), length)


def _seen(ground: Array, up: Array, there: Array, mask: float, first: int) -> tuple[Index, Index]:
    """Return (station, satellite) of the pairs whose elevation is at least `mask`."""
    height = up @ there.T - np.einsum("ij,ij->i", up, ground)[:, None]
    possible = np.flatnonzero(height >= 0.0) if mask >= 0.0 else np.arange(height.size)
    who, satellite = np.divmod(possible, len(there))
    way = there[satellite] - ground[who]
    above = height.ravel()[possible] >= np.sin(mask) * np.sqrt(np.einsum("ij,ij->i", way, way))
    return who[above] + first, satellite[above]
