"""What the twin gives back: windows of what nature offers, the timeline of what happened, and what was delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, HOUR, JULIAN_YEAR, ZERO_CELSIUS
from skyhall.fleet_contacts import ContactTable
from skyhall.fleet_network import FleetMesh, SlotLinks
from skyhall.types import Array

__all__ = ["Chunk", "Delivered", "Flight", "Slot", "Timeline", "Windows"]

Single: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The fleet over time, reduced: means over the satellites, and percentiles of a sample of them.

    Each row is an interval of `interval_s`; its means are over the satellites and the steps within. Shape (rows,).

    Attributes
    ----------
    seconds : start of the interval, s after the epoch.
    weight : s of the assessed stretch that the row stands for (more than its own where days represent a year).
    lit : lit fraction. array_w, work_w : array power and IT power, W per satellite.
    heat_shed_w, power_shed_w : planned work not done for heat, for want of power, W per satellite.
    curtailed_w : array power that nothing could use, W per satellite.
    battery : stored share of the capacity.
    upsets_per_h : upsets that kill or corrupt work, per accelerator and hour.
    lit_lowest : lowest lit share of the fleet at any step within.
    battery_p05, battery_p50, battery_p95 : of the stored share at the interval's end, over a sample of satellites.
    junction_c_p50, junction_c_max : of the junction temperature there, degrees Celsius.
    """

    interval_s: float
    seconds: Array
    weight: Array
    lit: Array
    array_w: Array
    work_w: Array
    heat_shed_w: Array
    power_shed_w: Array
    curtailed_w: Array
    battery: Array
    upsets_per_h: Array
    lit_lowest: Array
    battery_p05: Array
    battery_p50: Array
    battery_p95: Array
    junction_c_p50: Array
    junction_c_max: Array

    def columns(self) -> dict[str, Array]:
        """Return the arrays by name, in the order of the files."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "interval_s"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """Work done over the assessed stretch, with the extremes on the way; (satellites,) unless said otherwise.

    Attributes
    ----------
    duration_s : the stretch that the sums stand for, s (scalar).
    lit : mean lit fraction.
    work_j : IT energy of work, beyond idling, J.
    full_j, idle_j : IT energy had the satellite worked without pause, and had it only idled; J.
    heat_shed_j, power_shed_j : of the whole fleet, J (scalars).
    upsets : expected upsets of one accelerator that kill or corrupt its work.
    lowest_battery : lowest stored share of the capacity.
    hottest_junction_k, coldest_coolant_k : K.
    """

    duration_s: float
    lit: Array
    work_j: Array
    full_j: Array
    idle_j: Array
    heat_shed_j: float
    power_shed_j: float
    upsets: Array
    lowest_battery: Array
    hottest_junction_k: Array
    coldest_coolant_k: Array

    @property
    def share(self) -> float:
        """Delivered share of the installed work: accelerator time at full work, idling does not count."""
        # Single precision may carry a full year a hair beyond full.
        return min(1.0, float(self.work_j.sum() / (self.full_j - self.idle_j).sum()))

    @property
    def it_mwh_per_year(self) -> float:
        """IT energy of the delivered work at full power, MWh in 8,766 hours."""
        return self.share * float(self.full_j.sum()) / self.duration_s * JULIAN_YEAR / HOUR / 1e6

    @property
    def upsets_per_accelerator_day(self) -> float:
        """Upsets that kill or corrupt work, of a mean accelerator in a day."""
        return float(self.upsets.mean()) / self.duration_s * DAY

    @property
    def throttled_hours_per_year(self) -> float:
        """Hours of full work a year that a mean satellite sheds for heat."""
        return self._hours_per_year(self.heat_shed_j)

    @property
    def power_shed_hours_per_year(self) -> float:
        """Hours of full work a year that a mean satellite sheds for want of power."""
        return self._hours_per_year(self.power_shed_j)

    def _hours_per_year(self, shed_j: float) -> float:
        return shed_j / float((self.full_j - self.idle_j).sum()) * JULIAN_YEAR / HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A flight of the twin: timeline and delivered work, and how it was flown."""

    timeline: Timeline
    delivered: Delivered
    satellites: int
    steps: int
    step_s: float
    days: int | None  # representative days flown; None when the whole stretch was
    wall_s: float

    def __repr__(self) -> str:
        days = self.delivered.duration_s / 86400.0
        return (
            f"<Flight of {self.satellites:,} satellites, {days:,.4g} days at {self.step_s:g} s: "
            f"{self.delivered.share:.1%} of full work delivered, {self.timeline.lit.mean():.1%} lit>"
        )

    def _repr_html_(self) -> str:
        done = self.delivered
        rows = (
            ("satellites", f"{self.satellites:,}"),
            ("assessed", f"{done.duration_s / 86400.0:,.4g} days at {self.step_s:g} s"),
            ("delivered share of full work", f"{done.share:.2%}"),
            ("mean lit share", f"{done.lit.mean():.2%}"),
            ("lowest charge", f"{done.lowest_battery.min():.1%}"),
            ("hottest junction", f"{done.hottest_junction_k.max() - ZERO_CELSIUS:.1f} °C"),
            ("speed", f"{self.satellite_steps_per_s:,.3g} satellite-steps/s"),
        )
        return (
            "<table>"
            + "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
            + "</table>"
        )

    @property
    def satellite_steps_per_s(self) -> float:
        """Speed of the flight."""
        return self.satellites * self.steps / self.wall_s


