"""Flying a fleet: `forecast` what nature offers, `fly` what happens under a plan, `record` every satellite and step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_RADIUS, HOUR, ZERO_CELSIUS
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet
from skyhall.fleet_contacts import ContactTable, contact_table
from skyhall.fleet_network import fleet_mesh
from skyhall.ground_segment import ground_segment
from skyhall.orbit.elements import kepler_period
from skyhall.twin import tile as t
from skyhall.twin.state import Environment
from skyhall.twin.stepping import STEPS_PER_ANCHOR, ConstantLoad, Span, Stepper
from skyhall.twin.timeline import Chunk, Delivered, Flight, Slot, Timeline, Windows
from skyhall.types import Array

__all__ = ["environment", "fly", "forecast", "record", "representative_days"]

ROWS = 1500  # of a timeline at most: its memory does not grow with the steps
WHOLE_STRETCH = 1.2e9  # satellite-steps up to which a stretch is flown whole; above it, representative days
SAMPLED_TILES = 4  # whose satellites give the percentiles
Progress = Callable[[float], None]


def environment(fleet: Fleet) -> Environment:
    """Return what the catalogue says of Sun and Earth."""
    earth = fleet.catalogue.part("environments", "earth")
    sun = fleet.catalogue.part("environments", "sun")
    return Environment(sun("irradiance", "W/m**2"), earth("albedo"), earth("infrared", "W/m**2"))


def fly(
    fleet: Fleet,
    plan: ConstantLoad | None = None,
    *,
    start: float = 0.0,
    duration: float = DAY,
    step: float = 60.0,
    whole: bool | None = None,
    progress: Progress | None = None,
) -> Flight:
    """Fly the fleet under a plan and return the timeline and the delivered work.

    Parameters
    ----------
    fleet : the satellites.
    plan : what they should do; left out: all their work all the time.
    start : s after the scenario's epoch. duration, step : s; the duration is rounded to whole steps.
    whole : True flies every step, False representative days; left out: whole while that takes seconds.
    progress : called with the share done, 0 to 1.

    Notes
    -----
    Long stretches of large fleets are flown on representative days (`representative_days`), each weighted by the
    time that it stands for. Memory does not grow with the number of steps: a timeline has at most `ROWS` rows.
    """
    plan = plan or ConstantLoad()
    _check(duration, step)
    steps = max(1, round(duration / step))
    if whole is None:
        whole = len(fleet) * steps <= WHOLE_STRETCH or duration < 30 * DAY
    began = time.perf_counter()
    if whole:
        stretches = [(start, steps, float(steps * step))]
    else:
        per_day = round(DAY / step)
        days = representative_days(fleet, start, duration)
        stretches = [(day, per_day, weight) for day, weight in days]
    total = sum(count for _, count, _ in stretches)
    bin_steps = max(1, math.ceil(total / ROWS))
    reducer = _Reducer(fleet, plan, step, bin_steps)
    done = 0
    for begin, count, weight in stretches:
        stepper = Stepper(
            fleet,
            plan,
            environment(fleet),
            start=begin,
            step=step,
            record=_sample(fleet),
            record_every=bin_steps,
            settle=_settling(fleet),
        )
        longest = max(bin_steps, 1440) // bin_steps * bin_steps
        longest = math.lcm(bin_steps, STEPS_PER_ANCHOR) * max(
            1, longest // math.lcm(bin_steps, STEPS_PER_ANCHOR)
        )
        for span in stepper.spans(count, longest=longest):
            reducer.add(span, weight / (count * step))
            done += len(span.totals)
            if progress:
                progress(done / total)
        reducer.close(stepper, weight, count)
    return Flight(
        timeline=reducer.timeline(),
        delivered=reducer.delivered(),
        satellites=len(fleet),
        steps=total,
        step_s=step,
        days=None if whole else len(stretches),
        wall_s=time.perf_counter() - began,
    )


def representative_days(fleet: Fleet, start: float, duration: float) -> list[tuple[float, float]]:
    """Return (start, weight) in s of the days that stand for a stretch.

    Twelve days evenly over the stretch; in every design's year of light the longest eclipse of each season, the day of
    the strongest sunlight, and the days where eclipse seasons begin and end, where the curve of delivered work has its
    corners. Each stands for half the way to its neighbours; then the weights are shifted, in proportion to the days'
    light, until their mean light is that of the whole stretch, which is known without flying (calibration of weights:
    Deville and Särndal 1992, JASA 87, 376).
    """
    stop = start + duration - DAY
    days = list(start + (np.arange(12) + 0.5) / 12.0 * duration - 0.5 * DAY)
    musts: list[float] = []
    for year in fleet.light:
        dark = year.eclipse_fraction.reshape(-1, len(year.seconds)).max(axis=0)
        edges = np.flatnonzero((dark[1:] > 0.0) != (dark[:-1] > 0.0)) + 1
        seasons = [season for season in np.split(np.arange(len(dark)), edges) if dark[season[0]] > 0.0]
        musts += [float(year.seconds[season[dark[season].argmax()]]) for season in seasons]
        musts.append(float(year.seconds[year.irradiance_ratio.argmax()]))
        days += year.seconds[edges].tolist()
    chosen: list[float] = []
    for day in [*musts, *days]:
        if start <= day <= stop and all(abs(day - other) > 4 * DAY for other in chosen):
            chosen.append(float(day))
    chosen.sort()
    middles = [0.5 * (a + b) for a, b in pairwise(chosen)]
    bounds = [start - 0.5 * DAY, *middles, start + duration - 0.5 * DAY]
    weights = _calibrated(fleet, np.array(chosen), np.diff(bounds), start, duration)
    return list(zip(chosen, weights.tolist(), strict=True))


def _calibrated(fleet: Fleet, days: Array, weights: Array, start: float, duration: float) -> Array:
    """Return the weights shifted so that the days' mean light is that of the stretch; none falls below zero."""

    def light(seconds: Array) -> Array:
        total = np.zeros(len(seconds))
        for year, count in zip(fleet.light, fleet.counts, strict=True):
            mean = year.lit_fraction.reshape(-1, len(year.seconds)).mean(axis=0)
            total += count * np.interp(seconds % year.seconds[-1], year.seconds, mean)
        return total / len(fleet)

    hours = start + np.linspace(0.0, duration, 2001)
    wanted = float(np.trapezoid(light(hours), hours)) / duration
    found = light(days + 0.5 * DAY)
    shares = weights / weights.sum()
    mean = float(shares @ found)
    spread = float(shares @ (found - mean) ** 2)
    if spread < 1e-12:
        return weights
    shifted = np.maximum(shares * (1.0 + (wanted - mean) / spread * (found - mean)), 0.0)
    return np.asarray(shifted / shifted.sum() * weights.sum())


