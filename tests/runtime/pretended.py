"""A pretended fleet: it takes the coordinator's commands and answers as satellites would, in simulated time alone.

Processes lose, answer late or from the grave; states are numbers whose digests are known, so that whatever a
coordinator adopts can be told right from wrong.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skyhall.runtime.coordinator import begin, step
from skyhall.runtime.journal import Event
from skyhall.runtime.sky import Link, Sky
from skyhall.runtime.state import Command, RunPlan, RunState

UNIT_S = 10.0  # that a unit takes
SIZE = 10_000_000  # of a checkpoint, bytes


def right(done: int, part: int = 0) -> str:
    """The digest of a part's undisturbed state after so many units; all parts begin alike."""
    return hashlib.sha256(f"state {done} {part if done else 0}".encode()).hexdigest()


def contributed(done: int, part: int) -> str:
    """The digest of a part's undisturbed contribution to the state after so many units."""
    return hashlib.sha256(f"contribution {done} {part}".encode()).hexdigest()


def sky(
    lit: list[str],
    *,
    slot: float = 60.0,
    rate: float = 1e9,
    upsets: float = 1e-6,
    broken: tuple[tuple[int, int], ...] = (),
) -> Sky:
    """A sky from pictures, a text a satellite: "#" is a lit slot, "." a dark one, repeated for a day."""
    slots = int(86400.0 / slot)
    rows = np.array([[letter == "#" for letter in (text * slots)[:slots]] for text in lit])

    def way(one: int, other: int, time: float) -> Link:
        gone = (one, other) in broken or (other, one) in broken
        return Link(0.0 if gone else rate, 0.01)

    names = tuple(f"sat-{each}" for each in range(len(lit)))
    return Sky(names, 0.0, slot, rows, np.full(rows.shape, upsets), np.zeros_like(rows), 0.05, 1000.0, way)


@dataclass(slots=True)
class Troubles:
    """What goes wrong, each as a probability of one occasion."""

    wrong_result: float = 0.0  # of an execution of a round
    process_dies: float = 0.0  # in a round
    coordinator_dies: float = 0.0  # after an event
    carry_corrupts: float = 0.0
    load_fails: float = 0.0
    disk_full: float = 0.0
    zombie_speaks: float = 0.0  # of a process that died
    never_writes: frozenset[int] = frozenset()  # satellites whose disk is full for good
    never_reads: frozenset[int] = frozenset()
    defective: frozenset[int] = frozenset()  # that compute the same wrong result each time
    never_ends: frozenset[int] = frozenset()  # that answer pings and compute for ever
    never_carries: bool = False  # an engine of which nothing is heard, once
    other_state: bool = False  # files are whole, and not of the state that they were thought to be, once
    collapses: bool = False  # wrong results are all the same NaNs


