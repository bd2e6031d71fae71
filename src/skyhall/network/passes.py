"""When satellites rise over sites, how high they come, and when they set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.network.ground_site import GroundSites, earth_fixed, elevation_and_range
from skyhall.network.sampling import Arcs, Index, Positions, Stretch, stretches
from skyhall.types import Array

__all__ = ["Passes", "find_passes"]

Flags = npt.NDArray[np.bool_]

_HALVINGS: Final = 28  # of a step of some seconds: to a tenth of a microsecond
_GOLDEN: Final = 0.5 * (np.sqrt(5.0) - 1.0)
_NARROWINGS: Final = 32  # to some ten microseconds
_NEAR: Final = (
    0.1  # sine of the elevation under the mask down to which a summit is looked for between samples
)


@dataclass(frozen=True, slots=True)
class Passes:
    """Passes in the order of satellite, site and time; arrays of one shape (passes,).

    Attributes
    ----------
    satellite, site : indices.
    rise, set : when the elevation crosses the mask, s; the ends of the time looked at where it does not.
    highest : when the elevation is largest, s. max_elevation : that elevation, rad.
    begins_before, goes_on : the pass was under way at the start, or still is at the end. A satellite that never
        leaves the sky, as of the geostationary ring, has both.
    """

    satellite: Index
    site: Index
    rise: Array
    set: Array
    highest: Array
    max_elevation: Array
    begins_before: Flags
    goes_on: Flags

    def __len__(self) -> int:
        return len(self.rise)

    def __getitem__(self, index: object) -> Passes:
        """Return the passes that `index` selects, as NumPy indexes arrays."""
        return Passes(*(getattr(self, each.name)[index] for each in fields(self)))

    @property
    def duration(self) -> Array:
        """From rise to set, s."""
        return self.set - self.rise


class _Found(NamedTuple):
    """What a stretch holds: crossings of the mask (up or down) and summits above it."""

    satellite: Index
    site: Index
    seconds: Array
    kind: npt.NDArray[np.int64]  # 1 rise, 0 summit, -1 set
    elevation: Array


def find_passes(
    positions: Positions,
    sites: GroundSites,
    start: float,
    stop: float,
    julian_date: float,
    *,
    step: float = 30.0,
    most: int = 2_000_000,
) -> Passes:
    """Return every pass of every satellite over every site.

    Elevations are sampled every `step` seconds, for one site at a time and in stretches of time, so that memory stays
    bounded. Crossings of the mask are bisected, and summits narrowed by golden section, on polynomials of degree 7
    through the samples; a summit between samples that all lie below the mask is looked for too. A pass of less than a
    second, or a gap of less than a step in one, may be missed.

    Parameters
    ----------
    positions : seconds (times,) -> positions (satellites, times, 3), m, TEME; NaN where a satellite is lost, which
        counts as below the horizon.
    start, stop : s after `julian_date`.
    julian_date : UTC, days.
    step : s; at most a fiftieth of the shortest period.
    most : satellites times samples held at once, about.

    Raises
    ------
    ValueProblem : `stop` is not after `start`, or the step is not positive.
    """
    if not stop > start or not step > 0.0:
        raise ValueProblem(
            f"no passes from {start:g} s to {stop:g} s in steps of {step:g} s",
            right="let the time end after its start, and the step be positive",
        )
    sine_mask = np.sin(sites.mask)
    found: list[_Found] = []
    up_first, up_last = np.zeros((0, len(sites)), np.bool_), np.zeros((0, len(sites)), np.bool_)
    for index, stretch in enumerate(stretches(positions, start, stop, julian_date, step, most)):
        for site in range(len(sites)):
            height = _sine(sites, site, stretch.position) - sine_mask[site]
            found += _crossings(stretch, sites, site, height)
            found += _summits(stretch, sites, site, height)
            if index == 0 and site == 0:
                up_first = np.zeros((height.shape[0], len(sites)), np.bool_)
                up_last = up_first.copy()
            if index == 0:
                up_first[:, site] = height[:, stretch.first] > 0.0
            up_last[:, site] = height[:, stretch.last] > 0.0
    ends = _ends(positions, sites, start, stop, julian_date, up_first, up_last)
    whole = _Found(*(np.concatenate(parts) for parts in zip(*found, *ends, strict=True)))
    return _paired(whole, start, stop)


def _sine(sites: GroundSites, site: int, position: Array) -> Array:
    """Return the sine of the elevation over one site; NaN, which no comparison finds above a mask, where it is lost."""
    zenith, place = sites.zenith[site], sites.position[site]
    away2 = np.einsum("...i,...i->...", position, position) - 2.0 * (position @ place) + place @ place
    return np.asarray((position @ zenith - place @ zenith) / np.sqrt(away2), dtype=np.float64)


def _elevation(arcs: Arcs, sites: GroundSites, site: int) -> Callable[[Array], Array]:
    def elevation(seconds: Array) -> Array:
        found, _ = elevation_and_range(sites, site, arcs(seconds))
        return np.where(np.isfinite(found), found, -0.5 * np.pi)

    return elevation


def _crossings(stretch: Stretch, sites: GroundSites, site: int, height: Array) -> list[_Found]:
    above = height[:, stretch.first : stretch.last + 1] > 0.0
    satellite, sample = np.nonzero(above[:, 1:] != above[:, :-1])
    if len(satellite) == 0:
        return []
    rises = above[satellite, sample + 1]
    sample = sample + stretch.first
    elevation = _elevation(Arcs(stretch, satellite, sample), sites, site)
    seconds = _bisect(elevation, stretch.at(sample), stretch.at(sample + 1), rises, sites.mask[site])
    return [_events(satellite, site, seconds, np.where(rises, 1, -1), sites.mask[site])]


def _summits(stretch: Stretch, sites: GroundSites, site: int, height: Array) -> list[_Found]:
    """Find summits at samples above the mask, or near below it, whose neighbours are not higher."""
    low, high = max(stretch.first, 1), min(stretch.last, height.shape[1] - 2)
    middle = height[:, low : high + 1]
    summit = (
        (middle > -_NEAR) & (middle >= height[:, low - 1 : high]) & (middle > height[:, low + 1 : high + 2])
    )
    satellite, sample = np.nonzero(summit)
    if len(satellite) == 0:
        return []
    sample = sample + low
    elevation = _elevation(Arcs(stretch, satellite, sample), sites, site)
    seconds, highest = _highest(elevation, stretch.at(sample - 1), stretch.at(sample + 1))
    mask = sites.mask[site]
    seen = highest > mask
    # A summit may fall between the samples of a stretch's edge: the stretch that holds its time answers for it.
    begin, end = stretch.at([stretch.first, stretch.last])
    seen &= (seconds >= begin) & ((seconds < end) | (stretch.last == height.shape[1] - 1))
    found = [_events(satellite[seen], site, seconds[seen], np.zeros(seen.sum(), np.int64), highest[seen])]
    # Between the samples: up and down again without any of them above the mask.
    hidden = seen & (height[satellite, sample] <= 0.0)
    if hidden.any():
        elevation = _elevation(Arcs(stretch, satellite[hidden], sample[hidden]), sites, site)
        summit_at, count = seconds[hidden], int(hidden.sum())
        for side, kind in ((-1.0, 1), (1.0, -1)):
            edges = np.sort(np.stack([summit_at, stretch.at(sample[hidden] + side)]), axis=0)
            when = _bisect(elevation, edges[0], edges[1], np.full(count, kind == 1), mask)
            found.append(_events(satellite[hidden], site, when, np.full(count, kind), mask))
    return found


def _events(satellite: Index, site: int, seconds: Array, kind: Index, elevation: object) -> _Found:
    shape = satellite.shape
    height = np.array(np.broadcast_to(np.asarray(elevation, np.float64), shape))
    return _Found(satellite, np.full(shape, site), seconds, np.array(kind), height)


def _bisect(
    elevation: Callable[[Array], Array], left: Array, right: Array, rises: Flags, mask: float
) -> Array:
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        beyond = (elevation(middle) > mask) == rises
        left, right = np.where(beyond, left, middle), np.where(beyond, middle, right)
    return 0.5 * (left + right)


def _highest(elevation: Callable[[Array], Array], left: Array, right: Array) -> tuple[Array, Array]:
    for _ in range(_NARROWINGS):
        inner = _GOLDEN * (right - left)
        low, high = right - inner, left + inner
        falls = elevation(low) >= elevation(high)
        left, right = np.where(falls, left, low), np.where(falls, high, right)
    middle = 0.5 * (left + right)
    return middle, elevation(middle)


def _ends(
    positions: Positions,
    sites: GroundSites,
    start: float,
    stop: float,
    julian_date: float,
    up_first: Flags,
    up_last: Flags,
) -> list[_Found]:
    """Return what is up at the start as risen there, and what is up at the end as setting there."""
    found = []
    for when, up, kind in ((start, up_first, 2), (stop, up_last, -2)):
        seconds = np.array([when])
        place = earth_fixed(positions(seconds), julian_date, seconds)[:, 0]
        satellite, site = np.nonzero(up)
        elevation, _ = elevation_and_range(sites, site, place[satellite])
        count = len(satellite)
        found.append(_Found(satellite, site, np.full(count, when), np.full(count, kind), elevation))
    return found


def _paired(found: _Found, start: float, stop: float) -> Passes:
    """Turn crossings and summits into passes: between a rise and the next set lie their summits."""
    # Kinds in order of time at one moment: rise, summit, set.
    order = np.lexsort((-found.kind, found.seconds, found.site, found.satellite))
    kind, seconds, elevation = found.kind[order], found.seconds[order], found.elevation[order]
    rises, sets = np.flatnonzero(kind > 0), np.flatnonzero(kind < 0)
    if len(rises) == 0:
        nothing = np.zeros(0)
        none, no = np.zeros(0, np.int64), np.zeros(0, np.bool_)
        return Passes(none, none, nothing, nothing, nothing, nothing, no, no)
    # The largest elevation from each rise to its set, both included; ties go to the first.
    top = np.maximum.reduceat(elevation, rises)
    group = np.searchsorted(rises, np.arange(len(kind)), side="right") - 1
    at_top = np.flatnonzero(elevation >= top[group])
    _, first = np.unique(group[at_top], return_index=True)
    return Passes(
        satellite=found.satellite[order[rises]],
        site=found.site[order[rises]],
        rise=seconds[rises],
        set=seconds[sets],
        highest=seconds[at_top[first]],
        max_elevation=top,
        begins_before=kind[rises] == 2,
        goes_on=kind[sets] == -2,
    )