def _settling(fleet: Fleet) -> float:
    """Return three orbits, s: what charge and temperatures need to forget how a flight began."""
    return 3.0 * float(kepler_period(np.median(fleet.elements.semi_major_axis) - EARTH_RADIUS))


def forecast(
    fleet: Fleet, *, start: float = 0.0, duration: float = DAY, slot: float = 900.0, step: float = 60.0
) -> Windows:
    """Return what nature offers each satellite in each planner slot, without any load.

    Light, array power and upset rate are means over the slot; `sustainable_w` is the IT power that the array alone
    carries. The windows' tables of links and contacts are made when they are asked for.
    """
    _check(duration, step)
    per_slot = max(1, round(slot / step))
    count = max(1, round(duration / (per_slot * step)))
    length = per_slot * step

    def contacts() -> ContactTable:
        ground = ground_segment(fleet.scenario, fleet.catalogue)
        return contact_table(fleet, ground, start, start + count * length)

    return Windows(
        length,
        count,
        start,
        lambda: _slots(fleet, start, step, per_slot, count),
        lambda: fleet_mesh(fleet),
        contacts,
    )


def _slots(fleet: Fleet, start: float, step: float, per_slot: int, count: int) -> Iterator[Slot]:
    stepper = Stepper(fleet, ConstantLoad(0.0), environment(fleet), start=start, step=step)
    fixed = _of_satellites(fleet, [design.fixed_load for design in fleet.designs])
    per_work = _of_satellites(fleet, [1.0 + design.overhead_per_it for design in fleet.designs])
    full = _of_satellites(fleet, [design.it_power for design in fleet.designs])
    for index in range(count):
        stepper.tiles.begin()
        for _ in stepper.spans(per_slot, longest=per_slot):
            pass
        power = stepper.tiles.double_row(t.SUM_ARRAY) / per_slot
        yield Slot(
            start + index * per_slot * step,
            (stepper.tiles.double_row(t.SUM_LIT) / per_slot).astype(np.float32),
            power.astype(np.float32),
            np.clip((power - fixed) / per_work, 0.0, full).astype(np.float32),
            (stepper.tiles.double_row(t.SUM_UPSETS) / per_slot).astype(np.float32),
        )


