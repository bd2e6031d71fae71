"""A run: the loop between the pure coordinator, its journal and an engine, and the record of what happened."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from skyhall.errors import CheckFailed
from skyhall.runtime.coordinator import begin, step
from skyhall.runtime.engines.engine import Engine
from skyhall.runtime.journal import Event, Journal, read_journal
from skyhall.runtime.state import LOOK_S, Command, RunPlan, RunState
from skyhall.runtime.storage import checkpoint_name, contribution_name, is_whole

__all__ = ["Mission", "Watch"]

Watch = Callable[[RunPlan, RunState], None]


@dataclass(slots=True)
class Mission:
    """One run of one job.

    Parameters
    ----------
    plan : what does not change.
    engine : on which the satellites' processes run.
    folder : for the journal (journal.jsonl), the record (events.jsonl) and the final state (result.checkpoint).
    watch : called after every step, for people who look on.
    clock : real time, s.
    """

    plan: RunPlan
    engine: Engine
    folder: Path
    watch: Watch = lambda plan, state: None
    clock: Callable[[], float] = time.monotonic
    _state: RunState = field(init=False)
    _journal: Journal = field(init=False)
    _record: IO[str] = field(init=False)

    def run(self) -> RunState:
        """Run the job to its end and return what is known then; continue where an earlier coordinator was ended.

        Raises
        ------
        CheckFailed
            When the run cannot end: no agreement, every satellite lost, or its time is over.
        """
        with self._open():
            offset = self._state.now
            began = self.clock()
            while not (self._state.finished or self._state.failed):
                said = self.engine.hear(LOOK_S)
                if all(seat.process != "up" for seat in self._state.seats) and not self._state.rounds:
                    began = self.clock()  # simulated time begins when a satellite answers
                now = offset + (self.clock() - began) * self.plan.speedup
                for each in said:
                    self._take(Event(each.kind, now, each.satellite, each.epoch, each.data))
                self._take(Event("tick", now))
                self.watch(self.plan, self._state)
            if self._state.failed:
                raise CheckFailed(f"the run ended without a result: {self._state.failed}")
            self._fetch_result()
        return self._state

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Open journal and record; where there was a run, go to where it stood, and write its record anew."""
        path = self.folder / "journal.jsonl"
        self._journal = Journal(path)
        try:
            with (self.folder / "events.jsonl").open("w", encoding="utf-8") as self._record:
                earlier = read_journal(path)
                self._state = begin(self.plan)
                for event in earlier:
                    self._state, commands = step(self.plan, self._state, event)
                    self._note(commands)
                if earlier:
                    self._take(Event("resumed", self._state.now))
                else:  # a node may still store what an earlier run left in a folder of this name
                    for satellite in range(len(self.plan.sky.names)):
                        self.engine.wipe(satellite)
                yield
        finally:
            self._journal.close()
            self.engine.close()

    def _take(self, event: Event) -> None:
        """Write an event down, then act on it."""
        self._journal.append(event)
        self._state, commands = step(self.plan, self._state, event)
        self._note(commands)
        for command in commands:
            if command.kind != "note":
                self._obey(command)

    def _note(self, commands: Sequence[Command]) -> None:
        """Write what is to be told into the record."""
        for command in commands:
            if command.kind == "note":
                note = {"time": self._state.now, "satellite": command.satellite, **command.data}
                told = {key: value for key, value in note.items() if value is not None}
                self._record.write(json.dumps(told) + "\n")
        self._record.flush()

    def _obey(self, command: Command) -> None:
        engine, data = self.engine, command.data
        assert command.satellite is not None
        if command.kind == "wipe":
            engine.wipe(command.satellite)
        elif command.kind == "carry":
            done, part = data["done"], data["part"]
            name = checkpoint_name(done) if part is None else contribution_name(done, part)
            engine.carry(data["transfer"], data["source"], command.satellite, name)
        else:
            assert command.epoch is not None
            self._obey_for_process(command.kind, command.satellite, command.epoch, data)

    def _obey_for_process(self, kind: str, satellite: int, epoch: int, data: Mapping[str, Any]) -> None:
        if kind == "start":
            self.engine.start(satellite, epoch)
        elif kind in ("kill", "dismiss"):
            self.engine.kill(satellite, epoch)
        elif kind == "stop":
            self.engine.stop(satellite, epoch, data["seconds"])
        else:
            self.engine.tell(satellite, epoch, {"kind": kind, **data})

    def _fetch_result(self) -> None:
        """Bring the final state to the run's folder, verified once more."""
        done = self._state.verified
        digest = self._state.digests[done][0]  # of the first part, where there are several
        for satellite, seat in enumerate(self._state.seats):
            if done in seat.stored and seat.stored[done].digest == digest:
                try:
                    sealed = self.engine.fetch(satellite, checkpoint_name(done))
                except OSError:
                    continue
                if is_whole(sealed) and sealed[-32:].hex() == digest:
                    (self.folder / "result.checkpoint").write_bytes(sealed)
                    return
        raise CheckFailed("the last state was stored, and cannot be read any more")
