"""What the coordinator knows: the run's plan, the satellites' seats, the round that is on, what was counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from skyhall.runtime.placement import Place, longest_light_first
from skyhall.runtime.sky import Sky

__all__ = ["LOOK_S", "Command", "Round", "RunPlan", "RunState", "Seat", "Stored", "Strike", "Transfer"]

LOOK_S = 0.1  # real; between two looks of the coordinator around: nothing is known to happen at a finer time
Task = Literal["idle", "loading", "ready", "running", "ended"]


@dataclass(frozen=True, slots=True)
class Strike:
    """Something that the scenario does to a satellite, at a time or when so much of the job is verified.

    Attributes
    ----------
    how : "kill" (its processes die; it is back after the plan's reboot time, with its storage), "lose" (it is gone with
        all that it stored) or "stop" (it hangs, keeps its state, and wakes late).
    satellite : its index in the run; None for one that computes then.
    time : s after the epoch; or
    unit : units verified.
    lasts : of a stop, simulated s.
    """

    how: Literal["kill", "lose", "stop"]
    satellite: int | None = None
    time: float | None = None
    unit: int | None = None
    lasts: float = 0.0

    def is_due(self, time: float, verified: int) -> bool:
        """Say whether its moment has come."""
        return (self.time is not None and self.time <= time) or (
            self.unit is not None and self.unit <= verified
        )


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What does not change during a run.

    Attributes
    ----------
    sky : what the satellites see.
    units : of the job.
    protect : "exact" (copies compared by digest), "bounded" (one verified execution) or "none".
    copies : executions of each part on different satellites.
    parts : that satellites execute of every unit and then exchange, as replicas in training; 1 where each does it all.
    speedup : simulated seconds in a second.
    faults : expected upsets in the whole run, spread evenly over it; None with an acceleration.
    acceleration : by which the twin's rates, here and now, are multiplied; None with a count.
    strikes : what the scenario does to satellites.
    checkpoint_s : simulated time between checkpoints at most; failures that are expected bring them sooner.
    margin_s : light that a satellite needs ahead to begin a round.
    reboot_s : from a kill until the satellite answers again.
    round_units : units between two comparisons; None lets the upset rate and the light decide.
    replay_units : from one unit that another satellite executes as well to the next, where one copy verifies itself.
    deadline : simulated time at which the run gives up.
    place : the policy.
    """

    sky: Sky
    units: int
    protect: Literal["exact", "bounded", "none"]
    copies: int
    speedup: float
    parts: int = 1
    faults: float | None = None
    acceleration: float | None = None
    strikes: tuple[Strike, ...] = ()
    checkpoint_s: float = 1800.0
    margin_s: float = 120.0
    reboot_s: float = 300.0
    round_units: int | None = None
    replay_units: int = 100
    deadline: float = float("inf")
    place: Place = longest_light_first

    @property
    def quorum(self) -> int:
        """Executions of a part that must agree before a result counts."""
        return 2 if self.protect == "exact" else 1

    @property
    def replays(self) -> bool:
        """Whether a unit now and then is executed on another satellite too: at `bounded`, where one does it all."""
        return self.protect == "bounded" and self.copies == self.parts == 1


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do outside: for a satellite's process (of one epoch), its engine, or the record."""

    kind: str
    satellite: int | None = None
    epoch: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint in a satellite's storage."""

    digest: str
    size: int


@dataclass(slots=True)
class Seat:
    """A satellite as the coordinator knows it.

    Attributes
    ----------
    epoch : of its process; what an older one says is refused.
    process : whether one runs, is starting, or none does until `back_at`.
    lost : for ever.
    task : what it does for the job. part : of the units that is its own.
    have, digest : units done in the state in its memory, and that state's digest.
    stored : checkpoints by units done. saving : the one that it is writing.
    asked, due : serial of the command that it has not answered, and when it is given up for that.
    saving_due, saving_since : the same of a checkpoint that it is writing, and when that began.
    stillborn : processes in a row that ended by themselves before they were up; after some the seat is given up.
    refusals : files in a row that did not land or could not be loaded.
    sulks_until : a full disk is not tried again before.
    """

    epoch: int = 0
    process: Literal["down", "starting", "up"] = "down"
    back_at: float = 0.0
    lost: bool = False
    task: Task = "idle"
    part: int = 0
    have: int | None = None
    digest: str | None = None
    stored: dict[int, Stored] = field(default_factory=dict)
    saving: int | None = None
    asked: int = 0
    due: float = math.inf
    saving_due: float = math.inf
    saving_since: float = 0.0
    stillborn: int = 0
    refusals: int = 0
    sulks_until: float = 0.0


