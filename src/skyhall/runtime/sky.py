"""What the satellites of a run see: light, power, upsets and links over a stretch of time, taken from the twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet
from skyhall.fleet_network import FleetMesh, fleet_mesh
from skyhall.network.routes import Router
from skyhall.orbit.elements import kepler_period
from skyhall.twin import forecast
from skyhall.types import Array

__all__ = ["Link", "Sky", "chosen", "darkest", "names_of", "sky_of"]

_SLOT = 60.0  # s; dusk and dawn are known to the slot


@dataclass(frozen=True, slots=True)
class Link:
    """A way through the mesh between two satellites: rate of its narrowest link, bit/s, and delay, s; no way is 0."""

    rate: float
    delay: float


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """What each satellite has, slot by slot; times are seconds after the scenario's epoch.

    Attributes
    ----------
    names : of the satellites.
    start, slot : of the first slot, and their length, s.
    lit : whether the array alone carries the job's power through the slot, (satellites, slots).
    upset_rate : upsets per accelerator and second that kill or corrupt work, (satellites, slots).
    in_anomaly : whether the satellite is inside the South Atlantic Anomaly at the middle of the slot, likewise.
    interrupt_share : of those upsets, the ones that stop the device until a reset; in the mean over the orbit.
    accelerator_w : IT power of one accelerator, W.
    way : the link between two satellites at a time.
    """

    names: tuple[str, ...]
    start: float
    slot: float
    lit: npt.NDArray[np.bool_]
    upset_rate: Array
    in_anomaly: npt.NDArray[np.bool_]
    interrupt_share: float
    accelerator_w: float
    way: Callable[[int, int, float], Link]

    @property
    def end(self) -> float:
        """End of the last slot."""
        return self.start + self.slot * float(self.lit.shape[1])

    def interrupt_rate(self, *, inside: bool) -> float:
        """Return functional interrupts of an accelerator, 1/s: the mean inside the anomaly or outside of it."""
        there = self.upset_rate[self.in_anomaly == inside]
        return self.interrupt_share * float(there.mean()) if there.size else 0.0

    def index(self, time: float) -> int:
        """Return the slot of a time; the first and the last reach on for ever."""
        last: int = self.lit.shape[1] - 1
        return min(max(int((time - self.start) // self.slot), 0), last)

    def is_lit(self, satellite: int, time: float) -> bool:
        """Say whether a satellite has the power to work."""
        return bool(self.lit[satellite, self.index(time)])

    def dusk(self, satellite: int, time: float) -> float:
        """Return when its light ends: `time` itself in the dark, the end of the stretch where it does not."""
        return self._until(satellite, time, lit=True)

    def dawn(self, satellite: int, time: float) -> float:
        """Return when its light begins: `time` itself in the light, the end of the stretch where it does not."""
        return self._until(satellite, time, lit=False)

    def _until(self, satellite: int, time: float, *, lit: bool) -> float:
        first = self.index(time)
        other = np.flatnonzero(self.lit[satellite, first:] != lit)
        if not other.size:
            return self.end
        return time if other[0] == 0 else self.start + self.slot * float(first + other[0])

    def nights(self, satellite: int, start: float, end: float) -> list[tuple[float, float]]:
        """Return the spans without light that reach into a stretch of time, s."""
        return self._spans(~self.lit[satellite], start, end)

    def passes(self, satellite: int, start: float, end: float) -> list[tuple[float, float]]:
        """Return the spans inside the anomaly that reach into a stretch of time, s."""
        return self._spans(self.in_anomaly[satellite], start, end)

    def _spans(self, slots: npt.NDArray[np.bool_], start: float, end: float) -> list[tuple[float, float]]:
        first, last = self.index(start), self.index(end)
        edges = np.flatnonzero(np.diff(slots[first : last + 1].astype(np.int8), prepend=0, append=0))
        times = (self.start + self.slot * (first + edges)).tolist()
        return list(zip(times[::2], times[1::2], strict=True))

    def longest_light(self) -> float:
        """Return the longest stretch without a dark slot that any satellite has, s."""
        padded = np.pad(self.lit.astype(np.int8), ((0, 0), (1, 1)))
        _, begins = np.nonzero(np.diff(padded) == 1)
        _, ends = np.nonzero(np.diff(padded) == -1)
        return self.slot * float(np.max(ends - begins, initial=0))

    def link(self, one: int, other: int, time: float) -> Link:
        """Return the way between two satellites."""
        return self.way(one, other, self.start + self.slot * self.index(time))


def sky_of(fleet: Fleet, satellites: Sequence[int], start: float, duration: float, power: float) -> Sky:
    """Return the sky of some satellites of a fleet.

    Parameters
    ----------
    satellites : by their index in the fleet.
    start, duration : s, after the scenario's epoch.
    power : IT power that the job needs, W; a slot whose array carries less counts as dark.

    Notes
    -----
    Light, power and upsets are those of `twin.forecast`, slot by slot. A link is the way of least delay
    through the fleet's mesh, as it stands at the beginning of the slot. Batteries carry the platform through the dark,
    never the accelerators.
    """
    windows = forecast(fleet.only(*satellites), start=start, duration=duration, slot=_SLOT, step=_SLOT / 4.0)
    seen = windows.stack()
    middle = seen["start_s"] + 0.5 * _SLOT
    kind = int(fleet.design_index[satellites[0]])
    design, exposure = fleet.designs[kind], fleet.irradiation[kind].exposure
    return Sky(
        names=names_of(satellites),
        start=start,
        slot=_SLOT,
        lit=seen["sustainable_w"] >= power,
        upset_rate=seen["upset_rate"].astype(np.float64),
        in_anomaly=fleet.in_anomaly(middle, np.array(satellites)),
        interrupt_share=exposure.rates["functional"] / exposure.losses if exposure.losses else 0.0,
        accelerator_w=design.it_power / design.accelerators,
        way=_ways(fleet, satellites),
    )


def names_of(satellites: Sequence[int]) -> tuple[str, ...]:
    """Return the names of satellites by their index in the fleet."""
    return tuple(f"sat-{each}" for each in satellites)


def _ways(fleet: Fleet, satellites: Sequence[int]) -> Callable[[int, int, float], Link]:
    @cache
    def mesh() -> FleetMesh:  # when a link is asked for: not everybody does
        return fleet_mesh(fleet)

    @lru_cache(maxsize=256)
    def at(time: float) -> tuple[tuple[Link, ...], ...]:
        table = mesh().links(time)
        if not len(table):
            return tuple(tuple(Link(0.0, 0.0) for _ in satellites) for _ in satellites)
        router = Router(len(fleet), table.edges).weigh(table.delay, table.stands)
        routes = router.shortest(satellites)
        found = []
        for place, source in enumerate(satellites):
            row = []
            for target in satellites:
                delay = float(routes.distance[place, target])
                path = routes.path(place, target) if np.isfinite(delay) and source != target else []
                rate = router.bottleneck(path, table.rate) if path else 0.0
                row.append(Link(rate, delay if path else 0.0))
            found.append(tuple(row))
        return tuple(found)

    return lambda one, other, time: at(time)[one][other]


def chosen(fleet: Fleet, count: int) -> list[int]:
    """Return the indices of `count` satellites, evenly around the orbit of the largest shell's first plane.

    Raises
    ------
    ValueProblem : when the fleet has fewer.
    """
    if not 1 <= count <= len(fleet):
        raise ValueProblem(
            f"{count} satellites cannot be taken from {len(fleet):,}",
            right=f"give from 1 to {len(fleet):,}, or a scenario with more",
        )
    shell = int(np.argmax(fleet.counts))
    own = np.flatnonzero(fleet.design_index == shell)
    plane = own[fleet.plane[own] == fleet.plane[own[0]]]
    pool = plane if len(plane) >= count else np.arange(len(fleet))
    return [int(pool[place * len(pool) // count]) for place in range(count)]


def darkest(fleet: Fleet) -> float:
    """Return when, in s after the epoch, the largest shell's eclipses are longest, an orbit earlier."""
    shell = int(np.argmax(fleet.counts))
    year = fleet.light[shell]
    dark = year.eclipse_fraction.reshape(-1, len(year.seconds)).max(axis=0)
    period = float(np.max(kepler_period(fleet.designs[shell].altitude)))
    return max(0.0, float(year.seconds[int(np.argmax(dark))]) - period)
