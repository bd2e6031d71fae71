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


def right(done: int) -> str:
    """The digest of the undisturbed state after so many units."""
    return hashlib.sha256(f"state {done}".encode()).hexdigest()


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
    return Sky(names, 0.0, slot, rows, np.full(rows.shape, upsets), 1000.0, way)


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
    all_agree_wrongly: bool = False  # wrong results are the same wrong one


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
    _alive: dict[int, int] = field(default_factory=dict)  # satellite: epoch of the process that lives
    _memory: dict[int, tuple[int, str]] = field(default_factory=dict)
    _disk: dict[int, dict[int, str]] = field(default_factory=dict)
    _rng: np.random.Generator = field(init=False)

    def run(self, most: int = 200_000) -> RunState:
        """Return the state at the end."""
        self._rng = np.random.default_rng(self.seed)
        if not hasattr(self, "state"):
            self.state = begin(self.plan)
        else:
            self._feed(Event("resumed", self.state.now))
        now = self.state.now
        for _ in range(most):
            if self.state.finished or self.state.failed:
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
            getattr(self, f"_{command.kind}")(satellite, epoch, command.data)

    def _carry(self, target: int, transfer: int, source: int, done: int) -> None:
        data: dict[str, Any] = {"transfer": transfer, "ok": False}
        digest = self._disk.get(source, {}).get(done)
        if digest is None:
            data |= {"reason": "no such file", "at_source": True}
        elif self._chance(self.troubles.carry_corrupts):
            self.happened["corrupted messages"] += 1
            data["reason"] = "the bytes that arrived are not those that were sent"
        else:
            self._keep(target, done, digest)
            data |= {"ok": True, "digest": digest, "size": SIZE, "kept": sorted(self._disk[target])}
        self._say(0.1, "carried", target, None, **data)

    def _keep(self, satellite: int, done: int, digest: str) -> None:
        disk = self._disk.setdefault(satellite, {})
        disk[done] = digest
        for old in sorted(disk)[:-3]:
            del disk[old]

    def _load(self, satellite: int, epoch: int, data: Any) -> None:
        done = data["done"] if data["source"] == "file" else 0
        digest = self._disk.get(satellite, {}).get(done) if data["source"] == "file" else right(0)
        if digest is None or (data["source"] == "file" and self._chance(self.troubles.load_fails)):
            self.happened["failed loads"] += 1
            self._disk.get(satellite, {}).pop(done, None)
            self._say(
                1.0, "failed", satellite, epoch, what="load", done=done, reason="differs from its digest"
            )
            return
        self._memory[satellite] = done, digest
        self._say(1.0, "ready", satellite, epoch, done=done, digest=digest)

    def _back(self, satellite: int, epoch: int, data: Any) -> None:
        self._memory[satellite] = data["done"], right(data["done"])
        self._say(1.0, "ready", satellite, epoch, done=data["done"], digest=right(data["done"]))

    def _go(self, satellite: int, epoch: int, data: Any) -> None:
        first, until = data["first"], data["until"]
        held = self._memory.get(satellite)
        assert held == (first, right(first)), "a round begins with the verified state"
        took = UNIT_S * (until - first) * float(self._rng.uniform(0.8, 1.3))
        digest = right(until)
        if self._chance(self.troubles.wrong_result):
            self.happened["wrong results"] += 1
            salt = "same" if self.troubles.all_agree_wrongly else str(self._rng.integers(2**60))
            digest = hashlib.sha256(f"wrong {salt} {until}".encode()).hexdigest()
        self._memory[satellite] = until, digest
        if self._chance(self.troubles.process_dies):
            self.happened["deaths"] += 1
            self._die(satellite, epoch, float(self._rng.uniform(0, took)))
            if self._chance(self.troubles.zombie_speaks):
                self.happened["zombies"] += 1
                self._say(took + 500.0, "ended", satellite, epoch, round=data["round"], digest="zombie's")
            return
        self._say(
            took, "ended", satellite, epoch, round=data["round"], digest=digest, busy_s=took, injected=1
        )

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
        if self._chance(self.troubles.disk_full):
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
