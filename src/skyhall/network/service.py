"""Stations that a fleet shares: who is served when, what comes down, what waits, and what is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.network.downlink import PassVolume
from skyhall.network.passes import Passes
from skyhall.types import Array

__all__ = ["Data", "Service", "serve"]

Sky = Callable[[Array], npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Data:
    """Data that want to come down.

    Parameters
    ----------
    arrival : bit/s, for each satellite (satellites,) or alike for all.
    storage : bits that a satellite can hold; where it is full the oldest are lost.
    waiting : bits that wait at the start; they count as having come at the rate of `arrival`.
    pooled : the satellites share what waits, through links between them; else each sends its own.
    """

    arrival: npt.ArrayLike
    storage: npt.ArrayLike = np.inf
    waiting: npt.ArrayLike = 0.0
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """What the stations brought down; bits.

    What arrived and what waited at the start is what was delivered, waits at the end or was dropped.

    Attributes
    ----------
    bits : of each pass (passes,).
    delivered, dropped, arrived, waiting : of each satellite, the last two at the end (satellites,); of data that are
        pooled, arrived, dropped and waiting are those of the pool, spread evenly.
    seconds, waiting_track, oldest_track : ends of the steps, all bits that wait then (NaN where there is always more),
        and the age of the oldest (s).
    mean_age : of the data when they came down, s.
    busy : share of the time that each site's antennas were at work (sites,).
    """

    bits: Array
    delivered: Array
    dropped: Array
    arrived: Array
    waiting: Array
    seconds: Array
    waiting_track: Array
    oldest_track: Array
    mean_age: float
    busy: Array


def serve(
    passes: Passes,
    volume: PassVolume,
    data: Data | None,
    *,
    satellites: int,
    antennas: npt.ArrayLike,
    start: float,
    stop: float,
    acquisition_time: float = 0.0,
    sky: Sky | None = None,
    step: float = 10.0,
) -> Service:
    """Return what stations bring down from a fleet that shares them.

    The rule, in every step: an antenna stays with its satellite until that sets, a cloud comes or nothing waits aboard;
    a free one takes, of the satellites in its sky that nobody serves, the one with the most data waiting, and of equal
    ones the one that could send most until its set. A satellite is served by one antenna at a time. Each new contact,
    and each one after a cloud, loses the time of an acquisition; a pass under way at the start has its link.

    Parameters
    ----------
    passes, volume : of the whole fleet over all sites.
    data : what wants to come down; None where there is always more.
    satellites : in the fleet.
    antennas : of each site (sites,), telescopes at optical ones.
    acquisition_time : s.
    sky : seconds (times,) -> whether each site's sky is clear (sites, times), such as `ClearSky.clear`; looked at once
        at the start of each step.
    step : s, in which nobody changes; at most.

    Raises
    ------
    ValueProblem : no time, a step that is not positive, or data below zero.
    """
    if not stop > start or not step > 0.0:
        raise ValueProblem(
            f"nothing comes down from {start:g} s to {stop:g} s in steps of {step:g} s",
            right="let the time end after its start, and the step be positive",
        )
    count = int(np.ceil((stop - start) / step - 1e-9))
    edges = np.linspace(start, stop, count + 1)
    free = np.asarray(antennas, dtype=np.int64)
    store = _Store(data, satellites)
    crew = _Crew(passes, volume, free, acquisition_time, start)
    clear = None if sky is None else sky(edges[:-1])
    bits, delivered = np.zeros(len(passes)), np.zeros(satellites)
    waiting_track, oldest_track = np.full(count, np.nan if data is None else 0.0), np.zeros(count)
    busy = np.zeros(len(free))
    order = np.argsort(passes.rise, kind="stable")
    rises = passes.rise[order]
    up = np.zeros(0, np.int64)
    done = 0
    for index in range(count):
        begin, end = edges[index], edges[index + 1]
        upto = int(np.searchsorted(rises, end, side="left"))
        if store.endless and len(up) == 0 and upto == done:
            continue  # nobody in any sky, and nothing to count
        up = np.concatenate([up[passes.set[up] > begin], order[done:upto]])
        done = upto
        store.arrive(end - begin)
        seen = up if clear is None else up[clear[passes.site[up], index]]
        served = crew.choose(seen, store.waiting_for(passes.satellite[seen]), begin)
        if len(served):
            whose = passes.satellite[served]
            took = store.send(whose, crew.capacity(served, begin, end))
            bits[served] += took
            delivered[whose] += took
            np.add.at(busy, passes.site[served], end - begin)
            crew.release(served, store.waiting_for(whose) <= 0.0)
        store.drop()
        if not store.endless:
            waiting_track[index], oldest_track[index] = store.total, store.oldest
    with np.errstate(invalid="ignore", divide="ignore"):
        busy = busy / (free * (stop - start))
    return Service(
        bits=bits,
        delivered=delivered,
        dropped=store.spread(store.dropped),
        arrived=store.spread(store.arrived),
        waiting=store.spread(store.waiting),
        seconds=edges[1:],
        waiting_track=waiting_track,
        oldest_track=oldest_track,
        mean_age=store.mean_age,
        busy=np.where(free > 0, busy, 0.0),
    )


class _Store:
    """Data waiting: one store for each satellite, or one for all. The newest are kept, the oldest go first."""

    def __init__(self, data: Data | None, satellites: int) -> None:
        self._satellites = satellites
        self.endless = data is None
        self._pooled = data is not None and data.pooled
        shape = (1,) if self._pooled else (satellites,)
        asked = Data(np.inf, waiting=np.inf) if data is None else data
        whole = [
            np.broadcast_to(np.asarray(each, np.float64), (satellites,))
            for each in (asked.arrival, asked.storage, asked.waiting)
        ]
        if any(np.any(~(each >= 0.0)) for each in whole):
            raise ValueProblem(
                "data below zero cannot arrive or wait", right="give rates and bits of 0 or more"
            )
        parts = [each.sum(keepdims=True) if self._pooled else each.copy() for each in whole]
        self._rate, self._storage, self.waiting = parts
        self.arrived, self.dropped = np.zeros(shape), np.zeros(shape)
        self._aged, self._sent = 0.0, 0.0
        self.drop()

    def arrive(self, seconds: float) -> None:
        if not self.endless:
            self.arrived += self._rate * seconds
            self.waiting += self._rate * seconds

    def waiting_for(self, satellite: npt.NDArray[np.int64]) -> Array:
        return np.broadcast_to(self.waiting, (self._satellites,))[satellite]

    def send(self, satellite: npt.NDArray[np.int64], could: Array) -> Array:
        """Take up to `could` bits off the stores of different satellites; return what was taken of each."""
        if self.endless:
            return could
        if self._pooled:
            took = could * (min(1.0, self.waiting[0] / could.sum()) if could.sum() > 0.0 else 0.0)
            self._age(self.waiting, self._rate, took.sum(keepdims=True))
            self.waiting[0] = max(self.waiting[0] - took.sum(), 0.0)
            return np.asarray(took)
        took = np.minimum(could, self.waiting[satellite])
        self._age(self.waiting[satellite], self._rate[satellite], took)
        self.waiting[satellite] -= took
        return took

    def drop(self) -> None:
        over = np.maximum(self.waiting - self._storage, 0.0) if not self.endless else 0.0 * self.arrived
        self.dropped += over
        self.waiting -= over

    def _age(self, waiting: Array, rate: Array, took: Array) -> None:
        # What waits came last, at a constant rate: the oldest is waiting/rate old, the last taken took/rate younger.
        known = rate > 0.0
        self._aged += float(np.sum(((waiting - 0.5 * took) * took)[known] / rate[known]))
        self._sent += float(took[known].sum())

    @property
    def total(self) -> float:
        return float(self.waiting.sum())

    @property
    def oldest(self) -> float:
        known = (self._rate > 0.0) & np.isfinite(self._rate)
        return float((self.waiting[known] / self._rate[known]).max(initial=0.0))

    @property
    def mean_age(self) -> float:
        return self._aged / self._sent if self._sent > 0.0 else float("nan")

    def spread(self, values: Array) -> Array:
        share = 1.0 / self._satellites if self._pooled else 1.0
        return np.array(np.broadcast_to(values * share, (self._satellites,)))


class _Crew:
    """Antennas and the passes that they serve."""

    def __init__(
        self,
        passes: Passes,
        volume: PassVolume,
        antennas: npt.NDArray[np.int64],
        acquisition_time: float,
        start: float,
    ) -> None:
        self._passes, self._volume, self._antennas = passes, volume, antennas
        self._acquisition = acquisition_time
        self._start = start
        self._held = np.zeros(len(passes), np.bool_)  # served in the last step, and more waits aboard
        self._locked_at = np.full(len(passes), np.inf)  # infinite where there is no link
        self._last: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def choose(self, seen: npt.NDArray[np.int64], waiting: Array, begin: float) -> npt.NDArray[np.int64]:
        """Return the passes that are served from `begin` on."""
        if len(seen) == 0:
            self._let_go(self._last)
            self._last = seen
            return seen
        passes = self._passes
        left = self._volume.total[seen] - self._volume.until(seen, begin)
        linked = np.isfinite(self._locked_at[seen])
        useful = (left > 0.0) & (waiting > 0.0)
        order = np.lexsort((-left, ~linked, -waiting, ~self._held[seen]))
        free, taken, chosen = self._antennas.copy(), set(), []
        spare = int(free.sum())
        for place in order[useful[order]].tolist():
            which = int(seen[place])
            site, satellite = int(passes.site[which]), int(passes.satellite[which])
            if free[site] > 0 and satellite not in taken:
                free[site] -= 1
                spare -= 1
                taken.add(satellite)
                chosen.append(which)
                if spare == 0:
                    break
        served = np.array(chosen, dtype=np.int64)
        self._let_go(self._last[~np.isin(self._last, served)])
        fresh = served[~np.isfinite(self._locked_at[served])]
        under_way = passes.begins_before[fresh] & (begin <= self._start)
        wait = np.where(under_way, 0.0, self._acquisition)
        self._locked_at[fresh] = np.maximum(passes.rise[fresh], begin) + wait
        self._last = served
        return served

    def _let_go(self, lost: npt.NDArray[np.int64]) -> None:
        self._locked_at[lost], self._held[lost] = np.inf, False

    def capacity(self, served: npt.NDArray[np.int64], begin: float, end: float) -> Array:
        """Return the bits that each can send until `end`, from its lock on."""
        locked = np.clip(self._locked_at[served], begin, end)
        return self._volume.until(served, end) - self._volume.until(served, locked)

    def release(self, served: npt.NDArray[np.int64], empty: npt.NDArray[np.bool_]) -> None:
        """Let those go whose store is empty: they keep their link only if nobody else wants the antenna."""
        self._held[served] = ~empty