@dataclass(slots=True)
class PretendedFleet:
    """Runs a plan to its end against pretended satellites, from a seed alone."""

    plan: RunPlan
    seed: int
    troubles: Troubles = field(default_factory=Troubles)
    journal: list[Event] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    state: RunState = field(init=False)
    _coming: list[tuple[float, int, Event]] = field(default_factory=list)
    _serial: int = 0
    _asked: int | None = None
    _alive: dict[int, int] = field(default_factory=dict)  # satellite: epoch of the process that lives
    _memory: dict[int, tuple[int, str]] = field(default_factory=dict)
    _began: dict[int, tuple[int, str]] = field(default_factory=dict)  # what the round began with
    _contributions: dict[int, dict[tuple[int, int], str]] = field(default_factory=dict)
    _disk: dict[int, dict[int, str]] = field(default_factory=dict)
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self.state = begin(self.plan)

    def run(self, most: int = 30_000, *, until: int | None = None) -> RunState:
        """Return the state at the end, or when so much is verified."""
        now = self.state.now
        for _ in range(most):
            if self.state.finished or self.state.failed or (until and self.state.verified >= until):
                return self.state
            if self._coming and self._coming[0][0] <= now + 5.0:
                at, _, event = heapq.heappop(self._coming)
                now = max(now, at)
                self._feed(event)
            else:
                now += 5.0
                self._feed(Event("tick", now))
            if self._chance(self.troubles.coordinator_dies):
                self._restart(now)
        raise AssertionError(f"no end in {most} events; waits: {self.state.waiting}")

    def begin_from(self, state: RunState) -> None:
        """Have the run continue from a replayed state, of whose satellites the storage is as they said."""
        self.state = state
        self._feed(Event("resumed", state.now))
        for satellite, seat in enumerate(state.seats):
            self._disk[satellite] = {done: stored.digest for done, stored in seat.stored.items()}

    def _feed(self, event: Event) -> None:
        self.journal.append(event)
        before = self.state.verified
        self.state, commands = step(self.plan, self.state, event)
        if self.state.verified > before:
            self.happened["verified"] += self.state.verified - before
        for command in commands:
            self._obey(command)

    def _restart(self, now: float) -> None:
        """The coordinator is killed with all processes; storage and journal are what is left."""
        self.happened["coordinator deaths"] += 1
        self._coming.clear()
        self._alive.clear()
        self._memory.clear()
        replayed = begin(self.plan)
        for event in self.journal:
            replayed, _ = step(self.plan, replayed, event)
        assert replayed == self.state
        self._feed(Event("resumed", now))

    def _chance(self, share: float) -> bool:
        return share > 0.0 and bool(self._rng.random() < share)

    def _say(self, delay: float, kind: str, satellite: int | None, epoch: int | None, **data: Any) -> None:
        self._serial += 1
        if kind in ("ready", "ended", "failed"):
            data["asked"] = self._asked
        event = Event(kind, self.state.now + delay, satellite, epoch, data)
        heapq.heappush(self._coming, (event.time, self._serial, event))

    def _obey(self, command: Command) -> None:
        if command.kind == "note":
            self.notes.append({**command.data, "satellite": command.satellite, "time": self.state.now})
            return
        satellite, epoch = command.satellite, command.epoch
        assert satellite is not None
        if command.kind == "start":
            assert epoch is not None
            self._alive[satellite] = epoch
            self._memory.pop(satellite, None)
            kept = sorted(self._disk.get(satellite, {}))
            self._say(float(self._rng.uniform(1, 30)), "up", satellite, epoch, kept=kept)
        elif command.kind == "wipe":
            self._disk.pop(satellite, None)
        elif command.kind == "carry":
            self._carry(satellite, **command.data)
        elif self._alive.get(satellite) == epoch:
            self._asked = command.data.get("asked")
            getattr(self, f"_{command.kind}")(satellite, epoch, command.data)

    def _carry(self, target: int, transfer: int, source: int, done: int, part: int | None) -> None:
        data: dict[str, Any] = {"transfer": transfer, "ok": False}
        if part is not None:
            self._carry_contribution(target, source, done, part, data)
            return
        digest = self._disk.get(source, {}).get(done)
        if digest is None:
            data |= {"reason": "no such file", "at_source": True}
        elif self._chance(self.troubles.carry_corrupts):
            self.happened["corrupted messages"] += 1
            data["reason"] = "the bytes that arrived are not those that were sent"
        elif target in self.troubles.never_writes:
            self.happened["full disks"] += 1
            data["reason"] = "no space left on device"
        elif self.troubles.never_carries and not self.happened["lost carries"]:
            self.happened["lost carries"] += 1
            return
        elif self.troubles.other_state and not self.happened["other states"]:
            self.happened["other states"] += 1
            self._disk[source][done] = digest = "another"
            self._keep(target, done, digest)
            data |= {"ok": True, "digest": digest, "size": SIZE, "kept": sorted(self._disk[target])}
        else:
            self._keep(target, done, digest)
            data |= {"ok": True, "digest": digest, "size": SIZE, "kept": sorted(self._disk[target])}
        self._say(0.1, "carried", target, None, **data)

    def _carry_contribution(
        self, target: int, source: int, done: int, part: int, data: dict[str, Any]
    ) -> None:
        digest = self._contributions.get(source, {}).get((done, part))
        if digest is None:
            data |= {"reason": "no such file", "at_source": True}
        elif self._chance(self.troubles.carry_corrupts):
            self.happened["corrupted messages"] += 1
            data["reason"] = "the bytes that arrived are not those that were sent"
        else:
            self._contributions.setdefault(target, {})[done, part] = digest
            data |= {"ok": True, "digest": digest}
        self._say(0.1, "carried", target, None, **data)

    def _keep(self, satellite: int, done: int, digest: str) -> None:
        disk = self._disk.setdefault(satellite, {})
        disk.pop(done, None)
        disk[done] = digest
        for old in list(disk)[:-3]:  # those written first
            del disk[old]

    def _load(self, satellite: int, epoch: int, data: Any) -> None:
        done = data["done"] if data["source"] == "file" else 0
        digest = self._disk.get(satellite, {}).get(done) if data["source"] == "file" else right(0)
        fails = self._chance(self.troubles.load_fails) or satellite in self.troubles.never_reads
        if digest is None or (data["source"] == "file" and fails):
            self.happened["failed loads"] += 1
            self._disk.get(satellite, {}).pop(done, None)
            self._say(
                1.0, "failed", satellite, epoch, what="load", done=done, reason="differs from its digest"
            )
            return
        self._memory[satellite] = done, digest
        self._say(1.0, "ready", satellite, epoch, done=done, digest=digest)

    def _back(self, satellite: int, epoch: int, data: Any) -> None:
        done, digest = self._memory[satellite] = self._began[satellite]
        assert done == data["done"]
        self._say(1.0, "ready", satellite, epoch, done=done, digest=digest)

    def _go(self, satellite: int, epoch: int, data: Any) -> None:
        first, until = data["first"], data["until"]
        held = self._memory.get(satellite)
        part = self.state.seats[satellite].part
        if satellite in self.troubles.never_ends:
            return
        start = self.state.digests[first][part]
        assert held == (first, start), "a round begins with the verified state"
        self._began[satellite] = held
        took = UNIT_S * (until - first) * float(self._rng.uniform(0.8, 1.3))
        finite = True
        digest = right(until) if data["part"] is None else contributed(until, part)
        if start != right(first, part):  # at `bounded`, where what was wrong may have been adopted
            digest = hashlib.sha256(f"after {start} {until}".encode()).hexdigest()
        if satellite in self.troubles.defective:
            self.happened["defects"] += 1
            digest = hashlib.sha256(f"defect {satellite} {start} {until}".encode()).hexdigest()
        if self._chance(self.troubles.wrong_result):
            self.happened["wrong results"] += 1
            finite = not self.troubles.collapses
            salt = str(self._rng.integers(2**60)) if finite else "NaN"
            digest = hashlib.sha256(f"wrong {salt} {until}".encode()).hexdigest()
        if data["part"] is None:
            self._memory[satellite] = until, digest
        else:
            self._contributions.setdefault(satellite, {})[until, part] = digest
        if self._chance(self.troubles.process_dies):
            self.happened["deaths"] += 1
            self._die(satellite, epoch, float(self._rng.uniform(0, took)))
            if self._chance(self.troubles.zombie_speaks):
                self.happened["zombies"] += 1
                self._say(took + 500.0, "ended", satellite, epoch, round=data["round"], digest="zombie's")
            return
        said = {"digest": digest, "size": SIZE, "busy_s": took, "injected": 1, "finite": finite}
        self._say(took, "ended", satellite, epoch, round=data["round"], **said)

    def _merge(self, satellite: int, epoch: int, data: Any) -> None:
        done, part = data["done"], self.state.seats[satellite].part
        held = self._contributions.get(satellite, {})
        assert data["parts"] == {str(each): contributed(done, each) for each in range(self.plan.parts)}
        assert all(held[done, each] == contributed(done, each) for each in range(self.plan.parts))
        if self._chance(self.troubles.process_dies):
            self._die(satellite, epoch, 1.0)
            return
        digest, common = right(done, part), right(done, -1)
        if self._chance(self.troubles.wrong_result):
            self.happened["wrong merges"] += 1
            digest = common = hashlib.sha256(str(self._rng.integers(2**60)).encode()).hexdigest()
        self._memory[satellite] = done, digest
        self._say(1.0, "ended", satellite, epoch, round=data["round"], digest=digest, common=common)

    def _die(self, satellite: int, epoch: int, delay: float) -> None:
        self._alive.pop(satellite, None)
        self._memory.pop(satellite, None)
        self._say(delay, "gone", satellite, epoch, reason="killed")

    def _save(self, satellite: int, epoch: int, data: Any) -> None:
        done = data["done"]
        held = self._memory.get(satellite)
        if held is None or held[0] != done:
            self._say(0.5, "failed", satellite, epoch, what="save", done=done, reason="holds another state")
            return
        if self._chance(self.troubles.disk_full) or satellite in self.troubles.never_writes:
            self.happened["full disks"] += 1
            self._say(
                0.5, "failed", satellite, epoch, what="save", done=done, reason="no space left on device"
            )
            return
        self._keep(satellite, done, held[1])
        kept = sorted(self._disk[satellite])
        self._say(0.5, "saved", satellite, epoch, done=done, digest=held[1], size=SIZE, kept=kept)

    def _rest(self, satellite: int, epoch: int, data: Any) -> None:
        self._memory.pop(satellite, None)

    def _kill(self, satellite: int, epoch: int, data: Any) -> None:
        self._die(satellite, epoch, 0.1)

    def _stop(self, satellite: int, epoch: int, data: Any) -> None:
        self._die(satellite, epoch, 30.0)
        self._say(600.0, "ended", satellite, epoch, round=0, digest="late")

    def _dismiss(self, satellite: int, epoch: int, data: Any) -> None:
        pass
