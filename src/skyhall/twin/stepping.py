"""Stepping a fleet through time with the compiled kernel, span by span, in bounded memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from skyhall.constants import ASTRONOMICAL_UNIT, DAY, SOLAR_RADIUS
from skyhall.fleet import Fleet
from skyhall.orbit.sun import greenwich_angle, sun_direction
from skyhall.satellite.design import SatelliteDesign
from skyhall.twin import tile as t
from skyhall.twin.compile import kernel
from skyhall.twin.state import Environment, Tiles, make_tiles
from skyhall.types import Array

__all__ = ["ConstantLoad", "Span", "Stepper"]

STEPS_PER_ANCHOR = (
    16  # between anchors the Sun's components change linearly: 0.1 m at 60 s and 5 degrees a day
)
FED_ROWS = 5
_FED_BYTES = 120e6  # of positions fed at once
_ONE_AT_A_TIME = threading.Lock()  # two threads inside Numba's parallel region break its thread pool


@dataclass(frozen=True, slots=True)
class ConstantLoad:
    """The plan before there is a planner: every satellite works at `share` of its full IT power, all the time.

    What it does in the dark is the design's `night_share`.
    """

    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of steps: fleet totals (steps, FLEET_FIELDS) and records (tiles, steps, RECORD_FIELDS, TILE)."""

    start_s: float
    totals: Array
    record: npt.NDArray[np.float32]


class Stepper:
    """A fleet in flight.

    Parameters
    ----------
    fleet : the satellites. plan : what they should do. environment : what surrounds them.
    start : s after the epoch. step : s.
    record : tiles that are recorded. record_every : how many steps apart.
    settle : s flown before `start`, so that charge and temperatures are those of the season there and not of a start
        with a full battery; sums and extremes begin after it.
    """

    def __init__(
        self,
        fleet: Fleet,
        plan: ConstantLoad,
        environment: Environment,
        *,
        start: float,
        step: float,
        record: npt.NDArray[np.int64] | None = None,
        record_every: int = 1,
        settle: float = 0.0,
    ) -> None:
        self.fleet = fleet
        self.environment = environment
        self.step = step
        before = math.ceil(settle / (step * STEPS_PER_ANCHOR)) * STEPS_PER_ANCHOR
        self.now = start - before * step
        self.record_every = record_every
        self.designs = tuple(_planned(design, plan) for design in fleet.designs)
        sun, distance = self._sun(np.array([self.now]))
        field = fleet.upsets
        self.rates = np.ascontiguousarray(field.rates.reshape(-1), dtype=np.float32)
        self.tiles: Tiles = make_tiles(
            fleet.elements,
            self.designs,
            fleet.design_index,
            environment,
            seconds=self.now,
            step=step,
            steps_per_anchor=STEPS_PER_ANCHOR,
            sun=sun[0],
            inverse_sun_sine=float(distance[0]) / SOLAR_RADIUS,
            table=field.table,
            table_scale=field.scale,
        )
        self.record_slot = np.full(len(self.tiles.filled), -1)
        self._record_tiles = 0
        if before:
            for _ in self.spans(before):
                pass
            self.tiles.begin()
        if record is not None:
            self.record_slot[record] = np.arange(len(record))
            self._record_tiles = len(record)

    def spans(self, steps: int, *, longest: int = 1440) -> Iterator[Span]:
        """Fly `steps` steps and yield them in spans of at most `longest` (rounded up to whole anchors)."""
        if self.fleet.sets is not None:
            longest = min(longest, int(_FED_BYTES / (4.0 * FED_ROWS * self.tiles.order.size)))
        # Whole anchors, and whole intervals of what is recorded.
        unit = math.lcm(STEPS_PER_ANCHOR, self.record_every)
        longest = max(1, longest // unit) * unit
        done = 0
        while done < steps:
            count = min(longest, steps - done)
            yield self._fly(count)
            done += count

    def _fly(self, steps: int) -> Span:
        import numba

        start = self.now
        anchors = -(-steps // STEPS_PER_ANCHOR)
        times = start + np.arange(anchors + 1) * STEPS_PER_ANCHOR * self.step
        sun, distance = self._sun(times)
        ends = start + (np.arange(steps) + 1.0) * self.step
        distance = np.interp(ends, times, distance)
        irradiance = self.environment.irradiance * (ASTRONOMICAL_UNIT / distance) ** 2
        kept = steps // self.record_every if self._record_tiles else 0
        angle = greenwich_angle(self._julian(ends))
        record = np.empty((self._record_tiles, kept, t.RECORD_FIELDS, t.TILE), dtype=np.float32)
        self.tiles.set_nodes(start)
        with _ONE_AT_A_TIME:
            totals = kernel()(
                self.tiles.orbits,
                self.tiles.states,
                self.tiles.designs,
                self.tiles.design_of_tile,
                self.tiles.filled,
                sun,
                irradiance.astype(np.float32),
                (distance / SOLAR_RADIUS).astype(np.float32),
                np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32),
                self.rates,
                steps,
                STEPS_PER_ANCHOR,
                self._fed(start, steps),
                self.record_slot,
                record,
                self.record_every,
                numba.get_num_threads(),
            )
        self.now = start + steps * self.step
        return Span(start, totals, record)

    def _sun(self, seconds: npt.ArrayLike) -> tuple[Array, Array]:
        return sun_direction(self._julian(seconds))

    def _julian(self, seconds: npt.ArrayLike) -> Array:
        return np.asarray(self.fleet.epoch_julian_date + np.asarray(seconds, dtype=np.float64) / DAY)

    def _fed(self, start: float, steps: int) -> npt.NDArray[np.float32]:
        """Sun along radius and velocity, the horizon's sine and cosine, and upset rates from SGP4; else empty."""
        from skyhall.constants import EARTH_RADIUS

        if self.fleet.sets is None:
            return np.empty((0, 0, FED_ROWS, t.TILE), dtype=np.float32)
        seconds = start + (np.arange(steps + 2)) * self.step
        position = self.fleet.sets.positions(self.fleet.epoch_julian_date, seconds).position
        distance = np.linalg.norm(position, axis=-1)
        radial = position / distance[..., None]
        along = radial[:, 2:] - radial[:, :-2]
        along /= np.linalg.norm(along, axis=-1, keepdims=True)
        suns, _ = self._sun(seconds[1:-1])
        horizon = EARTH_RADIUS / distance[:, 1:-1]
        rows = np.empty((len(self.fleet), steps, FED_ROWS), dtype=np.float32)
        rows[..., 0] = np.einsum("nsk,sk->ns", radial[:, 1:-1], suns)
        rows[..., 1] = np.einsum("nsk,sk->ns", along, suns)
        rows[..., 2] = horizon
        rows[..., 3] = np.sqrt(1.0 - horizon**2)
        rows[..., 4] = self.fleet.upsets.at(radial[:, 1:-1], greenwich_angle(self._julian(seconds[1:-1])))
        laid = rows[self.tiles.order].reshape(-1, t.TILE, steps, FED_ROWS)
        return np.ascontiguousarray(laid.transpose(0, 2, 3, 1))


def _planned(design: SatelliteDesign, plan: ConstantLoad) -> SatelliteDesign:
    """Return the design at the plan's share of its full load: the kernel knows one load only."""
    if plan.share == 1.0:
        return design
    return replace(design, it_power=design.it_idle + plan.share * (design.it_power - design.it_idle))