@dataclass(frozen=True, slots=True)
class Slot:
    """What nature offers during one planner slot; (satellites,)."""

    start_s: float
    light: Single
    array_w: npt.NDArray[np.float32]
    sustainable_w: npt.NDArray[np.float32]  # IT watts that the array alone carries
    upset_rate: npt.NDArray[np.float32]  # mean, per accelerator and second: upsets that kill or corrupt work


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of a fleet: iterate over the slots (each time flown anew, in the memory of one), or `stack` a few.

    Beside what each satellite has by itself stand the tables of what joins them: `links` and `contacts`.
    """

    slot_s: float
    count: int
    start_s: float
    _fly: Callable[[], Iterator[Slot]]
    _mesh: Callable[[], FleetMesh]
    _contacts: Callable[[], ContactTable]

    def __iter__(self) -> Iterator[Slot]:
        return self._fly()

    def __len__(self) -> int:
        return self.count

    def links(self) -> Iterator[SlotLinks]:
        """Yield what the laser links between satellites carry in each slot."""
        mesh = self._mesh()
        return (mesh.slot(self.start_s + index * self.slot_s, self.slot_s) for index in range(self.count))

    def contacts(self) -> ContactTable:
        """Return every contact with the ground from the first slot to the last, with the bits that it could bring."""
        return self._contacts()

    def stack(self) -> dict[str, Array]:
        """Return `start_s` (slots,) and `light`, `array_w`, `sustainable_w`, `upset_rate` (satellites, slots)."""
        slots = list(self)
        stacked: dict[str, Array] = {"start_s": np.array([slot.start_s for slot in slots])}
        for name in (each.name for each in fields(Slot) if each.name != "start_s"):
            stacked[name] = np.stack([getattr(slot, name) for slot in slots], axis=1)
        return stacked


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some steps of every satellite, float32, (satellites, steps) each; values hold at the end of a step."""

    start_s: float
    step_s: float
    lit: Single
    array_w: Single
    work_w: Single
    battery_j: Single
    junction_k: Single
    radiator_k: Single
    array_k: Single
    upsets_per_s: Single  # per accelerator

    @property
    def seconds(self) -> Array:
        """Ends of the steps, s after the epoch; (steps,)."""
        ends: Array = self.start_s + (np.arange(self.lit.shape[1], dtype=np.float64) + 1.0) * self.step_s
        return ends

    def joined(self, others: Sequence[Chunk]) -> Chunk:
        """Return this chunk with `others` that follow it."""
        return self._with(
            lambda name: np.concatenate([getattr(each, name) for each in (self, *others)], axis=1)
        )

    def after(self, moment: float) -> Chunk:
        """Return the steps that end after `moment` (s)."""
        first = int(np.searchsorted(self.seconds, moment, side="right"))
        cut = self._with(lambda name: getattr(self, name)[:, first:])
        return replace(cut, start_s=self.start_s + first * self.step_s)

    def _with(self, values: Callable[[str], Single]) -> Chunk:
        return Chunk(self.start_s, self.step_s, *(values(each.name) for each in fields(self)[2:]))