@dataclass(slots=True)
class Round:
    """The units that are being executed: from what was verified to `until`, by `members`.

    Attributes
    ----------
    number : serial, so that a late answer to an earlier round is known as such.
    phase : "compute"; where there are parts, then "exchange" of the contributions and "merge" of them.
    reports : digest by satellite, of those that have ended the phase; empty where the execution failed.
    spent : processor time of each unit, s, by satellite.
    infinite : digests of results that hold NaN or infinity.
    common : of a merge: digest of what all parts must have alike, by satellite.
    agreed : digest and size of each part's contribution.
    present : parts whose contributions are in a satellite's storage.
    due : when an exchange that does not end is given up.
    """

    number: int
    first: int
    until: int
    members: tuple[int, ...]
    begun: float
    phase: Literal["compute", "exchange", "merge"] = "compute"
    reports: dict[int, str] = field(default_factory=dict)
    spent: dict[int, tuple[float, ...]] = field(default_factory=dict)
    infinite: frozenset[str] = frozenset()
    common: dict[int, str] = field(default_factory=dict)
    agreed: dict[int, tuple[str, int]] = field(default_factory=dict)
    present: dict[int, frozenset[int]] = field(default_factory=dict)
    due: float = math.inf

    def copy(self) -> Round:
        """Return a round that shares nothing with this one that can change."""
        return replace(
            self,
            reports=dict(self.reports),
            spent=dict(self.spent),
            common=dict(self.common),
            agreed=dict(self.agreed),
            present=dict(self.present),
        )


@dataclass(slots=True)
class Transfer:
    """A file on its way over the laser links: the state after `done` units, or a part's contribution to it.

    `digest` is the one that must arrive, `round` that of a contribution. `left` is in bits, `waits` is the delay of
    light, s; `due` is when the engine's answer is given up.
    """

    source: int
    target: int
    done: int
    part: int | None
    digest: str
    round: int | None
    left: float
    waits: float
    seen: float
    landing: bool = False
    due: float = math.inf


@dataclass(slots=True)
class RunState:
    """All that the coordinator knows; made from the plan and the journal's events, and from nothing else.

    Attributes
    ----------
    verified, digests : units done and verified, and the digests of the state after each verified round, one a part.
    members : satellites that hold a copy now.
    rounds : begun so far. redos, fruitless : those of the present units without a result, and of these the ones in
        which copies had different ones.
    replay_at : from this unit on one is to be replayed. differed : results of a replay that differed, by satellite.
    alone : units that a satellite executed alone since a replay last agreed with it.
    doubted : how often all copies agreed on each result that holds NaN or infinity, since the last verified round.
    finite : (part, phase) of which some copy had a finite result since then.
    serial : of the last command that is answered. short_since : since when a quorum waits for the other members.
    began : simulated time of the first round; None before.
    checkpoint_at, checkpoint_cost : when the last one was begun, and how long the last one took that was written, s.
    unit_s : simulated time that a unit takes, as seen so far; 0 before the first.
    counts : of everything in the record.
    exposure : upsets that the twin's own rates give for all executions so far.
    busy_s : processor time of all executions that were reported, s. lost_busy_s : of those that never were, at most.
    spent : of each unit, that of the slowest copy that was verified and of the rounds before that were not.
    repeated_s : of those rounds, since the last verified one.
    pins : what bits depend on, of the first process that came up.
    waits : spans in which too few satellites could work, simulated s.
    waiting : why nothing runs, empty where something does.
    told, error : the job's last words on its progress, and its last error.
    """

    now: float
    seats: list[Seat]
    verified: int = 0
    digests: dict[int, tuple[str, ...]] = field(default_factory=dict)
    members: tuple[int, ...] = ()
    round: Round | None = None
    began: float | None = None
    rounds: int = 0
    redos: int = 0
    fruitless: int = 0
    replay_at: int = 0
    differed: dict[int, str] = field(default_factory=dict)
    alone: Counter[int] = field(default_factory=Counter)
    doubted: Counter[str] = field(default_factory=Counter)
    finite: set[tuple[int, str]] = field(default_factory=set)
    serial: int = 0
    short_since: float | None = None
    transfers: dict[int, Transfer] = field(default_factory=dict)
    sent: int = 0
    struck: set[int] = field(default_factory=set)
    unit_s: float = 0.0
    checkpoint_at: float = 0.0
    checkpoint_cost: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    exposure: float = 0.0
    busy_s: float = 0.0
    lost_busy_s: float = 0.0
    repeated_s: float = 0.0
    pins: str = ""
    spent: dict[int, float] = field(default_factory=dict)
    waits: list[tuple[float, float]] = field(default_factory=list)
    moved_bits: float = 0.0
    move_s: float = 0.0
    waiting: str = ""
    told: str = ""
    error: str = ""
    finished: bool = False
    failed: str = ""

    def copy(self) -> RunState:
        """Return a state that shares nothing with this one that can change."""
        return replace(
            self,
            seats=[replace(seat, stored=dict(seat.stored)) for seat in self.seats],
            digests=dict(self.digests),
            round=self.round and self.round.copy(),
            struck=set(self.struck),
            transfers={number: replace(each) for number, each in self.transfers.items()},
            spent=dict(self.spent),
            waits=list(self.waits),
            differed=dict(self.differed),
            alone=self.alone.copy(),
            doubted=self.doubted.copy(),
            finite=set(self.finite),
            counts=self.counts.copy(),
        )