def record_bytes(satellites: int, steps: int) -> int:
    """Return the size of a whole record, bytes uncompressed."""
    return satellites * steps * t.RECORD_FIELDS * 4


def record(
    fleet: Fleet,
    plan: ConstantLoad | None = None,
    *,
    start: float = 0.0,
    duration: float = DAY,
    step: float = 60.0,
) -> Iterator[Chunk]:
    """Yield every satellite and step, in chunks of at most some 100 MB, as `(satellites, steps)` arrays."""
    _check(duration, step)
    steps = max(1, round(duration / step))
    tiles = np.arange(sum(-(-count // t.TILE) for count in fleet.counts))
    stepper = Stepper(fleet, plan or ConstantLoad(), environment(fleet), start=start, step=step, record=tiles)
    capacity = _of_satellites(fleet, [design.battery_capacity for design in fleet.designs])
    longest = max(STEPS_PER_ANCHOR, int(100e6 / record_bytes(len(tiles) * t.TILE, 1)))
    for span in stepper.spans(steps, longest=longest):
        # (tiles, steps, fields, lanes) -> (fields, satellites, steps)
        lanes = span.record.transpose(2, 0, 3, 1).reshape(t.RECORD_FIELDS, -1, len(span.totals))
        fields = lanes[:, stepper.tiles.first_lane]
        fields[t.R_MISSING] = capacity[:, None] - fields[t.R_MISSING]
        yield Chunk(span.start_s, step, *fields)


class _Reducer:
    """Sums, extremes and samples of a flight, in memory that does not grow with its steps."""

    def __init__(self, fleet: Fleet, plan: ConstantLoad, step: float, bin_steps: int) -> None:
        self.fleet, self.plan, self.step, self.bin_steps = fleet, plan, step, bin_steps
        self.rows: list[Array] = []
        self.capacity = _of_satellites(fleet, [design.battery_capacity for design in fleet.designs])
        self.mean_capacity = float(self.capacity.mean())
        tiles = _sample(fleet)
        self.sample_capacity = _tile_values(fleet, [design.battery_capacity for design in fleet.designs])[
            tiles
        ]
        count = len(fleet)
        self.lit, self.work, self.upsets = np.zeros(count), np.zeros(count), np.zeros(count)
        self.duration = 0.0
        self.shed = np.zeros(2)
        self.lowest = np.full(count, np.inf)
        self.hottest, self.coldest = np.zeros(count), np.full(count, np.inf)

    def add(self, span: Span, weight: float) -> None:
        """Take in a span whose steps each stand for `weight` times their own time."""
        count, width = len(self.fleet), self.bin_steps
        self.shed += span.totals[:, [t.F_HEAT_SHED, t.F_POWER_SHED]].sum(axis=0) * self.step * weight
        whole = len(span.totals) // width
        parts = [span.totals[: whole * width].reshape(whole, width, -1)] if whole else []
        if whole * width < len(span.totals):
            parts.append(span.totals[None, whole * width :])
        index = 0
        for part in parts:
            means = part.mean(axis=1) / count
            lowest = part[:, :, t.F_LIT].min(axis=1) / count
            for row, low in zip(means, lowest, strict=True):
                self.rows.append(
                    np.array(
                        [
                            span.start_s + index * width * self.step,
                            part.shape[1] * self.step * weight,
                            *row[:6],
                            1.0 - row[t.F_MISSING] / self.mean_capacity,
                            row[t.F_UPSETS] * HOUR,
                            low,
                            *self._sampled(span, index),
                        ]
                    )
                )
                index += 1

    def _sampled(self, span: Span, index: int) -> list[float]:
        if index >= span.record.shape[1]:
            return self.rows[-1][-5:].tolist() if self.rows else [math.nan] * 5
        kept = span.record[:, index]
        battery = 1.0 - kept[:, t.R_MISSING] / self.sample_capacity
        junction = kept[:, t.R_JUNCTION] - ZERO_CELSIUS
        return [*np.percentile(battery, (5, 50, 95)), float(np.median(junction)), float(junction.max())]

    def close(self, stepper: Stepper, weight: float, steps: int) -> None:
        """Take in what a stretch left in the satellites' own sums and extremes."""
        tiles = stepper.tiles
        self.lit += tiles.double_row(t.SUM_LIT) / steps * weight
        self.work += tiles.double_row(t.SUM_WORK) / steps * weight
        self.upsets += tiles.double_row(t.SUM_UPSETS) / steps * weight
        self.duration += weight
        self.lowest = np.minimum(self.lowest, 1.0 - tiles.row(t.MOST_MISSING) / self.capacity)
        self.hottest = np.maximum(self.hottest, tiles.row(t.HOTTEST_JUNCTION))
        self.coldest = np.minimum(self.coldest, tiles.row(t.COLDEST_COOLANT))

    def timeline(self) -> Timeline:
        """Return the rows so far."""
        return Timeline(self.bin_steps * self.step, *np.array(self.rows).T)

    def delivered(self) -> Delivered:
        """Return the sums so far."""
        full = _of_satellites(self.fleet, [design.it_power for design in self.fleet.designs])
        idle = _of_satellites(self.fleet, [design.it_idle for design in self.fleet.designs])
        return Delivered(
            duration_s=self.duration,
            lit=self.lit / self.duration,
            work_j=self.work,
            full_j=full * self.duration,
            idle_j=idle * self.duration,
            heat_shed_j=float(self.shed[0]),
            power_shed_j=float(self.shed[1]),
            upsets=self.upsets,
            lowest_battery=self.lowest,
            hottest_junction_k=self.hottest,
            coldest_coolant_k=self.coldest,
        )


def _of_satellites(fleet: Fleet, of_designs: list[float]) -> Array:
    return np.array(of_designs)[fleet.design_index]


def _tile_values(fleet: Fleet, of_designs: list[float]) -> Array:
    """Return one value per tile as (tiles, 1)."""
    tiles = [-(-count // t.TILE) for count in fleet.counts]
    return np.repeat(np.array(of_designs), tiles)[:, None]


def _sample(fleet: Fleet) -> npt.NDArray[np.int64]:
    tiles = sum(-(-count // t.TILE) for count in fleet.counts)
    return np.unique(np.linspace(0, tiles - 1, min(SAMPLED_TILES, tiles)).astype(np.int64))


def _check(duration: float, step: float) -> None:
    if not 1.0 <= step <= 600.0:
        raise ValueProblem(f"a step of {step:g} s is not modelled", right="choose between 1 s and 10 min")
    if duration < step:
        raise ValueProblem("the duration is shorter than one step", right="choose a longer duration")
